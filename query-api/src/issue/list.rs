//! A list of issues: all of a project are read, filtered and sorted in memory; the project's bound keeps that short.

use std::collections::BTreeMap;

use futures::future::{try_join_all, try_join3};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::merge::Merges;
use playhead_domain::issue::totals::OVERFLOW;
use playhead_domain::row::{IssueState, IssueTotals, Project};
use playhead_domain::scope::Scope;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::archive::Counted;
use super::present::Reach;
use super::priority::{self, Context};
use super::query::Query;
use super::{archive, present, read, state};
use crate::cursor;
use crate::error::ApiError;
use crate::model::issue::IssuePage;
use crate::state::Api;

/// Issues whose users are counted to sort by them: those with the most sessions.
const COUNTED_BY_USERS: usize = 200;
/// Archives of which one request writes what became of them; the next one goes on.
const MAX_RETURNED: usize = 20;
/// Issues whose users are counted at the same time.
const CONCURRENT_COUNTS: usize = 8;

/// Which issues, and in which order.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueParams {
    /// Words that the title or the culprit holds, in any case, and `field:value` with the fields type, release, state (a state or
    /// `unresolved`), browser, os, page (a template of a path), country, mechanism, assignee (`none`: nobody) and is (`handled`,
    /// `unhandled`). A value with spaces stands in quotes. All must hold.
    pub(crate) query: Option<String>,
    /// `last_seen` (unless given), `first_seen`, `events`, `users`, `sessions` or `priority`: the highest first.
    pub(crate) sort: Option<String>,
    /// 1 to 100, 25 unless given.
    pub(crate) limit: Option<usize>,
    /// `next` of the page before, with the same query and order. Counts that changed meanwhile may move an issue to another page.
    pub(crate) cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    LastSeen,
    FirstSeen,
    Events,
    Users,
    Sessions,
    Priority,
}

impl Sort {
    fn parse(name: Option<&str>) -> Result<Self, ApiError> {
        Ok(match name {
            None | Some("last_seen") => Self::LastSeen,
            Some("first_seen") => Self::FirstSeen,
            Some("events") => Self::Events,
            Some("users") => Self::Users,
            Some("sessions") => Self::Sessions,
            Some("priority") => Self::Priority,
            Some(_) => {
                return Err(ApiError::bad(
                    "sort",
                    "must be last_seen, first_seen, events, users, sessions or priority",
                ));
            }
        })
    }
}

/// A place in the order: the highest number first, then the highest id.
type Place = (u64, Fingerprint);
type Users = BTreeMap<Fingerprint, (u64, bool)>;

struct Listing<'a> {
    api: &'a Api,
    scope: Scope,
    issues: BTreeMap<Fingerprint, IssueTotals>,
    merges: Merges,
    states: BTreeMap<Fingerprint, IssueState>,
    users: Users,
    context: Context<'a>,
}

pub(crate) async fn list(
    api: &Api,
    scope: Scope,
    project: &Project,
    params: &IssueParams,
    limit: usize,
) -> Result<IssuePage, ApiError> {
    let query = Query::parse(params.query.as_deref().unwrap_or_default())?;
    let sort = Sort::parse(params.sort.as_deref())?;
    let question = question(scope, params)?;
    let after = params.cursor.as_deref().map(|cursor| read_place(&question, cursor)).transpose()?;
    // Counts are read last: what people agreed on is judged by none that are older.
    let (states, merges, traffic) = try_join3(
        read::states(api, scope),
        read::merges(api, scope),
        read::traffic(api, scope, api.now_ms()),
    )
    .await?;
    let read::All { mut issues, mut partial } = read::all(api, scope).await?;
    let context = Context { now_ms: api.now_ms(), traffic, critical_pages: &project.critical_pages };
    issues.retain(|issue, _| project.discard_of(*issue).is_none());
    read::join(&mut issues, &merges);
    // One that was discarded at the time at which others were merged into it is not shown by them.
    issues.retain(|issue, _| project.discard_of(*issue).is_none());
    let overflow = issues.contains_key(&OVERFLOW).then(|| OVERFLOW.to_string());
    let mut listing = Listing { api, scope, issues, merges, states, users: Users::new(), context };
    listing.open_archives().await?;
    listing.retain(&query);
    if sort == Sort::Users {
        partial |= listing.count_most_used().await?;
    }
    let mut places: Vec<Place> =
        listing.issues.keys().map(|issue| (listing.number(*issue, sort), *issue)).collect();
    places.sort_unstable_by(|one, two| two.cmp(one));
    places.retain(|place| after.is_none_or(|after| *place < after));
    let more = places.len() > limit;
    places.truncate(limit);
    listing.count_users(places.iter().map(|(_, issue)| *issue).collect()).await?;
    let next = places.last().filter(|_| more).map(|place| write_place(&question, *place));
    let issues = places.iter().filter_map(|(_, issue)| listing.present(*issue)).collect();
    Ok(IssuePage { issues, next, partial, overflow })
}

