//! Conditions about endpoints and pages: what is measured in a window, and whether it is beyond a limit.
//!
//! Windows of up to three hours move by minutes, longer ones by hours; the span under way is the last of a window. Shares and percentiles go up
//! and down within it, so who looks in between may trigger early; what a window had in the end is judged by whoever comes, and triggers once.

mod limit;
mod rehearse;

use std::collections::BTreeMap;

pub(super) use limit::limit;
pub use limit::{Limit, Measure};
pub use rehearse::firings;

use super::judge::{self, LATE_MS, Met, Moment, Verdict};
use crate::performance::sketch::Summed;
use crate::row::AlertState;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The longest window that moves by minutes.
const BY_MINUTES: u32 = 180;
/// How far back windows are judged by whoever was away.
const KEPT_BY_MINUTES_MS: i64 = 3 * HOUR_MS;
const KEPT_BY_HOURS_MS: i64 = 48 * HOUR_MS;
/// Too little is told of a window only when what pages held back for a while has come.
const SETTLE_MS: i64 = MINUTE_MS;

/// What is counted in a span or a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Or page loads.
    pub requests: u64,
    pub failed: u64,
    pub aborted: u64,
    /// Durations of what did not fail, or the page's vital.
    pub values: Summed,
    pub failed_values: Summed,
}

impl Counts {
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.values.merge(&other.values);
        self.failed_values.merge(&other.failed_values);
    }

    const fn answered(&self) -> u64 {
        self.requests.saturating_sub(self.aborted)
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        let mut all = self.values.clone();
        all.merge(&self.failed_values);
        all.quantile(q)
    }

    /// As [`crate::performance`] has it: satisfied count whole, tolerated half, what failed not at all.
    fn apdex(&self, limit_ms: f64) -> Option<f64> {
        let (satisfied, tolerated) = (self.values.up_to(limit_ms), self.values.up_to(4.0 * limit_ms));
        let all = self.values.count() + self.failed;
        (all > 0).then(|| (satisfied + tolerated) as f64 / 2.0 / all as f64)
    }
}

/// Counts by span, by when it began.
#[derive(Debug, Clone, Default)]
pub struct Series {
    pub now: BTreeMap<i64, Counts>,
    /// Those of a week before, by when they began a week later.
    pub before: BTreeMap<i64, Counts>,
}

/// How finely windows move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    pub ms: i64,
    spans: i64,
    kept_ms: i64,
}

impl Grain {
    #[must_use]
    pub const fn of(window_minutes: u32) -> Self {
        let window_ms = window_minutes as i64 * MINUTE_MS;
        let (ms, kept_ms) = if window_minutes <= BY_MINUTES {
            (MINUTE_MS, KEPT_BY_MINUTES_MS)
        } else {
            (HOUR_MS, KEPT_BY_HOURS_MS)
        };
        Self { ms, spans: window_ms / ms, kept_ms }
    }

    #[must_use]
    pub const fn is_by_minutes(self) -> bool {
        self.ms == MINUTE_MS
    }

    const fn length_ms(self) -> i64 {
        self.spans * self.ms
    }
}

/// What was measured in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub counts: Counts,
    /// Of the window, and of that a week before.
    pub value: f64,
    pub before: Option<f64>,
}

/// From when on spans must be read for [`judge`].
#[must_use]
pub fn reads_from_ms(limit: &Limit, moment: Moment) -> i64 {
    let grain = Grain::of(limit.window_minutes);
    let first = (moment.decided_ms - LATE_MS).max(moment.at_ms - grain.kept_ms);
    first.min(moment.at_ms - SETTLE_MS - 2 * grain.ms) - grain.length_ms()
}

/// Judges an endpoint or a page. With the verdict that it is met comes what was measured.
#[must_use]
pub fn judge(
    limit: &Limit,
    series: &Series,
    memory: Option<&AlertState>,
    moment: Moment,
) -> (Verdict, Option<Measured>) {
    let grain = Grain::of(limit.window_minutes);
    if let Some(memory) = memory.filter(|memory| memory.holds) {
        let to_ms = whole_until(limit, grain, moment.at_ms);
        let is_over = to_ms >= memory.mark && !limit.is_held(series, grain, to_ms);
        return (if is_over { Verdict::Over("it is within its limit again") } else { Verdict::Holds }, None);
    }
    let known = memory
        .map_or(0, |memory| memory.changed_ms.max(judge::throttled_until_ms(memory, moment)))
        .max(moment.from_ms)
        .max(moment.decided_ms - LATE_MS)
        .max(moment.at_ms - grain.kept_ms);
    let last_ms = if limit.is_lack() {
        whole_until(limit, grain, moment.at_ms)
    } else {
        // Sessions are spread over the log: those of the parts that are not behind stand for all.
        (moment.until_ms.div_euclid(grain.ms) + 1) * grain.ms
    };
    let first_ms = (known.div_euclid(grain.ms) + 1) * grain.ms;
    let mut ends = (0..).map(|n| first_ms + n * grain.ms).take_while(|to_ms| *to_ms <= last_ms);
    match ends.find_map(|to_ms| Some((to_ms, limit.triggering(series, grain, to_ms)?))) {
        Some((mark, measured)) => {
            let since_ms = mark - grain.length_ms();
            let why = limit.describe(&measured);
            (Verdict::Met(Met { mark, since_ms, why }), Some(measured))
        }
        None => (Verdict::Over("it is within its limit"), None),
    }
}

