//! Projects, their settings and keys, and what they took in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One observed web app.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Project {
    pub id: String,
    pub name: String,
    pub created_at: i64,
    /// Batches of a disabled project are refused.
    pub disabled: bool,
    /// Safe to publish.
    pub public_key: String,
    pub settings: Settings,
    /// The inline stub and the async script: what to paste into the head of a page.
    pub script_tag: String,
    /// The plain form: one deferred script.
    pub script_tag_plain: String,
}

/// What a project decides.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Settings {
    /// Origins that may send (`https://shop.example`, `https://*.shop.example`); empty: all.
    pub allowed_origins: Vec<String>,
    pub retention_days: u32,
    pub store_ip: bool,
    /// Share of sessions whose pages are recorded, 0 to 1.
    pub sample_rate: f64,
    /// Share of the others that are recorded once an error happens.
    pub on_error_sample_rate: f64,
    /// Share of sessions whose signals are sent.
    pub signal_sample_rate: f64,
    /// Hosts from which the player may load images.
    pub image_hosts: Vec<String>,
    /// Requests that take longer are slow.
    pub slow_request_ms: u32,
    /// Patterns of URLs whose bodies may be recorded.
    pub network_bodies: Vec<String>,
    /// Filters of errors that are off: `browser_extension`, `bot`, `localhost`. What a filter drops makes no issue and is counted.
    pub error_filters_off: Vec<String>,
    /// Which failed requests are issues.
    pub failed_requests: FailedRequests,
    /// Rules that give errors a fingerprint; the first that matches decides.
    pub grouping_rules: Vec<GroupingRule>,
    /// From when on the last change of `error_filters_off`, `failed_requests` and `grouping_rules` counts, for what is received then:
    /// a minute after it was made. Null when it never changed.
    pub grouping_counts_from: Option<i64>,
    /// Paths (`/checkout/*`) on which an issue matters more.
    pub critical_pages: Vec<String>,
    /// What endpoints and pages are called whose paths these fit: `/products/{product}`. `*` is a segment that stays as it is, `**` at the end all
    /// that follows. The first that fits decides, for what was measured before too.
    pub endpoint_templates: Vec<String>,
}

/// What to change; a member that is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPatch {
    pub name: Option<String>,
    pub disabled: Option<bool>,
    pub allowed_origins: Option<Vec<String>>,
    pub retention_days: Option<u32>,
    pub store_ip: Option<bool>,
    pub sample_rate: Option<f64>,
    pub on_error_sample_rate: Option<f64>,
    pub signal_sample_rate: Option<f64>,
    pub image_hosts: Option<Vec<String>>,
    pub slow_request_ms: Option<u32>,
    pub network_bodies: Option<Vec<String>>,
    pub error_filters_off: Option<Vec<String>>,
    pub failed_requests: Option<FailedRequests>,
    /// At most 50, and 8 KiB of text.
    pub grouping_rules: Option<Vec<GroupingRule>>,
    pub critical_pages: Option<Vec<String>>,
    /// At most 100.
    pub endpoint_templates: Option<Vec<String>>,
}

/// Which failed requests are issues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailedRequests {
    #[default]
    None,
    /// Statuses from 500 on, and those that got no answer.
    Server,
    /// Statuses from 400 on too.
    All,
}

/// Errors that match get the fingerprint, whatever the page gave. Patterns are regular expressions without look-around and
/// back-references, unanchored; an empty one matches all, and one at least is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupingRule {
    /// Of the page's path, or that of a script of the page's own in the stack.
    #[serde(default)]
    pub path: String,
    /// Of the error's type.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Of its first kilobyte.
    #[serde(default)]
    pub message: String,
    /// Errors with the same fingerprint are one issue. 1 to 200 bytes.
    pub fingerprint: String,
}

/// A project to create.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// 1 to 100 characters.
    pub name: String,
    /// As in the project's settings, but from the beginning on: a later change counts after a minute.
    #[serde(default)]
    pub error_filters_off: Vec<String>,
}

/// A project that was created. The secret key is shown here and never again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedProject {
    pub project_id: String,
    pub public_key: String,
    pub secret_key: String,
}

/// All projects that the credential opens.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectList {
    pub items: Vec<Project>,
}

/// A secret key, without the key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SecretKey {
    pub id: String,
    /// Its last four characters.
    pub hint: String,
    pub created_at: i64,
}

/// The secret keys of a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SecretKeyList {
    pub items: Vec<SecretKey>,
}

/// A secret key that was created: shown here and never again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedSecretKey {
    pub secret_key: String,
    pub hint: String,
}

/// Whether and what a project receives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectStatus {
    pub first_event_at: Option<i64>,
    pub last_event_at: Option<i64>,
    /// Since the start of yesterday (UTC).
    pub intake: Intake,
}

/// What was taken in.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Intake {
    pub since: i64,
    pub batches: u64,
    pub bytes: u64,
    pub signals: u64,
    pub dropped_signals: u64,
    pub duplicates: u64,
    pub suppressed: u64,
    pub new_sessions: u64,
    /// Errors that made no issue, by the filter that dropped them. `script_error` needs `crossorigin` on the page's scripts.
    pub filtered_errors: BTreeMap<String, u64>,
    /// By reason.
    pub dead_letters: BTreeMap<String, u64>,
}

/// A batch, or a part of one, that could not be processed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetter {
    pub reason: String,
    pub detail: String,
    pub session_id: Option<String>,
    pub stream_id: Option<String>,
    /// Of the request that brought it.
    pub trace_id: Option<String>,
    pub seq: u64,
    pub received_at: i64,
    pub bytes: u32,
    pub partition: i64,
    pub offset: i64,
}

/// Where the log has a copy of a dead letter's record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReplayedRecord {
    pub partition: u32,
    pub offset: u64,
}

/// Some dead letters, in the order of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetterPage {
    pub items: Vec<DeadLetter>,
    pub next: Option<String>,
}
