//! A part of a topic's retention: a keyspace with the records that were appended in one stretch of time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use fjall::Keyspace;
use playhead_domain::log::{Error, Position, StoredRecord};

use super::{codec, read_error};

/// A segment. Only the writer adds to it.
pub(super) struct Segment {
    pub(super) keyspace: Keyspace,
    /// When it was begun, microseconds of the Unix epoch.
    pub(super) started_us: i64,
    newest_append_us: AtomicI64,
    /// Per partition, the offset of the first record (`u64::MAX`: there is none).
    first: Vec<AtomicU64>,
    /// Per partition, the offset after the last record (0: there is none).
    end: Vec<AtomicU64>,
}

impl Segment {
    /// An empty segment.
    pub(super) fn new(keyspace: Keyspace, started_us: i64, partitions: u32) -> Self {
        Self {
            keyspace,
            started_us,
            newest_append_us: AtomicI64::new(started_us),
            first: (0..partitions).map(|_| AtomicU64::new(u64::MAX)).collect(),
            end: (0..partitions).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// A segment with what is already in its keyspace.
    pub(super) fn recover(keyspace: Keyspace, started_us: i64, partitions: u32) -> Result<Self, Error> {
        let segment = Self::new(keyspace, started_us, partitions);
        for partition in 0..partitions {
            let records = || segment.keyspace.range(bounds(partition, 0, u64::MAX));
            let (Some(first), Some(last)) = (records().next(), records().next_back()) else { continue };
            let first = codec::decode_position(&first.key().map_err(|error| read_error(&error))?)?;
            let (key, value) = last.into_inner().map_err(|error| read_error(&error))?;
            let last = codec::decode(codec::decode_position(&key)?, value.into())?;
            segment.note(first, last.append_us);
            segment.note(last.position, last.append_us);
        }
        Ok(segment)
    }

    /// Takes note of a record that was written.
    pub(super) fn note(&self, position: Position, append_us: i64) {
        let partition = position.partition as usize;
        self.first[partition].fetch_min(position.offset, Ordering::Release);
        self.end[partition].fetch_max(position.offset + 1, Ordering::Release);
        self.newest_append_us.fetch_max(append_us, Ordering::Release);
    }

    pub(super) fn newest_append_us(&self) -> i64 {
        self.newest_append_us.load(Ordering::Acquire)
    }

    /// The first offset of a partition in here, if there is one.
    pub(super) fn first(&self, partition: u32) -> Option<u64> {
        let first = self.first[partition as usize].load(Ordering::Acquire);
        (first != u64::MAX).then_some(first)
    }

    /// The offset after the last one of a partition in here; 0 when there is none.
    pub(super) fn end(&self, partition: u32) -> u64 {
        self.end[partition as usize].load(Ordering::Acquire)
    }

    /// Adds the records of `from..to` to `records` until `budget` bytes of values are used up; at least one when
    /// `records` is empty. Returns whether there is budget left.
    pub(super) fn read(
        &self,
        partition: u32,
        from: u64,
        to: u64,
        budget: &mut usize,
        records: &mut Vec<StoredRecord>,
    ) -> Result<bool, Error> {
        for entry in self.keyspace.range(bounds(partition, from, to)) {
            let (key, value) = entry.into_inner().map_err(|error| read_error(&error))?;
            let record = codec::decode(codec::decode_position(&key)?, value.into())?;
            let cost = record.value.len().max(1);
            if cost > *budget && !records.is_empty() {
                return Ok(false);
            }
            *budget = budget.saturating_sub(cost);
            records.push(record);
            if *budget == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn bounds(partition: u32, from: u64, to: u64) -> std::ops::Range<[u8; 12]> {
    let key = |offset| codec::encode_position(Position { partition, offset });
    key(from)..key(to)
}
