//! A list of issues: all of a project are filtered and sorted in memory; the project's bound keeps that short. Those of the page are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::try_join_all;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::totals::OVERFLOW;
use playhead_domain::row::{IssueState, IssueTotals, Project};
use playhead_domain::scope::Scope;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::archive::Counted;
use super::decided::{Decided, Deciding};
use super::entry::{self, Entry, Verdict};
use super::index::{self, Kept, Look};
use super::listed::Listed;
use super::present::Reach;
use super::priority::Context;
use super::query::Query;
use super::{archive, present, read, state, users};
use crate::cursor;
use crate::error::ApiError;
use crate::model::issue::{Issue, IssuePage};
use crate::project::repository;
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
    let issues = Listed::read(api, scope, project, Look::Lately).await?;
    let (mut partial, overflow) = (issues.partial, issues.get(OVERFLOW).is_some());
    let (traffic, decided) = (issues.traffic, Arc::clone(&issues.decided));
    let context = Context { now_ms: api.now_ms(), traffic, critical_pages: &project.critical_pages };
    let mut listing = Listing { api, scope, decided, users: Users::new(), most_used: Vec::new(), context };
    let mut places = listing.choose(issues, &query, sort).await?;
    if sort == Sort::Users {
        partial |= listing.count_most_used(&mut places).await?;
    }
    places.retain(|place| after.is_none_or(|after| *place < after));
    let more = places.len() > limit;
    if more {
        places.select_nth_unstable_by(limit, |one, two| two.cmp(one));
        places.truncate(limit);
    }
    places.sort_unstable_by(|one, two| two.cmp(one));
    let next = places.last().filter(|_| more).map(|place| write_place(&question, *place));
    let issues = listing.present(project, places.into_iter().map(|(_, issue)| issue).collect()).await?;
    Ok(IssuePage { issues, next, partial, overflow: overflow.then(|| OVERFLOW.to_string()) })
}

/// Counts the users that lists show, so that the first one does not have to.
pub(super) async fn count_ahead(api: &Api, scope: Scope) -> Result<(), ApiError> {
    // What was read is out of date already: the next list sees to it.
    if index::open(api, scope, Look::Lately).await?.is_none() {
        return Ok(());
    }
    let Some(project) = repository::find(api, scope.project()).await? else { return Ok(()) };
    let by_users = IssueParams { sort: Some("users".to_owned()), ..IssueParams::default() };
    list(api, scope, &project, &by_users, 1).await.map(drop)
}

type Users = BTreeMap<Fingerprint, users::Users>;

struct Listing<'a> {
    api: &'a Api,
    scope: Scope,
    decided: Arc<Decided>,
    users: Users,
    /// Those with the most sessions, with how many events each has; for a list by users.
    most_used: Vec<(Fingerprint, u64)>,
    context: Context<'a>,
}

