//! What people do with an issue: a row of its own, written by compare-and-set, with a history.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::row::{self, IssueChange, IssueState, IssueTotals};
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::cut;
use playhead_domain::store::Swap;
use playhead_domain::table::ISSUE_STATES;
use prost::Message;

use super::read::{self, COUNTED_USERS, Shown, decode_state};
use super::state::{self, ARCHIVED, ONGOING, RESOLVED, newest_release};
use crate::error::ApiError;
use crate::model::issue::{ArchivedUntil, GivenState, IssuePatch, PinnedPriority, ResolvedIn};
use crate::state::Api;

const ATTEMPTS: usize = 8;
const MAX_HISTORY: usize = 100;
const MAX_NOTE_BYTES: usize = 200;
const MAX_RELEASE_BYTES: usize = 200;
const MAX_UNTIL_EVENTS: u64 = 1_000_000;
const MAX_UNTIL_DAYS: u32 = 30;
const DAY_MS: i64 = 86_400_000;
const MAX_ASSIGNEE_CHARACTERS: usize = 100;
/// Longer than any project keeps sessions: what was decided of an issue that does not come back is forgotten.
const KEPT_MS: i64 = 800 * 86_400_000;

/// What there is of an issue, against which archives are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) totals: &'a IssueTotals,
    /// Of archives that wait for users.
    pub(crate) users: u64,
    /// Of which issues it is made.
    pub(crate) members: u64,
}

/// Checks what is asked, before anything is changed.
///
/// # Errors
/// [`ApiError::BadRequest`] that names the member.
pub(crate) fn check(patch: &IssuePatch) -> Result<(), ApiError> {
    if patch.state.is_none() && patch.assignee.is_none() && patch.priority.is_none() {
        return Err(ApiError::bad("body", "needs `state`, `assignee` or `priority`"));
    }
    if patch.resolved_in.is_some() && patch.state != Some(GivenState::Resolved) {
        return Err(ApiError::bad("resolved_in", "goes with the state `resolved`"));
    }
    if patch.release.is_some() && patch.resolved_in != Some(ResolvedIn::ThisRelease) {
        return Err(ApiError::bad("release", "goes with `resolved_in` `this_release`"));
    }
    if patch.release.as_ref().is_some_and(|release| {
        release.trim().is_empty()
            || release.len() > MAX_RELEASE_BYTES
            || release.chars().any(char::is_control)
    }) {
        return Err(ApiError::bad("release", format!("must be 1 to {MAX_RELEASE_BYTES} printable bytes")));
    }
    check_archive(patch)?;
    let assignee = patch.assignee.as_deref().unwrap_or_default();
    if assignee.chars().count() > MAX_ASSIGNEE_CHARACTERS || assignee.chars().any(char::is_control) {
        let detail = format!("must be at most {MAX_ASSIGNEE_CHARACTERS} printable characters");
        return Err(ApiError::bad("assignee", detail));
    }
    Ok(())
}

fn check_archive(patch: &IssuePatch) -> Result<(), ApiError> {
    let Some(until) = &patch.archived_until else { return Ok(()) };
    let bad = |detail: &str| Err(ApiError::bad("archived_until", detail));
    if patch.state != Some(GivenState::Archived) {
        return bad("goes with the state `archived`");
    }
    match (until.escalating, until.events, until.users, until.days) {
        (true, None, None, None)
        | (false, Some(1..=MAX_UNTIL_EVENTS), None, None | Some(1..=MAX_UNTIL_DAYS))
        | (false, None, Some(1..=COUNTED_USERS), None) => Ok(()),
        _ => bad(
            "takes `escalating`, `events` (1 to 1000000, with `days` 1 to 30 or without) or `users` (1 to 9000)",
        ),
    }
}

/// Changes the state of an issue that is there.
///
/// # Errors
/// [`ApiError::BadRequest`] when it is to be resolved in its release and has none, or waits for more users than are counted. The store's;
/// [`ApiError::Conflict`] when others do the same all the time.
pub(crate) async fn apply(
    api: &Api,
    scope: Scope,
    shown: &Shown,
    patch: &IssuePatch,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let totals = &shown.totals;
    let asks_release = patch.resolved_in == Some(ResolvedIn::ThisRelease) && patch.release.is_none();
    if asks_release && newest_release(totals).is_empty() {
        return Err(ApiError::bad("release", "no release of the issue is known; name one"));
    }
    let users = match patch.archived_until.as_ref().and_then(|until| until.users) {
        Some(more) => users_before(api, scope, shown, more).await?,
        None => 0,
    };
    let counted = Counted { totals, users, members: shown.merges.mark(shown.id) };
    let now_ms = api.now_ms();
    update(api, scope, shown.id, |known| changed(known, counted, patch, actor, now_ms)).await
}

