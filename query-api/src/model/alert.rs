//! Rules of alerts, what they fired, and who was told. Times are milliseconds of the Unix epoch; what is not known is null.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a rule triggers on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// An issue was seen for the first time.
    #[default]
    NewIssue,
    /// An issue happened again where it was resolved.
    Regressed,
    /// An issue has more events than its forecast.
    Escalating,
    /// An issue was seen so much within a window.
    Seen,
    /// The project received nothing for `window_minutes` (5 to 10080).
    Silent,
    /// What is measured of an endpoint, or of all together, is beyond `limit`.
    Endpoint,
    /// A web vital of a page, or of all together, is beyond `limit`.
    Page,
}

/// What is counted in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertMeasure {
    Events,
    /// Sessions that had the issue first in the window.
    Sessions,
    /// The lesser of these sessions and of all users of the issue.
    Users,
    /// Per cent: these sessions, of those that began in the window.
    Share,
}

/// When a rule triggers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertCondition {
    pub kind: AlertKind,
    /// Of `seen`.
    #[serde(default)]
    pub measure: Option<AlertMeasure>,
    /// Of `seen`: it triggers from so many on.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Of `seen`: it is over when a whole window is below; `at_least` unless given.
    #[serde(default)]
    pub resolve_below: Option<f64>,
    /// Of `seen`, `endpoint` and `page` (5, 10, 15, 30, 60, 180, 360, 720 or 1440), and of `silent`.
    #[serde(default)]
    pub window_minutes: Option<u32>,
    /// Of `share`: sessions that began in the window, below which no share is told; 20 unless given.
    #[serde(default)]
    pub minimum_sessions: Option<u64>,
    /// Of `endpoint` and `page`.
    #[serde(default)]
    pub limit: Option<AlertLimit>,
}

/// What is measured of an endpoint or a page within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitMeasure {
    /// Per cent of the requests that were not given up by the page.
    ErrorShare,
    /// Milliseconds, of all requests of which the duration is known.
    P95,
    P99,
    /// Requests a minute.
    Throughput,
    /// 0 to 1; it triggers when it is lower.
    Apdex,
    /// Of pages: the p75 in milliseconds.
    Lcp,
    Inp,
    /// Of pages: the p75.
    Cls,
}

/// What is measured, and from where on it triggers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertLimit {
    pub measure: LimitMeasure,
    /// As the lists of endpoints and pages give it; null: all together.
    #[serde(default)]
    pub name: Option<String>,
    /// It triggers from there on. With `last_week`, how much worse than in the same window a week before: points of per cent (error share),
    /// hundredths (Apdex), else per cent.
    pub trigger_at: f64,
    /// It is over when a whole window is on the good side of that; `trigger_at` unless given.
    #[serde(default)]
    pub resolve_at: Option<f64>,
    /// Of `throughput`: it triggers when there is less.
    #[serde(default)]
    pub below: bool,
    #[serde(default)]
    pub last_week: bool,
    /// Requests (of vitals: page loads with that vital) in the window, below which nothing is told; 20 unless given. Not of `throughput`, except
    /// a week before.
    #[serde(default)]
    pub minimum: Option<u64>,
    /// Of `apdex`: requests up to that long satisfy; 500 unless given.
    #[serde(default)]
    pub apdex_ms: Option<u32>,
    #[serde(default)]
    pub environment: Option<String>,
    #[serde(default)]
    pub release: Option<String>,
}

/// A rule as it is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRuleDraft {
    /// 1 to 100 characters.
    pub name: String,
    #[serde(default)]
    pub disabled: bool,
    pub condition: AlertCondition,
    /// Which issues, as `query` of the list of issues; empty: all.
    #[serde(default)]
    pub filter: String,
    /// The least priority; null: any.
    #[serde(default)]
    pub priority: Option<AlertPriority>,
    /// An issue triggers once within so long; 60 unless given, at most 10080.
    #[serde(default)]
    pub throttle_minutes: Option<u32>,
    /// Ids of channels; at most 10.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Until then it tells nobody.
    #[serde(default)]
    pub muted_until_ms: Option<i64>,
    /// The hours in which it tells; what triggers outside of them waits until they begin. Null: always.
    #[serde(default)]
    pub hours: Option<AlertHours>,
    /// Who is told of what nobody acknowledges. Null: nobody.
    #[serde(default)]
    pub escalation: Option<AlertEscalation>,
    /// When a rule is changed: the version that was read. Another one is answered with 409.
    #[serde(default)]
    pub version: Option<u64>,
}

