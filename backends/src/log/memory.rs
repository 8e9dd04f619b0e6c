//! A log in memory: the reference model, and what tests run on. Durable only as long as the process.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use playhead_domain::log::{Consumer, Error, EventLog, Position, Record, Retention, StoredRecord, TopicSpec};
use tokio::sync::watch;

use super::group::{self, Groups, Source};
use super::partition_of;
use crate::clock::Clock;

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    clock: Clock,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    groups: Arc<Groups>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, topics: RwLock::default(), groups: Arc::default() }
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        self.topics.read().get(name).cloned().ok_or_else(|| Error::UnknownTopic(name.to_owned()))
    }
}

#[derive(Debug)]
struct Topic {
    spec: TopicSpec,
    clock: Clock,
    partitions: Vec<Mutex<Partition>>,
    committed: Mutex<HashMap<(String, u32), u64>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Partition {
    records: BTreeMap<u64, StoredRecord>,
    next: u64,
    last_append_us: i64,
}

impl Partition {
    fn forget(&mut self, retention: Retention, now_us: i64) {
        if let Retention::Time(kept) = retention {
            let kept_us = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
            self.records.retain(|_, record| record.append_us.saturating_add(kept_us) >= now_us);
        }
    }

    fn kept(&self) -> Range<u64> {
        self.records.keys().next().copied().unwrap_or(self.next)..self.next
    }
}

impl Topic {
    fn new(spec: TopicSpec, clock: Clock) -> Self {
        let partitions = (0..spec.partitions).map(|_| Mutex::default()).collect();
        Self { spec, clock, partitions, committed: Mutex::default(), changes: watch::Sender::new(0) }
    }

    fn append(&self, record: Record) -> Position {
        let partition = partition_of(&record.key, self.spec.partitions);
        let mut kept = self.partitions[partition as usize].lock();
        kept.last_append_us = kept.last_append_us.max(self.clock.now_us());
        let position = Position { partition, offset: kept.next };
        if self.spec.retention == Retention::NewestPerKey {
            kept.records.retain(|_, older| older.key != record.key);
        }
        let Record { key, value, meta } = record;
        let append_us = kept.last_append_us;
        kept.records.insert(position.offset, StoredRecord { position, append_us, key, value, meta });
        kept.next += 1;
        position
    }
}

#[async_trait]
impl Source for Topic {
    fn partitions(&self) -> u32 {
        self.spec.partitions
    }

    fn kept(&self, partition: u32) -> Range<u64> {
        let mut kept = self.partitions[partition as usize].lock();
        kept.forget(self.spec.retention, self.clock.now_us());
        kept.kept()
    }

    async fn read_from(
        self: Arc<Self>,
        partition: u32,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Vec<StoredRecord>, Error> {
        let kept = self.partitions[partition as usize].lock();
        let mut bytes = 0;
        let fits = |record: &&StoredRecord| {
            let first = bytes == 0;
            bytes += record.value.len().max(1);
            first || bytes <= max_bytes
        };
        Ok(kept.records.range(offset..).map(|(_, record)| record).take_while(fits).cloned().collect())
    }

    fn changes(&self) -> &watch::Sender<u64> {
        &self.changes
    }

    fn commit(&self, group: &str, partition: u32, next_offset: u64) {
        self.committed.lock().insert((group.to_owned(), partition), next_offset);
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        let mut topics = self.topics.write();
        match topics.get(topic.name) {
            Some(existing) if existing.spec == *topic => Ok(()),
            Some(existing) => Err(Error::TopicMismatch {
                topic: topic.name.to_owned(),
                detail: format!("it is {:?}, asked for is {topic:?}", existing.spec),
            }),
            None => {
                topics.insert(topic.name.to_owned(), Arc::new(Topic::new(topic.clone(), self.clock.clone())));
                Ok(())
            }
        }
    }

    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error> {
        let topic = self.topic(topic)?;
        let (bytes, limit) = (record.value.len(), topic.spec.max_record_bytes);
        if bytes > limit {
            return Err(Error::TooLarge { bytes, limit });
        }
        let position = topic.append(record);
        group::announce(&topic.changes);
        Ok(position)
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
    ) -> Result<Vec<StoredRecord>, Error> {
        group::read_when_there(self.topic(topic)?, partition, offset, max_bytes, wait).await
    }
}
