//! A store in memory: the reference model, and what tests run on.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::Table;

use super::key;
use crate::clock::Clock;

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Clock,
    partitions: Mutex<HashMap<PartitionKey, Partition>>,
}

type PartitionKey = (&'static str, Vec<Value>);

#[derive(Debug, Default)]
struct Partition {
    rows: BTreeMap<Vec<Value>, Cell>,
    deleted: Option<i64>,
}

#[derive(Debug, Clone, Default)]
struct Cell {
    live: Option<Live>,
    deleted: Option<i64>,
}

/// Ordered as equal versions are decided: the greater one wins, so that the order of arrival does not matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Live {
    version: i64,
    value: Bytes,
    expires_at_ms: Option<i64>,
}

impl Live {
    fn is_visible(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_none_or(|expires_at_ms| expires_at_ms > now_ms)
    }
}

impl Partition {
    fn put(&mut self, clustering: Vec<Value>, new: Live) {
        let cell = self.rows.entry(clustering).or_default();
        let deleted = self.deleted.max(cell.deleted).is_some_and(|version| version >= new.version);
        if !deleted && cell.live.as_ref().is_none_or(|live| *live < new) {
            cell.live = Some(new);
        }
    }

    fn delete(&mut self, clustering: Vec<Value>, version: i64) {
        let cell = self.rows.entry(clustering).or_default();
        cell.deleted = cell.deleted.max(Some(version));
        cell.live.take_if(|live| live.version <= version);
    }

    fn delete_all(&mut self, version: i64) {
        self.deleted = self.deleted.max(Some(version));
        for cell in self.rows.values_mut() {
            cell.live.take_if(|live| live.version <= version);
        }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, partitions: Mutex::default() }
    }

    /// Every row that is visible, with the name of its table. For tests.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, Row)> {
        let now_ms = self.clock.now_ms();
        let mut rows = Vec::new();
        for ((table, partition), found) in &*self.partitions.lock() {
            for (clustering, cell) in &found.rows {
                let Some(live) = cell.live.as_ref().filter(|live| live.is_visible(now_ms)) else { continue };
                let key = Key { partition: partition.clone(), clustering: clustering.clone() };
                rows.push((*table, Row { key, value: live.value.clone(), version: live.version }));
            }
        }
        rows
    }

    fn apply(partitions: &mut HashMap<PartitionKey, Partition>, mutation: Mutation) {
        match mutation {
            Mutation::Put { table, key, value, version, expires_at_ms } => partitions
                .entry((table.name, key.partition))
                .or_default()
                .put(key.clustering, Live { version, value, expires_at_ms }),
            Mutation::Delete { table, key, version } => {
                partitions.entry((table.name, key.partition)).or_default().delete(key.clustering, version);
            }
            Mutation::DeletePartition { table, partition, version } => {
                partitions.entry((table.name, partition)).or_default().delete_all(version);
            }
        }
    }
}

/// Whether a clustering key is in the range: a bound's prefix is compared with as many columns.
fn is_inside(range: &ClusteringRange, clustering: &[Value]) -> bool {
    let after_from = match &range.from {
        Bound::Included(prefix) => clustering[..prefix.len()] >= prefix[..],
        Bound::Excluded(prefix) => clustering[..prefix.len()] > prefix[..],
        Bound::Unbounded => true,
    };
    let before_to = match &range.to {
        Bound::Included(prefix) => clustering[..prefix.len()] <= prefix[..],
        Bound::Excluded(prefix) => clustering[..prefix.len()] < prefix[..],
        Bound::Unbounded => true,
    };
    after_from && before_to
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        key::check(table, key)?;
        let partitions = self.partitions.lock();
        let cell = partitions
            .get(&(table.name, key.partition.clone()))
            .and_then(|partition| partition.rows.get(&key.clustering));
        let live = cell.and_then(|cell| cell.live.as_ref());
        let visible = live.filter(|live| live.is_visible(self.clock.now_ms()));
        Ok(visible.map(|live| Row { key: key.clone(), value: live.value.clone(), version: live.version }))
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        key::check_partition(table, partition)?;
        key::check_range(table, range)?;
        let now_ms = self.clock.now_ms();
        let partitions = self.partitions.lock();
        let Some(found) = partitions.get(&(table.name, partition.to_vec())) else {
            return Ok(Page::default());
        };
        let mut rows: Vec<Row> = Vec::new();
        for (clustering, cell) in &found.rows {
            let Some(live) = cell.live.as_ref().filter(|live| live.is_visible(now_ms)) else { continue };
            if is_inside(range, clustering) {
                let key = Key { partition: partition.to_vec(), clustering: clustering.clone() };
                rows.push(Row { key, value: live.value.clone(), version: live.version });
            }
        }
        if order == Order::Descending {
            rows.reverse();
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { rows, more })
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        mutations.iter().try_for_each(key::check_mutation)?;
        let mut partitions = self.partitions.lock();
        mutations.into_iter().for_each(|mutation| Self::apply(&mut partitions, mutation));
        Ok(())
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        key::check(table, key)?;
        new.as_ref().map_or(Ok(()), key::check_value)?;
        let now_ms = self.clock.now_ms();
        let mut partitions = self.partitions.lock();
        let partition = partitions.entry((table.name, key.partition.clone())).or_default();
        let cell = partition.rows.entry(key.clustering.clone()).or_default();
        let current = cell.live.as_ref().filter(|live| live.is_visible(now_ms));
        if current.map(|live| &live.value[..]) != expected {
            return Ok(Swap::Conflict(current.map(|live| live.value.clone())));
        }
        let version = cell.live.as_ref().map_or(1, |live| live.version + 1);
        cell.live = new.map(|value| Live { version, value, expires_at_ms });
        Ok(Swap::Applied)
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        Ok(self.get(table, key).await?.map(|row| row.value))
    }

    async fn reclaim(&self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        for partition in self.partitions.lock().values_mut() {
            for cell in partition.rows.values_mut() {
                cell.live.take_if(|live| !live.is_visible(now_ms));
            }
        }
        Ok(())
    }
}
