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
//! Since an issue was archived, only what came in later hours can pass the forecast; what was before is history.

use super::totals::HOURS;
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
    of_hours(totals, hour - SPAN_HOURS + 1, hour)
}

/// The first hour of these in which the forecast for the three hours that end with it was passed, by what was known then.
#[must_use]
pub fn first_passed(totals: &IssueTotals, first: i64, last: i64) -> Option<(i64, Forecast)> {
    let hours = totals.hours.range(first..=last.max(first)).map(|(&hour, _)| hour);
    let forecasts = hours.map(|hour| (hour, of_hours(totals, hour - SPAN_HOURS + 1, hour)));
    forecasts.into_iter().find(|(_, forecast)| forecast.is_passed())
}

/// The forecast for hours, at most [`SPAN_HOURS`], against what was before them.
fn of_hours(totals: &IssueTotals, first: i64, last: i64) -> Forecast {
    let events =
        |from: i64, to: i64| -> u64 { totals.hours.range(from..=to).map(|(_, count)| count.events).sum() };
    // A span counts when it ends before those that are compared.
    let ends = totals.hours.range(..first).map(|(&hour, _)| hour);
    let busiest_span = ends.map(|end| events(end - SPAN_HOURS + 1, end)).max().unwrap_or_default();
    let busiest_span = busiest_span.max(most_forgotten(totals, last));
    let today = last.div_euclid(DAY_HOURS);
    let busiest_day = totals.days.range(..today).map(|(_, count)| count.events).max().unwrap_or_default();
    Forecast { events: events(first, last), expected: LEAST.max(2 * busiest_span).max(busiest_day / 2) }
}

/// Hours that were kept in the hour `last` may be forgotten, as later ones came. As many events as their day has beyond the hours that
/// are kept may have been within three of them: a past hour is not judged by less than was known then.
fn most_forgotten(totals: &IssueTotals, last: i64) -> u64 {
    let kept = totals.last_seen_ms.div_euclid(HOUR_MS) - HOURS + 1;
    let oldest = last - HOURS + 1;
    if oldest >= kept {
        return 0;
    }
    let days = oldest.div_euclid(DAY_HOURS)..=(kept - 1).div_euclid(DAY_HOURS);
    let forgotten = totals.days.range(days).map(|(&day, count)| {
        let hours = totals.hours.range(day * DAY_HOURS..(day + 1) * DAY_HOURS);
        count.events.saturating_sub(hours.map(|(_, count)| count.events).sum())
    });
    forgotten.max().unwrap_or_default()
}

/// The highest forecast passed in an hour after `since_ms` and up to `now_ms`, as far as hours are kept. What happened up to the hour
/// of `since_ms` is history: it raises the forecast and does not pass it.
#[must_use]
pub fn passed_since(totals: &IssueTotals, since_ms: i64, now_ms: i64) -> Option<Forecast> {
    let (since, now) = (since_ms.div_euclid(HOUR_MS), now_ms.div_euclid(HOUR_MS));
    let hours = totals.hours.keys().copied().filter(|hour| (since + 1..=now).contains(hour));
    let passed = hours
        .map(|hour| of_hours(totals, (hour - SPAN_HOURS + 1).max(since + 1), hour))
        .filter(|forecast| forecast.is_passed());
    passed.max_by_key(|forecast| forecast.events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::IssueCount;

    const NOW: i64 = 1_000 * DAY_HOURS * HOUR_MS + 5 * HOUR_MS;

    fn totals(hours: &[(i64, u64)], days: &[(i64, u64)]) -> IssueTotals {
        let count = |events| IssueCount { events, ..IssueCount::default() };
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

    #[test]
    fn what_was_there_before_is_history() {
        let high = totals(&[(0, 1), (1, 300), (2, 300)], &[]);
        assert!(at(&high, NOW).is_passed());
        assert_eq!(passed_since(&high, NOW - HOUR_MS, NOW), None, "one event is no escalation");
        let higher = totals(&[(0, 1_201), (1, 300), (2, 300)], &[]);
        let passed = passed_since(&higher, NOW - HOUR_MS, NOW).unwrap();
        assert_eq!(passed, Forecast { events: 1_201, expected: 1_200 });
    }

    #[test]
    fn a_past_hour_is_not_judged_by_less_than_was_known_then() {
        let mut daily = IssueTotals::default();
        for hour in (1..80).filter(|hour| hour % DAY_HOURS == 9) {
            let hit = hit_at(NOW + hour * HOUR_MS);
            (0..100).for_each(|_| daily.add(&hit));
        }
        let now_ms = NOW + 79 * HOUR_MS;
        assert!(!daily.hours.contains_key(&(NOW / HOUR_MS + 9)), "the first day's hours are forgotten");
        assert_eq!(passed_since(&daily, NOW + 12 * HOUR_MS, now_ms), None);
        let spike = hit_at(NOW + 60 * HOUR_MS);
        (0..201).for_each(|_| daily.add(&spike));
        assert!(passed_since(&daily, NOW + 12 * HOUR_MS, now_ms).is_some(), "more than twice as many");
    }

    fn hit_at(time_ms: i64) -> crate::issue::totals::Hit {
        crate::issue::totals::Hit {
            time_ms,
            is_new_session: false,
            unseen: 0,
            release: "".into(),
            browser: "".into(),
            system: "".into(),
            country: "".into(),
            environment: "".into(),
            page: String::new(),
            expires_at_ms: time_ms,
        }
    }
}
