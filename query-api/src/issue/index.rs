//! The issues of projects that have many, in memory: what lists filter and sort. Only what flushes name as changed ([`table::ISSUE_CHANGES`]) is read again,
//! and an issue of which a row expires. What may be stale, and for how long, is in `docs/adr/0019`.

mod beside;
mod follow;
mod load;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::IssueTotals;
use playhead_domain::scope::Scope;
use prost::Message;
use tokio::sync::{OwnedMutexGuard, Semaphore};

use self::beside::{Decisions, Traffic};
use self::follow::LOOK_EVERY_MS;
use self::shown::Shown;
use super::entry::{Entry, Verdict};
use super::list;
use super::read::{self, Told};
use crate::error::ApiError;
use crate::state::Api;

/// How long a project is not tried again whose issues did not fit, or could not be read; what was asked for within it stays.
const TRY_AGAIN_MS: i64 = 10 * 60_000;
/// All is read again so often, so that what was not followed (a flush of a processor that names nothing yet, a flush that was done again and found
/// otherwise) is not wrong for long.
const BUILD_AGAIN_MS: i64 = 3_600_000;

/// An issue as it is kept.
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    pub(super) verdict: Option<Verdict>,
    /// A row of it expires then.
    until_ms: i64,
}

impl Kept {
    /// For one list.
    pub(super) fn once(totals: IssueTotals) -> Self {
        Self { until_ms: totals.expires_at_ms, entry: Entry::of(totals), verdict: None }
    }
}

/// How far the changes of a log partition are known.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    day: i64,
    next_offset: u64,
}

/// The issues of a project.
pub(super) struct Index {
    scope: Scope,
    pub(super) issues: BTreeMap<Fingerprint, Kept>,
    /// Whole totals of issues that people made one.
    pub(super) parts: BTreeMap<Fingerprint, IssueTotals>,
    cursors: BTreeMap<u32, Cursor>,
    /// What is named as changed, and how far each log partition's row must be for it to have been read.
    pending: BTreeMap<Fingerprint, BTreeMap<i64, u64>>,
    decisions: Decisions,
    traffic: Traffic,
    shown: Shown,
    looked_ms: i64,
    built_ms: i64,
    /// A flush changed more than it names.
    is_lost: bool,
    bytes: usize,
    bytes_of_parts: usize,
}

impl Index {
    const fn all_bytes(&self) -> usize {
        self.bytes + self.bytes_of_parts + self.decisions.bytes + self.shown.bytes
    }

    /// Takes what the rows of an issue tell.
    fn take(&mut self, issue: Fingerprint, told: Option<Told>, now_ms: i64) {
        if let Some(known) = self.issues.remove(&issue) {
            self.bytes -= known.entry.bytes();
        }
        self.parts.remove(&issue);
        let Some(told) = told else { return self.shown.forget(issue) };
        if let Some(wanted) = self.pending.get_mut(&issue) {
            wanted.retain(|partition, offset| told.offsets.get(partition).is_none_or(|read| read < offset));
            if wanted.is_empty() {
                self.pending.remove(&issue);
            }
        }
        if read::is_there(&told.totals, now_ms) {
            self.shown.renew(issue, &told.totals);
            let entry = Entry::of(told.totals);
            self.bytes += entry.bytes();
            self.issues.insert(issue, Kept { entry, verdict: None, until_ms: told.until_ms });
        } else {
            self.shown.forget(issue);
        }
    }
}

/// What a row takes in memory: decoded, about twice as much.
fn decoded_bytes(row: &impl Message) -> usize {
    2 * row.encoded_len()
}

type Shared = Arc<tokio::sync::Mutex<Index>>;

/// The indexes of a process, each of one project.
pub(crate) struct Indexes {
    most_bytes: usize,
    held: Mutex<Held>,
    /// One is built at a time.
    building: Semaphore,
}

#[derive(Default)]
struct Held {
    projects: BTreeMap<Scope, Project>,
    /// Until when nobody tries again, and whether that was for a list.
    failed: BTreeMap<Scope, (i64, Look)>,
}

struct Project {
    index: Shared,
    bytes: usize,
    /// When a list, or rules, last asked for it, and when a list did.
    used_ms: i64,
    listed_ms: i64,
}

