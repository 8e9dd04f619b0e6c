//! A topic: its settings, its segments and where its partitions are.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf, BufMut};
use fjall::PersistMode;
use parking_lot::{Mutex, RwLock};
use playhead_domain::log::{Error, Retention, StoredRecord, TopicSpec};
use tokio::sync::watch;

use super::segment::{Records, Segment};
use super::{Files, file, read_error, unavailable};
use crate::engine;
use crate::log::group::Source;

/// How many segments one read looks into, at most.
const SEGMENTS: usize = 16;

/// A topic that this process uses.
pub(super) struct Topic {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) partitions: Vec<Partition>,
    settings: RwLock<Settings>,
    /// Where its files of records are.
    folder: PathBuf,
    /// The number of the next one.
    next_file: AtomicU64,
    /// Oldest first; the last one takes the appends.
    pub(super) segments: RwLock<Vec<Arc<Segment>>>,
    /// What groups committed and the writer has not written yet.
    pub(super) commits: Mutex<HashMap<(String, u32), u64>>,
    changes: watch::Sender<u64>,
}

/// What may change between two starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    retention: Retention,
    max_record_bytes: usize,
}

/// Where a partition is. Written by the writer only.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// The next offset; everything below is durable.
    pub(super) next: AtomicU64,
    pub(super) last_append_us: AtomicI64,
}

impl Topic {
    /// Opens the topic, creating it if there is none.
    pub(super) fn open(files: &Files, spec: &TopicSpec) -> Result<Self, Error> {
        let stored = files.meta.get(meta_key(spec.name)).map_err(|error| read_error(&error))?;
        let (id, partitions, settings) = match stored {
            Some(stored) => decode_meta(&stored)?,
            None => (next_id(files)?, spec.partitions, Settings::of(spec)),
        };
        check_same(spec, partitions, settings)?;
        let topic = Self {
            id,
            name: spec.name.to_owned(),
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            settings: RwLock::new(Settings::of(spec)),
            folder: files.records.join(id.to_string()),
            next_file: AtomicU64::new(0),
            segments: RwLock::default(),
            commits: Mutex::default(),
            changes: watch::Sender::new(0),
        };
        topic.store_meta(files)?;
        topic.recover(files)?;
        Ok(topic)
    }

    /// Checks that the settings that cannot change are the same, and takes over the others.
    pub(super) fn adopt(&self, files: &Files, spec: &TopicSpec) -> Result<(), Error> {
        let settings = *self.settings.read();
        check_same(spec, self.partitions(), settings)?;
        if settings != Settings::of(spec) {
            *self.settings.write() = Settings::of(spec);
            self.store_meta(files)?;
        }
        Ok(())
    }

    pub(super) fn retention(&self) -> Retention {
        self.settings.read().retention
    }

    pub(super) fn max_record_bytes(&self) -> usize {
        self.settings.read().max_record_bytes
    }

    pub(super) fn committed(&self, files: &Files, group: &str, partition: u32) -> Option<u64> {
        if let Some(offset) = self.commits.lock().get(&(group.to_owned(), partition)) {
            return Some(*offset);
        }
        let stored = files.meta.get(self.commit_key(group, partition)).ok()??;
        Some((&stored[..]).try_get_u64().unwrap_or_default())
    }

