//! What the embedded log and store share: opening a fjall database within bounds, emptying its journal, and knowing
//! whether it may still be written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fjall::config::PartitioningPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use parking_lot::Mutex;

use crate::journal;

/// Why a database in the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} is damaged and cannot be opened ({source}); restore the data folder from a backup, see docs/runbook.md",
        path = path.display())]
    Damaged { path: PathBuf, source: fjall::Error },
    #[error("{action} in {path} failed: {source}", path = path.display())]
    Database { action: &'static str, path: PathBuf, source: fjall::Error },
    #[error("{path} cannot be used: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} holds something that this version does not understand: {detail}", path = path.display())]
    Format { path: PathBuf, detail: String },
    #[error("the system gives no random bytes: {0}")]
    Randomness(String),
    #[error("a background thread could not start: {0}")]
    Thread(std::io::Error),
}

impl Error {
    /// Whether the same call may succeed later: an open database only fails for good.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Bounds of one database, in bytes.
pub(crate) struct Limits {
    pub(crate) cache_bytes: u64,
    pub(crate) journals_bytes: u64,
    pub(crate) min_free_bytes: u64,
}

/// fjall seals a journal once it is longer than this, and only when a memtable is flushed.
const JOURNAL_BYTES: usize = 64_000_000;
/// The smallest bound of all journals together that fjall takes.
const MIN_JOURNALS_BYTES: u64 = 64 << 20;
const PADDING_BYTES: usize = 1 << 20;
const FREE_SPACE_CHECK_EVERY: Duration = Duration::from_secs(1);
const FLUSH_DEADLINE: Duration = Duration::from_secs(60);
/// Tables kept open to read them, of as many as there are: shells give 1,024 descriptors, and connections need theirs.
const MAX_OPEN_TABLES: usize = 64;

/// A fjall database and whether it may be written.
pub(crate) struct Engine {
    pub(crate) database: Database,
    path: PathBuf,
    min_free_bytes: u64,
    padding: Keyspace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failure: Option<Arc<str>>,
    free_space: Option<(Instant, u64)>,
}

impl Engine {
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let failed = |source| match source {
            fjall::Error::JournalRecovery(_) => Error::Damaged { path: path.to_owned(), source },
            _ => Error::Database { action: "opening the database", path: path.to_owned(), source },
        };
        let database = match open_database(path, limits) {
            Err(fjall::Error::JournalRecovery(_)) if cut_torn_batch(path)? => open_database(path, limits),
            opened => opened,
        };
        let database = database.map_err(failed)?;
        let padding = database.keyspace("padding", || rows(1 << 20)).map_err(failed)?;
        let (path, min_free_bytes) = (path.to_owned(), limits.min_free_bytes);
        Ok(Self { database, path, min_free_bytes, padding, state: Mutex::default() })
    }

    pub(crate) fn keyspace(
        &self,
        name: &str,
        options: impl FnOnce() -> KeyspaceCreateOptions,
    ) -> Result<Keyspace, Error> {
        self.database.keyspace(name, options).map_err(|source| self.error("creating a keyspace", source))
    }

    /// Deletes a keyspace with its files, if it is there.
    pub(crate) fn drop_keyspace(&self, name: &str) -> Result<(), Error> {
        if !self.database.keyspace_exists(name) {
            return Ok(());
        }
        let keyspace = self.keyspace(name, || rows(1 << 20))?;
        self.database.delete_keyspace(keyspace).map_err(|source| self.error("deleting a keyspace", source))
    }

    pub(crate) fn error(&self, action: &'static str, source: fjall::Error) -> Error {
        Error::Database { action, path: self.path.clone(), source }
    }

    pub(crate) fn format_error(&self, detail: impl Into<String>) -> Error {
        Error::Format { path: self.path.clone(), detail: detail.into() }
    }

