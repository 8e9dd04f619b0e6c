//! The schema: versions that only go forward, applied by one process at a time.
//!
//! The table `schema_migrations` in the control keyspace holds a row per applied version, and the lock of the process that applies
//! them: a row with a time to live, so that a process that died blocks the next one for minutes, not for ever. Every statement can be
//! repeated; a version is recorded after its last statement.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playhead_domain::store::Error;
use playhead_domain::table::{self, Keyspace};
use scylla::errors::ExecutionError;
use scylla::response::query_result::QueryRowsResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::unprepared::Statement;
use scylla::statement::{Consistency as CqlConsistency, SerialConsistency};
use tokio::time::Instant;

use super::cluster::{Cluster, is_refusal, unavailable};
use super::config::{Consistency, ScyllaConfig};
use super::cql;

/// One step of the schema's history.
struct Migration {
    version: i64,
    title: &'static str,
    change: Change,
}

enum Change {
    /// Creates the declared tables that are not there.
    Tables,
    /// Drops a data table that nothing reads any more.
    Drop(&'static str),
}

/// All of them, oldest first. An entry never changes once it is released; a new table is a new entry with [`Change::Tables`].
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, title: "tables of the first release", change: Change::Tables },
    Migration { version: 2, title: "tables of issues", change: Change::Tables },
    Migration { version: 3, title: "table of source maps", change: Change::Tables },
    Migration { version: 4, title: "tables of endpoints, pages and alerts", change: Change::Tables },
    Migration {
        version: 5,
        title: "session summaries live in session_state",
        change: Change::Drop("sessions"),
    },
    Migration { version: 6, title: "table of Jira", change: Change::Tables },
];

const TABLE: &str = "schema_migrations";
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// A statement and the wait for every node to know of it fit in several times.
const LOCK_TTL_S: i32 = 300;
const WAIT_FOR_LOCK: Duration = Duration::from_secs(900);
const LOCK_POLL: Duration = Duration::from_millis(500);

/// The version that this program works with.
fn needed() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the cluster's schema to what this program needs; `on_progress` is told what happens. Any number of processes may call it
/// at once, and again.
///
/// # Errors
/// [`Error::Unusable`] for settings that the cluster cannot meet and for a schema of a newer program; [`Error::Unavailable`] when the
/// cluster does not answer, after which the call is repeated.
pub async fn migrate(config: &ScyllaConfig, mut on_progress: impl FnMut(&str) + Send) -> Result<(), Error> {
    let cluster = Cluster::connect(config).await?;
    let schema = Schema { cluster: &cluster, holder: holder()? };
    schema.create_keyspaces(&mut on_progress).await?;
    schema.lock(&mut on_progress).await?;
    let done = schema.apply(&mut on_progress).await;
    let unlocked = schema.unlock().await;
    done.and(unlocked)
}

/// Refuses a cluster whose schema is not this program's.
pub(super) async fn check(cluster: &Cluster) -> Result<(), Error> {
    let schema = Schema { cluster, holder: String::new() };
    let found = if schema.has_table().await? { schema.version(false).await? } else { 0 };
    let needed = needed();
    if found > needed {
        return Err(newer(found));
    }
    if found < needed {
        return Err(Error::Unusable(format!(
            "its schema has version {found} and this program needs {needed}; run playhead migrate"
        )));
    }
    Ok(())
}

/// Whether enough nodes answer for a row to be read. A newer program may have brought the schema forward since the start.
pub(super) async fn probe(cluster: &Cluster) -> Result<(), Error> {
    Schema { cluster, holder: String::new() }.version(false).await.map(drop)
}

fn newer(found: i64) -> Error {
    let needed = needed();
    Error::Unusable(format!(
        "its schema has version {found}, written by a newer version of this program, which knows {needed}; install that version"
    ))
}

fn holder() -> Result<String, Error> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|error| unavailable(&error))?;
    Ok(format!("{:016x}", u64::from_be_bytes(random)))
}

struct Schema<'a> {
    cluster: &'a Cluster,
    /// Who this process is to the lock.
    holder: String,
}

