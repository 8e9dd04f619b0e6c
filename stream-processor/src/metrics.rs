//! What the processor tells about itself.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};

#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) records: IntCounter,
    pub(crate) bytes: IntCounter,
    pub(crate) duplicates: IntCounter,
    pub(crate) dropped_batches: IntCounterVec,
    pub(crate) dead_letters: IntCounterVec,
    pub(crate) flush_ms: Histogram,
    pub(crate) flush_bytes: Histogram,
    pub(crate) visible_after_ms: Histogram,
    pub(crate) lag: IntGaugeVec,
    pub(crate) partitions: IntGauge,
    pub(crate) open_sessions: IntGauge,
    pub(crate) compacted_sessions: IntCounter,
    pub(crate) compaction_failures: IntCounter,
    pub(crate) compaction_in_bytes: IntCounter,
    pub(crate) compaction_out_bytes: IntCounter,
    pub(crate) collected_objects: IntCounter,
    pub(crate) lost_partitions: IntCounter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let maker = Maker(registry);
        Ok(Self {
            records: maker.counter("records_total", "Batches read from the log.")?,
            bytes: maker.counter("bytes_total", "Bytes of batches read from the log.")?,
            duplicates: maker.counter("duplicates_total", "Batches that were there already.")?,
            dropped_batches: maker.counters(
                "dropped_batches_total",
                "Batches without effect, by reason.",
                "reason",
            )?,
            dead_letters: maker.counters(
                "dead_letters_total",
                "Batches not processed in whole or part.",
                "reason",
            )?,
            flush_ms: maker.histogram("flush_ms", "Duration of a flush in milliseconds.", 1.0, 14)?,
            flush_bytes: maker.histogram("flush_bytes", "Bytes of a flush's object.", 1024.0, 16)?,
            visible_after_ms: maker.histogram(
                "visible_after_ms",
                "From append to checkpoint, milliseconds.",
                4.0,
                14,
            )?,
            lag: maker.gauges("lag_records", "Records of a partition that wait in the log.", "partition")?,
            partitions: maker.gauge("partitions", "Partitions that this process owns.")?,
            open_sessions: maker
                .gauge("open_sessions", "Sessions not compacted yet, as of the last look.")?,
            compacted_sessions: maker.counter("compacted_sessions_total", "Sessions compacted.")?,
            compaction_failures: maker
                .counter("compaction_failures_total", "Compactions to be tried again.")?,
            compaction_in_bytes: maker
                .counter("compaction_in_bytes_total", "Raw bytes that compaction read.")?,
            compaction_out_bytes: maker
                .counter("compaction_out_bytes_total", "Bytes that compaction wrote.")?,
            collected_objects: maker.counter("collected_objects_total", "Dead objects deleted.")?,
            lost_partitions: maker.counter("lost_partitions_total", "Partitions given up in a flush.")?,
        })
    }
}

struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn register<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        collector: C,
    ) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.register(IntCounter::with_opts(opts(name, help))?)
    }

    fn counters(&self, name: &str, help: &str, label: &str) -> Result<IntCounterVec, prometheus::Error> {
        self.register(IntCounterVec::new(opts(name, help), &[label])?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.register(IntGauge::with_opts(opts(name, help))?)
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> Result<IntGaugeVec, prometheus::Error> {
        self.register(IntGaugeVec::new(opts(name, help), &[label])?)
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        first: f64,
        count: usize,
    ) -> Result<Histogram, prometheus::Error> {
        let opts = HistogramOpts::from(opts(name, help)).buckets(exponential_buckets(first, 2.0, count)?);
        self.register(Histogram::with_opts(opts)?)
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("playhead_processor_{name}"), help)
}
