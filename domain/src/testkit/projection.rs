//! What a store says of what was processed, without what may differ between equal runs: where bytes lie, ciphertext and keys, write
//! times, epochs, slots, and how records fell into flushes and batches into blocks. Two runs over the same log that were disturbed
//! in different ways have the same projection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::ops::RangeInclusive;

use bytes::Bytes;
use prost::Message;

use crate::id::{SessionId, StreamId};
use crate::issue;
use crate::performance::key::{self as performance_key, Kind, Level};
use crate::performance::totals::Totals;
use crate::row::{
    Block, DeadLetter, EventChunk, Frame, IntakeCounts, IssueTotals, ListedSession, OpenSession, SessionKey,
    SessionState, Suppression,
};
use crate::scope::Scope;
use crate::seal::{DataKey, KeyWrapper};
use crate::session::{facet, key};
use crate::store::{ClusteringRange, Row, Store, Value, scan_all};
use crate::table::{self, Table};

/// Text by the name of what it tells of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Projection(BTreeMap<String, String>);

/// Where rows are looked for.
#[derive(Debug, Clone)]
pub struct Place {
    pub scopes: Vec<Scope>,
    /// On which sessions begin and batches are received.
    pub days: RangeInclusive<i64>,
    pub topic: String,
    pub partitions: u32,
}

impl Projection {
    /// Of what the port gives. `keys` are the installation's.
    pub async fn read(store: &dyn Store, keys: &KeyWrapper, place: &Place) -> Self {
        let mut rows = Vec::new();
        for partition in 0..place.partitions {
            let mut slices = Vec::new();
            scan(store, &table::OPEN_SLICES, key::log_partition(&place.topic, partition), &mut slices).await;
            for (_, slice) in slices {
                let [Value::Int(slice)] = slice.key.clustering[..] else { panic!("not a slice: {slice:?}") };
                let columns = key::open_partition(&place.topic, partition, slice);
                scan(store, &table::OPEN_SESSIONS, columns, &mut rows).await;
            }
        }
        for &scope in &place.scopes {
            scan(store, &table::DEAD_LETTERS, key::scope_columns(scope), &mut rows).await;
            for shard in 0..key::SUPPRESSION_SHARDS {
                let partition = key::suppression_partition(scope, shard);
                scan(store, &table::SUPPRESSIONS, partition, &mut rows).await;
            }
            read_issues(store, scope, &mut rows).await;
            read_performance(store, scope, &place.days, &mut rows).await;
            for day in place.days.clone() {
                scan(store, &table::INTAKE_COUNTS, key::intake_partition(scope, day), &mut rows).await;
                for shard in 0..key::SHARDS {
                    let listed = rows.len();
                    let partition = key::by_start_partition(scope, day, shard);
                    scan(store, &table::SESSIONS_BY_START, partition, &mut rows).await;
                    let sessions: Vec<_> = rows[listed..].iter().map(|(_, row)| row.clone()).collect();
                    for row in sessions {
                        let (start_ms, id) = key::start_of(&row.key.clustering).unwrap();
                        read_session(store, scope, id, start_ms, &mut rows).await;
                    }
                }
            }
        }
        Self::of_rows(keys, rows)
    }

    /// Of rows with the names of their tables.
    pub fn of_rows(keys: &KeyWrapper, rows: Vec<(&'static str, Row)>) -> Self {
        let mut data_keys = BTreeMap::new();
        for (_, row) in rows.iter().filter(|(name, _)| *name == table::SESSION_KEYS.name) {
            let id = session_of(row);
            let wrapped = SessionKey::decode(row.value.clone()).unwrap().wrapped;
            data_keys.insert(id, keys.unwrap(id, &wrapped).unwrap());
        }
        let mut folding = Folding { data_keys, ..Folding::default() };
        for (name, row) in rows {
            folding.take(name, &row);
        }
        folding.finish()
    }

    /// What one says and the other does not, a line each; empty when they are equal.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for name in self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name))) {
            let (one, two) = (self.0.get(name), other.0.get(name));
            if one != two {
                let text = |side: Option<&String>| side.map_or("nothing".to_owned(), Clone::clone);
                lines.push(format!("{name}\n  one:   {}\n  other: {}", text(one), text(two)));
            }
        }
        lines
    }

    /// The lines, for a look.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|(name, text)| format!("{name}: {text}\n")).collect()
    }
}

