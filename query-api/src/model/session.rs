//! A session as lists and the session page show it. Times are milliseconds of the Unix epoch; what is not known is null.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether batches may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Not ended, and the newest batch is younger than the idle limit.
    Live,
    Ended,
}

/// What waits behind a link to the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// Still recording.
    Live,
    Complete,
    /// Playable with gaps; the reasons say which.
    Partial,
    /// The sampling rate left the recording out; the time line is there.
    NotSampled,
    /// The recorder could not run; the time line is there.
    RecorderFailed,
    Deleted,
    Expired,
}

/// One visit of one visitor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    pub id: String,
    pub project_id: String,
    pub started_at: i64,
    pub ended_at: i64,
    pub duration_ms: i64,
    pub state: SessionState,
    pub replay: ReplayState,
    /// Sentences that explain `replay`.
    pub replay_reasons: Vec<String>,
    pub user: Option<User>,
    pub browser: Named,
    pub os: Named,
    /// `desktop`, `mobile`, `tablet` or `bot`.
    pub device: Option<String>,
    pub screen: Option<Size>,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Null unless the project stores addresses.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub sdk: Option<String>,
    pub release: Option<String>,
    pub environment: Option<String>,
    pub entry_page: Option<String>,
    pub exit_page: Option<String>,
    /// Distinct pages in order of first visit, without query and fragment; bounded.
    pub pages: Vec<String>,
    pub page_count: u64,
    pub custom_events: Vec<String>,
    /// Distinct tabs.
    pub tabs: u64,
    /// Document loads.
    pub streams: u64,
    pub counts: Counts,
    pub activity: Activity,
    /// A browser clock was more than a minute off, or times were impossible.
    pub clock_skewed: bool,
    pub sampling: Sampling,
    /// Bytes received, compressed.
    pub stored_bytes: u64,
    pub expires_at: i64,
}

/// Who the page said its user is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    pub id: Option<String>,
    pub email: Option<String>,
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub traits: serde_json::Value,
}

/// A product and its version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Named {
    pub name: Option<String>,
    pub version: Option<String>,
}

/// CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Counts {
    pub events: u64,
    pub errors: u64,
    pub requests: u64,
    pub failed_requests: u64,
    pub slow_requests: u64,
    pub clicks: u64,
    pub rage_clicks: u64,
    pub dead_clicks: u64,
    pub console_errors: u64,
    pub navigations: u64,
    pub custom_events: u64,
    /// Signals that were not understood.
    pub dropped_signals: u64,
}

/// Events per bucket from the session's start on; at most 64 buckets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Activity {
    pub bucket_ms: i64,
    pub values: Vec<u32>,
}

/// The rates that were in force, 0 to 1.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Sampling {
    pub dom: f64,
    pub dom_on_error: f64,
    pub signals: f64,
}

/// Some sessions, newest first unless asked otherwise.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionPage {
    pub items: Vec<Session>,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
    /// The scan budget ended before `limit` was reached: go on with `next`.
    pub partial: bool,
}
