//! A store and an object store that tell how long their requests take and how many fail, whatever is behind them.

mod blobs;
mod store;

use std::time::Instant;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

pub use blobs::ObservedBlobs;
pub use store::ObservedStore;

/// From an embedded store's memory to an object store at its limit.
const SECONDS: [f64; 15] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The metrics of one kind of request: `playhead_{part}_request_seconds{operation}`, `playhead_{part}_errors_total{operation}`.
#[derive(Debug)]
struct Metrics {
    seconds: HistogramVec,
    errors: IntCounterVec,
}

impl Metrics {
    fn register(registry: &Registry, part: &str, of: &str) -> Result<Self, prometheus::Error> {
        let seconds = HistogramOpts::new(
            format!("playhead_{part}_request_seconds"),
            format!("Time of a request to {of}, failed ones too"),
        );
        let errors =
            Opts::new(format!("playhead_{part}_errors_total"), format!("Requests to {of} that failed"));
        let metrics = Self {
            seconds: HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["operation"])?,
            errors: IntCounterVec::new(errors, &["operation"])?,
        };
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.errors.clone()))?;
        Ok(metrics)
    }

    fn operation(&self, name: &str) -> Operation {
        let (seconds, errors) = (&self.seconds, &self.errors);
        Operation { seconds: seconds.with_label_values(&[name]), errors: errors.with_label_values(&[name]) }
    }
}

/// The metrics of one operation.
#[derive(Debug, Clone)]
struct Operation {
    seconds: Histogram,
    errors: IntCounter,
}

impl Operation {
    fn begin(&self) -> Request {
        Request { operation: self.clone(), begun: Instant::now(), is_failed: false }
    }
}

/// A request under way; counted when dropped.
#[derive(Debug)]
struct Request {
    operation: Operation,
    begun: Instant,
    is_failed: bool,
}

impl Request {
    /// Says of something that came whether it was a failure.
    fn note(&mut self, is_failure: bool) {
        self.is_failed |= is_failure;
    }

    fn end<T, E>(mut self, result: Result<T, E>) -> Result<T, E> {
        self.note(result.is_err());
        result
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.operation.seconds.observe(self.begun.elapsed().as_secs_f64());
        if self.is_failed {
            self.operation.errors.inc();
        }
    }
}
