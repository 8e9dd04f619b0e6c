//! The state of an issue: what people gave it, and what happened since.

use playhead_domain::row::{self, IssueTotals};

use crate::model::issue::IssueState;

pub(crate) const RESOLVED: &str = "resolved";
pub(crate) const ARCHIVED: &str = "archived";
/// Neither of the others.
pub(crate) const ONGOING: &str = "ongoing";

const NEW_FOR_MS: i64 = 86_400_000;

/// The state now.
pub(crate) fn now(totals: &IssueTotals, given: Option<&row::IssueState>, now_ms: i64) -> IssueState {
    match given.map(|given| (given.state.as_str(), given)) {
        Some((ARCHIVED, _)) => IssueState::Archived,
        Some((RESOLVED, given)) if is_regression(totals, given) => IssueState::Regressed,
        Some((RESOLVED, _)) => IssueState::Resolved,
        _ if now_ms - totals.first_seen_ms < NEW_FOR_MS => IssueState::New,
        _ => IssueState::Ongoing,
    }
}

/// It happened after it was resolved; if it was to be resolved in the next release, in another one than had it then.
fn is_regression(totals: &IssueTotals, given: &row::IssueState) -> bool {
    let is_later = totals.last_seen_ms > given.changed_ms;
    is_later && (!given.in_next_release || last_release(totals) != given.resolved_release)
}

/// The release of the newest occurrence.
pub(crate) fn last_release(totals: &IssueTotals) -> &str {
    totals.latest.as_ref().map_or("", |latest| &latest.release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::row::IssueSample;

    fn totals(first_seen_ms: i64, last_seen_ms: i64, release: &str) -> IssueTotals {
        let latest = Some(IssueSample { release: release.to_owned(), ..IssueSample::default() });
        IssueTotals { first_seen_ms, last_seen_ms, latest, ..IssueTotals::default() }
    }

    fn given(state: &str, in_next_release: bool) -> row::IssueState {
        row::IssueState {
            state: state.to_owned(),
            changed_ms: 100,
            in_next_release,
            resolved_release: "1".to_owned(),
            ..row::IssueState::default()
        }
    }

    #[test]
    fn what_happens_after_it_was_resolved_is_a_regression() {
        let at = |last_ms, release, next| {
            now(&totals(0, last_ms, release), Some(&given(RESOLVED, next)), 2 * NEW_FOR_MS)
        };
        assert_eq!(at(100, "1", false), IssueState::Resolved);
        assert_eq!(at(101, "1", false), IssueState::Regressed);
        assert_eq!(at(101, "1", true), IssueState::Resolved, "the release that had it may go on");
        assert_eq!(at(101, "2", true), IssueState::Regressed);
        assert_eq!(at(100, "2", true), IssueState::Resolved);
    }

    #[test]
    fn what_nobody_touched_is_new_for_a_day() {
        let at = |now_ms, given: Option<&row::IssueState>| now(&totals(0, 0, ""), given, now_ms);
        assert_eq!(at(NEW_FOR_MS - 1, None), IssueState::New);
        assert_eq!(at(NEW_FOR_MS, None), IssueState::Ongoing);
        assert_eq!(at(NEW_FOR_MS, Some(&given(ONGOING, false))), IssueState::Ongoing);
        assert_eq!(at(0, Some(&given(ARCHIVED, false))), IssueState::Archived);
    }
}
