//! The database's keyspaces, and the index of what is due to go.
//!
//! `table.NAME` holds rows; `graves` deletes; `due` an entry for everything that ends at a known time:
//! `time | table name | 0 | key` for a row, `time | 0 | hash` for a grave; `meta` the hash's salt, and whether a reclaim is wanted.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::{Keyspace, PersistMode};
use parking_lot::{Mutex, RwLock};
use playhead_domain::store::Error;
use playhead_domain::table::{self, Table};

use super::grave::GraveKey;
use super::{StoreConfig, read_error};
use crate::clock::Clock;
use crate::engine::{self, Engine, Limits};

/// The database and what every part of the store needs beside it.
pub(super) struct Files {
    pub(super) engine: Engine,
    pub(super) config: StoreConfig,
    pub(super) clock: Clock,
    pub(super) graves: Keyspace,
    pub(super) due: Keyspace,
    pub(super) salt: [u8; 32],
    pub(super) reclaim: WantedReclaim,
    tables: HashMap<&'static str, (&'static Table, Keyspace)>,
    /// Tables whose files may still hold what was removed. All of them after a start: nobody knows.
    pub(super) unclean: Mutex<HashSet<&'static str>>,
    /// Held by every scan.
    pub(super) scans: RwLock<()>,
}

/// Something that ends at a known time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    Row(&'static Table, Vec<u8>),
    /// A row of a table that is there no more.
    Retired,
    Grave(GraveKey),
}

impl Files {
    pub(super) fn open(
        path: &Path,
        tables: &[&'static Table],
        config: StoreConfig,
        clock: Clock,
    ) -> Result<Self, engine::Error> {
        let limits = Limits {
            cache_bytes: config.cache_bytes,
            journals_bytes: config.journals_bytes,
            min_free_bytes: config.min_free_bytes,
        };
        let engine = Engine::open(path, &limits)?;
        let rows = || engine::rows(config.memtable_bytes);
        let (graves, due) = (engine.keyspace("graves", rows)?, engine.keyspace("due", rows)?);
        let mut opened = HashMap::new();
        for table in tables {
            let keyspace = engine.keyspace(&format!("table.{}", table.name), rows)?;
            opened.insert(table.name, (*table, keyspace));
        }
        for name in table::RETIRED.iter().filter(|&name| !opened.contains_key(name)) {
            engine.drop_keyspace(&format!("table.{name}"))?;
        }
        let meta = engine.keyspace("meta", || engine::rows(1 << 20))?;
        let salt = read_salt(&engine, &meta)?;
        let reclaim = WantedReclaim::open(&engine, meta)?;
        let unclean = Mutex::new(opened.keys().copied().collect());
        let scans = RwLock::default();
        Ok(Self { engine, config, clock, graves, due, salt, reclaim, tables: opened, unclean, scans })
    }

    /// The table's rows.
    pub(super) fn table(&self, table: &'static Table) -> Result<&Keyspace, Error> {
        let unknown =
            || Error::BadKey { table: table.name, detail: "the store was opened without it".to_owned() };
        self.tables.get(table.name).map(|(_, keyspace)| keyspace).ok_or_else(unknown)
    }

    /// The rows of the table of that name.
    pub(super) fn table_named(&self, name: &str) -> Option<&Keyspace> {
        self.tables.get(name).map(|(_, keyspace)| keyspace)
    }

    /// Everything that is written, for flushes.
    pub(super) fn keyspaces(&self) -> Vec<Keyspace> {
        let tables = self.tables.values().map(|(_, keyspace)| keyspace);
        tables.chain([&self.graves, &self.due, &self.reclaim.meta]).cloned().collect()
    }

    pub(super) fn row_due_key(due_ms: i64, table: &'static Table, key: &[u8]) -> Vec<u8> {
        [&due_time(due_ms)[..], table.name.as_bytes(), &[0], key].concat()
    }

    pub(super) fn grave_due_key(due_ms: i64, key: GraveKey) -> Vec<u8> {
        [&due_time(due_ms)[..], &[0], &key.0].concat()
    }

    /// Up to `limit` things that ended by `now_ms`, with their entries' keys, earliest first.
    pub(super) fn list_due(&self, now_ms: i64, limit: usize) -> Result<Vec<(Vec<u8>, Due)>, Error> {
        let end = due_time(now_ms.saturating_add(1));
        let mut found = Vec::new();
        for entry in self.due.range(..&end[..]).take(limit) {
            let key = entry.key().map_err(|error| read_error(&error))?.to_vec();
            let due = self.parse_due(&key);
            let due = due.ok_or_else(|| Error::Corrupt("an expiry entry cannot be read".to_owned()))?;
            found.push((key, due));
        }
        Ok(found)
    }

    fn parse_due(&self, key: &[u8]) -> Option<Due> {
        let rest = key.get(8..)?;
        let name_len = rest.iter().position(|&byte| byte == 0)?;
        let (name, after) = (std::str::from_utf8(&rest[..name_len]).ok()?, &rest[name_len + 1..]);
        if name.is_empty() {
            return Some(Due::Grave(GraveKey(after.try_into().ok()?)));
        }
        if table::RETIRED.contains(&name) {
            return Some(Due::Retired);
        }
        Some(Due::Row(self.tables.get(name)?.0, after.to_vec()))
    }
}

/// Calls for a reclaim that none has served yet. The files remember that there are some, so that a stop forgets none.
pub(super) struct WantedReclaim {
    meta: Keyspace,
    /// Read without the lock, which is held while the disk is waited for.
    calls: AtomicU64,
    writing: Mutex<()>,
}

const RECLAIM_KEY: &str = "reclaim";

impl WantedReclaim {
    fn open(engine: &Engine, meta: Keyspace) -> Result<Self, engine::Error> {
        let noted = meta.contains_key(RECLAIM_KEY).map_err(|error| engine.error("reading", error))?;
        Ok(Self { meta, calls: AtomicU64::new(u64::from(noted)), writing: Mutex::default() })
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.calls() > 0
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// On return the call is noted durably.
    pub(super) fn call(&self, engine: &Engine) -> fjall::Result<()> {
        let _writing = self.writing.lock();
        if !self.is_wanted() {
            let mut batch = engine.database.batch().durability(Some(PersistMode::SyncData));
            batch.insert(&self.meta, RECLAIM_KEY, []);
            batch.commit()?;
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// A reclaim that began when there were so many calls is done.
    pub(super) fn served(&self, engine: &Engine, calls: u64) -> fjall::Result<()> {
        let _writing = self.writing.lock();
        if self.calls() == calls {
            let mut batch = engine.database.batch();
            batch.remove(&self.meta, RECLAIM_KEY);
            batch.commit()?;
            self.calls.store(0, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Sorts by time.
fn due_time(due_ms: i64) -> [u8; 8] {
    (due_ms ^ i64::MIN).to_be_bytes()
}

/// The salt of the hashes of deleted keys, made once.
fn read_salt(engine: &Engine, meta: &Keyspace) -> Result<[u8; 32], engine::Error> {
    let stored = meta.get("salt").map_err(|error| engine.error("reading", error))?;
    if let Some(stored) = stored {
        return stored[..].try_into().map_err(|_| engine.format_error("the salt has another length"));
    }
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| engine::Error::Randomness(error.to_string()))?;
    let mut batch = engine.database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(meta, "salt", salt);
    batch.commit().map_err(|error| engine.error("writing", error))?;
    Ok(salt)
}
