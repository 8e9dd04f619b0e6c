//! Counts of what came in, one row per flush, merged from time to time so that a day of them is read with few rows.

use std::collections::HashMap;
use std::ops::Bound;

use playhead_domain::row::IntakeCounts;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Mutation, Order, Store, Value};
use playhead_domain::table::INTAKE_COUNTS;
use prost::Message;

/// Rows that are merged into one.
const MERGE_ROWS: u32 = 200;
const MAX_MERGED: usize = 1_000;
const MAX_DAYS: usize = 4_096;

/// How many rows were written since the last merge.
#[derive(Debug, Default)]
pub(crate) struct Rows(HashMap<(Scope, i64), u32>);

impl Rows {
    /// Counts a row; `true` when it is time to merge.
    pub(crate) fn count(&mut self, day: (Scope, i64)) -> bool {
        if self.0.len() >= MAX_DAYS {
            self.0.clear();
        }
        let rows = self.0.entry(day).or_default();
        *rows += 1;
        let is_due = *rows >= MERGE_ROWS;
        if is_due {
            self.0.remove(&day);
        }
        is_due
    }
}

/// Merges the rows of a log partition whose flushes are behind the checkpoint `below`: none of them is ever written again.
/// Put and deletes are of one store partition, hence atomic; an older owner that does the same has older versions.
pub(crate) async fn merge(
    store: &dyn Store,
    (scope, day): (Scope, i64),
    partition: u32,
    below: u64,
    expires_at_ms: i64,
) -> Result<(), store::Error> {
    let end = key::intake(scope, day, partition, below);
    let range = ClusteringRange {
        from: Bound::Included(vec![Value::Int(i64::from(partition))]),
        to: Bound::Excluded(end.clustering),
    };
    let page = store.scan(&INTAKE_COUNTS, &end.partition, &range, Order::Ascending, MAX_MERGED).await?;
    let [first, others @ ..] = &page.rows[..] else { return Ok(()) };
    if others.is_empty() {
        return Ok(());
    }
    let mut total = IntakeCounts::default();
    for row in &page.rows {
        let counts = IntakeCounts::decode(row.value.clone())
            .map_err(|error| store::Error::Corrupt(format!("intake counts: {error}")))?;
        add(&mut total, counts);
    }
    let newest = page.rows.iter().map(|row| row.version).max().unwrap_or(first.version);
    let mut mutations = vec![Mutation::Put {
        table: &INTAKE_COUNTS,
        key: first.key.clone(),
        value: total.encode_to_vec().into(),
        version: newest + 1,
        expires_at_ms: Some(expires_at_ms),
    }];
    mutations.extend(others.iter().map(|row| Mutation::Delete {
        table: &INTAKE_COUNTS,
        key: row.key.clone(),
        version: row.version,
    }));
    store.write(mutations).await
}

/// Adds counts to others.
pub(crate) fn add(total: &mut IntakeCounts, counts: IntakeCounts) {
    total.batches += counts.batches;
    total.bytes += counts.bytes;
    total.signals += counts.signals;
    total.dropped_signals += counts.dropped_signals;
    total.duplicates += counts.duplicates;
    total.new_sessions += counts.new_sessions;
    total.suppressed += counts.suppressed;
    for (reason, count) in counts.dead_letters {
        *total.dead_letters.entry(reason).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_backends::clock::Clock;
    use playhead_backends::store::memory::MemoryStore;
    use playhead_domain::id::{ProjectId, TenantId};

    #[tokio::test]
    async fn rows_behind_the_checkpoint_become_one_and_nothing_is_lost() {
        let store = MemoryStore::new(Clock::system());
        let scope = Scope::of_log_record(TenantId(1), ProjectId(2));
        let put = |partition: u32, offset: u64| Mutation::Put {
            table: &INTAKE_COUNTS,
            key: key::intake(scope, 9, partition, offset),
            value: IntakeCounts { batches: offset + 1, ..IntakeCounts::default() }.encode_to_vec().into(),
            version: 100 + i64::try_from(offset).unwrap(),
            expires_at_ms: None,
        };
        store.write((0..10).map(|offset| put(0, offset)).chain([put(1, 3)]).collect()).await.unwrap();
        let far = i64::MAX / 2;
        for _ in 0..2 {
            merge(&store, (scope, 9), 0, 8, far).await.unwrap();
        }
        // An old owner that still writes what it had begun changes nothing.
        store.write(vec![put(0, 0), put(0, 5)]).await.unwrap();
        let partition = key::intake(scope, 9, 0, 0).partition;
        let page = store
            .scan(&INTAKE_COUNTS, &partition, &ClusteringRange::ALL, Order::Ascending, 99)
            .await
            .unwrap();
        let batches: Vec<_> =
            page.rows.iter().map(|row| IntakeCounts::decode(row.value.clone()).unwrap().batches).collect();
        assert_eq!(batches, [36, 9, 10, 4]);
    }

    #[test]
    fn a_merge_is_due_after_so_many_rows() {
        let day = (Scope::of_log_record(TenantId(1), ProjectId(2)), 9);
        let mut rows = Rows::default();
        let due: Vec<u32> = (1..=2 * MERGE_ROWS).filter(|_| rows.count(day)).collect();
        assert_eq!(due, [MERGE_ROWS, 2 * MERGE_ROWS]);
    }
}
