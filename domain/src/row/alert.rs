//! Rows of alerts.

use bytes::Bytes;

/// A rule of a project's alerts, see [`crate::alert::rule`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct AlertRule {
    /// Grows with every change.
    #[prost(uint64, tag = "1")]
    pub version: u64,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(bool, tag = "3")]
    pub disabled: bool,
    #[prost(message, optional, tag = "4")]
    pub condition: Option<AlertCondition>,
    /// Issues that the rule is about, in the language of the list of issues; empty: all.
    #[prost(string, tag = "5")]
    pub filter: String,
    /// An issue triggers once within so long.
    #[prost(uint32, tag = "6")]
    pub throttle_minutes: u32,
    /// Whom it tells: ids of channels.
    #[prost(string, repeated, tag = "7")]
    pub channels: Vec<String>,
    /// The least priority of an issue: `high`, `medium`, `low` or empty.
    #[prost(string, tag = "8")]
    pub priority: String,
    /// Until then it tells nobody.
    #[prost(int64, tag = "9")]
    pub muted_until_ms: i64,
    /// Since when, and since which version, the rule asks what it asks now.
    #[prost(int64, tag = "10")]
    pub from_ms: i64,
    #[prost(uint64, tag = "11")]
    pub asked_version: u64,
    #[prost(int64, tag = "12")]
    pub created_ms: i64,
    #[prost(int64, tag = "13")]
    pub changed_ms: i64,
    /// The hours in which it tells; none: always.
    #[prost(message, optional, tag = "14")]
    pub hours: Option<AlertHours>,
    /// What nobody acknowledged for so long (0: never) is told to further channels.
    #[prost(uint32, tag = "15")]
    pub escalate_minutes: u32,
    #[prost(string, repeated, tag = "16")]
    pub escalation_channels: Vec<String>,
}

/// Hours of days of the week, by the wall clock of a place.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertHours {
    /// A name of the IANA time zone database.
    #[prost(string, tag = "1")]
    pub zone: String,
    /// As bits, Monday the lowest.
    #[prost(uint32, tag = "2")]
    pub days: u32,
    /// Minutes since midnight. Hours that do not end after they begin end on the next day.
    #[prost(uint32, tag = "3")]
    pub from_minute: u32,
    #[prost(uint32, tag = "4")]
    pub to_minute: u32,
}

/// When a rule triggers. Which of the other fields count depends on `kind`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AlertCondition {
    /// `new_issue`, `regressed`, `escalating`, `seen`, `silent`, `endpoint` or `page`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// `events`, `sessions`, `users` or `share`.
    #[prost(string, tag = "2")]
    pub measure: String,
    #[prost(double, tag = "3")]
    pub at_least: f64,
    #[prost(double, tag = "4")]
    pub resolve_below: f64,
    #[prost(uint32, tag = "5")]
    pub window_minutes: u32,
    /// Sessions of the project in the window of which a share is told.
    #[prost(uint64, tag = "6")]
    pub minimum_sessions: u64,
    /// Of `endpoint` and `page`.
    #[prost(message, optional, tag = "7")]
    pub limit: Option<AlertLimit>,
}

/// Which endpoint or page is measured, and from where on it triggers: see [`crate::alert::performance`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct AlertLimit {
    #[prost(string, tag = "1")]
    pub measure: String,
    /// As lists of endpoints and pages give it; empty: all together.
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(double, tag = "3")]
    pub trigger_at: f64,
    #[prost(double, tag = "4")]
    pub resolve_at: f64,
    /// Of throughput: it triggers when there is less.
    #[prost(bool, tag = "5")]
    pub below: bool,
    /// Limits are changes against the same window a week before.
    #[prost(bool, tag = "6")]
    pub last_week: bool,
    /// Requests, or page loads with that vital, of which something is told.
    #[prost(uint64, tag = "7")]
    pub minimum: u64,
    #[prost(uint32, tag = "8")]
    pub apdex_ms: u32,
    /// Only those; empty: any.
    #[prost(string, tag = "9")]
    pub environment: String,
    #[prost(string, tag = "10")]
    pub release: String,
}

/// What a project decides about all of its alerts.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertSettings {
    #[prost(uint64, tag = "1")]
    pub version: u64,
    /// Maintenance: what triggers then tells nobody. Bounded.
    #[prost(message, repeated, tag = "2")]
    pub maintenance: Vec<AlertSpan>,
    /// Messages within an hour (UTC); what is more is told in one.
    #[prost(uint32, tag = "3")]
    pub messages_per_hour: u32,
}

/// A span of time.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct AlertSpan {
    #[prost(int64, tag = "1")]
    pub from_ms: i64,
    #[prost(int64, tag = "2")]
    pub to_ms: i64,
}

