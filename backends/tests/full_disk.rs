//! Refusals: a disk without room, and more bytes than may wait. Nothing that was acknowledged is touched.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::clock::Clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::store::embedded::{EmbeddedStore, StoreConfig};
use playhead_domain::log::{Error, EventLog, Record, Retention, TopicSpec};
use playhead_domain::store::{self, Key, Mutation, Store};
use playhead_domain::table::{self, SESSION_KEYS};

const TOPIC: TopicSpec = TopicSpec {
    name: "events",
    partitions: 2,
    retention: Retention::Time(Duration::from_secs(86_400)),
    max_record_bytes: 1 << 20,
};

async fn open_log(folder: &Path, config: LogConfig) -> EmbeddedLog {
    let log = EmbeddedLog::open(folder, config, Clock::system()).unwrap();
    log.ensure_topic(&TOPIC).await.unwrap();
    log
}

fn record(value: Vec<u8>) -> Record {
    Record { key: "a".into(), value: value.into(), meta: "".into() }
}

/// Appends are refused with what to do; what is there can be read; with room again appends go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_room_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_log(folder.path(), LogConfig::default()).await;
    let position = log.append(TOPIC.name, record(vec![1; 100])).await.unwrap();
    drop(log);
    let log = open_log(folder.path(), LogConfig { min_free_bytes: u64::MAX, ..LogConfig::default() }).await;
    let refused = log.append(TOPIC.name, record(vec![2; 100])).await.unwrap_err();
    assert!(refused.is_retryable() && refused.to_string().contains("make room"), "{refused}");
    assert!(log.check_health().unwrap_err().contains("make room"));
    let read = log.read(TOPIC.name, position.partition, 0, 1 << 20, Duration::ZERO).await.unwrap();
    assert_eq!((read.len(), &read[0].value[..]), (1, &[1; 100][..]));
    drop(log);
    let log = open_log(folder.path(), LogConfig::default()).await;
    assert!(log.check_health().is_ok());
    assert_eq!(log.append(TOPIC.name, record(vec![3; 100])).await.unwrap().offset, 1);
}

/// Puts are refused, deletes still make room.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_still_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let open = |config| EmbeddedStore::open(folder.path(), table::ALL, config, Clock::system()).unwrap();
    let key = Key { partition: vec![1.into(), 2.into(), b"s".to_vec().into()], clustering: vec![] };
    let put = |version| Mutation::Put {
        table: &SESSION_KEYS,
        key: key.clone(),
        value: "x".into(),
        version,
        expires_at_ms: None,
    };
    let store = open(StoreConfig::default());
    store.write(vec![put(1)]).await.unwrap();
    drop(store);
    let store = open(StoreConfig { min_free_bytes: u64::MAX, ..StoreConfig::default() });
    let refused = store.write(vec![put(2)]).await.unwrap_err();
    assert!(
        matches!(&refused, store::Error::Unavailable(reason) if reason.contains("make room")),
        "{refused}"
    );
    assert_eq!(store.get(&SESSION_KEYS, &key).await.unwrap().unwrap().version, 1);
    store.write(vec![Mutation::Delete { table: &SESSION_KEYS, key: key.clone(), version: 3 }]).await.unwrap();
    assert!(store.get(&SESSION_KEYS, &key).await.unwrap().is_none());
}

/// Beyond the bytes that may wait, appends are busy, and every accepted one is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_refused_as_busy() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig { waiting_bytes: 256 << 10, ..LogConfig::default() };
    let log = Arc::new(open_log(folder.path(), config).await);
    let flood = (0..400).map(|_| {
        let log = log.clone();
        tokio::spawn(async move { log.append(TOPIC.name, record(vec![7; 60 << 10])).await })
    });
    let (mut accepted, mut busy, mut partition) = (0, 0, 0);
    for task in flood.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(position) => (accepted, partition) = (accepted + 1, position.partition),
            Err(Error::Busy(_)) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(accepted > 0 && busy > 0, "{accepted} accepted, {busy} refused");
    assert_eq!(log.offsets(TOPIC.name, partition).await.unwrap(), 0..accepted);
}

/// What a group committed is known after the log was opened again.
#[tokio::test(flavor = "multi_thread")]
async fn progress_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_log(folder.path(), LogConfig::default()).await;
    let position = log.append(TOPIC.name, record(vec![1])).await.unwrap();
    let mut consumer = log.consume(TOPIC.name, "group").await.unwrap();
    consumer.poll(1, Duration::ZERO).await.unwrap();
    consumer.commit(position.partition, 1).await.unwrap();
    assert_eq!(log.committed(TOPIC.name, "group", position.partition), Some(1));
    drop((consumer, log));
    let log = open_log(folder.path(), LogConfig::default()).await;
    assert_eq!(log.committed(TOPIC.name, "group", position.partition), Some(1));
    assert_eq!(log.committed(TOPIC.name, "other", position.partition), None);
}
