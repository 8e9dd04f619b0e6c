//! A channel as the API shows it: without what opens the other side.

use url::Url;

use super::{Channel, Settings};
use crate::model::channel::{AlertChannel, ChannelKind};

/// Characters of a secret that are shown, so that people tell one from the other.
const SHOWN: usize = 4;

pub(crate) fn channel(channel: &Channel) -> AlertChannel {
    let (kind, target, recipients) = match &channel.settings {
        Settings::Webhook { url, .. } => (ChannelKind::Webhook, masked_url(url), Vec::new()),
        Settings::Slack { url } => (ChannelKind::Slack, masked_url(url), Vec::new()),
        Settings::Teams { url } => (ChannelKind::Teams, masked_url(url), Vec::new()),
        Settings::Discord { url } => (ChannelKind::Discord, masked_url(url), Vec::new()),
        Settings::Pagerduty { routing_key, url } => {
            let host = url.as_deref().map_or_else(|| "events.pagerduty.com".to_owned(), host);
            (ChannelKind::Pagerduty, format!("{host}/{}", masked(routing_key)), Vec::new())
        }
        Settings::Jira => (ChannelKind::Jira, "the project's Jira".to_owned(), Vec::new()),
        Settings::Email { recipients } => (ChannelKind::Email, recipients.join(", "), recipients.clone()),
    };
    let secret_hint = match &channel.settings {
        Settings::Webhook { secret, .. } => Some(masked(secret)),
        _ => None,
    };
    AlertChannel {
        id: channel.id.to_string(),
        name: channel.name.clone(),
        kind,
        target,
        recipients,
        secret_hint,
        version: channel.version,
        created_at: channel.created_ms,
        changed_at: channel.changed_ms,
    }
}

fn masked(secret: &str) -> String {
    let skipped = secret.chars().count().saturating_sub(SHOWN);
    format!("…{}", secret.chars().skip(skipped).collect::<String>())
}

fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// Anybody who has such an address may post to it, so it is a secret but for its host.
fn masked_url(url: &str) -> String {
    format!("{}/{}", host(url), masked(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_show_their_host_and_four_characters() {
        assert_eq!(masked_url("https://hooks.slack.com/services/T0/B0/secretXYZ1"), "hooks.slack.com/…XYZ1");
        // A short one has no secret in its end that its host would not have.
        assert_eq!(masked_url("https://a.example/"), "a.example/…ple/");
    }
}
