//! An issue as the API shows it.

use std::collections::BTreeMap;

use playhead_domain::issue::forecast::SPAN_HOURS;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::merge::Merged;
use playhead_domain::row::{self, Breakdown, IssueCount, IssueTotals};
use playhead_domain::scope::Scope;

use super::priority::{self, Context};
use super::{read, state};
use crate::error::ApiError;
use crate::model::issue::{
    ArchivedUntil, BreakdownValue, Breakdowns, Escalation, GroupingPart, Issue, IssueChangeRecord,
    IssueDetail, IssueMember, IssueState, Occurrence, OccurrenceReplay, ResolvedIn,
};
use crate::model::session::ReplayState;
use crate::session::present::known;
use crate::session::{routes, rows};
use crate::state::Api;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
const SHOWN_HOURS: i64 = 24;
const SHOWN_DAYS: i64 = 30;

/// Whom an issue reached, each number with whether it is exact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) users: (u64, bool),
    pub(crate) sessions: (u64, bool),
    /// Issues that were merged into it.
    pub(crate) merged: usize,
}

pub(crate) fn issue(
    id: Fingerprint,
    totals: &IssueTotals,
    given: Option<&row::IssueState>,
    reach: Reach,
    context: Context<'_>,
) -> Issue {
    let now_ms = context.now_ms;
    let Reach { users: (users, users_exact), sessions: (sessions, sessions_exact), merged } = reach;
    let judged = state::now(totals, given, users, now_ms);
    let state = judged.state;
    let resolved = given.filter(|_| matches!(state, IssueState::Resolved | IssueState::Regressed));
    let latest = totals.latest.clone().unwrap_or_default();
    let occurrence = rows::session_id(&latest.session).map(|session| Occurrence {
        session: session.to_string(),
        event: latest.event,
        time_ms: latest.time_ms,
        replay: None,
    });
    Issue {
        id: id.to_string(),
        title: latest.title,
        culprit: latest.culprit,
        kind: latest.kind,
        mechanism: latest.mechanism,
        handled: latest.handled,
        state,
        resolved_in: resolved.map(resolved_in),
        resolved_release: resolved
            .filter(|given| resolved_in(given) != ResolvedIn::Now)
            .and_then(|given| known(&given.resolved_release)),
        archived_until: given.filter(|_| state == IssueState::Archived).and_then(archived_until),
        escalation: judged.escalation.map(|forecast| Escalation {
            events: forecast.events,
            hours: SPAN_HOURS,
            forecast: forecast.expected,
        }),
        assignee: given.and_then(|given| known(&given.assignee)),
        events: totals.events,
        sessions,
        sessions_exact,
        users,
        users_exact,
        merged,
        first_seen_ms: totals.first_seen_ms,
        last_seen_ms: totals.last_seen_ms,
        first_release: known(&totals.first_release),
        last_release: known(&latest.release),
        hours_24: line(&totals.hours, now_ms.div_euclid(HOUR_MS), SHOWN_HOURS),
        days_30: line(&totals.days, now_ms.div_euclid(DAY_MS), SHOWN_DAYS),
        priority: priority::of(totals, &judged, given.map_or("", |given| &given.pinned), context),
        latest: occurrence,
    }
}

const fn resolved_in(given: &row::IssueState) -> ResolvedIn {
    match (given.in_next_release, given.in_this_release) {
        (true, _) => ResolvedIn::NextRelease,
        (_, true) => ResolvedIn::ThisRelease,
        _ => ResolvedIn::Now,
    }
}

fn archived_until(given: &row::IssueState) -> Option<ArchivedUntil> {
    let until = given.archived_until?;
    Some(ArchivedUntil {
        escalating: until.escalating,
        events: (until.events > 0).then_some(until.events),
        users: (until.users > 0).then_some(until.users),
        days: (until.days > 0).then_some(until.days),
    })
}

fn line(counts: &BTreeMap<i64, IssueCount>, last: i64, length: i64) -> Vec<u64> {
    (last - length + 1..=last).map(|at| counts.get(&at).map_or(0, |count| count.events)).collect()
}

