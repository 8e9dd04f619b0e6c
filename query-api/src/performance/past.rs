//! Hours and days of the log to which no flush adds any more, as one row for all log partitions, in memory: what a list over a month reads is
//! mostly these.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhead_domain::id::ProjectId;
use playhead_domain::performance::key::Level;
use playhead_domain::performance::totals::Totals;

use crate::state::Api;

/// A partition of the table but for its shards: some hours, or days, of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) project: ProjectId,
    pub(super) level: Level,
    pub(super) bucket: i64,
}

/// Rows by place; those that were not used for longest go first.
pub(crate) struct Past {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    rows: BTreeMap<Place, Row>,
    bytes: usize,
    uses: u64,
}

struct Row {
    /// The log partitions that had a head: one that is new may have been behind.
    partitions: Vec<i64>,
    bytes: Bytes,
    used: u64,
}

impl Past {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, held: Mutex::default() }
    }

    pub(super) fn get(&self, place: Place, partitions: &[i64]) -> Option<Bytes> {
        let mut held = self.held.lock();
        held.uses += 1;
        let used = held.uses;
        let row = held.rows.get_mut(&place).filter(|row| row.partitions == partitions)?;
        row.used = used;
        Some(row.bytes.clone())
    }

    /// Returns how many bytes are held then.
    fn put(&self, place: Place, partitions: Vec<i64>, bytes: Bytes) -> usize {
        let mut held = self.held.lock();
        // One row leaves room for those of some other buckets.
        if bytes.len() > self.most_bytes / 4 {
            return held.bytes;
        }
        held.uses += 1;
        held.bytes += bytes.len();
        let row = Row { partitions, bytes, used: held.uses };
        if let Some(replaced) = held.rows.insert(place, row) {
            held.bytes -= replaced.bytes.len();
        }
        while held.bytes > self.most_bytes {
            let oldest = held.rows.iter().min_by_key(|(_, row)| row.used).map(|(place, _)| *place);
            let Some(row) = oldest.and_then(|place| held.rows.remove(&place)) else { break };
            held.bytes -= row.bytes.len();
        }
        held.bytes
    }
}

/// Keeps what was read of some places, beside the request that read it; when others keep the cores busy, a later request does.
pub(super) fn keep(api: &Api, partitions: Vec<i64>, read: Vec<(Place, Vec<Bytes>)>) {
    if read.is_empty() {
        return;
    }
    let Ok(permit) = Arc::clone(&api.0.summing).try_acquire_owned() else { return };
    let api = api.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        for (place, rows) in read {
            match Totals::join(rows) {
                Ok(row) => {
                    let bytes = api.0.past.put(place, partitions.clone(), row);
                    api.0.metrics.statistics_cache_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
                }
                Err(error) => tracing::warn!(%error, "statistics of requests cannot be kept in memory"),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::performance::key::Kind;

    fn place(bucket: i64) -> Place {
        Place { project: ProjectId(1), level: Level::Day(Kind::Plain), bucket }
    }

    fn row(length: usize) -> Bytes {
        vec![7; length].into()
    }

    #[test]
    fn a_row_is_given_for_the_same_log_partitions_only() {
        let past = Past::new(1_000);
        assert_eq!(past.put(place(1), vec![0, 1], row(10)), 10);
        assert_eq!(past.get(place(1), &[0, 1]), Some(row(10)));
        assert_eq!(past.get(place(1), &[0, 1, 2]), None);
        assert_eq!(past.get(Place { project: ProjectId(2), ..place(1) }, &[0, 1]), None);
        assert_eq!(past.get(Place { level: Level::Hour(Kind::Plain), ..place(1) }, &[0, 1]), None);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let past = Past::new(1_000);
        past.put(place(0), vec![0], row(251));
        assert_eq!(past.get(place(0), &[0]), None, "too large");
        for bucket in 1..=4 {
            past.put(place(bucket), vec![0], row(250));
        }
        past.put(place(2), vec![0], row(240));
        assert!(past.get(place(1), &[0]).is_some());
        past.put(place(5), vec![0], row(100));
        let is_there = |bucket| past.get(place(bucket), &[0]).is_some();
        assert_eq!([1, 2, 3, 4, 5].map(is_there), [true, true, false, true, true]);
        assert_eq!(past.put(place(9), vec![0], row(1)), 250 + 240 + 250 + 100 + 1);
    }
}
