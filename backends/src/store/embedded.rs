//! A store in a folder: one fjall database, one writer thread, one fsync per group of writes.
//!
//! Every table is a keyspace. What was deleted leaves no key behind: a hash of the key keeps lower versions from coming
//! back for a while; after a [`Store::reclaim`] the sweeper rewrites the files that still hold the bytes.

mod config;
mod files;
mod grave;
mod group;
mod row;
mod sweep;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fjall::Readable;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::Table;
use tokio::sync::{Semaphore, oneshot};

pub use config::StoreConfig;

use self::files::Files;
use self::row::StoredRow;
use self::sweep::Sweeper;
use self::writer::{Condition, Job, Work, Writer};
use super::key;
use crate::clock::Clock;
use crate::engine;

/// A store in a folder.
pub struct EmbeddedStore {
    files: Arc<Files>,
    budget: Arc<Semaphore>,
    sweeper: Sweeper,
    writer: Arc<Writer>,
}

/// What a permit of the budget stands for, in bytes.
const PERMIT_BYTES: usize = 1 << 10;

impl EmbeddedStore {
    /// Opens the store in `path` with these tables, creating what is not there. Blocks; at most one store may have a
    /// folder open.
    ///
    /// # Errors
    /// When the files cannot be read or written, or were written by a newer version.
    pub fn open(
        path: &Path,
        tables: &[&'static Table],
        config: StoreConfig,
        clock: Clock,
    ) -> Result<Self, engine::Error> {
        let budget = Arc::new(Semaphore::new(config.waiting_bytes / PERMIT_BYTES));
        let files = Arc::new(Files::open(path, tables, config, clock)?);
        let writer = Arc::new(Writer::start(Arc::clone(&files)).map_err(engine::Error::Thread)?);
        let sweeper =
            Sweeper::start(Arc::clone(&files), Arc::downgrade(&writer)).map_err(engine::Error::Thread)?;
        Ok(Self { files, budget, sweeper, writer })
    }

    /// Whether writes are taken now.
    ///
    /// # Errors
    /// What is wrong and what to do, for people.
    pub fn check_health(&self) -> Result<(), Arc<str>> {
        self.files.engine.check_health()
    }

    /// Bytes of all files of the store.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    pub fn disk_bytes(&self) -> Result<u64, Error> {
        self.files.engine.database.disk_space().map_err(|error| read_error(&error))
    }

    /// Whether a reclaim was called that is not done yet: until then files may hold bytes of what was removed.
    #[must_use]
    pub fn is_reclaiming(&self) -> bool {
        self.files.reclaim.is_wanted()
    }

    /// Hands work to the writer and waits until it is durable.
    async fn write_durably<T>(
        &self,
        bytes: usize,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work,
    ) -> Result<T, Error> {
        let closing = || Error::Unavailable("the store is closing".to_owned());
        let all = self.files.config.waiting_bytes / PERMIT_BYTES;
        // Work over the whole budget takes it alone.
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES).min(all)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget).acquire_many_owned(permits).await.map_err(|_| closing())?;
        let (reply, answer) = oneshot::channel();
        self.writer.send(Job { work: work(reply), bytes, _permit: Some(permit) })?;
        answer.await.map_err(|_| closing())?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Files) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let files = Arc::clone(&self.files);
        tokio::task::spawn_blocking(move || read(&files))
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?
    }
}

/// A failed read: wrong bytes, or a disk that does not answer.
fn read_error(error: &fjall::Error) -> Error {
    if engine::is_corruption(error) {
        return Error::Corrupt(error.to_string());
    }
    Error::Unavailable(error.to_string())
}

fn get(files: &Files, table: &'static Table, key: &Key) -> Result<Option<StoredRow>, Error> {
    let stored = files.table(table)?.get(key::encode(key)).map_err(|error| read_error(&error))?;
    let row = stored.map(|stored| StoredRow::decode(table, stored.into())).transpose()?;
    Ok(row.filter(|row| row.is_visible(files.clock.now_ms())))
}

fn scan(
    files: &Files,
    table: &'static Table,
    partition: &[Value],
    range: &ClusteringRange,
    order: Order,
    limit: usize,
) -> Result<Page, Error> {
    let start = key::encode_values(partition);
    let bounds = key::encode_range(&start, range);
    if key::is_empty(&bounds) {
        return Ok(Page::default());
    }
    let now_ms = files.clock.now_ms();
    let _scanning = files.scans.read();
    let snapshot = files.engine.database.snapshot();
    let mut entries = snapshot.range(files.table(table)?, bounds);
    let mut page = Page::default();
    loop {
        let entry = match order {
            Order::Ascending => entries.next(),
            Order::Descending => entries.next_back(),
        };
        let Some(entry) = entry else { return Ok(page) };
        let (key, stored) = entry.into_inner().map_err(|error| read_error(&error))?;
        let row = StoredRow::decode(table, stored.into())?;
        if !row.is_visible(now_ms) {
            continue;
        }
        if page.rows.len() == limit {
            page.more = true;
            return Ok(page);
        }
        let clustering = key::decode_clustering(table, &key, start.len())?;
        let key = Key { partition: partition.to_vec(), clustering };
        page.rows.push(Row { key, value: row.value, version: row.version });
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        key::check(table, key)?;
        let wanted = key.clone();
        let row = self.read(move |files| get(files, table, &wanted)).await?;
        Ok(row.map(|row| Row { key: key.clone(), value: row.value, version: row.version }))
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
        let (partition, range) = (partition.to_vec(), range.clone());
        self.read(move |files| scan(files, table, &partition, &range, order, limit)).await
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        mutations.iter().try_for_each(key::check_mutation)?;
        if mutations.is_empty() {
            return Ok(());
        }
        let bytes = mutations.iter().map(group::cost).sum();
        self.write_durably(bytes, |reply| Work::Write { mutations, reply }).await
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
        let bytes = new.as_ref().map_or(0, Bytes::len) + expected.map_or(0, <[u8]>::len);
        let expected = expected.map(Bytes::copy_from_slice);
        let condition = Condition { table, key: key::encode(key), expected, new, expires_at_ms };
        self.write_durably(bytes, |reply| Work::Swap { condition, reply }).await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        // Rows become readable after they are durable and before the writer answers: a plain read is the newest state.
        Ok(self.get(table, key).await?.map(|row| row.value))
    }

    async fn reclaim(&self) -> Result<(), Error> {
        self.read(|files| {
            let noted = files.reclaim.call(&files.engine);
            noted.map_err(|error| Error::Unavailable(files.engine.fail(&error).to_string()))
        })
        .await?;
        self.sweeper.wake();
        Ok(())
    }
}
