//! The arithmetic: every formula in one place, so that it can be doubted.

use serde::Serialize;

use super::measurements::{Measurements, Run};

const DAY_S: f64 = 86_400.0;
const MIB: f64 = 1_048_576.0;
const GB: f64 = 1e9;

/// What is not measured here but chosen or paid. Prices are examples: give your own.
#[derive(clap::Args, Debug, Clone, Serialize)]
pub(super) struct Assumptions {
    /// Batches of a session, instead of the corpus's.
    #[arg(long)]
    batches_per_session: Option<f64>,
    /// Bytes of a batch, instead of the corpus's.
    #[arg(long)]
    bytes_per_batch: Option<f64>,
    /// The busiest minute against the day's mean.
    #[arg(long, default_value_t = 3.0)]
    peak: f64,
    /// Share of a core that may be used at the peak.
    #[arg(long, default_value_t = 0.6)]
    utilization: f64,
    /// Days that sessions are kept.
    #[arg(long, default_value_t = 30.0)]
    retention_days: f64,
    /// Hours that the log keeps batches.
    #[arg(long, default_value_t = 24.0)]
    log_retention_hours: f64,
    /// Replicas in Kafka and in the store.
    #[arg(long, default_value_t = 3.0)]
    replicas: f64,
    /// Cores of a gateway or processor.
    #[arg(long, default_value_t = 4.0)]
    pod_cores: f64,
    /// MiB/s that a broker takes, replication included.
    #[arg(long, default_value_t = 100.0)]
    broker_mib_per_s: f64,
    /// GB that a broker's disks hold.
    #[arg(long, default_value_t = 4_000.0)]
    broker_disk_gb: f64,
    /// Cores of a broker.
    #[arg(long, default_value_t = 8.0)]
    broker_cores: f64,
    /// Rows that a core of the store writes in a second, replication included.
    #[arg(long, default_value_t = 8_000.0)]
    store_rows_per_core_s: f64,
    /// Cores of a node of the store.
    #[arg(long, default_value_t = 16.0)]
    store_cores: f64,
    /// GB of data that a node of the store holds, room for its compaction left out.
    #[arg(long, default_value_t = 2_000.0)]
    store_disk_gb: f64,
    /// Seconds between a processor's flushes at most.
    #[arg(long, default_value_t = 3.0)]
    flush_interval_s: f64,
    /// Bytes of a flushed object, and of a compacted one, at most.
    #[arg(long, default_value_t = 16_777_216.0)]
    object_bytes: f64,
    #[arg(long, default_value_t = 25.0)]
    price_core_month: f64,
    #[arg(long, default_value_t = 0.08)]
    price_disk_gb_month: f64,
    #[arg(long, default_value_t = 0.023)]
    price_object_gb_month: f64,
    #[arg(long, default_value_t = 5.0)]
    price_million_puts: f64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Plan {
    pub(super) sessions_per_day: f64,
    peak_batches_per_s: f64,
    peak_mib_per_s: f64,
    gateways: f64,
    partitions: f64,
    processors: f64,
    brokers: f64,
    broker_disk_gb_used: f64,
    store_nodes: f64,
    store_gb_used: f64,
    object_gb: f64,
    puts_per_day: f64,
    money_per_month: f64,
    pub(super) binds_first: String,
    pub(super) costs_most: String,
}

impl Plan {
    pub(super) fn rows(&self) -> [(&'static str, f64); 12] {
        [
            ("batches/s at the peak", self.peak_batches_per_s),
            ("MiB/s at the peak", self.peak_mib_per_s),
            ("gateways", self.gateways),
            ("partitions", self.partitions),
            ("stream-processors", self.processors),
            ("Kafka brokers", self.brokers),
            ("GB on brokers, all replicas", self.broker_disk_gb_used),
            ("ScyllaDB nodes", self.store_nodes),
            ("GB in ScyllaDB, all replicas", self.store_gb_used),
            ("GB in object storage", self.object_gb),
            ("PUTs a day", self.puts_per_day),
            ("money a month", self.money_per_month),
        ]
    }
}

/// Cores that work takes, per batch, per second: everything but compaction and what each gateway takes by itself; and compaction.
struct Cores {
    gateway: f64,
    processor: f64,
    compaction: f64,
}

fn cores(measured: &Measurements, batches_per_s: f64, compacted_raw_mib_per_s: f64) -> Cores {
    Cores {
        gateway: batches_per_s * measured.gateway_us_per_batch.value / 1e6,
        processor: batches_per_s * measured.processor_us_per_batch.value / 1e6,
        compaction: compacted_raw_mib_per_s * measured.compaction_ms_per_raw_mib.value / 1e3,
    }
}

/// The installation for so many sessions a day. Compaction has the whole day; everything else must stand the peak.
pub(super) fn plan(sessions_per_day: f64, measured: &Measurements, assumed: &Assumptions) -> Plan {
    let batches_per_session = assumed.batches_per_session.unwrap_or(measured.batches_per_session.value);
    let bytes_per_batch = assumed.bytes_per_batch.unwrap_or(measured.bytes_per_batch.value);
    // Larger batches and sessions than the measured ones cost and store in proportion.
    let weight = bytes_per_batch / measured.bytes_per_batch.value;
    let size = weight * batches_per_session / measured.batches_per_session.value;
    let mean = sessions_per_day * batches_per_session / DAY_S;
    let peak = mean * assumed.peak;
    let raw_mib_per_s = sessions_per_day / DAY_S * measured.raw_kib_per_session.value / 1024.0 * size;
    let needed = cores(measured, peak * weight.max(1.0), raw_mib_per_s);
    let pod = assumed.pod_cores * assumed.utilization;
    // A pod that is hardly more than a gateway's base is no plan; it still gives a number.
    let gateway_pod = (pod - measured.gateway_base_cores.value).max(pod / 10.0);
    let gateways = (needed.gateway / gateway_pod).ceil().max(2.0);
    let processors = ((needed.processor + needed.compaction) / pod).ceil().max(2.0);
    let log_mib_per_s = peak * measured.log_bytes_per_batch.value * weight / MIB * assumed.replicas;
    let log_gb = mean
        * measured.log_bytes_per_batch.value
        * weight
        * assumed.log_retention_hours
        * 3_600.0
        * assumed.replicas
        / GB;
    let store_gb = sessions_per_day
        * assumed.retention_days
        * measured.store_bytes_per_session.value
        * size
        * assumed.replicas
        / GB;
    let rows_per_s = peak * measured.rows_per_batch.value * assumed.replicas;
    let store_cores = rows_per_s / assumed.store_rows_per_core_s / assumed.utilization;
    let flushed_per_day = sessions_per_day * batches_per_session * bytes_per_batch;
    let compacted_per_day = sessions_per_day * measured.blob_bytes_per_session.value * size;
    let puts = (processors * DAY_S / assumed.flush_interval_s).max(flushed_per_day / assumed.object_bytes)
        + compacted_per_day / assumed.object_bytes;
    let mut plan = Plan {
        sessions_per_day,
        peak_batches_per_s: peak,
        peak_mib_per_s: peak * bytes_per_batch / MIB,
        gateways,
        // Twice what the peak needs, since a topic's partitions are never changed; at least what every processor can share.
        partitions: (2.0 * peak * weight / measured.partition_batches_per_s.value)
            .ceil()
            .max(2.0 * processors)
            .max(12.0),
        processors,
        brokers: (log_mib_per_s / assumed.broker_mib_per_s)
            .max(log_gb / assumed.broker_disk_gb)
            .ceil()
            .max(3.0),
        broker_disk_gb_used: log_gb,
        store_nodes: (store_cores / assumed.store_cores)
            .max(store_gb / assumed.store_disk_gb)
            .ceil()
            .max(3.0),
        store_gb_used: store_gb,
        object_gb: compacted_per_day * assumed.retention_days / GB,
        puts_per_day: puts,
        ..Plan::default()
    };
    let needed = Cores { gateway: needed.gateway + 2.0 * measured.gateway_base_cores.value, ..needed };
    plan.binds_first = binds_first(&plan, &needed, log_mib_per_s, store_cores, assumed);
    (plan.money_per_month, plan.costs_most) = money(&plan, assumed);
    plan
}

/// Of the smallest installation that stands failures (two gateways and processors, three brokers and nodes), what is full first.
fn binds_first(
    plan: &Plan,
    needed: &Cores,
    log_mib_per_s: f64,
    store_cores: f64,
    assumed: &Assumptions,
) -> String {
    let pair = 2.0 * assumed.pod_cores * assumed.utilization;
    let shares = [
        ("gateways' cores", needed.gateway / pair),
        ("processors' cores", (needed.processor + needed.compaction) / pair),
        ("brokers' throughput", log_mib_per_s / assumed.broker_mib_per_s / 3.0),
        ("brokers' disks", plan.broker_disk_gb_used / assumed.broker_disk_gb / 3.0),
        ("ScyllaDB's cores", store_cores / assumed.store_cores / 3.0),
        ("ScyllaDB's disks", plan.store_gb_used / assumed.store_disk_gb / 3.0),
    ];
    let fullest = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    fullest.map_or(String::new(), |(name, share)| {
        format!("{name}: {:.1} times what the smallest installation has", share)
    })
}

fn money(plan: &Plan, assumed: &Assumptions) -> (f64, String) {
    let core = assumed.price_core_month;
    let parts = [
        ("gateways", plan.gateways * assumed.pod_cores * core),
        ("stream-processors", plan.processors * assumed.pod_cores * core),
        (
            "Kafka",
            plan.brokers * assumed.broker_cores * core
                + plan.broker_disk_gb_used * assumed.price_disk_gb_month,
        ),
        (
            "ScyllaDB",
            plan.store_nodes * assumed.store_cores * core + plan.store_gb_used * assumed.price_disk_gb_month,
        ),
        (
            "object storage",
            plan.object_gb * assumed.price_object_gb_month
                + plan.puts_per_day * 30.0 * assumed.price_million_puts / 1e6,
        ),
    ];
    let sum: f64 = parts.iter().map(|part| part.1).sum();
    let most = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    (
        sum,
        most.map_or(String::new(), |(name, money)| {
            format!("{name}: {:.0} % of the money", money / sum * 100.0)
        }),
    )
}

/// What the model says of a run that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Compared {
    pub(super) run: String,
    pub(super) what: &'static str,
    pub(super) predicted: f64,
    pub(super) measured: f64,
    source: String,
}

pub(super) fn compare(measured: &Measurements) -> Vec<Compared> {
    measured.runs.iter().flat_map(|run| compare_run(measured, run)).collect()
}

fn compare_run(measured: &Measurements, run: &Run) -> [Compared; 2] {
    let needed = cores(measured, run.batches_per_s, run.compacted_raw_mib_per_s);
    let compared = |what, predicted, measured| Compared {
        run: run.name.clone(),
        what,
        predicted,
        measured,
        source: run.source.clone(),
    };
    let gateway = measured.gateway_base_cores.value + needed.gateway;
    [
        compared("cores of a gateway", gateway, run.gateway_cores),
        compared("cores of a stream-processor", needed.processor + needed.compaction, run.processor_cores),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        assumptions: Assumptions,
    }

    fn given() -> (Measurements, Assumptions) {
        let text = include_str!("../../measurements.toml");
        (toml::from_str(text).unwrap(), Line::parse_from(["plan"]).assumptions)
    }

    #[test]
    fn ten_times_the_sessions_need_ten_times_the_means() {
        let (measured, assumed) = given();
        let (small, large) = (plan(1e9, &measured, &assumed), plan(1e10, &measured, &assumed));
        for ((name, few), (_, many)) in small.rows().into_iter().zip(large.rows()) {
            // Whole pods and nodes are rounded up.
            let least = (10.0 * (few - 1.0)).min(9.9 * few);
            assert!((least..=10.01 * few).contains(&many), "{name}: {few} and {many}");
        }
    }

    #[test]
    fn a_small_installation_still_stands_failures() {
        let (measured, assumed) = given();
        let plan = plan(1_000.0, &measured, &assumed);
        assert!(
            plan.gateways >= 2.0 && plan.processors >= 2.0 && plan.brokers >= 3.0 && plan.store_nodes >= 3.0
        );
        assert!(plan.partitions >= plan.processors);
    }

    #[test]
    fn heavier_sessions_need_more() {
        let (measured, mut assumed) = given();
        let light = plan(1e9, &measured, &assumed);
        assumed.bytes_per_batch = Some(measured.bytes_per_batch.value * 2.0);
        let heavy = plan(1e9, &measured, &assumed);
        assert!((heavy.object_gb / light.object_gb - 2.0).abs() < 1e-9);
        assert!(heavy.processors > 1.5 * light.processors && heavy.gateways > light.gateways);
    }
}
