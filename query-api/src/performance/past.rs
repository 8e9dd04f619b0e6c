//! Hours and days of the log to which no flush adds any more, as one row for all log partitions, in memory: what a list over a month reads is
//! mostly these.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use playhead_domain::id::ProjectId;
use playhead_domain::performance::filter::Filter;
use playhead_domain::performance::key::Level;
use playhead_domain::performance::totals::Totals;

use crate::state::Api;

/// A partition of the table but for its shards: some hours, or days, of a project; of these what passes a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) project: ProjectId,
    pub(super) level: Level,
    pub(super) bucket: i64,
    pub(super) filter: Filter,
}

/// What was not used for so long gives way to something else. What is used stays, or all would be joined anew for every list that needs more than
/// there is room for.
const UNUSED: Duration = Duration::from_secs(600);

/// What of the whole the rows of a project's filters may take, and how many there may be.
const FILTERED_SHARE: usize = 2;
const MAX_FILTERED: usize = 1_000;
/// Rows of filters that were used within this time stay.
const IN_USE: Duration = Duration::from_secs(60);

/// Rows by place.
pub(crate) struct Past {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    rows: BTreeMap<Place, Row>,
    bytes: usize,
}

struct Row {
    /// The log partitions that had a head: one that is new may have been behind.
    partitions: Arc<[i64]>,
    /// `None`: there was no room for it.
    bytes: Option<Bytes>,
    used: Instant,
}

impl Past {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, held: Mutex::default() }
    }

    pub(super) fn get(&self, place: &Place, partitions: &[i64]) -> Option<Bytes> {
        let mut held = self.held.lock();
        let row = held.rows.get_mut(place).filter(|row| *row.partitions == *partitions)?;
        let bytes = row.bytes.clone()?;
        row.used = Instant::now();
        Some(bytes)
    }

    /// Whether there may be room for it.
    fn wants(&self, place: &Place, partitions: &[i64], now: Instant) -> bool {
        let held = self.held.lock();
        let known = held.rows.get(place).filter(|row| *row.partitions == *partitions);
        // Others of its project may have gone when they were not in use any more.
        let believed = if place.filter.is_empty() { UNUSED } else { IN_USE };
        self.most_bytes > 0 && known.is_none_or(|row| now.duration_since(row.used) > believed)
    }

    /// Returns how many bytes are held then.
    fn put(&self, place: Place, partitions: Arc<[i64]>, bytes: Bytes, now: Instant) -> usize {
        let mut held = self.held.lock();
        held.remove(&place);
        let full = Row { partitions, bytes: Some(bytes), used: now };
        if !place.filter.is_empty() {
            let most_bytes = self.most_bytes / FILTERED_SHARE;
            match held.make_room_for_filtered(&place, full.size(&place), most_bytes, now) {
                Room::ForBytes => {}
                Room::ForNone => return held.put_without_bytes(place, full, self.most_bytes),
                Room::No => return held.bytes,
            }
        }
        if held.bytes + full.size(&place) > self.most_bytes {
            let unused = held.rows.iter().filter(|(_, row)| now.duration_since(row.used) > UNUSED);
            for place in unused.map(|(place, _)| place.clone()).collect::<Vec<_>>() {
                held.remove(&place);
            }
        }
        let is_fitting = |row: &Row| held.bytes + row.size(&place) <= self.most_bytes;
        if !is_fitting(&full) {
            return held.put_without_bytes(place, full, self.most_bytes);
        }
        held.bytes += full.size(&place);
        held.rows.insert(place, full);
        held.bytes
    }
}

/// What a project's filters leave to one more.
enum Room {
    ForBytes,
    /// To remember that it had none.
    ForNone,
    No,
}

impl Row {
    fn size(&self, place: &Place) -> usize {
        size_of::<(Place, Self)>() + place.filter.bytes() + self.bytes.as_ref().map_or(0, Bytes::len)
    }
}

impl Held {
    /// Anybody may ask for many filters: those of a project take each other's room only, and not while they are used: they would take turns in being
    /// joined.
    fn make_room_for_filtered(
        &mut self,
        place: &Place,
        bytes: usize,
        most_bytes: usize,
        now: Instant,
    ) -> Room {
        let is_own = |other: &Place| other.project == place.project && !other.filter.is_empty();
        let own = self.rows.iter().filter(|(other, _)| is_own(other));
        let mut own: Vec<_> = own.map(|(other, row)| (row.used, other, row.size(other))).collect();
        own.sort_unstable_by_key(|(used, ..)| *used);
        let (mut sum, mut count) = (own.iter().map(|(.., size)| size).sum::<usize>(), own.len());
        let mut gone = Vec::new();
        for (used, oldest, size) in own {
            // What cannot fit takes nobody's place but that of one that is remembered.
            let fits = sum + bytes <= most_bytes || bytes > most_bytes;
            if fits && count < MAX_FILTERED || now.duration_since(used) < IN_USE {
                break;
            }
            gone.push(oldest.clone());
            (sum, count) = (sum - size, count - 1);
        }
        for place in gone {
            self.remove(&place);
        }
        match (count < MAX_FILTERED, sum + bytes <= most_bytes) {
            (true, true) => Room::ForBytes,
            (true, false) => Room::ForNone,
            (false, _) => Room::No,
        }
    }

    /// Remembers that there was no room, so that it is not joined for nothing. Returns how many bytes are held then.
    fn put_without_bytes(&mut self, place: Place, row: Row, most_bytes: usize) -> usize {
        let row = Row { bytes: None, ..row };
        let size = row.size(&place);
        if self.bytes + size <= most_bytes {
            self.bytes += size;
            self.rows.insert(place, row);
        }
        self.bytes
    }

