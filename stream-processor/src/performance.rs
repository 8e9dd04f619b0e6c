//! Statistics of requests and pages: per log partition and project one head that takes what a flush brings, and what it is rolled up into when it
//! is sealed. Rows with slots alternate as all that is counted does ([`slot`]), so a redo writes the same.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use playhead_domain::performance::key::{self, Kind, Level};
use playhead_domain::performance::observation::Observation;
use playhead_domain::performance::totals::Totals;
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange, Key, Order, Store};
use playhead_domain::table::PERFORMANCE;

use crate::cache::SessionRef;
use crate::effect::SessionWork;
use crate::slot;

/// A head of that many bytes is sealed: it is written with every flush.
const SEAL_BYTES: usize = 16 << 10;
/// A head is sealed within a range, too, once it has so many series or has taken so many observations: a segment stays far below what a row takes.
const SEAL_SERIES: usize = 400;
const SEAL_OBSERVATIONS: usize = 4_000;
/// So many segments are rolled up together: roll-ups are larger, and are written whole.
const SEGMENTS: u64 = 24;
/// Projects that are read at a time.
const CONCURRENT_PROJECTS: usize = 32;
const ENTRY_BYTES: usize = 256;

/// A row to write.
#[derive(Debug)]
pub(crate) struct PerformanceRow {
    pub(crate) key: Key,
    pub(crate) value: Bytes,
    pub(crate) expires_at_ms: i64,
}

/// What a range changes of statistics.
#[derive(Debug, Default)]
pub(crate) struct PerformanceEffects {
    pub(crate) rows: Vec<PerformanceRow>,
    heads: Vec<(Scope, Head)>,
}

/// A head as it is written: read into sums it takes many times as much, and a flush needs few of them.
#[derive(Debug, Clone, Default)]
struct Head {
    value: Bytes,
    slot: i64,
}

impl Head {
    fn bytes(&self) -> usize {
        self.value.len() + ENTRY_BYTES
    }
}

/// The heads as of the checkpoint, with the slot that each is in; bounded in bytes.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    known: HashMap<Scope, Head>,
    bytes: usize,
}

impl Heads {
    /// What `sessions` change in `range` (from the checkpoint to its end).
    pub(crate) async fn add(
        &self,
        store: &dyn Store,
        partition: u32,
        range: (u64, u64),
        sessions: &BTreeMap<SessionRef, SessionWork>,
    ) -> Result<PerformanceEffects, store::Error> {
        let mut found: BTreeMap<Scope, Vec<&Observation>> = BTreeMap::new();
        for ((scope, _), work) in sessions.iter().filter(|(_, work)| !work.measured.is_empty()) {
            found.entry(*scope).or_default().extend(&work.measured);
        }
        let projects: Vec<_> = found
            .into_iter()
            .map(|(scope, observations)| {
                self.add_project(store, partition, range, scope, observations).boxed()
            })
            .collect();
        let added = futures::stream::iter(projects).buffered(CONCURRENT_PROJECTS);
        added
            .try_fold(PerformanceEffects::default(), async |mut effects, project| {
                effects.rows.extend(project.rows);
                effects.heads.extend(project.heads);
                Ok(effects)
            })
            .await
    }

    async fn add_project(
        &self,
        store: &dyn Store,
        partition: u32,
        range: (u64, u64),
        scope: Scope,
        mut observations: Vec<&Observation>,
    ) -> Result<PerformanceEffects, store::Error> {
        observations.sort_by_key(|observation| observation.place);
        let known = match self.known.get(&scope) {
            Some(head) => Some((decode(head.value.clone())?, head.slot)),
            None => newest(store, (scope, Level::Head, 0), partition, (range.0, u64::MAX)).await?,
        };
        let (mut head, slot) = known.map_or((Totals::default(), 0), |(totals, slot)| (totals, 1 - slot));
        head.next_offset = range.1;
        let (sealed, rolled) = (BTreeMap::new(), BTreeMap::new());
        let mut adding = Adding { store, scope, partition, range, head, sealed, rolled };
        let value = adding.add(&observations).await?;
        let mut effects = PerformanceEffects::default();
        adding.finish(value, slot, &mut effects);
        Ok(effects)
    }

    /// Remembers heads whose flush is behind the checkpoint.
    pub(crate) fn keep(&mut self, effects: PerformanceEffects, limit_bytes: usize) {
        for (scope, head) in effects.heads {
            self.bytes += head.bytes();
            if let Some(replaced) = self.known.insert(scope, head) {
                self.bytes -= replaced.bytes();
            }
        }
        if self.bytes > limit_bytes {
            *self = Self::default();
        }
    }
}

/// A project under work.
struct Adding<'a> {
    store: &'a dyn Store,
    scope: Scope,
    partition: u32,
    range: (u64, u64),
    head: Totals,
    /// Sealed by this range.
    sealed: BTreeMap<u64, Totals>,
    /// Roll-ups to write, by level and hour or day, with the hour and the slot.
    rolled: BTreeMap<(Level, i64), (Totals, i64, i64)>,
}

