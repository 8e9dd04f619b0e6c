//! A project's issues as rules judge them: counted, merged, and decided about, at a time of the stream.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use playhead_domain::alert::judge::{self, Moment, Reach, Standing};
use playhead_domain::alert::rule::{Condition, Measure};
use playhead_domain::alert::window::Window;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::totals::OVERFLOW;
use playhead_domain::row::{AlertRule, AlertState, IssueState, IssueTotals, Project};
use playhead_domain::scope::Scope;
use playhead_domain::session::weight::Sessions;

use crate::error::ApiError;
use crate::issue::decided::Decided;
use crate::issue::entry::Entry;
use crate::issue::index::Look;
use crate::issue::listed::Listed;
use crate::issue::priority::{self, Context};
use crate::issue::query::Query;
use crate::issue::read;
use crate::issue::state::{self, RESOLVED};
use crate::model::issue::{IssueState as Shown, Priority, PriorityLevel};
use crate::state::Api;

/// Archives whose users are counted to see whether they are over.
const MAX_WAITING: usize = 200;
/// Issues that are judged at a time, some 10 KB each: what rules remember, then what happened last.
const MAX_JUDGED: usize = 10_000;
/// It is long work beside requests, and beside the lease that is to be renewed.
pub(crate) const YIELD_EACH: usize = 200;

/// An issue, with what is to be thought of it.
pub(crate) struct Gathered {
    entry: Entry,
    /// What its counts tell; of the occurrence that is shown of it, and of browsers, systems and countries, nothing: see [`Issues::whole`].
    counts: IssueTotals,
    pub(crate) given: Option<IssueState>,
    shown: Shown,
    pub(crate) priority: Priority,
}

impl Gathered {
    /// What `matches` says is the rule's.
    pub(crate) fn as_judged(&self, matches: bool) -> judge::Issue<'_> {
        let standing = match self.shown {
            Shown::Regressed => Standing::Regressed,
            Shown::Resolved | Shown::Archived => Standing::Settled,
            Shown::New | Shown::Escalating | Shown::Ongoing => Standing::Open,
        };
        let decided_ms = self.given.as_ref().map_or(0, |given| given.changed_ms);
        judge::Issue { totals: &self.counts, standing, decided_ms, matches }
    }
}

/// Which issues of a project are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Those that happened since.
    pub(crate) since_ms: i64,
    /// And these. Those that count as regressed are wanted in any case.
    pub(crate) remembered: BTreeSet<Fingerprint>,
}

/// Those of a project that are wanted.
pub(crate) struct Issues<'a> {
    api: &'a Api,
    scope: Scope,
    project: &'a Project,
    pub(crate) issues: BTreeMap<Fingerprint, Gathered>,
    decided: Arc<Decided>,
    /// There are more than were read.
    pub(crate) partial: bool,
    /// There are more than are judged at a time; what rules remember is among those that are.
    pub(crate) left_out: bool,
    users: BTreeMap<Fingerprint, (u64, bool)>,
    traffic: BTreeMap<(i64, i64), Sessions>,
    /// The stream's time.
    at_ms: i64,
}

impl<'a> Issues<'a> {
    pub(crate) fn none(api: &'a Api, scope: Scope, project: &'a Project, at_ms: i64) -> Self {
        let (issues, decided, partial, left_out) = (BTreeMap::new(), Arc::default(), false, false);
        let (users, traffic) = (BTreeMap::new(), BTreeMap::new());
        Self { api, scope, project, issues, decided, partial, left_out, users, traffic, at_ms }
    }
}

pub(crate) async fn gather<'a>(
    api: &'a Api,
    scope: Scope,
    project: &'a Project,
    at_ms: i64,
    wanted: &Wanted,
) -> Result<Issues<'a>, ApiError> {
    let mut listed = Listed::read(api, scope, project, Look::Again).await?;
    let mut all = Issues::none(api, scope, project, at_ms);
    (all.partial, all.decided) = (listed.partial, Arc::clone(&listed.decided));
    let decided = Arc::clone(&all.decided);
    let is_wanted = |issue: &Fingerprint, entry: &Entry| {
        let may_be_regressed =
            |given: &IssueState| given.state == RESOLVED && entry.last_seen_ms >= given.changed_ms;
        entry.last_seen_ms >= wanted.since_ms
            || wanted.remembered.contains(issue)
            || decided.states.get(issue).is_some_and(may_be_regressed)
    };
    let found = listed.iter_mut().filter(|(issue, kept)| *issue != OVERFLOW && is_wanted(issue, &kept.entry));
    let mut found: Vec<(Fingerprint, &Entry)> = found.map(|(issue, kept)| (issue, &kept.entry)).collect();
    if found.len() > MAX_JUDGED {
        all.left_out = true;
        found.select_nth_unstable_by_key(MAX_JUDGED, |(issue, entry)| {
            (!wanted.remembered.contains(issue), Reverse(entry.last_seen_ms))
        });
        found.truncate(MAX_JUDGED);
        found.sort_unstable_by_key(|(issue, _)| *issue);
    }
    let found: Vec<(Fingerprint, Entry)> =
        found.into_iter().map(|(issue, entry)| (issue, entry.clone())).collect();
    // Others may look meanwhile.
    drop(listed);
    // Of the stream's hours, as the issues' counts are.
    let traffic = read::traffic(api, scope, at_ms).await?;
    let context = Context { now_ms: at_ms, traffic, critical_pages: &project.critical_pages };
    for (nth, (issue, entry)) in found.into_iter().enumerate() {
        if nth % YIELD_EACH == 0 {
            tokio::task::yield_now().await;
        }
        let (entry, counts) = entry.open()?;
        let given = decided.states.get(&issue).cloned();
        let waits = given.as_ref().is_some_and(state::waits_for_users) && all.users.len() < MAX_WAITING;
        let users = if waits { all.users(issue).await?.0 } else { 0 };
        let judged = state::now(&counts, given.as_ref(), users, at_ms);
        let pinned = given.as_ref().map_or("", |given| &given.pinned);
        let priority = priority::of(&counts, &judged, pinned, context);
        all.issues.insert(issue, Gathered { entry, counts, given, shown: judged.state, priority });
    }
    Ok(all)
}

