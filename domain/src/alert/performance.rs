//! Conditions about endpoints and pages: what is measured in a window, and whether it is beyond a limit.
//!
//! Windows of up to three hours move by minutes, longer ones by hours; the span under way is the last of a window. Shares and percentiles go up
//! and down within it, so who looks in between may trigger early; what a window had in the end is judged by whoever comes, and triggers once.

mod rehearse;

use std::collections::BTreeMap;

pub use rehearse::firings;

use super::judge::{self, LATE_MS, Met, Moment, Verdict};
use super::rule::{self, Fault, WINDOWS};
use crate::performance::observation;
use crate::performance::sketch::Summed;
use crate::row::{AlertCondition, AlertLimit, AlertState};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The longest window that moves by minutes.
const BY_MINUTES: u32 = 180;
/// How far back windows are judged by whoever was away.
const KEPT_BY_MINUTES_MS: i64 = 3 * HOUR_MS;
const KEPT_BY_HOURS_MS: i64 = 48 * HOUR_MS;
/// Too little is told of a window only when what pages held back for a while has come.
const SETTLE_MS: i64 = MINUTE_MS;
const MAX_NAME_BYTES: usize = 600;
const DEFAULT_APDEX_MS: u32 = 500;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Per cent of the requests that were answered or failed.
    ErrorShare,
    P95,
    P99,
    /// Requests per minute.
    Throughput,
    /// 0 to 1.
    Apdex,
    /// The p75 of a page's vital.
    Lcp,
    Inp,
    Cls,
}

impl Measure {
    const ALL: [(&'static str, Self); 8] = [
        ("error_share", Self::ErrorShare),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("throughput", Self::Throughput),
        ("apdex", Self::Apdex),
        ("lcp", Self::Lcp),
        ("inp", Self::Inp),
        ("cls", Self::Cls),
    ];

    /// The kind of value that has to be summed of a page.
    #[must_use]
    pub const fn vital(self) -> Option<observation::Measure> {
        match self {
            Self::Lcp => Some(observation::Measure::Lcp),
            Self::Inp => Some(observation::Measure::Inp),
            Self::Cls => Some(observation::Measure::Cls),
            _ => None,
        }
    }

    /// Against last week it is a difference of points, not a ratio: of a share that was zero no ratio is known.
    const fn is_in_points(self) -> bool {
        matches!(self, Self::ErrorShare | Self::Apdex)
    }

    /// What is wrong, in words that `of …` follows.
    #[must_use]
    pub const fn title(self, is_below: bool) -> &'static str {
        match self {
            Self::ErrorShare => "High error share",
            Self::P95 => "Slow p95",
            Self::P99 => "Slow p99",
            Self::Throughput if is_below => "Low throughput",
            Self::Throughput => "High throughput",
            Self::Apdex => "Low Apdex",
            Self::Lcp => "Slow LCP",
            Self::Inp => "Slow INP",
            Self::Cls => "High CLS",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ErrorShare => "error share",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Throughput => "throughput",
            Self::Apdex => "Apdex",
            Self::Lcp => "p75 of LCP",
            Self::Inp => "p75 of INP",
            Self::Cls => "p75 of CLS",
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Self::ErrorShare => format!("{value:.1} %"),
            Self::P95 | Self::P99 | Self::Lcp | Self::Inp => format!("{value:.0} ms"),
            Self::Throughput if value >= 10.0 => format!("{value:.0} requests a minute"),
            Self::Throughput => format!("{value:.1} requests a minute"),
            Self::Apdex => format!("{value:.2}"),
            Self::Cls => format!("{value:.3}"),
        }
    }
}

/// From where on a measure triggers, and where that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub measure: Measure,
    /// It triggers when there is less.
    pub is_below: bool,
    /// Limits are changes against the same window a week before.
    pub is_of_last_week: bool,
    pub trigger_at: f64,
    pub resolve_at: f64,
    pub window_minutes: u32,
    pub minimum: u64,
    pub apdex_ms: u32,
}

/// Reads a limit as it is stored.
pub(super) fn limit(row: &AlertCondition) -> Result<Limit, Fault> {
    let fault = |detail: String| rule::fault("condition", detail);
    let Some(given) = &row.limit else { return Err(fault("limit must say what is measured".to_owned())) };
    let measure = Measure::ALL.iter().find(|(name, _)| *name == given.measure).map(|(_, measure)| *measure);
    let measure = measure.filter(|measure| measure.vital().is_some() == (row.kind == "page"));
    let Some(measure) = measure else {
        return Err(fault(
            "measure must be error_share, p95, p99, throughput or apdex of an endpoint, lcp, inp or cls of a page".to_owned(),
        ));
    };
    if given.below && measure != Measure::Throughput {
        return Err(fault("only of throughput there can be too little".to_owned()));
    }
    if !WINDOWS.contains(&row.window_minutes) {
        return Err(fault(format!("window_minutes must be one of {WINDOWS:?}")));
    }
    if [&given.name, &given.environment, &given.release].iter().any(|text| text.len() > MAX_NAME_BYTES) {
        return Err(fault(format!("name, environment and release have at most {MAX_NAME_BYTES} bytes")));
    }
    let is_below = given.below || measure == Measure::Apdex;
    let (least, most) = bounds(measure, is_below, given.last_week);
    if !(least..=most).contains(&given.trigger_at) {
        return Err(fault(format!("trigger_at must be {least} to {most}")));
    }
    // A change is told by its size, whichever way it goes.
    let is_lower = !is_below || given.last_week;
    let fits = if is_lower {
        given.resolve_at > 0.0 && given.resolve_at <= given.trigger_at
    } else {
        given.resolve_at >= given.trigger_at
            && given.resolve_at < if measure == Measure::Apdex { 1.0 } else { most }
    };
    if !fits {
        let range = if is_lower {
            "over 0 and not above trigger_at"
        } else {
            "not below trigger_at, and within reach"
        };
        return Err(fault(format!("resolve_at must be {range}")));
    }
    let AlertLimit { trigger_at, resolve_at, minimum, .. } = *given;
    let apdex_ms = if given.apdex_ms == 0 { DEFAULT_APDEX_MS } else { given.apdex_ms };
    let (window_minutes, is_of_last_week) = (row.window_minutes, given.last_week);
    Ok(Limit {
        measure,
        is_below,
        is_of_last_week,
        trigger_at,
        resolve_at,
        window_minutes,
        minimum,
        apdex_ms,
    })
}

const fn bounds(measure: Measure, is_below: bool, is_of_last_week: bool) -> (f64, f64) {
    if is_of_last_week {
        // Of all there was, not more than all can be missing.
        return if is_below || measure.is_in_points() { (0.1, 100.0) } else { (1.0, 100_000.0) };
    }
    match measure {
        Measure::ErrorShare => (0.01, 100.0),
        Measure::Apdex => (0.0, 0.99),
        Measure::Cls => (0.001, 100.0),
        Measure::Throughput => (0.0, 1e9),
        Measure::P95 | Measure::P99 | Measure::Lcp | Measure::Inp => (1.0, 3_600_000.0),
    }
}

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
        (moment.at_ms.div_euclid(grain.ms) + 1) * grain.ms
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
