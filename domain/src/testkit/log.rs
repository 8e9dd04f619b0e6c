//! What every [`EventLog`] must do.

mod consuming;
mod keeping;
mod reading;

pub use consuming::*;
pub use keeping::*;
pub use reading::*;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::clock::ManualClock;
use crate::log::{Consumer, EventLog, Position, Record, Retention, StoredRecord, TopicSpec};

/// How a log is opened for the suite.
pub trait Fixture: Send {
    /// The log, open.
    fn log(&self) -> Arc<dyn EventLog>;

    /// The clock that the log reads.
    fn clock(&self) -> &ManualClock;

    /// Whether moving the clock moves the log's time. Where it does not, what retention takes cannot be seen here.
    fn controls_time(&self) -> bool {
        true
    }

    /// Closes the log and opens it again with what it kept. Returns false if it keeps nothing beyond the process. Nobody
    /// else holds the log or a consumer of it.
    fn reopen(&mut self) -> bool;
}

/// Long enough that nobody waits for it in vain.
const LONG: Duration = Duration::from_secs(30);
/// Enough to notice that nothing comes, where something must not.
const SHORT: Duration = Duration::from_millis(20);
const HOUR: Duration = Duration::from_secs(3_600);
const MANY: usize = 1 << 20;

/// A topic with four partitions and records of at most 64 KiB.
const fn topic(name: &'static str, retention: Retention) -> TopicSpec {
    TopicSpec { name, partitions: 4, retention, max_record_bytes: 64 << 10 }
}

const EVENTS: TopicSpec = topic("events", Retention::Time(HOUR));
const NEWEST: TopicSpec = topic("newest", Retention::NewestPerKey);

fn record(key: &str, value: impl Into<Bytes>) -> Record {
    Record {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: value.into(),
        meta: Bytes::from_static(b"meta"),
    }
}

async fn append(log: &dyn EventLog, topic: &str, key: &str, value: impl Into<Bytes>) -> Position {
    log.append(topic, record(key, value)).await.unwrap()
}

/// Everything that is in a partition.
async fn read_all(log: &dyn EventLog, topic: &str, partition: u32) -> Vec<StoredRecord> {
    let mut records: Vec<StoredRecord> = Vec::new();
    let range = log.offsets(topic, partition).await.unwrap();
    let mut next = range.start;
    while next < range.end {
        let read = log.read(topic, partition, next, MANY, Duration::ZERO).await.unwrap();
        let Some(last) = read.last() else { break };
        next = last.position.offset + 1;
        records.extend(read);
    }
    records
}

/// The texts of a topic's records by key, in the order of the log.
async fn read_by_key(log: &dyn EventLog, topic: &TopicSpec) -> BTreeMap<String, Vec<String>> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for partition in 0..topic.partitions {
        for record in read_all(log, topic.name, partition).await {
            by_key.entry(text(&record.key)).or_default().push(text(&record.value));
        }
    }
    by_key
}

/// A consumer that starts every partition at its beginning.
async fn consume_from_start(log: &dyn EventLog, topic: &TopicSpec, group: &str) -> Box<dyn Consumer> {
    let mut consumer = consume_all(log, topic, group).await;
    for partition in 0..topic.partitions {
        consumer.seek(partition, 0).await.unwrap();
    }
    consumer
}

/// A consumer that was given every partition.
async fn consume_all(log: &dyn EventLog, topic: &TopicSpec, group: &str) -> Box<dyn Consumer> {
    let mut consumer = log.consume(topic.name, group).await.unwrap();
    let mut assigned = BTreeSet::new();
    while assigned.len() < topic.partitions as usize {
        let polled = consumer.poll(MANY, LONG).await.unwrap();
        assert!(polled.records.is_empty() && polled.revoked.is_empty());
        assert!(!polled.assigned.is_empty(), "only {assigned:?} were assigned");
        for partition in polled.assigned {
            assert!(partition < topic.partitions && assigned.insert(partition), "{partition} came twice");
        }
    }
    consumer
}

/// Polls until `count` records have come.
async fn poll_records(consumer: &mut dyn Consumer, count: usize) -> Vec<StoredRecord> {
    let mut records = Vec::new();
    while records.len() < count {
        let polled = consumer.poll(MANY, LONG).await.unwrap();
        assert!(!polled.records.is_empty(), "only {} of {count} records came", records.len());
        records.extend(polled.records);
    }
    assert_eq!(records.len(), count);
    records
}

/// Makes one test of every clause of the log's contract. Takes an expression that opens a [`Fixture`].
#[macro_export]
macro_rules! log_contract {
    ($fixture:expr) => {
        $crate::log_contract!(@ $fixture;
            equal_keys_keep_their_order, positions_are_unique_under_concurrency, acknowledged_records_survive,
            a_topic_is_made_once_and_checked, an_unknown_topic_is_refused, too_large_records_are_refused,
            reads_are_bounded, a_read_waits_for_the_first_record, offsets_beyond_the_end_are_refused,
            nothing_is_delivered_before_a_seek, a_seek_delivers_again, a_paused_partition_is_silent,
            partitions_take_turns, polls_are_bounded, a_poll_wakes_up_on_an_append, a_partition_has_one_owner,
            groups_do_not_disturb_each_other, old_records_go_after_their_time, offsets_are_never_used_again,
            the_newest_record_of_every_key_stays
        );
    };
    (@ $fixture:expr; $($clause:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                $crate::testkit::log::$clause(&mut $fixture).await;
            }
        )*
    };
}
