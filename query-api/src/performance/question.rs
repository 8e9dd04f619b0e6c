//! What is asked: a window, filters, an order.

use playhead_domain::performance::filter::Filter;
use playhead_domain::performance::key::{Kind, Level};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
pub(crate) const WEEK_MS: i64 = 7 * DAY_MS;
/// The longest windows that are read by minutes and by hours.
const BY_MINUTES_MS: i64 = 3 * HOUR_MS;
const BY_HOURS_MS: i64 = 8 * DAY_MS;
const MAX_WINDOW_MS: i64 = 92 * DAY_MS;
const DEFAULT_APDEX_MS: u32 = 500;
const MAX_FILTER_BYTES: usize = 512;

/// Which requests or pages, and in which order.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PerformanceParams {
    /// Milliseconds of the Unix epoch; 24 hours before `to` unless given. At most 92 days before it. Up to three hours are read by
    /// minutes (of the last nine days), up to eight days by hours (of the last 35), more by days (of UTC).
    pub(crate) from_ms: Option<i64>,
    /// Now unless given.
    pub(crate) to_ms: Option<i64>,
    pub(crate) release: Option<String>,
    pub(crate) environment: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub(crate) country: Option<String>,
    /// A part of the name, in any case.
    pub(crate) query: Option<String>,
    /// Of endpoints `requests` (unless given), `failures`, `failure_share`, `p95`, `time` (requests times mean) or `apdex` (the lowest first); of
    /// pages `loads` (unless given), `LCP`, `INP` or `CLS`.
    pub(crate) sort: Option<String>,
    /// Requests up to that long satisfy; 500 unless given.
    pub(crate) apdex_ms: Option<u32>,
    /// 1 to 200, 50 unless given.
    pub(crate) limit: Option<usize>,
}

/// A window with filters.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) span_minutes: i64,
    pub(crate) filter: Filter,
    pub(crate) apdex_ms: f64,
}

impl Question {
    pub(crate) fn of(params: &PerformanceParams, now_ms: i64) -> Result<Self, ApiError> {
        let to_ms = params.to_ms.unwrap_or(now_ms);
        let from_ms = params.from_ms.unwrap_or(to_ms - DAY_MS);
        let length = to_ms.checked_sub(from_ms).unwrap_or_default();
        if !(0..=now_ms + 366 * DAY_MS).contains(&to_ms) || from_ms < 0 {
            return Err(ApiError::bad("to_ms", "must be a time, milliseconds of the Unix epoch"));
        }
        if !(1..=MAX_WINDOW_MS).contains(&length) {
            return Err(ApiError::bad("from_ms", "must be before to_ms, by 92 days at most"));
        }
        let filters = [
            ("release", &params.release),
            ("environment", &params.environment),
            ("country", &params.country),
        ];
        for (name, value) in filters {
            if value.as_ref().is_some_and(|value| value.len() > MAX_FILTER_BYTES) {
                return Err(ApiError::bad(name, format!("must have at most {MAX_FILTER_BYTES} bytes")));
            }
        }
        let span_minutes = if length <= BY_MINUTES_MS {
            1
        } else if length <= BY_HOURS_MS {
            60
        } else {
            1_440
        };
        let span_ms = span_minutes * MINUTE_MS;
        Ok(Self {
            from_ms: from_ms.div_euclid(span_ms) * span_ms,
            to_ms: (to_ms + span_ms - 1).div_euclid(span_ms) * span_ms,
            span_minutes,
            filter: Filter {
                release: params.release.clone(),
                environment: params.environment.clone(),
                country: params.country.as_ref().map(|country| country.to_uppercase()),
            },
            apdex_ms: f64::from(params.apdex_ms.unwrap_or(DEFAULT_APDEX_MS).max(1)),
        })
    }

    /// Of whole spans of a minute, or an hour.
    pub(crate) fn of_spans((from_ms, to_ms): (i64, i64), by_minutes: bool) -> Self {
        let span_minutes = if by_minutes { 1 } else { 60 };
        let span_ms = span_minutes * MINUTE_MS;
        Self {
            from_ms: from_ms.div_euclid(span_ms) * span_ms,
            to_ms: (to_ms + span_ms - 1).div_euclid(span_ms) * span_ms,
            span_minutes,
            filter: Filter::default(),
            apdex_ms: f64::from(DEFAULT_APDEX_MS),
        }
    }

    pub(crate) const fn level(&self, kind: Kind) -> Level {
        match self.span_minutes {
            1 => Level::Segment,
            60 => Level::Hour(kind),
            _ => Level::Day(kind),
        }
    }

    /// Spans of the window, as minutes since 1970.
    pub(crate) fn minutes(&self) -> std::ops::Range<i64> {
        self.from_ms.div_euclid(MINUTE_MS)..self.to_ms.div_euclid(MINUTE_MS)
    }

    /// The hours of the log in which what happened in the window may have come. By minutes, what came more than an hour late is left out.
    pub(crate) fn hours(&self, now_ms: i64) -> std::ops::RangeInclusive<i64> {
        let late = if self.span_minutes == 1 { 1 } else { 49 };
        // A browser's clock may be a minute ahead.
        let first = (self.from_ms - MINUTE_MS).div_euclid(HOUR_MS);
        let last = (self.to_ms - 1).div_euclid(HOUR_MS) + late;
        first..=last.min(now_ms.div_euclid(HOUR_MS) + 1)
    }

    /// How much earlier the window is that changes are against: a week, or more weeks if that would overlap.
    pub(crate) fn compared_ms(&self) -> i64 {
        // Rounding makes a window of a week by hours an hour longer.
        ((self.to_ms - self.from_ms - HOUR_MS - 1).div_euclid(WEEK_MS) + 1).max(1) * WEEK_MS
    }

    pub(crate) fn earlier(&self) -> Self {
        let by = self.compared_ms();
        Self { from_ms: self.from_ms - by, to_ms: self.to_ms - by, ..self.clone() }
    }
}
