//! What the process tells about itself: records on standard error, and spans by OTLP to a collector where one is configured.

mod export;
mod sampler;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, bail};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use export::Collector;
use sampler::sampler;

/// The variable by which OpenTelemetry names a collector.
const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Spans that wait to be sent; further ones are dropped, so that a collector that is away costs nothing but this.
const QUEUE_SPANS: usize = 2_048;
const BATCH_SPANS: usize = 512;
const SEND_EVERY: Duration = Duration::from_secs(1);
/// How long a stop waits for the last spans to be sent.
const LAST_SEND: Duration = Duration::from_secs(3);

/// What the process tells about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Telemetry {
    /// Which records are written to standard error: `info`, or per part such as `warn,playhead_gateway=debug`.
    pub(crate) filter: String,
    /// Write records as JSON.
    pub(crate) json: bool,
    /// Collector of traces that takes OTLP over HTTP (`http://127.0.0.1:4318`; `/v1/traces` is added); empty: what
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` says, and without that no traces. Headers come from `OTEL_EXPORTER_OTLP_HEADERS`.
    pub(crate) otlp_endpoint: String,
    /// Share of the traces begun here that are kept, 0 to 1. A request that comes with a `traceparent` is kept if its sender keeps it.
    pub(crate) trace_sample_ratio: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            filter: "warn,playhead=info".to_owned(),
            json: false,
            otlp_endpoint: String::new(),
            trace_sample_ratio: 0.01,
        }
    }
}

impl Telemetry {
    /// Checks what can be checked without opening anything.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        if !(0.0..=1.0).contains(&self.trace_sample_ratio) {
            bail!("telemetry.trace_sample_ratio must be between 0 and 1");
        }
        if !self.otlp_endpoint.is_empty() && !is_address(&self.otlp_endpoint) {
            bail!("telemetry.otlp_endpoint must be an address such as http://127.0.0.1:4318");
        }
        EnvFilter::try_new(&self.filter).context("telemetry.filter")?;
        Ok(())
    }

    /// Where spans go.
    fn traces_url(&self) -> anyhow::Result<Option<String>> {
        let from_environment = || std::env::var(ENDPOINT_VARIABLE).unwrap_or_default();
        let base =
            if self.otlp_endpoint.is_empty() { from_environment() } else { self.otlp_endpoint.clone() };
        if base.is_empty() {
            return Ok(None);
        }
        if !is_address(&base) {
            bail!("{ENDPOINT_VARIABLE} must be an address such as http://127.0.0.1:4318");
        }
        Ok(Some(format!("{}/v1/traces", base.trim_end_matches('/'))))
    }
}

fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains([' ', '?', '#']))
}

/// Telemetry that was started. To be stopped last, outside of the runtime.
#[must_use = "the last spans are sent by stop()"]
pub(crate) struct Running(Option<SdkTracerProvider>);

/// Starts telemetry for the whole process, which calls itself `service`.
///
/// # Errors
/// Settings that cannot work, or a process that has telemetry already.
pub(crate) fn start(config: &Telemetry, service: &str) -> anyhow::Result<Running> {
    let filter = EnvFilter::try_new(&config.filter).context("telemetry.filter")?;
    let records = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let records = if config.json { records.json().boxed() } else { records.compact().boxed() };
    let provider = match config.traces_url()? {
        Some(url) => Some(provider(config, &url, service)?),
        None => None,
    };
    let started = match &provider {
        // One filter for all: what it leaves out is not even looked at.
        None => tracing_subscriber::registry().with(records).with(filter).try_init(),
        Some(provider) => {
            let spans = tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("playhead"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_level(false)
                .with_tracked_inactivity(false)
                .with_context_activation(false)
                .with_filter(filter_fn(is_traced).with_max_level_hint(LevelFilter::DEBUG));
            tracing_subscriber::registry().with(records.with_filter(filter)).with(spans).try_init()
        }
    };
    started.map_err(|error| anyhow::anyhow!("telemetry cannot be started: {error}"))?;
    Ok(Running(provider))
}

/// Our own spans, and of what happens within them what went wrong. Sending spans makes none.
fn is_traced(what: &Metadata<'_>) -> bool {
    what.target().starts_with("playhead") && (what.is_span() || *what.level() <= Level::WARN)
}

fn provider(config: &Telemetry, url: &str, service: &str) -> anyhow::Result<SdkTracerProvider> {
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_SPANS)
        .with_max_export_batch_size(BATCH_SPANS)
        .with_scheduled_delay(SEND_EVERY)
        .build();
    let processor = BatchSpanProcessor::builder(Collector::new(url)?).with_batch_config(batches).build();
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(service.to_owned()).with_attribute(version).build();
    Ok(SdkTracerProvider::builder()
        .with_sampler(sampler(config.trace_sample_ratio))
        .with_span_processor(processor)
        .with_resource(resource)
        .build())
}

impl Running {
    /// Sends what waits, for at most a few seconds.
    pub(crate) fn stop(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST_SEND)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let of = |endpoint: &str, ratio| {
            let config = Telemetry {
                otlp_endpoint: endpoint.to_owned(),
                trace_sample_ratio: ratio,
                ..Telemetry::default()
            };
            config.validate().map_err(|error| error.to_string())
        };
        assert_eq!(of("", 0.0), Ok(()));
        assert_eq!(of("https://collector.example/otlp", 1.0), Ok(()));
        assert!(of("collector:4318", 0.5).unwrap_err().contains("telemetry.otlp_endpoint"));
        for ratio in [-0.1, 1.1, f64::NAN] {
            assert!(of("", ratio).unwrap_err().contains("telemetry.trace_sample_ratio"), "{ratio}");
        }
        let filter = Telemetry { filter: "=".to_owned(), ..Telemetry::default() };
        assert!(filter.validate().unwrap_err().to_string().contains("telemetry.filter"));
    }

    #[test]
    fn the_path_is_added_to_the_endpoint() {
        let url = |endpoint: &str| {
            Telemetry { otlp_endpoint: endpoint.to_owned(), ..Telemetry::default() }.traces_url().unwrap()
        };
        assert_eq!(url("http://a:4318").as_deref(), Some("http://a:4318/v1/traces"));
        assert_eq!(url("http://a:4318/otlp/").as_deref(), Some("http://a:4318/otlp/v1/traces"));
    }
}