impl Schema<'_> {
    fn table(&self) -> String {
        format!("{}.{TABLE}", self.cluster.config.control_keyspace)
    }

    async fn run(&self, text: String, values: impl SerializeRow) -> Result<QueryRowsResult, Error> {
        let result = self.cluster.session.query_unpaged(text, values).await;
        let rows = result.map_err(|error| unavailable(&error))?.into_rows_result();
        rows.map_err(|error| unavailable(&error))
    }

    /// Changes the schema; the driver waits until every node agrees.
    async fn define(&self, text: &str) -> Result<(), ExecutionError> {
        let mut statement = Statement::new(text);
        statement.set_request_timeout(Some(STATEMENT_TIMEOUT));
        self.cluster.session.query_unpaged(statement, ()).await.map(drop)
    }

    async fn names(&self, text: &str, value: &str) -> Result<Vec<String>, Error> {
        let rows = self.run(text.to_owned(), (value,)).await?;
        let rows = rows.rows::<(String,)>().map_err(|error| unavailable(&error))?;
        rows.map(|row| row.map(|(name,)| name).map_err(|error| unavailable(&error))).collect()
    }

    async fn tables(&self, keyspace: &str) -> Result<Vec<String>, Error> {
        self.names("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", keyspace).await
    }

    async fn has_table(&self) -> Result<bool, Error> {
        let tables = self.tables(&self.cluster.config.control_keyspace).await?;
        Ok(tables.iter().any(|name| name == TABLE))
    }

    /// The newest applied version. `is_serial`: with what a process wrote that died amid its last statement.
    async fn version(&self, is_serial: bool) -> Result<i64, Error> {
        let text = format!("SELECT version FROM {} WHERE kind = 'migration'", self.table());
        let mut statement = Statement::new(text);
        if is_serial {
            statement.set_consistency(match self.cluster.config.consistency {
                Consistency::LocalQuorum => CqlConsistency::LocalSerial,
                Consistency::Quorum => CqlConsistency::Serial,
            });
        }
        let result = self.cluster.session.query_unpaged(statement, ()).await;
        let rows = result.map_err(|error| unavailable(&error))?.into_rows_result();
        let rows = rows.map_err(|error| unavailable(&error))?;
        let rows = rows.rows::<(i64,)>().map_err(|error| unavailable(&error))?;
        let versions: Result<Vec<i64>, _> = rows.map(|row| row.map(|(version,)| version)).collect();
        Ok(versions.map_err(|error| unavailable(&error))?.into_iter().max().unwrap_or(0))
    }
}

/// The part that may run in several processes at once.
impl Schema<'_> {
    async fn create_keyspaces(&self, on_progress: &mut (impl FnMut(&str) + Send)) -> Result<(), Error> {
        let config = &self.cluster.config;
        let known = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        for name in [&config.keyspace, &config.control_keyspace] {
            if self.names(known, name).await?.is_empty() {
                self.check_nodes()?;
                on_progress(&format!("creating keyspace {name}"));
                self.create_keyspace(name).await?;
            }
        }
        if !self.has_table().await? {
            let text = format!(
                "CREATE TABLE IF NOT EXISTS {} (kind text, version bigint, holder text, applied_ms bigint, \
                 PRIMARY KEY (kind, version))",
                self.table()
            );
            self.define(&text).await.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), Error> {
        let (datacenter, wanted) = (&self.cluster.datacenter, self.cluster.config.replication as usize);
        let state = self.cluster.session.get_cluster_state();
        let nodes =
            state.get_nodes_info().iter().filter(|node| node.datacenter.as_ref() == Some(datacenter)).count();
        if nodes < wanted {
            return Err(Error::Unusable(format!(
                "datacenter {datacenter} has {nodes} nodes and setting replication is {wanted}; add nodes or lower it"
            )));
        }
        Ok(())
    }

    async fn create_keyspace(&self, name: &str) -> Result<(), Error> {
        let config = &self.cluster.config;
        let text = format!(
            "CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = \
             {{'class': 'NetworkTopologyStrategy', '{}': {}}}",
            self.cluster.datacenter.replace('\'', "''"),
            config.replication
        );
        // ScyllaDB's tablets take conditional writes only from 2025.4 on; Cassandra does not know the option.
        let has_tablets = self.tables("system").await?.iter().any(|table| table == "tablets");
        if *name == config.control_keyspace && has_tablets {
            match self.define(&format!("{text} AND tablets = {{'enabled': false}}")).await {
                // A cluster may be set to take nothing but tablets; then it is new enough.
                Err(error) if is_refusal(&error) => {}
                other => return other.map_err(|error| unavailable(&error)),
            }
        }
        self.define(&text).await.map_err(|error| unavailable(&error))
    }
}

