//! What is known of a session: its fold state, its summary, and what these consist of.

use bytes::Bytes;

use super::IssueSequel;

/// A session's data key, wrapped with the installation's key.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SessionKey {
    /// Nonce and sealed key.
    #[prost(bytes = "bytes", tag = "1")]
    pub wrapped: Bytes,
}

/// Fold state of a session after every record of its partition below `next_offset`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionState {
    #[prost(uint64, tag = "1")]
    pub next_offset: u64,
    #[prost(message, optional, tag = "2")]
    pub summary: Option<SessionSummary>,
    #[prost(message, repeated, tag = "3")]
    pub streams: Vec<StreamState>,
    /// Facets already written, as `facet\0value`.
    #[prost(string, repeated, tag = "4")]
    pub facets: Vec<String>,
    #[prost(bytes = "bytes", tag = "5")]
    pub wrapped_key: Bytes,
    /// Of the issues for which the session counts.
    #[prost(message, repeated, tag = "6")]
    pub issue_sequels: Vec<IssueSequel>,
    /// When there was the latest rage or dead click; 0: never.
    #[prost(int64, tag = "7")]
    pub frustrated_ms: i64,
    /// Of its backend spans, as lines.
    #[prost(uint64, tag = "16")]
    pub span_bytes: u64,
    /// Requests whose backend's part its spans may still tell, in the order in which they came; bounded.
    #[prost(message, repeated, tag = "17")]
    pub awaiting_spans: Vec<AwaitingSpan>,
    /// What servers' spans told of requests that have not come; bounded.
    #[prost(message, repeated, tag = "18")]
    pub early_spans: Vec<EarlySpan>,
}

impl SessionState {
    /// Whether its browser has sent anything. Spans of its backend may come before, and make no session by themselves.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.summary.as_ref().is_some_and(|summary| summary.list_start_ms != 0)
    }
}

/// A request that was counted without its backend's part, and what that part is counted with.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AwaitingSpan {
    /// The span as which the request went out, see [`crate::session::span`].
    #[prost(fixed64, tag = "1")]
    pub span: u64,
    /// When its batch was received.
    #[prost(int64, tag = "2")]
    pub received_ms: i64,
    /// When it began.
    #[prost(int64, tag = "3")]
    pub time_ms: i64,
    #[prost(double, tag = "4")]
    pub total_ms: f64,
    /// The id of its endpoint's name.
    #[prost(fixed64, tag = "5")]
    pub name: u64,
    #[prost(uint32, tag = "6")]
    pub class: u32,
    #[prost(uint64, tag = "7")]
    pub weight: u64,
    #[prost(string, tag = "8")]
    pub release: String,
    #[prost(string, tag = "9")]
    pub environment: String,
    #[prost(string, tag = "10")]
    pub country: String,
}

/// How long a server worked on a request that is not known yet.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EarlySpan {
    /// The span as which the request went out, see [`crate::session::span`].
    #[prost(fixed64, tag = "1")]
    pub parent: u64,
    /// When the span was received.
    #[prost(int64, tag = "2")]
    pub received_ms: i64,
    #[prost(double, tag = "3")]
    pub duration_ms: f64,
}

/// Fold state of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamState {
    #[prost(bytes = "bytes", tag = "1")]
    pub stream: Bytes,
    /// Server time minus browser time, fixed by the first batch.
    #[prost(double, tag = "2")]
    pub clock_offset_ms: f64,
    /// Every `seq` below this was seen.
    #[prost(uint64, tag = "3")]
    pub contiguous: u64,
    /// Those seen above it; bounded.
    #[prost(uint64, repeated, tag = "4")]
    pub beyond: Vec<u64>,
    #[prost(uint64, tag = "5")]
    pub next_event: u64,
    /// Those seen whose signals could not be read, so that a later copy may bring them; bounded.
    #[prost(uint64, repeated, tag = "6")]
    pub without_signals: Vec<u64>,
    /// Those below `contiguous` that were not seen, for dead letters first of all: a copy that comes later still has its effect.
    /// In order, bounded.
    #[prost(message, repeated, tag = "7")]
    pub missing: Vec<SeqRange>,
    /// What `missing` told of below this is forgotten.
    #[prost(uint64, tag = "8")]
    pub missing_from: u64,
    /// `without_signals` did not take all.
    #[prost(bool, tag = "9")]
    pub signals_forgotten: bool,
    /// Of its document.
    #[prost(string, tag = "10")]
    pub release: String,
    /// Where the visitor was last in it, in the order of time.
    #[prost(message, repeated, tag = "11")]
    pub visits: Vec<PageVisit>,
}

