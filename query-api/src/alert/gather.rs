//! A project's issues as rules judge them: counted, merged, and decided about, at a time of the stream.

use std::collections::BTreeMap;

use futures::future::try_join3;
use playhead_domain::alert::judge::{self, Moment, Reach, Standing};
use playhead_domain::alert::rule::{Condition, Measure};
use playhead_domain::alert::window::Window;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::merge::Merges;
use playhead_domain::issue::totals::OVERFLOW;
use playhead_domain::row::{AlertRule, AlertState, IssueState, IssueTotals, Project};
use playhead_domain::scope::Scope;
use playhead_domain::session::weight::Sessions;

use crate::error::ApiError;
use crate::issue::priority::{self, Context};
use crate::issue::query::Query;
use crate::issue::{read, state};
use crate::model::issue::{IssueState as Shown, Priority, PriorityLevel};
use crate::state::Api;

/// Archives whose users are counted to see whether they are over.
const MAX_WAITING: usize = 200;

/// An issue, with what is to be thought of it.
pub(crate) struct Gathered {
    pub(crate) totals: IssueTotals,
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
        judge::Issue { totals: &self.totals, standing, decided_ms, matches }
    }
}

/// All of a project.
pub(crate) struct Issues<'a> {
    api: &'a Api,
    scope: Scope,
    pub(crate) issues: BTreeMap<Fingerprint, Gathered>,
    merges: Merges,
    /// There are more than were read.
    pub(crate) partial: bool,
    users: BTreeMap<Fingerprint, (u64, bool)>,
    traffic: BTreeMap<(i64, i64), Sessions>,
    /// The stream's time.
    at_ms: i64,
}

pub(crate) async fn gather<'a>(
    api: &'a Api,
    scope: Scope,
    project: &Project,
    at_ms: i64,
) -> Result<Issues<'a>, ApiError> {
    // Counts are read last: what people decided is judged by none that are older.
    let reads =
        try_join3(read::states(api, scope), read::merges(api, scope), read::traffic(api, scope, at_ms));
    let (states, merges, traffic) = reads.await?;
    let read::All { mut issues, partial, .. } = read::all(api, scope).await?;
    issues.retain(|issue, _| project.discard_of(*issue).is_none() && *issue != OVERFLOW);
    read::join(&mut issues, &merges);
    issues.retain(|issue, _| project.discard_of(*issue).is_none());
    let mut all = Issues {
        api,
        scope,
        issues: BTreeMap::new(),
        merges,
        partial,
        users: BTreeMap::new(),
        traffic: BTreeMap::new(),
        at_ms,
    };
    let context = Context { now_ms: at_ms, traffic, critical_pages: &project.critical_pages };
    for (issue, totals) in issues {
        let given = states.get(&issue).cloned();
        let waits = given.as_ref().is_some_and(state::waits_for_users) && all.users.len() < MAX_WAITING;
        let users = if waits { all.users(issue).await?.0 } else { 0 };
        let judged = state::now(&totals, given.as_ref(), users, at_ms);
        let pinned = given.as_ref().map_or("", |given| &given.pinned);
        let priority = priority::of(&totals, &judged, pinned, context);
        all.issues.insert(issue, Gathered { totals, given, shown: judged.state, priority });
    }
    Ok(all)
}

impl Issues<'_> {
    /// How many users an issue has, and whether that is all.
    pub(crate) async fn users(&mut self, issue: Fingerprint) -> Result<(u64, bool), ApiError> {
        if let Some(known) = self.users.get(&issue) {
            return Ok(*known);
        }
        let users = read::users(self.api, self.scope, &self.merges.whole(issue)).await?;
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
        rank(issue.priority.level) >= self.least
            && self.filter.matches_totals(&issue.totals, issue.shown, assignee)
    }
}

const fn rank(level: PriorityLevel) -> u8 {
    match level {
        PriorityLevel::Low => 0,
        PriorityLevel::Medium => 1,
        PriorityLevel::High => 2,
    }
}
