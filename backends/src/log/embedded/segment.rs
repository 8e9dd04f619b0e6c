//! A part of a topic: the records that were appended in one stretch of time, or the newest of every key.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use fjall::Keyspace;
use playhead_domain::log::{Error, Position, StoredRecord};

use super::file::{RecordFile, read_record};
use super::index::Place;
use super::{codec, read_error, unavailable};

/// How many places are looked up at once.
const PLACES: usize = 64;

/// A segment. Only the writer adds to it.
pub(super) struct Segment {
    records: Records,
    /// When it was begun, microseconds of the Unix epoch.
    pub(super) started_us: i64,
    newest_append_us: AtomicI64,
    /// Per partition, the offset of the first record (`u64::MAX`: there is none).
    first: Vec<AtomicU64>,
    /// Per partition, the offset after the last record (0: there is none).
    end: Vec<AtomicU64>,
}

/// Where the records are.
pub(super) enum Records {
    /// In rows that can be replaced one by one.
    Rows(Keyspace),
    /// In a file that only grows.
    File(RecordFile),
}

impl Segment {
    /// An empty segment.
    pub(super) fn new(records: Records, started_us: i64, partitions: usize) -> Self {
        Self {
            records,
            started_us,
            newest_append_us: AtomicI64::new(started_us),
            first: (0..partitions).map(|_| AtomicU64::new(u64::MAX)).collect(),
            end: (0..partitions).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// An empty segment with a file of its own.
    pub(super) fn create_file(
        folder: &Path,
        number: u64,
        started_us: i64,
        partitions: usize,
    ) -> std::io::Result<Self> {
        let file = RecordFile::create(folder, number, partitions)?;
        Ok(Self::new(Records::File(file), started_us, partitions))
    }

    /// A segment with what is already in its file, if there is anything.
    pub(super) fn recover_file(path: PathBuf, partitions: usize) -> Result<Option<Self>, Error> {
        let Some((file, summary)) = RecordFile::recover(path, partitions)? else { return Ok(None) };
        let segment = Self::new(Records::File(file), summary.started_us, partitions);
        segment.newest_append_us.store(summary.newest_append_us, Ordering::Release);
        for (span, (first, end)) in summary.spans.iter().zip(segment.first.iter().zip(&segment.end)) {
            if span.count > 0 {
                first.store(span.first, Ordering::Release);
                end.store(span.first + span.count, Ordering::Release);
            }
        }
        Ok(Some(segment))
    }

    /// A segment with what is already in its rows.
    pub(super) fn recover_rows(rows: Keyspace, partitions: u32) -> Result<Self, Error> {
        let segment = Self::new(Records::Rows(rows.clone()), 0, partitions as usize);
        for partition in 0..partitions {
            let records = || rows.range(bounds(partition, 0, u64::MAX));
            let (Some(first), Some(last)) = (records().next(), records().next_back()) else { continue };
            let first = codec::decode_position(&first.key().map_err(|error| read_error(&error))?)?;
            let (_, value) = last.into_inner().map_err(|error| read_error(&error))?;
            let last = codec::decode(value.into())?;
            segment.note(first, last.append_us);
            segment.note(last.position, last.append_us);
        }
        Ok(segment)
    }

    pub(super) const fn records(&self) -> &Records {
        &self.records
    }

    /// How long its file is.
    pub(super) fn file_bytes(&self) -> u64 {
        match &self.records {
            Records::File(file) => file.bytes(),
            Records::Rows(_) => 0,
        }
    }

    /// Whether it has a file that takes appends.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.records, Records::File(file) if file.is_open())
    }

    /// Makes encoded records durable. They are not read before [`Segment::note_file`].
    pub(super) fn append(&self, parts: &[Bytes]) -> std::io::Result<()> {
        match &self.records {
            Records::File(file) => file.append(parts),
            Records::Rows(_) => Err(std::io::Error::other("rows are not appended to")),
        }
    }

    /// Takes note of records that are durable in the file.
    pub(super) fn note_file(&self, written: &[(Position, Place)], newest_append_us: i64) {
        if let Records::File(file) = &self.records {
            file.note(written);
        }
        for (position, _) in written {
            self.note(*position, newest_append_us);
        }
    }

    /// Takes note of a record that is durable.
    pub(super) fn note(&self, position: Position, append_us: i64) {
        let partition = position.partition as usize;
        self.first[partition].fetch_min(position.offset, Ordering::Release);
        self.end[partition].fetch_max(position.offset + 1, Ordering::Release);
        self.newest_append_us.fetch_max(append_us, Ordering::Release);
    }

    /// Ends the file, if it has one that takes appends.
    pub(super) fn seal(&self) -> std::io::Result<()> {
        let Records::File(file) = &self.records else { return Ok(()) };
        let first: Vec<u64> = (0..).zip(&self.first).map(|(n, _)| self.first(n).unwrap_or(0)).collect();
        file.seal(&first, self.started_us, self.newest_append_us())
    }

    /// Removes its file.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        match &self.records {
            Records::File(file) => file.remove(),
            Records::Rows(_) => Ok(()),
        }
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
        match &self.records {
            Records::Rows(rows) => {
                for entry in rows.range(bounds(partition, from, to)) {
                    let (key, value) = entry.into_inner().map_err(|error| read_error(&error))?;
                    let record = codec::decode_at(codec::decode_position(&key)?, value.into())?;
                    if !take(record, budget, records) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Records::File(file) => {
                let read = self.read_file(file, partition, from..to, budget, records);
                read.or_else(|error| match error {
                    // It was too old and has just been removed: reading goes on with the next segment.
                    ReadError::Io(error) if error.kind() == ErrorKind::NotFound => Ok(true),
                    ReadError::Io(error) => Err(unavailable(error)),
                    ReadError::Log(error) => Err(error),
                })
            }
        }
    }

    fn read_file(
        &self,
        file: &RecordFile,
        partition: u32,
        offsets: std::ops::Range<u64>,
        budget: &mut usize,
        records: &mut Vec<StoredRecord>,
    ) -> Result<bool, ReadError> {
        let Some(first) = self.first(partition) else { return Ok(true) };
        let mut offset = offsets.start.max(first);
        let end = offsets.end.min(self.end(partition));
        let reader = file.reader()?;
        while offset < end {
            let count = PLACES.min(usize::try_from(end - offset).unwrap_or(PLACES));
            let places = file.places(partition as usize, offset - first, count)?;
            if places.is_empty() {
                return Err(Error::Corrupt(format!("record {offset} of {partition} has no place")).into());
            }
            for place in places {
                let record = read_record(&reader, place, Position { partition, offset })?;
                if !take(record, budget, records) {
                    return Ok(false);
                }
                offset += 1;
            }
        }
        Ok(true)
    }
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Log(#[from] Error),
}

/// Adds a record if the budget has room for it. Returns whether there is budget left.
fn take(record: StoredRecord, budget: &mut usize, records: &mut Vec<StoredRecord>) -> bool {
    let cost = record.value.len().max(1);
    if cost > *budget && !records.is_empty() {
        return false;
    }
    *budget = budget.saturating_sub(cost);
    records.push(record);
    *budget > 0
}

fn bounds(partition: u32, from: u64, to: u64) -> std::ops::Range<[u8; 12]> {
    let key = |offset| codec::encode_position(Position { partition, offset });
    key(from)..key(to)
}
