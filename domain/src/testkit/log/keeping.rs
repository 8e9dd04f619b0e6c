//! What is kept, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    EVENTS, Fixture, HOUR, LONG, MANY, NEWEST, append, consume_from_start, poll_records, read_by_key,
};
use crate::log::EventLog;
use crate::testkit::eventually;

/// Records stay for the topic's retention and then go; readers of older offsets start at what is left.
pub async fn old_records_go_after_their_time(fixture: &mut dyn Fixture) {
    if !fixture.controls_time() {
        return;
    }
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let partition = append(&*log, EVENTS.name, "a", "old").await.partition;
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    fixture.clock().advance(HOUR - Duration::from_secs(1));
    append(&*log, EVENTS.name, "a", "new").await;
    assert_eq!(log.offsets(EVENTS.name, partition).await.unwrap(), 0..2, "both are within the hour");
    fixture.clock().advance(Duration::from_secs(2));
    eventually("the old record goes", || async {
        log.offsets(EVENTS.name, partition).await.unwrap() == (1..2)
    })
    .await;
    let read = log.read(EVENTS.name, partition, 0, MANY, LONG).await.unwrap();
    assert_eq!(read.iter().map(|record| &record.value[..]).collect::<Vec<_>>(), [b"new"]);
    let polled = poll_records(&mut *consumer, 1).await;
    assert_eq!(polled[0].position.offset, 1, "the consumer's place was gone");
    consumer.seek(partition, 0).await.unwrap();
    assert_eq!(poll_records(&mut *consumer, 1).await[0].position.offset, 1);
}

/// When everything is gone, offsets go on where they were, also after opening again.
pub async fn offsets_are_never_used_again(fixture: &mut dyn Fixture) {
    if !fixture.controls_time() {
        return;
    }
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let partition = append(&*log, EVENTS.name, "a", "1").await.partition;
    append(&*log, EVENTS.name, "a", "2").await;
    fixture.clock().advance(HOUR * 2);
    eventually("everything goes", || async { log.offsets(EVENTS.name, partition).await.unwrap() == (2..2) })
        .await;
    drop(log);
    let kept = fixture.reopen();
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    if kept {
        assert_eq!(log.offsets(EVENTS.name, partition).await.unwrap(), 2..2);
    }
    assert_eq!(append(&*log, EVENTS.name, "a", "3").await.offset, 2);
}

/// Of every key the newest record is kept for ever, and the older ones go.
pub async fn the_newest_record_of_every_key_stays(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&NEWEST).await.unwrap();
    for round in 0..5 {
        for key in ["a", "b", "c"] {
            append(&*log, NEWEST.name, key, format!("{key}{round}")).await;
        }
    }
    append(&*log, NEWEST.name, "a", "a5").await;
    fixture.clock().advance(HOUR * 24 * 365);
    // Where time is not ours, older records may stay for long.
    let exact = fixture.controls_time();
    let newest = [("a", "a5"), ("b", "b4"), ("c", "c4")];
    let expected: ByKey = newest.map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).into();
    eventually("older ones go", || async { read_newest(&*log, exact).await == expected }).await;
    let mut consumer = consume_from_start(&*log, &NEWEST, "group").await;
    let count = if exact { 3 } else { 16 };
    assert_eq!(poll_records(&mut *consumer, count).await.len(), count);
    drop((log, consumer));
    if fixture.reopen() {
        let log = fixture.log();
        log.ensure_topic(&NEWEST).await.unwrap();
        assert_eq!(read_newest(&*log, exact).await, expected);
        append(&*log, NEWEST.name, "b", "b5").await;
        assert_eq!(read_newest(&*log, exact).await["b"], ["b5"]);
    }
}

type ByKey = BTreeMap<String, Vec<String>>;

/// What is kept of every key: all of it, or the newest only.
async fn read_newest(log: &dyn EventLog, all: bool) -> ByKey {
    let mut by_key = read_by_key(log, &NEWEST).await;
    for values in by_key.values_mut().filter(|_| !all) {
        values.drain(..values.len() - 1);
    }
    by_key
}