    /// Per partition, the offset that all groups are beyond; nothing when no group ever committed.
    pub(super) fn consumed(&self, files: &Files) -> Result<Option<Vec<u64>>, Error> {
        let prefix = self.commit_key("", 0)[..5].to_vec();
        let mut groups: HashSet<String> =
            self.commits.lock().keys().map(|(group, _)| group.clone()).collect();
        for entry in files.meta.prefix(prefix) {
            let key = entry.key().map_err(|error| read_error(&error))?;
            groups.insert(String::from_utf8_lossy(&key[9..]).into_owned());
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let slowest = |partition| {
            let committed = |group: &String| self.committed(files, group, partition).unwrap_or_default();
            groups.iter().map(committed).min().unwrap_or_default()
        };
        Ok(Some((0..self.partitions()).map(slowest).collect()))
    }

    pub(super) fn commit_key(&self, group: &str, partition: u32) -> Vec<u8> {
        let mut key = vec![b'g'];
        key.put_u32(self.id);
        key.put_u32(partition);
        key.put_slice(group.as_bytes());
        key
    }

    /// Where a partition's place is kept once its records are gone.
    pub(super) fn place_key(&self, partition: u32) -> Vec<u8> {
        let mut key = vec![b'p'];
        key.put_u32(self.id);
        key.put_u32(partition);
        key
    }

    /// A new file of records.
    pub(super) fn create_segment(&self, started_us: i64) -> Result<Arc<Segment>, Error> {
        let number = self.next_file.fetch_add(1, Ordering::Relaxed);
        let segment = Segment::create_file(&self.folder, number, started_us, self.partitions.len());
        Ok(Arc::new(segment.map_err(unavailable)?))
    }

    /// Seals all files but the one that takes the appends, or all. Called by the writer only.
    pub(super) fn seal_files(&self, all: bool) -> std::io::Result<()> {
        let open: Vec<Arc<Segment>> = {
            let segments = self.segments.read();
            let finished = segments.iter().rev().skip(usize::from(!all));
            finished.take_while(|segment| segment.is_open()).cloned().collect()
        };
        open.iter().try_for_each(|segment| segment.seal())
    }

    /// Bytes of its files of records.
    pub(super) fn file_bytes(&self) -> u64 {
        self.segments.read().iter().map(|segment| segment.file_bytes()).sum()
    }

    /// Where the newest record of a key is noted.
    pub(super) fn newest_key(&self, partition: u32, key: &[u8]) -> Vec<u8> {
        let mut index_key = Vec::with_capacity(8 + key.len());
        index_key.put_u32(self.id);
        index_key.put_u32(partition);
        index_key.put_slice(key);
        index_key
    }

    fn store_meta(&self, files: &Files) -> Result<(), Error> {
        let stored = encode_meta(self.id, self.partitions(), *self.settings.read());
        let mut batch = files.engine.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&files.meta, meta_key(&self.name), stored);
        batch.commit().map_err(|error| Error::Unavailable(files.engine.fail(&error).to_string()))
    }

    /// Finds the segments, and from them the partitions' places.
    fn recover(&self, files: &Files) -> Result<(), Error> {
        let segments = match self.retention() {
            Retention::Time(_) => self.recover_files(&files.records)?,
            Retention::NewestPerKey => vec![Arc::new(self.recover_rows(files)?)],
        };
        for (number, partition) in (0..).zip(&self.partitions) {
            let stored = files.meta.get(self.place_key(number)).map_err(|error| read_error(&error))?;
            let mut place = stored.as_deref().unwrap_or_default();
            let next = place.try_get_u64().unwrap_or_default();
            let last_append_us = place.try_get_i64().unwrap_or_default();
            let end = segments.iter().map(|segment| segment.end(number)).max().unwrap_or_default();
            let newest = segments.iter().map(|segment| segment.newest_append_us()).max().unwrap_or_default();
            partition.next.store(next.max(end), Ordering::Release);
            partition.last_append_us.store(last_append_us.max(newest), Ordering::Release);
        }
        *self.segments.write() = segments;
        Ok(())
    }

    fn recover_files(&self, records: &Path) -> Result<Vec<Arc<Segment>>, Error> {
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| file::sync_folder(records))
            .map_err(unavailable)?;
        let mut segments = Vec::new();
        for (number, path) in file::list(&self.folder).map_err(unavailable)? {
            self.next_file.store(number + 1, Ordering::Relaxed);
            segments.extend(Segment::recover_file(path, self.partitions.len())?.map(Arc::new));
        }
        Ok(segments)
    }

    fn recover_rows(&self, files: &Files) -> Result<Segment, Error> {
        let options = || engine::rows(files.config.index_memtable_bytes);
        let rows = files.engine.keyspace(&format!("rows.{}", self.id), options);
        let rows = rows.map_err(unavailable)?;
        Segment::recover_rows(rows, self.partitions())
    }

    /// Where the records of a topic that keeps the newest per key are.
    pub(super) fn rows(&self) -> Option<fjall::Keyspace> {
        match self.segments.read().last()?.records() {
            Records::Rows(rows) => Some(rows.clone()),
            Records::File(_) => None,
        }
    }

    /// The first offset there is. Of a topic that keeps the newest per key, it moves as records are replaced.
    fn first(&self, partition: u32, next: u64) -> u64 {
        let segments = self.segments.read();
        segments.iter().find_map(|segment| segment.first(partition)).unwrap_or(next)
    }

    fn read_blocking(
        &self,
        partition: u32,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Vec<StoredRecord>, Error> {
        let next = self.partitions[partition as usize].next.load(Ordering::Acquire);
        let segments: Vec<Arc<Segment>> = {
            let segments = self.segments.read();
            segments
                .iter()
                .filter(|segment| segment.end(partition) > offset)
                .take(SEGMENTS)
                .cloned()
                .collect()
        };
        let mut records = Vec::new();
        let mut budget = max_bytes.max(1);
        for segment in segments {
            if !segment.read(partition, offset, next, &mut budget, &mut records)? {
                break;
            }
        }
        Ok(records)
    }
}

