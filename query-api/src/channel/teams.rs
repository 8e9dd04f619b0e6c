//! Microsoft Teams: an Adaptive Card for a workflow that begins "when a Teams webhook request is received" (Power Automate). Format:
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>; a message of more than 28 KB is
//! refused.

use serde_json::{Value, json};

use super::{Message, Priority, Receipt, SendError, Sender, Transition, text};
use crate::outbound::Call;

/// Below 28 KB, with room for what Teams adds.
const MAX_BYTES: usize = 24 << 10;

pub(crate) async fn send(sender: &Sender<'_>, url: &str, message: &Message) -> Result<Receipt, SendError> {
    let body = within(message).to_string().into_bytes();
    sender.post(Call { url, headers: vec![("idempotency-key", message.id.clone())], body }).await
}

/// Facts go first when it gets too long.
fn within(message: &Message) -> Value {
    let mut message = message.clone();
    loop {
        let card = render(&message);
        if card.to_string().len() <= MAX_BYTES || message.facts.pop().is_none() {
            return card;
        }
    }
}

fn render(message: &Message) -> Value {
    let mut body = vec![
        rich(vec![json!({
            "type": "TextRun", "text": label(message.transition), "weight": "Bolder", "color": color(message), "size": "Small",
        })]),
        rich(vec![json!({"type": "TextRun", "text": message.title, "weight": "Bolder", "size": "Large"})]),
    ];
    if !message.culprit.is_empty() {
        body.push(rich(vec![json!({"type": "TextRun", "text": message.culprit, "fontType": "Monospace"})]));
    }
    body.push(rich(vec![json!({"type": "TextRun", "text": message.why})]));
    for (name, value) in &message.facts {
        let name = json!({"type": "TextRun", "text": format!("{name}: "), "weight": "Bolder"});
        body.push(rich(vec![name, json!({"type": "TextRun", "text": value})]));
    }
    let origin =
        format!("{} · rule {} · since {}", message.project, message.rule, text::readable(message.since_ms));
    body.push(rich(vec![json!({"type": "TextRun", "text": origin, "isSubtle": true, "size": "Small"})]));
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard", "version": "1.4", "msteams": {"width": "Full"},
        "body": body, "actions": actions(message),
    });
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card});
    json!({"type": "message", "attachments": [attachment]})
}

/// Text runs are shown as they are; text blocks and fact sets would read Markdown.
fn rich(runs: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs, "spacing": "Small"})
}

const fn label(transition: Transition) -> &'static str {
    match transition {
        Transition::Triggered => "Alert",
        Transition::Escalated => "Not acknowledged",
        Transition::Acknowledged => "Acknowledged",
        Transition::Resolved => "Resolved",
        Transition::Test => "Test",
    }
}

const fn color(message: &Message) -> &'static str {
    match (message.transition, message.priority) {
        (Transition::Resolved, _) => "Good",
        (Transition::Acknowledged | Transition::Test, _) => "Accent",
        (Transition::Triggered | Transition::Escalated, Priority::High) => "Attention",
        (Transition::Triggered | Transition::Escalated, _) => "Warning",
    }
}

fn actions(message: &Message) -> Vec<Value> {
    let action =
        |(_, title, url): (_, &str, &str)| json!({"type": "Action.OpenUrl", "title": title, "url": url});
    message.links.labelled().map(action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;
    use crate::channel::text::cleaned;

    #[test]
    fn a_message_as_an_adaptive_card() {
        insta::assert_json_snapshot!(within(&cleaned(&samples::triggered())));
    }

    #[test]
    fn what_happened_is_said() {
        samples::assert_what_happened_is_said(|message| within(message).to_string());
    }

    #[test]
    fn hostile_texts_are_only_in_text_runs_and_the_card_fits() {
        let card = within(&cleaned(&samples::hostile()));
        assert!(card.to_string().len() <= MAX_BYTES);
        let body = card["attachments"][0]["content"]["body"].as_array().unwrap();
        assert!(body.iter().all(|block| block["type"] == "RichTextBlock"), "{card}");
    }
}
