//! Conditional writes.

use std::time::Duration;

use bytes::Bytes;

use super::{Fixture, fresh_partition, reclaim};
use crate::store::{ClusteringRange, Key, Order, Store, Swap};
use crate::table::PROJECTS;

fn row() -> Key {
    let number = fresh_partition().remove(0);
    Key { partition: vec!["realm".into()], clustering: vec![number] }
}

async fn swap(store: &dyn Store, key: &Key, expected: Option<&str>, new: Option<&'static str>) -> Swap {
    let new = new.map(|new| Bytes::from_static(new.as_bytes()));
    store.compare_and_set(&PROJECTS, key, expected.map(str::as_bytes), new, None).await.unwrap()
}

/// The row changes if it is what was expected, and only then; the answer tells what it is.
pub async fn a_condition_decides(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let key = row();
    assert_eq!(swap(&*store, &key, Some("x"), Some("y")).await, Swap::Conflict(None));
    assert_eq!(swap(&*store, &key, None, Some("one")).await, Swap::Applied);
    assert_eq!(swap(&*store, &key, None, Some("two")).await, Swap::Conflict(Some("one".into())));
    assert_eq!(swap(&*store, &key, Some("one"), Some("two")).await, Swap::Applied);
    assert_eq!(swap(&*store, &key, Some("one"), None).await, Swap::Conflict(Some("two".into())));
    assert_eq!(store.get_serial(&PROJECTS, &key).await.unwrap().unwrap(), "two");
    let range = ClusteringRange::prefix(key.clustering.clone());
    let page = store.scan(&PROJECTS, &key.partition, &range, Order::Ascending, 10).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| &row.value[..]).collect::<Vec<_>>(), [b"two"], "scans see it too");
    drop(store);
    if fixture.reopen() {
        assert_eq!(fixture.store().get_serial(&PROJECTS, &key).await.unwrap().unwrap(), "two", "durable");
    }
    let store = fixture.store();
    if store.get_serial(&PROJECTS, &key).await.unwrap().is_some() {
        assert_eq!(swap(&*store, &key, Some("two"), None).await, Swap::Applied);
    }
    assert_eq!(store.get_serial(&PROJECTS, &key).await.unwrap(), None);
    assert_eq!(swap(&*store, &key, None, Some("again")).await, Swap::Applied, "removed rows can come back");
}

/// Many tasks that count in one row by read and condition count right.
pub async fn counting_by_conditions_loses_nothing(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let key = row();
    let counting = (0..8).map(|_| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move {
            for _ in 0..25 {
                count_one(&*store, &key).await;
            }
        })
    });
    for task in counting.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(store.get_serial(&PROJECTS, &key).await.unwrap().unwrap(), "200");
}

async fn count_one(store: &dyn Store, key: &Key) {
    let mut current = store.get_serial(&PROJECTS, key).await.unwrap();
    loop {
        let number =
            current.as_ref().map_or(0, |text| std::str::from_utf8(text).unwrap().parse::<u32>().unwrap());
        let new = Some(Bytes::from((number + 1).to_string()));
        match store.compare_and_set(&PROJECTS, key, current.as_deref(), new, None).await.unwrap() {
            Swap::Applied => return,
            Swap::Conflict(now) => {
                assert_ne!(now, current, "a conflict with what was expected");
                current = now;
            }
        }
    }
}

/// After its time a row is absent to conditions.
pub async fn an_expired_row_counts_as_absent(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let key = row();
    let until_ms = fixture.clock().now_ms() + 1_000;
    let new = Some(Bytes::from_static(b"short"));
    let first = store.compare_and_set(&PROJECTS, &key, None, new, Some(until_ms)).await.unwrap();
    assert_eq!(first, Swap::Applied);
    fixture.clock().advance(Duration::from_secs(1));
    assert_eq!(swap(&*store, &key, Some("short"), Some("x")).await, Swap::Conflict(None));
    assert_eq!(swap(&*store, &key, None, Some("next")).await, Swap::Applied);
    fixture.clock().advance(Duration::from_secs(1));
    reclaim(fixture).await;
    assert_eq!(store.get_serial(&PROJECTS, &key).await.unwrap().unwrap(), "next");
}
