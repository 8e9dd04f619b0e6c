//! The rows: protobuf messages, so that fields can be added while old rows are still there. Field numbers are never reused.
//!
//! Times ending in `_ms` and `_us` are milliseconds and microseconds of the Unix epoch on the server's clock, unless a comment says otherwise.

mod alert;
mod channel;
mod issue;
mod jira;
mod performance;
mod session;
mod source_map;

use bytes::Bytes;

pub use alert::{
    AlertAttempt, AlertBudget, AlertCondition, AlertDelivery, AlertFact, AlertHours, AlertLease, AlertLimit,
    AlertNotice, AlertRule, AlertSettings, AlertSpan, AlertState,
};
pub use channel::AlertChannel;
pub use issue::{
    ArchivedUntil, Breakdown, Discard, GroupingRule, IssueChange, IssueChanges, IssueComponent, IssueCount,
    IssueMerge, IssueMerges, IssueSample, IssueSequel, IssueSettings, IssueState, IssueTotals, Seen,
};
pub use jira::{JiraConnection, JiraLink, JiraWants};
pub use performance::{
    Performance, PerformanceHead, PerformanceMeasure, PerformanceSample, PerformanceSeries, PerformanceSpan,
};
pub use session::{
    AwaitingSpan, Client, Counts, EarlySpan, Gap, ListedSession, PageVisit, SeqRange, SessionKey,
    SessionState, SessionSummary, StreamState, StreamSummary, User,
};
pub use source_map::{SourceMapArtifact, SourceMapContent, SourceMapRef};

/// Ownership, intent and checkpoint of one log partition. The truth about progress.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PartitionControl {
    /// Grows with every change of owner.
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    #[prost(string, tag = "2")]
    pub owner: String,
    /// Every effect of a record below this offset is in the store.
    #[prost(uint64, tag = "3")]
    pub next_offset: u64,
    /// The flush under way, if any.
    #[prost(message, optional, tag = "4")]
    pub intent: Option<FlushIntent>,
    /// The newest write timestamp used.
    #[prost(int64, tag = "5")]
    pub last_write_us: i64,
}

/// A flush that has begun: offsets `from..to`, every row written with `write_us`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct FlushIntent {
    #[prost(uint64, tag = "1")]
    pub from: u64,
    #[prost(uint64, tag = "2")]
    pub to: u64,
    #[prost(int64, tag = "3")]
    pub write_us: i64,
}

/// A project with its settings.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Project {
    #[prost(fixed64, tag = "1")]
    pub tenant: u64,
    #[prost(fixed64, tag = "2")]
    pub project: u64,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(int64, tag = "4")]
    pub created_ms: i64,
    #[prost(bool, tag = "5")]
    pub disabled: bool,
    /// Origins that may send; empty: all.
    #[prost(string, repeated, tag = "6")]
    pub allowed_origins: Vec<String>,
    #[prost(uint32, tag = "7")]
    pub retention_days: u32,
    #[prost(bool, tag = "8")]
    pub store_ip: bool,
    #[prost(double, tag = "9")]
    pub sample_rate: f64,
    #[prost(double, tag = "10")]
    pub on_error_sample_rate: f64,
    #[prost(double, tag = "11")]
    pub signal_sample_rate: f64,
    /// Hosts from which the player may load images.
    #[prost(string, repeated, tag = "12")]
    pub image_hosts: Vec<String>,
    /// Requests that take longer are slow.
    #[prost(uint32, tag = "13")]
    pub slow_request_ms: u32,
    /// Patterns of URLs whose bodies the SDK may record.
    #[prost(string, repeated, tag = "14")]
    pub network_bodies: Vec<String>,
    /// 0: never.
    #[prost(int64, tag = "15")]
    pub first_event_ms: i64,
    /// Names of the filters of errors that are off as long as there are no `issue_settings`, see [`crate::issue::filter::Filter`].
    #[prost(string, repeated, tag = "16")]
    pub error_filters_off: Vec<String>,
    /// What decides which errors become which issue, by the time from which it counts; the oldest first, bounded.
    #[prost(message, repeated, tag = "17")]
    pub issue_settings: Vec<IssueSettings>,
    /// Issues whose errors are dropped; bounded.
    #[prost(message, repeated, tag = "18")]
    pub discards: Vec<Discard>,
    /// Patterns of paths on which an issue matters more.
    #[prost(string, repeated, tag = "19")]
    pub critical_pages: Vec<String>,
    /// What endpoints and pages are called whose paths these fit, see [`crate::endpoint::own`].
    #[prost(string, repeated, tag = "40")]
    pub endpoint_templates: Vec<String>,
    /// Hashes of its secret keys, so that gateways know them without asking; bounded.
    #[prost(bytes = "bytes", repeated, tag = "30")]
    pub secret_keys: Vec<Bytes>,
}

