//! What a rule would have done, by what is still counted: the windows of [`super::window`] as far as their spans are kept; before that only
//! whether a whole hour or day had enough for it, which is then not certain.

use super::judge::{self, Issue, Reach, Standing};
use super::rule::{Condition, Measure, Seen};
use super::window::{Grain, Window};
use crate::issue::forecast;
use crate::row::{IssueCount, IssueTotals};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What a rule would have fired for an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The begin of the span in which it would have triggered.
    pub from_ms: i64,
    /// When it would have been over; `None`: it goes on, or nobody knows.
    pub to_ms: Option<i64>,
    pub why: String,
    /// How exactly its times are known.
    pub grain_ms: i64,
    /// The counts that are left decide it. If not, it may have triggered.
    pub is_certain: bool,
}

/// The span of time that is looked at, and within how long an issue triggers once.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    pub from_ms: i64,
    pub at_ms: i64,
    pub throttle_ms: i64,
}

/// Windows for which [`Reach::traffic`] must be known.
#[must_use]
pub fn windows_asked(condition: Condition, issue: &Issue<'_>, past: Past) -> Vec<Window> {
    let Condition::Seen(seen) = condition else { return Vec::new() };
    if seen.measure != Measure::Share || !issue.matches {
        return Vec::new();
    }
    let grain = Grain::of(seen.window_minutes);
    let mut windows = grain.windows(issue.totals, past.from_ms, past.at_ms);
    windows.retain(|window| window.sessions.seen > 0);
    windows
}

/// Firings of an issue, the oldest first. What people decided in the past is not known: the issue is taken as it is now.
#[must_use]
pub fn firings(condition: Condition, issue: &Issue<'_>, past: Past, reach: &Reach) -> Vec<Firing> {
    if !issue.matches {
        return Vec::new();
    }
    let mut found = match condition {
        Condition::NewIssue => new_issue(issue.totals, past),
        Condition::Regressed => regressed(issue),
        Condition::Escalating => escalating(issue.totals, past),
        Condition::Seen(seen) => before(&seen, issue.totals, past)
            .into_iter()
            .chain(passed(&seen, issue.totals, past, reach))
            .collect(),
        Condition::Silent { .. } | Condition::Performance(_) => Vec::new(),
    };
    found.retain(|firing| (past.from_ms..=past.at_ms).contains(&firing.from_ms));
    throttled(found, past.throttle_ms)
}

fn throttled(found: Vec<Firing>, throttle_ms: i64) -> Vec<Firing> {
    let mut kept: Vec<Firing> = Vec::new();
    for firing in found {
        if kept.last().is_none_or(|last| firing.from_ms - last.from_ms >= throttle_ms) {
            kept.push(firing);
        }
    }
    kept
}

fn new_issue(totals: &IssueTotals, past: Past) -> Vec<Firing> {
    let over_ms = totals.last_seen_ms + DAY_MS;
    vec![Firing {
        from_ms: totals.first_seen_ms,
        to_ms: (over_ms <= past.at_ms).then_some(over_ms),
        why: "an issue was seen for the first time".to_owned(),
        grain_ms: 1,
        is_certain: true,
    }]
}

/// The regression that is there now.
fn regressed(issue: &Issue<'_>) -> Vec<Firing> {
    if issue.standing != Standing::Regressed {
        return Vec::new();
    }
    let first = |counts: &std::collections::BTreeMap<i64, IssueCount>, grain_ms: i64| {
        let mut spans = counts.range(issue.decided_ms.div_euclid(grain_ms)..);
        spans.next().map(|(&span, _)| (span * grain_ms, grain_ms))
    };
    let by_day = first(&issue.totals.days, DAY_MS);
    let by_hour = first(&issue.totals.hours, HOUR_MS);
    // The hours of that day are still kept, or only the day is known.
    let place = match (by_hour, by_day) {
        (Some((hour, grain)), Some((day, _))) if hour < day + DAY_MS => Some((hour, grain)),
        (hour, day) => day.or(hour),
    };
    let firing = |(from_ms, grain_ms): (i64, i64)| Firing {
        from_ms: from_ms.max(issue.decided_ms),
        to_ms: None,
        why: "it happened again after it was resolved".to_owned(),
        grain_ms,
        is_certain: true,
    };
    place.map(firing).into_iter().collect()
}

