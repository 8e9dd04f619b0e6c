//! Bytes that must vanish vanish: from tables, from journals, from the log's files, and the space returns. What must stay is read alike from files.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::clock::Clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::store::embedded::{EmbeddedStore, StoreConfig};
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::log::{EventLog, Record, Retention, TopicSpec};
use playhead_domain::store::{ClusteringRange, Key, Mutation, Order, Store, Swap};
use playhead_domain::table::{self, INSTALLATION, SESSION_FACETS, SESSION_KEYS};
use playhead_domain::testkit::clock::ManualClock;

/// The files under a folder that hold these bytes.
fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path).is_ok_and(|bytes| contains(&bytes, needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.blocks() * 512);
    entries.map(|path| if path.is_dir() { disk_bytes(&path) } else { bytes(&path) }).sum()
}

fn config() -> StoreConfig {
    StoreConfig { sweep_interval_ms: 5, ..StoreConfig::default() }
}

fn open_store(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, table::ALL, config(), Clock::system()).unwrap()
}

async fn reclaim(store: &EmbeddedStore) {
    store.reclaim().await.unwrap();
    reclaimed(store).await;
}

async fn reclaimed(store: &EmbeddedStore) {
    for _ in 0..6_000 {
        if !store.is_reclaiming() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the reclaim never ends");
}

const SECRET: &str = "alice-the-secret-7f3a";

fn session(number: i64) -> Key {
    let id = number.to_be_bytes().to_vec();
    Key { partition: vec![1.into(), 2.into(), id.into()], clustering: vec![] }
}

fn facet() -> Key {
    let partition = vec![1.into(), 2.into(), "user".into(), SECRET.into(), 20_000.into(), 0.into()];
    Key { partition, clustering: vec![1.into(), b"session".to_vec().into()] }
}

fn put(table: &'static table::Table, key: Key, value: String, version: i64) -> Mutation {
    let expires_at_ms = Some(i64::MAX / 2);
    Mutation::Put { table, key, value: value.into(), version, expires_at_ms }
}

async fn plant(store: &EmbeddedStore) {
    for number in 0..200 {
        let text = if number == 77 { SECRET } else { "innocent" };
        store.write(vec![put(&SESSION_KEYS, session(number), format!("{text} {number}"), 1)]).await.unwrap();
    }
    store.write(vec![put(&SESSION_FACETS, facet(), String::new(), 1)]).await.unwrap();
}

async fn erase(store: &EmbeddedStore) {
    let deletes = vec![
        Mutation::Delete { table: &SESSION_KEYS, key: session(77), version: 2 },
        Mutation::DeletePartition { table: &SESSION_FACETS, partition: facet().partition, version: 2 },
    ];
    store.write(deletes).await.unwrap();
}

/// Values and keys of deleted rows are in no file of the store any more, and the rest is still there.
#[tokio::test(flavor = "multi_thread")]
async fn deleted_rows_leave_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(folder.path());
    plant(&store).await;
    assert!(!files_with(folder.path(), SECRET.as_bytes()).is_empty(), "the search finds what is there");
    erase(&store).await;
    reclaim(&store).await;
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert_eq!(store.get(&SESSION_KEYS, &session(76)).await.unwrap().unwrap().value, "innocent 76");
    store.write(vec![put(&SESSION_KEYS, session(77), "back?".into(), 1)]).await.unwrap();
    drop(store);
    let store = open_store(folder.path());
    assert!(store.get(&SESSION_KEYS, &session(77)).await.unwrap().is_none());
    assert_eq!(store.get(&SESSION_KEYS, &session(199)).await.unwrap().unwrap().value, "innocent 199");
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
}

/// The same when the rows lie in tables since earlier starts, and the delete comes after another start.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_earlier_starts_leave_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(folder.path());
    plant(&store).await;
    reclaim(&store).await;
    drop(store);
    assert!(!files_with(&folder.path().join("keyspaces"), SECRET.as_bytes()).is_empty(), "it is in a table");
    let store = open_store(folder.path());
    erase(&store).await;
    drop(store);
    let store = open_store(folder.path());
    reclaim(&store).await;
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert_eq!(store.get(&SESSION_KEYS, &session(5)).await.unwrap().unwrap().value, "innocent 5");
}

