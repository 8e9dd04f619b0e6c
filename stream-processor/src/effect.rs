//! What a range of a log partition changes, and the rows that say so.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use playhead_domain::id::StreamId;
use playhead_domain::issue;
use playhead_domain::performance::observation::Observation;
use playhead_domain::row::{
    DeadLetter, EventChunk, Frame, IntakeCounts, IssueChanges, ListedSession, Object, ObjectSession,
    OpenSession, SessionKey, SessionState,
};
use playhead_domain::scope::Scope;
use playhead_domain::seal::DataKey;
use playhead_domain::session::key;
use playhead_domain::store::{Key, Mutation};
use playhead_domain::table::{self, Table};
use prost::Message;

use crate::cache::SessionRef;
use crate::issue::{IssueEffects, IssueTotal, IssueVisitor};
use crate::performance::{PerformanceEffects, PerformanceRow};
use crate::range::issues::SessionIssues;
use crate::witness::{NameRow, Witnessed};

/// A dom frame on its way into the flush's object. `frame.offset` is where it begins in [`SessionWork::sealed`], and then in the object.
#[derive(Debug, Clone)]
pub(crate) struct PendingFrame {
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    pub(crate) frame: Frame,
}

/// A session under work: its state, and what the range adds.
#[derive(Debug, Clone)]
pub(crate) struct SessionWork {
    pub(crate) state: SessionState,
    /// The slot to write next.
    pub(crate) slot: i64,
    pub(crate) key: DataKey,
    pub(crate) is_new: bool,
    pub(crate) is_changed: bool,
    /// The range has the first that its browser sent.
    pub(crate) begins: bool,
    /// The range has something that its browser sent, and not only spans of its backend.
    pub(crate) is_visited: bool,
    pub(crate) chunks: Vec<(StreamId, u64, EventChunk)>,
    pub(crate) frames: Vec<PendingFrame>,
    /// The frames' bytes, one after the other.
    pub(crate) sealed: Vec<u8>,
    pub(crate) facets: Vec<(&'static str, String)>,
    pub(crate) issues: SessionIssues,
    /// What its requests and pages took.
    pub(crate) measured: Vec<Observation>,
}

/// The bytes of an object, never copied into one piece.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Bytes>,
    pub(crate) bytes: u64,
}

impl Parts {
    pub(crate) fn push(&mut self, part: Bytes) {
        self.bytes += part.len() as u64;
        self.parts.push(part);
    }
}

/// What a log partition took in for a scope on a day, up to and with the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayTotal {
    pub(crate) scope: Scope,
    pub(crate) day: i64,
    /// The slot to write.
    pub(crate) slot: i64,
    pub(crate) counts: IntakeCounts,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) scope: Scope,
    /// Of the record. If that is a copy of a dead letter's record: of the original.
    pub(crate) offset: u64,
    pub(crate) is_replay: bool,
    pub(crate) row: DeadLetter,
}

/// Everything that a range changes.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) sessions: BTreeMap<SessionRef, SessionWork>,
    pub(crate) dead_letters: Vec<Letter>,
    /// Dead letters, by offset, that have had their effect after all.
    pub(crate) resolved: Vec<(Scope, u64)>,
    /// What the range itself brought, by scope and day of receipt.
    pub(crate) intake: BTreeMap<(Scope, i64), IntakeCounts>,
    /// The same days with what was before.
    pub(crate) totals: Vec<DayTotal>,
    pub(crate) issues: IssueEffects,
    pub(crate) performance: PerformanceEffects,
    pub(crate) witnessed: Witnessed,
}

/// Where and when the rows are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: u32,
    pub(crate) write_us: i64,
    /// How long the log keeps a record: a dead letter without it is of no use, and takes up room.
    pub(crate) kept_ms: i64,
    /// By this process's clock.
    pub(crate) now_ms: i64,
}

const DAY_MS: i64 = 86_400_000;
const INTAKE_TTL_MS: i64 = 35 * DAY_MS;
/// Issues of a project that one flush names as changed: 800 KB, less than a row may have.
const MAX_NAMED_ISSUES: usize = 50_000;
/// Sessions of an object that one row tells of: some hundred KB.
const SESSIONS_PER_ROW: usize = 10_000;
/// How much longer than the object its rows are kept: it must go first.
const OBJECT_ROW_TTL_MS: i64 = 90 * DAY_MS;

