//! The one thread that writes: it takes what waits, makes it durable with one fsync, and answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use fjall::{OwnedWriteBatch, PersistMode};
use parking_lot::Mutex;
use playhead_domain::log::{Error, Position, Record, Retention};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::segment::Segment;
use super::topic::Topic;
use super::{Files, codec, read_error, retention};
use crate::engine;
use crate::log::{group, partition_of};

/// A record that waits to become durable. The permit bounds how many bytes wait.
pub(super) struct Append {
    pub(super) topic: Arc<Topic>,
    pub(super) record: Record,
    pub(super) reply: oneshot::Sender<Result<Position, Error>>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// How often groups' progress is written when nothing is appended.
const IDLE_TICK: Duration = Duration::from_millis(500);
/// After this long without an append, what is in memory goes to files.
const IDLE_FLUSH: Duration = Duration::from_secs(10);
/// How long a group waits for those who were in the last one and have only just been answered. Less than an fsync takes.
const GATHER: Duration = Duration::from_micros(200);

/// The writer's thread. Dropping it writes what still waits and ends it.
pub(super) struct Writer {
    sender: Option<Sender<Append>>,
    topics: Arc<Mutex<Vec<Arc<Topic>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(files: Arc<Files>, dropped: Sender<Arc<Segment>>) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let topics: Arc<Mutex<Vec<Arc<Topic>>>> = Arc::default();
        let work = Work {
            files,
            topics: Arc::clone(&topics),
            dropped,
            swept: Instant::now(),
            appended: None,
            last_group: 0,
        };
        let thread =
            std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || work.run(&receiver))?;
        Ok(Self { sender: Some(sender), topics, thread: Some(thread) })
    }

    /// Lets the writer look after the topic's retention and commits.
    pub(super) fn register(&self, topic: Arc<Topic>) {
        self.topics.lock().push(topic);
    }

    pub(super) fn append(&self, append: Append) -> Result<(), Error> {
        let closing = || Error::Unavailable("the log is closing".to_owned());
        self.sender.as_ref().ok_or_else(closing)?.send(append).map_err(|_| closing())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // A panicked writer has nothing left to wait for.
            let _ = thread.join();
        }
    }
}

struct Work {
    files: Arc<Files>,
    topics: Arc<Mutex<Vec<Arc<Topic>>>>,
    dropped: Sender<Arc<Segment>>,
    swept: Instant,
    /// When something was last appended that may still be in memory only.
    appended: Option<Instant>,
    /// How many records the last group had.
    last_group: usize,
}

