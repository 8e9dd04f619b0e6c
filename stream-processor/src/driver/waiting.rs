//! Records of a partition that were read and wait for their flush.

use std::collections::VecDeque;

use playhead_domain::log::StoredRecord;
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Waiting {
    records: VecDeque<(StoredRecord, Instant)>,
    pub(super) bytes: usize,
}

/// The first of them.
pub(super) struct Taken {
    pub(super) records: Vec<StoredRecord>,
    pub(super) bytes: usize,
}

fn bytes_of(record: &StoredRecord) -> usize {
    record.value.len() + record.meta.len()
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns how many bytes it takes.
    pub(super) fn push(&mut self, record: StoredRecord) -> usize {
        let bytes = bytes_of(&record);
        self.bytes += bytes;
        self.records.push_back((record, Instant::now()));
        bytes
    }

    pub(super) fn take(&mut self, count: usize) -> Taken {
        let records: Vec<_> =
            self.records.drain(..count.min(self.records.len())).map(|(record, _)| record).collect();
        let bytes = records.iter().map(bytes_of).sum();
        self.bytes -= bytes;
        Taken { records, bytes }
    }

    /// When the log took the first one, and since when it waits.
    pub(super) fn oldest(&self) -> Option<(i64, Instant)> {
        self.records.front().map(|(record, since)| (record.append_us, *since))
    }
}
