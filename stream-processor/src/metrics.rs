//! What the processor tells about itself.

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};

#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) records: IntCounter,
    pub(crate) bytes: IntCounter,
    pub(crate) duplicates: IntCounter,
    pub(crate) dropped_batches: IntCounterVec,
    pub(crate) dead_letters: IntCounterVec,
    pub(crate) flush_seconds: Histogram,
    pub(crate) flush_bytes: Histogram,
    pub(crate) flush_age_seconds: GaugeVec,
    pub(crate) visible_after_seconds: Histogram,
    pub(crate) freshness_seconds: Histogram,
    pub(crate) lag_records: IntGaugeVec,
    pub(crate) lag_seconds: GaugeVec,
    pub(crate) waiting_bytes: IntGauge,
    pub(crate) session_cache_bytes: IntGauge,
    pub(crate) partitions: IntGauge,
    pub(crate) open_sessions: IntGauge,
    pub(crate) compacted_sessions: IntCounter,
    pub(crate) compaction_failures: IntCounter,
    pub(crate) compaction_in_bytes: IntCounter,
    pub(crate) compaction_out_bytes: IntCounter,
    pub(crate) collected_objects: IntCounter,
    pub(crate) lost_partitions: IntCounter,
    pub(crate) expired_records: IntCounter,
    pub(crate) unnamed_maps: IntCounter,
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
            flush_seconds: maker.histogram("flush_seconds", "Duration of a flush.", 0.001, 16)?,
            flush_bytes: maker.histogram("flush_bytes", "Bytes of a flush's object.", 1024.0, 16)?,
            flush_age_seconds: maker.gauges_f64(
                "flush_age_seconds",
                "How long the oldest record that was read has waited for its flush.",
                "partition",
            )?,
            visible_after_seconds: maker.histogram(
                "visible_after_seconds",
                "From a batch's append to its checkpoint.",
                0.004,
                16,
            )?,
            freshness_seconds: maker.histogram(
                "freshness_seconds",
                "From a batch's newest event in the browser to its checkpoint.",
                0.125,
                16,
            )?,
            lag_records: maker.gauges(
                "lag_records",
                "Records of a partition behind the checkpoint.",
                "partition",
            )?,
            lag_seconds: maker.gauges_f64(
                "lag_seconds",
                "Age of the oldest record behind the checkpoint.",
                "partition",
            )?,
            waiting_bytes: maker.gauge("waiting_bytes", "Bytes of records that wait for their flush.")?,
            session_cache_bytes: maker
                .gauge("session_cache_bytes", "Bytes of sessions' states in memory.")?,
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
            expired_records: maker.counter(
                "expired_records_total",
                "Records that expired in the log before they were processed.",
            )?,
            unnamed_maps: maker.counter(
                "unnamed_source_maps_total",
                "Source maps that named no frames in a flush, as they are too large or too many.",
            )?,
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

    fn gauges_f64(&self, name: &str, help: &str, label: &str) -> Result<GaugeVec, prometheus::Error> {
        self.register(GaugeVec::new(opts(name, help), &[label])?)
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
