//! A rule: when it triggers, and within which bounds it may be written.

use super::hours::Hours;
use super::performance::{self, Limit};
use crate::row::{AlertCondition, AlertLimit, AlertRule};

/// Rules of a project, and channels of a rule.
pub const MAX_RULES: usize = 50;
pub const MAX_CHANNELS: usize = 10;
const MAX_NAME_CHARACTERS: usize = 100;
const MAX_FILTER_BYTES: usize = 500;
const MAX_THROTTLE_MINUTES: u32 = 7 * 24 * 60;
const ESCALATION_MINUTES: std::ops::RangeInclusive<u32> = 5..=1_440;
/// Windows of up to three hours are made of spans of five minutes, longer ones of hours.
pub const WINDOWS: [u32; 9] = [5, 10, 15, 30, 60, 180, 360, 720, 1_440];
const SILENT_MINUTES: std::ops::RangeInclusive<u32> = 5..=10_080;
const MOST: f64 = 1e9;

/// When a rule triggers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Condition {
    /// An issue was seen for the first time, within a day of that.
    NewIssue,
    /// It happened again where it was resolved.
    Regressed,
    /// More events than the forecast: [`crate::issue::forecast`].
    Escalating,
    Seen(Seen),
    /// The project received nothing for so many minutes.
    Silent {
        minutes: u32,
    },
    /// What is measured of an endpoint or a page is beyond a limit.
    Performance(Limit),
}

/// An issue was seen so much within a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub measure: Measure,
    pub at_least: f64,
    pub resolve_below: f64,
    pub window_minutes: u32,
    pub minimum_sessions: u64,
}

/// What of an issue is counted in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Events,
    /// Sessions that had it first in the window.
    Sessions,
    /// The lesser of these sessions and of all users that the issue has: exact for what began in the window, else at most so many.
    Users,
    /// Per cent: these sessions, of the sessions that began in the window.
    Share,
}

impl Measure {
    const ALL: [(&'static str, Self); 4] = [
        ("events", Self::Events),
        ("sessions", Self::Sessions),
        ("users", Self::Users),
        ("share", Self::Share),
    ];
}

/// Why a rule cannot be taken: the member to blame, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Fault {
    pub field: &'static str,
    pub detail: String,
}

pub(super) fn fault(field: &'static str, detail: impl Into<String>) -> Fault {
    Fault { field, detail: detail.into() }
}

impl Condition {
    /// # Errors
    /// [`Fault`] for what is not known or out of bounds.
    pub fn of(row: &AlertCondition) -> Result<Self, Fault> {
        Ok(match row.kind.as_str() {
            "new_issue" => Self::NewIssue,
            "regressed" => Self::Regressed,
            "escalating" => Self::Escalating,
            "seen" => Self::Seen(seen(row)?),
            "silent" if SILENT_MINUTES.contains(&row.window_minutes) => {
                Self::Silent { minutes: row.window_minutes }
            }
            "silent" => return Err(fault("condition", "window_minutes of silence must be 5 to 10080")),
            "endpoint" | "page" => Self::Performance(performance::limit(row)?),
            _ => {
                return Err(fault(
                    "condition",
                    "kind must be new_issue, regressed, escalating, seen, silent, endpoint or page",
                ));
            }
        })
    }

    /// It is judged for each issue, and not for the project as a whole.
    #[must_use]
    pub const fn is_of_issues(self) -> bool {
        !matches!(self, Self::Silent { .. } | Self::Performance(_))
    }
}