/// A table that a new version has no use for goes when the store is opened; what was due in it is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn retired_tables_leave_no_bytes() {
    static OLD: table::Table = table::Table { name: "sessions", ..SESSION_KEYS };
    assert!(table::RETIRED.contains(&OLD.name));
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let expires_at_ms = Some(clock.now_ms() + 5_000);
    let open = |tables: &[&'static table::Table]| {
        let now = clock.clone();
        let clock = Clock::from_fn(move || now.now_us());
        EmbeddedStore::open(folder.path(), tables, config(), clock).unwrap()
    };
    let store = open(&[&OLD, &SESSION_KEYS]);
    for (table, text) in [(&OLD, SECRET), (&SESSION_KEYS, "innocent")] {
        let (key, value) = (session(1), text.into());
        store.write(vec![Mutation::Put { table, key, value, version: 1, expires_at_ms }]).await.unwrap();
    }
    reclaim(&store).await;
    drop(store);
    assert!(!files_with(&folder.path().join("keyspaces"), SECRET.as_bytes()).is_empty(), "it is in a table");
    drop(open(table::ALL));
    let store = open(table::ALL);
    clock.advance(Duration::from_secs(6));
    reclaim(&store).await;
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert_eq!(files_with(folder.path(), b"innocent"), Vec::<String>::new(), "what is due goes all the same");
}

/// Replaced and removed conditional rows, and overwritten values, leave no bytes either.
#[tokio::test(flavor = "multi_thread")]
async fn overwritten_values_leave_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(folder.path());
    let key = Key { partition: vec!["name".into()], clustering: vec![] };
    let new = Some(SECRET.into());
    assert_eq!(store.compare_and_set(&INSTALLATION, &key, None, new, None).await.unwrap(), Swap::Applied);
    let other = Some("other".into());
    let swap = store.compare_and_set(&INSTALLATION, &key, Some(SECRET.as_bytes()), other, None).await;
    assert_eq!(swap.unwrap(), Swap::Applied);
    store.write(vec![put(&SESSION_KEYS, session(1), SECRET.into(), 1)]).await.unwrap();
    store.write(vec![put(&SESSION_KEYS, session(1), "newer".into(), 2)]).await.unwrap();
    reclaim(&store).await;
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert_eq!(store.get_serial(&INSTALLATION, &key).await.unwrap().unwrap(), "other");
}

/// Reads and writes go on while bytes are reclaimed.
#[tokio::test(flavor = "multi_thread")]
async fn reclaiming_does_not_stop_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open_store(folder.path()));
    plant(&store).await;
    let reclaiming = {
        let store = store.clone();
        tokio::spawn(async move { reclaim(&store).await })
    };
    let mut version = 1;
    while !reclaiming.is_finished() || version < 20 {
        version += 1;
        store.write(vec![put(&SESSION_KEYS, session(3), version.to_string(), version)]).await.unwrap();
        let row = store.get(&SESSION_KEYS, &session(3)).await.unwrap().unwrap();
        assert_eq!(row.version, version);
    }
    reclaiming.await.unwrap();
}

/// Appends so many records of half a megabyte, which nothing can compress.
async fn append_noise(log: &EmbeddedLog, topic: &str, count: u64) {
    let mut noise = 1u64;
    for number in 0..count {
        let mut value = vec![0; 1 << 19];
        value.fill_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (noise >> 56) as u8
        });
        value.extend(SECRET.as_bytes());
        let record =
            Record { key: number.to_be_bytes().to_vec().into(), value: value.into(), meta: "".into() };
        log.append(topic, record).await.unwrap();
    }
}

