//! What can be seen of alerts from outside.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry};

pub(crate) struct AlertMetrics {
    pub(crate) evaluations: IntCounter,
    pub(crate) failures: IntCounterVec,
    pub(crate) transitions: IntCounter,
    pub(crate) deliveries: IntCounterVec,
    /// From when it happened to when it was decided.
    pub(crate) lag_seconds: Histogram,
}

impl AlertMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let lag = HistogramOpts::new(
            "playhead_alert_lag_seconds",
            "From the newest occurrence of an issue to the decision that it triggers a rule",
        );
        let metrics = Self {
            evaluations: IntCounter::new(
                "playhead_alert_evaluations_total",
                "Evaluations of a project's rules",
            )?,
            failures: IntCounterVec::new(
                Opts::new(
                    "playhead_alert_failures_total",
                    "Rounds that failed and are done again, by what failed",
                ),
                &["part"],
            )?,
            transitions: IntCounter::new("playhead_alert_transitions_total", "Firings that began or ended")?,
            deliveries: IntCounterVec::new(
                Opts::new("playhead_alert_deliveries_total", "Tries to tell somebody, by outcome"),
                &["outcome"],
            )?,
            lag_seconds: Histogram::with_opts(
                lag.buckets(vec![0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0, 900.0]),
            )?,
        };
        // Of a series that begins with its first event nobody sees that event: a rate needs the 0 before it.
        for part in ["stream", "evaluation", "statistics", "delivery"] {
            metrics.failures.with_label_values(&[part]);
        }
        for outcome in ["sent", "failed", "gave_up", "held", "not_sent"] {
            metrics.deliveries.with_label_values(&[outcome]);
        }
        registry.register(Box::new(metrics.evaluations.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        registry.register(Box::new(metrics.transitions.clone()))?;
        registry.register(Box::new(metrics.deliveries.clone()))?;
        registry.register(Box::new(metrics.lag_seconds.clone()))?;
        Ok(metrics)
    }
}