/// From when on a visitor was on a page.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PageVisit {
    #[prost(int64, tag = "1")]
    pub time_ms: i64,
    #[prost(string, tag = "2")]
    pub url: String,
}

/// The numbers `from..to` of a stream's batches.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct SeqRange {
    #[prost(uint64, tag = "1")]
    pub from: u64,
    #[prost(uint64, tag = "2")]
    pub to: u64,
}

/// How many of what.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Counts {
    #[prost(uint64, tag = "1")]
    pub events: u64,
    #[prost(uint64, tag = "2")]
    pub errors: u64,
    #[prost(uint64, tag = "3")]
    pub requests: u64,
    #[prost(uint64, tag = "4")]
    pub failed_requests: u64,
    #[prost(uint64, tag = "5")]
    pub slow_requests: u64,
    #[prost(uint64, tag = "6")]
    pub clicks: u64,
    #[prost(uint64, tag = "7")]
    pub rage_clicks: u64,
    #[prost(uint64, tag = "8")]
    pub dead_clicks: u64,
    #[prost(uint64, tag = "9")]
    pub console_errors: u64,
    #[prost(uint64, tag = "10")]
    pub navigations: u64,
    #[prost(uint64, tag = "11")]
    pub custom_events: u64,
    /// Signals that were dropped for bad fields.
    #[prost(uint64, tag = "12")]
    pub dropped_signals: u64,
    /// Batches that became dead letters, whole or in part.
    #[prost(uint64, tag = "13")]
    pub dead_letters: u64,
}

/// What is known about a session. "Live" and "closed" are computed on read from `last_append_us`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionSummary {
    #[prost(bytes = "bytes", tag = "1")]
    pub session: Bytes,
    /// The start under which lists know it: the first batch's, never changed.
    #[prost(int64, tag = "2")]
    pub list_start_ms: i64,
    /// The earliest and the latest moment of anything in it.
    #[prost(int64, tag = "3")]
    pub start_ms: i64,
    #[prost(int64, tag = "4")]
    pub end_ms: i64,
    /// When the log took its newest batch.
    #[prost(int64, tag = "5")]
    pub last_append_us: i64,
    #[prost(message, optional, tag = "6")]
    pub counts: Option<Counts>,
    #[prost(message, repeated, tag = "7")]
    pub streams: Vec<StreamSummary>,
    #[prost(message, optional, tag = "8")]
    pub user: Option<User>,
    #[prost(message, optional, tag = "9")]
    pub client: Option<Client>,
    #[prost(string, tag = "10")]
    pub release: String,
    #[prost(string, tag = "11")]
    pub environment: String,
    /// Distinct pages in order of first visit, as URLs without query and fragment; bounded.
    #[prost(string, repeated, tag = "12")]
    pub pages: Vec<String>,
    #[prost(uint64, tag = "13")]
    pub page_count: u64,
    /// Distinct names of custom events; bounded.
    #[prost(string, repeated, tag = "14")]
    pub custom_event_names: Vec<String>,
    /// Events per bucket from `start_ms` on; at most 64 buckets, the width doubles when they run out.
    #[prost(uint32, repeated, tag = "15")]
    pub activity: Vec<u32>,
    #[prost(int64, tag = "16")]
    pub activity_bucket_ms: i64,
    /// An explicit end was received.
    #[prost(string, tag = "17")]
    pub ended_reason: String,
    #[prost(double, tag = "18")]
    pub dom_rate: f64,
    #[prost(double, tag = "19")]
    pub dom_on_error_rate: f64,
    #[prost(double, tag = "20")]
    pub signal_rate: f64,
    /// Whether the SDK said that dom is sent.
    #[prost(bool, tag = "21")]
    pub sampled: bool,
    #[prost(uint64, tag = "22")]
    pub dom_bytes: u64,
    #[prost(uint64, tag = "23")]
    pub signal_bytes: u64,
    /// Expiry of everything of this session.
    #[prost(int64, tag = "24")]
    pub expires_at_ms: i64,
    /// The recorder said that it failed or degraded: reasons, bounded.
    #[prost(string, repeated, tag = "25")]
    pub recorder_problems: Vec<String>,
    /// The clock was more than a minute off, or times were impossible.
    #[prost(bool, tag = "26")]
    pub clock_skewed: bool,
    #[prost(uint32, tag = "27")]
    pub exit_page_index: u32,
    #[prost(string, tag = "28")]
    pub exit_page: String,
    #[prost(uint64, tag = "29")]
    pub dom_events: u64,
    /// When `exit_page` was entered.
    #[prost(int64, tag = "30")]
    pub exit_page_ms: i64,
    /// Fingerprints of the issues that its errors belong to, hexadecimal; bounded.
    #[prost(string, repeated, tag = "31")]
    pub issues: Vec<String>,
    /// How many sessions it stands for beyond itself, by the rate of its first batch: see [`crate::session::weight`].
    #[prost(sint64, tag = "32")]
    pub unseen: i64,
}