/// What is more than the log may keep goes before its time once every group is beyond it, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn what_all_groups_are_done_with_goes_when_there_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        LogConfig { sweep_interval_ms: 20, file_bytes: 1 << 20, kept_bytes: 8 << 20, ..LogConfig::default() };
    let open = || EmbeddedLog::open(folder.path(), config.clone(), Clock::system()).unwrap();
    let topic = TopicSpec {
        name: "events",
        partitions: 1,
        retention: Retention::Time(Duration::from_secs(3600)),
        max_record_bytes: 1 << 20,
    };
    let log = open();
    log.ensure_topic(&topic).await.unwrap();
    append_noise(&log, topic.name, 60).await;
    let sweeps = || tokio::time::sleep(Duration::from_millis(400));
    sweeps().await;
    assert_eq!(log.offsets(topic.name, 0).await.unwrap(), 0..60, "no group was there yet");

    let commit = async |log: &EmbeddedLog, group: &str, offset| {
        let mut consumer = log.consume(topic.name, group).await.unwrap();
        assert_eq!(consumer.poll(1, Duration::from_secs(5)).await.unwrap().assigned, [0]);
        consumer.commit(0, offset).await.unwrap();
    };
    commit(&log, "fast", 60).await;
    commit(&log, "slow", 11).await;
    let first_at_least = async |log: &EmbeddedLog, offset| {
        for _ in 0..300 {
            if log.offsets(topic.name, 0).await.unwrap().start >= offset {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    first_at_least(&log, 10).await;
    sweeps().await;
    let kept = log.offsets(topic.name, 0).await.unwrap();
    assert!((9..=11).contains(&kept.start), "{kept:?}: the slow group is at 11");

    drop(log);
    let log = open();
    log.ensure_topic(&topic).await.unwrap();
    commit(&log, "slow", 60).await;
    first_at_least(&log, 44).await;
    let kept = log.offsets(topic.name, 0).await.unwrap();
    assert!((44..=48).contains(&kept.start) && kept.end == 60, "{kept:?}: 8 MiB are 16 records at most");
    for _ in 0..300 {
        if disk_bytes(folder.path()) < 12 << 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(disk_bytes(folder.path()) < 12 << 20, "{} bytes are left", disk_bytes(folder.path()));
    let records = log.read(topic.name, 0, 0, 1, Duration::ZERO).await.unwrap();
    assert_eq!(records[0].position.offset, kept.start, "reading begins with what is left");
}

/// Records past their retention are in no file of the log any more, its journal included, and the space is free again.
#[tokio::test(flavor = "multi_thread")]
async fn old_records_leave_no_bytes_and_no_space() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig { sweep_interval_ms: 20, ..LogConfig::default() };
    let clock = ManualClock::default();
    let now = clock.clone();
    let log = EmbeddedLog::open(folder.path(), config, Clock::from_fn(move || now.now_us())).unwrap();
    let topic = TopicSpec {
        name: "events",
        partitions: 2,
        retention: Retention::Time(Duration::from_secs(1)),
        max_record_bytes: 1 << 20,
    };
    log.ensure_topic(&topic).await.unwrap();
    append_noise(&log, topic.name, 100).await;
    assert!(disk_bytes(folder.path()) > 50 << 20);
    clock.advance(Duration::from_secs(2));
    let gone =
        || files_with(folder.path(), SECRET.as_bytes()).is_empty() && disk_bytes(folder.path()) < 12 << 20;
    for _ in 0..300 {
        if gone() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert!(disk_bytes(folder.path()) < 12 << 20, "{} bytes are left", disk_bytes(folder.path()));
    let record = Record { key: "a".into(), value: "b".into(), meta: "".into() };
    log.append(topic.name, record).await.unwrap();
}

/// A call that was answered is served, whatever happens in between: here the store is closed before the reclaim can begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_forgets_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let open = |sweep_interval_ms| {
        let config = StoreConfig { sweep_interval_ms, ..StoreConfig::default() };
        EmbeddedStore::open(folder.path(), table::ALL, config, Clock::system()).unwrap()
    };
    let store = open(3_600_000);
    plant(&store).await;
    erase(&store).await;
    // A reclaim, after which it rests while the next one is called.
    reclaim(&store).await;
    store.write(vec![put(&SESSION_KEYS, session(300), SECRET.into(), 1)]).await.unwrap();
    let delete = Mutation::Delete { table: &SESSION_KEYS, key: session(300), version: 2 };
    store.write(vec![delete]).await.unwrap();
    store.reclaim().await.unwrap();
    assert!(store.is_reclaiming());
    drop(store);
    assert!(!files_with(folder.path(), SECRET.as_bytes()).is_empty());
    let store = open(5);
    reclaimed(&store).await;
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
    assert_eq!(store.get(&SESSION_KEYS, &session(76)).await.unwrap().unwrap().value, "innocent 76");
    drop(store);
    assert!(!open(3_600_000).is_reclaiming(), "once is enough");
}

/// Calls that wait for each other's work are served by it, and nothing that they ask for stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn reclaims_at_the_same_time_forget_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open_store(folder.path()));
    let rows = (0..16).map(|number| put(&SESSION_KEYS, session(number), format!("{SECRET} {number}"), 1));
    store.write(rows.collect()).await.unwrap();
    let calls = (0..16).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let delete = Mutation::Delete { table: &SESSION_KEYS, key: session(number), version: 2 };
            store.write(vec![delete]).await.unwrap();
            reclaim(&store).await;
            assert!(store.get(&SESSION_KEYS, &session(number)).await.unwrap().is_none());
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(files_with(folder.path(), SECRET.as_bytes()), Vec::<String>::new());
}

