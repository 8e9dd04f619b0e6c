//! What follows an issue in a session: clicks that tell of frustration, or nothing at all any more.
//!
//! It is known only later, so it is told as far as it is known: an issue ends a session in which nothing has happened since, until
//! something does. What each batch changes of it ([`Sequel::since`]) is counted like an occurrence of that batch, so that the counts
//! depend on the records before them alone, however these fall into flushes.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::grouping::Fingerprint;
use crate::row::{IssueSequel, SessionState};
use crate::session::fact::{Fact, Occurrence, What};

/// An issue ends a session of which nothing is later than this after its last occurrence.
pub const LEAVING_MS: i64 = 10_000;
/// Occurrences that are further apart do not belong to one run.
const APART_MS: i64 = 30_000;
/// Who stays for longer in a run of occurrences (a timer that fails again and again) did not leave because of them.
const BORNE_MS: i64 = 60_000;
/// Rage and dead clicks are told with the time of their first click, which may be the one that led to the error.
const CLICKED_BEFORE_MS: i64 = 2_000;
const CLICKED_AFTER_MS: i64 = 10_000;

/// What is known to follow an issue in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequel {
    pub issue: Fingerprint,
    /// Of the occurrence with which the session was counted.
    first_ms: i64,
    frustrated: bool,
    ended: bool,
}

/// How many sessions more or less are known to be frustrated, and to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub first_ms: i64,
    pub frustrated: i64,
    pub ended: i64,
}

impl Sequel {
    /// What changed since `before`, which knew less; `None`: nothing.
    #[must_use]
    pub fn since(self, before: Option<Self>) -> Option<Change> {
        let of = |sequel: Option<Self>, is: fn(&Self) -> bool| i64::from(sequel.as_ref().is_some_and(is));
        let change = |is: fn(&Self) -> bool| of(Some(self), is) - of(before, is);
        let (frustrated, ended) = (change(|sequel| sequel.frustrated), change(|sequel| sequel.ended));
        let change = Change { first_ms: self.first_ms, frustrated, ended };
        (frustrated != 0 || ended != 0).then_some(change)
    }
}

/// Of each issue for which the session counts.
pub fn of(state: &SessionState) -> impl Iterator<Item = Sequel> {
    let end_ms = state.summary.as_ref().map_or(0, |summary| summary.end_ms);
    state.issue_sequels.iter().filter_map(move |known| {
        Some(Sequel {
            issue: Fingerprint(known.issue.as_ref().try_into().ok()?),
            first_ms: known.first_ms,
            frustrated: known.frustrated,
            ended: end_ms - known.last_ms <= LEAVING_MS && !is_borne(known),
        })
    })
}

fn is_borne(known: &IssueSequel) -> bool {
    known.run_ms > 0 && known.last_ms - known.run_ms > BORNE_MS
}

/// Takes the facts of a batch that was folded into the summary, which knew `known` issues before.
pub(crate) fn fold(state: &mut SessionState, known: usize, facts: &[Fact]) {
    let Some(summary) = &state.summary else { return };
    let new = summary.issues.get(known..).unwrap_or_default();
    let new: BTreeSet<Fingerprint> = new.iter().filter_map(|issue| issue.parse().ok()).collect();
    let clicks = Clicks::of(facts, state.frustrated_ms);
    // What happened last may be followed by what comes only now.
    for known in &mut state.issue_sequels {
        known.frustrated |= clicks.are_about(known.last_ms);
    }
    for fact in facts {
        let Some(issue) = fact.what.occurrence().and_then(Occurrence::issue) else { continue };
        let at = state.issue_sequels.iter().position(|known| known.issue[..] == issue.0);
        let at = at.unwrap_or(state.issue_sequels.len());
        if at == state.issue_sequels.len() {
            if !new.contains(&issue) {
                continue;
            }
            let issue = Bytes::copy_from_slice(&issue.0);
            let time_ms = fact.time_ms;
            let (first_ms, last_ms, run_ms) = (time_ms, time_ms, time_ms);
            state.issue_sequels.push(IssueSequel { issue, first_ms, last_ms, run_ms, frustrated: false });
        }
        let known = &mut state.issue_sequels[at];
        if fact.time_ms > known.last_ms + APART_MS {
            known.run_ms = fact.time_ms;
        }
        known.last_ms = known.last_ms.max(fact.time_ms);
        known.frustrated |= clicks.are_about(fact.time_ms);
    }
    state.frustrated_ms = clicks.latest_ms();
}

/// When there were rage and dead clicks, in order.
struct Clicks(Vec<i64>);

impl Clicks {
    /// Those of a batch, and the latest one before it (0: none).
    fn of(facts: &[Fact], before_ms: i64) -> Self {
        let clicks = facts.iter().filter(|fact| matches!(fact.what, What::RageClick | What::DeadClick));
        let mut times: Vec<i64> = clicks.map(|fact| fact.time_ms).collect();
        times.extend((before_ms > 0).then_some(before_ms));
        times.sort_unstable();
        Self(times)
    }

    fn are_about(&self, time_ms: i64) -> bool {
        let first = self.0.partition_point(|&click| click < time_ms - CLICKED_BEFORE_MS);
        self.0.get(first).is_some_and(|&click| click <= time_ms + CLICKED_AFTER_MS)
    }

