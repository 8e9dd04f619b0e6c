//! Sizes, partitions, and reading what is not all there any more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhead_domain::log::{Error, EventLog, Record, Retention, TopicSpec};
use playhead_domain::topic;
use rdkafka::admin::{AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::cluster::{Cluster, EVENTS, LONG, MANY, admin, append, client, eventually, record};

#[tokio::test]
async fn the_largest_record_passes_and_one_byte_more_is_refused() {
    let cluster = Cluster::new();
    let log = cluster.open();
    let batches = topic::batches(4, Duration::from_secs(3_600));
    log.ensure_topic(&batches).await.unwrap();
    let filled = |bytes: usize| Bytes::from(vec![7; bytes]);
    let largest =
        Record { key: filled(4 << 10), value: filled(batches.max_record_bytes), meta: filled(64 << 10) };
    let position = log.append(batches.name, largest.clone()).await.unwrap();
    let read = log.read(batches.name, position.partition, position.offset, 1, Duration::ZERO).await.unwrap();
    assert_eq!((&read[0].key, &read[0].meta), (&largest.key, &largest.meta));
    assert!(read[0].value == largest.value);
    for (record, limit) in [
        (Record { value: filled(batches.max_record_bytes + 1), ..largest.clone() }, batches.max_record_bytes),
        (Record { key: filled((4 << 10) + 1), ..largest.clone() }, 4 << 10),
        (Record { meta: filled((64 << 10) + 1), ..largest.clone() }, 64 << 10),
    ] {
        let refused = log.append(batches.name, record).await.unwrap_err();
        assert!(matches!(refused, Error::TooLarge { limit: told, .. } if told == limit), "{refused}");
    }
}

/// Kafka limits what is sent at once, and many small records are sent at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_records_at_once_pass_a_topic_of_small_ones() {
    let cluster = Cluster::new();
    let log = Arc::new(cluster.open());
    log.ensure_topic(&EVENTS).await.unwrap();
    let appending = (0..500).map(|_| {
        let log = Arc::clone(&log);
        tokio::spawn(async move { append(&*log, "one", vec![1; 40 << 10]).await })
    });
    for appended in appending.collect::<Vec<_>>() {
        appended.await.unwrap();
    }
    let status = log.status();
    assert_eq!((status.acknowledged, status.buffered_bytes, status.oldest_ms), (500, 0, 0));
    assert!(status.is_connected);
    log.check_health().unwrap();
}

#[tokio::test]
async fn keys_go_where_other_producers_would_send_them() {
    let cluster = Cluster::new();
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    let name = cluster.topic("events");
    let foreign: BaseProducer = client().set("partitioner", "consistent").create().unwrap();
    for number in 0..40 {
        let key = format!("key-{number}");
        let headers = OwnedHeaders::new().insert(Header { key: "traceparent", value: Some("00-1-2-01") });
        foreign.send(BaseRecord::to(&name).key(&key).payload("foreign").headers(headers)).unwrap();
    }
    let flushed = tokio::task::spawn_blocking(move || foreign.flush(LONG)).await.unwrap();
    flushed.unwrap();
    let mut found = 0;
    for partition in 0..EVENTS.partitions {
        for theirs in log.read(EVENTS.name, partition, 0, MANY, Duration::ZERO).await.unwrap() {
            assert_eq!((&theirs.value[..], &theirs.meta[..]), (&b"foreign"[..], &b""[..]), "no meta of ours");
            let ours = Record { key: theirs.key, value: "ours".into(), meta: Bytes::new() };
            assert_eq!(log.append(EVENTS.name, ours).await.unwrap().partition, partition);
            found += 1;
        }
    }
    assert_eq!(found, 40);
}

#[tokio::test]
async fn what_retention_took_is_skipped() {
    let cluster = Cluster::new();
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    for number in 0..10 {
        append(&log, "a", number.to_string()).await;
    }
    let partition = append(&log, "a", "last").await.partition;
    let mut consumer = log.consume(EVENTS.name, "group").await.unwrap();
    while !consumer.poll(MANY, LONG).await.unwrap().assigned.contains(&partition) {}
    let mut gone = TopicPartitionList::new();
    let id = i32::try_from(partition).unwrap();
    gone.add_partition_offset(&cluster.topic("events"), id, Offset::Offset(7)).unwrap();
    admin().delete_records(&gone, &AdminOptions::new()).await.unwrap();
    eventually("the first records go", || async {
        log.offsets(EVENTS.name, partition).await.unwrap() == (7..11)
    })
    .await;
    let read = log.read(EVENTS.name, partition, 0, MANY, Duration::ZERO).await.unwrap();
    assert_eq!((read[0].position.offset, read.len()), (7, 4));
    consumer.seek(partition, 2).await.unwrap();
    assert_eq!(consumer.poll(1, LONG).await.unwrap().records[0].position.offset, 7);
}

#[tokio::test]
async fn gaps_of_a_compacted_topic_are_skipped() {
    let cluster = Cluster::new();
    let log = cluster.open();
    let newest = TopicSpec { name: "newest", partitions: 1, retention: Retention::NewestPerKey, ..EVENTS };
    log.ensure_topic(&newest).await.unwrap();
    let name = cluster.topic("newest");
    let eager = AlterConfig::new(ResourceSpecifier::Topic(&name))
        .set("cleanup.policy", "compact")
        .set("message.timestamp.type", "LogAppendTime")
        .set("segment.ms", "50")
        .set("min.cleanable.dirty.ratio", "0.001")
        .set("max.compaction.lag.ms", "100");
    admin().alter_configs([&eager], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    for number in 0..30 {
        log.append("newest", record("changing", number.to_string())).await.unwrap();
    }
    // The last segment is never compacted: something must come behind it, again and again.
    let mut next = 30;
    let offsets = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        log.append("newest", record("other", "x")).await.unwrap();
        next += 1;
        let read = log.read("newest", 0, 0, MANY, Duration::ZERO).await.unwrap();
        let offsets: Vec<u64> = read.iter().map(|record| record.position.offset).collect();
        assert_eq!(*offsets.last().unwrap(), next - 1, "a read goes on to the end");
        if offsets[0] == 29 {
            break offsets;
        }
        assert!(next < 2_000, "it is never compacted");
    };
    assert!(offsets.len() < usize::try_from(next).unwrap() - 20);
    let from_gap = log.read("newest", 0, 3, 1, Duration::ZERO).await.unwrap();
    assert_eq!(from_gap[0].position.offset, 29, "an offset in a gap leads to what follows");
    let mut consumer = log.consume("newest", "group").await.unwrap();
    assert_eq!(consumer.poll(MANY, LONG).await.unwrap().assigned, [0]);
    consumer.seek(0, 3).await.unwrap();
    assert_eq!(consumer.poll(1, LONG).await.unwrap().records[0].position.offset, 29);
}
