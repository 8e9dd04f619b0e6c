//! Rows of issues.

use std::collections::BTreeMap;

use bytes::Bytes;

/// What a log partition tells of an issue: every occurrence in a record of it below `next_offset`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct IssueTotals {
    #[prost(uint64, tag = "1")]
    pub next_offset: u64,
    #[prost(uint64, tag = "2")]
    pub events: u64,
    /// Sessions that have it. A session is in one log partition.
    #[prost(uint64, tag = "3")]
    pub sessions: u64,
    #[prost(int64, tag = "4")]
    pub first_seen_ms: i64,
    #[prost(int64, tag = "5")]
    pub last_seen_ms: i64,
    /// Of the occurrence that was seen first.
    #[prost(string, tag = "6")]
    pub first_release: String,
    #[prost(message, optional, tag = "7")]
    pub latest: Option<IssueSample>,
    /// By hours since 1970, of the last two days before `last_seen_ms`. A session is counted where it had the issue first.
    #[prost(btree_map = "int64, message", tag = "8")]
    pub hours: BTreeMap<i64, IssueCount>,
    /// By days since 1970, of the last 35 before `last_seen_ms`.
    #[prost(btree_map = "int64, message", tag = "9")]
    pub days: BTreeMap<i64, IssueCount>,
    #[prost(message, optional, tag = "10")]
    pub releases: Option<Breakdown>,
    #[prost(message, optional, tag = "11")]
    pub browsers: Option<Breakdown>,
    #[prost(message, optional, tag = "12")]
    pub systems: Option<Breakdown>,
    #[prost(message, optional, tag = "13")]
    pub pages: Option<Breakdown>,
    #[prost(message, optional, tag = "14")]
    pub countries: Option<Breakdown>,
    /// Of the row: when the last session that has the issue expires.
    #[prost(int64, tag = "15")]
    pub expires_at_ms: i64,
    /// Only in the row of the overflow: how many issues the log partition keeps for the project, by the day on which they expire.
    #[prost(btree_map = "int64, uint64", tag = "16")]
    pub kept_by_day: BTreeMap<i64, u64>,
    /// When each release had it; bounded: those that had it longest ago go.
    #[prost(btree_map = "string, message", tag = "17")]
    pub releases_seen: BTreeMap<String, Seen>,
    /// By five minutes since 1970, of the last three hours before `last_seen_ms`: what windows of alerts are made of.
    #[prost(btree_map = "int64, message", tag = "18")]
    pub fives: BTreeMap<i64, IssueCount>,
    /// What the page says where it runs: production, staging.
    #[prost(message, optional, tag = "19")]
    pub environments: Option<Breakdown>,
}

/// What a flush changed of a project's issues. It may be read before the totals that it tells of are there: these are, once their
/// [`IssueTotals::next_offset`] is the one in this row's key.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueChanges {
    /// Fingerprints, one behind the other.
    #[prost(bytes = "bytes", tag = "1")]
    pub issues: Bytes,
    /// There were too many to name.
    #[prost(bool, tag = "2")]
    pub all: bool,
}

/// The first and the last time.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Seen {
    #[prost(int64, tag = "1")]
    pub first_ms: i64,
    #[prost(int64, tag = "2")]
    pub last_ms: i64,
}

/// How many of what in a span of time.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct IssueCount {
    #[prost(uint64, tag = "1")]
    pub events: u64,
    #[prost(uint64, tag = "2")]
    pub sessions: u64,
    /// Of these sessions, as far as is known: those with clicks of frustration around it, and those that had nothing after it. Not counted
    /// by days.
    #[prost(uint64, tag = "3")]
    pub frustrated: u64,
    #[prost(uint64, tag = "4")]
    pub ended: u64,
    /// Further sessions that these stand for: see [`crate::session::weight`].
    #[prost(sint64, tag = "5")]
    pub unseen: i64,
}

/// What followed an issue in a session that counts for it: see [`crate::issue::sequel`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueSequel {
    #[prost(bytes = "bytes", tag = "1")]
    pub issue: Bytes,
    /// Of the occurrence with which the session was counted.
    #[prost(int64, tag = "2")]
    pub first_ms: i64,
    /// Of the latest occurrence.
    #[prost(int64, tag = "3")]
    pub last_ms: i64,
    #[prost(bool, tag = "4")]
    pub frustrated: bool,
    /// Of the first of the occurrences that followed each other closely up to the latest; 0: of the latest.
    #[prost(int64, tag = "5")]
    pub run_ms: i64,
}

/// Events by the value of something; bounded.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Breakdown {
    #[prost(btree_map = "string, uint64", tag = "1")]
    pub values: BTreeMap<String, u64>,
    /// Events of further values.
    #[prost(uint64, tag = "2")]
    pub other: u64,
}