    fn latest_ms(&self) -> i64 {
        self.0.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::filter::Filters;
    use crate::issue::rule::Rules;
    use crate::issue::{Thrown, examine};
    use crate::row::SessionSummary;

    const START_MS: i64 = 1_000_000;

    fn error(after_ms: i64, kind: &str) -> Fact {
        let thrown = Thrown { kind, message: "it broke", ..Thrown::default() };
        let examined = examine(&thrown, Filters::default(), &Rules::default(), false);
        let occurrence = Occurrence {
            index: 0,
            group: examined.group,
            title: examined.title,
            culprit: examined.culprit,
            kind: kind.to_owned(),
            message: String::new(),
            mechanism: String::new(),
            handled: false,
            page_url: String::new(),
            filtered: examined.filtered,
        };
        at(after_ms, What::Error(Box::new(occurrence)))
    }

    fn at(after_ms: i64, what: What) -> Fact {
        Fact { time_ms: START_MS + after_ms, what, measured: None }
    }

    /// As the fold of a session does it, with the end and the issues of the summary.
    fn take(state: &mut SessionState, facts: &[Fact]) {
        let summary = state.summary.get_or_insert_with(SessionSummary::default);
        let known = summary.issues.len();
        for fact in facts {
            summary.end_ms = summary.end_ms.max(fact.time_ms);
            let issue = fact.what.occurrence().and_then(Occurrence::issue).map(|issue| issue.to_string());
            if let Some(issue) = issue.filter(|issue| !summary.issues.contains(issue)) {
                summary.issues.push(issue);
            }
        }
        fold(state, known, facts);
    }

    /// Frustrated and ended, by issue in the order in which they came.
    fn told(batches: &[&[Fact]]) -> Vec<(bool, bool)> {
        let mut state = SessionState::default();
        batches.iter().for_each(|facts| take(&mut state, facts));
        of(&state).map(|sequel| (sequel.frustrated, sequel.ended)).collect()
    }

    #[test]
    fn an_issue_ends_the_session_until_something_comes_later() {
        assert_eq!(told(&[&[error(0, "A")]]), [(false, true)]);
        assert_eq!(told(&[&[error(0, "A"), at(10_000, What::Click)]]), [(false, true)]);
        assert_eq!(told(&[&[error(0, "A")], &[at(10_001, What::Click)]]), [(false, false)]);
        let again: &[&[Fact]] = &[&[error(0, "A")], &[at(30_000, What::Click), error(31_000, "A")]];
        assert_eq!(told(again), [(false, true)], "it happened once more");
        assert_eq!(told(&[&[error(0, "A"), error(20_000, "B")]]), [(false, false), (false, true)]);
    }

    #[test]
    fn who_stays_for_long_while_it_goes_on_did_not_leave_because_of_it() {
        let every = |seconds: i64, until: i64| -> Vec<Fact> {
            (0..=until / seconds).map(|nth| error(nth * seconds * 1_000, "A")).collect()
        };
        assert_eq!(told(&[&every(5, 60)]), [(false, true)], "a minute of trying");
        assert_eq!(told(&[&every(5, 65)]), [(false, false)]);
        assert_eq!(told(&[&every(5, 30), &every(5, 65)[7..]]), [(false, false)], "in several batches");
        assert_eq!(told(&[&every(5, 65), &[error(95_001, "A")]]), [(false, true)], "again after a pause");
        assert_eq!(told(&[&every(40, 200)]), [(false, true)], "each apart");
    }

    #[test]
    fn clicks_about_an_error_tell_of_frustration() {
        let frustrated = |batches: &[&[Fact]]| told(batches)[0].0;
        let click = |after_ms| at(after_ms, What::DeadClick);
        assert!(frustrated(&[&[error(0, "A"), at(3_000, What::RageClick)]]));
        assert!(frustrated(&[&[error(0, "A")], &[click(10_000)]]));
        assert!(!frustrated(&[&[error(0, "A")], &[click(10_001)]]));
        assert!(frustrated(&[&[click(0)], &[error(2_000, "A")]]), "the click that led to it");
        assert!(!frustrated(&[&[click(0)], &[error(2_001, "A")]]));
        assert!(frustrated(&[&[error(0, "A"), error(60_000, "A"), click(1_000)]]), "the first one");
        assert!(!frustrated(&[&[error(0, "A"), at(1_000, What::Click)]]));
    }

    #[test]
    fn changes_add_up_to_what_is_known() {
        let mut state = SessionState::default();
        let mut sum = (0, 0);
        let batches: &[&[Fact]] = &[
            &[error(0, "A")],
            &[at(5_000, What::RageClick)],
            &[at(60_000, What::Click)],
            &[error(70_000, "A"), error(71_000, "A")],
        ];
        let expected = [(0, 1), (1, 1), (1, 0), (1, 1)];
        for (facts, expected) in batches.iter().zip(expected) {
            let before = of(&state).next();
            take(&mut state, facts);
            if let Some(change) = of(&state).next().unwrap().since(before) {
                assert_eq!(change.first_ms, START_MS);
                sum = (sum.0 + change.frustrated, sum.1 + change.ended);
            }
            assert_eq!(sum, expected);
        }
    }

    #[test]
    fn a_session_that_does_not_count_for_an_issue_tells_nothing_of_it() {
        let mut state = SessionState::default();
        let facts = [error(0, "A")];
        let issue = facts[0].what.occurrence().and_then(Occurrence::issue).unwrap();
        // It had the issue before any sequel was kept.
        state.summary = Some(SessionSummary { issues: vec![issue.to_string()], ..SessionSummary::default() });
        take(&mut state, &facts);
        assert_eq!(of(&state).count(), 0);
    }
}