/// What a rule remembers of an issue (or of the project), and the outbox: both change at once. Times without another word are the stream's.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertState {
    /// Of the rule when it last changed this, and of what it asked then.
    #[prost(uint64, tag = "1")]
    pub rule_version: u64,
    #[prost(uint64, tag = "2")]
    pub asked_version: u64,
    /// Transitions so far. It only grows.
    #[prost(uint64, tag = "3")]
    pub number: u64,
    /// `open`, `acknowledged`, `resolved`; empty: it never triggered.
    #[prost(string, tag = "4")]
    pub status: String,
    /// The condition was met when it was last judged: until it no longer is, it does not trigger again.
    #[prost(bool, tag = "5")]
    pub holds: bool,
    /// Which occasion it was: see [`crate::alert::judge::Met`].
    #[prost(int64, tag = "6")]
    pub mark: i64,
    /// When it last triggered, and last changed its status.
    #[prost(int64, tag = "7")]
    pub opened_ms: i64,
    #[prost(int64, tag = "8")]
    pub changed_ms: i64,
    /// Who acknowledged or resolved it; empty: nobody, it was judged so.
    #[prost(string, tag = "9")]
    pub actor: String,
    /// What it last triggered with.
    #[prost(message, optional, tag = "10")]
    pub notice: Option<AlertNotice>,
    /// Channels that are told of this firing.
    #[prost(string, repeated, tag = "11")]
    pub told: Vec<String>,
    /// The outbox, in order; bounded.
    #[prost(message, repeated, tag = "12")]
    pub pending: Vec<AlertDelivery>,
    /// It triggered while the rule was muted or the project in maintenance.
    #[prost(bool, tag = "13")]
    pub muted: bool,
    /// For how long the row is kept after it changed; 0: as long as is usual.
    #[prost(int64, tag = "14")]
    pub kept_ms: i64,
    /// When this firing is told, by the clock of whoever evaluates: when it triggered, or when the rule's hours begin.
    #[prost(int64, tag = "15")]
    pub told_ms: i64,
    /// Nobody acknowledged it, and further channels were told.
    #[prost(bool, tag = "16")]
    pub escalated: bool,
}

/// What is told.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertNotice {
    #[prost(string, tag = "1")]
    pub title: String,
    #[prost(string, tag = "2")]
    pub culprit: String,
    /// The condition that was met, in a sentence.
    #[prost(string, tag = "3")]
    pub why: String,
    #[prost(message, repeated, tag = "4")]
    pub facts: Vec<AlertFact>,
    #[prost(int64, tag = "5")]
    pub since_ms: i64,
    /// `high`, `medium` or `low`.
    #[prost(string, tag = "6")]
    pub priority: String,
    /// The session of the newest occurrence, and when in it.
    #[prost(bytes = "bytes", tag = "7")]
    pub session: Bytes,
    #[prost(int64, tag = "8")]
    pub time_ms: i64,
}

/// Something that is known, by its name.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertFact {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A message that is to be sent. Its times are the clock's of whoever sends.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertDelivery {
    /// Of the transition, with the rule's version then: its identity.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    #[prost(uint64, tag = "2")]
    pub rule_version: u64,
    /// `triggered`, `escalated`, `acknowledged` or `resolved`.
    #[prost(string, tag = "3")]
    pub transition: String,
    #[prost(string, tag = "4")]
    pub channel: String,
    #[prost(string, tag = "5")]
    pub why: String,
    #[prost(int64, tag = "6")]
    pub created_ms: i64,
    #[prost(uint32, tag = "7")]
    pub tries: u32,
    /// Not before.
    #[prost(int64, tag = "8")]
    pub next_ms: i64,
    /// It is told with the digest of this hour since 1970; 0: by itself.
    #[prost(int64, tag = "9")]
    pub held_hour: i64,
    /// It was not due when it was made: it waits for the rule's hours.
    #[prost(bool, tag = "10")]
    pub waits: bool,
    /// Of several recipients those who have it, by a hash; at most as many as a channel has.
    #[prost(string, repeated, tag = "11")]
    pub taken: Vec<String>,
}

/// Who evaluates a project's rules, and how far that is.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertLease {
    #[prost(string, tag = "1")]
    pub owner: String,
    #[prost(int64, tag = "2")]
    pub until_ms: i64,
    /// Windows that ended before this time of the stream (and a while for what comes late) are decided.
    #[prost(int64, tag = "3")]
    pub evaluated_ms: i64,
    /// How much the project had taken in, and when that last grew.
    #[prost(uint64, tag = "4")]
    pub intake_mark: u64,
    #[prost(int64, tag = "5")]
    pub intake_ms: i64,
    /// Issues that could not trigger when it last evaluated, as there were too many rows.
    #[prost(uint64, tag = "6")]
    pub dropped: u64,
}

/// Messages that a project sent within an hour since 1970.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct AlertBudget {
    #[prost(int64, tag = "1")]
    pub hour: i64,
    #[prost(uint32, tag = "2")]
    pub sent: u32,
}

/// A try to tell somebody.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertAttempt {
    /// The message's id: the same with every try.
    #[prost(string, tag = "1")]
    pub message: String,
    #[prost(string, tag = "2")]
    pub rule: String,
    #[prost(string, tag = "3")]
    pub subject: String,
    #[prost(string, tag = "4")]
    pub transition: String,
    #[prost(string, tag = "5")]
    pub channel: String,
    #[prost(uint32, tag = "6")]
    pub attempt: u32,
    /// `sent`, `failed`, `gave_up`, `held` or `not_sent`.
    #[prost(string, tag = "7")]
    pub outcome: String,
    /// What came back, or what was wrong.
    #[prost(string, tag = "8")]
    pub sentence: String,
    #[prost(string, tag = "9")]
    pub title: String,
    #[prost(int64, tag = "10")]
    pub time_ms: i64,
}