impl Indexes {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, held: Mutex::default(), building: Semaphore::new(1) }
    }

    fn get(&self, scope: Scope) -> Option<Shared> {
        self.held.lock().projects.get(&scope).map(|project| Arc::clone(&project.index))
    }

    fn remove(&self, scope: Scope, index: &Shared) {
        let mut held = self.held.lock();
        if held.projects.get(&scope).is_some_and(|project| Arc::ptr_eq(&project.index, index)) {
            held.projects.remove(&scope);
        }
    }

    /// Keeps one that is in use, as [`Indexes::put`]; one that was built anew meanwhile stays in its place.
    fn keep(&self, scope: Scope, bytes: usize, index: Shared, (look, now_ms): (Look, i64)) -> bool {
        let held = self.get(scope);
        held.is_some_and(|held| !Arc::ptr_eq(&held, &index)) || self.put(scope, bytes, index, (look, now_ms))
    }

    /// Keeps it if there is room beside what others asked for a short while ago: two that do not fit together do not take turns in being read. For
    /// lists those give way that only rules ask for.
    fn put(&self, scope: Scope, bytes: usize, index: Shared, (look, now_ms): (Look, i64)) -> bool {
        let mut held = self.held.lock();
        let known = held.projects.remove(&scope);
        let is_listed = known.as_ref().is_some_and(|project| now_ms - project.listed_ms <= TRY_AGAIN_MS);
        let needs = if is_listed { Look::Lately } else { look };
        let sum = |held: &Held| held.projects.values().map(|project| project.bytes).sum::<usize>();
        while sum(&held) + bytes > self.most_bytes {
            let used_ms =
                |project: &Project| if needs == Look::Lately { project.listed_ms } else { project.used_ms };
            let unused = held.projects.iter().filter(|(_, project)| now_ms - used_ms(project) > TRY_AGAIN_MS);
            let oldest = unused.min_by_key(|(_, project)| used_ms(project)).map(|(scope, _)| *scope);
            let Some(oldest) = oldest else {
                held.failed.insert(scope, (now_ms + TRY_AGAIN_MS, needs));
                return false;
            };
            held.projects.remove(&oldest);
        }
        let listed_ms = known.map_or(0, |project| project.listed_ms);
        let listed_ms = if look == Look::Lately { now_ms } else { listed_ms };
        held.projects.insert(scope, Project { index, bytes, used_ms: now_ms, listed_ms });
        true
    }

    /// Whether a list asked for it within the hour.
    fn is_listed(&self, scope: Scope, now_ms: i64) -> bool {
        let held = self.held.lock();
        held.projects.get(&scope).is_some_and(|project| now_ms - project.listed_ms < BUILD_AGAIN_MS)
    }

    /// A list may have room where rules had none.
    fn may_try(&self, scope: Scope, (look, now_ms): (Look, i64)) -> bool {
        let mut held = self.held.lock();
        held.failed.retain(|_, (until_ms, _)| *until_ms > now_ms);
        let failed = held.failed.get(&scope);
        self.most_bytes > 0 && failed.is_none_or(|(_, by)| *by == Look::Again && look == Look::Lately)
    }

    /// Whether rules may yet get an index of a project that has none.
    pub(crate) fn may_build(&self, scope: Scope, now_ms: i64) -> bool {
        self.may_try(scope, (Look::Again, now_ms))
    }

    fn has(&self, scope: Scope) -> bool {
        self.held.lock().projects.contains_key(&scope)
    }

    /// Whoever asks.
    fn give_up(&self, scope: Scope, now_ms: i64) {
        self.held.lock().failed.insert(scope, (now_ms + TRY_AGAIN_MS, Look::Lately));
    }
}

/// When what changed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Within the last second: for lists.
    Lately,
    /// Now, for rules: all that was there before is known after it.
    Again,
}

/// The index of a project, if there is one.
pub(super) async fn open(
    api: &Api,
    scope: Scope,
    look: Look,
) -> Result<Option<OwnedMutexGuard<Index>>, ApiError> {
    let Some(index) = api.0.issues.get(scope) else { return Ok(None) };
    let mut guard = Arc::clone(&index).lock_owned().await;
    let now_ms = api.now_ms();
    if guard.read_beside(api, &index, look).await? || look == Look::Again {
        guard.looked_ms = guard.looked_ms.min(now_ms - LOOK_EVERY_MS);
    }
    if !guard.catch_up(api.store(), now_ms).await? {
        api.0.issues.remove(scope, &index);
        return Ok(None);
    }
    if !api.0.issues.keep(scope, guard.all_bytes(), index, (look, now_ms)) {
        tell_of_no_room(scope);
        return Ok(None);
    }
    if now_ms - guard.built_ms > BUILD_AGAIN_MS {
        build(api, scope, look, true);
    }
    Ok(Some(guard))
}

/// The index of a project as it was last opened, if there is one.
pub(super) async fn reopen(api: &Api, scope: Scope) -> Option<OwnedMutexGuard<Index>> {
    Some(api.0.issues.get(scope)?.lock_owned().await)
}

fn tell_of_no_room(scope: Scope) {
    let project = scope.project().to_string();
    tracing::warn!(
        project,
        "query_api.issue_index_bytes has no room for its issues beside others': lists of them, and rules, may see a part only"
    );
}

/// Builds the index of a project beside the request, when nothing else is built; `anew`: although there is one.
pub(super) fn build(api: &Api, scope: Scope, look: Look, anew: bool) {
    let may_build = move |api: &Api| {
        api.0.issues.may_try(scope, (look, api.now_ms())) && (anew || !api.0.issues.has(scope))
    };
    if !may_build(api) {
        return;
    }
    let api = api.clone();
    tokio::spawn(async move {
        let Ok(building) = api.0.issues.building.try_acquire() else { return };
        if !may_build(&api) {
            return;
        }
        let (partitions, most_bytes) = (api.0.batches.partitions, api.0.issues.most_bytes);
        match Index::load(api.store(), scope, partitions, || api.now_ms(), most_bytes).await {
            Ok(Some(index)) => {
                let (bytes, now_ms) = (index.bytes, api.now_ms());
                let index = Arc::new(tokio::sync::Mutex::new(index));
                if !api.0.issues.put(scope, bytes, index, (look, now_ms)) {
                    return tell_of_no_room(scope);
                }
                drop(building);
                if !api.0.issues.is_listed(scope, now_ms) {
                    return;
                }
                if let Err(error) = list::count_ahead(&api, scope).await {
                    tracing::warn!(%error, "users of issues could not be counted ahead of lists");
                }
            }
            Ok(None) => {
                let project = scope.project().to_string();
                tracing::warn!(
                    project,
                    "its issues do not fit query_api.issue_index_bytes: lists of them, and rules, see a part only"
                );
                api.0.issues.give_up(scope, api.now_ms());
            }
            Err(error) => {
                tracing::warn!(%error, "issues could not be read for lists");
                api.0.issues.give_up(scope, api.now_ms());
            }
        }
    });
}
