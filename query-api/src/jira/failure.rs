//! Why Jira did not do what it was asked for.

use std::collections::BTreeMap;

/// Sentences say what people can do. None has a credential in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the project is not connected to Jira; connect it in its settings")]
    NotConnected,
    #[error(
        "Jira does not take the credentials (401): they are wrong or have expired; set new ones in the settings"
    )]
    Credentials,
    #[error(
        "Jira does not let this account do that (403){said}; give it the permission in Jira, or use another account"
    )]
    Forbidden { said: String },
    #[error("Jira does not have it, or the account may not see it (404){said}")]
    NotFound { said: String },
    #[error("Jira refused it: {said}")]
    Refused {
        said: String,
        /// What is wrong, by the id of the field.
        fields: BTreeMap<String, String>,
    },
    #[error("Jira takes no more requests for now (429); try again in {wait_s} s")]
    RateLimited { wait_s: u64 },
    /// `was_sent`: whether Jira may have done it nevertheless.
    #[error("Jira was not reached: {said}")]
    Unreachable { said: String, was_sent: bool },
    #[error("Jira's answer cannot be read: {0}")]
    Unreadable(String),
    #[error(
        "a Jira issue is being created for this issue, or nobody knows whether one was; try again in {wait_s} s: it is looked up first"
    )]
    UnderWay { wait_s: u64 },
    #[error(
        "the Jira issue {0} was deleted, or the account may not see it any more; unlink it to create another one"
    )]
    Gone(String),
    #[error(
        "the Jira issue {key} is in {site}, and the project is connected to another site now; connect it to that one again, or unlink the issue to create another one"
    )]
    OtherSite { key: String, site: String },
    #[error("{0}")]
    NoTransition(String),
    #[error("{0}")]
    NoUser(String),
}

impl Failure {
    /// Whether the same may succeed later without anybody's doing.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Unreadable(_) | Self::UnderWay { .. }
        )
    }

    /// Whether whatever else the site is asked for fails for the same reason.
    pub(crate) const fn is_of_site(&self) -> bool {
        matches!(
            self,
            Self::NotConnected | Self::Credentials | Self::RateLimited { .. } | Self::Unreachable { .. }
        )
    }

    /// Whether Jira may have done it nevertheless.
    pub(crate) const fn is_unsure(&self) -> bool {
        matches!(self, Self::Unreachable { was_sent: true, .. } | Self::Unreadable(_))
    }

    /// Seconds to wait at least, if that is known.
    pub(crate) const fn wait_s(&self) -> Option<u64> {
        match self {
            Self::RateLimited { wait_s } | Self::UnderWay { wait_s } => Some(*wait_s),
            _ => None,
        }
    }

    /// In metrics.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } | Self::Gone(_) => "not_found",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unreachable { .. } => "unreachable",
            Self::Unreadable(_) => "unreadable",
            Self::NotConnected
            | Self::OtherSite { .. }
            | Self::Refused { .. }
            | Self::UnderWay { .. }
            | Self::NoTransition(_)
            | Self::NoUser(_) => "refused",
        }
    }
}