#[async_trait]
impl Source for Topic {
    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn kept(&self, partition: u32) -> Range<u64> {
        let next = self.partitions[partition as usize].next.load(Ordering::Acquire);
        self.first(partition, next).min(next)..next
    }

    async fn read_from(
        self: Arc<Self>,
        partition: u32,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Vec<StoredRecord>, Error> {
        if offset >= self.partitions[partition as usize].next.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        tokio::task::spawn_blocking(move || self.read_blocking(partition, offset, max_bytes))
            .await
            .map_err(unavailable)?
    }

    fn changes(&self) -> &watch::Sender<u64> {
        &self.changes
    }

    fn commit(&self, group: &str, partition: u32, next_offset: u64) {
        self.commits.lock().insert((group.to_owned(), partition), next_offset);
    }
}

impl Settings {
    const fn of(spec: &TopicSpec) -> Self {
        Self { retention: spec.retention, max_record_bytes: spec.max_record_bytes }
    }
}

/// Partition count and kind of retention are for ever.
fn check_same(spec: &TopicSpec, partitions: u32, settings: Settings) -> Result<(), Error> {
    let kind = std::mem::discriminant(&settings.retention);
    if partitions == spec.partitions && kind == std::mem::discriminant(&spec.retention) {
        return Ok(());
    }
    let detail = format!(
        "it has {partitions} partitions and keeps {:?}, asked for are {} and {:?}",
        settings.retention, spec.partitions, spec.retention
    );
    Err(Error::TopicMismatch { topic: spec.name.to_owned(), detail })
}

fn meta_key(name: &str) -> Vec<u8> {
    [b"t", name.as_bytes()].concat()
}

fn next_id(files: &Files) -> Result<u32, Error> {
    let mut next = 1;
    for entry in files.meta.prefix("t") {
        let stored = entry.value().map_err(|error| read_error(&error))?;
        next = next.max(decode_meta(&stored)?.0 + 1);
    }
    Ok(next)
}

fn encode_meta(id: u32, partitions: u32, settings: Settings) -> Vec<u8> {
    let mut stored = Vec::with_capacity(24);
    stored.put_u32(id);
    stored.put_u32(partitions);
    // 0: the newest per key.
    let retention_us = match settings.retention {
        Retention::Time(kept) => u64::try_from(kept.as_micros()).unwrap_or(u64::MAX).max(1),
        Retention::NewestPerKey => 0,
    };
    stored.put_u64(retention_us);
    stored.put_u64(settings.max_record_bytes as u64);
    stored
}

fn decode_meta(mut stored: &[u8]) -> Result<(u32, u32, Settings), Error> {
    if stored.len() < 24 {
        return Err(Error::Corrupt("a topic's settings are cut off".to_owned()));
    }
    let (id, partitions) = (stored.get_u32(), stored.get_u32());
    let retention = match stored.get_u64() {
        0 => Retention::NewestPerKey,
        retention_us => Retention::Time(Duration::from_micros(retention_us)),
    };
    let max_record_bytes = usize::try_from(stored.get_u64()).unwrap_or(usize::MAX);
    Ok((id, partitions, Settings { retention, max_record_bytes }))
}
