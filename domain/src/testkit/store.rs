//! What every [`Store`] must do.

mod conditions;
mod limits;
mod scans;
mod versions;

pub use conditions::*;
pub use limits::*;
pub use scans::*;
pub use versions::*;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;

use super::clock::ManualClock;
use super::eventually;
use crate::store::{ClusteringRange, Key, Mutation, Order, Row, Store, Value};
use crate::table::{SESSIONS_BY_START, Table};

/// How a store is opened for the suite: with all tables of [`crate::table::ALL`].
pub trait Fixture: Send {
    /// The store, open.
    fn store(&self) -> Arc<dyn Store>;

    /// The clock that the store reads.
    fn clock(&self) -> &ManualClock;

    /// Closes the store and opens it again with what it kept. Returns false if it keeps nothing beyond the process. Nobody
    /// else holds the store.
    fn reopen(&mut self) -> bool;

    /// Whether a reclaim that was called is still to be done.
    fn is_reclaiming(&self) -> bool {
        false
    }
}

/// Calls for a reclaim and waits until it is done.
async fn reclaim(fixture: &dyn Fixture) {
    fixture.store().reclaim().await.unwrap();
    eventually("the reclaim ends", || async { !fixture.is_reclaiming() }).await;
}

/// A partition of [`SESSIONS_BY_START`] that no other test case uses.
fn fresh_partition() -> Vec<Value> {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    [number, 2, 3, 4].map(Value::Int).to_vec()
}

/// The key of a session that started at `start_ms`.
fn key(partition: &[Value], start_ms: i64, session: &[u8]) -> Key {
    let clustering = vec![start_ms.into(), session.to_vec().into()];
    Key { partition: partition.to_vec(), clustering }
}

fn put(key: &Key, value: impl Into<Bytes>, version: i64) -> Mutation {
    put_until(key, value, version, None)
}

fn put_until(key: &Key, value: impl Into<Bytes>, version: i64, expires_at_ms: Option<i64>) -> Mutation {
    let (key, value) = (key.clone(), value.into());
    Mutation::Put { table: &SESSIONS_BY_START, key, value, version, expires_at_ms }
}

fn delete(key: &Key, version: i64) -> Mutation {
    Mutation::Delete { table: &SESSIONS_BY_START, key: key.clone(), version }
}

fn delete_partition(partition: &[Value], version: i64) -> Mutation {
    Mutation::DeletePartition { table: &SESSIONS_BY_START, partition: partition.to_vec(), version }
}

async fn value_of(store: &dyn Store, key: &Key) -> Option<Vec<u8>> {
    store.get(&SESSIONS_BY_START, key).await.unwrap().map(|row| row.value.to_vec())
}

/// Every row of a partition.
async fn scan_all(store: &dyn Store, table: &'static Table, partition: &[Value]) -> Vec<Row> {
    let page = store.scan(table, partition, &ClusteringRange::ALL, Order::Ascending, 100_000).await.unwrap();
    assert!(!page.more);
    page.rows
}

/// Makes one test of every clause of the store's contract. Takes an expression that opens a [`Fixture`].
#[macro_export]
macro_rules! store_contract {
    ($fixture:expr) => {
        $crate::store_contract!(@ $fixture;
            writes_are_durable, versions_decide_in_any_order, a_partition_is_deleted_alone,
            expired_rows_are_gone, reclaiming_keeps_what_is_live, writes_to_a_partition_are_atomic,
            scans_find_what_is_inside, pages_leave_nothing_out, partitions_do_not_run_into_each_other,
            a_condition_decides, counting_by_conditions_loses_nothing, an_expired_row_counts_as_absent,
            limits_are_kept, keys_must_fit_their_table, empty_values_are_values
        );
    };
    (@ $fixture:expr; $($clause:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                $crate::testkit::store::$clause(&mut $fixture).await;
            }
        )*
    };
}