/// What a power cut leaves: the last batch is there in length but not in content.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_batch_at_the_end_is_dropped_and_damage_before_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(folder.path());
    for number in 0..3 {
        store
            .write(vec![put(&SESSION_KEYS, session(number), format!("value of {number}"), 1)])
            .await
            .unwrap();
    }
    drop(store);
    let journal = folder.path().join("0.jnl");
    let whole = std::fs::read(&journal).unwrap();
    let damage = |text: &str| {
        let mut bytes = whole.clone();
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
        bytes[at] ^= 0xff;
        std::fs::write(&journal, bytes).unwrap();
    };
    damage("value of 1");
    let config = StoreConfig::default();
    let refused = EmbeddedStore::open(folder.path(), table::ALL, config, Clock::system()).err().unwrap();
    assert!(refused.to_string().contains("restore the data folder from a backup"), "{refused}");
    damage("value of 2");
    let store = open_store(folder.path());
    assert!(store.get(&SESSION_KEYS, &session(1)).await.unwrap().is_some());
    assert!(store.get(&SESSION_KEYS, &session(2)).await.unwrap().is_none());
    store.write(vec![put(&SESSION_KEYS, session(2), "again".to_owned(), 1)]).await.unwrap();
    drop(store);
    assert!(open_store(folder.path()).get(&SESSION_KEYS, &session(2)).await.unwrap().is_some());
}

const SESSIONS: u64 = 24;
const SEQS: i64 = 400;

fn frame_partition(session: u64) -> Vec<playhead_domain::store::Value> {
    vec![1.into(), 2.into(), session.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().to_vec().into()]
}

fn frame(session: u64, seq: i64) -> Key {
    Key { partition: frame_partition(session), clustering: vec![vec![9; 8].into(), seq.into()] }
}

/// Rows written, replaced and deleted, so that files of every level have them.
async fn live(store: &dyn Store) {
    for round in 1..=4 {
        for session in 0..SESSIONS {
            let rows = (0..SEQS).filter(|seq| (seq + round) % 3 != 0).map(|seq| {
                let value = format!("{session} {seq} {round} {}", "x".repeat(200));
                put(&table::SESSION_FRAMES, frame(session, seq), value, round)
            });
            store.write(rows.collect()).await.unwrap();
            let gone = (0..SEQS).filter(|seq| seq % 7 == round).map(|seq| Mutation::Delete {
                table: &table::SESSION_FRAMES,
                key: frame(session, seq),
                version: round,
            });
            store.write(gone.collect()).await.unwrap();
        }
    }
}

async fn assert_alike(store: &EmbeddedStore, expected: &MemoryStore) {
    let orders = [Order::Ascending, Order::Descending];
    for session in 0..SESSIONS {
        let partition = frame_partition(session);
        let mut within = ClusteringRange::ALL;
        within.from = Bound::Excluded(vec![vec![9; 8].into(), 150.into()]);
        within.to = Bound::Included(vec![vec![9; 8].into(), 380.into()]);
        for (range, order) in
            [ClusteringRange::ALL, within].iter().flat_map(|range| orders.map(|o| (range, o)))
        {
            let read = store.scan(&table::SESSION_FRAMES, &partition, range, order, 1_000).await.unwrap();
            let known = expected.scan(&table::SESSION_FRAMES, &partition, range, order, 1_000).await.unwrap();
            assert!(known.rows.len() > 100);
            assert_eq!(read.rows, known.rows, "session {session}");
        }
        for seq in -1..=SEQS {
            let key = frame(session, seq);
            let known = expected.get(&table::SESSION_FRAMES, &key).await.unwrap();
            assert_eq!(store.get(&table::SESSION_FRAMES, &key).await.unwrap(), known, "{session} {seq}");
        }
    }
}

/// Whatever the form of the files, and after a start too.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_to_files_is_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let config = || StoreConfig { memtable_bytes: 64 << 10, ..config() };
    let open = || EmbeddedStore::open(folder.path(), table::ALL, config(), Clock::system()).unwrap();
    let (store, expected) = (open(), MemoryStore::new(Clock::system()));
    live(&store).await;
    live(&expected).await;
    assert_alike(&store, &expected).await;
    drop(store);
    let store = open();
    assert_alike(&store, &expected).await;
    reclaim(&store).await;
    assert_alike(&store, &expected).await;
    // What was deleted does not come back with a lower version.
    store.write(vec![put(&table::SESSION_FRAMES, frame(0, 4), "back?".into(), 3)]).await.unwrap();
    expected.write(vec![put(&table::SESSION_FRAMES, frame(0, 4), "back?".into(), 3)]).await.unwrap();
    assert_alike(&store, &expected).await;
}
