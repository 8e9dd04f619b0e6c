//! The store port: wide rows. ScyllaDB in the scaled shape, an embedded ordered store in `playhead up`.
//!
//! The model is what both can do well: rows live in partitions (the partition key), ordered within one by the
//! clustering key; every row has a version, and a write with a lower version never replaces a higher one, in whatever order
//! they arrive. Deletes are writes. Nothing is incremented in place.

use std::ops::Bound;

use async_trait::async_trait;
use bytes::Bytes;

use crate::table::Table;

/// A key column's value. Order: numbers by value, texts and bytes bytewise.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    Int(i64),
    Text(String),
    Bytes(Bytes),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value.into())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(Bytes::copy_from_slice(&value))
    }
}

/// A row's whole key. The values match the table's columns in number and type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub partition: Vec<Value>,
    pub clustering: Vec<Value>,
}

/// A row as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub value: Bytes,
    pub version: i64,
}

/// Which rows of a partition: bounds over a prefix of the clustering columns. A prefix stands for every row that starts with
/// it: `Included(p)` takes them all, `Excluded(p)` none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusteringRange {
    pub from: Bound<Vec<Value>>,
    pub to: Bound<Vec<Value>>,
}

impl ClusteringRange {
    /// Every row of the partition.
    pub const ALL: Self = Self { from: Bound::Unbounded, to: Bound::Unbounded };

    /// The rows that start with `prefix`.
    #[must_use]
    pub fn prefix(prefix: Vec<Value>) -> Self {
        Self { from: Bound::Included(prefix.clone()), to: Bound::Included(prefix) }
    }
}

/// In which direction a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Some rows, and whether there may be more after the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Row>,
    pub more: bool,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    /// Sets a row, unless its version is already higher. Of two writes with equal versions, either wins whole.
    Put { table: &'static Table, key: Key, value: Bytes, version: i64, expires_at_ms: Option<i64> },
    /// Removes a row whose version is not higher, and keeps lower ones from coming back.
    Delete { table: &'static Table, key: Key, version: i64 },
    /// The same for every row of a partition.
    DeletePartition { table: &'static Table, partition: Vec<Value>, version: i64 },
}

impl Mutation {
    #[must_use]
    pub const fn table(&self) -> &'static Table {
        match self {
            Self::Put { table, .. } | Self::Delete { table, .. } | Self::DeletePartition { table, .. } => {
                table
            }
        }
    }

    #[must_use]
    pub fn partition(&self) -> &[Value] {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => &key.partition,
            Self::DeletePartition { partition, .. } => partition,
        }
    }
}

/// What a conditional write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    Applied,
    /// The row was something else: its value now.
    Conflict(Option<Bytes>),
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is known about what was written; read again.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    #[error("key does not fit table {table}: {detail}")]
    BadKey { table: &'static str, detail: String },
    #[error("value of {bytes} bytes is over the limit of {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// It is set up in a way that this program cannot work with; the text says what to do.
    #[error("the store cannot be used: {0}")]
    Unusable(String),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// The largest value of one row, in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// Rows that [`scan_all`] reads at a time.
const PAGE: usize = 500;

/// All rows of a part of a partition, in ascending order. For what is known to be few.
///
/// # Errors
/// The store's.
pub async fn scan_all(
    store: &dyn Store,
    table: &'static Table,
    partition: &[Value],
    range: ClusteringRange,
) -> Result<Vec<Row>, Error> {
    Ok(scan_until(store, table, partition, range, usize::MAX).await?.rows)
}

/// The same, but it stops behind the page with which there are `enough`.
///
/// # Errors
/// The store's.
pub async fn scan_until(
    store: &dyn Store,
    table: &'static Table,
    partition: &[Value],
    mut range: ClusteringRange,
    enough: usize,
) -> Result<Page, Error> {
    let mut rows = Vec::new();
    loop {
        let page = store.scan(table, partition, &range, Order::Ascending, PAGE).await?;
        let last = page.rows.last().map(|row| row.key.clustering.clone());
        rows.extend(page.rows);
        match last {
            Some(last) if page.more && rows.len() < enough => range.from = Bound::Excluded(last),
            _ => return Ok(Page { rows, more: page.more }),
        }
    }
}

/// The store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// One row, if it is there and has not expired.
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error>;

    /// Up to `limit` rows of a partition. To go on, pass the last row's clustering key as an excluded bound.
    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error>;

    /// Writes all, durably on return. Atomic only within one partition of one table; across them a crash may leave a part, and
    /// the caller repeats the whole (same keys, same or higher versions), which is idempotent.
    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error>;

    /// Sets the row to `new` if its value is `expected` (`None`: if there is no row). Linearizable per row, durable on
    /// return. Rows written this way are written in no other way. `new = None` removes the row. An error means: unknown, read again
    /// with [`Store::get_serial`].
    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error>;

    /// One conditionally written row, at the newest state.
    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error>;

    /// Asks that what was deleted or has expired becomes unrecoverable from this store's own files, as far as the store can decide that
    /// itself (embedded: the files that hold it are rewritten within minutes, also after a restart; distributed: left to compaction after its
    /// grace). Returns once the call cannot be forgotten any more.
    async fn reclaim(&self) -> Result<(), Error>;
}
