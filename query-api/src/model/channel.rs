//! Channels of alerts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a channel leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Webhook,
    Slack,
    Teams,
    Pagerduty,
    Discord,
    Email,
    Jira,
}

/// A channel, without its secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertChannel {
    pub id: String,
    pub name: String,
    pub kind: ChannelKind,
    /// Where it leads: host and the last four characters of the address or key; of e-mail the addresses.
    pub target: String,
    /// Of e-mail.
    pub recipients: Vec<String>,
    /// Of a web hook: the last four characters of what signs it.
    pub secret_hint: Option<String>,
    /// Grows with every change; send it as `If-Match` to change only what you have seen.
    pub version: u64,
    pub created_at: i64,
    pub changed_at: i64,
}

/// The channels of a project, oldest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertChannelList {
    pub items: Vec<AlertChannel>,
}

/// A channel that was created or changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SavedChannel {
    pub channel: AlertChannel,
    /// Of a web hook whose secret was made now: shown in this answer and never again.
    pub signing_secret: Option<String>,
}

/// A channel to create.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    pub name: String,
    pub settings: ChannelSettings,
}

/// What to change; a member that is left out stays as it is.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelPatch {
    pub name: Option<String>,
    /// Replaces all of it, secrets too.
    pub settings: Option<ChannelSettings>,
}

/// What each kind needs. Addresses are https, on the public network unless the operator allows others.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChannelSettings {
    /// Any web hook: signed JSON.
    Webhook {
        url: String,
        /// 16 to 256 visible ASCII characters; left out, one is made.
        secret: Option<String>,
    },
    /// Slack's incoming web hook, or one that understands its format.
    Slack {
        url: String,
    },
    /// A workflow of Microsoft Teams that begins with a web hook.
    Teams {
        url: String,
    },
    Pagerduty {
        /// The integration key of an Events API v2 integration.
        routing_key: String,
        /// Left out: `https://events.pagerduty.com/v2/enqueue`. In the EU `https://events.eu.pagerduty.com/v2/enqueue`.
        url: Option<String>,
    },
    Discord {
        url: String,
    },
    /// By the installation's mail server.
    Email {
        /// At most 20.
        recipients: Vec<String>,
    },
    /// Creates issues in the project's Jira, with what its connection has as defaults.
    Jira {},
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelTest {
    /// The other side took it.
    pub delivered: bool,
    /// What it said, or why it was not reached.
    pub detail: String,
    /// The HTTP status of its answer.
    pub status: Option<u16>,
    /// A later try may succeed.
    pub retryable: bool,
}