/// The part for the holder of the lock.
impl Schema<'_> {
    async fn lock(&self, on_progress: &mut (impl FnMut(&str) + Send)) -> Result<(), Error> {
        let end = Instant::now() + WAIT_FOR_LOCK;
        let mut is_told = false;
        loop {
            match self.take_lock("null").await {
                Ok(true) => return Ok(()),
                Err(error) if !error.is_retryable() => return Err(error),
                // An unknown outcome may be that this process has it.
                Err(_) if matches!(self.take_lock(&format!("'{}'", self.holder)).await, Ok(true)) => {
                    return Ok(());
                }
                Ok(false) | Err(_) => {}
            }
            if Instant::now() > end {
                return Err(Error::Unavailable("another process holds the lock of migrations".to_owned()));
            }
            if !is_told {
                on_progress("waiting for another process that migrates");
                is_told = true;
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
    }

    /// Takes the lock from `from`, or keeps it for longer.
    async fn take_lock(&self, from: &str) -> Result<bool, Error> {
        let text = format!(
            "UPDATE {} USING TTL {LOCK_TTL_S} SET holder = '{}' WHERE kind = 'lock' AND version = 0 IF holder = {from}",
            self.table(),
            self.holder
        );
        self.is_applied(text).await
    }

    async fn keep_lock(&self) -> Result<(), Error> {
        if self.take_lock(&format!("'{}'", self.holder)).await? {
            return Ok(());
        }
        Err(Error::Unavailable("another process took the lock of migrations".to_owned()))
    }

    async fn unlock(&self) -> Result<(), Error> {
        let text = format!(
            "DELETE FROM {} WHERE kind = 'lock' AND version = 0 IF holder = '{}'",
            self.table(),
            self.holder
        );
        self.is_applied(text).await.map(drop)
    }

    async fn is_applied(&self, text: String) -> Result<bool, Error> {
        let mut statement = Statement::new(text);
        statement.set_serial_consistency(Some(match self.cluster.config.consistency {
            Consistency::LocalQuorum => SerialConsistency::LocalSerial,
            Consistency::Quorum => SerialConsistency::Serial,
        }));
        let result = self.cluster.session.query_unpaged(statement, ()).await;
        super::swap::is_applied(result.map_err(|error| unavailable(&error))?)
    }

    async fn apply(&self, on_progress: &mut (impl FnMut(&str) + Send)) -> Result<(), Error> {
        let found = self.version(true).await?;
        if found > needed() {
            return Err(newer(found));
        }
        for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
            on_progress(&format!("version {}: {}", migration.version, migration.title));
            match migration.change {
                Change::Tables => self.create_tables(on_progress).await?,
                Change::Drop(table) => self.drop_table(table).await?,
            }
            self.record(migration).await?;
        }
        on_progress(&format!("the schema has version {}", needed()));
        Ok(())
    }

    async fn create_tables(&self, on_progress: &mut (impl FnMut(&str) + Send)) -> Result<(), Error> {
        let config = &self.cluster.config;
        for table in table::ALL {
            self.keep_lock().await?;
            on_progress(&format!("table {}", table.name));
            let keyspace = match table.keyspace {
                Keyspace::Data => &config.keyspace,
                Keyspace::Control => &config.control_keyspace,
            };
            let text = cql::create_table(keyspace, table);
            self.define(&text).await.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    async fn drop_table(&self, table: &str) -> Result<(), Error> {
        self.keep_lock().await?;
        let text = format!("DROP TABLE IF EXISTS {}.{table}", self.cluster.config.keyspace);
        self.define(&text).await.map_err(|error| unavailable(&error))
    }

    async fn record(&self, migration: &Migration) -> Result<(), Error> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.keep_lock().await?;
        let text = format!(
            "INSERT INTO {} (kind, version, holder, applied_ms) VALUES ('migration', {}, '{}', {}) IF NOT EXISTS",
            self.table(),
            migration.version,
            self.holder,
            since_epoch.as_millis()
        );
        self.is_applied(text).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_only_grow() {
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].version < pair[1].version));
        assert!(needed() > 0);
    }

    #[test]
    fn what_is_dropped_is_retired_and_used_no_more() {
        let dropped = MIGRATIONS.iter().filter_map(|migration| match migration.change {
            Change::Drop(table) => Some(table),
            Change::Tables => None,
        });
        assert_eq!(dropped.collect::<Vec<_>>(), table::RETIRED);
        assert!(table::ALL.iter().all(|table| !table::RETIRED.contains(&table.name)));
    }
}
