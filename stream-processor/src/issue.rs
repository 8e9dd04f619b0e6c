//! Counts of issues: per log partition, project and issue one total, in two alternating slots ([`slot`]). How many issues a log partition keeps for a project is part of the overflow's total.

use std::collections::{BTreeMap, HashMap};

use futures::{FutureExt, StreamExt, TryStreamExt};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::totals::{OVERFLOW, OVERFLOW_TITLE};
use playhead_domain::row::{IssueSample, IssueTotals};
use playhead_domain::scope::Scope;
use playhead_domain::session::key::day;
use playhead_domain::store::{self, ClusteringRange, Order, Store, Value};
use playhead_domain::table::ISSUES;
use prost::Message;

use crate::cache::SessionRef;
use crate::effect::SessionWork;
use crate::range::issues::{Followed, Found, Place};
use crate::slot;

type IssueRef = (Scope, Fingerprint);

/// Longer than any project keeps sessions.
const MAX_KEPT_DAYS: i64 = 401;
const CONCURRENT_LOADS: usize = 32;
/// In memory a decoded message takes more than on the wire.
const MEMORY_FACTOR: usize = 3;
const ENTRY_BYTES: usize = 512;

/// What is to be written of an issue.
#[derive(Debug, Clone)]
pub(crate) struct IssueTotal {
    pub(crate) scope: Scope,
    pub(crate) issue: Fingerprint,
    /// The slot to write.
    pub(crate) slot: i64,
    pub(crate) totals: IssueTotals,
}

/// A visitor's row of an issue.
#[derive(Debug, Clone)]
pub(crate) struct IssueVisitor {
    pub(crate) scope: Scope,
    pub(crate) issue: Fingerprint,
    pub(crate) visitor: [u8; 16],
    /// What the row holds; nothing: it goes.
    pub(crate) sealed: Option<[u8; 16]>,
    pub(crate) expires_at_ms: i64,
}

/// What a range changes of issues.
#[derive(Debug, Default)]
pub(crate) struct IssueEffects {
    pub(crate) totals: Vec<IssueTotal>,
    pub(crate) visitors: Vec<IssueVisitor>,
}

/// The totals as of the checkpoint, with the slot that each is in; bounded in bytes.
#[derive(Debug, Default)]
pub(crate) struct Issues {
    totals: HashMap<IssueRef, (IssueTotals, i64)>,
    bytes: usize,
}

