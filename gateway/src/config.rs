//! The gateway's settings.

use std::time::Duration;

use ipnet::IpNet;
use playhead_domain::topic;
use playhead_proto::limits;
use serde::{Deserialize, Serialize};

/// How ingest is bounded. Every size is in bytes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Topic that batches are appended to: what `batches` says, for all services alike.
    #[serde(skip)]
    pub batches_topic: String,
    /// All bodies under way together, from before the first byte is read until the log has answered. A log that copies what it is
    /// given (Kafka's producer) holds the copy in place of the original, so this and its queue are what memory must have room for.
    pub body_budget_bytes: usize,
    /// A body may arrive this slowly for [`Config::slow_body_grace_ms`], then must keep this average rate.
    pub min_body_rate_bytes_per_s: u32,
    pub slow_body_grace_ms: u64,
    /// The latest moment at which a body is complete.
    pub body_deadline_ms: u64,
    /// How long the log may take to make a batch durable before the sender is told to come back. More than the log's own limit, so that
    /// the log is the one to say what is wrong; browsers wait 30 s.
    pub append_timeout_ms: u64,
    /// When nothing was appended for this long although batches wait, the log is taken to be away: all but a few further batches are
    /// refused at once, until one is appended. More than Kafka takes to replace a broker that is lost.
    pub append_stall_ms: u64,
    /// What `Retry-After` says when the budget is used up or the log does not take records.
    pub retry_after_s: u32,
    /// Life of a session token.
    pub token_life_s: u32,
    /// How long one token key signs before the next takes over. The previous one stays good.
    pub token_key_rotation_s: u64,
    /// A session that is idle for longer ends; told to the SDK. The stream-processor has the same setting.
    pub session_idle_ms: u64,
    /// Peers whose `X-Forwarded-For` is believed, as addresses with prefix length (`10.0.0.0/8`).
    pub trusted_proxies: Vec<IpNet>,
    /// What one project, and one session, may send to this process.
    pub quota: Quota,
}

/// Rates that a project or a session may keep up, and how much it may send at once after a pause. Every gateway process counts for
/// itself: behind a balancer that spreads requests evenly, n processes let n times as much through.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Bytes a second that one project may keep up, per gateway process.
    pub rate_bytes_per_s: u64,
    /// Bytes that one project may send at once after a pause, per gateway process.
    pub burst_bytes: u64,
    /// Requests a second that one project may keep up, per gateway process.
    pub rate_requests_per_s: u64,
    /// Requests that one project may send at once after a pause, per gateway process.
    pub burst_requests: u64,
    /// Bytes a second that one session may keep up, all its tabs together, per gateway process.
    pub session_rate_bytes_per_s: u64,
    /// Bytes that one session may send at once after a pause, per gateway process.
    pub session_burst_bytes: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            rate_bytes_per_s: 256 << 20,
            burst_bytes: 1 << 30,
            rate_requests_per_s: 50_000,
            burst_requests: 200_000,
            // A busy page sends some 20 KB a second.
            session_rate_bytes_per_s: 1 << 20,
            // The largest event there may be, in parts.
            session_burst_bytes: limits::MAX_JOINED_BYTES as u64,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            batches_topic: topic::BATCHES.to_owned(),
            body_budget_bytes: 96 << 20,
            min_body_rate_bytes_per_s: 4 << 10,
            slow_body_grace_ms: 5_000,
            body_deadline_ms: 60_000,
            append_timeout_ms: 25_000,
            append_stall_ms: 20_000,
            retry_after_s: 2,
            token_life_s: 900,
            token_key_rotation_s: 86_400,
            session_idle_ms: 1_800_000,
            trusted_proxies: Vec::new(),
            quota: Quota::default(),
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway.{field}: {detail}")]
pub struct ConfigError {
    pub field: &'static str,
    pub detail: String,
}

impl Config {
    /// Checks the settings against each other and against the wire's limits.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let at_least = |field, value: u64, least: u64| {
            let detail = format!("is {value}, must be at least {least}");
            if value < least { Err(ConfigError { field, detail }) } else { Ok(()) }
        };
        let body = limits::MAX_BODY_BYTES as u64;
        at_least("body_budget_bytes", self.body_budget_bytes as u64, body)?;
        at_least("min_body_rate_bytes_per_s", self.min_body_rate_bytes_per_s.into(), 1)?;
        at_least("body_deadline_ms", self.body_deadline_ms, 1)?;
        at_least("append_timeout_ms", self.append_timeout_ms, 1)?;
        at_least("append_stall_ms", self.append_stall_ms, 1)?;
        at_least("retry_after_s", self.retry_after_s.into(), 1)?;
        at_least("token_life_s", self.token_life_s.into(), 1)?;
        // The previous key must outlive every token that it signed.
        at_least("token_key_rotation_s", self.token_key_rotation_s, self.token_life_s.into())?;
        at_least("session_idle_ms", self.session_idle_ms, 1)?;
        at_least("quota.rate_bytes_per_s", self.quota.rate_bytes_per_s, 1)?;
        at_least("quota.burst_bytes", self.quota.burst_bytes, body)?;
        at_least("quota.rate_requests_per_s", self.quota.rate_requests_per_s, 1)?;
        at_least("quota.burst_requests", self.quota.burst_requests, 1)?;
        at_least("quota.session_rate_bytes_per_s", self.quota.session_rate_bytes_per_s, 1)?;
        at_least("quota.session_burst_bytes", self.quota.session_burst_bytes, body)
    }

    pub(crate) const fn append_timeout(&self) -> Duration {
        Duration::from_millis(self.append_timeout_ms)
    }
}
