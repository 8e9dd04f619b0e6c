//! What the gateway counts. Labels come from closed sets.

use std::sync::Arc;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::budget::Exhausted;
use crate::error::ApiError;
use crate::traces::Outcome;

/// Counters of one gateway.
#[derive(Debug)]
pub(crate) struct Metrics {
    accepted: IntCounter,
    accepted_bytes: IntCounter,
    refused: IntCounterVec,
    budget_refused: IntCounterVec,
    sessions: IntCounter,
    spans: IntCounterVec,
    pub(crate) append_seconds: Histogram,
    pub(crate) bytes_under_way: IntGauge,
    pub(crate) requests_under_way: IntGauge,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Arc<Self>, prometheus::Error> {
        let metrics = Self {
            accepted: IntCounter::new(
                "playhead_gateway_batches_accepted_total",
                "Batches made durable and acknowledged",
            )?,
            accepted_bytes: IntCounter::new(
                "playhead_gateway_accepted_bytes_total",
                "Bytes of acknowledged batches",
            )?,
            refused: IntCounterVec::new(
                Opts::new("playhead_gateway_refused_total", "Requests refused, by problem code"),
                &["code"],
            )?,
            budget_refused: IntCounterVec::new(
                Opts::new(
                    "playhead_gateway_budget_refused_total",
                    "Bodies for which the byte budget had no room",
                ),
                &["limit"],
            )?,
            sessions: IntCounter::new("playhead_gateway_tokens_issued_total", "Session tokens issued")?,
            spans: IntCounterVec::new(
                Opts::new("playhead_gateway_spans_total", "Spans of backends, by what became of them"),
                &["outcome"],
            )?,
            append_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "playhead_gateway_append_seconds",
                    "Time until the log had a batch durable",
                )
                .buckets(vec![
                    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                ]),
            )?,
            bytes_under_way: IntGauge::new(
                "playhead_gateway_bytes_under_way",
                "Bytes charged to the body budget",
            )?,
            requests_under_way: IntGauge::new(
                "playhead_gateway_requests_under_way",
                "Requests not yet answered",
            )?,
        };
        metrics.register(registry)?;
        Ok(Arc::new(metrics))
    }

    fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.accepted.clone()))?;
        registry.register(Box::new(self.accepted_bytes.clone()))?;
        registry.register(Box::new(self.refused.clone()))?;
        registry.register(Box::new(self.budget_refused.clone()))?;
        registry.register(Box::new(self.sessions.clone()))?;
        registry.register(Box::new(self.spans.clone()))?;
        registry.register(Box::new(self.append_seconds.clone()))?;
        registry.register(Box::new(self.bytes_under_way.clone()))?;
        registry.register(Box::new(self.requests_under_way.clone()))
    }

    pub(crate) fn accept(&self, bytes: usize) {
        self.accepted.inc();
        self.accepted_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn refuse(&self, error: &ApiError) {
        self.refused.with_label_values(&[error.code()]).inc();
    }

    pub(crate) fn refuse_budget(&self, exhausted: Exhausted) {
        let limit = match exhausted {
            Exhausted::Total => "total",
            Exhausted::Share => "client",
        };
        self.budget_refused.with_label_values(&[limit]).inc();
    }

    pub(crate) fn count_spans(&self, outcome: &Outcome) {
        for (name, count) in outcome.by_name().into_iter().filter(|(_, count)| *count > 0) {
            self.spans.with_label_values(&[name]).inc_by(count);
        }
    }

    pub(crate) fn issue_token(&self) {
        self.sessions.inc();
    }
}
