//! Members of a group share partitions, tell of what they lose, and keep nothing back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::log::kafka::KafkaLog;
use playhead_domain::log::{Consumer, EventLog, StoredRecord};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::cluster::{Cluster, EVENTS, LONG, MANY, append, client, eventually};

const ALL: [u32; 4] = [0, 1, 2, 3];

/// A member that owns all partitions and has started them.
async fn first_member(log: &KafkaLog) -> Box<dyn Consumer> {
    let mut consumer = log.consume(EVENTS.name, "group").await.unwrap();
    assert_eq!(poll_assigned(&mut *consumer).await, BTreeSet::from(ALL));
    for partition in ALL {
        consumer.seek(partition, 0).await.unwrap();
    }
    consumer
}

async fn poll_assigned(consumer: &mut dyn Consumer) -> BTreeSet<u32> {
    let polled = consumer.poll(MANY, LONG).await.unwrap();
    assert!(!polled.assigned.is_empty(), "nothing was assigned");
    polled.assigned.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_is_given_on_only_after_its_owner_was_told() {
    let mut cluster = Cluster::new();
    cluster.config.revoke_grace_ms = 30_000;
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut older = first_member(&log).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    // Long enough for the group to rebalance, were it not for the older member.
    let early = newer.poll(MANY, Duration::from_secs(5)).await.unwrap();
    assert!(early.assigned.is_empty(), "{:?} are the older member's still", early.assigned);
    let told: BTreeSet<u32> = older.poll(MANY, LONG).await.unwrap().revoked.into_iter().collect();
    assert_eq!(told.len(), 2, "the partitions are shared");
    assert_eq!(poll_assigned(&mut *newer).await, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_does_not_poll_does_not_hold_the_others_up() {
    let mut cluster = Cluster::new();
    cluster.config.revoke_grace_ms = 100;
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut older = first_member(&log).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    let given = poll_assigned(&mut *newer).await;
    let told = older.poll(MANY, LONG).await.unwrap();
    assert_eq!(told.revoked.into_iter().collect::<BTreeSet<_>>(), given);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_leaves_goes_to_the_others() {
    let cluster = Cluster::new();
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut older = first_member(&log).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    let polling = tokio::spawn(async move {
        older.poll(MANY, LONG).await.unwrap();
        older
    });
    let mut owned = poll_assigned(&mut *newer).await;
    drop(polling.await.unwrap());
    while owned.len() < ALL.len() {
        owned.extend(poll_assigned(&mut *newer).await);
    }
}

/// A member of another process that dies is missed after its session's time; the partitions it had go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_on_to_whoever_owns_their_partition() {
    let cluster = Cluster::new();
    let log = Arc::new(cluster.open());
    log.ensure_topic(&EVENTS).await.unwrap();
    let (seen, mut arrived) = tokio::sync::mpsc::unbounded_channel::<(usize, StoredRecord)>();
    let members: Vec<_> = (0..3)
        .map(|number| {
            let (log, seen) = (Arc::clone(&log), seen.clone());
            tokio::spawn(async move {
                let mut consumer = log.consume(EVENTS.name, "group").await.unwrap();
                loop {
                    let polled = consumer.poll(MANY, LONG).await.unwrap();
                    for partition in polled.assigned {
                        consumer.seek(partition, 0).await.unwrap();
                    }
                    for record in polled.records {
                        seen.send((number, record)).unwrap();
                    }
                }
            })
        })
        .collect();
    let mut expected = BTreeSet::new();
    for number in 0..200 {
        let position = append(&*log, &number.to_string(), "x").await;
        expected.insert((position.partition, position.offset));
        if number == 100 {
            members[0].abort();
        }
    }
    let mut found = BTreeSet::new();
    while found != expected {
        let arrival = tokio::time::timeout(LONG, arrived.recv()).await;
        let (_, record) = arrival.expect("not all records came").unwrap();
        found.insert((record.position.partition, record.position.offset));
    }
    members.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_kept_for_those_who_watch_the_lag_and_only_the_owner_s() {
    let cluster = Cluster::new();
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    for number in 0..40 {
        append(&log, &number.to_string(), "x").await;
    }
    let mut older = first_member(&log).await;
    older.commit(1, 2).await.unwrap();
    let committed = || async {
        let (topic, group) = (cluster.topic("events"), cluster.topic("group"));
        let ask = move || {
            let watcher: BaseConsumer = client().set("group.id", group).create().unwrap();
            let mut partitions = TopicPartitionList::new();
            partitions.add_partition(&topic, 1);
            watcher.committed_offsets(partitions, LONG).unwrap().elements()[0].offset()
        };
        tokio::task::spawn_blocking(ask).await.unwrap()
    };
    eventually("it is committed", || async { committed().await == Offset::Offset(2) }).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    let polling = tokio::spawn(async move {
        let mut owned = BTreeSet::from(ALL);
        loop {
            let polled = older.poll(MANY, LONG).await.unwrap();
            polled.revoked.iter().for_each(|partition| assert!(owned.remove(partition)));
            if owned.len() == 2 {
                return (older, owned);
            }
        }
    });
    let given = poll_assigned(&mut *newer).await;
    let (mut older, _) = polling.await.unwrap();
    let (mut owner, mut other) = if given.contains(&1) { (newer, older) } else { (older, newer) };
    other.commit(1, 1).await.unwrap();
    owner.commit(1, 3).await.unwrap();
    eventually("the owner's is committed", || async { committed().await == Offset::Offset(3) }).await;
    older = other;
    drop(older);
}

/// While a processor is busy and its buffer is full, the group goes on rebalancing; nothing is lost or comes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_holds_nobody_up_and_loses_nothing() {
    let mut cluster = Cluster::new();
    cluster.config.fetch_bytes = 1 << 20;
    cluster.config.fetch_partition_bytes = 128 << 10;
    cluster.config.revoke_grace_ms = 0;
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    for number in 0..160 {
        append(&log, &number.to_string(), vec![0; 60 << 10]).await;
    }
    let mut older = first_member(&log).await;
    let mut newer = log.consume(EVENTS.name, "group").await.unwrap();
    let given = poll_assigned(&mut *newer).await;
    for &partition in &given {
        newer.seek(partition, 0).await.unwrap();
    }
    let mut next = [0; 4];
    let mut total = 0;
    while total < 160 {
        for consumer in [&mut older, &mut newer] {
            let polled = consumer.poll(200_000, Duration::from_millis(50)).await.unwrap();
            assert!(polled.assigned.is_empty());
            for record in polled.records {
                let next = &mut next[record.position.partition as usize];
                assert_eq!(record.position.offset, *next);
                *next += 1;
                total += 1;
            }
            // Long enough for the buffer to be full and for the library to be halted.
            tokio::time::sleep(Duration::from_millis(if total < 20 { 700 } else { 0 })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_is_dropped_loses_nothing() {
    let cluster = Cluster::new();
    let log = Arc::new(cluster.open());
    log.ensure_topic(&EVENTS).await.unwrap();
    let mut consumer = first_member(&log).await;
    let appending = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for number in 0..300 {
                append(&*log, &number.to_string(), "x").await;
            }
        })
    };
    let mut next = [0; 4];
    let mut turn = 0;
    while next.iter().sum::<u64>() < 300 {
        turn += 1;
        let patience = Duration::from_micros(turn % 7 * 300);
        let Ok(polled) = tokio::time::timeout(patience, consumer.poll(10, LONG)).await else { continue };
        for record in polled.unwrap().records {
            let next = &mut next[record.position.partition as usize];
            assert_eq!(record.position.offset, *next);
            *next += 1;
        }
    }
    appending.await.unwrap();
}