async fn scan(
    store: &dyn Store,
    table: &'static Table,
    partition: Vec<Value>,
    rows: &mut Vec<(&'static str, Row)>,
) {
    let read = scan_all(store, table, &partition, ClusteringRange::ALL).await.unwrap();
    rows.extend(read.into_iter().map(|row| (table.name, row)));
}

async fn read_issues(store: &dyn Store, scope: Scope, rows: &mut Vec<(&'static str, Row)>) {
    let first = rows.len();
    for shard in 0..issue::key::SHARDS {
        scan(store, &table::ISSUES, issue::key::issues_partition(scope, shard), rows).await;
    }
    let issues: BTreeSet<_> =
        rows[first..].iter().map(|(_, row)| issue::key::issue_of(&row.key.clustering).unwrap().0).collect();
    for issue in issues {
        for shard in 0..issue::key::SHARDS {
            let partition = issue::key::users_partition(scope, issue, shard);
            scan(store, &table::ISSUE_USERS, partition, rows).await;
        }
    }
}

async fn read_performance(
    store: &dyn Store,
    scope: Scope,
    days: &RangeInclusive<i64>,
    rows: &mut Vec<(&'static str, Row)>,
) {
    let mut buckets = BTreeSet::new();
    for hour in days.start() * 24..(days.end() + 1) * 24 {
        let levels = [Level::Head, Level::Segment, Level::Hour(Kind::Plain), Level::Day(Kind::Plain)];
        buckets.extend(levels.map(|level| (level, level.bucket(hour))));
    }
    for (level, bucket) in buckets {
        for shard in 0..performance_key::SHARDS {
            let partition = performance_key::partition(scope, level, bucket, shard);
            scan(store, &table::PERFORMANCE, partition, rows).await;
        }
    }
}

async fn read_session(
    store: &dyn Store,
    scope: Scope,
    id: SessionId,
    start_ms: i64,
    rows: &mut Vec<(&'static str, Row)>,
) {
    for table in
        [&table::SESSION_KEYS, &table::SESSION_EVENTS, &table::SESSION_FRAMES, &table::SESSION_BLOCKS]
    {
        scan(store, table, key::session_partition(scope, id), rows).await;
    }
    let first = rows.len();
    scan(store, &table::SESSION_STATE, key::session_partition(scope, id), rows).await;
    let states: Vec<SessionState> =
        rows[first..].iter().map(|(_, row)| SessionState::decode(row.value.clone()).unwrap()).collect();
    let newest = states.into_iter().max_by_key(|state| state.next_offset).unwrap_or_default();
    for (name, value) in newest.facets.iter().filter_map(|entry| facet::of_entry(entry)) {
        let key = key::facet(scope, name, value, start_ms, id);
        let row = store.get(&table::SESSION_FACETS, &key).await.unwrap();
        rows.extend(row.map(|row| (table::SESSION_FACETS.name, row)));
    }
}

/// The session in the key of a table that is partitioned by session.
fn session_of(row: &Row) -> SessionId {
    match &row.key.partition[..] {
        [_, _, Value::Bytes(id), ..] => SessionId(id.as_ref().try_into().unwrap()),
        other => panic!("not a session's: {other:?}"),
    }
}

fn decode<M: Message + Default>(row: &Row) -> M {
    M::decode(row.value.clone()).unwrap()
}

/// By start and slot or segment.
type Pieces = BTreeMap<(i64, Value), Totals>;

#[derive(Default)]
struct Folding {
    data_keys: BTreeMap<SessionId, DataKey>,
    said: BTreeMap<String, String>,
    states: BTreeMap<SessionId, SessionState>,
    /// By day and log partition: the newer slot.
    intake: BTreeMap<(Vec<Value>, Value), IntakeCounts>,
    /// By issue and log partition: the newer slot.
    issues: BTreeMap<(Vec<Value>, Vec<Value>), IssueTotals>,
    /// By scope and log partition: heads, segments and roll-ups, the newer slot of each.
    performance: BTreeMap<(Vec<Value>, Value), Pieces>,
    /// By log partition and session: which of the slices does not matter.
    open: BTreeMap<(Vec<Value>, Vec<Value>), OpenSession>,
    /// The batches of a recording: what they hold, and in how many blocks they are.
    recordings: BTreeMap<(SessionId, StreamId, u64), (String, u32)>,
}

impl Folding {
    fn say(&mut self, table: &str, name: impl Debug, text: impl Debug) {
        self.said.insert(format!("{table} {name:?}"), format!("{text:?}"));
    }

    fn take(&mut self, table: &'static str, row: &Row) {
        if table == table::SESSION_STATE.name {
            let state: SessionState = decode(row);
            let known = self.states.entry(session_of(row)).or_default();
            if state.next_offset >= known.next_offset {
                *known = state;
            }
        } else if table == table::SESSION_EVENTS.name {
            self.take_events(row);
        } else if table == table::SESSION_FRAMES.name {
            self.take_frame(row);
        } else if table == table::SESSION_BLOCKS.name {
            self.take_block(row);
        } else if table == table::INTAKE_COUNTS.name {
            let key = (row.key.partition.clone(), row.key.clustering[0].clone());
            let (known, counts) = (self.intake.entry(key).or_default(), decode::<IntakeCounts>(row));
            if counts.next_offset >= known.next_offset {
                *known = counts;
            }
        } else if table == table::ISSUES.name {
            let key = (row.key.partition.clone(), row.key.clustering[..2].to_vec());
            let (known, totals) = (self.issues.entry(key).or_default(), decode::<IssueTotals>(row));
            if totals.next_offset >= known.next_offset {
                *known = totals;
            }
        } else if table == table::PERFORMANCE.name {
            self.take_performance(row);
        } else if table == table::ISSUE_USERS.name {
            self.say(table, &row.key, &row.value);
        } else if table == table::SESSIONS_BY_START.name {
            self.say(table, &row.key, decode::<ListedSession>(row));
        } else if table == table::SESSION_FACETS.name {
            self.say(table, &row.key, "");
        } else if table == table::OPEN_SESSIONS.name {
            let key = (row.key.partition[..2].to_vec(), row.key.clustering.clone());
            let (known, open) = (self.open.entry(key).or_default(), decode::<OpenSession>(row));
            if open.last_append_us >= known.last_append_us {
                *known = open;
            }
        } else if table == table::DEAD_LETTERS.name {
            self.say(table, &row.key, decode::<DeadLetter>(row));
        } else if table == table::SUPPRESSIONS.name && !key::is_erasure_mark(&row.key) {
            self.say(table, &row.key, decode::<Suppression>(row).stage);
        } else if table == table::SESSION_KEYS.name {
            self.say(table, session_of(row), "there");
        }
    }

    fn take_performance(&mut self, row: &Row) {
        let (Value::Int(level), columns) = (&row.key.partition[2], &row.key.clustering) else { panic!() };
        let of = (row.key.partition[..2].to_vec(), columns[0].clone());
        let known = self.performance.entry(of).or_default().entry((*level, columns[1].clone())).or_default();
        let totals = Totals::decode(row.value.clone()).unwrap();
        if totals.next_offset >= known.next_offset {
            *known = totals;
        }
    }

    /// How records fell into flushes decides what is a segment, and what of it is rolled up: by minutes it is the same, and so is each day,
    /// rolled up or not.
    fn say_performance(&mut self) {
        let mut scopes: BTreeMap<Vec<Value>, [Totals; 3]> = BTreeMap::new();
        for ((scope, _), rows) in std::mem::take(&mut self.performance) {
            let [minutes, hours, days] = scopes.entry(scope).or_default();
            let head = rows.get(&(0, Value::Int(0))).cloned().unwrap_or_default();
            let rolled = i64::try_from(head.rolled).unwrap();
            for ((level, unit), totals) in &rows {
                let is_segment = *level == 1;
                if is_segment || *level == 0 {
                    minutes.roll(totals, 1, Kind::Detail);
                }
                if *level == 0 || is_segment && *unit >= Value::Int(rolled) || *level == 2 {
                    hours.roll(totals, 60, Kind::Plain);
                }
                if *level == 0 || is_segment && *unit >= Value::Int(rolled) || *level == 5 {
                    days.roll(totals, 1_440, Kind::Plain);
                }
            }
        }
        for (scope, all) in scopes {
            for (name, totals) in ["minutes", "hours", "days"].into_iter().zip(all) {
                let lines: Vec<_> = totals.series().collect();
                self.say("performance", (&scope, name), lines);
            }
        }
    }

    /// Opened: so it is known that what is listed can be read.
    fn take_events(&mut self, row: &Row) {
        let (id, chunk) = (session_of(row), decode::<EventChunk>(row));
        let opened =
            self.data_keys.get(&id).map(|key| key.open_events(id, &chunk).map_err(|e| e.to_string()));
        let text = match opened {
            Some(Ok(raw)) => String::from_utf8_lossy(&raw).into_owned(),
            failed => format!("{failed:?}"),
        };
        let EventChunk { raw_bytes, events, from_ms, to_ms, .. } = chunk;
        self.say("events", (id, &row.key.clustering), (raw_bytes, events, from_ms, to_ms, text));
    }

    fn take_frame(&mut self, row: &Row) {
        let (stream, seq) = key::batch_of(&row.key.clustering).unwrap();
        let frame: Frame = decode(row);
        let text = recorded(frame.raw_bytes, (frame.from_ms, frame.to_ms), frame.key_frame, frame.events);
        self.recordings.entry((session_of(row), stream, seq)).or_insert((text, 0));
    }

    fn take_block(&mut self, row: &Row) {
        let (stream, _) = key::batch_of(&row.key.clustering).unwrap();
        let block: Block = decode(row);
        for frame in &block.frames {
            let from_ms = block.from_ms + frame.from_offset_ms;
            let times = (from_ms, from_ms + i64::from(frame.duration_ms));
            let text = recorded(frame.raw_bytes, times, frame.key_frame, frame.events);
            let known = self.recordings.entry((session_of(row), stream, frame.seq));
            known.or_insert((text, 0)).1 += 1;
        }
        for gap in &block.gaps {
            self.say("gap", (session_of(row), stream, gap.from_ms), gap);
        }
    }

    fn finish(mut self) -> Projection {
        for (id, mut state) in std::mem::take(&mut self.states) {
            (state.next_offset, state.wrapped_key) = (0, Bytes::new());
            self.say("state", id, state);
        }
        let mut intake: BTreeMap<Vec<Value>, IntakeCounts> = BTreeMap::new();
        for ((day, _), counts) in std::mem::take(&mut self.intake) {
            intake.entry(day).or_default().add(&counts);
        }
        for (day, counts) in intake {
            self.say("intake", day, counts);
        }
        for (issue, mut totals) in std::mem::take(&mut self.issues) {
            totals.next_offset = 0;
            self.say("issue", issue, totals);
        }
        self.say_performance();
        for (session, open) in std::mem::take(&mut self.open) {
            self.say("open", session, open);
        }
        for (batch, (text, blocks)) in std::mem::take(&mut self.recordings) {
            let text = if blocks > 1 { format!("{text} in {blocks} blocks at once") } else { text };
            self.say("recording", batch, text);
        }
        Projection(self.said)
    }
}

fn recorded(raw_bytes: u32, (from_ms, to_ms): (i64, i64), key_frame: bool, events: u32) -> String {
    format!("{raw_bytes} bytes {from_ms}..{to_ms} key_frame {key_frame} events {events}")
}