    /// Refuses writes after a failed one, and while the disk is nearly full. A failed write is final: what the files hold
    /// is only certain after they were opened anew.
    pub(crate) fn check_writable(&self) -> Result<(), Arc<str>> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.failure {
            return Err(Arc::clone(failure));
        }
        let known = state.free_space.filter(|(checked, _)| checked.elapsed() < FREE_SPACE_CHECK_EVERY);
        let free_bytes = match known {
            Some((_, free_bytes)) => free_bytes,
            None => fs4::available_space(&self.path).unwrap_or(u64::MAX),
        };
        if known.is_none() {
            state.free_space = Some((Instant::now(), free_bytes));
        }
        if free_bytes < self.min_free_bytes {
            let (path, needed) = (self.path.display(), self.min_free_bytes);
            let message =
                format!("{path} has {free_bytes} bytes free and needs {needed}: make room on its disk");
            return Err(message.into());
        }
        Ok(())
    }

    /// Refuses a rewrite that writes so many bytes, and fills a journal, where the disk has no room for that: a full disk makes fjall
    /// refuse everything until a restart.
    pub(crate) fn check_room_for(&self, bytes: u64) -> fjall::Result<()> {
        let free_bytes = fs4::available_space(&self.path).unwrap_or(u64::MAX);
        let needed = self.min_free_bytes.saturating_add(2 * JOURNAL_BYTES as u64).saturating_add(bytes);
        if free_bytes >= needed {
            return Ok(());
        }
        let error = format!("the disk has {free_bytes} bytes free, a rewrite needs {needed}: make room");
        Err(std::io::Error::new(std::io::ErrorKind::StorageFull, error).into())
    }

    /// Remembers that a write failed and returns what to tell.
    pub(crate) fn fail(&self, error: &dyn std::fmt::Display) -> Arc<str> {
        let path = self.path.display();
        let message: Arc<str> =
            format!("a write in {path} failed, restart once its disk works again: {error}").into();
        let mut state = self.state.lock();
        if state.failure.is_none() {
            tracing::error!(%error, path = %self.path.display(), "no more writes are taken");
        }
        Arc::clone(state.failure.get_or_insert(message))
    }

    /// [`Engine::check_writable`], and whether the background threads still work.
    pub(crate) fn check_health(&self) -> Result<(), Arc<str>> {
        self.database.persist(PersistMode::Buffer).map_err(|error| self.fail(&error))?;
        self.check_writable()
    }

    /// The number of the journal that is written.
    fn newest_journal(&self) -> Option<u64> {
        journal::newest(&self.path).ok().flatten().map(|(number, _)| number)
    }

    /// Moves what is in memory into the tables of `keyspaces`.
    pub(crate) fn flush(&self, keyspaces: &[Keyspace]) -> fjall::Result<()> {
        for keyspace in keyspaces {
            keyspace.rotate_memtable()?;
        }
        let started = Instant::now();
        while keyspaces.iter().any(|keyspace| keyspace.sealed_memtable_count() > 0) {
            // A dead background thread would never finish: this fails when it is.
            self.database.persist(PersistMode::Buffer)?;
            if started.elapsed() > FLUSH_DEADLINE {
                return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Makes the journals of everything written so far vanish. `keyspaces` are all that are written.
    ///
    /// fjall seals its journal by length only, and removes a sealed one once the tables hold all it says. So the journal
    /// is filled up with zeros that no table ever sees, sealed by a flush, and let go by flushing the rest.
    pub(crate) fn replace_journal(&self, keyspaces: &[Keyspace]) -> fjall::Result<()> {
        let zeros = fjall::Slice::from(vec![0; PADDING_BYTES]);
        let journal = self.newest_journal();
        for count in 0..=JOURNAL_BYTES / PADDING_BYTES {
            self.padding.insert("padding", zeros.clone())?;
            self.padding.clear()?;
            if count % 8 == 7 {
                self.padding.insert("seal", [0])?;
                self.flush(std::slice::from_ref(&self.padding))?;
            }
            if self.newest_journal() != journal {
                break;
            }
        }
        self.padding.insert("seal", [1])?;
        self.flush(std::slice::from_ref(&self.padding))?;
        self.flush(keyspaces)?;
        // Journals go with the flush after the one that made them superfluous.
        self.tidy_up()
    }

    /// Rewrites the table of `keyspace` without what was removed from it, and gives its old files back to the disk.
    ///
    /// # Errors
    /// The table is there twice meanwhile: when the disk has no room for that, nothing is tried.
    pub(crate) fn rewrite(&self, keyspace: &Keyspace) -> fjall::Result<()> {
        self.check_room_for(keyspace.disk_space())?;
        self.flush(std::slice::from_ref(keyspace))?;
        keyspace.major_compact()?;
        self.tidy_up()
    }

    /// Removes the files that nothing refers to any more. fjall does that with every flush, for those that were given up
    /// before the last write.
    fn tidy_up(&self) -> fjall::Result<()> {
        for mark in 0..2 {
            self.padding.insert("tidy", [mark])?;
            self.flush(std::slice::from_ref(&self.padding))?;
        }
        Ok(())
    }
}

fn open_database(path: &Path, limits: &Limits) -> fjall::Result<Database> {
    // One of them only flushes, and spins while there is something to compact and all others compact: with three that is rare. One alone would keep
    // flushes, and writers that wait for them, waiting for a rewrite of a whole table, or fill its own queue.
    Database::builder(path)
        .cache_size(limits.cache_bytes)
        .max_journaling_size(limits.journals_bytes.max(MIN_JOURNALS_BYTES))
        .journal_compression(CompressionType::None)
        .max_cached_files(Some(MAX_OPEN_TABLES))
        .worker_threads(3)
        .open()
}

/// Whether there was a batch at the journal's end that a power cut left torn.
fn cut_torn_batch(path: &Path) -> Result<bool, Error> {
    let cut = journal::cut_torn_batch(path);
    let cut = cut.map_err(|source| Error::Io { path: path.to_owned(), source })?;
    if let Some(cut) = &cut {
        let (journal, at_bytes) = (cut.journal.display(), cut.at_bytes);
        tracing::warn!(%journal, at_bytes, "a write that the last stop interrupted was dropped; it was never acknowledged");
    }
    Ok(cut.is_some())
}

/// Small rows: no key-value separation. The filter and the index of a file are read by the piece: as a whole a filter is more than a megabyte, which
/// would be read and checked for a single row whenever the cache does not have it.
pub(crate) fn rows(memtable_bytes: u64) -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(memtable_bytes)
        .filter_block_partitioning_policy(PartitioningPolicy::all(true))
        .index_block_partitioning_policy(PartitioningPolicy::all(true))
}

/// Whether the stored bytes themselves are wrong, rather than their reading.
pub(crate) fn is_corruption(error: &fjall::Error) -> bool {
    use fjall::LsmError;
    matches!(
        error,
        fjall::Error::Storage(
            LsmError::ChecksumMismatch { .. } | LsmError::InvalidHeader(_) | LsmError::InvalidTag(_)
        ) | fjall::Error::InvalidTag(_)
            | fjall::Error::InvalidTrailer
            | fjall::Error::Decompress(_)
    )
}
