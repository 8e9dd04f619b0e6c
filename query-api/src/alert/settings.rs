//! Between rules as people write them and as they are stored.

use playhead_domain::alert::key::RuleId;
use playhead_domain::row;

use super::gather::Asked;
use crate::error::ApiError;
use crate::model::alert::{
    AlertCondition, AlertDay, AlertEscalation, AlertHours, AlertKind, AlertLimit, AlertMeasure,
    AlertPriority, AlertRule, AlertRuleDraft, AlertSettings, AlertSpan, LimitMeasure,
};
use crate::session::present::known;

const DEFAULT_THROTTLE_MINUTES: u32 = 60;
const DEFAULT_MINIMUM_SESSIONS: u64 = 20;
const DEFAULT_MINIMUM: u64 = 20;
const DEFAULT_MESSAGES_PER_HOUR: u32 = 60;
const MAX_MESSAGES_PER_HOUR: u32 = 1_000;
const MAX_MAINTENANCE: usize = 50;
const MAX_CHANNEL_BYTES: usize = 64;

const KINDS: [(AlertKind, &str); 7] = [
    (AlertKind::NewIssue, "new_issue"),
    (AlertKind::Regressed, "regressed"),
    (AlertKind::Escalating, "escalating"),
    (AlertKind::Seen, "seen"),
    (AlertKind::Silent, "silent"),
    (AlertKind::Endpoint, "endpoint"),
    (AlertKind::Page, "page"),
];
const LIMIT_MEASURES: [(LimitMeasure, &str); 8] = [
    (LimitMeasure::ErrorShare, "error_share"),
    (LimitMeasure::P95, "p95"),
    (LimitMeasure::P99, "p99"),
    (LimitMeasure::Throughput, "throughput"),
    (LimitMeasure::Apdex, "apdex"),
    (LimitMeasure::Lcp, "lcp"),
    (LimitMeasure::Inp, "inp"),
    (LimitMeasure::Cls, "cls"),
];
const MEASURES: [(AlertMeasure, &str); 4] = [
    (AlertMeasure::Events, "events"),
    (AlertMeasure::Sessions, "sessions"),
    (AlertMeasure::Users, "users"),
    (AlertMeasure::Share, "share"),
];
const PRIORITIES: [(AlertPriority, &str); 3] =
    [(AlertPriority::High, "high"), (AlertPriority::Medium, "medium"), (AlertPriority::Low, "low")];
const DAYS: [AlertDay; 7] = [
    AlertDay::Monday,
    AlertDay::Tuesday,
    AlertDay::Wednesday,
    AlertDay::Thursday,
    AlertDay::Friday,
    AlertDay::Saturday,
    AlertDay::Sunday,
];

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: &T) -> String {
    names.iter().find(|(known, _)| known == value).map_or("", |(_, name)| name).to_owned()
}

