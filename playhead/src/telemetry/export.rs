//! Sending spans to a collector, and saying once when that does not work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

/// How long the collector may take for one batch, attempts included.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// A collector that takes OTLP over HTTP.
#[derive(Debug)]
pub(super) struct Collector {
    exporter: SpanExporter,
    /// Spans of the batches that were lost since the last one that was taken.
    lost: AtomicU64,
}

impl Collector {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(SEND_LIMIT)
            .build()
            .context("telemetry.otlp_endpoint")?;
        Ok(Self { exporter, lost: AtomicU64::new(0) })
    }

    fn report(&self, result: &OTelSdkResult, spans: u64) {
        match result {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(lost, "the collector takes spans again");
                }
            }
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(%error, "the collector does not take spans; they are lost until it does");
                }
            }
        }
    }
}

impl opentelemetry_sdk::trace::SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        self.report(&result, spans);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