fn escalating(totals: &IssueTotals, past: Past) -> Vec<Firing> {
    let kept_ms = Grain::of(24 * 60).kept_from_ms(totals);
    let first = past.from_ms.max(totals.first_seen_ms + DAY_MS).max(kept_ms).div_euclid(HOUR_MS);
    let mut found: Vec<Firing> = Vec::new();
    let mut is_open = false;
    for hour in first..=past.at_ms.div_euclid(HOUR_MS) {
        let forecast = forecast::at(totals, hour * HOUR_MS);
        match (is_open, forecast.is_passed()) {
            (false, true) => found.push(Firing {
                from_ms: hour * HOUR_MS,
                to_ms: None,
                why: forecast.describe(),
                grain_ms: HOUR_MS,
                is_certain: true,
            }),
            (true, false) => close(&mut found, hour * HOUR_MS),
            _ => {}
        }
        is_open = forecast.is_passed();
    }
    found
}

fn close(found: &mut [Firing], at_ms: i64) {
    if let Some(last) = found.last_mut() {
        last.to_ms = Some(at_ms);
    }
}

/// As the evaluator would have judged it span by span.
fn passed(seen: &Seen, totals: &IssueTotals, past: Past, reach: &Reach) -> Vec<Firing> {
    let grain = Grain::of(seen.window_minutes);
    let first = past.from_ms.max(grain.kept_from_ms(totals)).div_euclid(grain.ms);
    let (mut found, mut is_open): (Vec<Firing>, bool) = (Vec::new(), false);
    for span in first..=past.at_ms.div_euclid(grain.ms) {
        if is_open && !judge::is_above(seen, &grain.window(totals, span - 1), reach) {
            close(&mut found, span * grain.ms);
            is_open = false;
        }
        let is_throttled = found.last().is_some_and(|last| span * grain.ms - last.from_ms < past.throttle_ms);
        let passing = judge::passing(seen, &grain.window(totals, span), reach);
        let Some(value) = passing.filter(|_| !is_open && !is_throttled) else { continue };
        is_open = true;
        found.push(Firing {
            from_ms: span * grain.ms,
            to_ms: None,
            why: judge::describe(seen, value),
            grain_ms: grain.ms,
            is_certain: true,
        });
    }
    found
}

/// Before spans are kept that fine: an hour or day with enough in it, and where it was not the span before too.
fn before(seen: &Seen, totals: &IssueTotals, past: Past) -> Vec<Firing> {
    if seen.measure == Measure::Share {
        return Vec::new();
    }
    let fine_ms = Grain::of(seen.window_minutes).kept_from_ms(totals);
    let hours_ms = Grain::of(24 * 60).kept_from_ms(totals);
    let is_by_hours = Grain::of(seen.window_minutes).ms < HOUR_MS;
    let mut found = coarse(seen, &totals.days, DAY_MS, (past.from_ms, hours_ms.min(fine_ms)));
    if is_by_hours {
        found.extend(coarse(seen, &totals.hours, HOUR_MS, (past.from_ms.max(hours_ms), fine_ms)));
    }
    found
}

fn coarse(
    seen: &Seen,
    counts: &std::collections::BTreeMap<i64, IssueCount>,
    grain_ms: i64,
    (from_ms, to_ms): (i64, i64),
) -> Vec<Firing> {
    let value = |count: &IssueCount| {
        if seen.measure == Measure::Events { count.events as f64 } else { count.sessions as f64 }
    };
    let has_enough = |span: i64| counts.get(&span).is_some_and(|count| value(count) >= seen.at_least);
    let spans =
        counts.iter().filter(|&(&span, _)| span * grain_ms >= from_ms && (span + 1) * grain_ms <= to_ms);
    let begins = spans.filter(|&(&span, _)| has_enough(span) && !has_enough(span - 1));
    let firing = |(&span, count): (&i64, &IssueCount)| Firing {
        from_ms: span * grain_ms,
        to_ms: None,
        why: judge::describe(seen, value(count)),
        grain_ms,
        is_certain: false,
    };
    begins.map(firing).collect()
}
