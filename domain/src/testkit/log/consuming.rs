//! Reading in a group.

use std::collections::BTreeSet;

use super::{EVENTS, Fixture, LONG, MANY, SHORT, append, consume_all, consume_from_start, poll_records};

/// Assigned partitions wait until they are told where to start.
pub async fn nothing_is_delivered_before_a_seek(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    append(&*log, EVENTS.name, "a", "1").await;
    let position = append(&*log, EVENTS.name, "a", "2").await;
    let mut consumer = consume_all(&*log, &EVENTS, "group").await;
    assert!(consumer.poll(MANY, SHORT).await.unwrap().records.is_empty());
    consumer.seek(position.partition, position.offset).await.unwrap();
    let records = poll_records(&mut *consumer, 1).await;
    assert_eq!(&records[0].value[..], b"2");
}

/// After a seek back the same records come again; without one they do not.
pub async fn a_seek_delivers_again(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let partition = append(&*log, EVENTS.name, "a", "1").await.partition;
    append(&*log, EVENTS.name, "a", "2").await;
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    assert_eq!(poll_records(&mut *consumer, 2).await.len(), 2);
    assert!(consumer.poll(MANY, SHORT).await.unwrap().records.is_empty());
    consumer.seek(partition, 1).await.unwrap();
    assert_eq!(&poll_records(&mut *consumer, 1).await[0].value[..], b"2");
}

/// A paused partition delivers nothing and goes on where it was; the others are not held up.
pub async fn a_paused_partition_is_silent(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    let paused = append(&*log, EVENTS.name, "held", "held").await.partition;
    consumer.pause(paused);
    let mut free = 0;
    for number in 0..40 {
        let position = append(&*log, EVENTS.name, &number.to_string(), "free").await;
        free += usize::from(position.partition != paused);
    }
    assert!(free > 0, "all keys fell on one partition");
    let records = poll_records(&mut *consumer, free).await;
    assert!(records.iter().all(|record| record.position.partition != paused));
    assert!(consumer.poll(MANY, SHORT).await.unwrap().records.is_empty());
    consumer.resume(paused);
    assert_eq!(&poll_records(&mut *consumer, 41 - free).await[0].value[..], b"held");
}

/// A full partition does not keep the others waiting: they have their turns long before it is empty.
pub async fn partitions_take_turns(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut waiting = BTreeSet::new();
    for number in 0..40 {
        waiting.insert(append(&*log, EVENTS.name, &number.to_string(), vec![0; 1_000]).await.partition);
    }
    for _ in 0..200 {
        append(&*log, EVENTS.name, "0", vec![0; 1_000]).await;
    }
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    // A poll takes at most two records and one comes in addition, so that the full partition stays full throughout.
    for _ in 0..190 {
        for record in consumer.poll(2_000, LONG).await.unwrap().records {
            waiting.remove(&record.position.partition);
        }
        if waiting.is_empty() {
            return;
        }
        append(&*log, EVENTS.name, "0", vec![0; 1_000]).await;
    }
    panic!("partitions {waiting:?} had no turn");
}

/// A poll brings at most what was asked for, but at least one record, and nothing is left out.
pub async fn polls_are_bounded(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    for number in 0..60 {
        append(&*log, EVENTS.name, &number.to_string(), vec![0; 100 * (number % 7 + 1)]).await;
    }
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    let mut next = [0; 4];
    let mut total = 0;
    while total < 60 {
        let records = consumer.poll(900, LONG).await.unwrap().records;
        let bytes: usize = records.iter().map(|record| record.value.len()).sum();
        assert!(bytes <= 900 && !records.is_empty(), "{bytes} bytes in {} records", records.len());
        for record in &records {
            let next = &mut next[record.position.partition as usize];
            assert_eq!(record.position.offset, *next);
            *next += 1;
        }
        total += records.len();
    }
    append(&*log, EVENTS.name, "large", vec![0; 5_000]).await;
    assert_eq!(consumer.poll(1, LONG).await.unwrap().records.len(), 1, "at least one");
}

/// A consumer that waits at the end gets what is appended.
pub async fn a_poll_wakes_up_on_an_append(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut consumer = consume_from_start(&*log, &EVENTS, "group").await;
    let waiting = tokio::spawn(async move { consumer.poll(MANY, LONG).await.unwrap().records });
    tokio::time::sleep(SHORT).await;
    append(&*log, EVENTS.name, "a", "new").await;
    assert_eq!(&waiting.await.unwrap()[0].value[..], b"new");
}

/// What a new member is given was taken from the one before, who is told, even while it waits, and gets nothing more of it.
pub async fn a_partition_has_one_owner(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut older = consume_from_start(&*log, &EVENTS, "group").await;
    let waiting = tokio::spawn(async move {
        let polled = older.poll(MANY, LONG).await.unwrap();
        (older, polled)
    });
    tokio::time::sleep(SHORT).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    let mut given: BTreeSet<u32> = newer.poll(MANY, LONG).await.unwrap().assigned.into_iter().collect();
    let (mut older, polled) = waiting.await.unwrap();
    assert!(!polled.revoked.is_empty() && polled.records.is_empty() && polled.assigned.is_empty());
    let mut taken: BTreeSet<u32> = polled.revoked.into_iter().collect();
    for _ in 0..500 {
        if given == taken {
            break;
        }
        given.extend(newer.poll(MANY, SHORT).await.unwrap().assigned);
        for partition in older.poll(MANY, SHORT).await.unwrap().revoked {
            assert!(taken.insert(partition), "told once");
        }
    }
    assert_eq!(given, taken, "each partition has one owner");
    for &partition in &given {
        newer.seek(partition, 0).await.unwrap();
    }
    let mut keys = (0..1_000).map(|key| key.to_string());
    let partition = loop {
        let position = append(&*log, EVENTS.name, &keys.next().unwrap(), "x").await;
        if given.contains(&position.partition) {
            break position.partition;
        }
    };
    older.seek(partition, 0).await.unwrap();
    older.commit(partition, 1).await.unwrap();
    let late = older.poll(MANY, SHORT).await.unwrap();
    assert!(late.revoked.is_empty(), "told once");
    assert!(late.records.iter().all(|record| !given.contains(&record.position.partition)));
    assert_eq!(poll_records(&mut *newer, 1).await[0].position.partition, partition);
}

/// Each group reads everything.
pub async fn groups_do_not_disturb_each_other(fixture: &mut dyn Fixture) {
    let log = fixture.log();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut one = consume_from_start(&*log, &EVENTS, "one").await;
    let mut two = consume_from_start(&*log, &EVENTS, "two").await;
    for number in 0..10 {
        append(&*log, EVENTS.name, &number.to_string(), "x").await;
    }
    assert_eq!(poll_records(&mut *one, 10).await.len(), 10);
    one.commit(0, 1).await.unwrap();
    assert_eq!(poll_records(&mut *two, 10).await.len(), 10);
}
