//! What can be set about the read side.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::channel::mailer::Mailer;
use crate::outbound::AllowList;

/// Settings of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Rows that one request for a list may read before it answers with what it has.
    pub scan_budget_rows: usize,
    /// How long a sign-in lasts in the browser.
    pub sign_in_days: u32,
    /// How long a printed sign-in link works.
    pub sign_in_link_hours: u32,
    /// Wrong tokens that one address may try within a minute.
    pub failed_sign_ins_per_minute: u32,
    /// Bytes of recordings that requests under way may hold at once.
    pub segment_budget_bytes: usize,
    /// Bytes of source maps that are kept ready for the next stack.
    pub source_map_cache_bytes: usize,
    /// Bytes of statistics of past hours and days that are kept ready for the next list of endpoints or pages; 0: none are.
    pub statistics_cache_bytes: usize,
    /// Bytes of issues that are kept in memory for lists, and rules, of projects with many of them; 0: none are, and such lists are partial.
    pub issue_index_bytes: usize,
    /// Source maps that a project may have.
    pub max_source_maps: usize,
    /// Bytes that a project's source maps may take together, as they are stored.
    pub max_source_map_bytes: u64,
    /// Networks (`10.1.0.0/16`) and host names beyond the public network that alerts may call, over plain http and on any port too. Empty: only https to
    /// public hosts on port 443 or 8443.
    pub outbound_allow: Vec<String>,
    pub smtp: Smtp,
}

/// The mail server that sends alerts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// `smtps://user:password@mail.example:465` (TLS) or `smtp://…:587` (STARTTLS, required; `?tls=none` sends in the clear). Special characters of user and
    /// password are percent-encoded. A secret: set it by the environment. Empty: no e-mail.
    #[serde(with = "playhead_domain::secret")]
    pub url: SecretString,
    /// Whom e-mail comes from (`Playhead <alerts@example.com>`).
    pub from: String,
    /// File with a certificate (PEM) that the mail server's is checked against too, beside those of the system.
    pub ca_file: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scan_budget_rows: 5_000,
            sign_in_days: 30,
            sign_in_link_hours: 24,
            failed_sign_ins_per_minute: 20,
            segment_budget_bytes: 256 << 20,
            source_map_cache_bytes: 128 << 20,
            statistics_cache_bytes: 256 << 20,
            issue_index_bytes: 192 << 20,
            max_source_maps: 20_000,
            max_source_map_bytes: 20 << 30,
            outbound_allow: Vec::new(),
            smtp: Smtp::default(),
        }
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn validate(&self) -> Result<(), String> {
        if !(100..=1_000_000).contains(&self.scan_budget_rows) {
            return Err("scan_budget_rows must be 100 to 1000000".to_owned());
        }
        if !(1..=365).contains(&self.sign_in_days) || !(1..=720).contains(&self.sign_in_link_hours) {
            return Err("sign_in_days must be 1 to 365 and sign_in_link_hours 1 to 720".to_owned());
        }
        if self.failed_sign_ins_per_minute == 0 {
            return Err("failed_sign_ins_per_minute must be at least 1".to_owned());
        }
        if self.segment_budget_bytes < crate::replay::LARGEST_SEGMENT_BYTES {
            return Err(format!(
                "segment_budget_bytes must be at least {}",
                crate::replay::LARGEST_SEGMENT_BYTES
            ));
        }
        if self.source_map_cache_bytes < 1 << 20 {
            return Err("source_map_cache_bytes must be at least 1048576".to_owned());
        }
        // More are not looked at by one request.
        if !(1..=50_000).contains(&self.max_source_maps) {
            return Err("max_source_maps must be 1 to 50000".to_owned());
        }
        AllowList::parse(&self.outbound_allow).map_err(|error| format!("outbound_allow: {error}"))?;
        Mailer::new(&self.smtp)?;
        Ok(())
    }
}
