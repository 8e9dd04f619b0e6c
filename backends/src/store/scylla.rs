//! A store on ScyllaDB or Apache Cassandra.
//!
//! Versions are CQL's write timestamps, so the servers themselves decide which of two writes stays; a row is one cell, so it stays as
//! a whole. Rows that are written conditionally sit in a keyspace of their own. Minimum versions: Cassandra 5.0, ScyllaDB 2025.1.
//!
//! Deliberately absent: counters, materialized views and indexes, which the two do not share; and changing the replication of a
//! keyspace that is there, which needs a repair by whoever runs the cluster.

mod cell;
mod cluster;
mod config;
mod cql;
mod migration;
mod range;
mod read;
mod swap;
mod tls;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::Table;

pub use config::{ConfigError, Consistency, ScyllaConfig};
pub use migration::migrate;

use self::cluster::Cluster;
use self::cql::Operation;
use self::swap::{Condition, Places};
use super::key;
use crate::clock::Clock;

/// A store on a cluster. Reads and writes wait for each other only by the bounds of [`ScyllaConfig`].
pub struct ScyllaStore {
    cluster: Cluster,
    clock: Clock,
    places: Places,
}

impl ScyllaStore {
    /// Connects, and makes sure that the schema is this program's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no node answers in time; [`Error::Unusable`] when the schema is older (`playhead migrate`) or newer, or
    /// a setting cannot be.
    pub async fn connect(config: &ScyllaConfig, clock: Clock) -> Result<Self, Error> {
        let cluster = Cluster::connect(config).await?;
        migration::check(&cluster).await?;
        Ok(Self { cluster, clock, places: Places::default() })
    }

    /// Whether enough nodes answer for a read to succeed now.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub async fn check_health(&self) -> Result<(), Arc<str>> {
        migration::probe(&self.cluster).await.map_err(|error| error.to_string().into())
    }
}

/// A partition key of one column may not be empty in CQL.
fn check_not_empty(table: &Table, partition: &[Value]) -> Result<(), Error> {
    let is_empty = match partition {
        [Value::Text(text)] => text.is_empty(),
        [Value::Bytes(bytes)] => bytes.is_empty(),
        _ => false,
    };
    if is_empty {
        return Err(Error::BadKey {
            table: table.name,
            detail: "the partition's only column is empty".to_owned(),
        });
    }
    Ok(())
}

fn check(table: &'static Table, key: &Key) -> Result<(), Error> {
    key::check(table, key)?;
    check_not_empty(table, &key.partition)
}

#[async_trait]
impl Store for ScyllaStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        check(table, key)?;
        let stored = read::get(&self.cluster, table, key, Operation::Get).await?;
        let live = stored.filter(|stored| stored.is_live(self.clock.now_ms()));
        Ok(live.map(|stored| Row { key: key.clone(), value: stored.value, version: stored.version }))
    }

    /// A scan that brings more than a thousand rows may see a write to its partition in part: each thousand is read at once.
    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        key::check_partition(table, partition)?;
        check_not_empty(table, partition)?;
        key::check_range(table, range)?;
        read::scan(&self.cluster, (table, partition), range, order, limit, self.clock.now_ms()).await
    }

    /// What goes to one partition of one table is one request; over `batch_bytes` of it the whole write is refused as too large,
    /// before anything is written.
    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        for mutation in &mutations {
            key::check_mutation(mutation)?;
            check_not_empty(mutation.table(), mutation.partition())?;
        }
        write::write(&self.cluster, &self.clock, &mutations).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        check(table, key)?;
        swap::check_keyspace(table)?;
        new.as_ref().map_or(Ok(()), key::check_value)?;
        let condition = Condition { table, key, expected, new, expires_at_ms };
        swap::swap(&self.cluster, &self.clock, &self.places, condition).await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        check(table, key)?;
        swap::check_keyspace(table)?;
        let stored = swap::get_serial(&self.cluster, table, key).await?;
        Ok(stored.filter(|stored| stored.is_live(self.clock.now_ms())).map(|stored| stored.value))
    }

    /// Does nothing: every node drops deleted and expired rows by itself when it compacts its files, deleted ones once the table's
    /// grace is over.
    async fn reclaim(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl std::fmt::Debug for ScyllaStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScyllaStore").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}
