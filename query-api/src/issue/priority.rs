//! How much an issue matters now: a sum of what can be said in one line. The same counts and the same moment give the same score.
//!
//! | what | points |
//! |---|---|
//! | sessions that had it first in the last 24 hours | 12 × log2(1 + n), at most 48 |
//! | events in the last 24 hours | 2 × log2(1 + n), at most 12 |
//! | events against the 24 hours before | twice as many (at least 4): 12; half as many again: 6 |
//! | first seen in the last 24 hours | 14 |
//! | unhandled, and it happened in the last 24 hours | 14 |
//!
//! What is resolved or archived has none.

use playhead_domain::issue::totals::HOURS;
use playhead_domain::row::IssueTotals;

use crate::model::issue::{IssueState, Priority, PriorityLevel};

const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;
const HIGH: u32 = 60;
const MEDIUM: u32 = 30;

pub(crate) fn of(totals: &IssueTotals, state: IssueState, now_ms: i64) -> Priority {
    match state {
        IssueState::Resolved => nothing("resolved"),
        IssueState::Archived => nothing("archived"),
        _ => weigh(totals, state, now_ms),
    }
}

fn nothing(reason: &str) -> Priority {
    Priority { score: 0, level: PriorityLevel::Low, reason: reason.to_owned() }
}

fn weigh(totals: &IssueTotals, state: IssueState, now_ms: i64) -> Priority {
    let hour = now_ms.div_euclid(HOUR_MS);
    let (events, sessions) = sum(totals, hour - DAY_HOURS + 1, hour);
    let (before, _) = sum(totals, hour - HOURS + 1, hour - DAY_HOURS);
    let is_new = now_ms - totals.first_seen_ms < DAY_HOURS * HOUR_MS;
    let is_unhandled = events > 0 && totals.latest.as_ref().is_some_and(|latest| !latest.handled);
    let grows = growth(events, before);
    let score = logarithm(sessions, 12.0, 48)
        + logarithm(events, 2.0, 12)
        + grows
        + if is_new { 14 } else { 0 }
        + if is_unhandled { 14 } else { 0 };
    let mut reasons = vec![reach(events, sessions)];
    if state == IssueState::Regressed {
        reasons.push("back after it was resolved".to_owned());
    }
    if is_new {
        let release = &totals.first_release;
        reasons.push(if release.is_empty() { "new".to_owned() } else { format!("new in {release}") });
    } else if grows > 0 {
        reasons.push(format!("{events} events after {before} the day before"));
    }
    if is_unhandled {
        reasons.push("unhandled".to_owned());
    }
    let level = match score {
        HIGH.. => PriorityLevel::High,
        MEDIUM.. => PriorityLevel::Medium,
        _ => PriorityLevel::Low,
    };
    Priority { score, level, reason: reasons.join(", ") }
}

fn reach(events: u64, sessions: u64) -> String {
    match (events, sessions) {
        (0, _) => "nothing in the last 24 h".to_owned(),
        (_, 1) => "1 session in the last 24 h".to_owned(),
        (1, 0) => "1 event in the last 24 h".to_owned(),
        (events, 0) => format!("{events} events in the last 24 h"),
        (_, sessions) => format!("{sessions} sessions in the last 24 h"),
    }
}

fn sum(totals: &IssueTotals, from: i64, to: i64) -> (u64, u64) {
    let counts = totals.hours.range(from..=to).map(|(_, count)| count);
    counts.fold((0, 0), |(events, sessions), count| (events + count.events, sessions + count.sessions))
}

fn logarithm(count: u64, weight: f64, most: u32) -> u32 {
    (weight * (1.0 + count as f64).log2()).min(f64::from(most)).round() as u32
}

const fn growth(events: u64, before: u64) -> u32 {
    if before == 0 || events < 4 {
        0
    } else if events >= 2 * before {
        12
    } else if 2 * events >= 3 * before {
        6
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::row::{IssueCount, IssueSample};

    const NOW: i64 = 1_000 * HOUR_MS;

    /// By hours before now: events and sessions.
    fn totals(first_seen_h: i64, handled: bool, hours: &[(i64, u64, u64)]) -> IssueTotals {
        let hours =
            hours.iter().map(|&(ago, events, sessions)| (1_000 - ago, IssueCount { events, sessions }));
        IssueTotals {
            first_seen_ms: NOW - first_seen_h * HOUR_MS,
            first_release: "2.4.1".to_owned(),
            hours: hours.collect(),
            latest: Some(IssueSample { handled, ..IssueSample::default() }),
            ..IssueTotals::default()
        }
    }

    fn ongoing(totals: &IssueTotals) -> Priority {
        of(totals, IssueState::Ongoing, NOW)
    }

    #[test]
    fn a_new_unhandled_error_of_many_comes_first() {
        let priority = ongoing(&totals(2, false, &[(1, 20, 12)]));
        assert_eq!((priority.score, priority.level), (81, PriorityLevel::High));
        assert_eq!(priority.reason, "12 sessions in the last 24 h, new in 2.4.1, unhandled");
    }

    #[test]
    fn each_part_adds_its_points() {
        let plain = ongoing(&totals(500, true, &[(1, 3, 3), (30, 3, 3)]));
        assert_eq!((plain.score, plain.level), (24 + 4, PriorityLevel::Low));
        assert_eq!(plain.reason, "3 sessions in the last 24 h");
        assert_eq!(ongoing(&totals(500, false, &[(1, 3, 3), (30, 3, 3)])).score, 28 + 14);
        let grown = ongoing(&totals(500, true, &[(1, 7, 3), (30, 3, 3)]));
        assert_eq!(
            (grown.score, grown.reason.as_str()),
            (24 + 6 + 12, "3 sessions in the last 24 h, 7 events after 3 the day before")
        );
        assert_eq!(ongoing(&totals(500, true, &[(1, 5, 3), (30, 3, 3)])).score, 24 + 5 + 6);
    }

    #[test]
    fn more_of_anything_never_matters_less() {
        let scores: Vec<_> = (0..200).map(|n| ongoing(&totals(500, false, &[(0, n, n)])).score).collect();
        assert!(scores.is_sorted() && scores.iter().all(|&score| score <= 100));
    }

    #[test]
    fn what_is_over_has_none() {
        let old = ongoing(&totals(500, false, &[(40, 9, 9)]));
        assert_eq!((old.score, old.reason.as_str()), (0, "nothing in the last 24 h"));
        let resolved = of(&totals(2, false, &[(1, 20, 12)]), IssueState::Resolved, NOW);
        assert_eq!((resolved.score, resolved.reason.as_str()), (0, "resolved"));
        let back = of(&totals(500, true, &[(1, 1, 1)]), IssueState::Regressed, NOW);
        assert_eq!(back.reason, "1 session in the last 24 h, back after it was resolved");
    }
}