/// What a secret key opens. The key itself is not stored, only its hash (the row's key).
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SecretKey {
    #[prost(fixed64, tag = "1")]
    pub tenant: u64,
    #[prost(fixed64, tag = "2")]
    pub project: u64,
    #[prost(int64, tag = "3")]
    pub created_ms: i64,
    /// The last four characters, to tell keys apart.
    #[prost(string, tag = "4")]
    pub hint: String,
}

/// A batch's signals: NDJSON of normalized events, zstd, sealed with the session's key.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EventChunk {
    /// Nonce and sealed bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub sealed: Bytes,
    #[prost(uint32, tag = "2")]
    pub raw_bytes: u32,
    #[prost(uint32, tag = "3")]
    pub events: u32,
    #[prost(int64, tag = "4")]
    pub from_ms: i64,
    #[prost(int64, tag = "5")]
    pub to_ms: i64,
    /// Spans of the session's backend and nothing else.
    #[prost(bool, tag = "16")]
    pub spans: bool,
}

/// A batch's dom frame inside a flush object.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Frame {
    #[prost(string, tag = "1")]
    pub object: String,
    /// The sealed range in the object.
    #[prost(uint64, tag = "2")]
    pub offset: u64,
    #[prost(uint32, tag = "3")]
    pub bytes: u32,
    #[prost(uint32, tag = "4")]
    pub raw_bytes: u32,
    /// `none` or `deflate`.
    #[prost(string, tag = "5")]
    pub encoding: String,
    #[prost(bool, tag = "6")]
    pub key_frame: bool,
    #[prost(uint32, tag = "7")]
    pub events: u32,
    #[prost(int64, tag = "8")]
    pub from_ms: i64,
    #[prost(int64, tag = "9")]
    pub to_ms: i64,
    #[prost(uint32, tag = "10")]
    pub part_index: u32,
    /// 0 or 1: not split.
    #[prost(uint32, tag = "11")]
    pub part_count: u32,
}

/// A compacted range of a stream: zstd, sealed, in a shared object.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Block {
    #[prost(string, tag = "1")]
    pub object: String,
    #[prost(uint64, tag = "2")]
    pub offset: u64,
    #[prost(uint32, tag = "3")]
    pub bytes: u32,
    #[prost(uint32, tag = "4")]
    pub raw_bytes: u32,
    #[prost(uint64, tag = "5")]
    pub last_seq: u64,
    /// Cuts of the inflated block, in order.
    #[prost(message, repeated, tag = "6")]
    pub segments: Vec<BlockSegment>,
    #[prost(message, repeated, tag = "7")]
    pub gaps: Vec<Gap>,
    /// The batches inside, in order of `seq`; a row of `SESSION_FRAMES` with one of these is a leftover that readers skip.
    #[prost(message, repeated, tag = "8")]
    pub frames: Vec<BlockFrame>,
    #[prost(int64, tag = "9")]
    pub from_ms: i64,
    #[prost(int64, tag = "10")]
    pub to_ms: i64,
}

impl Block {
    /// Whether the batch `seq` of the block's stream is inside.
    #[must_use]
    pub fn covers(&self, seq: u64) -> bool {
        self.frames.binary_search_by_key(&seq, |frame| frame.seq).is_ok()
    }
}

/// A batch inside a block. Their raw bytes follow each other.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct BlockFrame {
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    #[prost(uint32, tag = "2")]
    pub raw_bytes: u32,
    /// From the block's `from_ms`.
    #[prost(int64, tag = "3")]
    pub from_offset_ms: i64,
    #[prost(uint32, tag = "4")]
    pub duration_ms: u32,
    #[prost(bool, tag = "5")]
    pub key_frame: bool,
    #[prost(uint32, tag = "6")]
    pub events: u32,
    /// A later part of a split event: it cannot be read without the one before.
    #[prost(bool, tag = "7")]
    pub continued: bool,
}

