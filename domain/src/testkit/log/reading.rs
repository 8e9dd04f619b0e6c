//! Appending and reading without a group.

use std::collections::HashSet;
use std::time::Duration;

use super::{EVENTS, Fixture, LONG, MANY, SHORT, append, consume_from_start, read_all, read_by_key, record};
use crate::log::{Error, Retention, TopicSpec};

/// Equal keys go to one partition and keep the order in which they were appended, while others append too.
pub async fn equal_keys_keep_their_order(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let appending = (0..8).map(|key| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut partitions = HashSet::new();
            for number in 0..40 {
                let key = format!("key-{key}");
                partitions.insert(append(&*log, EVENTS.name, &key, number.to_string()).await.partition);
            }
            assert_eq!(partitions.len(), 1, "one key, one partition");
        })
    });
    for task in appending.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let by_key = read_by_key(&*log, &EVENTS).await;
    assert_eq!(by_key.len(), 8);
    for values in by_key.into_values() {
        assert_eq!(values, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    for partition in 0..EVENTS.partitions {
        let records = read_all(&*log, EVENTS.name, partition).await;
        assert!(records.is_sorted_by_key(|record| record.append_us), "append times never decrease");
        assert!(records.iter().all(|record| &record.meta[..] == b"meta"));
    }
}

/// Concurrent appends get a place each, without gaps.
pub async fn positions_are_unique_under_concurrency(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let appending = (0..300).map(|number| {
        let log = log.clone();
        tokio::spawn(async move { append(&*log, EVENTS.name, &number.to_string(), "x").await })
    });
    let mut positions = HashSet::new();
    for task in appending.collect::<Vec<_>>() {
        assert!(positions.insert(task.await.unwrap()));
    }
    let mut total = 0;
    for partition in 0..EVENTS.partitions {
        let range = log.offsets(EVENTS.name, partition).await.unwrap();
        assert_eq!(range.start, 0);
        total += range.end;
    }
    assert_eq!(total, 300);
}

/// What `append` returned for is there after the log was opened again, as it was, and offsets go on.
pub async fn acknowledged_records_survive(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut positions = Vec::new();
    for number in 0..50u8 {
        positions.push(append(&*log, EVENTS.name, &number.to_string(), vec![number; 1_000]).await);
    }
    drop(log);
    if !fixture.reopen() {
        return;
    }
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    for (number, position) in (0u8..).zip(&positions) {
        let (partition, offset) = (position.partition, position.offset);
        let read = log.read(EVENTS.name, partition, offset, 1, Duration::ZERO).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(&read[0].key[..], number.to_string().as_bytes());
        assert_eq!(&read[0].value[..], vec![number; 1_000]);
        assert_eq!(&read[0].meta[..], b"meta");
    }
    let newest = positions.iter().rfind(|position| position.partition == positions[0].partition).unwrap();
    let next = append(&*log, EVENTS.name, "0", "after").await;
    assert_eq!((next.partition, next.offset), (newest.partition, newest.offset + 1));
}

/// `ensure_topic` may be called again, and notices another partition count or kind of retention.
pub async fn a_topic_is_made_once_and_checked(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    append(&*log, EVENTS.name, "a", "kept").await;
    log.ensure_topic(&EVENTS).await.unwrap();
    assert_eq!(read_by_key(&*log, &EVENTS).await["a"], ["kept"]);
    let more = TopicSpec { partitions: 5, ..EVENTS };
    for other in [&more, &TopicSpec { retention: Retention::NewestPerKey, ..EVENTS }] {
        assert!(matches!(log.ensure_topic(other).await, Err(Error::TopicMismatch { .. })), "{other:?}");
    }
    drop(log);
    if fixture.reopen() {
        assert!(matches!(fixture.log().ensure_topic(&more).await, Err(Error::TopicMismatch { .. })));
    }
}

/// No call makes up a topic.
pub async fn an_unknown_topic_is_refused(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    assert!(matches!(log.append("nothing", record("a", "b")).await, Err(Error::UnknownTopic(_))));
    assert!(matches!(log.offsets("nothing", 0).await, Err(Error::UnknownTopic(_))));
    assert!(matches!(log.consume("nothing", "group").await, Err(Error::UnknownTopic(_))));
    assert!(matches!(log.read("nothing", 0, 0, 1, Duration::ZERO).await, Err(Error::UnknownTopic(_))));
}

/// A value of the limit's length passes, one byte more does not, and leaves nothing behind.
pub async fn too_large_records_are_refused(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let limit = EVENTS.max_record_bytes;
    let position = append(&*log, EVENTS.name, "a", vec![7; limit]).await;
    let refused = log.append(EVENTS.name, record("a", vec![7; limit + 1])).await.unwrap_err();
    assert!(matches!(refused, Error::TooLarge { bytes, limit: told } if bytes == limit + 1 && told == limit));
    assert!(!refused.is_retryable());
    assert_eq!(log.offsets(EVENTS.name, position.partition).await.unwrap(), 0..1);
}

/// A read brings at most what was asked for, but at least one record.
pub async fn reads_are_bounded(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let partition = append(&*log, EVENTS.name, "a", vec![0; 1_000]).await.partition;
    for number in 1..20u8 {
        append(&*log, EVENTS.name, "a", vec![number; 1_000]).await;
    }
    let one = log.read(EVENTS.name, partition, 0, 1, Duration::ZERO).await.unwrap();
    assert_eq!(one.len(), 1, "at least one");
    let some = log.read(EVENTS.name, partition, 5, 3_500, Duration::ZERO).await.unwrap();
    let offsets: Vec<u64> = some.iter().map(|record| record.position.offset).collect();
    assert_eq!(offsets, [5, 6, 7]);
    assert_eq!(log.read(EVENTS.name, partition, 0, MANY, Duration::ZERO).await.unwrap().len(), 20);
}

/// A read at the end waits until something is appended, and returns empty when nothing is.
pub async fn a_read_waits_for_the_first_record(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let partition = append(&*log, EVENTS.name, "a", "first").await.partition;
    assert!(log.read(EVENTS.name, partition, 1, MANY, SHORT).await.unwrap().is_empty());
    let waiting = {
        let log = log.clone();
        tokio::spawn(async move { log.read(EVENTS.name, partition, 1, MANY, LONG).await.unwrap() })
    };
    tokio::time::sleep(SHORT).await;
    append(&*log, EVENTS.name, "a", "second").await;
    let read = waiting.await.unwrap();
    assert_eq!(&read[0].value[..], b"second");
}

/// An offset that was never given out, or a partition that is not there, is an error and not an endless wait.
pub async fn offsets_beyond_the_end_are_refused(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let beyond = log.read(EVENTS.name, 0, 1, MANY, LONG).await.unwrap_err();
    assert!(matches!(beyond, Error::OutOfRange { partition: 0, offset: 1, .. }), "{beyond}");
    assert!(matches!(log.offsets(EVENTS.name, 4).await, Err(Error::OutOfRange { .. })));
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    assert!(matches!(consumer.seek(0, 1).await, Err(Error::OutOfRange { .. })));
}