/// What the list by start says of a session.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ListedSession {
    /// [`SessionSummary::unseen`].
    #[prost(sint64, tag = "1")]
    pub unseen: i64,
}

/// What is known about a stream of a session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamSummary {
    #[prost(bytes = "bytes", tag = "1")]
    pub stream: Bytes,
    #[prost(uint32, tag = "2")]
    pub tab: u32,
    #[prost(string, tag = "3")]
    pub url: String,
    #[prost(int64, tag = "4")]
    pub start_ms: i64,
    #[prost(int64, tag = "5")]
    pub end_ms: i64,
    #[prost(double, tag = "6")]
    pub clock_offset_ms: f64,
    #[prost(uint32, tag = "7")]
    pub viewport_width: u32,
    #[prost(uint32, tag = "8")]
    pub viewport_height: u32,
    /// Highest `seq` seen plus one, and how many distinct ones.
    #[prost(uint64, tag = "9")]
    pub next_seq: u64,
    #[prost(uint64, tag = "10")]
    pub seen: u64,
    /// Gaps that the SDK told of; bounded.
    #[prost(message, repeated, tag = "11")]
    pub gaps: Vec<Gap>,
    #[prost(bool, tag = "12")]
    pub clock_skewed: bool,
}

/// Something that is missing, on the server's clock.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Gap {
    #[prost(int64, tag = "1")]
    pub from_ms: i64,
    #[prost(int64, tag = "2")]
    pub to_ms: i64,
    #[prost(string, tag = "3")]
    pub reason: String,
    #[prost(string, tag = "4")]
    pub frame: String,
}

/// Who the page said its user is.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct User {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub email: String,
    /// JSON object.
    #[prost(string, tag = "3")]
    pub traits: String,
}

/// Browser, device and place.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Client {
    #[prost(string, tag = "1")]
    pub browser: String,
    #[prost(string, tag = "2")]
    pub browser_version: String,
    #[prost(string, tag = "3")]
    pub os: String,
    #[prost(string, tag = "4")]
    pub os_version: String,
    /// `desktop`, `mobile`, `tablet`, `bot` or empty.
    #[prost(string, tag = "5")]
    pub device: String,
    #[prost(uint32, tag = "6")]
    pub screen_width: u32,
    #[prost(uint32, tag = "7")]
    pub screen_height: u32,
    #[prost(string, tag = "8")]
    pub language: String,
    #[prost(string, tag = "9")]
    pub time_zone: String,
    /// ISO 3166-1 alpha-2, or empty.
    #[prost(string, tag = "10")]
    pub country: String,
    /// Empty unless the project stores it.
    #[prost(string, tag = "11")]
    pub ip: String,
    #[prost(string, tag = "12")]
    pub user_agent: String,
    #[prost(string, tag = "13")]
    pub sdk: String,
}