impl Effects {
    /// Removes the dead letters of an erased session, those included that another try at the range has written.
    pub(crate) fn bury_no_more(&mut self, (scope, session): SessionRef) {
        let is_of_session = |letter: &Letter| letter.scope == scope && letter.row.session[..] == session.0;
        let gone = self.dead_letters.iter().filter(|letter| is_of_session(letter));
        self.resolved.extend(gone.map(|letter| (letter.scope, letter.offset)));
        self.dead_letters.retain(|letter| !is_of_session(letter));
    }

    /// Moves the sessions' sealed bytes to the end of `object` and tells each frame where it is. Returns the sessions that have some.
    pub(crate) fn fill(&mut self, object: &mut Parts, name: &str) -> BTreeSet<SessionRef> {
        let mut sessions = BTreeSet::new();
        for (session, work) in self.sessions.iter_mut().filter(|(_, work)| !work.frames.is_empty()) {
            for pending in &mut work.frames {
                name.clone_into(&mut pending.frame.object);
                pending.frame.offset += object.bytes;
            }
            object.push(std::mem::take(&mut work.sealed).into());
            sessions.insert(*session);
        }
        sessions
    }

    /// The rows, each with the stamp's version.
    pub(crate) fn rows(&self, stamp: Stamp<'_>) -> Vec<Mutation> {
        let mut rows = Vec::new();
        let changed = || self.sessions.iter().filter(|(_, work)| work.is_changed);
        let visited = changed().filter(|(_, work)| work.is_visited);
        let expiries = visited.filter_map(|(_, work)| Some(work.state.summary.as_ref()?.expires_at_ms));
        if let Some(expires_at_ms) = expiries.max() {
            // Before the slice's sessions: compaction looks for them only in slices it knows of.
            let key = key::open_slice(stamp.topic, stamp.partition, key::slice(stamp.write_us));
            rows.push(put(&table::OPEN_SLICES, key, Bytes::new(), stamp, expires_at_ms));
        }
        for (session, work) in changed() {
            session_rows(&mut rows, stamp, *session, work);
        }
        for Letter { scope, offset, row, .. } in &self.dead_letters {
            let expires_at_ms = (row.received_us / 1_000).saturating_add(stamp.kept_ms);
            let key = key::dead_letter(*scope, stamp.partition, *offset);
            rows.push(put(&table::DEAD_LETTERS, key, row.encode_to_vec(), stamp, expires_at_ms));
        }
        rows.extend(self.resolved.iter().map(|(scope, offset)| Mutation::Delete {
            table: &table::DEAD_LETTERS,
            key: key::dead_letter(*scope, stamp.partition, *offset),
            version: stamp.write_us,
        }));
        for DayTotal { scope, day, slot, counts } in &self.totals {
            let key = key::intake(*scope, *day, stamp.partition, *slot);
            let expires_at_ms = day * DAY_MS + INTAKE_TTL_MS;
            rows.push(put(&table::INTAKE_COUNTS, key, counts.encode_to_vec(), stamp, expires_at_ms));
        }
        self.issues.rows(&mut rows, stamp);
        for PerformanceRow { key, value, expires_at_ms } in &self.performance.rows {
            rows.push(put(&table::PERFORMANCE, key.clone(), value.clone(), stamp, *expires_at_ms));
        }
        for NameRow { key, name, expires_at_ms } in &self.witnessed.rows {
            rows.push(put(&table::PERFORMANCE_NAMES, key.clone(), name.clone(), stamp, *expires_at_ms));
        }
        rows
    }
}

impl IssueEffects {
    fn rows(&self, rows: &mut Vec<Mutation>, stamp: Stamp<'_>) {
        self.changes(rows, stamp);
        for IssueTotal { scope, issue, slot, totals } in &self.totals {
            let key = issue::key::issue(*scope, *issue, stamp.partition, *slot);
            rows.push(put(&table::ISSUES, key, totals.encode_to_vec(), stamp, totals.expires_at_ms));
        }
        for IssueVisitor { scope, issue, visitor, sealed, expires_at_ms } in &self.visitors {
            let key = issue::key::user(*scope, *issue, *visitor);
            rows.push(match sealed {
                Some(sealed) => put(&table::ISSUE_USERS, key, sealed.to_vec(), stamp, *expires_at_ms),
                None => Mutation::Delete { table: &table::ISSUE_USERS, key, version: stamp.write_us },
            });
        }
    }
}