impl Adding<'_> {
    /// In the order of the log. Returns the head's row.
    async fn add(&mut self, observations: &[&Observation]) -> Result<Bytes, store::Error> {
        let mut taken = 0;
        for observation in observations {
            if observation.hour > self.head.hour {
                self.seal();
                self.roll_up().await?;
                self.head.hour = observation.hour;
            }
            self.head.add(observation);
            taken += 1;
            // Counting the series takes a while.
            let is_large = taken % 100 == 0 && self.head.series_count() >= SEAL_SERIES;
            if is_large || taken >= SEAL_OBSERVATIONS {
                self.seal();
                taken = 0;
            }
        }
        let mut value = self.head.encode();
        let is_full = value.len() > SEAL_BYTES;
        if is_full {
            self.seal();
        }
        let is_due = self.head.sequence - self.head.rolled >= SEGMENTS;
        if is_due {
            self.roll_up().await?;
        }
        if is_full || is_due {
            value = self.head.encode();
        }
        Ok(value)
    }

    fn seal(&mut self) {
        if self.head.is_empty() {
            return;
        }
        let sealed = self.head.seal();
        self.sealed.insert(sealed.sequence, sealed);
    }

    /// Adds the segments that are not, all of the head's hour, to the hour and its day.
    async fn roll_up(&mut self) -> Result<(), store::Error> {
        let (from, to, hour) = (self.head.rolled, self.head.sequence, self.head.hour);
        if from == to {
            return Ok(());
        }
        let segments = self.segments(from..to, hour).await?;
        for level in Kind::ALL.into_iter().flat_map(|kind| [Level::Hour(kind), Level::Day(kind)]) {
            self.roll(level, hour, &segments).await?;
        }
        (self.head.rolled, self.head.rolled_hour) = (to, hour);
        Ok(())
    }

    async fn segments(&self, numbers: std::ops::Range<u64>, hour: i64) -> Result<Vec<Totals>, store::Error> {
        let mut segments = Vec::new();
        for number in numbers {
            if let Some(sealed) = self.sealed.get(&number) {
                segments.push(sealed.clone());
                continue;
            }
            let row = self.store.get(&PERFORMANCE, &self.segment(number, hour)).await?;
            segments.extend(row.map(|row| decode(row.value)).transpose()?);
        }
        Ok(segments)
    }

    fn segment(&self, number: u64, hour: i64) -> Key {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        key::row(self.scope, Level::Segment, hour, self.partition, number, 0)
    }

    async fn roll(&mut self, level: Level, hour: i64, segments: &[Totals]) -> Result<(), store::Error> {
        let (Level::Hour(kind) | Level::Day(kind)) = level else { return Ok(()) };
        let unit = level.unit(hour);
        let known = match self.rolled.remove(&(level, unit)) {
            Some((totals, _, slot)) => Some((totals, slot)),
            None => {
                let place = (self.scope, level, hour);
                let known =
                    newest(self.store, place, self.partition, (self.range.0, self.head.rolled)).await?;
                known.map(|(totals, slot)| (totals, 1 - slot))
            }
        };
        let (mut totals, slot) = known.unwrap_or_default();
        for segment in segments {
            totals.roll(segment, level.span_minutes(), kind);
        }
        (totals.next_offset, totals.sequence) = (self.range.1, self.head.sequence);
        self.rolled.insert((level, unit), (totals, hour, slot));
        Ok(())
    }

    fn finish(mut self, value: Bytes, slot: i64, effects: &mut PerformanceEffects) {
        for (number, mut segment) in std::mem::take(&mut self.sealed) {
            effects.rows.push(PerformanceRow {
                key: self.segment(number, segment.hour),
                expires_at_ms: Level::Segment.expires_at_ms(segment.hour),
                value: segment.encode(),
            });
        }
        for ((level, unit), (mut totals, hour, slot)) in self.rolled {
            effects.rows.push(PerformanceRow {
                key: key::row(self.scope, level, hour, self.partition, unit, slot),
                value: totals.encode(),
                expires_at_ms: level.expires_at_ms(hour),
            });
        }
        let head = Head { value: value.clone(), slot };
        effects.rows.push(PerformanceRow {
            key: key::row(self.scope, Level::Head, 0, self.partition, 0, slot),
            value,
            expires_at_ms: Level::Head.expires_at_ms(self.head.hour),
        });
        effects.heads.push((self.scope, head));
    }
}

fn decode(value: Bytes) -> Result<Totals, store::Error> {
    Totals::decode(value).map_err(|error| store::Error::Corrupt(format!("statistics of requests: {error}")))
}

/// The newest row at or below the checkpoint of a level and hour of the log, with its slot. One that tells of segments from `rolled` on is of a
/// try that nobody went on from.
async fn newest(
    store: &dyn Store,
    (scope, level, hour): (Scope, Level, i64),
    partition: u32,
    (checkpoint, rolled): (u64, u64),
) -> Result<Option<(Totals, i64)>, store::Error> {
    let columns = key::row(scope, level, hour, partition, 0, 0).partition;
    let range = ClusteringRange::prefix(key::prefix(partition, level.unit(hour)));
    let page = store.scan(&PERFORMANCE, &columns, &range, Order::Ascending, 2).await?;
    let mut slots = Vec::with_capacity(2);
    for row in page.rows {
        let slot = slot::of(&row);
        slots.push((decode(row.value)?, slot));
    }
    slots.retain(|(totals, _)| totals.sequence <= rolled);
    Ok(slot::newest(slots, checkpoint, |totals: &Totals| totals.next_offset))
}
