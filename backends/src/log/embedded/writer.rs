//! The one thread that writes: it takes what waits, makes it durable with one fsync, and answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use fjall::{Keyspace, OwnedWriteBatch, PersistMode};
use parking_lot::Mutex;
use playhead_domain::log::{Error, Position, Record};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::index::Place;
use super::segment::Segment;
use super::topic::Topic;
use super::{Files, codec, read_error, retention, unavailable};
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
/// How long a group waits for those who were in the last one and have only just been answered. Less than an fsync takes.
const GATHER: Duration = Duration::from_micros(100);

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
        let work = Work { files, topics: Arc::clone(&topics), dropped, swept: Instant::now(), last_group: 0 };
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
                    self.write(appends);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.write(Vec::new());
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.swept.elapsed() >= sweep_interval {
                self.sweep();
                self.swept = Instant::now();
            }
        }
        self.write(Vec::new());
        self.seal(true);
    }

    /// What waits already, up to the bound of one group.
    fn gather(&self, first: Append, receiver: &Receiver<Append>) -> Vec<Append> {
        let mut group = Gathered { bytes: codec::encoded_len(&first.record), appends: vec![first] };
        let limit = self.files.config.group_bytes;
        group.take_waiting(receiver, limit);
        if group.appends.len() < self.last_group && group.bytes < limit {
            // One sleep, and not a wake-up for each that comes meanwhile.
            std::thread::sleep(GATHER);
            group.take_waiting(receiver, limit);
        }
        group.appends
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
        self.seal(false);
    }

    /// Finishes files that take no more records, so that they need not be read to open the log.
    fn seal(&self, all: bool) {
        for topic in self.topics.lock().iter() {
            if let Err(error) = topic.seal_files(all) {
                self.files.engine.fail(&error);
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
        let now_us = self.files.clock.now_us();
        for append in appends {
            group.add(append, now_us).map_err(|error| engine.fail(&error))?;
        }
        group.commit().map_err(|error| engine.fail(&error))
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

struct Gathered {
    bytes: usize,
    appends: Vec<Append>,
}

impl Gathered {
    fn take_waiting(&mut self, receiver: &Receiver<Append>, limit_bytes: usize) {
        while self.bytes < limit_bytes
            && let Ok(next) = receiver.try_recv()
        {
            self.bytes += codec::encoded_len(&next.record);
            self.appends.push(next);
        }
    }
}

/// Records that become durable together.
struct Group<'a> {
    files: &'a Files,
    batch: OwnedWriteBatch,
    positions: Vec<Position>,
    places: HashMap<(u32, u32), PartitionEnd>,
    /// Of topics that keep the newest record per key: the newest in this group.
    newest: HashMap<Vec<u8>, Newest>,
    /// Of other topics: what goes to the end of their files. Seldom more than one.
    appended: Vec<Appended>,
    /// Records in rows.
    written: Vec<(Arc<Segment>, Position, i64)>,
    commits: Vec<(Arc<Topic>, (String, u32), u64)>,
}

struct PartitionEnd {
    topic: Arc<Topic>,
    next: u64,
    last_append_us: i64,
}

struct Newest {
    rows: Keyspace,
    position: Position,
    stored: Bytes,
}

/// What one file gets.
struct Appended {
    segment: Arc<Segment>,
    parts: Vec<Bytes>,
    end: u64,
    places: Vec<(Position, Place)>,
    newest_append_us: i64,
}

impl Appended {
    fn new(segment: Arc<Segment>) -> Self {
        let end = segment.file_bytes();
        Self { segment, parts: Vec::new(), end, places: Vec::new(), newest_append_us: i64::MIN }
    }

    fn add(&mut self, record: &Record, position: Position, append_us: i64) -> Result<(), Error> {
        let len = codec::encoded_len(record);
        let small = |bytes: u64| {
            u32::try_from(bytes).map_err(|_| Error::Unavailable("a file of the log is too long".to_owned()))
        };
        let place = Place { at: small(self.end)?, len: small(len as u64)? };
        let head = codec::encode_head(record, position, append_us)?;
        if record.value.len() < COPIED_BYTES {
            let mut whole = head;
            whole.extend_from_slice(&record.value);
            self.parts.push(whole.freeze());
        } else {
            self.parts.extend([head.freeze(), record.value.clone()]);
        }
        self.places.push((position, place));
        self.end += len as u64;
        self.newest_append_us = self.newest_append_us.max(append_us);
        Ok(())
    }
}

/// Shorter values are copied behind their heads: cheaper than one more piece for the kernel.
const COPIED_BYTES: usize = 512;

impl<'a> Group<'a> {
    fn new(files: &'a Files) -> Self {
        Self {
            files,
            batch: files.engine.database.batch(),
            positions: Vec::new(),
            places: HashMap::new(),
            newest: HashMap::new(),
            appended: Vec::new(),
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

    fn add(&mut self, append: &Append, now_us: i64) -> Result<(), Error> {
        let (topic, record) = (&append.topic, &append.record);
        let partition = partition_of(&record.key, u32::try_from(topic.partitions.len()).unwrap_or(1));
        let (position, append_us) = self.place(topic, partition, now_us);
        let segment = retention::segment_for(self.files, topic, append_us)?;
        if let Some(rows) = topic.rows() {
            let stored = codec::encode(record, position, append_us)?;
            let key = topic.newest_key(partition, &record.key);
            self.newest.insert(key, Newest { rows, position, stored });
            self.written.push((segment, position, append_us));
        } else {
            let known = self.appended.iter().rposition(|appended| Arc::ptr_eq(&appended.segment, &segment));
            let index = known.unwrap_or_else(|| {
                self.appended.push(Appended::new(segment));
                self.appended.len() - 1
            });
            self.appended[index].add(record, position, append_us)?;
        }
        self.positions.push(position);
        Ok(())
    }

    /// The next place of a partition, and the time that never goes back.
    fn place(&mut self, topic: &Arc<Topic>, partition: u32, now_us: i64) -> (Position, i64) {
        let end = self.places.entry((topic.id, partition)).or_insert_with(|| {
            let known = &topic.partitions[partition as usize];
            PartitionEnd {
                topic: Arc::clone(topic),
                next: known.next.load(Ordering::Acquire),
                last_append_us: known.last_append_us.load(Ordering::Acquire),
            }
        });
        let position = Position { partition, offset: end.next };
        end.next += 1;
        end.last_append_us = end.last_append_us.max(now_us);
        (position, end.last_append_us)
    }

    /// Replaces each key's older record by the newest of this group.
    fn replace_older(&mut self) -> Result<(), Error> {
        for (key, newest) in self.newest.drain() {
            let older = self.files.newest.get(&key).map_err(|error| read_error(&error))?;
            if let Some(older) = older {
                let offset = (&older[..]).try_get_u64().unwrap_or_default();
                let position = Position { offset, ..newest.position };
                self.batch.remove(&newest.rows, codec::encode_position(position));
            }
            let position = codec::encode_position(newest.position);
            self.batch.insert(&newest.rows, position, newest.stored);
            self.batch.insert(&self.files.newest, key, newest.position.offset.to_be_bytes());
        }
        Ok(())
    }

    fn commit(mut self) -> Result<Vec<Position>, Error> {
        for appended in &self.appended {
            let result = appended.segment.append(&appended.parts);
            result.map_err(unavailable)?;
        }
        // Progress alone is a hint: it may wait for the next fsync.
        let mode = if self.newest.is_empty() { PersistMode::Buffer } else { PersistMode::SyncData };
        self.replace_older()?;
        if !self.batch.is_empty() {
            let batch = self.batch.durability(Some(mode));
            batch.commit().map_err(unavailable)?;
        }
        for appended in self.appended {
            appended.segment.note_file(&appended.places, appended.newest_append_us);
        }
        for (segment, position, append_us) in self.written {
            segment.note(position, append_us);
        }
        publish(self.places.into_iter().map(|((_, partition), end)| (partition, end)));
        for (topic, key, offset) in self.commits {
            let mut commits = topic.commits.lock();
            if commits.get(&key) == Some(&offset) {
                commits.remove(&key);
            }
        }
        Ok(self.positions)
    }
}

/// Lets readers see how far their partitions are now.
fn publish(ends: impl Iterator<Item = (u32, PartitionEnd)>) {
    let mut changed: Vec<Arc<Topic>> = Vec::new();
    for (partition, end) in ends {
        let known = &end.topic.partitions[partition as usize];
        known.last_append_us.store(end.last_append_us, Ordering::Release);
        known.next.store(end.next, Ordering::Release);
        if !changed.iter().any(|topic| topic.id == end.topic.id) {
            changed.push(end.topic);
        }
    }
    for topic in changed {
        group::announce(group::Source::changes(&*topic));
    }
}