impl IssueEffects {
    /// By the clock, not by the log: a reader that follows them does not look at days on which a processor that is behind took in what it
    /// writes now. A redo on another day names the same issues twice, which does no harm.
    fn changes(&self, rows: &mut Vec<Mutation>, stamp: Stamp<'_>) {
        let mut projects: BTreeMap<Scope, Vec<&IssueTotal>> = BTreeMap::new();
        self.totals.iter().for_each(|total| projects.entry(total.scope).or_default().push(total));
        for (scope, totals) in projects {
            let Some(next_offset) = totals.first().map(|total| total.totals.next_offset) else { continue };
            let all = totals.len() > MAX_NAMED_ISSUES;
            let named = totals.iter().filter(|_| !all).flat_map(|total| total.issue.0);
            let changes = IssueChanges { issues: named.collect(), all };
            let key = issue::key::changes(scope, stamp.partition, key::day(stamp.now_ms), next_offset);
            let expires_at_ms = stamp.now_ms + issue::key::CHANGES_KEPT_MS;
            rows.push(put(&table::ISSUE_CHANGES, key, changes.encode_to_vec(), stamp, expires_at_ms));
        }
    }
}

fn put(
    table: &'static Table,
    key: Key,
    value: impl Into<Bytes>,
    stamp: Stamp<'_>,
    expires_at_ms: i64,
) -> Mutation {
    Mutation::Put {
        table,
        key,
        value: value.into(),
        version: stamp.write_us,
        expires_at_ms: Some(expires_at_ms),
    }
}

fn session_rows(rows: &mut Vec<Mutation>, stamp: Stamp<'_>, (scope, id): SessionRef, work: &SessionWork) {
    let Some(summary) = &work.state.summary else { return };
    let expires = summary.expires_at_ms;
    if work.is_new {
        let value = SessionKey { wrapped: work.state.wrapped_key.clone() }.encode_to_vec();
        rows.push(put(&table::SESSION_KEYS, key::session(scope, id), value, stamp, expires));
    }
    for (stream, seq, chunk) in &work.chunks {
        let key = key::batch(scope, id, *stream, *seq);
        rows.push(put(&table::SESSION_EVENTS, key, chunk.encode_to_vec(), stamp, expires));
    }
    for PendingFrame { stream, seq, frame, .. } in &work.frames {
        let key = key::batch(scope, id, *stream, *seq);
        rows.push(put(&table::SESSION_FRAMES, key, frame.encode_to_vec(), stamp, expires));
    }
    let start_ms = summary.list_start_ms;
    if work.begins {
        let key = key::by_start(scope, id, start_ms);
        let value = ListedSession { unseen: summary.unseen }.encode_to_vec();
        rows.push(put(&table::SESSIONS_BY_START, key, value, stamp, expires));
    }
    for (facet, value) in &work.facets {
        let key = key::facet(scope, facet, value, start_ms, id);
        rows.push(put(&table::SESSION_FACETS, key, Bytes::new(), stamp, expires));
    }
    if work.is_visited {
        let open = OpenSession {
            tenant: scope.tenant().0,
            project: scope.project().0,
            last_append_us: summary.last_append_us,
            ended: !summary.ended_reason.is_empty(),
        };
        let key = key::open(stamp.topic, stamp.partition, key::slice(stamp.write_us), id);
        rows.push(put(&table::OPEN_SESSIONS, key, open.encode_to_vec(), stamp, expires));
    }
    let key = key::state(scope, id, work.slot);
    rows.push(put(&table::SESSION_STATE, key, work.state.encode_to_vec(), stamp, expires));
}

/// The rows that tell which sessions have bytes in an object.
pub(crate) fn object_rows(
    kind: &str,
    name: &str,
    day: i64,
    bytes: u64,
    sessions: &BTreeSet<SessionRef>,
    expires_at_ms: i64,
    version: i64,
) -> Vec<Mutation> {
    let sessions: Vec<_> = sessions
        .iter()
        .map(|(scope, session)| ObjectSession {
            tenant: scope.tenant().0,
            project: scope.project().0,
            session: Bytes::copy_from_slice(&session.0),
        })
        .collect();
    let row = |(part, sessions): (i64, &[ObjectSession])| {
        let kind = kind.to_owned();
        Mutation::Put {
            table: &table::OBJECTS,
            key: key::object(day, name, part),
            value: Object { kind, bytes, expires_at_ms, sessions: sessions.to_vec() }.encode_to_vec().into(),
            version,
            expires_at_ms: (expires_at_ms > 0).then_some(expires_at_ms + OBJECT_ROW_TTL_MS),
        }
    };
    (0..).zip(sessions.chunks(SESSIONS_PER_ROW)).map(row).collect()
}
