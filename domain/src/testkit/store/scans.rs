//! Ranges, order and pages.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use super::{Fixture, fresh_partition, key, put, scan_all};
use crate::store::{ClusteringRange, Key, Mutation, Order, Page, Store, Value};
use crate::table::{SESSION_FACETS, SESSIONS_BY_START};

/// Few enough values that bounds meet rows.
fn clustering() -> impl Strategy<Value = (i64, Vec<u8>)> + Clone {
    let start = prop_oneof![Just(i64::MIN), Just(-1), Just(0), Just(1), Just(256), Just(i64::MAX)];
    let session = prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..3);
    (start, session)
}

fn bound() -> impl Strategy<Value = Bound<Vec<Value>>> {
    let prefix = (clustering(), 0..=2usize).prop_map(|((start, session), columns)| {
        let mut prefix = vec![Value::Int(start), session.into()];
        prefix.truncate(columns);
        prefix
    });
    prop_oneof![
        1 => Just(Bound::Unbounded),
        3 => prefix.clone().prop_map(Bound::Included),
        3 => prefix.prop_map(Bound::Excluded),
    ]
}

/// A row is inside when its first columns are, compared with as many columns as the bound has.
fn is_inside(range: &ClusteringRange, clustering: &[Value]) -> bool {
    let start = |prefix: &[Value]| clustering[..prefix.len()].to_vec();
    let after_from = match &range.from {
        Bound::Included(from) => start(from) >= *from,
        Bound::Excluded(from) => start(from) > *from,
        Bound::Unbounded => true,
    };
    let before_to = match &range.to {
        Bound::Included(to) => start(to) <= *to,
        Bound::Excluded(to) => start(to) < *to,
        Bound::Unbounded => true,
    };
    after_from && before_to
}

/// A scan returns exactly the rows between its bounds, in order, both ways.
pub async fn scans_find_what_is_inside(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let handle = Handle::current();
    let rows = prop::collection::vec(clustering(), 0..12);
    tokio::task::block_in_place(|| {
        let mut runner =
            TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
        runner
            .run(&(rows, bound(), bound(), 0..14usize), |(rows, from, to, limit)| {
                handle.block_on(scan_and_compare(&*store, &rows, &ClusteringRange { from, to }, limit))
            })
            .unwrap();
    });
}

async fn scan_and_compare(
    store: &dyn Store,
    rows: &[(i64, Vec<u8>)],
    range: &ClusteringRange,
    limit: usize,
) -> Result<(), TestCaseError> {
    let partition = fresh_partition();
    let keys: BTreeMap<Vec<Value>, Key> = rows
        .iter()
        .map(|(start, session)| key(&partition, *start, session))
        .map(|key| (key.clustering.clone(), key))
        .collect();
    store.write(keys.values().map(|key| put(key, "x", 1)).collect()).await.unwrap();
    let mut expected: Vec<&Key> = keys.values().filter(|key| is_inside(range, &key.clustering)).collect();
    for order in [Order::Ascending, Order::Descending] {
        let page = store.scan(&SESSIONS_BY_START, &partition, range, order, limit).await.unwrap();
        let found: Vec<&Key> = page.rows.iter().map(|row| &row.key).collect();
        prop_assert_eq!(&found[..], &expected[..expected.len().min(limit)]);
        prop_assert_eq!(page.more, expected.len() > limit);
        expected.reverse();
    }
    Ok(())
}

/// Going on after the last row of each page brings every row once, both ways.
pub async fn pages_leave_nothing_out(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let partition = fresh_partition();
    let keys: Vec<Key> = (0..53).map(|number| key(&partition, number / 5, &[number as u8])).collect();
    store.write(keys.iter().map(|key| put(key, "x", 1)).collect()).await.unwrap();
    for order in [Order::Ascending, Order::Descending] {
        let mut found = Vec::new();
        let mut range = ClusteringRange::ALL;
        loop {
            let Page { rows, more } =
                store.scan(&SESSIONS_BY_START, &partition, &range, order, 7).await.unwrap();
            let Some(last) = rows.last().map(|row| Bound::Excluded(row.key.clustering.clone())) else {
                break;
            };
            match order {
                Order::Ascending => range.from = last,
                Order::Descending => range.to = last,
            }
            found.extend(rows.into_iter().map(|row| row.key));
            if !more {
                break;
            }
        }
        if order == Order::Descending {
            found.reverse();
        }
        assert_eq!(found, keys);
    }
}

/// Partition keys that start alike, or hold zeros, stay apart; so do tables.
pub async fn partitions_do_not_run_into_each_other(fixture: &mut dyn Fixture) {
    let store = fixture.store();
    let tenant = fresh_partition().remove(0);
    let names = ["", "a", "a\0", "a\0\0", "ab", "b", "\u{10ffff}"];
    let partition = |facet: &str, value: &str| {
        vec![tenant.clone(), 1.into(), Value::from(facet), Value::from(value), 20_000.into(), 0.into()]
    };
    let mut writes = Vec::new();
    for facet in names {
        for value in names {
            let key =
                Key { partition: partition(facet, value), clustering: vec![1.into(), b"s".to_vec().into()] };
            let value = format!("{facet:?}={value:?}").into();
            writes.push(Mutation::Put {
                table: &SESSION_FACETS,
                key,
                value,
                version: 1,
                expires_at_ms: None,
            });
        }
    }
    store.write(writes).await.unwrap();
    for facet in names {
        for value in names {
            let rows = scan_all(&*store, &SESSION_FACETS, &partition(facet, value)).await;
            let values: Vec<_> = rows.iter().map(|row| row.value.to_vec()).collect();
            assert_eq!(values, [format!("{facet:?}={value:?}").into_bytes()]);
        }
    }
}