impl Issues<'_> {
    /// All that is counted of an issue, as its rows say now, if it is there still.
    pub(crate) async fn whole(&self, issue: Fingerprint) -> Result<Option<IssueTotals>, ApiError> {
        read::joined(self.api, self.scope, self.project, (issue, &self.decided.merges)).await
    }

    /// How many users an issue has, and whether that is all.
    pub(crate) async fn users(&mut self, issue: Fingerprint) -> Result<(u64, bool), ApiError> {
        if let Some(known) = self.users.get(&issue) {
            return Ok(*known);
        }
        let users = read::users(self.api, self.scope, &self.decided.merges.whole(issue)).await?;
        self.users.insert(issue, users);
        Ok(users)
    }

    /// What the condition asks of the issue besides its counts.
    pub(crate) async fn reach(
        &mut self,
        asked: &Asked,
        issue: Fingerprint,
        memory: Option<&AlertState>,
        moment: Moment,
    ) -> Result<Reach, ApiError> {
        let Some(gathered) = self.issues.get(&issue) else { return Ok(Reach::default()) };
        let judged = gathered.as_judged(asked.is_about(gathered));
        let windows = judge::windows_asked(asked.condition, &judged, memory, moment);
        self.reach_of(asked.condition, issue, &windows).await
    }

    pub(crate) async fn reach_of(
        &mut self,
        condition: Condition,
        issue: Fingerprint,
        windows: &[Window],
    ) -> Result<Reach, ApiError> {
        let mut reach = Reach::default();
        let Condition::Seen(seen) = condition else { return Ok(reach) };
        if windows.is_empty() {
            return Ok(reach);
        }
        if seen.measure == Measure::Users {
            reach.users = self.users(issue).await?.0;
        }
        if seen.measure == Measure::Share {
            for window in windows {
                reach.traffic.insert((window.from_ms, window.to_ms), self.traffic(window).await?);
            }
        }
        Ok(reach)
    }

    async fn traffic(&mut self, window: &Window) -> Result<Sessions, ApiError> {
        let place = (window.from_ms, window.to_ms);
        if let Some(known) = self.traffic.get(&place) {
            return Ok(*known);
        }
        let (from_ms, to_ms) = place;
        let traffic =
            read::traffic_within(self.api, self.scope, from_ms, (to_ms - 1).min(self.at_ms)).await?;
        self.traffic.insert(place, traffic);
        Ok(traffic)
    }
}

/// What a rule asks.
pub(crate) struct Asked {
    pub(crate) condition: Condition,
    filter: Query,
    least: u8,
}

impl Asked {
    /// # Errors
    /// [`ApiError::BadRequest`] that names the member.
    pub(crate) fn of(rule: &AlertRule) -> Result<Self, ApiError> {
        let condition = playhead_domain::alert::rule::check(rule)
            .map_err(|fault| ApiError::bad(fault.field, fault.detail))?;
        let least = match rule.priority.as_str() {
            "" | "low" => 0,
            "medium" => 1,
            "high" => 2,
            _ => return Err(ApiError::bad("priority", "must be high, medium or low")),
        };
        let filter =
            Query::parse(&rule.filter).map_err(|error| ApiError::bad("filter", error.to_string()))?;
        Ok(Self { condition, filter, least })
    }

    pub(crate) fn is_about(&self, issue: &Gathered) -> bool {
        let assignee = issue.given.as_ref().map_or("", |given| &given.assignee);
        rank(issue.priority.level) >= self.least && self.filter.matches(&issue.entry, issue.shown, assignee)
    }
}

const fn rank(level: PriorityLevel) -> u8 {
    match level {
        PriorityLevel::Low => 0,
        PriorityLevel::Medium => 1,
        PriorityLevel::High => 2,
    }
}
