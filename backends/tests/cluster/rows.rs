//! Rows beyond the contract: ties, limits, long scans, conditions from several processes.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use playhead_domain::store::{
    ClusteringRange, Error, Key, MAX_VALUE_BYTES, Mutation, Order, Store, Swap, Value,
};
use playhead_domain::table::{PARTITION_CONTROL, SECRET_KEYS, SESSION_EVENTS, SESSION_STATE};
use playhead_domain::testkit::clock::ManualClock;

use super::fixture::{connect, shared_config};

fn fresh_session() -> Vec<Value> {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    vec![7.into(), 7.into(), number.to_be_bytes().into()]
}

fn event(partition: &[Value], seq: i64) -> Key {
    Key { partition: partition.to_vec(), clustering: vec![b"stream".to_vec().into(), seq.into()] }
}

fn put(key: Key, value: impl Into<Bytes>, version: i64, expires_at_ms: Option<i64>) -> Mutation {
    Mutation::Put { table: &SESSION_EVENTS, key, value: value.into(), version, expires_at_ms }
}

/// Two writers with the same version: whatever the order, the row is one's value with that one's expiry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_equal_versions_one_wins_whole() {
    let config = shared_config().await;
    let start_ms = ManualClock::default().now_ms();
    // The value tells the expiry that belongs to it.
    let written = |seconds: i64| (seconds.to_string(), (seconds > 0).then(|| start_ms + seconds * 1_000));
    for pair in [[100, 200], [200, 100], [0, 100], [100, 0], [7, 1_000], [1_000, 7]] {
        let clock = ManualClock::default();
        let store = connect(&config, &clock).await;
        let key = event(&fresh_session(), 0);
        for seconds in pair {
            let (value, expires_at_ms) = written(seconds);
            store.write(vec![put(key.clone(), value, 5, expires_at_ms)]).await.unwrap();
        }
        let row = store.get(&SESSION_EVENTS, &key).await.unwrap().unwrap();
        let seconds: i64 = std::str::from_utf8(&row.value).unwrap().parse().unwrap();
        assert!(pair.contains(&seconds) && row.version == 5);
        if seconds > 0 {
            clock.advance(Duration::from_millis(u64::try_from(seconds).unwrap() * 1_000 - 1));
            assert!(store.get(&SESSION_EVENTS, &key).await.unwrap().is_some(), "{pair:?}: {seconds}");
            clock.advance(Duration::from_millis(1));
            assert!(store.get(&SESSION_EVENTS, &key).await.unwrap().is_none(), "{pair:?}: {seconds}");
        }
    }
}

/// A row that had expired when it was written replaces an older one all the same, and is not seen; nor does the cluster forget that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_expired_still_replaces() {
    let clock = ManualClock::default();
    let store = connect(&shared_config().await, &clock).await;
    let key = event(&fresh_session(), 0);
    store.write(vec![put(key.clone(), "old", 1, None)]).await.unwrap();
    store.write(vec![put(key.clone(), "gone", 2, Some(clock.now_ms() - 5))]).await.unwrap();
    assert_eq!(store.get(&SESSION_EVENTS, &key).await.unwrap(), None);
    store.write(vec![put(key.clone(), "older", 1, None)]).await.unwrap();
    assert_eq!(store.get(&SESSION_EVENTS, &key).await.unwrap(), None);
    store.write(vec![put(key.clone(), "new", 3, None)]).await.unwrap();
    assert_eq!(store.get(&SESSION_EVENTS, &key).await.unwrap().unwrap().value, "new");
}

/// Some MiB to one partition are one request; over the limit nothing is written, not even to other partitions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_to_one_partition_is_whole_or_refused() {
    let store = connect(&shared_config().await, &ManualClock::default()).await;
    let (large, larger, beside) = (fresh_session(), fresh_session(), fresh_session());
    let rows = |partition: &[Value], count: i64| -> Vec<Mutation> {
        (0..count).map(|seq| put(event(partition, seq), vec![1; MAX_VALUE_BYTES], 1, None)).collect()
    };
    store.write(rows(&large, 7)).await.unwrap();
    let page =
        store.scan(&SESSION_EVENTS, &large, &ClusteringRange::ALL, Order::Descending, 20).await.unwrap();
    assert_eq!((page.rows.len(), page.more), (7, false));
    let mut over = rows(&beside, 1);
    over.extend(rows(&larger, 9));
    let refused = store.write(over).await.unwrap_err();
    assert!(matches!(refused, Error::TooLarge { .. }), "{refused}");
    for partition in [&larger, &beside] {
        assert_eq!(store.get(&SESSION_EVENTS, &event(partition, 0)).await.unwrap(), None);
    }
}