pub(crate) async fn detail(
    api: &Api,
    scope: Scope,
    mut issue: Issue,
    shown: &read::Shown,
    given: &[row::IssueState],
) -> Result<IssueDetail, ApiError> {
    let totals = &shown.totals;
    if let Some(occurrence) = &mut issue.latest {
        occurrence.replay = Some(replay(api, scope, &occurrence.session).await?);
    }
    let latest = totals.latest.clone().unwrap_or_default();
    let part = |part: row::IssueComponent| GroupingPart {
        name: part.name,
        values: part.values,
        counted: part.counted,
        why: part.why,
    };
    Ok(IssueDetail {
        issue,
        grouping_version: latest.grouping_version,
        basis: latest.basis,
        components: latest.components.into_iter().map(part).collect(),
        breakdowns: Breakdowns {
            release: values(totals.releases.as_ref()),
            browser: values(totals.browsers.as_ref()),
            os: values(totals.systems.as_ref()),
            page: values(totals.pages.as_ref()),
            country: values(totals.countries.as_ref()),
        },
        history: history(given),
        members: shown.merges.members(shown.id).map(|member| self::member(shown, member)).collect(),
    })
}

/// Of the issue and of those that were merged into it, the newest first.
fn history(given: &[row::IssueState]) -> Vec<IssueChangeRecord> {
    let record = |change: &row::IssueChange| IssueChangeRecord {
        time_ms: change.time_ms,
        actor: change.actor.clone(),
        change: change.change.clone(),
    };
    let mut records: Vec<_> = given.iter().flat_map(|given| given.history.iter().rev()).map(record).collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.time_ms));
    records
}

/// What has expired has neither title nor counts.
fn member(shown: &read::Shown, (id, merged): (Fingerprint, &Merged)) -> IssueMember {
    let totals = shown.members.get(&id);
    let latest = totals.and_then(|totals| totals.latest.as_ref());
    IssueMember {
        id: id.to_string(),
        title: latest.map(|latest| latest.title.clone()),
        culprit: latest.map(|latest| latest.culprit.clone()),
        events: totals.map_or(0, |totals| totals.events),
        sessions: totals.map_or(0, |totals| totals.sessions),
        last_seen_ms: totals.map(|totals| totals.last_seen_ms),
        merged_at_ms: merged.time_ms,
        merged_by: merged.actor.clone(),
    }
}

async fn replay(api: &Api, scope: Scope, session: &str) -> Result<OccurrenceReplay, ApiError> {
    let summary = match routes::load(api, scope, session).await {
        Ok((_, summary)) => summary,
        Err(ApiError::Deleted) => return Ok(OccurrenceReplay::Erased),
        Err(ApiError::Expired | ApiError::NotFound(_)) => return Ok(OccurrenceReplay::Expired),
        Err(error) => return Err(error),
    };
    Ok(match crate::session::present::session(api, scope, &summary).replay {
        ReplayState::Live => OccurrenceReplay::Recording,
        ReplayState::Complete => OccurrenceReplay::Playable,
        ReplayState::Partial => OccurrenceReplay::Partial,
        ReplayState::NotSampled | ReplayState::RecorderFailed => OccurrenceReplay::None,
        ReplayState::Deleted => OccurrenceReplay::Erased,
        ReplayState::Expired => OccurrenceReplay::Expired,
    })
}

fn values(breakdown: Option<&Breakdown>) -> Vec<BreakdownValue> {
    let Some(breakdown) = breakdown else { return Vec::new() };
    let value = |(value, events): (&String, &u64)| BreakdownValue { value: value.clone(), events: *events };
    let mut values: Vec<_> = breakdown.values.iter().map(value).collect();
    values.sort_by(|one, two| two.events.cmp(&one.events).then_with(|| one.value.cmp(&two.value)));
    if breakdown.other > 0 {
        values.push(BreakdownValue { value: "other".to_owned(), events: breakdown.other });
    }
    values
}
