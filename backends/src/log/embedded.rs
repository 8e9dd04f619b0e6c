//! A log in a folder: one writer thread, one fsync per group of appends.
//!
//! Records of a topic that keeps them for a time lie in files that only grow, each covering a part of the retention: a record
//! is written once, and an old file is removed whole, which gives its space and its bytes back at once. What is small and
//! changes (topics, places, groups' progress, topics that keep one record per key) is in a fjall database beside them.

mod codec;
mod config;
mod file;
mod index;
mod retention;
mod segment;
mod topic;
mod writer;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use playhead_domain::log::{Consumer, Error, EventLog, Position, Record, TopicSpec};
use tokio::sync::{Semaphore, oneshot};

pub use config::LogConfig;

use self::retention::Janitor;
use self::topic::Topic;
use self::writer::{Append, Writer};
use super::check_key_and_meta;
use super::group::{self, Groups, Source};
use crate::clock::Clock;
use crate::engine::{self, Engine, Limits};

/// A log in a folder. Dropping it ends its threads and writes what consumers committed.
pub struct EmbeddedLog {
    files: Arc<Files>,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    creating: Mutex<()>,
    groups: Arc<Groups>,
    budget: Arc<Semaphore>,
    append_timeout: Duration,
    // Threads end in this order.
    writer: Writer,
    _janitor: Janitor,
}

/// The database and what every part of the log needs beside it.
struct Files {
    engine: Engine,
    config: LogConfig,
    clock: Clock,
    /// Where the topics' files are.
    records: PathBuf,
    /// What topics there are and where their partitions are.
    meta: fjall::Keyspace,
    /// Where the newest record of a key is, for topics that keep only that.
    newest: fjall::Keyspace,
}

/// What a permit of the budget stands for, in bytes.
const PERMIT_BYTES: usize = 1 << 10;

impl EmbeddedLog {
    /// Opens the log in `path`, creating it if there is none. Blocks; at most one log may have a folder open.
    ///
    /// # Errors
    /// When the files cannot be read or written, or were written by a newer version.
    pub fn open(path: &Path, config: LogConfig, clock: Clock) -> Result<Self, engine::Error> {
        let limits = Limits {
            cache_bytes: config.cache_bytes,
            journals_bytes: config.journals_bytes,
            min_free_bytes: config.min_free_bytes,
        };
        let records = path.join("records");
        let create = std::fs::create_dir_all(&records).and_then(|()| file::sync_folder(path));
        create.map_err(|source| engine::Error::Io { path: records.clone(), source })?;
        let engine = Engine::open(&path.join("index"), &limits)?;
        let meta = engine.keyspace("meta", || engine::rows(config.index_memtable_bytes))?;
        let newest = engine.keyspace("newest", || engine::rows(config.index_memtable_bytes))?;
        let budget = Arc::new(Semaphore::new(config.waiting_bytes / PERMIT_BYTES));
        let append_timeout = Duration::from_millis(config.append_timeout_ms);
        let files = Arc::new(Files { engine, config, clock, records, meta, newest });
        let janitor = Janitor::start(Arc::clone(&files)).map_err(engine::Error::Thread)?;
        let writer = Writer::start(Arc::clone(&files), janitor.sender()).map_err(engine::Error::Thread)?;
        Ok(Self {
            files,
            topics: RwLock::default(),
            creating: Mutex::default(),
            groups: Arc::default(),
            budget,
            append_timeout,
            writer,
            _janitor: janitor,
        })
    }

    /// Whether appends are taken now.
    ///
    /// # Errors
    /// What is wrong and what to do, for people.
    pub fn check_health(&self) -> Result<(), Arc<str>> {
        self.files.engine.check_health()
    }

    /// How far a group said it is in a partition: the offset of the next record, if it ever said so.
    #[must_use]
    pub fn committed(&self, topic: &str, group: &str, partition: u32) -> Option<u64> {
        self.topics.read().get(topic)?.committed(&self.files, group, partition)
    }

    /// Bytes of all files of the log.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    pub fn disk_bytes(&self) -> Result<u64, Error> {
        let records: u64 = self.topics.read().values().map(|topic| topic.file_bytes()).sum();
        let index = self.files.engine.database.disk_space().map_err(|error| read_error(&error))?;
        Ok(records + index)
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        self.topics.read().get(name).cloned().ok_or_else(|| Error::UnknownTopic(name.to_owned()))
    }

    fn open_topic(&self, spec: &TopicSpec) -> Result<(), Error> {
        let _one_at_a_time = self.creating.lock();
        if let Some(topic) = self.topics.read().get(spec.name) {
            return topic.adopt(&self.files, spec);
        }
        let topic = Arc::new(Topic::open(&self.files, spec)?);
        self.topics.write().insert(spec.name.to_owned(), Arc::clone(&topic));
        self.writer.register(topic);
        Ok(())
    }
}

/// A failed read: wrong bytes, or a disk that does not answer.
fn read_error(error: &fjall::Error) -> Error {
    if engine::is_corruption(error) {
        return Error::Corrupt(error.to_string());
    }
    unavailable(error)
}

/// For what failed and may go well later.
fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

#[async_trait]
impl EventLog for EmbeddedLog {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        // Rare, at start-up only, and quick: not worth a thread of its own.
        self.open_topic(topic)
    }

    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error> {
        let topic = self.topic(topic)?;
        let (bytes, limit) = (record.value.len(), topic.max_record_bytes());
        if bytes > limit {
            return Err(Error::TooLarge { bytes, limit });
        }
        check_key_and_meta(&record)?;
        let permits = codec::encoded_len(&record).div_ceil(PERMIT_BYTES);
        let permits = u32::try_from(permits).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget).try_acquire_many_owned(permits).map_err(|_| {
            Error::Busy(format!("{} bytes wait to be written", self.files.config.waiting_bytes))
        })?;
        let (reply, answer) = oneshot::channel();
        self.writer.append(Append { topic, record, reply, _permit: permit })?;
        match tokio::time::timeout(self.append_timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Unavailable("the log is closing".to_owned())),
            Err(_) => Err(Error::Unavailable("the disk did not answer in time".to_owned())),
        }
    }

    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error> {
        let topic = self.topic(topic)?;
        group::check_partition(&*topic, partition)?;
        Ok(topic.kept(partition))
    }

    async fn consume(&self, topic: &str, group: &str) -> Result<Box<dyn Consumer>, Error> {
        let source = self.topic(topic)?;
        Ok(self.groups.join(source, topic, group))
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<playhead_domain::log::StoredRecord>, Error> {
        group::read_when_there(self.topic(topic)?, partition, offset, max_bytes, wait).await
    }
}
