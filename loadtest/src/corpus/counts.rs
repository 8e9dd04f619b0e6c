//! What the signals of a batch count as on the session's page.

use std::ops::AddAssign;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Named as the public API names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) errors: u64,
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
    pub(crate) clicks: u64,
    pub(crate) rage_clicks: u64,
    pub(crate) dead_clicks: u64,
    pub(crate) console_errors: u64,
    pub(crate) navigations: u64,
    pub(crate) custom_events: u64,
}

impl Counts {
    /// Counts NDJSON.
    pub(crate) fn of(signals: &[u8]) -> anyhow::Result<Self> {
        let mut counts = Self::default();
        for line in signals.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            counts.add(&serde_json::from_slice(line).context("a signal is not JSON")?);
        }
        Ok(counts)
    }

    fn add(&mut self, signal: &Value) {
        self.events += 1;
        match signal["k"].as_str().unwrap_or_default() {
            "error" => self.errors += 1,
            "request" => {
                self.requests += 1;
                self.failed_requests += u64::from(has_failed(signal));
            }
            "click" => self.clicks += 1,
            "rage_click" => self.rage_clicks += 1,
            "dead_click" => self.dead_clicks += 1,
            "console" if signal["level"] == "error" => self.console_errors += 1,
            "navigation" => self.navigations += 1,
            "custom" => self.custom_events += 1,
            _ => {}
        }
    }

    /// Name and number of each.
    pub(crate) const fn named(&self) -> [(&'static str, u64); 10] {
        [
            ("events", self.events),
            ("errors", self.errors),
            ("requests", self.requests),
            ("failed_requests", self.failed_requests),
            ("clicks", self.clicks),
            ("rage_clicks", self.rage_clicks),
            ("dead_clicks", self.dead_clicks),
            ("console_errors", self.console_errors),
            ("navigations", self.navigations),
            ("custom_events", self.custom_events),
        ]
    }
}

/// As the documentation defines it: an answer of 400 or above, or none; a request that the page gave up is not one.
fn has_failed(request: &Value) -> bool {
    let outcome = request["outcome"].as_str().unwrap_or_default();
    let bad_status = request["status"].as_f64().is_some_and(|status| status >= 400.0);
    outcome != "aborted" && (bad_status || matches!(outcome, "http_error" | "network_error" | "timeout"))
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.errors += other.errors;
        self.requests += other.requests;
        self.failed_requests += other.failed_requests;
        self.clicks += other.clicks;
        self.rage_clicks += other.rage_clicks;
        self.dead_clicks += other.dead_clicks;
        self.console_errors += other.console_errors;
        self.navigations += other.navigations;
        self.custom_events += other.custom_events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fail_by_status_or_outcome_unless_aborted() {
        let lines = br#"{"k":"request","outcome":"ok","status":200}
{"k":"request","outcome":"http_error","status":502}
{"k":"request","outcome":"timeout"}
{"k":"request","outcome":"aborted","status":500}
{"k":"error"}
{"k":"console","level":"warn"}
"#;
        let counts = Counts::of(lines).unwrap();
        assert_eq!((counts.events, counts.requests, counts.failed_requests, counts.errors), (6, 4, 2, 1));
        assert_eq!(counts.console_errors, 0);
    }
}