/// The end of the last window that is whole.
const fn whole_until(limit: &Limit, grain: Grain, at_ms: i64) -> i64 {
    let lag_ms = if limit.is_lack() { SETTLE_MS } else { 0 };
    (at_ms - lag_ms).div_euclid(grain.ms) * grain.ms
}

impl Limit {
    /// That there is too little cannot be told of a window under way.
    const fn is_lack(&self) -> bool {
        self.is_below && matches!(self.measure, Measure::Throughput)
    }

    /// What was measured in the window that ends then, if that triggers.
    fn triggering(&self, series: &Series, grain: Grain, to_ms: i64) -> Option<Measured> {
        let measured = self.measure(series, grain, to_ms)?;
        let amount = self.amount(&measured)?;
        self.is_beyond(amount, self.trigger_at).then_some(measured)
    }

    /// It has not come back to where it is over. Where there is too little to tell anything of, it has.
    fn is_held(&self, series: &Series, grain: Grain, to_ms: i64) -> bool {
        let measured = self.measure(series, grain, to_ms);
        let amount = measured.and_then(|measured| self.amount(&measured));
        amount.is_some_and(|amount| self.is_beyond(amount, self.resolve_at))
    }

    fn is_beyond(&self, amount: f64, limit: f64) -> bool {
        if self.is_below && !self.is_of_last_week { amount <= limit } else { amount >= limit }
    }

    /// What is compared with the limits.
    fn amount(&self, measured: &Measured) -> Option<f64> {
        if !self.is_of_last_week {
            return Some(measured.value);
        }
        let before = measured.before?;
        let change = match self.measure {
            Measure::ErrorShare => measured.value - before,
            Measure::Apdex => 100.0 * (measured.value - before),
            _ if before > 0.0 => 100.0 * (measured.value / before - 1.0),
            _ => return None,
        };
        Some(if self.is_below { -change } else { change })
    }

    fn measure(&self, series: &Series, grain: Grain, to_ms: i64) -> Option<Measured> {
        let sum = |spans: &BTreeMap<i64, Counts>| {
            let mut sum = Counts::default();
            spans.range(to_ms - grain.length_ms()..to_ms).for_each(|(_, counts)| sum.merge(counts));
            sum
        };
        let counts = sum(&series.now);
        let value = self.value(&counts, grain)?;
        let before = if self.is_of_last_week { self.value_before(&sum(&series.before), grain) } else { None };
        Some(Measured { counts, value, before })
    }

    /// What is compared with must itself be enough.
    fn value_before(&self, counts: &Counts, grain: Grain) -> Option<f64> {
        (counts.requests >= self.minimum.max(1)).then(|| self.value(counts, grain)).flatten()
    }

    /// `None`: there is too little to tell anything of.
    fn value(&self, counts: &Counts, grain: Grain) -> Option<f64> {
        let enough = |of: u64| (of >= self.minimum.max(1)).then_some(());
        match self.measure {
            Measure::Throughput => {
                // There may be none at all where there were many.
                let minutes = (grain.length_ms() / MINUTE_MS) as f64;
                Some(counts.requests as f64 / minutes)
            }
            Measure::ErrorShare => {
                enough(counts.answered())?;
                Some(100.0 * counts.failed as f64 / counts.answered() as f64)
            }
            Measure::Apdex => enough(counts.answered()).and_then(|()| counts.apdex(f64::from(self.apdex_ms))),
            Measure::P95 => enough(counts.answered()).and_then(|()| counts.quantile(0.95)),
            Measure::P99 => enough(counts.answered()).and_then(|()| counts.quantile(0.99)),
            Measure::Lcp | Measure::Inp => enough(counts.values.count()).and_then(|()| counts.quantile(0.75)),
            // Of it there are thousandths.
            Measure::Cls => {
                enough(counts.values.count()).and_then(|()| Some(counts.quantile(0.75)? / 1_000.0))
            }
        }
    }

    fn describe(&self, measured: &Measured) -> String {
        let (measure, span) = (self.measure, judge::span(self.window_minutes));
        let value = format!("{} {} within {span}", measure.name(), measure.shown(measured.value));
        let Some(before) = measured.before else {
            return format!("{value}, limit {}", measure.shown(self.trigger_at));
        };
        let unit = if measure.is_in_points() { "points" } else { "%" };
        let way = if self.is_below { "less" } else { "more" };
        format!("{value}, {} a week before, limit {} {unit} {way}", measure.shown(before), self.trigger_at)
    }
}

#[cfg(test)]
mod tests;
