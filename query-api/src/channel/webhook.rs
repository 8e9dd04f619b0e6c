//! Any web hook: JSON, signed. The format is documented in `docs/alerts-channels.md`; members are only ever added to it.

use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;

use super::{Message, Receipt, SendError, Sender, text};
use crate::outbound::Call;

#[derive(Serialize)]
struct Body<'a> {
    /// Of this format.
    version: u32,
    id: &'a str,
    transition: &'static str,
    priority: &'static str,
    project: &'a str,
    rule: &'a str,
    title: &'a str,
    culprit: &'a str,
    why: &'a str,
    facts: Vec<Fact<'a>>,
    since: String,
    since_ms: i64,
    links: Links<'a>,
}

#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Links<'a> {
    subject: &'a str,
    replay: Option<&'a str>,
    rule: &'a str,
}

pub(crate) async fn send(
    sender: &Sender<'_>,
    url: &str,
    secret: &str,
    message: &Message,
) -> Result<Receipt, SendError> {
    let body = render(message)?;
    let headers = vec![
        ("playhead-signature", signature(secret, sender.now_ms.div_euclid(1_000), &body)?),
        ("idempotency-key", message.id.clone()),
    ];
    sender.post(Call { url, headers, body }).await
}

fn render(message: &Message) -> Result<Vec<u8>, SendError> {
    let body = Body {
        version: 1,
        id: &message.id,
        transition: message.transition.name(),
        priority: message.priority.name(),
        project: &message.project,
        rule: &message.rule,
        title: &message.title,
        culprit: &message.culprit,
        why: &message.why,
        facts: message.facts.iter().map(|(name, value)| Fact { name, value }).collect(),
        since: text::utc(message.since_ms),
        since_ms: message.since_ms,
        links: Links {
            subject: &message.links.subject,
            replay: message.links.replay.as_deref(),
            rule: &message.links.rule,
        },
    };
    serde_json::to_vec(&body).map_err(|error| SendError::permanent(error.to_string()))
}

/// `t=<seconds>,v1=<hex>`: HMAC-SHA256 with the channel's secret over the seconds, a dot and the body.
fn signature(secret: &str, time_s: i64, body: &[u8]) -> Result<String, SendError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|error| SendError::permanent(error.to_string()))?;
    mac.update(time_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("t={time_s},v1={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value is what `printf '1767268800.{}' | openssl dgst -sha256 -hmac whsec_test` says.
    #[test]
    fn signatures_are_hmac_sha256_as_others_compute_it() {
        let signature = signature("whsec_test", 1_767_268_800, b"{}").unwrap();
        assert_eq!(
            signature,
            "t=1767268800,v1=cc0d110a39277a8f9af5f986213c58e72f38beed0ff564e0e1d2ab3d3f45db6c"
        );
    }
}
