//! What people ask for an issue: checked, decided, and told in its history.

use playhead_domain::row::IssueState;
use playhead_domain::session::fold::cut;

use super::archive::{self, Counted};
use super::decided::{self, Deciding};
use super::read::{COUNTED_USERS, Shown};
use super::state::{ARCHIVED, ONGOING, RESOLVED, newest_release};
use crate::error::ApiError;
use crate::model::issue::{GivenState, IssuePatch, PinnedPriority, ResolvedIn};

const MAX_RELEASE_BYTES: usize = 200;
const MAX_UNTIL_EVENTS: u64 = 1_000_000;
const MAX_UNTIL_DAYS: u32 = 30;
const MAX_ASSIGNEE_CHARACTERS: usize = 100;

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
    deciding: &Deciding<'_>,
    shown: &Shown,
    patch: &IssuePatch,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let Deciding { api, scope, .. } = *deciding;
    let totals = &shown.totals;
    let asks_release = patch.resolved_in == Some(ResolvedIn::ThisRelease) && patch.release.is_none();
    if asks_release && newest_release(totals).is_empty() {
        return Err(ApiError::bad("release", "no release of the issue is known; name one"));
    }
    let users = match patch.archived_until.as_ref().and_then(|until| until.users) {
        Some(more) => archive::users_before(api, scope, shown, more).await?,
        None => 0,
    };
    let counted = Counted { totals, users, members: shown.merges.mark(shown.id) };
    let now_ms = api.now_ms();
    deciding.update(shown.id, |state| *state = changed(state, counted, patch, actor, now_ms)).await
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
        if !archive::is_same_decision(&new, known, counted, now_ms) || state == GivenState::Resolved {
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
    notes.into_iter().for_each(|note| decided::record(&mut new, now_ms, actor, note));
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
    new.archived_until =
        patch.archived_until.as_ref().map(|until| archive::agreement(until, counted, now_ms));
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
    use crate::issue::decided::MAX_HISTORY;
    use crate::model::issue::ArchivedUntil;
    use playhead_domain::row::IssueTotals;

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
