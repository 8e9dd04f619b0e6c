//! How far each owned partition is, and from that: lag, how overdue flushes are, and what is held in memory.
//!
//! Told by the side, so that it also goes on while a flush waits for a store that is away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::shared::{Shared, locked};

const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The progress of all owned partitions.
#[derive(Default)]
pub(crate) struct Progress(Mutex<BTreeMap<u32, Partition>>);

#[derive(Debug, Clone, Copy)]
struct Partition {
    next_offset: u64,
    waiting_bytes: usize,
    cache_bytes: usize,
    /// When the log took the oldest record that was read and is not behind the checkpoint.
    oldest_append_us: Option<i64>,
    /// Since when something that was read waits to be flushed.
    waiting_since: Option<Instant>,
    /// When nothing was known to lie behind the checkpoint.
    caught_up: Instant,
}

/// What a partition's gauges say.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gauges {
    lag_records: u64,
    lag_seconds: f64,
    flush_age_seconds: f64,
}

impl Progress {
    /// The partition is owned and goes on at `next_offset`.
    pub(crate) fn taken(&self, id: u32, next_offset: u64) {
        let fresh = Partition {
            next_offset,
            waiting_bytes: 0,
            cache_bytes: 0,
            oldest_append_us: None,
            waiting_since: None,
            caught_up: Instant::now(),
        };
        let mut partitions = locked(&self.0);
        let partition = partitions.entry(id).or_insert(fresh);
        if next_offset > partition.next_offset {
            *partition = fresh;
        }
    }

    /// A record was read and waits to be flushed.
    pub(crate) fn read(&self, id: u32, append_us: i64, bytes: usize) {
        if let Some(partition) = locked(&self.0).get_mut(&id) {
            partition.waiting_bytes += bytes;
            partition.oldest_append_us.get_or_insert(append_us);
            partition.waiting_since.get_or_insert_with(Instant::now);
        }
    }

    /// What was read is behind the checkpoint, but for `waiting_bytes` of which the oldest record is `oldest`: when the log took
    /// it, and since when it waits.
    pub(crate) fn flushed(
        &self,
        id: u32,
        next_offset: u64,
        cache_bytes: usize,
        (waiting_bytes, oldest): (usize, Option<(i64, Instant)>),
    ) {
        if let Some(partition) = locked(&self.0).get_mut(&id) {
            let caught_up = partition.caught_up;
            *partition = Partition {
                next_offset,
                cache_bytes,
                waiting_bytes,
                oldest_append_us: oldest.map(|(append_us, _)| append_us),
                waiting_since: oldest.map(|(_, since)| since),
                caught_up,
            };
        }
    }

    /// What was read is dropped, to be read again: nothing is behind the checkpoint that was not before.
    pub(crate) fn dropped(&self, id: u32) {
        if let Some(partition) = locked(&self.0).get_mut(&id) {
            (partition.waiting_bytes, partition.cache_bytes) = (0, 0);
        }
    }

    /// Another process has the partition, or will have.
    pub(crate) fn left(&self, id: u32) {
        locked(&self.0).remove(&id);
    }

    /// Notes the end of the partition's log, and what follows from it.
    fn look(&self, id: u32, end: u64, now_us: i64) -> Option<Gauges> {
        let mut partitions = locked(&self.0);
        let partition = partitions.get_mut(&id)?;
        let lag_records = end.saturating_sub(partition.next_offset);
        if lag_records == 0 {
            partition.caught_up = Instant::now();
        }
        let lag_seconds = match partition.oldest_append_us {
            _ if lag_records == 0 => 0.0,
            Some(append_us) => (now_us - append_us).max(0) as f64 / 1e6,
            // Not read yet: it came after the last look that saw nothing.
            None => partition.caught_up.elapsed().as_secs_f64(),
        };
        let flush_age_seconds = partition.waiting_since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        Some(Gauges { lag_records, lag_seconds, flush_age_seconds })
    }