/// How many users an issue has that is to be archived until it has so many more.
async fn users_before(api: &Api, scope: Scope, shown: &Shown, more: u64) -> Result<u64, ApiError> {
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
/// As [`apply`].
pub(crate) async fn settle(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    judged: &IssueState,
    counted: Counted<'_>,
) -> Result<IssueState, ApiError> {
    let now_ms = api.now_ms();
    update(api, scope, issue, |known| settled(known, judged, counted, now_ms)).await
}

fn settled(known: &IssueState, judged: &IssueState, counted: Counted<'_>, now_ms: i64) -> IssueState {
    let decision = |state: &IssueState| (state.state.clone(), state.changed_ms, state.archived_until);
    let mut new = known.clone();
    if decision(known) == decision(judged) {
        come_due(&mut new, counted, now_ms);
    }
    new
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
    let change = cut(&format!("back from the archive: {why}"), MAX_NOTE_BYTES).to_owned();
    state.history.push(IssueChange { time_ms: now_ms, actor: String::new(), change });
    bound_history(state);
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

/// Writes something that happened to an issue into its history.
///
/// # Errors
/// As [`apply`].
pub(crate) async fn note(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: &str,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let now_ms = api.now_ms();
    update(api, scope, issue, |known| {
        let mut new = known.clone();
        let change = cut(change, MAX_NOTE_BYTES).to_owned();
        new.history.push(IssueChange { time_ms: now_ms, actor: actor.to_owned(), change });
        bound_history(&mut new);
        new
    })
    .await
}

async fn update(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: impl Fn(&IssueState) -> IssueState,
) -> Result<IssueState, ApiError> {
    let key = key::state(scope, issue);
    for _ in 0..ATTEMPTS {
        let old = api.store().get_serial(&ISSUE_STATES, &key).await?;
        let known = old.clone().map(decode_state).transpose()?.unwrap_or_default();
        let new = change(&known);
        if new == known {
            return Ok(new);
        }
        let value = Some(new.encode_to_vec().into());
        let expires_at_ms = Some(api.now_ms() + KEPT_MS);
        let swap =
            api.store().compare_and_set(&ISSUE_STATES, &key, old.as_deref(), value, expires_at_ms).await?;
        if swap == Swap::Applied {
            return Ok(new);
        }
    }
    Err(ApiError::Conflict)
}

fn bound_history(state: &mut IssueState) {
    let surplus = state.history.len().saturating_sub(MAX_HISTORY);
    state.history.drain(..surplus);
}

fn changed(
    known: &IssueState,
    counted: Counted<'_>,
    patch: &IssuePatch,
    actor: &str,
    now_ms: i64,
) -> IssueState {
    let mut new = known.clone();
    let mut notes = Vec::new();
    // Resolving or archiving once more is a change: it may have come back.
    if let Some(state) = patch.state
        && (state != GivenState::Ongoing || name(known) != ONGOING)
    {
        set_state(&mut new, counted, patch, now_ms);
        if !is_same_decision(&new, known, counted, now_ms) || state == GivenState::Resolved {
            notes.push(describe(&new));
        } else {
            new = known.clone();
        }
    }
    let assignee = patch.assignee.as_deref().map(str::trim).filter(|assignee| *assignee != known.assignee);
    if let Some(assignee) = assignee {
        notes.push(match assignee {
            "" => "assigned to nobody".to_owned(),
            assignee => format!("assigned to {assignee}"),
        });
        assignee.clone_into(&mut new.assignee);
    }
    if let Some(pinned) = patch.priority.map(PinnedPriority::name)
        && pinned != known.pinned
    {
        notes.push(match pinned {
            "" => "left the priority to the counts".to_owned(),
            pinned => format!("pinned the priority {pinned}"),
        });
        pinned.clone_into(&mut new.pinned);
    }
    let record = |change| IssueChange { time_ms: now_ms, actor: actor.to_owned(), change };
    new.history.extend(notes.into_iter().map(record));
    bound_history(&mut new);
    new
}

fn set_state(new: &mut IssueState, counted: Counted<'_>, patch: &IssuePatch, now_ms: i64) {
    let Some(state) = patch.state else { return };
    let resolved_in = patch.resolved_in.filter(|_| state == GivenState::Resolved);
    let given = patch.release.as_deref().map(str::trim);
    new.state = match state {
        GivenState::Ongoing => ONGOING,
        GivenState::Resolved => RESOLVED,
        GivenState::Archived => ARCHIVED,
    }
    .to_owned();
    new.changed_ms = now_ms;
    new.in_next_release = resolved_in == Some(ResolvedIn::NextRelease);
    new.in_this_release = resolved_in == Some(ResolvedIn::ThisRelease);
    let release = given.unwrap_or_else(|| newest_release(counted.totals));
    new.resolved_release = if state == GivenState::Resolved {
        cut(release, MAX_RELEASE_BYTES).to_owned()
    } else {
        String::new()
    };
    new.archived_until = patch.archived_until.as_ref().map(|until| agreement(until, counted, now_ms));
}

fn agreement(until: &ArchivedUntil, counted: Counted<'_>, now_ms: i64) -> row::ArchivedUntil {
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
fn is_same_decision(new: &IssueState, known: &IssueState, counted: Counted<'_>, now_ms: i64) -> bool {
    let agreed = |state: &IssueState| {
        state.archived_until.map(|until| (until.escalating, until.events, until.users, until.days))
    };
    let has_happened = || state::now(counted.totals, Some(known), counted.users, now_ms).returned.is_some();
    new.state == known.state && agreed(new) == agreed(known) && !has_happened()
}

/// What a history says of the decision.
fn describe(state: &IssueState) -> String {
    match (state.state.as_str(), state.archived_until) {
        (RESOLVED, _) if state.in_next_release => "resolved in the next release".to_owned(),
        (RESOLVED, _) if state.in_this_release => format!("resolved in {}", state.resolved_release),
        (RESOLVED, _) => "resolved".to_owned(),
        (ARCHIVED, Some(until)) if until.escalating => "archived until it escalates".to_owned(),
        (ARCHIVED, Some(until)) if until.users > 0 => format!("archived until {} more users", until.users),
        (ARCHIVED, Some(until)) if until.days > 0 => {
            format!("archived until {} events within {} days", until.events, until.days)
        }
        (ARCHIVED, Some(until)) => format!("archived until {} more events", until.events),
        (ARCHIVED, None) => "archived".to_owned(),
        _ => "reopened".to_owned(),
    }
}

fn name(state: &IssueState) -> &str {
    if state.state.is_empty() { ONGOING } else { &state.state }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(state: Option<GivenState>, assignee: Option<&str>) -> IssuePatch {
        IssuePatch { state, assignee: assignee.map(str::to_owned), ..IssuePatch::default() }
    }

    fn counted(totals: &IssueTotals) -> Counted<'_> {
        Counted { totals, users: 0, members: 0 }
    }

    #[test]
    fn a_change_is_told_and_none_is_not() {
        let totals = IssueTotals::default();
        let change =
            |known: &IssueState, patch: &IssuePatch| changed(known, counted(&totals), patch, "ana", 7);
        let nothing = IssueState::default();
        assert_eq!(change(&nothing, &patch(Some(GivenState::Ongoing), Some(""))), nothing);
        let archived = change(&nothing, &patch(Some(GivenState::Archived), Some(" bo ")));
        let told: Vec<_> = archived.history.iter().map(|change| change.change.as_str()).collect();
        assert_eq!(told, ["archived", "assigned to bo"]);
        assert_eq!((archived.assignee.as_str(), archived.changed_ms), ("bo", 7));
        assert_eq!(change(&archived, &patch(Some(GivenState::Archived), Some("bo"))), archived);
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
        assert_eq!(settled(&other, &judged, counted(&totals), 9), other);
        let assigned = IssueState { assignee: "bo".to_owned(), ..judged.clone() };
        let settled = settled(&assigned, &judged, counted(&totals), 9);
        assert_eq!((settled.state.as_str(), settled.assignee.as_str()), (ONGOING, "bo"));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut state = IssueState::default();
        for n in 0..3 * MAX_HISTORY {
            let patch = patch(None, Some(&n.to_string()));
            state = changed(&state, counted(&IssueTotals::default()), &patch, "ana", 0);
        }
        assert_eq!(state.history.len(), MAX_HISTORY);
        assert_eq!(state.history.last().unwrap().change, "assigned to 299");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(check(&IssuePatch::default()).is_err());
        assert!(check(&patch(None, Some(&"x".repeat(101)))).is_err());
        let in_release = IssuePatch { resolved_in: Some(ResolvedIn::Now), ..patch(None, Some("x")) };
        assert!(check(&in_release).is_err());
        let archive = |until: ArchivedUntil| IssuePatch {
            archived_until: Some(until),
            ..patch(Some(GivenState::Archived), None)
        };
        let until = |events, users, days| ArchivedUntil { escalating: false, events, users, days };
        assert!(check(&archive(until(None, None, None))).is_err());
        assert!(check(&archive(until(Some(1), Some(1), None))).is_err());
        assert!(check(&archive(until(None, Some(1), Some(1)))).is_err());
        assert!(check(&archive(until(Some(0), None, None))).is_err());
        assert!(check(&archive(until(Some(9), None, Some(30)))).is_ok());
        assert!(check(&archive(ArchivedUntil { escalating: true, ..until(None, None, None) })).is_ok());
        assert!(check(&patch(Some(GivenState::Resolved), None)).is_ok());
    }
}