impl Listing<'_> {
    /// Takes those out of the archive of which what was agreed has happened, see [`archive::come_due`].
    async fn open_archives(&mut self) -> Result<(), ApiError> {
        let waits = |given: &IssueState| given.archived_until.is_some();
        let waiting =
            self.states.iter().filter(|(issue, given)| waits(given) && self.issues.contains_key(issue));
        let waiting: Vec<_> = waiting.map(|(&issue, given)| (issue, state::waits_for_users(given))).collect();
        let for_users = waiting.iter().filter(|(_, for_users)| *for_users).map(|(issue, _)| *issue);
        self.count_users(for_users.take(COUNTED_BY_USERS).collect()).await?;
        let (mut written, now_ms) = (0, self.context.now_ms);
        for (issue, for_users) in waiting {
            let (Some(totals), Some(given)) = (self.issues.get(&issue), self.states.get(&issue)) else {
                continue;
            };
            let users = self.users.get(&issue).map(|(users, _)| *users);
            if for_users && users.is_none() {
                continue;
            }
            let users = users.unwrap_or_default();
            let counted = Counted { totals, users, members: self.merges.mark(issue) };
            let mut state = given.clone();
            if !archive::come_due(&mut state, counted, now_ms) {
                continue;
            }
            if written < MAX_RETURNED {
                state = archive::settle(self.api, self.scope, issue, given, counted).await?;
                written += 1;
            }
            self.states.insert(issue, state);
        }
        Ok(())
    }

    fn judge(&self, issue: Fingerprint, totals: &IssueTotals) -> state::Judged {
        let users = self.users.get(&issue).map_or(0, |(users, _)| *users);
        state::now(totals, self.states.get(&issue), users, self.context.now_ms)
    }

    fn retain(&mut self, query: &Query) {
        let mut issues = std::mem::take(&mut self.issues);
        issues.retain(|&issue, totals| {
            let assignee = self.states.get(&issue).map_or("", |given| &given.assignee);
            query.matches(totals, self.judge(issue, totals).state, assignee)
        });
        self.issues = issues;
    }

    fn number(&self, issue: Fingerprint, sort: Sort) -> u64 {
        let Some(totals) = self.issues.get(&issue) else { return 0 };
        let time = |ms: i64| u64::try_from(ms).unwrap_or_default();
        match sort {
            Sort::LastSeen => time(totals.last_seen_ms),
            Sort::FirstSeen => time(totals.first_seen_ms),
            Sort::Events => totals.events,
            Sort::Sessions => totals.sessions,
            Sort::Users => self.users.get(&issue).map_or(0, |(users, _)| *users),
            Sort::Priority => {
                let pinned = self.states.get(&issue).map_or("", |given| &given.pinned);
                u64::from(priority::of(totals, &self.judge(issue, totals), pinned, self.context).score)
            }
        }
    }

    /// A user has at least a session, as a rule. Returns whether there are issues beyond those that were counted.
    async fn count_most_used(&mut self) -> Result<bool, ApiError> {
        let mut issues: Vec<_> =
            self.issues.iter().map(|(issue, totals)| (totals.sessions, *issue)).collect();
        issues.sort_unstable_by(|one, two| two.cmp(one));
        let more = issues.len() > COUNTED_BY_USERS;
        issues.truncate(COUNTED_BY_USERS);
        self.count_users(issues.into_iter().map(|(_, issue)| issue).collect()).await?;
        Ok(more)
    }

    async fn count_users(&mut self, issues: Vec<Fingerprint>) -> Result<(), ApiError> {
        let (api, scope) = (self.api, self.scope);
        let missing: Vec<_> = issues.into_iter().filter(|issue| !self.users.contains_key(issue)).collect();
        for some in missing.chunks(CONCURRENT_COUNTS) {
            let whole: Vec<_> = some.iter().map(|&issue| self.merges.whole(issue)).collect();
            let counts = try_join_all(whole.iter().map(|whole| read::users(api, scope, whole))).await?;
            self.users.extend(some.iter().copied().zip(counts));
        }
        Ok(())
    }

    fn present(&self, issue: Fingerprint) -> Option<crate::model::issue::Issue> {
        let users = self.users.get(&issue).copied().unwrap_or_default();
        let totals = self.issues.get(&issue)?;
        let merged = self.merges.members(issue).count();
        // To count them once would take reads for every issue of the page.
        let reach = Reach { users, sessions: (totals.sessions, merged == 0), merged };
        Some(present::issue(issue, totals, self.states.get(&issue), reach, self.context))
    }
}

fn question(scope: Scope, params: &IssueParams) -> Result<Vec<u8>, ApiError> {
    let params = IssueParams { cursor: None, limit: None, ..params.clone() };
    serde_json::to_vec(&("issues", scope.project().to_string(), params))
        .map_err(|e| ApiError::Internal(e.to_string()))
}

fn write_place(question: &[u8], (number, issue): Place) -> String {
    cursor::write_place(question, number.to_be_bytes(), issue.0)
}

fn read_place(question: &[u8], cursor: &str) -> Result<Place, ApiError> {
    let (number, issue) = cursor::read_place(question, cursor)?;
    Ok((u64::from_be_bytes(number), Fingerprint(issue)))
}
