//! What a rule about an endpoint or a page measures, and from where on.

use super::super::rule::{self, Fault, WINDOWS};
use crate::performance::observation;
use crate::row::{AlertCondition, AlertLimit};

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
    pub(super) const fn is_in_points(self) -> bool {
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

    pub(super) const fn name(self) -> &'static str {
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

    pub(super) fn shown(self, value: f64) -> String {
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
pub(in crate::alert) fn limit(row: &AlertCondition) -> Result<Limit, Fault> {
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