/// Scans go over many responses and over rows that have expired here but not yet in the cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_scans_skip_what_has_expired() {
    let clock = ManualClock::default();
    let store = connect(&shared_config().await, &clock).await;
    let partition = fresh_session();
    let until_ms = clock.now_ms() + 3_600_000;
    let rows = (0..3_500).map(|seq| put(event(&partition, seq), "x", 1, (seq % 7 != 0).then_some(until_ms)));
    store.write(rows.collect()).await.unwrap();
    clock.advance(Duration::from_secs(3_600));
    let stream = Value::from(b"stream".to_vec());
    for order in [Order::Ascending, Order::Descending] {
        let range =
            ClusteringRange { from: Bound::Excluded(vec![stream.clone(), 0.into()]), to: Bound::Unbounded };
        let page = store.scan(&SESSION_EVENTS, &partition, &range, order, 400).await.unwrap();
        assert!(page.more && page.rows.len() == 400);
        let all = store.scan(&SESSION_EVENTS, &partition, &range, order, 499).await.unwrap();
        assert_eq!((all.rows.len(), all.more), (499, false));
        let sequence = all.rows.iter().map(|row| match row.key.clustering[1] {
            Value::Int(seq) => seq,
            _ => unreachable!(),
        });
        let mut expected: Vec<i64> = (1..500).map(|number| number * 7).collect();
        if order == Order::Descending {
            expected.reverse();
        }
        assert!(sequence.eq(expected));
    }
}

/// Versioned and conditional rows are not mixed up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_row_is_written_in_its_own_way() {
    let store = connect(&shared_config().await, &ManualClock::default()).await;
    let data = Key { partition: fresh_session(), clustering: vec![0.into()] };
    let swapped = store.compare_and_set(&SESSION_STATE, &data, None, None, None).await;
    assert!(matches!(swapped, Err(Error::BadKey { .. })));
    let control = Key { partition: vec!["topic".into(), 1.into()], clustering: vec![] };
    let delete = Mutation::Delete { table: &PARTITION_CONTROL, key: control, version: 1 };
    assert!(matches!(store.write(vec![delete]).await, Err(Error::BadKey { .. })));
    let empty = Key { partition: vec![Value::Bytes(Bytes::new())], clustering: vec![] };
    assert!(matches!(store.get(&SECRET_KEYS, &empty).await, Err(Error::BadKey { .. })));
}

/// An empty value is there, and is told from an absent row by conditions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_value_is_not_an_absent_row() {
    let store = connect(&shared_config().await, &ManualClock::default()).await;
    let Some(name) = fresh_session().pop() else { unreachable!() };
    let key = Key { partition: vec![name], clustering: vec![] };
    let empty = Some(Bytes::new());
    let swap = |expected, new: Option<Bytes>| store.compare_and_set(&SECRET_KEYS, &key, expected, new, None);
    assert_eq!(swap(Some(b""), empty.clone()).await.unwrap(), Swap::Conflict(None));
    assert_eq!(swap(None, empty.clone()).await.unwrap(), Swap::Applied);
    assert_eq!(swap(None, Some("x".into())).await.unwrap(), Swap::Conflict(empty.clone()));
    assert_eq!(swap(None, None).await.unwrap(), Swap::Conflict(empty.clone()));
    assert_eq!(store.get_serial(&SECRET_KEYS, &key).await.unwrap(), empty);
    assert_eq!(swap(Some(b""), None).await.unwrap(), Swap::Applied);
    assert_eq!(swap(None, None).await.unwrap(), Swap::Applied);
}

/// Processes that append their marks to one row by conditions lose none and repeat none, unknown outcomes included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_contend_lose_nothing() {
    let config = shared_config().await;
    let Some(name) = fresh_session().pop() else { unreachable!() };
    let key = Key { partition: vec![name], clustering: vec![] };
    let mut tasks = Vec::new();
    for process in 0..3 {
        // A connection of its own each: nothing in this process keeps them apart.
        let store = Arc::new(connect(&config, &ManualClock::default()).await);
        for task in 0..2 {
            let (store, key) = (Arc::clone(&store), key.clone());
            tasks.push(tokio::spawn(async move {
                for turn in 0..5 {
                    append(&*store, &key, &format!("{process}.{task}.{turn};")).await;
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let store = connect(&config, &ManualClock::default()).await;
    let text = store.get_serial(&SECRET_KEYS, &key).await.unwrap().unwrap();
    let mut marks: Vec<&str> = std::str::from_utf8(&text).unwrap().split_terminator(';').collect();
    marks.sort_unstable();
    let all = marks.len();
    marks.dedup();
    assert_eq!((all, marks.len()), (30, 30));
}

async fn append(store: &dyn Store, key: &Key, mark: &str) {
    loop {
        let Ok(current) = store.get_serial(&SECRET_KEYS, key).await else { continue };
        let text = current.as_ref().map_or("", |text| std::str::from_utf8(text).unwrap());
        if text.contains(mark) {
            return;
        }
        let new = Some(Bytes::from(format!("{text}{mark}")));
        if let Ok(Swap::Applied) =
            store.compare_and_set(&SECRET_KEYS, key, current.as_deref(), new, None).await
        {
            return;
        }
    }
}
