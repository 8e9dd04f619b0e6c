//! Conditional writes: Paxos in the cluster, one at a time per row in this process.
//!
//! Each sets value and expiry together, so conditions speak of both, and a row that has expired by this process's clock but still
//! lives in the cluster counts as absent.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use playhead_domain::store::{Error, Key, Swap};
use playhead_domain::table::{Keyspace, Table};
use scylla::deserialize::row::ColumnIterator;
use scylla::response::query_result::QueryResult;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::cell::{NEVER, Parameter, Stored, number, ttl_s};
use super::cluster::{Cluster, unavailable};
use super::cql::Operation;
use crate::clock::Clock;

/// Rows that may be written conditionally at once; several in one place wait for each other, which costs less than rounds of Paxos
/// that disturb each other.
const PLACES: usize = 64;
/// How often a row that keeps changing is tried.
const ATTEMPTS: usize = 8;

/// The places of rows in work.
pub(super) struct Places([Mutex<()>; PLACES]);

impl Default for Places {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Places {
    async fn enter(&self, cluster: &Cluster, table: &Table, key: &Key) -> Result<MutexGuard<'_, ()>, Error> {
        let mut hasher = DefaultHasher::new();
        // A partition has one ballot.
        (table.name, &key.partition).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or(0);
        timeout(cluster.config.request_timeout(), self.0[place].lock())
            .await
            .map_err(|_| Error::Unavailable(format!("too many wait to write a row of {}", table.name)))
    }
}

/// A conditional write.
pub(super) struct Condition<'a> {
    pub(super) table: &'static Table,
    pub(super) key: &'a Key,
    pub(super) expected: Option<&'a [u8]>,
    pub(super) new: Option<Bytes>,
    pub(super) expires_at_ms: Option<i64>,
}

pub(super) fn check_keyspace(table: &Table) -> Result<(), Error> {
    match table.keyspace {
        Keyspace::Control => Ok(()),
        Keyspace::Data => {
            let detail = "its rows are versioned, not written conditionally".to_owned();
            Err(Error::BadKey { table: table.name, detail })
        }
    }
}

pub(super) async fn swap(
    cluster: &Cluster,
    clock: &Clock,
    places: &Places,
    condition: Condition<'_>,
) -> Result<Swap, Error> {
    let _entered = places.enter(cluster, condition.table, condition.key).await?;
    match (condition.expected, &condition.new) {
        (Some(expected), _) => swap_live(cluster, clock, &condition, expected).await,
        (None, Some(new)) => create(cluster, clock, &condition, new).await,
        (None, None) => {
            let found = get_serial(cluster, condition.table, condition.key).await?;
            Ok(conflict_unless_absent(found, clock.now_ms()))
        }
    }
}

fn conflict_unless_absent(found: Option<Stored>, now_ms: i64) -> Swap {
    match found.filter(|found| found.is_live(now_ms)) {
        Some(found) => Swap::Conflict(Some(found.value)),
        None => Swap::Applied,
    }
}

/// The row at its newest state, expired or not.
pub(super) async fn get_serial(
    cluster: &Cluster,
    table: &'static Table,
    key: &Key,
) -> Result<Option<Stored>, Error> {
    super::read::get(cluster, table, key, Operation::GetSerial).await
}

async fn swap_live(
    cluster: &Cluster,
    clock: &Clock,
    condition: &Condition<'_>,
    expected: &[u8],
) -> Result<Swap, Error> {
    let now_ms = clock.now_ms();
    let (operation, mut parameters) = match &condition.new {
        Some(new) => (Operation::SwapLive, setting(now_ms, new, condition.expires_at_ms)),
        None => (Operation::RemoveLive, Vec::new()),
    };
    parameters.extend(whole_key(condition.key));
    parameters.extend([Parameter::Blob(expected), Parameter::Number(now_ms)]);
    let outcome = execute(cluster, condition.table, operation, &parameters).await?;
    Ok(match outcome {
        Outcome::Applied => Swap::Applied,
        Outcome::Found(found) => {
            Swap::Conflict(found.filter(|found| found.is_live(now_ms)).map(|found| found.value))
        }
    })
}

/// Writes where there is no row, or an expired one.
async fn create(
    cluster: &Cluster,
    clock: &Clock,
    condition: &Condition<'_>,
    new: &[u8],
) -> Result<Swap, Error> {
    let mut replaced: Option<Stored> = None;
    for _ in 0..ATTEMPTS {
        let now_ms = clock.now_ms();
        let mut parameters = setting(now_ms, new, condition.expires_at_ms);
        parameters.extend(whole_key(condition.key));
        parameters.extend(match &replaced {
            Some(old) => [Parameter::Blob(&old.value), Parameter::Number(old.expires_at_ms)],
            None => [Parameter::Null; 2],
        });
        match execute(cluster, condition.table, Operation::Replace, &parameters).await? {
            Outcome::Applied => return Ok(Swap::Applied),
            Outcome::Found(Some(found)) if found.is_live(now_ms) => {
                return Ok(Swap::Conflict(Some(found.value)));
            }
            Outcome::Found(found) => replaced = found,
        }
    }
    Err(Error::Unavailable(format!("a row of {} changes all the time", condition.table.name)))
}

fn setting<'a>(now_ms: i64, new: &'a [u8], expires_at_ms: Option<i64>) -> Vec<Parameter<'a>> {
    let ttl = Parameter::Seconds(ttl_s(now_ms, expires_at_ms));
    vec![ttl, Parameter::Blob(new), Parameter::Number(expires_at_ms.unwrap_or(NEVER))]
}

fn whole_key(key: &Key) -> impl Iterator<Item = Parameter<'_>> {
    key.partition.iter().chain(&key.clustering).map(Parameter::Key)
}

enum Outcome {
    Applied,
    /// What is there instead.
    Found(Option<Stored>),
}

async fn execute(
    cluster: &Cluster,
    table: &'static Table,
    operation: Operation,
    parameters: &[Parameter<'_>],
) -> Result<Outcome, Error> {
    let statement = cluster.prepared(table, operation).await?;
    let result = cluster.session.execute_unpaged(&statement, parameters).await;
    read_outcome(result.map_err(|error| unavailable(&error))?)
}

/// Whether a conditional statement found its condition true.
pub(super) fn is_applied(result: QueryResult) -> Result<bool, Error> {
    Ok(matches!(read_outcome(result)?, Outcome::Applied))
}

/// ScyllaDB returns the row always, Cassandra only when the condition did not hold, and nothing of a row that is not there: so columns
/// are looked up by name.
fn read_outcome(result: QueryResult) -> Result<Outcome, Error> {
    let unreadable = || Error::Corrupt("the answer to a conditional write cannot be read".to_owned());
    let rows = result.into_rows_result().map_err(|_| unreadable())?;
    let row = rows.first_row::<ColumnIterator<'_, '_>>().map_err(|_| unreadable())?;
    let (mut applied, mut value, mut expires_at_ms) = (None, None, None);
    for column in row {
        let column = column.map_err(|_| unreadable())?;
        let cell = column.slice.map(|slice| slice.as_slice());
        match column.spec.name() {
            "[applied]" => applied = cell.map(|cell| cell != [0]),
            "value" => value = cell.map(Bytes::copy_from_slice),
            "expires_ms" => expires_at_ms = cell.map(number).transpose()?,
            _ => {}
        }
    }
    match applied.ok_or_else(unreadable)? {
        true => Ok(Outcome::Applied),
        false => Ok(Outcome::Found(value.map(|value| Stored {
            value,
            expires_at_ms: expires_at_ms.unwrap_or(NEVER),
            version: 0,
        }))),
    }
}
