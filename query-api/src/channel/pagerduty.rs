//! PagerDuty's Events API v2: <https://developer.pagerduty.com/docs/events-api-v2-overview>. A summary has at most 1,024 characters, a
//! de-duplication key 255. 202 means taken, 400 that the event is wrong, 429 and 5xx that a later try may do.

use serde_json::{Map, Value, json};

use super::{Message, Priority, Receipt, SendError, Sender, Transition, text};
use crate::outbound::Call;

const ADDRESS: &str = "https://events.pagerduty.com/v2/enqueue";
const MAX_SUMMARY: usize = 1_024;

pub(crate) async fn send(
    sender: &Sender<'_>,
    url: Option<&str>,
    routing_key: &str,
    message: &Message,
) -> Result<Receipt, SendError> {
    let url = url.unwrap_or(ADDRESS);
    let receipt = enqueue(sender, url, render(routing_key, action(message.transition), message)).await?;
    if message.transition == Transition::Test {
        // Nobody is to be woken by a test for long.
        return enqueue(sender, url, render(routing_key, "resolve", message)).await;
    }
    Ok(receipt)
}

async fn enqueue(sender: &Sender<'_>, url: &str, event: Value) -> Result<Receipt, SendError> {
    sender.post(Call { url, headers: Vec::new(), body: event.to_string().into_bytes() }).await
}

const fn action(transition: Transition) -> &'static str {
    match transition {
        Transition::Triggered | Transition::Escalated | Transition::Test => "trigger",
        Transition::Acknowledged => "acknowledge",
        Transition::Resolved => "resolve",
    }
}

/// The same for everything that happens to one issue by one rule: what is acknowledged or resolved is the incident that was triggered.
fn deduplication_key(message: &Message) -> String {
    let id = if message.transition == Transition::Test { message.id.as_str() } else { "" };
    let subject = [&message.links.rule, "\n", &message.links.subject, "\n", id].concat();
    format!("playhead-{}", &blake3::hash(subject.as_bytes()).to_hex()[..32])
}

fn render(routing_key: &str, action: &str, message: &Message) -> Value {
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": deduplication_key(message),
    });
    if action == "trigger" {
        event["client"] = "Playhead".into();
        event["client_url"] = message.links.subject.clone().into();
        event["links"] = links(message).into();
        event["payload"] = payload(message);
    }
    event
}

fn payload(message: &Message) -> Value {
    let mut details = Map::new();
    details.insert("why".to_owned(), message.why.clone().into());
    details.insert("rule".to_owned(), message.rule.clone().into());
    for (name, value) in &message.facts {
        details.insert(name.clone(), value.clone().into());
    }
    let source = if message.project.is_empty() { "Playhead" } else { &message.project };
    json!({
        "summary": text::shorten(&format!("{}: {}", message.title, message.why), MAX_SUMMARY),
        "source": source,
        "severity": severity(message),
        "timestamp": text::utc(message.since_ms),
        "component": message.culprit,
        "group": message.project,
        "custom_details": details,
    })
}

const fn severity(message: &Message) -> &'static str {
    match (message.transition, message.priority) {
        (Transition::Test, _) => "info",
        (_, Priority::High) => "critical",
        (_, Priority::Medium) => "error",
        (_, Priority::Low) => "warning",
    }
}

fn links(message: &Message) -> Vec<Value> {
    let replay = message.links.replay.as_deref().unwrap_or_default();
    let links =
        [("Issue", message.links.subject.as_str()), ("Replay", replay), ("Rule", &message.links.rule)];
    let given = links.into_iter().filter(|(_, href)| !href.is_empty());
    given.map(|(text, href)| json!({"href": href, "text": text})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;
    use crate::channel::text::cleaned;

    #[test]
    fn a_message_as_an_event() {
        insta::assert_json_snapshot!(render("R0UT1NG", "trigger", &cleaned(&samples::triggered())));
    }

    #[test]
    fn what_is_resolved_is_what_was_triggered() {
        let triggered = samples::triggered();
        let mut resolved =
            Message { id: "other".to_owned(), transition: Transition::Resolved, ..triggered.clone() };
        resolved.links.replay = None;
        let event = render("R", action(resolved.transition), &resolved);
        assert_eq!(event["dedup_key"], render("R", "trigger", &triggered)["dedup_key"]);
        assert_eq!((event["event_action"].as_str(), event.get("payload")), (Some("resolve"), None));
        let mut elsewhere = triggered.clone();
        elsewhere.links.subject.push('x');
        assert_ne!(deduplication_key(&elsewhere), deduplication_key(&triggered));
    }

    #[test]
    fn hostile_texts_fit() {
        let event = render("R", "trigger", &cleaned(&samples::hostile()));
        assert!(event["payload"]["summary"].as_str().unwrap().encode_utf16().count() <= MAX_SUMMARY);
        assert!(event["dedup_key"].as_str().unwrap().len() <= 255);
    }
}
