//! Versions, deletes and expiry.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use super::{
    Fixture, delete, delete_partition, fresh_partition, key, put, put_until, reclaim, scan_all, value_of,
};
use crate::store::{Mutation, Store, Value};
use crate::table::SESSIONS_BY_START;
use crate::testkit::eventually;

/// What `write` returned for is there after the store was opened again; deletes still count.
pub async fn writes_are_durable(fixture: &mut dyn Fixture) {
    let partition = fresh_partition();
    let (kept, deleted) = (key(&partition, 1, b"kept"), key(&partition, 2, b"deleted"));
    let store = fixture.store();
    store.write(vec![put(&kept, "1", 5), put(&deleted, "2", 5)]).await.unwrap();
    store.write(vec![delete(&deleted, 6)]).await.unwrap();
    assert_eq!(value_of(&*store, &kept).await.unwrap(), b"1", "read at once");
    drop(store);
    if fixture.reopen() {
        let store = fixture.store();
        let row = store.get(&SESSIONS_BY_START, &kept).await.unwrap().unwrap();
        assert_eq!((&row.value[..], row.version, row.key), (&b"1"[..], 5, kept.clone()));
        store.write(vec![put(&kept, "lower", 4), put(&deleted, "back?", 6)]).await.unwrap();
        assert_eq!(value_of(&*store, &kept).await.unwrap(), b"1");
        assert_eq!(value_of(&*store, &deleted).await, None);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put { row: u8, value: u8, version: i64 },
    Delete { row: u8, version: i64 },
    DeletePartition { version: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (row, version) = (0..4u8, -2..6i64);
    let step = prop_oneof![
        6 => (row.clone(), any::<u8>(), version.clone())
            .prop_map(|(row, value, version)| Step::Put { row, value, version }),
        2 => (row, version.clone()).prop_map(|(row, version)| Step::Delete { row, version }),
        1 => version.prop_map(|version| Step::DeletePartition { version }),
    ];
    prop::collection::vec(step, 1..24)
}

/// The version of each row and the values that may be there. A put counts if no delete has its version or a higher one;
/// the order does not matter.
fn model(steps: &[Step]) -> BTreeMap<u8, (i64, Vec<u8>)> {
    let covers = |step: &Step, row: u8, version: i64| match step {
        Step::Delete { row: deleted, version: until } => *deleted == row && *until >= version,
        Step::DeletePartition { version: until } => *until >= version,
        Step::Put { .. } => false,
    };
    let mut rows: BTreeMap<u8, (i64, Vec<u8>)> = BTreeMap::new();
    for step in steps {
        let Step::Put { row, value, version } = *step else { continue };
        if steps.iter().any(|step| covers(step, row, version)) {
            continue;
        }
        let newest = rows.entry(row).or_insert((version, Vec::new()));
        if newest.0 < version {
            *newest = (version, Vec::new());
        }
        if newest.0 == version {
            newest.1.push(value);
        }
    }
    rows
}

async fn write_and_compare(store: &dyn Store, steps: &[Step], together: usize) -> Result<(), TestCaseError> {
    let partition = fresh_partition();
    let mutation = |step: &Step| -> Mutation {
        match step {
            Step::Put { row, value, version } => put(&key(&partition, 0, &[*row]), vec![*value], *version),
            Step::Delete { row, version } => delete(&key(&partition, 0, &[*row]), *version),
            Step::DeletePartition { version } => delete_partition(&partition, *version),
        }
    };
    for part in steps.chunks(together) {
        store.write(part.iter().map(mutation).collect()).await.unwrap();
    }
    let expected = model(steps);
    let rows = scan_all(store, &SESSIONS_BY_START, &partition).await;
    prop_assert_eq!(rows.len(), expected.len(), "{:?} instead of {:?}", rows, expected);
    for (row, (id, (version, values))) in rows.iter().zip(&expected) {
        prop_assert_eq!(&row.key, &key(&partition, 0, &[*id]));
        prop_assert_eq!(row.version, *version);
        prop_assert!(values.contains(&row.value[0]), "{:?} is none of {:?}", row, values);
        let got = store.get(&SESSIONS_BY_START, &row.key).await.unwrap();
        prop_assert_eq!(got.as_ref(), Some(row));
    }
    Ok(())
}

/// In whatever order and grouping puts and deletes arrive, the highest version decides.
pub async fn versions_decide_in_any_order(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let handle = Handle::current();
    tokio::task::block_in_place(|| {
        let mut runner =
            TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
        runner
            .run(&(steps(), 1..5usize), |(steps, together)| {
                handle.block_on(write_and_compare(&*store, &steps, together))
            })
            .unwrap();
    });
}

/// Deleting a partition takes its rows up to the version, not the higher ones, and no other partition's.
pub async fn a_partition_is_deleted_alone(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let (gone, other) = (fresh_partition(), fresh_partition());
    let rows: Vec<_> = (0..300).map(|number| put(&key(&gone, number, b"s"), "x", number)).collect();
    store.write(rows).await.unwrap();
    store.write(vec![put(&key(&other, 1, b"s"), "y", 1)]).await.unwrap();
    store.write(vec![delete_partition(&gone, 298)]).await.unwrap();
    let left = scan_all(&*store, &SESSIONS_BY_START, &gone).await;
    assert_eq!(left.iter().map(|row| row.version).collect::<Vec<_>>(), [299]);
    assert_eq!(scan_all(&*store, &SESSIONS_BY_START, &other).await.len(), 1);
}

/// A row is there until its time and not from then on, in gets and scans; its place can be taken again.
pub async fn expired_rows_are_gone(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let partition = fresh_partition();
    let until_ms = fixture.clock().now_ms() + 60_000;
    let (short, long) = (key(&partition, 1, b"short"), key(&partition, 2, b"long"));
    let rows =
        vec![put_until(&short, "x", 1, Some(until_ms)), put_until(&long, "y", 1, Some(until_ms + 60_000))];
    store.write(rows).await.unwrap();
    fixture.clock().advance(Duration::from_millis(59_999));
    assert_eq!(scan_all(&*store, &SESSIONS_BY_START, &partition).await.len(), 2);
    fixture.clock().advance(Duration::from_millis(1));
    assert_eq!(value_of(&*store, &short).await, None);
    let left = scan_all(&*store, &SESSIONS_BY_START, &partition).await;
    assert_eq!(left.into_iter().map(|row| row.key).collect::<Vec<_>>(), std::slice::from_ref(&long));
    reclaim(fixture).await;
    store.write(vec![put(&short, "again", 2), put(&long, "for ever", 2)]).await.unwrap();
    fixture.clock().advance(Duration::from_secs(3_600));
    reclaim(fixture).await;
    assert_eq!(value_of(&*store, &short).await.unwrap(), b"again");
    assert_eq!(value_of(&*store, &long).await.unwrap(), b"for ever", "the newer version has no end");
}

/// Reclaiming changes nothing that can be read.
pub async fn reclaiming_keeps_what_is_live(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let partition = fresh_partition();
    let rows: Vec<_> = (0..50).map(|number| put(&key(&partition, number, b"s"), vec![1; 2_000], 1)).collect();
    store.write(rows).await.unwrap();
    store.write((0..25).map(|number| delete(&key(&partition, 2 * number, b"s"), 1)).collect()).await.unwrap();
    let before = scan_all(&*store, &SESSIONS_BY_START, &partition).await;
    assert_eq!(before.len(), 25);
    reclaim(fixture).await;
    assert_eq!(scan_all(&*store, &SESSIONS_BY_START, &partition).await, before);
    store.write(vec![put(&key(&partition, 0, b"s"), "back?", 1)]).await.unwrap();
    assert_eq!(value_of(&*store, &key(&partition, 0, b"s")).await, None, "the delete still counts");
    drop(store);
    if fixture.reopen() {
        assert_eq!(scan_all(&*fixture.store(), &SESSIONS_BY_START, &partition).await, before);
    }
}

/// A scan sees all of a write or none of it.
pub async fn writes_to_a_partition_are_atomic(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let partition = fresh_partition();
    let round = |partition: &[Value], round: i64| -> Vec<Mutation> {
        (0..20).map(|row| put(&key(partition, row, b"s"), round.to_string(), round)).collect()
    };
    store.write(round(&partition, 0)).await.unwrap();
    let writing = {
        let (store, partition) = (store.clone(), partition.clone());
        tokio::spawn(async move {
            for number in 1..60 {
                store.write(round(&partition, number)).await.unwrap();
            }
        })
    };
    eventually("the writes end", || async {
        let done = writing.is_finished();
        let rows = scan_all(&*store, &SESSIONS_BY_START, &partition).await;
        assert_eq!(rows.len(), 20);
        assert!(rows.iter().all(|row| row.version == rows[0].version), "half a write: {rows:?}");
        done
    })
    .await;
    writing.await.unwrap();
}
