//! Windows of an issue's counts.
//!
//! A window is a number of whole spans that follow each other: of five minutes, or of an hour where it is longer than three hours. It ends with
//! the span under way, so that a window of fifteen minutes has between ten and fifteen minutes in it. What is in it only grows: whether
//! it was passed does not depend on when somebody looks, as long as its spans are kept (three hours, two days before the last event).

use std::collections::BTreeMap;

use crate::issue::totals::{FIVE_MS, FIVES, HOURS};
use crate::row::{IssueCount, IssueTotals};
use crate::session::weight::Sessions;

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// How finely something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    pub ms: i64,
    /// Spans of a window.
    spans: i64,
    /// Spans that are kept.
    kept: i64,
}

impl Grain {
    /// Of a window of so many minutes.
    #[must_use]
    pub const fn of(window_minutes: u32) -> Self {
        let window_ms = window_minutes as i64 * MINUTE_MS;
        let (ms, kept) = if window_ms <= FIVES * FIVE_MS { (FIVE_MS, FIVES) } else { (HOUR_MS, HOURS) };
        Self { ms, spans: window_ms / ms, kept }
    }

    const fn counts(self, totals: &IssueTotals) -> &BTreeMap<i64, IssueCount> {
        if self.ms == FIVE_MS { &totals.fives } else { &totals.hours }
    }

    /// The window that ends with a span.
    #[must_use]
    pub fn window(self, totals: &IssueTotals, last: i64) -> Window {
        let first = last - self.spans + 1;
        let counts = self.counts(totals).range(first..=last).map(|(_, count)| count);
        let sum = counts.fold(IssueCount::default(), |sum, &count| sum.plus(count));
        Window {
            from_ms: first * self.ms,
            to_ms: (last + 1) * self.ms,
            events: sum.events,
            sessions: sum.reached(),
        }
    }

    /// The windows that end after `after_ms` with a span in which something happened and which had begun by `until_ms`, the earliest first.
    /// Others have no more in them than one of these.
    #[must_use]
    pub fn windows(self, totals: &IssueTotals, after_ms: i64, until_ms: i64) -> Vec<Window> {
        let (first, last) = (after_ms.div_euclid(self.ms), until_ms.div_euclid(self.ms));
        if first > last {
            return Vec::new();
        }
        self.counts(totals).range(first..=last).map(|(&span, _)| self.window(totals, span)).collect()
    }

    /// The last window that is whole at that time.
    #[must_use]
    pub fn whole(self, totals: &IssueTotals, at_ms: i64) -> Window {
        self.window(totals, at_ms.div_euclid(self.ms) - 1)
    }

    /// From when on spans are kept.
    #[must_use]
    pub const fn kept_from_ms(self, totals: &IssueTotals) -> i64 {
        (totals.last_seen_ms.div_euclid(self.ms) - self.kept + 1) * self.ms
    }
}

/// What happened in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from_ms: i64,
    pub to_ms: i64,
    pub events: u64,
    /// Sessions that had the issue first in it.
    pub sessions: Sessions,
}
