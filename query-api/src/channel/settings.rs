//! What a channel needs to be told, each value within its bounds.

use std::fmt;

use lettre::Address;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::model::channel::ChannelSettings;
use crate::outbound::{AllowList, check_target};

const MAX_RECIPIENTS: usize = 20;
/// RFC 5321, 4.5.3.1.3: what fits a path of 256 with its brackets.
const MAX_ADDRESS_BYTES: usize = 254;
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 16..=256;

/// The kind of a channel with its secrets. Stored as JSON, sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Settings {
    Webhook {
        url: String,
        secret: String,
    },
    Slack {
        url: String,
    },
    Teams {
        url: String,
    },
    Pagerduty {
        routing_key: String,
        url: Option<String>,
    },
    Discord {
        url: String,
    },
    Email {
        recipients: Vec<String>,
    },
    /// By the project's connection.
    Jira,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(…)")
    }
}

impl Settings {
    /// What was given, checked. A web hook without a secret gets one.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] that names the field.
    pub(crate) fn checked(given: ChannelSettings, allow: &AllowList) -> Result<Self, ApiError> {
        Ok(match given {
            ChannelSettings::Webhook { url, secret } => {
                Self::Webhook { url: checked_url(url, allow)?, secret: checked_secret(secret)? }
            }
            ChannelSettings::Slack { url } => Self::Slack { url: checked_url(url, allow)? },
            ChannelSettings::Teams { url } => Self::Teams { url: checked_url(url, allow)? },
            ChannelSettings::Discord { url } => Self::Discord { url: checked_url(url, allow)? },
            ChannelSettings::Pagerduty { routing_key, url } => Self::Pagerduty {
                routing_key: checked_key(&routing_key)?,
                url: url.map(|url| checked_url(url, allow)).transpose()?,
            },
            ChannelSettings::Email { recipients } => {
                Self::Email { recipients: checked_recipients(&recipients)? }
            }
            ChannelSettings::Jira {} => Self::Jira,
        })
    }
}

fn checked_url(url: String, allow: &AllowList) -> Result<String, ApiError> {
    let url = url.trim().to_owned();
    match check_target(&url, allow) {
        Ok(_) => Ok(url),
        Err(refused) => Err(ApiError::bad("settings.url", refused.to_string())),
    }
}

fn checked_secret(secret: Option<String>) -> Result<String, ApiError> {
    let Some(secret) = secret else { return new_secret() };
    if SECRET_BYTES.contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(secret);
    }
    Err(ApiError::bad("settings.secret", "must be 16 to 256 visible ASCII characters; left out, one is made"))
}

fn new_secret() -> Result<String, ApiError> {
    let hex: String = crate::random::bytes::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("whsec_{hex}"))
}

fn checked_key(key: &str) -> Result<String, ApiError> {
    let key = key.trim();
    if (8..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(key.to_owned());
    }
    Err(ApiError::bad(
        "settings.routing_key",
        "must be the integration key of an Events API v2 integration: 32 letters and digits",
    ))
}

fn checked_recipients(recipients: &[String]) -> Result<Vec<String>, ApiError> {
    const FIELD: &str = "settings.recipients";
    let mut checked: Vec<String> = Vec::new();
    for recipient in recipients.iter().map(|recipient| recipient.trim()) {
        if recipient.len() > MAX_ADDRESS_BYTES || recipient.parse::<Address>().is_err() {
            return Err(ApiError::bad(FIELD, format!("`{recipient}` is not an e-mail address")));
        }
        if !checked.iter().any(|known| known.eq_ignore_ascii_case(recipient)) {
            checked.push(recipient.to_owned());
        }
    }
    if (1..=MAX_RECIPIENTS).contains(&checked.len()) {
        return Ok(checked);
    }
    Err(ApiError::bad(FIELD, format!("must be 1 to {MAX_RECIPIENTS} addresses")))
}
