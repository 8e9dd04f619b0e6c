//! Whether an issue happens more often than its own history lets one expect.
//!
//! | | events within three hours |
//! |---|---|
//! | at least | 10 |
//! | of the last two days | twice the busiest three hours before these |
//! | of the last five weeks | half of the busiest day before today |
//!
//! The forecast is the highest of them: a day of 48 events has six in three hours when they are spread evenly, and may have four times as
//! many when they are not. What is above the forecast escalates. The hour under way is one of the three.

use crate::row::IssueTotals;

/// Hours that are compared with the history.
pub const SPAN_HOURS: i64 = 3;
const LEAST: u64 = 10;
const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;

/// What happened within [`SPAN_HOURS`], and how much may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    pub events: u64,
    pub expected: u64,
}

impl Forecast {
    #[must_use]
    pub const fn is_passed(self) -> bool {
        self.events > self.expected
    }

    /// In one line.
    #[must_use]
    pub fn describe(self) -> String {
        format!("{} events in {SPAN_HOURS} hours, forecast {}", self.events, self.expected)
    }
}

/// The forecast for the hours that end with the one of `now_ms`.
#[must_use]
pub fn at(totals: &IssueTotals, now_ms: i64) -> Forecast {
    let hour = now_ms.div_euclid(HOUR_MS);
    let first = hour - SPAN_HOURS + 1;
    let span = |from: i64| -> u64 {
        totals.hours.range(from..from + SPAN_HOURS).map(|(_, count)| count.events).sum()
    };
    // A span counts when it ends before those that are compared.
    let ends = totals.hours.range(..first).map(|(&hour, _)| hour);
    let busiest_span = ends.map(|end| span(end - SPAN_HOURS + 1)).max().unwrap_or_default();
    let today = hour.div_euclid(DAY_HOURS);
    let busiest_day = totals.days.range(..today).map(|(_, count)| count.events).max().unwrap_or_default();
    Forecast { events: span(first), expected: LEAST.max(2 * busiest_span).max(busiest_day / 2) }
}

/// The highest forecast passed in an hour after `since_ms` and up to `now_ms`, as far as hours are kept.
#[must_use]
pub fn passed_since(totals: &IssueTotals, since_ms: i64, now_ms: i64) -> Option<Forecast> {
    let (since, now) = (since_ms.div_euclid(HOUR_MS), now_ms.div_euclid(HOUR_MS));
    let hours = totals.hours.keys().copied().filter(|hour| (since + 1..=now).contains(hour));
    let passed = hours.map(|hour| at(totals, hour * HOUR_MS)).filter(|forecast| forecast.is_passed());
    passed.max_by_key(|forecast| forecast.events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::IssueCount;

    const NOW: i64 = 1_000 * DAY_HOURS * HOUR_MS + 5 * HOUR_MS;

    fn totals(hours: &[(i64, u64)], days: &[(i64, u64)]) -> IssueTotals {
        let count = |events| IssueCount { events, sessions: 0 };
        let hour = NOW / HOUR_MS;
        IssueTotals {
            hours: hours.iter().map(|&(ago, events)| (hour - ago, count(events))).collect(),
            days: days.iter().map(|&(ago, events)| (1_000 - ago, count(events))).collect(),
            ..IssueTotals::default()
        }
    }

    fn forecast(hours: &[(i64, u64)], days: &[(i64, u64)]) -> (u64, u64) {
        let Forecast { events, expected } = at(&totals(hours, days), NOW);
        (events, expected)
    }

    #[test]
    fn few_events_never_escalate() {
        assert_eq!(forecast(&[], &[]), (0, 10));
        assert!(!at(&totals(&[(0, 10)], &[]), NOW).is_passed());
        assert!(at(&totals(&[(0, 4), (2, 7)], &[]), NOW).is_passed());
        assert_eq!(forecast(&[(3, 9)], &[]), (0, 18), "it is over");
    }

    #[test]
    fn the_busiest_hours_and_days_before_say_how_much_may_be() {
        assert_eq!(forecast(&[(0, 50), (30, 8), (29, 8), (28, 8)], &[]), (50, 48));
        assert_eq!(forecast(&[(0, 50)], &[(0, 900), (7, 300), (20, 40)]), (50, 150));
        assert_eq!(forecast(&[(1, 200), (3, 5)], &[(1, 48)]), (200, 24));
    }

    #[test]
    fn a_spike_that_is_over_is_still_found() {
        let spike = totals(&[(20, 90), (40, 3)], &[]);
        assert!(!at(&spike, NOW).is_passed());
        let since = |hours_ago: i64| passed_since(&spike, NOW - hours_ago * HOUR_MS, NOW);
        assert_eq!(since(30).map(Forecast::describe).unwrap(), "90 events in 3 hours, forecast 10");
        assert_eq!(since(20), None, "it was before");
    }
}