    /// How long ago the log took the oldest record that was read and is not behind its checkpoint.
    pub(crate) fn behind(&self, now_us: i64) -> Duration {
        let oldest_us = locked(&self.0).values().filter_map(|partition| partition.oldest_append_us).min();
        let behind_us = oldest_us.map_or(0, |append_us| now_us - append_us);
        Duration::from_micros(u64::try_from(behind_us).unwrap_or_default())
    }

    /// Bytes that wait, and bytes of sessions' states.
    fn held_bytes(&self) -> (usize, usize) {
        let partitions = locked(&self.0);
        let add = |sum: (usize, usize), partition: &Partition| {
            (sum.0 + partition.waiting_bytes, sum.1 + partition.cache_bytes)
        };
        partitions.values().fold((0, 0), add)
    }

    fn ids(&self) -> BTreeSet<u32> {
        locked(&self.0).keys().copied().collect()
    }
}

/// Sets the gauges every few seconds until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut told = BTreeSet::new();
    loop {
        let (waiting, cached) = shared.progress.held_bytes();
        shared.metrics.waiting_bytes.set(gauge(waiting as u64));
        shared.metrics.session_cache_bytes.set(gauge(cached as u64));
        let owned = shared.progress.ids();
        for id in told.difference(&owned) {
            forget(&shared.metrics, *id);
        }
        for &id in &owned {
            if let Ok(offsets) = shared.log.offsets(shared.topic.name, id).await
                && let Some(gauges) = shared.progress.look(id, offsets.end, shared.now_us())
            {
                tell(&shared.metrics, id, gauges);
            }
        }
        told = owned;
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    // Whoever owns them next tells of them.
    told.iter().for_each(|id| forget(&shared.metrics, *id));
}

fn tell(metrics: &Metrics, id: u32, gauges: Gauges) {
    let id = id.to_string();
    let label = &[id.as_str()];
    metrics.lag_records.with_label_values(label).set(gauge(gauges.lag_records));
    metrics.lag_seconds.with_label_values(label).set(gauges.lag_seconds);
    metrics.flush_age_seconds.with_label_values(label).set(gauges.flush_age_seconds);
}

fn forget(metrics: &Metrics, id: u32) {
    let id = id.to_string();
    let label = &[id.as_str()];
    // Fails where nothing was told, which is as well.
    let _ = metrics.lag_records.remove_label_values(label);
    let _ = metrics.lag_seconds.remove_label_values(label);
    let _ = metrics.flush_age_seconds.remove_label_values(label);
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    #[tokio::test(start_paused = true)]
    async fn lag_and_age_grow_until_a_flush() {
        let progress = Progress::default();
        assert_eq!(progress.look(3, 10, 0), None, "not owned");
        progress.taken(3, 10);
        let nothing = Gauges { lag_records: 0, lag_seconds: 0.0, flush_age_seconds: 0.0 };
        assert_eq!(progress.look(3, 10, 0), Some(nothing));
        tokio::time::advance(Duration::from_secs(4)).await;
        let unread = Gauges { lag_records: 2, lag_seconds: 4.0, flush_age_seconds: 0.0 };
        assert_eq!(progress.look(3, 12, 4 * SECOND_US), Some(unread), "since the last look at most");
        progress.read(3, 2 * SECOND_US, 100);
        progress.read(3, 3 * SECOND_US, 50);
        assert_eq!(progress.held_bytes(), (150, 0));
        assert_eq!(progress.behind(5 * SECOND_US), Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(6)).await;
        let read = Gauges { lag_records: 2, lag_seconds: 8.0, flush_age_seconds: 6.0 };
        assert_eq!(progress.look(3, 12, 10 * SECOND_US), Some(read));
        progress.dropped(3);
        progress.taken(3, 10);
        assert_eq!(progress.look(3, 12, 10 * SECOND_US), Some(read), "taking it anew is no progress");
        assert_eq!(progress.held_bytes(), (0, 0));
        progress.flushed(3, 12, 70, (0, None));
        assert_eq!(progress.look(3, 12, 11 * SECOND_US), Some(nothing));
        assert_eq!(progress.held_bytes(), (0, 70));
        assert_eq!(progress.behind(11 * SECOND_US), Duration::ZERO);
        progress.left(3);
        assert!(progress.ids().is_empty());
    }
}
