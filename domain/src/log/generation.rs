//! A topic that takes the place of another one: because that was lost, or with more partitions.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Consumer, Error, EventLog, Polled, Position, Record, StoredRecord, TopicSpec};

/// How many generations there may be: the offsets of the last one are still exact in JSON.
pub const MAX_GENERATION: u32 = 511;
/// Offsets of one generation.
const OFFSETS: u64 = 1 << 44;

/// A log that counts the offsets of one topic from its generation's first one on. So whatever is tagged with an offset of an earlier
/// generation comes before everything of this one, as if one log followed the other.
pub struct FromGeneration {
    log: Arc<dyn EventLog>,
    topic: &'static str,
    first: u64,
}

impl FromGeneration {
    /// `topic` is of that generation.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, topic: &'static str, generation: u32) -> Self {
        Self { log, topic, first: u64::from(generation) * OFFSETS }
    }

    fn first(&self, topic: &str) -> u64 {
        if topic == self.topic { self.first } else { 0 }
    }
}

fn moved(records: Vec<StoredRecord>, first: u64) -> Vec<StoredRecord> {
    let place = |position: Position| Position { offset: position.offset + first, ..position };
    records.into_iter().map(|record| StoredRecord { position: place(record.position), ..record }).collect()
}

#[async_trait]
impl EventLog for FromGeneration {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        self.log.ensure_topic(topic).await
    }

    fn first_offset(&self, topic: &str) -> u64 {
        self.first(topic)
    }

    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error> {
        let position = self.log.append(topic, record).await?;
        Ok(Position { offset: position.offset + self.first(topic), ..position })
    }

    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error> {
        let Range { start, end } = self.log.offsets(topic, partition).await?;
        let first = self.first(topic);
        Ok(start + first..end + first)
    }

    async fn consume(&self, topic: &str, group: &str) -> Result<Box<dyn Consumer>, Error> {
        let consumer = self.log.consume(topic, group).await?;
        Ok(Box::new(Moved { consumer, first: self.first(topic) }))
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error> {
        let first = self.first(topic);
        let read = self.log.read(topic, partition, offset.saturating_sub(first), max_bytes, wait).await?;
        Ok(moved(read, first))
    }
}

struct Moved {
    consumer: Box<dyn Consumer>,
    first: u64,
}

#[async_trait]
impl Consumer for Moved {
    async fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, Error> {
        let polled = self.consumer.poll(max_bytes, wait).await?;
        Ok(Polled { records: moved(polled.records, self.first), ..polled })
    }

    async fn seek(&mut self, partition: u32, offset: u64) -> Result<(), Error> {
        self.consumer.seek(partition, offset.saturating_sub(self.first)).await
    }

    fn pause(&mut self, partition: u32) {
        self.consumer.pause(partition);
    }

    fn resume(&mut self, partition: u32) {
        self.consumer.resume(partition);
    }

    async fn commit(&mut self, partition: u32, next_offset: u64) -> Result<(), Error> {
        self.consumer.commit(partition, next_offset.saturating_sub(self.first)).await
    }
}
