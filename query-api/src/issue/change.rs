//! What people do with an issue: a row of its own, written by compare-and-set, with a history.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::row::{IssueChange, IssueState, IssueTotals};
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::cut;
use playhead_domain::store::Swap;
use playhead_domain::table::ISSUE_STATES;
use prost::Message;

use super::read::decode_state;
use super::state::{ARCHIVED, ONGOING, RESOLVED, last_release};
use crate::error::ApiError;
use crate::model::issue::{GivenState, IssuePatch, ResolvedIn};
use crate::state::Api;

const ATTEMPTS: usize = 8;
const MAX_HISTORY: usize = 100;
const MAX_NOTE_BYTES: usize = 200;
const MAX_ASSIGNEE_CHARACTERS: usize = 100;
/// Longer than any project keeps sessions: what was decided of an issue that does not come back is forgotten.
const KEPT_MS: i64 = 800 * 86_400_000;

/// Checks what is asked, before anything is changed.
///
/// # Errors
/// [`ApiError::BadRequest`] that names the member.
pub(crate) fn check(patch: &IssuePatch) -> Result<(), ApiError> {
    if patch.state.is_none() && patch.assignee.is_none() {
        return Err(ApiError::bad("body", "needs `state` or `assignee`"));
    }
    if patch.resolved_in.is_some() && patch.state != Some(GivenState::Resolved) {
        return Err(ApiError::bad("resolved_in", "goes with the state `resolved`"));
    }
    let assignee = patch.assignee.as_deref().unwrap_or_default();
    if assignee.chars().count() > MAX_ASSIGNEE_CHARACTERS || assignee.chars().any(char::is_control) {
        let detail = format!("must be at most {MAX_ASSIGNEE_CHARACTERS} printable characters");
        return Err(ApiError::bad("assignee", detail));
    }
    Ok(())
}

/// Changes the state of an issue that is there.
///
/// # Errors
/// The store's; [`ApiError::Conflict`] when others do the same all the time.
pub(crate) async fn apply(
    api: &Api,
    scope: Scope,
    (issue, totals): (Fingerprint, &IssueTotals),
    patch: &IssuePatch,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let now_ms = api.now_ms();
    update(api, scope, issue, |known| changed(known, totals, patch, actor, now_ms)).await
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
    totals: &IssueTotals,
    patch: &IssuePatch,
    actor: &str,
    now_ms: i64,
) -> IssueState {
    let mut new = known.clone();
    let mut note = |change: String| {
        new.history.push(IssueChange { time_ms: now_ms, actor: actor.to_owned(), change });
    };
    let in_next_release = patch.resolved_in == Some(ResolvedIn::NextRelease);
    let state = patch.state.map(|state| match state {
        GivenState::Ongoing => (ONGOING, "reopened"),
        GivenState::Resolved if in_next_release => (RESOLVED, "resolved in the next release"),
        GivenState::Resolved => (RESOLVED, "resolved"),
        GivenState::Archived => (ARCHIVED, "archived"),
    });
    // Resolving once more what is resolved is a change: it may have come back.
    let state = state.filter(|(state, _)| *state == RESOLVED || name(known) != *state);
    if let Some((_, words)) = state {
        note(words.to_owned());
    }
    let assignee = patch.assignee.as_deref().map(str::trim).filter(|assignee| *assignee != known.assignee);
    match assignee {
        Some("") => note("assigned to nobody".to_owned()),
        Some(assignee) => note(format!("assigned to {assignee}")),
        None => {}
    }
    if let Some((state, _)) = state {
        (new.state, new.changed_ms, new.in_next_release) = (state.to_owned(), now_ms, in_next_release);
        new.resolved_release =
            if state == RESOLVED { cut(last_release(totals), 200).to_owned() } else { String::new() };
    }
    if let Some(assignee) = assignee {
        assignee.clone_into(&mut new.assignee);
    }
    bound_history(&mut new);
    new
}

fn name(state: &IssueState) -> &str {
    if state.state.is_empty() { ONGOING } else { &state.state }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(state: Option<GivenState>, assignee: Option<&str>) -> IssuePatch {
        IssuePatch { state, assignee: assignee.map(str::to_owned), resolved_in: None }
    }

    #[test]
    fn a_change_is_told_and_none_is_not() {
        let totals = IssueTotals::default();
        let change = |known: &IssueState, patch: &IssuePatch| changed(known, &totals, patch, "ana", 7);
        let nothing = IssueState::default();
        assert_eq!(change(&nothing, &patch(Some(GivenState::Ongoing), Some(""))), nothing);
        let archived = change(&nothing, &patch(Some(GivenState::Archived), Some(" bo ")));
        let told: Vec<_> = archived.history.iter().map(|change| change.change.as_str()).collect();
        assert_eq!(told, ["archived", "assigned to bo"]);
        assert_eq!((archived.assignee.as_str(), archived.changed_ms), ("bo", 7));
        assert_eq!(change(&archived, &patch(Some(GivenState::Archived), Some("bo"))), archived);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut state = IssueState::default();
        for n in 0..3 * MAX_HISTORY {
            let patch = patch(None, Some(&n.to_string()));
            state = changed(&state, &IssueTotals::default(), &patch, "ana", 0);
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
        assert!(check(&patch(Some(GivenState::Resolved), None)).is_ok());
    }
}
