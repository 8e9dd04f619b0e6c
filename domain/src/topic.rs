//! Every topic of the log, declared once.

use std::time::Duration;

use crate::log::{Retention, TopicSpec};

/// Batches as they came from browsers: key = session id (16 bytes), value = request body untouched, meta = `RecordMeta`.
pub const BATCHES: &str = "batches";
/// How many partitions [`BATCHES`] has unless configured.
pub const BATCHES_PARTITIONS: u32 = 8;
/// How long [`BATCHES`] keeps a record unless configured.
pub const BATCHES_RETENTION: Duration = Duration::from_secs(7 * 86_400);
/// The largest value of [`BATCHES`]: the wire's limit of a body (1 MiB) and room for what a broker adds.
pub const BATCH_MAX_RECORD_BYTES: usize = (1 << 20) + (16 << 10);

/// Project settings: key = project id (8 bytes, big-endian), value = [`crate::row::Project`], empty = removed. One partition, so
/// that readers see changes in one order.
pub const PROJECTS: TopicSpec = TopicSpec {
    name: "projects",
    partitions: 1,
    retention: Retention::NewestPerKey,
    max_record_bytes: 256 << 10,
};

/// The topic of batches of a generation, the first of which is 0. Each has a name of its own, which is in every key that is about the
/// topic's partitions. To be called once in a process, as what it makes of the name stays.
#[must_use]
pub fn batches_of(generation: u32, partitions: u32, retention: Duration) -> TopicSpec {
    let name = match generation {
        0 => BATCHES,
        generation => format!("{BATCHES}-{generation}").leak(),
    };
    TopicSpec { name, ..batches(partitions, retention) }
}

/// The topic of batches, with configured partitions and retention.
#[must_use]
pub const fn batches(partitions: u32, retention: Duration) -> TopicSpec {
    TopicSpec {
        name: BATCHES,
        partitions,
        retention: Retention::Time(retention),
        max_record_bytes: BATCH_MAX_RECORD_BYTES,
    }
}
