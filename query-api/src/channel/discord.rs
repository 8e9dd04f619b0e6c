//! Discord's web hooks: <https://discord.com/developers/docs/resources/webhook#execute-webhook>. An embed has a title of 256 characters, a
//! description of 4,096, 25 fields of 256 and 1,024, and 6,000 in all.

use serde_json::{Value, json};

use super::{Message, Priority, Receipt, SendError, Sender, Transition, text};
use crate::outbound::Call;

const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 1_500;
const MAX_FIELD_NAME: usize = 100;
const MAX_FIELD_VALUE: usize = 200;
const MAX_FOOTER: usize = 300;

pub(crate) async fn send(sender: &Sender<'_>, url: &str, message: &Message) -> Result<Receipt, SendError> {
    let body = render(message).to_string().into_bytes();
    let url = &waiting(url);
    sender.post(Call { url, headers: Vec::new(), body }).await
}

/// With `wait=true` Discord answers when the message is there, not when it was asked for.
fn waiting(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else { return url.to_owned() };
    if !url.query_pairs().any(|(name, _)| name == "wait") {
        url.query_pairs_mut().append_pair("wait", "true");
    }
    url.into()
}

fn render(message: &Message) -> Value {
    let mut embed = json!({
        "title": marked(&format!("{}{}", message.transition.prefix(), message.title), MAX_TITLE),
        "url": message.links.subject,
        "description": description(message),
        "color": color(message),
        "timestamp": text::utc(message.since_ms),
        "footer": {"text": text::shorten(&format!("{} · rule {}", message.project, message.rule), MAX_FOOTER)},
    });
    let fields = message.facts.iter().map(|(name, value)| field(name, value));
    embed["fields"] = fields.collect::<Vec<_>>().into();
    // Whatever a title has in it, nobody is called.
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

fn field(name: &str, value: &str) -> Value {
    let given = |text: String| if text.is_empty() { "–".to_owned() } else { text };
    json!({
        "name": given(marked(name, MAX_FIELD_NAME)),
        "value": given(marked(value, MAX_FIELD_VALUE)),
        "inline": true,
    })
}

fn description(message: &Message) -> String {
    let mut text = marked(&message.why, MAX_DESCRIPTION);
    if !message.culprit.is_empty() {
        text.push_str(&format!("\nin {}", marked(&message.culprit, MAX_TITLE)));
    }
    let links: Vec<String> = message
        .links
        .labelled()
        .filter(|(.., url)| url.len() <= 400 && !url.contains(['(', ')', ' ', '<', '>']))
        .map(|(_, label, url)| format!("[{label}]({url})"))
        .collect();
    if !links.is_empty() {
        text.push_str(&format!("\n{}", links.join(" · ")));
    }
    text
}

/// Markdown, links, addresses of their own (the colon is escaped) and mentions read as the characters that they are.
fn marked(text: &str, limit: usize) -> String {
    text::escaped(text, limit, |text| {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii_punctuation()
                && !matches!(c, '.' | ',' | '\'' | '"' | '/' | '=' | '%' | '$' | ';' | '?' | '&')
            {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        escaped
    })
}

const fn color(message: &Message) -> u32 {
    match (message.transition, message.priority) {
        (Transition::Resolved, _) => 0x002f_9e44,
        (Transition::Acknowledged | Transition::Test, _) => 0x001c_7ed6,
        (Transition::Triggered | Transition::Escalated, Priority::High) => 0x00e0_3131,
        (Transition::Triggered | Transition::Escalated, Priority::Medium) => 0x00f0_8c00,
        (Transition::Triggered | Transition::Escalated, Priority::Low) => 0x0086_8e96,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;
    use crate::channel::text::cleaned;

    #[test]
    fn a_message_as_an_embed() {
        insta::assert_json_snapshot!(render(&cleaned(&samples::triggered())));
    }

    #[test]
    fn the_address_waits_for_the_message() {
        assert_eq!(waiting("https://d.example/w/1"), "https://d.example/w/1?wait=true");
        assert_eq!(
            waiting("https://d.example/w/1?thread_id=7"),
            "https://d.example/w/1?thread_id=7&wait=true"
        );
        assert_eq!(waiting("https://d.example/w/1?wait=false"), "https://d.example/w/1?wait=false");
    }

    #[test]
    fn what_happened_is_said() {
        samples::assert_what_happened_is_said(|message| render(message).to_string());
    }

    #[test]
    fn hostile_texts_call_nobody_link_nowhere_and_fit() {
        let rendered = render(&cleaned(&samples::hostile()));
        let embed = &rendered["embeds"][0];
        let mut all = 0;
        let mut count = |value: &Value, limit: usize| {
            let length = value.as_str().unwrap().encode_utf16().count();
            assert!((1..=limit).contains(&length), "{value}");
            all += length;
        };
        count(&embed["title"], 256);
        count(&embed["description"], 4_096);
        count(&embed["footer"]["text"], 2_048);
        for field in embed["fields"].as_array().unwrap() {
            count(&field["name"], 256);
            count(&field["value"], 1_024);
        }
        assert!(all <= 6_000, "{all}");
        assert_eq!(rendered["allowed_mentions"]["parse"], json!([]));
        let title = embed["title"].as_str().unwrap();
        assert!(!title.contains("](http") && !title.contains("https://evil"), "{title}");
    }
}