/// One occurrence of an issue, with what is shown of the issue.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueSample {
    #[prost(bytes = "bytes", tag = "1")]
    pub session: Bytes,
    /// The event's id within the session.
    #[prost(string, tag = "2")]
    pub event: String,
    #[prost(int64, tag = "3")]
    pub time_ms: i64,
    #[prost(string, tag = "4")]
    pub title: String,
    #[prost(string, tag = "5")]
    pub culprit: String,
    /// The error's type.
    #[prost(string, tag = "6")]
    pub kind: String,
    #[prost(string, tag = "7")]
    pub mechanism: String,
    #[prost(bool, tag = "8")]
    pub handled: bool,
    #[prost(string, tag = "9")]
    pub release: String,
    #[prost(uint32, tag = "10")]
    pub grouping_version: u32,
    #[prost(string, tag = "11")]
    pub basis: String,
    #[prost(message, repeated, tag = "12")]
    pub components: Vec<IssueComponent>,
}

/// Something that an error tells, and whether its group is made of it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueComponent {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, repeated, tag = "2")]
    pub values: Vec<String>,
    #[prost(bool, tag = "3")]
    pub counted: bool,
    #[prost(string, tag = "4")]
    pub why: String,
}

/// What people did with an issue.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueState {
    /// `ongoing`, `resolved` or `archived`.
    #[prost(string, tag = "1")]
    pub state: String,
    #[prost(string, tag = "2")]
    pub assignee: String,
    /// When `state` was last set.
    #[prost(int64, tag = "3")]
    pub changed_ms: i64,
    /// It is resolved from the release after [`IssueState::resolved_release`] on, not at once.
    #[prost(bool, tag = "4")]
    pub in_next_release: bool,
    /// The newest release that had the issue when it was resolved, or the one in which it is resolved.
    #[prost(string, tag = "5")]
    pub resolved_release: String,
    /// The newest last; bounded.
    #[prost(message, repeated, tag = "6")]
    pub history: Vec<IssueChange>,
    /// It is resolved in [`IssueState::resolved_release`] itself; earlier ones may go on having it.
    #[prost(bool, tag = "7")]
    pub in_this_release: bool,
    /// What ends the archive; absent: nothing.
    #[prost(message, optional, tag = "8")]
    pub archived_until: Option<ArchivedUntil>,
    /// `high`, `medium` or `low`, whatever the counts say; empty: they decide.
    #[prost(string, tag = "9")]
    pub pinned: String,
}

/// What brings an archived issue back: one of the first three.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ArchivedUntil {
    #[prost(bool, tag = "1")]
    pub escalating: bool,
    /// So many more events; with `days` within so many days that follow each other.
    #[prost(uint64, tag = "2")]
    pub events: u64,
    /// So many more users.
    #[prost(uint64, tag = "3")]
    pub users: u64,
    #[prost(uint32, tag = "4")]
    pub days: u32,
    /// What there was when it was archived: events, those of that day, users.
    #[prost(uint64, tag = "5")]
    pub events_before: u64,
    #[prost(uint64, tag = "6")]
    pub events_that_day: u64,
    #[prost(uint64, tag = "7")]
    pub users_before: u64,
    /// Which issues were merged into it then: see [`crate::issue::merge::Merges::mark`].
    #[prost(fixed64, tag = "8")]
    pub members: u64,
}

/// Who changed what of an issue.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueChange {
    #[prost(int64, tag = "1")]
    pub time_ms: i64,
    #[prost(string, tag = "2")]
    pub actor: String,
    /// In words.
    #[prost(string, tag = "3")]
    pub change: String,
}

/// Which issues of a project people made one: see [`crate::issue::merge`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueMerges {
    #[prost(message, repeated, tag = "1")]
    pub merges: Vec<IssueMerge>,
}

/// An issue that is shown as a part of another.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueMerge {
    #[prost(bytes = "bytes", tag = "1")]
    pub issue: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub into: Bytes,
    #[prost(int64, tag = "3")]
    pub time_ms: i64,
    #[prost(string, tag = "4")]
    pub actor: String,
}

/// What decides which errors become which issue, from a time of the log on: see [`crate::issue::setting`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IssueSettings {
    /// Records that the log took then or later obey it, up to the next one.
    #[prost(int64, tag = "1")]
    pub from_us: i64,
    /// Names of filters, see [`crate::issue::filter::Filter`].
    #[prost(string, repeated, tag = "2")]
    pub error_filters_off: Vec<String>,
    /// Which failed requests are issues, see [`crate::issue::request::Requests`]; empty: none.
    #[prost(string, tag = "3")]
    pub failed_requests: String,
    /// The first that matches gives the fingerprint; bounded.
    #[prost(message, repeated, tag = "4")]
    pub rules: Vec<GroupingRule>,
}

/// Patterns, of which those that are not empty must match, and the fingerprint of what they match.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct GroupingRule {
    /// Of the page, or of a script of the page's own in the stack.
    #[prost(string, tag = "1")]
    pub path: String,
    /// The error's type.
    #[prost(string, tag = "2")]
    pub kind: String,
    #[prost(string, tag = "3")]
    pub message: String,
    #[prost(string, tag = "4")]
    pub fingerprint: String,
}

/// An issue whose errors are dropped.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Discard {
    #[prost(bytes = "bytes", tag = "1")]
    pub issue: Bytes,
    /// In records that the log took from then on.
    #[prost(int64, tag = "2")]
    pub from_us: i64,
    /// And before; 0: it goes on.
    #[prost(int64, tag = "3")]
    pub to_us: i64,
    #[prost(string, tag = "4")]
    pub title: String,
    #[prost(string, tag = "5")]
    pub actor: String,
}