impl Issues {
    /// What `sessions` change in `range` (from the checkpoint to its end). A project keeps `most` issues per log partition.
    pub(crate) async fn add(
        &self,
        store: &dyn Store,
        partition: u32,
        range: (u64, u64),
        sessions: &BTreeMap<SessionRef, SessionWork>,
        most: u64,
    ) -> Result<IssueEffects, store::Error> {
        let known = self.load(store, partition, range.0, sessions).await?;
        let mut adding = Adding { known, most };
        let mut told: Vec<(Place, Scope, Told<'_>)> = Vec::new();
        for ((scope, _), SessionWork { issues, .. }) in sessions {
            told.extend(issues.found.iter().map(|found| (found.place, *scope, Told::Hit(found))));
            let followed = issues.followed.iter();
            told.extend(followed.map(|followed| (followed.place, *scope, Told::Sequel(followed))));
        }
        told.sort_by_key(|(place, ..)| *place);
        for (_, scope, told) in told {
            match told {
                Told::Hit(found) => adding.add(scope, found),
                Told::Sequel(followed) => adding.follow(scope, followed),
            }
        }
        adding.show(sessions);
        let visitors = adding.visitors(sessions);
        Ok(IssueEffects { totals: adding.finish(range.1), visitors })
    }

    /// Every issue that the sessions tell of, known or not, and the overflows.
    async fn load(
        &self,
        store: &dyn Store,
        partition: u32,
        checkpoint: u64,
        sessions: &BTreeMap<SessionRef, SessionWork>,
    ) -> Result<BTreeMap<IssueRef, Entry>, store::Error> {
        let mut entries = BTreeMap::new();
        for (session, work) in sessions {
            let visited = work.issues.visitors.keys().map(|(issue, _)| *issue);
            for issue in visited.chain(work.issues.found.iter().map(|found| found.issue)) {
                entries.insert((session.0, issue), Entry::default());
                entries.insert((session.0, OVERFLOW), Entry::default());
            }
            for followed in &work.issues.followed {
                entries.insert((session.0, followed.issue), Entry::default());
            }
        }
        let mut missing = Vec::new();
        for (issue, entry) in &mut entries {
            match self.totals.get(issue) {
                Some((totals, slot)) => entry.know(totals.clone(), *slot),
                None => missing.push(load_one(store, partition, checkpoint, *issue).boxed()),
            }
        }
        let loads = futures::stream::iter(missing).buffer_unordered(CONCURRENT_LOADS);
        for (issue, loaded) in loads.try_collect::<Vec<_>>().await? {
            if let (Some(entry), Some((totals, slot))) = (entries.get_mut(&issue), loaded) {
                entry.know(totals, slot);
            }
        }
        Ok(entries)
    }

    /// Remembers totals whose flush is behind the checkpoint.
    pub(crate) fn keep(&mut self, totals: Vec<IssueTotal>, limit_bytes: usize) {
        for IssueTotal { scope, issue, slot, totals } in totals {
            self.bytes += size(&totals);
            if let Some((replaced, _)) = self.totals.insert((scope, issue), (totals, slot)) {
                self.bytes -= size(&replaced);
            }
        }
        if self.bytes > limit_bytes {
            (self.totals, self.bytes) = (HashMap::new(), 0);
        }
    }
}

fn size(totals: &IssueTotals) -> usize {
    totals.encoded_len() * MEMORY_FACTOR + ENTRY_BYTES
}

/// What a record tells of an issue.
enum Told<'a> {
    Hit(&'a Found),
    Sequel(&'a Followed),
}

/// An issue under work. Without events: not kept.
#[derive(Default)]
struct Entry {
    totals: IssueTotals,
    /// The slot to write.
    slot: i64,
    is_changed: bool,
}

impl Entry {
    fn know(&mut self, totals: IssueTotals, slot: i64) {
        (self.totals, self.slot) = (totals, 1 - slot);
    }
}

struct Adding {
    known: BTreeMap<IssueRef, Entry>,
    most: u64,
}

impl Adding {
    /// In the order of the log.
    fn add(&mut self, scope: Scope, found: &Found) {
        if self.is_kept(scope, found) {
            let Some(entry) = self.known.get_mut(&(scope, found.issue)) else { return };
            let before = (entry.totals.events > 0).then_some(entry.totals.expires_at_ms);
            entry.totals.add(&found.hit);
            entry.is_changed = true;
            let after = entry.totals.expires_at_ms;
            self.move_expiry(scope, before.map(day), day(after));
        } else if let Some(overflow) = self.known.get_mut(&(scope, OVERFLOW)) {
            // Which of its many issues a session has had is not remembered.
            let hit = playhead_domain::issue::totals::Hit { is_new_session: false, ..found.hit.clone() };
            overflow.totals.add(&hit);
            overflow.is_changed = true;
        }
    }

    /// Of what is not kept apart no session is counted.
    fn follow(&mut self, scope: Scope, followed: &Followed) {
        if let Some(entry) = self.known.get_mut(&(scope, followed.issue)) {
            entry.is_changed |= entry.totals.follow(followed.change);
        }
    }

    /// Whether the issue is one that is kept apart, or may become one.
    fn is_kept(&mut self, scope: Scope, found: &Found) -> bool {
        let Some(entry) = self.known.get_mut(&(scope, found.issue)) else { return false };
        if entry.totals.events > 0 && entry.totals.expires_at_ms > found.received_ms {
            return true;
        }
        entry.totals = IssueTotals::default();
        let Some(overflow) = self.known.get(&(scope, OVERFLOW)) else { return false };
        let today = day(found.received_ms);
        overflow.totals.kept_by_day.range(today..).map(|(_, kept)| kept).sum::<u64>() < self.most
    }

    fn move_expiry(&mut self, scope: Scope, before: Option<i64>, after: i64) {
        if before == Some(after) {
            return;
        }
        let Some(overflow) = self.known.get_mut(&(scope, OVERFLOW)) else { return };
        overflow.is_changed = true;
        let kept = &mut overflow.totals.kept_by_day;
        if let Some(before) = before {
            let left = kept.get(&before).copied().unwrap_or_default().saturating_sub(1);
            if left == 0 {
                kept.remove(&before)
            } else {
                kept.insert(before, left)
            };
        }
        *kept.entry(after).or_default() += 1;
        *kept = kept.split_off(&(after - MAX_KEPT_DAYS));
        let last_day = kept.last_key_value().map_or(0, |(&day, _)| day);
        let expires_at_ms = (last_day + 1) * 86_400_000;
        overflow.totals.expires_at_ms = overflow.totals.expires_at_ms.max(expires_at_ms);
    }

    fn is_known(&self, scope: Scope, issue: Fingerprint) -> bool {
        self.known.get(&(scope, issue)).is_some_and(|entry| entry.totals.events > 0)
    }

    /// Each issue by its newest occurrence.
    fn show(&mut self, sessions: &BTreeMap<SessionRef, SessionWork>) {
        let mut newest: BTreeMap<IssueRef, &(Place, IssueSample)> = BTreeMap::new();
        for ((scope, _), work) in sessions {
            for (issue, sample) in &work.issues.samples {
                let issue = if self.is_known(*scope, *issue) { *issue } else { OVERFLOW };
                let known = newest.entry((*scope, issue)).or_insert(sample);
                if (known.1.time_ms, known.0) < (sample.1.time_ms, sample.0) {
                    *known = sample;
                }
            }
        }
        for (issue, (_, sample)) in newest {
            let Some(entry) = self.known.get_mut(&issue) else { continue };
            entry.is_changed = true;
            entry.totals.show(if issue.1 == OVERFLOW { of_overflow(sample) } else { sample.clone() });
        }
    }

    /// Nobody is counted of what is not kept apart.
    fn visitors(&self, sessions: &BTreeMap<SessionRef, SessionWork>) -> Vec<IssueVisitor> {
        // Two sessions of a user lead to one row; only a session's own, nameless one ever goes.
        let mut visitors = BTreeMap::new();
        for ((scope, _), work) in sessions {
            let expires_at_ms = work.state.summary.as_ref().map_or(0, |summary| summary.expires_at_ms);
            for (&(issue, visitor), &sealed) in &work.issues.visitors {
                if self.is_known(*scope, issue) {
                    let row = IssueVisitor { scope: *scope, issue, visitor, sealed, expires_at_ms };
                    let known = visitors.entry((*scope, issue, visitor)).or_insert_with(|| row.clone());
                    if known.expires_at_ms < row.expires_at_ms {
                        *known = row;
                    }
                }
            }
        }
        visitors.into_values().collect()
    }

    fn finish(self, next_offset: u64) -> Vec<IssueTotal> {
        let changed = self.known.into_iter().filter(|(_, entry)| entry.is_changed);
        let total = |((scope, issue), entry): (IssueRef, Entry)| IssueTotal {
            scope,
            issue,
            slot: entry.slot,
            totals: IssueTotals { next_offset, ..entry.totals },
        };
        changed.map(total).collect()
    }
}

fn of_overflow(sample: &IssueSample) -> IssueSample {
    IssueSample {
        title: OVERFLOW_TITLE.to_owned(),
        culprit: String::new(),
        kind: String::new(),
        basis: "overflow".to_owned(),
        components: Vec::new(),
        ..sample.clone()
    }
}

type Loaded = (IssueRef, Option<(IssueTotals, i64)>);

async fn load_one(
    store: &dyn Store,
    partition: u32,
    checkpoint: u64,
    (scope, issue): IssueRef,
) -> Result<Loaded, store::Error> {
    let prefix = vec![Value::from(issue.0), Value::Int(i64::from(partition))];
    let columns = key::issue_partition(scope, issue);
    let range = ClusteringRange::prefix(prefix);
    let page = store.scan(&ISSUES, &columns, &range, Order::Ascending, 2).await?;
    let slots = slot::read(page.rows)
        .map_err(|error| store::Error::Corrupt(format!("totals of an issue: {error}")))?;
    Ok(((scope, issue), slot::newest(slots, checkpoint, |totals: &IssueTotals| totals.next_offset)))
}