/// A part of a block that can be fetched on its own.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BlockSegment {
    #[prost(uint32, tag = "1")]
    pub raw_offset: u32,
    #[prost(uint32, tag = "2")]
    pub raw_bytes: u32,
    #[prost(int64, tag = "3")]
    pub from_ms: i64,
    #[prost(int64, tag = "4")]
    pub to_ms: i64,
    #[prost(bool, tag = "5")]
    pub key_frame: bool,
    #[prost(uint64, tag = "6")]
    pub first_seq: u64,
    #[prost(uint64, tag = "7")]
    pub last_seq: u64,
}

/// A session whose frames are not compacted yet.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct OpenSession {
    #[prost(fixed64, tag = "1")]
    pub tenant: u64,
    #[prost(fixed64, tag = "2")]
    pub project: u64,
    #[prost(int64, tag = "3")]
    pub last_append_us: i64,
    #[prost(bool, tag = "4")]
    pub ended: bool,
}

/// A record, or a part of one, that could not be processed.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DeadLetter {
    #[prost(string, tag = "1")]
    pub reason: String,
    #[prost(string, tag = "2")]
    pub detail: String,
    #[prost(bytes = "bytes", tag = "3")]
    pub session: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub stream: Bytes,
    #[prost(uint64, tag = "5")]
    pub seq: u64,
    #[prost(int64, tag = "6")]
    pub received_us: i64,
    #[prost(uint32, tag = "7")]
    pub bytes: u32,
    #[prost(string, tag = "8")]
    pub traceparent: String,
    #[prost(string, tag = "9")]
    pub topic: String,
}

/// What a log partition took in for a project on a day: every record of it below `next_offset`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IntakeCounts {
    #[prost(uint64, tag = "1")]
    pub batches: u64,
    #[prost(uint64, tag = "2")]
    pub bytes: u64,
    #[prost(uint64, tag = "3")]
    pub signals: u64,
    #[prost(uint64, tag = "4")]
    pub dropped_signals: u64,
    #[prost(uint64, tag = "5")]
    pub duplicates: u64,
    #[prost(uint64, tag = "6")]
    pub new_sessions: u64,
    /// Dead letters by reason.
    #[prost(btree_map = "string, uint64", tag = "7")]
    pub dead_letters: std::collections::BTreeMap<String, u64>,
    #[prost(uint64, tag = "8")]
    pub suppressed: u64,
    #[prost(uint64, tag = "9")]
    pub next_offset: u64,
    /// Errors that made no issue, by the filter's name.
    #[prost(btree_map = "string, uint64", tag = "10")]
    pub filtered_errors: std::collections::BTreeMap<String, u64>,
}

impl IntakeCounts {
    /// Adds what another range or partition took in. `next_offset` stays.
    pub fn add(&mut self, counts: &Self) {
        self.batches += counts.batches;
        self.bytes += counts.bytes;
        self.signals += counts.signals;
        self.dropped_signals += counts.dropped_signals;
        self.duplicates += counts.duplicates;
        self.new_sessions += counts.new_sessions;
        self.suppressed += counts.suppressed;
        for (reason, count) in &counts.dead_letters {
            *self.dead_letters.entry(reason.clone()).or_default() += count;
        }
        for (filter, count) in &counts.filtered_errors {
            *self.filtered_errors.entry(filter.clone()).or_default() += count;
        }
    }
}

/// Something that was erased and must stay so.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Suppression {
    #[prost(int64, tag = "1")]
    pub requested_ms: i64,
    /// How far the erasure is: `keys`, `rows`, `done`.
    #[prost(string, tag = "2")]
    pub stage: String,
    /// Under which start lists knew the session, as far as the erasure found out.
    #[prost(int64, tag = "3")]
    pub list_start_ms: i64,
    /// Whose sessions are being looked for; only while they are.
    #[prost(string, tag = "4")]
    pub user: String,
}

/// An object in blob storage, or a part of it with some of its sessions.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Object {
    /// `flush` or `blocks`.
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(uint64, tag = "2")]
    pub bytes: u64,
    #[prost(int64, tag = "3")]
    pub expires_at_ms: i64,
    #[prost(message, repeated, tag = "4")]
    pub sessions: Vec<ObjectSession>,
}

/// A session with bytes in an object.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ObjectSession {
    #[prost(fixed64, tag = "1")]
    pub tenant: u64,
    #[prost(fixed64, tag = "2")]
    pub project: u64,
    #[prost(bytes = "bytes", tag = "3")]
    pub session: Bytes,
}