fn seen(row: &AlertCondition) -> Result<Seen, Fault> {
    let measure = Measure::ALL.iter().find(|(name, _)| *name == row.measure);
    let Some(&(_, measure)) = measure else {
        return Err(fault("condition", "measure must be events, sessions, users or share"));
    };
    let (least, most) = if measure == Measure::Share { (0.01, 100.0) } else { (1.0, MOST) };
    if !(least..=most).contains(&row.at_least) {
        return Err(fault("condition", format!("at_least must be {least} to {most}")));
    }
    // Zero: it was left out.
    let resolve_below = if row.resolve_below == 0.0 { row.at_least } else { row.resolve_below };
    if !(0.0..=row.at_least).contains(&resolve_below) {
        return Err(fault("condition", "resolve_below must not be above at_least"));
    }
    if !WINDOWS.contains(&row.window_minutes) {
        return Err(fault("condition", format!("window_minutes must be one of {WINDOWS:?}")));
    }
    let (window_minutes, minimum_sessions) = (row.window_minutes, row.minimum_sessions);
    Ok(Seen { measure, at_least: row.at_least, resolve_below, window_minutes, minimum_sessions })
}

/// # Errors
/// [`Fault`] that names the member. Whether the filter can be read is not looked at.
pub fn check(rule: &AlertRule) -> Result<Condition, Fault> {
    let characters = rule.name.chars().count();
    if characters == 0 || characters > MAX_NAME_CHARACTERS || rule.name.chars().any(char::is_control) {
        return Err(fault("name", format!("must be 1 to {MAX_NAME_CHARACTERS} printable characters")));
    }
    if rule.filter.len() > MAX_FILTER_BYTES {
        return Err(fault("filter", format!("longer than {MAX_FILTER_BYTES} bytes")));
    }
    if rule.throttle_minutes > MAX_THROTTLE_MINUTES {
        return Err(fault("throttle_minutes", format!("must be 0 to {MAX_THROTTLE_MINUTES}")));
    }
    if rule.channels.len() > MAX_CHANNELS {
        return Err(fault("channels", format!("at most {MAX_CHANNELS}")));
    }
    rule.hours.as_ref().map(Hours::of).transpose()?;
    check_escalation(rule)?;
    let condition = Condition::of(rule.condition.as_ref().unwrap_or(&AlertCondition::default()))?;
    let is_filtered = !rule.filter.is_empty() || !rule.priority.is_empty();
    if is_filtered && !condition.is_of_issues() {
        return Err(fault("filter", "only issues have a filter and a priority"));
    }
    Ok(condition)
}

fn check_escalation(rule: &AlertRule) -> Result<(), Fault> {
    match (rule.escalate_minutes, rule.escalation_channels.len()) {
        (0, 0) => Ok(()),
        (minutes, 1..=MAX_CHANNELS) if ESCALATION_MINUTES.contains(&minutes) => Ok(()),
        _ => {
            let detail =
                format!("after_minutes must be 5 to 1440, and channels must name 1 to {MAX_CHANNELS}");
            Err(fault("escalation", detail))
        }
    }
}

/// Whether the rule has anybody to tell.
#[must_use]
pub const fn tells(rule: &AlertRule) -> bool {
    !rule.channels.is_empty() || !rule.escalation_channels.is_empty()
}

/// What a project has unless people decide otherwise, each with its id.
#[must_use]
pub fn defaults(now_ms: i64) -> [(u64, AlertRule); 4] {
    let rule = |name: &str, condition: AlertCondition, priority: &str| AlertRule {
        version: 1,
        asked_version: 1,
        name: name.to_owned(),
        condition: Some(condition),
        priority: priority.to_owned(),
        throttle_minutes: 60,
        from_ms: now_ms,
        created_ms: now_ms,
        changed_ms: now_ms,
        ..AlertRule::default()
    };
    let of_kind = |kind: &str| AlertCondition { kind: kind.to_owned(), ..AlertCondition::default() };
    let failing = AlertLimit {
        measure: "error_share".to_owned(),
        trigger_at: 10.0,
        resolve_at: 5.0,
        minimum: 100,
        ..AlertLimit::default()
    };
    let failing = AlertCondition { window_minutes: 10, limit: Some(failing), ..of_kind("endpoint") };
    [
        (1, rule("New issue of high priority", of_kind("new_issue"), "high")),
        (2, rule("Regressed issue", of_kind("regressed"), "")),
        (3, rule("Escalating issue", of_kind("escalating"), "")),
        (4, rule("Many failed requests", failing, "")),
    ]
}
