//! Slack's incoming web hooks: Block Kit. Limits: <https://docs.slack.dev/reference/block-kit/blocks> (header 150 characters, section
//! 3,000, ten fields of 2,000, button's text 75 and address 3,000); escaping: <https://docs.slack.dev/messaging/formatting-message-text>.

use serde_json::{Value, json};

use super::{Message, Receipt, SendError, Sender, text};
use crate::outbound::Call;

const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3_000;
const MAX_FIELD: usize = 2_000;
const MAX_URL: usize = 3_000;
const MAX_FALLBACK: usize = 1_000;

pub(crate) async fn send(sender: &Sender<'_>, url: &str, message: &Message) -> Result<Receipt, SendError> {
    let body = render(message).to_string().into_bytes();
    let call = Call { url, headers: vec![("idempotency-key", message.id.clone())], body };
    sender.post(call).await
}

fn render(message: &Message) -> Value {
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&heading(message), MAX_HEADER)}),
        json!({"type": "section", "text": plain(&described(message), MAX_SECTION)}),
    ];
    if !message.facts.is_empty() {
        let fields: Vec<Value> = message.facts.iter().map(|(name, value)| field(name, value)).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let buttons = buttons(message);
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    blocks.push(json!({"type": "context", "elements": [plain(&origin(message), MAX_FIELD)]}));
    json!({"text": text::escaped(&heading(message), MAX_FALLBACK, escape), "blocks": blocks})
}

fn heading(message: &Message) -> String {
    [message.transition.prefix(), &message.title].concat()
}

fn described(message: &Message) -> String {
    match message.culprit.as_str() {
        "" => message.why.clone(),
        culprit => format!("{}\nin {culprit}", message.why),
    }
}

fn origin(message: &Message) -> String {
    let priority = message.priority.name();
    format!(
        "{} · rule {} · {priority} priority · since {}",
        message.project,
        message.rule,
        text::readable(message.since_ms)
    )
}

/// Shown as it is: no mentions, no emphasis, no links. Slack asks for the escapes in every text.
fn plain(text: &str, limit: usize) -> Value {
    let text = if text.is_empty() { " " } else { text };
    json!({"type": "plain_text", "emoji": false, "text": text::escaped(text, limit, escape)})
}

fn field(name: &str, value: &str) -> Value {
    plain(&format!("{name}: {value}"), MAX_FIELD)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn buttons(message: &Message) -> Vec<Value> {
    let fitting = message.links.labelled().filter(|(.., url)| url.len() <= MAX_URL);
    let made = fitting.map(|(id, label, url)| {
        let mut button = json!({
            "type": "button", "action_id": id, "url": url,
            "text": {"type": "plain_text", "emoji": false, "text": label},
        });
        if id == "issue" {
            button["style"] = "primary".into();
        }
        button
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;
    use crate::channel::text::cleaned;

    #[test]
    fn a_message_in_blocks() {
        insta::assert_json_snapshot!(render(&cleaned(&samples::triggered())));
    }

    #[test]
    fn what_happened_is_said() {
        samples::assert_what_happened_is_said(|message| render(message).to_string());
    }

    #[test]
    fn hostile_texts_mention_nobody_and_fit() {
        let hostile = cleaned(&samples::hostile());
        let rendered = render(&hostile);
        let blocks = rendered["blocks"].as_array().unwrap();
        let header = blocks[0]["text"]["text"].as_str().unwrap();
        assert!(header.encode_utf16().count() <= MAX_HEADER, "{header}");
        let texts = rendered.to_string();
        assert!(!texts.contains("<!channel>") && texts.contains("&lt;!channel&gt;"), "{texts}");
        assert!(!texts.contains("mrkdwn"), "nothing is read as markup");
        assert!(blocks[2]["fields"].as_array().unwrap().len() <= 10);
    }
}