fn value_of<T: Copy>(names: &[(T, &'static str)], name: &str) -> Option<T> {
    names.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
}

/// A rule from what was written, after `known`.
///
/// # Errors
/// [`ApiError::BadRequest`] that names the member.
pub(crate) fn rule(
    draft: &AlertRuleDraft,
    known: Option<&row::AlertRule>,
    now_ms: i64,
) -> Result<row::AlertRule, ApiError> {
    let condition = condition(&draft.condition)?;
    let mut rule = row::AlertRule {
        version: known.map_or(0, |known| known.version) + 1,
        name: draft.name.trim().to_owned(),
        disabled: draft.disabled,
        condition: Some(condition),
        filter: draft.filter.trim().to_owned(),
        throttle_minutes: draft.throttle_minutes.unwrap_or(DEFAULT_THROTTLE_MINUTES),
        channels: channels("channels", &draft.channels)?,
        hours: draft.hours.as_ref().map(hours).transpose()?,
        priority: draft.priority.map(|priority| name_of(&PRIORITIES, &priority)).unwrap_or_default(),
        muted_until_ms: draft.muted_until_ms.unwrap_or_default(),
        created_ms: known.map_or(now_ms, |known| known.created_ms),
        changed_ms: now_ms,
        ..row::AlertRule::default()
    };
    if let Some(escalation) = &draft.escalation {
        rule.escalate_minutes = escalation.after_minutes;
        rule.escalation_channels = channels("escalation", &escalation.channels)?;
    }
    let asks = |rule: &row::AlertRule| (rule.condition.clone(), rule.filter.clone(), rule.priority.clone());
    // A rule that was off did not look.
    let asked = known.filter(|known| asks(known) == asks(&rule) && (!known.disabled || rule.disabled));
    (rule.from_ms, rule.asked_version) =
        asked.map_or((now_ms, rule.version), |known| (known.from_ms, known.asked_version));
    Asked::of(&rule)?;
    Ok(rule)
}

fn condition(draft: &AlertCondition) -> Result<row::AlertCondition, ApiError> {
    let is_limit = is_limit(draft.kind);
    let uses_window = is_limit || matches!(draft.kind, AlertKind::Seen | AlertKind::Silent);
    let is_seen = draft.kind == AlertKind::Seen;
    let has_counts = draft.measure.is_some() || draft.at_least.is_some() || draft.resolve_below.is_some();
    if has_counts && !is_seen || draft.window_minutes.is_some() && !uses_window {
        return Err(ApiError::bad(
            "condition",
            "measure, at_least, resolve_below and window_minutes are of `seen`",
        ));
    }
    if draft.limit.is_some() != is_limit {
        return Err(ApiError::bad("condition", "limit is of `endpoint` and `page`"));
    }
    let minimum = draft.minimum_sessions.filter(|_| draft.measure == Some(AlertMeasure::Share));
    Ok(row::AlertCondition {
        kind: name_of(&KINDS, &draft.kind),
        measure: draft.measure.map(|measure| name_of(&MEASURES, &measure)).unwrap_or_default(),
        at_least: draft.at_least.unwrap_or_default(),
        resolve_below: draft.resolve_below.unwrap_or_default(),
        window_minutes: draft.window_minutes.unwrap_or_default(),
        minimum_sessions: match draft.measure {
            Some(AlertMeasure::Share) => minimum.unwrap_or(DEFAULT_MINIMUM_SESSIONS),
            _ => 0,
        },
        limit: draft.limit.as_ref().map(limit),
    })
}

fn hours(given: &AlertHours) -> Result<row::AlertHours, ApiError> {
    let minute = |time: &str| {
        let (hour, minute) = time.split_once(':').filter(|_| time.len() == 5)?;
        let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (Some(from_minute), Some(to_minute)) = (minute(&given.from), minute(&given.to)) else {
        return Err(ApiError::bad("hours", "from and to must be times of day, as 09:30"));
    };
    let bit = |day: &AlertDay| DAYS.iter().position(|known| known == day).map_or(0, |at| 1 << at);
    let days = given.days.iter().fold(0, |days, day| days | bit(day));
    Ok(row::AlertHours { zone: given.zone.clone(), days, from_minute, to_minute })
}

fn shown_hours(row: row::AlertHours) -> AlertHours {
    let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let days = (0..).zip(DAYS).filter(|(at, _)| row.days >> at & 1 == 1).map(|(_, day)| day);
    AlertHours { zone: row.zone, days: days.collect(), from: time(row.from_minute), to: time(row.to_minute) }
}

const fn is_limit(kind: AlertKind) -> bool {
    matches!(kind, AlertKind::Endpoint | AlertKind::Page)
}

fn limit(draft: &AlertLimit) -> row::AlertLimit {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    row::AlertLimit {
        measure: name_of(&LIMIT_MEASURES, &draft.measure),
        name: text(&draft.name),
        trigger_at: draft.trigger_at,
        resolve_at: draft.resolve_at.unwrap_or(draft.trigger_at),
        below: draft.below,
        last_week: draft.last_week,
        minimum: draft.minimum.unwrap_or(DEFAULT_MINIMUM),
        apdex_ms: draft.apdex_ms.unwrap_or_default(),
        environment: text(&draft.environment),
        release: text(&draft.release),
    }
}

fn shown_limit(limit: &row::AlertLimit) -> Option<AlertLimit> {
    Some(AlertLimit {
        // A newer program wrote what is not known.
        measure: value_of(&LIMIT_MEASURES, &limit.measure)?,
        name: known(&limit.name),
        trigger_at: limit.trigger_at,
        resolve_at: Some(limit.resolve_at),
        below: limit.below,
        last_week: limit.last_week,
        minimum: Some(limit.minimum),
        apdex_ms: (limit.apdex_ms > 0).then_some(limit.apdex_ms),
        environment: known(&limit.environment),
        release: known(&limit.release),
    })
}

/// What a rule is about, besides issues: its kind, and the name of an endpoint or a page.
pub(crate) fn about(rule: &row::AlertRule) -> (AlertKind, Option<String>) {
    let condition = rule.condition.clone().unwrap_or_default();
    let kind = value_of(&KINDS, &condition.kind).unwrap_or_default();
    (kind, condition.limit.and_then(|limit| known(&limit.name)))
}

fn channels(field: &'static str, given: &[String]) -> Result<Vec<String>, ApiError> {
    let mut channels: Vec<String> = Vec::new();
    for channel in given {
        let is_id = !channel.is_empty()
            && channel.len() <= MAX_CHANNEL_BYTES
            && channel.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_id {
            return Err(ApiError::bad(field, "must be ids of channels"));
        }
        if !channels.contains(channel) {
            channels.push(channel.clone());
        }
    }
    Ok(channels)
}

pub(crate) fn shown(id: RuleId, rule: row::AlertRule) -> AlertRule {
    let condition = rule.condition.unwrap_or_default();
    let kind = value_of(&KINDS, &condition.kind).unwrap_or_default();
    let is_seen = kind == AlertKind::Seen;
    let measure = value_of(&MEASURES, &condition.measure);
    AlertRule {
        id: id.to_string(),
        version: rule.version,
        name: rule.name,
        disabled: rule.disabled,
        condition: AlertCondition {
            kind,
            measure,
            at_least: is_seen.then_some(condition.at_least),
            resolve_below: is_seen.then_some(if condition.resolve_below == 0.0 {
                condition.at_least
            } else {
                condition.resolve_below
            }),
            window_minutes: (condition.window_minutes > 0).then_some(condition.window_minutes),
            minimum_sessions: (measure == Some(AlertMeasure::Share)).then_some(condition.minimum_sessions),
            limit: condition.limit.as_ref().and_then(shown_limit),
        },
        filter: rule.filter,
        priority: value_of(&PRIORITIES, &rule.priority),
        throttle_minutes: rule.throttle_minutes,
        channels: rule.channels,
        muted_until_ms: (rule.muted_until_ms > 0).then_some(rule.muted_until_ms),
        hours: rule.hours.map(shown_hours),
        escalation: (rule.escalate_minutes > 0).then_some(AlertEscalation {
            after_minutes: rule.escalate_minutes,
            channels: rule.escalation_channels,
        }),
        created_at: rule.created_ms,
        changed_at: rule.changed_ms,
    }
}

pub(crate) fn priority(name: &str) -> AlertPriority {
    value_of(&PRIORITIES, name).unwrap_or(AlertPriority::Low)
}

/// # Errors
/// [`ApiError::BadRequest`] that names the member.
pub(crate) fn settings(given: &AlertSettings) -> Result<row::AlertSettings, ApiError> {
    if !(1..=MAX_MESSAGES_PER_HOUR).contains(&given.messages_per_hour) {
        return Err(ApiError::bad("messages_per_hour", format!("must be 1 to {MAX_MESSAGES_PER_HOUR}")));
    }
    if given.maintenance.len() > MAX_MAINTENANCE
        || given.maintenance.iter().any(|span| span.from_ms >= span.to_ms)
    {
        let detail = format!("at most {MAX_MAINTENANCE} spans, each with an end after its begin");
        return Err(ApiError::bad("maintenance", detail));
    }
    let spans = given.maintenance.iter();
    let maintenance = spans.map(|span| row::AlertSpan { from_ms: span.from_ms, to_ms: span.to_ms }).collect();
    Ok(row::AlertSettings {
        version: given.version + 1,
        maintenance,
        messages_per_hour: given.messages_per_hour,
    })
}

pub(crate) fn shown_settings(row: &row::AlertSettings) -> AlertSettings {
    let spans = row.maintenance.iter();
    AlertSettings {
        version: row.version,
        maintenance: spans.map(|span| AlertSpan { from_ms: span.from_ms, to_ms: span.to_ms }).collect(),
        messages_per_hour: match row.messages_per_hour {
            0 => DEFAULT_MESSAGES_PER_HOUR,
            most => most,
        },
    }
}
