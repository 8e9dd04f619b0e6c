//! Archives that end when something has happened: what was agreed, and whether it has.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{self, IssueState, IssueTotals};
use playhead_domain::scope::Scope;

use super::decided::{self, Deciding};
use super::read::{self, COUNTED_USERS, Shown};
use super::state::{self, ARCHIVED, ONGOING};
use crate::error::ApiError;
use crate::model::issue::ArchivedUntil;
use crate::state::Api;

const DAY_MS: i64 = 86_400_000;

/// What there is of an issue, against which archives are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) totals: &'a IssueTotals,
    /// Of archives that wait for users.
    pub(crate) users: u64,
    /// Of which issues it is made.
    pub(crate) members: u64,
}

/// How many users an issue has that is to be archived until it has so many more.
pub(crate) async fn users_before(api: &Api, scope: Scope, shown: &Shown, more: u64) -> Result<u64, ApiError> {
    let (users, is_exact) = read::users(api, scope, &shown.merges.whole(shown.id)).await?;
    if is_exact && users + more <= COUNTED_USERS {
        return Ok(users);
    }
    let detail = format!(
        "users of an issue are counted to {COUNTED_USERS} and this one has {users}; archive it until so many events"
    );
    Err(ApiError::bad("archived_until", detail))
}

/// Writes what has become of an archive, as [`come_due`] says, unless somebody decided otherwise since it was judged. The hours that tell
/// of an escalation are forgotten after two days, what is written here is not.
///
/// # Errors
/// As [`Deciding::update`].
pub(crate) async fn settle(
    deciding: &Deciding<'_>,
    issue: Fingerprint,
    judged: &IssueState,
    counted: Counted<'_>,
) -> Result<IssueState, ApiError> {
    let now_ms = deciding.api.now_ms();
    deciding.update(issue, |state| settled(state, judged, counted, now_ms)).await
}

fn settled(state: &mut IssueState, judged: &IssueState, counted: Counted<'_>, now_ms: i64) {
    let decision = |state: &IssueState| (state.state.clone(), state.changed_ms, state.archived_until);
    if decision(state) == decision(judged) {
        come_due(state, counted, now_ms);
    }
}

/// Takes an issue out of the archive when what was agreed has happened. An agreement that was made of other counts counts anew: people
/// merged or split the issue since, or parts of it have expired. Returns whether anything changed.
pub(crate) fn come_due(state: &mut IssueState, counted: Counted<'_>, now_ms: i64) -> bool {
    if count_anew(state, counted, now_ms) {
        return true;
    }
    let Some(why) = state::now(counted.totals, Some(state), counted.users, now_ms).returned else {
        return false;
    };
    (state.state, state.changed_ms, state.archived_until) = (ONGOING.to_owned(), now_ms, None);
    let change = decided::short(&format!("back from the archive: {why}"));
    decided::record(state, now_ms, "", change);
    true
}

fn count_anew(state: &mut IssueState, counted: Counted<'_>, now_ms: i64) -> bool {
    let Some(until) = state.archived_until.as_mut().filter(|_| state.state == ARCHIVED) else { return false };
    if until.members != counted.members {
        (*until, state.changed_ms) = (since_now(*until, counted, now_ms), now_ms);
        return true;
    }
    let before = *until;
    if until.users > 0 {
        until.users_before = until.users_before.min(counted.users);
    } else {
        until.events_before = until.events_before.min(counted.totals.events);
    }
    *until != before
}

pub(crate) fn agreement(until: &ArchivedUntil, counted: Counted<'_>, now_ms: i64) -> row::ArchivedUntil {
    let agreed = row::ArchivedUntil {
        escalating: until.escalating,
        events: until.events.unwrap_or_default(),
        users: until.users.unwrap_or_default(),
        days: until.days.unwrap_or_default(),
        ..row::ArchivedUntil::default()
    };
    since_now(agreed, counted, now_ms)
}

fn since_now(agreed: row::ArchivedUntil, counted: Counted<'_>, now_ms: i64) -> row::ArchivedUntil {
    let that_day = counted.totals.days.get(&now_ms.div_euclid(DAY_MS));
    row::ArchivedUntil {
        events_before: counted.totals.events,
        events_that_day: that_day.map_or(0, |count| count.events),
        users_before: counted.users,
        members: counted.members,
        ..agreed
    }
}

/// Archived once more until the same, which has not happened yet: nothing new.
pub(crate) fn is_same_decision(
    new: &IssueState,
    known: &IssueState,
    counted: Counted<'_>,
    now_ms: i64,
) -> bool {
    let agreed = |state: &IssueState| {
        state.archived_until.map(|until| (until.escalating, until.events, until.users, until.days))
    };
    let has_happened = || state::now(counted.totals, Some(known), counted.users, now_ms).returned.is_some();
    new.state == known.state && agreed(new) == agreed(known) && !has_happened()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(totals: &IssueTotals) -> Counted<'_> {
        Counted { totals, users: 0, members: 0 }
    }

    fn archived(until: row::ArchivedUntil, changed_ms: i64) -> IssueState {
        let until = Some(until);
        IssueState { state: ARCHIVED.to_owned(), changed_ms, archived_until: until, ..IssueState::default() }
    }

    #[test]
    fn an_agreement_counts_anew_when_its_counts_are_others() {
        let totals = |events| IssueTotals { events, ..IssueTotals::default() };
        let events = row::ArchivedUntil { events: 10, events_before: 100, ..row::ArchivedUntil::default() };
        let (fewer, more) = (totals(40), totals(5_100));
        let mut state = archived(events, 7);
        assert!(come_due(&mut state, Counted { members: 3, ..counted(&more) }, 9), "something was merged in");
        let until = state.archived_until.unwrap();
        assert_eq!((until.events_before, until.members, state.changed_ms), (5_100, 3, 9));
        assert!(!come_due(&mut state, Counted { members: 3, ..counted(&more) }, 9));
        let mut state = archived(events, 7);
        assert!(come_due(&mut state, counted(&fewer), 9), "parts have expired");
        assert_eq!((state.archived_until.unwrap().events_before, state.changed_ms), (40, 7));
        assert!(come_due(&mut state, counted(&totals(50)), 9));
        assert_eq!(state.history[0].change, "back from the archive: 10 more events");
    }

    #[test]
    fn only_the_decision_that_was_judged_is_settled() {
        let events = |events| row::ArchivedUntil { events, ..row::ArchivedUntil::default() };
        let totals = IssueTotals { events: 10, ..IssueTotals::default() };
        let (judged, other) = (archived(events(10), 7), archived(events(5), 8));
        let after = |known: &IssueState| {
            let mut state = known.clone();
            settled(&mut state, &judged, counted(&totals), 9);
            state
        };
        assert_eq!(after(&other), other);
        let settled = after(&IssueState { assignee: "bo".to_owned(), ..judged.clone() });
        assert_eq!((settled.state.as_str(), settled.assignee.as_str()), (ONGOING, "bo"));
    }
}