/// Hours of days of the week, by the wall clock of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertHours {
    /// A name of the IANA time zone database, as `Europe/Lisbon`.
    pub zone: String,
    /// The days on which they begin.
    pub days: Vec<AlertDay>,
    /// Times of day, as `09:30`. Hours that do not end after they begin end on the next day.
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// What is open for so long is told to further channels, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertEscalation {
    /// 5 to 1440, from when it was told.
    pub after_minutes: u32,
    /// Ids of channels; 1 to 10.
    pub channels: Vec<String>,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertPriority {
    High,
    Medium,
    Low,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertRule {
    /// 16 hexadecimal digits.
    pub id: String,
    pub version: u64,
    pub name: String,
    pub disabled: bool,
    pub condition: AlertCondition,
    pub filter: String,
    pub priority: Option<AlertPriority>,
    pub throttle_minutes: u32,
    pub channels: Vec<String>,
    pub muted_until_ms: Option<i64>,
    pub hours: Option<AlertHours>,
    pub escalation: Option<AlertEscalation>,
    pub created_at: i64,
    pub changed_at: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertRuleList {
    pub items: Vec<AlertRule>,
    /// Issues that could not trigger when the rules were last evaluated, as the project has too many firings.
    pub dropped: u64,
    /// Up to when rules were evaluated; null: never.
    pub evaluated_to: Option<i64>,
}

/// What holds for all of a project's alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// As read. Another one is answered with 409.
    pub version: u64,
    /// What triggers then tells nobody; at most 50.
    pub maintenance: Vec<AlertSpan>,
    /// 1 to 1000: what is more within an hour (UTC) is told in one message at its end.
    pub messages_per_hour: u32,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSpan {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// Where a firing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FiringStatus {
    Open,
    Acknowledged,
    Resolved,
}

/// The newest firing of a rule for an issue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Firing {
    pub rule: String,
    pub rule_name: String,
    /// The id of the issue, or `project`.
    pub subject: String,
    /// Of the rule's condition.
    pub kind: AlertKind,
    /// The endpoint or page that the rule measures; null: all together, or the rule measures none.
    pub name: Option<String>,
    pub status: FiringStatus,
    pub title: String,
    pub culprit: String,
    pub why: String,
    pub priority: AlertPriority,
    pub since_ms: i64,
    pub opened_at: i64,
    pub changed_at: i64,
    /// Who acknowledged or resolved it; null: nobody.
    pub by: Option<String>,
    /// It triggered while nobody was to be told.
    pub muted: bool,
    /// Nobody acknowledged it in time, and further channels were told.
    pub escalated: bool,
    /// Messages that are still to be sent.
    pub pending: usize,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FiringList {
    /// Those that triggered last first.
    pub items: Vec<Firing>,
    pub more: bool,
}

/// What somebody decides about a firing.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FiringPatch {
    /// `acknowledged` or `resolved`.
    pub status: FiringStatus,
}

/// A try to tell somebody.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Delivery {
    /// The same with every try.
    pub message: String,
    pub rule: String,
    pub subject: String,
    /// `triggered`, `escalated`, `acknowledged` or `resolved`.
    pub transition: String,
    pub channel: String,
    pub attempt: u32,
    /// `sent`, `failed` (tried again), `gave_up`, `held` (told in a digest) or `not_sent` (when it was due nobody needed it any more).
    pub outcome: String,
    pub sentence: String,
    pub title: String,
    pub time_ms: i64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryList {
    /// The newest first.
    pub items: Vec<Delivery>,
}

/// What a rule would have fired.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertPreview {
    pub from_ms: i64,
    pub to_ms: i64,
    /// How many; `items` has the newest 100.
    pub total: usize,
    pub items: Vec<PreviewedFiring>,
    /// What the preview cannot know, in sentences.
    pub notes: Vec<String>,
    /// There are more issues than were looked at.
    pub partial: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewedFiring {
    /// Null: of an endpoint or a page.
    pub issue: Option<String>,
    pub title: String,
    pub from_ms: i64,
    /// Null: it goes on, or nobody knows.
    pub to_ms: Option<i64>,
    pub why: String,
    /// How exactly its times are known.
    pub grain_ms: i64,
    /// If not, it may have triggered.
    pub certain: bool,
}