    fn remove(&mut self, place: &Place) {
        self.bytes -= self.rows.remove(place).map_or(0, |row| row.size(place));
    }
}

/// Keeps what was read of some places, beside the request that read it; when others keep the cores busy, a later request does.
pub(super) fn keep(api: &Api, partitions: Vec<i64>, mut read: Vec<(Place, Vec<Bytes>)>) {
    read.retain(|(place, _)| api.0.past.wants(place, &partitions, Instant::now()));
    if read.is_empty() {
        return;
    }
    let Ok(permit) = Arc::clone(&api.0.summing).try_acquire_owned() else { return };
    let partitions: Arc<[i64]> = partitions.into();
    let api = api.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        for (place, rows) in read {
            match Totals::join(rows, &place.filter) {
                Ok(row) => {
                    let bytes = api.0.past.put(place, Arc::clone(&partitions), row, Instant::now());
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
        Place { project: ProjectId(1), level: Level::Day(Kind::Plain), bucket, filter: Filter::default() }
    }

    fn row(length: usize) -> Bytes {
        vec![7; length].into()
    }

    fn partitions(all: &[i64]) -> Arc<[i64]> {
        all.into()
    }

    const EMPTY: usize = size_of::<(Place, Row)>();

    #[test]
    fn a_row_is_given_for_the_same_log_partitions_only() {
        let past = Past::new(1_000);
        assert_eq!(past.put(place(1), partitions(&[0, 1]), row(10), Instant::now()), 10 + EMPTY);
        assert_eq!(past.get(&place(1), &[0, 1]), Some(row(10)));
        assert_eq!(past.get(&place(1), &[0, 1, 2]), None);
        assert_eq!(past.get(&Place { project: ProjectId(2), ..place(1) }, &[0, 1]), None);
        assert_eq!(past.get(&Place { level: Level::Hour(Kind::Plain), ..place(1) }, &[0, 1]), None);
        assert_eq!(past.put(place(1), partitions(&[0, 1, 2]), row(30), Instant::now()), 30 + EMPTY);
        let filter = Filter { release: Some("2".to_owned()), ..Filter::default() };
        assert_eq!(past.get(&Place { filter, ..place(1) }, &[0, 1]), None);
        assert!(!Past::new(0).wants(&place(1), &[0], Instant::now()), "none are kept");
    }

    #[test]
    fn what_is_used_stays_and_what_has_no_room_is_not_asked_for_again_at_once() {
        let past = Past::new(10_000 + 4 * EMPTY);
        let begun = Instant::now();
        let put = |bucket, bytes, now| past.put(place(bucket), partitions(&[0]), row(bytes), now);
        let is_there = |bucket| past.get(&place(bucket), &[0]).is_some();
        put(1, 6_000, begun);
        put(2, 4_000, begun);
        assert_eq!(put(3, 3_000, begun), 10_000 + 3 * EMPTY);
        assert_eq!([1, 2, 3].map(is_there), [true, true, false]);
        assert!(!past.wants(&place(3), &[0], begun) && past.wants(&place(3), &[1], begun));
        let later = Instant::now() + UNUSED + Duration::from_secs(1);
        assert!(past.wants(&place(3), &[0], later));
        assert_eq!(put(3, 7_000, later), 7_000 + EMPTY);
        assert_eq!(put(4, 20_000, later), 7_000 + 2 * EMPTY, "too large");
        assert_eq!([1, 2, 3, 4].map(is_there), [false, false, true, false]);
    }

    #[test]
    fn filters_take_the_room_of_filters_only() {
        let past = Past::new(8_000 + 20 * EMPTY);
        let begun = Instant::now();
        past.put(place(1), partitions(&[0]), row(3_000), begun);
        let of = |release: u32| {
            let filter = Filter { release: Some(format!("{release:02}")), ..Filter::default() };
            Place { filter, ..place(1) }
        };
        let kept = || (0..20).filter(|release| past.get(&of(*release), &[0]).is_some()).collect::<Vec<_>>();
        (0..10).for_each(|release| _ = past.put(of(release), partitions(&[0]), row(2_000), begun));
        assert_eq!(kept(), [0, 1], "what is in use stays");
        assert!(!past.wants(&of(5), &[0], begun), "and is not joined for nothing");
        let later = Instant::now() + IN_USE + Duration::from_secs(1);
        past.put(of(15), partitions(&[0]), row(2_000), later);
        assert!(kept().contains(&15) && kept().len() == 2, "{:?}", kept());
        assert!(past.get(&place(1), &[0]).is_some());
    }

    #[test]
    fn filters_are_bounded_in_number_also_without_room() {
        let past = Past::new(2 << 20);
        let begun = Instant::now();
        for release in 0..MAX_FILTERED + 100 {
            let filter = Filter { release: Some(release.to_string()), ..Filter::default() };
            past.put(Place { filter, ..place(1) }, partitions(&[0]), row(4_096), begun);
        }
        let held = past.held.lock();
        assert_eq!(held.rows.len(), MAX_FILTERED);
        assert!(held.rows.values().any(|row| row.bytes.is_none()), "there was no room for all");
    }

    #[test]
    fn places_without_rows_fill_no_memory() {
        let past = Past::new(100 * EMPTY);
        let begun = Instant::now();
        for bucket in 0..1_000 {
            assert!(past.put(place(bucket), partitions(&[0]), row(0), begun) <= 100 * EMPTY);
        }
        assert_eq!(past.held.lock().rows.len(), 100);
    }
}
