//! The event log port: partitioned, durable, append-only. Kafka in the scaled shape, an embedded one in `playhead up`.

pub mod generation;

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// What a topic keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Every record for at least this long.
    Time(Duration),
    /// At least the newest record of every key, for ever.
    NewestPerKey,
}

/// A topic that a program needs. The partition count never changes; growing means a topic with another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: &'static str,
    pub partitions: u32,
    pub retention: Retention,
    /// The largest value of one record, in bytes.
    pub max_record_bytes: usize,
}

/// A record to append. The key decides the partition: equal keys, same partition, in append order.
#[derive(Debug, Clone)]
pub struct Record {
    pub key: Bytes,
    pub value: Bytes,
    /// The one header, `meta`: small, opaque to the log.
    pub meta: Bytes,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub partition: u32,
    pub offset: u64,
}

/// A record as read back.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    pub position: Position,
    /// When the log took it, microseconds of the Unix epoch; never decreases within a partition.
    pub append_us: i64,
    pub key: Bytes,
    pub value: Bytes,
    pub meta: Bytes,
}

/// What one poll brought. Handle `revoked` first, then `assigned` (seek each to its checkpoint), then `records`.
#[derive(Debug, Default)]
pub struct Polled {
    /// Partitions this consumer no longer owns; nothing of them is in `records`.
    pub revoked: Vec<u32>,
    /// Partitions newly owned. They deliver nothing until [`Consumer::seek`] says where to start.
    pub assigned: Vec<u32>,
    /// In offset order within each partition.
    pub records: Vec<StoredRecord>,
}

/// Why the log did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("topic {0} does not exist; create it with ensure_topic")]
    UnknownTopic(String),
    #[error("topic {topic} exists with other settings: {detail}")]
    TopicMismatch { topic: String, detail: String },
    #[error("record of {bytes} bytes is over the topic's limit of {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("offset {offset} of partition {partition} is outside the kept range {kept:?}")]
    OutOfRange { partition: u32, offset: u64, kept: Range<u64> },
    /// Too many bytes wait to become durable; try again later.
    #[error("the log is busy: {0}")]
    Busy(String),
    /// Unreachable, or out of space; whether the record was written is unknown.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// What was read back is not what was written.
    #[error("the log is corrupt: {0}")]
    Corrupt(String),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unavailable(_))
    }
}

/// The log.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Creates the topic, or checks that the existing one has these settings.
    ///
    /// Idempotent. Every other call needs it first in each process.
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error>;

    /// The offset of the first record that was ever appended to a partition of the topic.
    fn first_offset(&self, _topic: &str) -> u64 {
        0
    }

    /// Appends one record and returns where it is.
    ///
    /// **Durability**: `Ok` means that the record survives the loss of the process and of the power (embedded: fsynced;
    /// Kafka: acknowledged by all in-sync replicas). **Ordering**: two appends with the same key, the second called after
    /// the first returned, keep their order. **Retry**: after an error the record may or may not be in the log; a retry
    /// may store it twice, and readers de-duplicate. Concurrent appends share one group commit. **Memory**: the record is held until
    /// the call returns; a log that copies it lets the original go before it waits, so that callers who count bytes count them once.
    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error>;

    /// The offsets that are kept: first retained to next. Every offset in between that is gone (compaction) is skipped by readers.
    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error>;

    /// Joins the group. Each partition belongs to at most one member; the embedded log gives all to the newest member
    /// and ends the older ones' ownership.
    async fn consume(&self, topic: &str, group: &str) -> Result<Box<dyn Consumer>, Error>;

    /// Reads without a group, from `offset` on: at most `max_bytes` of values (but at least one record), waiting up to `wait` for the first.
    /// Starts at the first kept offset when `offset` is older. For tables kept in a topic and for tools.
    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error>;
}

/// One member of a consumer group; owned by one task.
#[async_trait]
pub trait Consumer: Send {
    /// The next records of all assigned, started, unpaused partitions: at most `max_bytes` of values (but at least one record if any
    /// is there), waiting up to `wait`. Returns early on a change of ownership. Partitions take turns: none starves. Dropping the
    /// future loses nothing: the next poll brings what this one would have brought.
    async fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, Error>;

    /// Starts or restarts delivery of an assigned partition at `offset`. Older than the kept range starts at its beginning.
    async fn seek(&mut self, partition: u32, offset: u64) -> Result<(), Error>;

    /// Stops delivery of a partition without giving it up.
    fn pause(&mut self, partition: u32);

    /// Goes on after [`Consumer::pause`].
    fn resume(&mut self, partition: u32);

    /// Tells the log how far the group is: a hint for lag metrics and for retention, never the truth. Does nothing for a
    /// partition that is no longer owned.
    async fn commit(&mut self, partition: u32, next_offset: u64) -> Result<(), Error>;
}