impl Work {
    fn run(mut self, receiver: &Receiver<Append>) {
        let sweep_interval = Duration::from_millis(self.files.config.sweep_interval_ms);
        let tick = IDLE_TICK.min(sweep_interval);
        loop {
            match receiver.recv_timeout(tick) {
                Ok(first) => {
                    let appends = self.gather(first, receiver);
                    self.last_group = appends.len();
                    self.appended = Some(Instant::now());
                    self.write(appends);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.write(Vec::new());
                    self.flush_when_idle();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.swept.elapsed() >= sweep_interval {
                self.sweep();
                self.swept = Instant::now();
            }
        }
        self.write(Vec::new());
    }

    /// What waits already, up to the bound of one group.
    fn gather(&self, first: Append, receiver: &Receiver<Append>) -> Vec<Append> {
        let mut bytes = codec::encoded_len(&first.record);
        let mut appends = vec![first];
        let deadline = Instant::now() + GATHER;
        while bytes < self.files.config.group_bytes {
            let more_come = appends.len() < self.last_group;
            let left =
                if more_come { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            let Ok(next) = receiver.recv_timeout(left) else { break };
            bytes += codec::encoded_len(&next.record);
            appends.push(next);
        }
        appends
    }

    /// Gives the memory of the last load back.
    fn flush_when_idle(&mut self) {
        if self.appended.is_none_or(|appended| appended.elapsed() < IDLE_FLUSH) {
            return;
        }
        self.appended = None;
        for topic in self.topics.lock().iter() {
            let newest = topic.segments.read().last().map(|segment| segment.keyspace.clone());
            if let Some(Err(error)) = newest.map(|keyspace| keyspace.rotate_memtable()) {
                self.files.engine.fail(&error);
            }
        }
    }

    fn write(&self, appends: Vec<Append>) {
        match self.try_write(&appends) {
            Ok(positions) => {
                for (append, position) in appends.into_iter().zip(positions) {
                    // Whoever asked may have given up waiting.
                    let _ = append.reply.send(Ok(position));
                }
            }
            Err(reason) => {
                for append in appends {
                    let _ = append.reply.send(Err(Error::Unavailable(reason.to_string())));
                }
            }
        }
    }

    fn try_write(&self, appends: &[Append]) -> Result<Vec<Position>, Arc<str>> {
        let engine = &self.files.engine;
        let mut group = Group::new(&self.files);
        group.add_commits(&self.topics.lock());
        if !appends.is_empty() {
            engine.check_writable()?;
        }
        for append in appends {
            group.add(append).map_err(|error| engine.fail(&error))?;
        }
        group.commit(!appends.is_empty()).map_err(|error| engine.fail(&error))
    }

    fn sweep(&self) {
        for topic in self.topics.lock().iter() {
            match retention::detach_old_segments(&self.files, topic) {
                Ok(segments) => {
                    for segment in segments {
                        // Without a janitor the log is closing; the next start finds the segment again.
                        let _ = self.dropped.send(segment);
                    }
                }
                Err(error) => {
                    self.files.engine.fail(&error);
                }
            }
        }
    }
}

/// Records that become durable together.
struct Group<'a> {
    files: &'a Files,
    batch: OwnedWriteBatch,
    positions: Vec<Position>,
    places: HashMap<(u32, u32), Place>,
    /// Of topics that keep the newest record per key: the newest in this group.
    newest: HashMap<Vec<u8>, Newest>,
    written: Vec<(Arc<Segment>, Position, i64)>,
    commits: Vec<(Arc<Topic>, (String, u32), u64)>,
}

struct Place {
    topic: Arc<Topic>,
    next: u64,
    last_append_us: i64,
}

struct Newest {
    segment: Arc<Segment>,
    position: Position,
    stored: Bytes,
}

impl<'a> Group<'a> {
    fn new(files: &'a Files) -> Self {
        Self {
            files,
            batch: files.engine.database.batch(),
            positions: Vec::new(),
            places: HashMap::new(),
            newest: HashMap::new(),
            written: Vec::new(),
            commits: Vec::new(),
        }
    }

    fn add_commits(&mut self, topics: &[Arc<Topic>]) {
        for topic in topics {
            for (key, offset) in topic.commits.lock().iter() {
                self.batch.insert(&self.files.meta, topic.commit_key(&key.0, key.1), offset.to_be_bytes());
                self.commits.push((Arc::clone(topic), key.clone(), *offset));
            }
        }
    }

    fn add(&mut self, append: &Append) -> Result<(), Error> {
        let topic = &append.topic;
        let partition = partition_of(&append.record.key, u32::try_from(topic.partitions.len()).unwrap_or(1));
        let now_us = self.files.clock.now_us();
        let place = match self.places.entry((topic.id, partition)) {
            Entry::Occupied(place) => place.into_mut(),
            Entry::Vacant(vacant) => {
                let known = &topic.partitions[partition as usize];
                vacant.insert(Place {
                    topic: Arc::clone(topic),
                    next: known.next.load(Ordering::Acquire),
                    last_append_us: known.last_append_us.load(Ordering::Acquire),
                })
            }
        };
        let position = Position { partition, offset: place.next };
        place.next += 1;
        place.last_append_us = place.last_append_us.max(now_us);
        let append_us = place.last_append_us;
        let segment = retention::segment_for(self.files, topic, append_us)?;
        let stored = codec::encode(&append.record, append_us)?;
        if topic.retention() == Retention::NewestPerKey {
            let key = topic.newest_key(partition, &append.record.key);
            let newest = Newest { segment: Arc::clone(&segment), position, stored };
            self.newest.insert(key, newest);
        } else {
            self.batch.insert(&segment.keyspace, codec::encode_position(position), stored);
        }
        self.written.push((segment, position, append_us));
        self.positions.push(position);
        Ok(())
    }

    /// Replaces each key's older record by the newest of this group.
    fn replace_older(&mut self) -> Result<(), Error> {
        for (key, newest) in self.newest.drain() {
            let older = self.files.newest.get(&key).map_err(|error| read_error(&error))?;
            if let Some(older) = older {
                let offset = (&older[..]).try_get_u64().unwrap_or_default();
                let position = Position { offset, ..newest.position };
                self.batch.remove(&newest.segment.keyspace, codec::encode_position(position));
            }
            let position = codec::encode_position(newest.position);
            self.batch.insert(&newest.segment.keyspace, position, newest.stored);
            self.batch.insert(&self.files.newest, key, newest.position.offset.to_be_bytes());
        }
        Ok(())
    }

    fn commit(mut self, durable: bool) -> Result<Vec<Position>, Error> {
        self.replace_older()?;
        if self.batch.is_empty() {
            return Ok(self.positions);
        }
        // Progress alone is a hint: it may wait for the next fsync.
        let mode = if durable { PersistMode::SyncData } else { PersistMode::Buffer };
        let batch = self.batch.durability(Some(mode));
        batch.commit().map_err(|error| Error::Unavailable(error.to_string()))?;
        for (segment, position, append_us) in self.written {
            segment.note(position, append_us);
        }
        for ((_, partition), place) in self.places {
            let known = &place.topic.partitions[partition as usize];
            known.last_append_us.store(place.last_append_us, Ordering::Release);
            known.next.store(place.next, Ordering::Release);
            group::announce(crate::log::group::Source::changes(&*place.topic));
        }
        for (topic, key, offset) in self.commits {
            let mut commits = topic.commits.lock();
            if commits.get(&key) == Some(&offset) {
                commits.remove(&key);
            }
        }
        Ok(self.positions)
    }
}

/// A segment's keyspace.
pub(super) fn create_segment(files: &Files, topic: &Topic, started_us: i64) -> Result<Arc<Segment>, Error> {
    let options = || engine::payloads(files.config.memtable_bytes);
    let keyspace = files.engine.keyspace(&topic.segment_name(started_us), options);
    let keyspace = keyspace.map_err(|error| Error::Unavailable(error.to_string()))?;
    let partitions = u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
    Ok(Arc::new(Segment::new(keyspace, started_us, partitions)))
}
