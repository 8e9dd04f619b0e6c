//! Where alerts go: the channels of a project, and how each kind of them tells a message.
//!
//! Deliberately absent: what is told when, and trying again (see alerts). A message is sent once here; who called learns whether
//! another try may succeed.

mod answer;
mod discord;
mod email;
pub(crate) mod mailer;
mod pagerduty;
pub(crate) mod present;
mod repository;
pub(crate) mod routes;
#[cfg(test)]
mod samples;
mod settings;
mod slack;
mod teams;
pub(crate) mod tests_sent;
pub(crate) mod text;
mod webhook;

use playhead_domain::id::ChannelId;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::scope::Scope;

pub(crate) use settings::Settings;

use crate::error::ApiError;
use crate::jira;
use crate::outbound::Outbound;
use crate::state::Api;
use mailer::Mailer;

/// What happened to a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    Triggered,
    /// Nobody acknowledged it in time: it is told to others.
    Escalated,
    Acknowledged,
    Resolved,
    /// Somebody tries the channel.
    Test,
}

impl Transition {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }

    /// Before a title; what triggered speaks for itself.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Triggered => "",
            Self::Escalated => "Not acknowledged: ",
            Self::Acknowledged => "Acknowledged: ",
            Self::Resolved => "Resolved: ",
            Self::Test => "Test: ",
        }
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    High,
    Medium,
    Low,
}

impl Priority {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Absolute addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// What broke: the issue.
    pub subject: String,
    /// The best recording of it, at the moment.
    pub replay: Option<String>,
    pub rule: String,
}

impl Links {
    /// Those that there are, for buttons: what each leads to, what it says, and the address.
    fn labelled(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        let links = [
            ("issue", "Open issue", self.subject.as_str()),
            ("replay", "Watch replay", self.replay.as_deref().unwrap_or_default()),
            ("rule", "Rule", &self.rule),
        ];
        links.into_iter().filter(|(.., url)| !url.is_empty())
    }
}

/// What is told. Built by alerts; rendered by each kind of channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One firing's identity: the same for every try, used as the idempotency key.
    pub id: String,
    pub transition: Transition,
    pub priority: Priority,
    /// The project's name.
    pub project: String,
    /// The rule's name.
    pub rule: String,
    /// What broke.
    pub title: String,
    /// Where; may be empty.
    pub culprit: String,
    /// The condition that was met, in a sentence.
    pub why: String,
    /// For how many, since when, in which release.
    pub facts: Vec<(String, String)>,
    pub since_ms: i64,
    pub links: Links,
    /// The issue that it is about, if it is about one.
    pub issue: Option<Fingerprint>,
    /// Recipients of its channel who have it from an earlier try, by what [`email::mark`] makes of them.
    pub taken: Vec<String>,
}

/// A channel with its secrets, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) created_ms: i64,
    pub(crate) changed_ms: i64,
    pub(crate) version: u64,
}

/// It was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// What the other side said, for people.
    pub(crate) sentence: String,
    /// The HTTP status, if there was one.
    pub(crate) status: Option<u16>,
}

/// It was not taken, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct SendError {
    /// Why, for people. Has no secret in it.
    pub(crate) sentence: String,
    pub(crate) status: Option<u16>,
    pub(crate) retryable: bool,
    /// When a later try may be made at the earliest, if the other side said so.
    pub(crate) not_before_ms: Option<i64>,
    /// Recipients who have it nevertheless: see [`Message::taken`].
    pub(crate) taken: Vec<String>,
}

impl SendError {
    /// Whether a later try may succeed.
    pub(crate) const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// What no later try changes.
    pub(crate) fn permanent(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            status: None,
            retryable: false,
            not_before_ms: None,
            taken: Vec::new(),
        }
    }
}

/// What sending needs.
pub(crate) struct Sender<'a> {
    pub(crate) outbound: &'a Outbound,
    pub(crate) mailer: Option<&'a Mailer>,
    pub(crate) now_ms: i64,
}

/// Sends a message once.
///
/// # Errors
/// [`SendError`]: whether a later try may succeed, when at the earliest, and in a sentence for people why it failed.
pub(crate) async fn send(
    api: &Api,
    scope: Scope,
    channel: &Channel,
    message: &Message,
) -> Result<Receipt, SendError> {
    if channel.settings == Settings::Jira {
        return jira::tell::send(api, scope, &text::cleaned(message)).await;
    }
    let (outbound, mailer) = (&api.0.outbound, api.0.mailer.as_ref());
    Sender { outbound, mailer, now_ms: api.now_ms() }.send(&channel.settings, message).await
}

impl Sender<'_> {
    async fn send(&self, settings: &Settings, message: &Message) -> Result<Receipt, SendError> {
        let message = &text::cleaned(message);
        match settings {
            Settings::Webhook { url, secret } => webhook::send(self, url, secret, message).await,
            Settings::Slack { url } => slack::send(self, url, message).await,
            Settings::Teams { url } => teams::send(self, url, message).await,
            Settings::Pagerduty { url, routing_key } => {
                pagerduty::send(self, url.as_deref(), routing_key, message).await
            }
            Settings::Discord { url } => discord::send(self, url, message).await,
            Settings::Email { recipients } => email::send(self, recipients, message).await,
            // It needs the project's connection: see `send`.
            Settings::Jira => Err(SendError::permanent("Jira is told by its connection")),
        }
    }
}

/// The project's channel of that id, if there is one.
///
/// # Errors
/// The store's, and [`ApiError::Corrupt`] when its secrets do not open.
pub(crate) async fn load(api: &Api, scope: Scope, id: ChannelId) -> Result<Option<Channel>, ApiError> {
    repository::find(api, scope, id).await
}