impl Listing<'_> {
    /// Those that the query means, with the number by which they are sorted; by users: that of their sessions.
    async fn choose(
        &mut self,
        mut issues: Listed<'_>,
        query: &Query,
        sort: Sort,
    ) -> Result<Vec<Place>, ApiError> {
        self.open_archives(&issues).await?;
        let mut places = Vec::new();
        let unmarked = entry::mark(None, self.context.critical_pages);
        for (issue, kept) in issues.iter_mut() {
            let given = self.decided.states.get(&issue);
            let mark = given.map_or(unmarked, |_| entry::mark(given, self.context.critical_pages));
            let verdict = self.judge(issue, kept, mark)?;
            if query.matches(&kept.entry, verdict.state, given.map_or("", |given| &given.assignee)) {
                let pinned = given.map_or("", |given| &given.pinned);
                let score = || u64::from(verdict.weight.score(pinned, self.context.traffic));
                places.push((number(&kept.entry, sort, score), issue));
            }
        }
        if sort == Sort::Users {
            places.sort_unstable_by(|one, two| two.cmp(one));
            let events = |&(_, issue): &Place| Some((issue, issues.get(issue)?.entry.events));
            self.most_used = places.iter().take(COUNTED_BY_USERS).filter_map(events).collect();
        }
        Ok(places)
    }

    fn judge(&self, issue: Fingerprint, kept: &mut Kept, mark: u64) -> Result<Verdict, ApiError> {
        let now_ms = self.context.now_ms;
        if let Some(verdict) = kept.verdict.filter(|verdict| verdict.holds(now_ms, mark)) {
            return Ok(verdict);
        }
        let (given, users) =
            (self.decided.states.get(&issue), self.users.get(&issue).map_or(0, |(users, _)| *users));
        let verdict = Verdict::of(&kept.entry.counts()?, given, users, self.context, mark);
        // How many users there are is counted anew each time.
        kept.verdict = Some(verdict).filter(|_| !given.is_some_and(state::waits_for_users));
        Ok(verdict)
    }

    /// Takes those out of the archive of which what was agreed has happened, see [`archive::come_due`].
    async fn open_archives(&mut self, issues: &Listed<'_>) -> Result<(), ApiError> {
        let waits = |given: &IssueState| given.archived_until.is_some();
        let waiting = self.decided.states.iter().filter(|(_, given)| waits(given));
        let waiting = waiting.filter_map(|(&issue, given)| {
            Some((issue, state::waits_for_users(given), issues.get(issue)?.entry.counts()))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable_by_key(|(issue, ..)| *issue);
        let for_users = waiting.iter().filter(|(_, for_users, _)| *for_users).map(|(issue, ..)| *issue);
        // An agreement is about exact numbers: one from before would lower what it was made of.
        let for_users = for_users.take(COUNTED_BY_USERS).map(|issue| (issue, None));
        self.count_users(for_users.collect(), true).await?;
        let (api, scope, now_ms) = (self.api, self.scope, self.context.now_ms);
        let (mut written, mut deciding) = (0, None);
        for (issue, for_users, totals) in waiting {
            let (totals, Some(given)) = (&totals?, self.decided.states.get(&issue)) else { continue };
            let users = self.users.get(&issue).map(|(users, _)| *users);
            if for_users && users.is_none() {
                continue;
            }
            let users = users.unwrap_or_default();
            let counted = Counted { totals, users, members: self.decided.merges.mark(issue) };
            let mut state = given.clone();
            if !archive::come_due(&mut state, counted, now_ms) {
                continue;
            }
            if written < MAX_RETURNED {
                let deciding = deciding.get_or_insert_with(|| Deciding::begin(api, scope));
                state = archive::settle(deciding, issue, given, counted).await?;
                written += 1;
            }
            Arc::make_mut(&mut self.decided).states.insert(issue, state);
        }
        if let Some(deciding) = deciding {
            deciding.tell().await;
        }
        Ok(())
    }

    /// Gives those with the most sessions the number of their users, and others none: a user has at least a session, as a rule. Returns
    /// whether there are others.
    async fn count_most_used(&mut self, places: &mut [Place]) -> Result<bool, ApiError> {
        let counted = places.len().min(COUNTED_BY_USERS);
        let most_used = std::mem::take(&mut self.most_used);
        let most_used = most_used.into_iter().map(|(issue, events)| (issue, Some(events)));
        self.count_users(most_used.collect(), false).await?;
        for (number, issue) in &mut *places {
            *number = self.users.get(issue).map_or(0, |(users, _)| *users);
        }
        Ok(places.len() > counted)
    }

    /// With how many events each has, if that is known; `exactly`: whatever was counted before.
    async fn count_users(
        &mut self,
        issues: Vec<(Fingerprint, Option<u64>)>,
        exactly: bool,
    ) -> Result<(), ApiError> {
        let (api, scope) = (self.api, self.scope);
        let missing = issues.into_iter().filter(|(issue, _)| !self.users.contains_key(issue));
        for some in missing.collect::<Vec<_>>().chunks(CONCURRENT_COUNTS) {
            let count = |&(issue, events): &(Fingerprint, _)| {
                let whole = self.decided.merges.whole(issue);
                async move {
                    if exactly {
                        read::users(api, scope, &whole).await
                    } else {
                        users::count(api, scope, whole, events).await
                    }
                }
            };
            let counts = try_join_all(some.iter().map(count)).await?;
            self.users.extend(some.iter().map(|(issue, _)| *issue).zip(counts));
        }
        Ok(())
    }

    /// What is shown of the issues of a page: as of the last look, or from their rows.
    async fn read_page(
        &self,
        project: &Project,
        page: &[Fingerprint],
    ) -> Result<Vec<Option<Arc<IssueTotals>>>, ApiError> {
        let (api, scope, merges) = (self.api, self.scope, &self.decided.merges);
        let is_one = |issue: &Fingerprint| merges.members(*issue).next().is_none();
        let single = page.iter().copied().filter(is_one);
        let shown = match index::reopen(api, scope).await {
            Some(mut index) => index.show(api.store(), single, api.now_ms()).await?,
            None => BTreeMap::new(),
        };
        let reads = page.iter().map(|&issue| {
            let shown = shown.get(&issue).cloned();
            async move {
                match shown {
                    Some(totals) => Ok(Some(totals)),
                    None => Ok(read::joined(api, scope, project, (issue, merges)).await?.map(Arc::new)),
                }
            }
        });
        try_join_all(reads).await
    }

    async fn present(&mut self, project: &Project, page: Vec<Fingerprint>) -> Result<Vec<Issue>, ApiError> {
        let totals = self.read_page(project, &page).await?;
        let page: Vec<_> =
            page.into_iter().zip(totals).filter_map(|(issue, totals)| Some((issue, totals?))).collect();
        self.count_users(page.iter().map(|(issue, totals)| (*issue, Some(totals.events))).collect(), false)
            .await?;
        let shown = page.into_iter().map(|(issue, totals)| {
            let users = self.users.get(&issue).copied().unwrap_or_default();
            let merged = self.decided.merges.members(issue).count();
            // To count them once would take reads for every issue of the page.
            let reach = Reach { users, sessions: (totals.sessions, merged == 0), merged };
            present::issue(issue, &totals, self.decided.states.get(&issue), reach, self.context)
        });
        Ok(shown.collect())
    }
}

fn number(issue: &Entry, sort: Sort, score: impl Fn() -> u64) -> u64 {
    let time = |ms: i64| u64::try_from(ms).unwrap_or_default();
    match sort {
        Sort::LastSeen => time(issue.last_seen_ms),
        Sort::FirstSeen => time(issue.first_seen_ms),
        Sort::Events => issue.events,
        Sort::Sessions | Sort::Users => issue.sessions,
        Sort::Priority => score(),
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
