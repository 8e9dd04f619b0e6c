//! What the API answers with. Every type is part of the OpenAPI document.

pub mod alert;
pub mod channel;
pub mod issue;
pub mod jira;
pub mod performance;
pub mod project;
pub mod replay;
pub mod session;
pub mod source_map;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who asks, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    pub name: String,
    pub installation: Installation,
}

/// The installation that answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Installation {
    pub version: String,
    /// Where batches go and the script is.
    pub ingest_url: String,
    /// The demo shop, when it is on.
    pub demo_url: Option<String>,
}

/// The token of a printed sign-in link, or the administrator's token.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub token: String,
}

/// How much an erasure reached.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasedUser {
    /// Sessions that were erased.
    pub sessions: u64,
}

/// A problem as RFC 9457 has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:playhead:problem:<code>`
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// The field to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// With code `jira-refused`: what is wrong, by the id of Jira's field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// With code `unavailable`: what does not answer, `store` (lists and time lines), `blobs` (recordings and source maps) or `log` (changes of projects).
    /// The rest of the API goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}
