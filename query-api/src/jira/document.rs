//! What a Jira issue says, in the Atlassian document format (Cloud) and in wiki markup (Data Center).
//!
//! Titles and source lines come from browsers of strangers. A text of a document is never read as markup; wiki markup is, so each
//! character that it knows is written as a numeric entity there.

use serde_json::{Value, json};

use crate::channel::text;

/// Jira takes 255 characters.
const MAX_SUMMARY: usize = 250;
const MAX_LINE: usize = 500;

/// What is told of an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) title: String,
    pub(crate) culprit: String,
    /// Place and code of the line that failed, as it was written.
    pub(crate) source: Option<(String, String)>,
    /// Why it is told now; may be empty.
    pub(crate) why: String,
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) issue_url: String,
    pub(crate) replay_url: Option<String>,
    /// By what the issue is looked up; may be empty.
    pub(crate) marker: String,
}

impl Story {
    /// One line.
    pub(crate) fn summary(&self) -> String {
        match text::line(&self.title, MAX_SUMMARY) {
            title if title.is_empty() => "(no title)".to_owned(),
            title => title,
        }
    }

    fn links(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let replay = self
            .replay_url
            .as_deref()
            .map(|url| ("Watch the replay, from ten seconds before the error", url));
        replay.into_iter().chain([("Issue in Playhead", self.issue_url.as_str())])
    }

    fn reference(&self) -> Option<String> {
        (!self.marker.is_empty()).then(|| format!("Playhead reference {}", self.marker))
    }

    /// As a document: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.
    pub(crate) fn adf(&self) -> Value {
        let mut content = vec![paragraph(vec![strong(&self.summary())])];
        let mut say = |line: String| {
            if !line.is_empty() {
                content.push(paragraph(vec![plain(&line)]));
            }
        };
        say(text::line(&self.why, MAX_LINE));
        say(breaks_in(&self.culprit));
        if let Some((place, code)) = &self.source {
            let place = text::line(place, MAX_LINE);
            if !place.is_empty() {
                content.push(paragraph(vec![plain(&place)]));
            }
            let code = text::line(code, MAX_LINE);
            if !code.is_empty() {
                content.push(json!({"type": "codeBlock", "content": [plain(&code)]}));
            }
        }
        if !self.facts.is_empty() {
            let items: Vec<Value> = self.facts.iter().map(fact_item).collect();
            content.push(json!({"type": "bulletList", "content": items}));
        }
        content.extend(self.links().map(|(label, url)| paragraph(vec![link(label, url)])));
        content.extend(self.reference().map(|reference| paragraph(vec![plain(&reference)])));
        json!({"type": "doc", "version": 1, "content": content})
    }

    /// As wiki markup.
    pub(crate) fn wiki(&self) -> String {
        let mut lines = vec![format!("*{}*", wiki_escaped(&self.summary()))];
        let mut say = |line: String| {
            if !line.is_empty() {
                lines.push(wiki_escaped(&line));
            }
        };
        say(text::line(&self.why, MAX_LINE));
        say(breaks_in(&self.culprit));
        if let Some((place, code)) = &self.source {
            say(text::line(place, MAX_LINE));
            say(text::line(code, MAX_LINE));
        }
        let facts = self.facts.iter().map(|(name, value)| {
            format!(
                "* {}: {}",
                wiki_escaped(&text::line(name, 100)),
                wiki_escaped(&text::line(value, MAX_LINE))
            )
        });
        let facts = facts.collect::<Vec<_>>().join("\n");
        if !facts.is_empty() {
            lines.push(facts);
        }
        lines.extend(self.links().map(|(label, url)| format!("[{label}|{url}]")));
        lines.extend(self.reference());
        lines.join("\n\n")
    }
}

fn breaks_in(culprit: &str) -> String {
    match text::line(culprit, MAX_LINE) {
        culprit if culprit.is_empty() => String::new(),
        culprit => format!("Breaks in {culprit}"),
    }
}

fn plain(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn strong(text: &str) -> Value {
    json!({"type": "text", "text": text, "marks": [{"type": "strong"}]})
}

fn link(label: &str, url: &str) -> Value {
    json!({"type": "text", "text": label, "marks": [{"type": "link", "attrs": {"href": url}}]})
}

fn paragraph(content: Vec<Value>) -> Value {
    json!({"type": "paragraph", "content": content})
}

fn fact_item((name, value): &(String, String)) -> Value {
    let text = format!("{}: {}", text::line(name, 100), text::line(value, MAX_LINE));
    json!({"type": "listItem", "content": [paragraph(vec![plain(&text)])]})
}

/// What somebody wrote, each line a paragraph.
pub(crate) fn paragraphs(given: &str) -> Value {
    let lines = given.lines().map(|line| text::line(line, 2_000)).filter(|line| !line.is_empty());
    let content: Vec<Value> = lines.map(|line| paragraph(vec![plain(&line)])).collect();
    json!({"type": "doc", "version": 1, "content": content})
}

/// Nothing of it is read as markup: what is neither letter, digit nor space, but for what stands in every sentence, is a numeric entity.
pub(crate) fn wiki_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '\'' | '"' | '/' | '=' | ';') {
            escaped.push_str(&format!("&#{};", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(hostile: &str) -> Story {
        Story {
            title: hostile.to_owned(),
            culprit: hostile.to_owned(),
            source: Some((hostile.to_owned(), hostile.to_owned())),
            why: hostile.to_owned(),
            facts: vec![(hostile.to_owned(), hostile.to_owned())],
            issue_url: "https://play.example/p/1/issues/2".to_owned(),
            replay_url: Some("https://play.example/p/1/sessions/3?pane=errors&issue=2".to_owned()),
            marker: "0123456789abcdef".to_owned(),
        }
    }

    const HOSTILE: &str = "{noformat}{code} [x|https://evil.example] [~admin] !https://evil.example/x.png! *b* _i_ h1. \\\\ {color:red}r{color} ||a|| @all https://evil.example &#123;\u{202e}\r\n* item";

    #[test]
    fn nothing_hostile_is_markup_in_wiki() {
        let own = [
            "[Watch the replay, from ten seconds before the error|https://play.example/p/1/sessions/3?pane=errors&issue=2]",
            "[Issue in Playhead|https://play.example/p/1/issues/2]",
        ];
        let mut wiki = story(HOSTILE).wiki();
        for link in own {
            assert!(wiki.contains(link), "{wiki}");
            wiki = wiki.replace(link, "");
        }
        assert!(wiki.contains("&#123;noformat&#125;"), "{wiki}");
        let left = wiki.replace("&#", "").replace("\n* ", "\n").replace(": ", " ").replacen('*', "", 2);
        assert!(
            !left.contains([
                '{', '}', '[', ']', '|', '!', '*', '_', '\\', '~', '@', '#', '^', '+', '-', '?', ':'
            ]),
            "{left}"
        );
    }

    #[test]
    fn nothing_hostile_is_more_than_text_in_a_document() {
        fn walk(node: &Value, links: &mut Vec<String>) {
            let kind = node["type"].as_str().unwrap();
            assert!(
                ["doc", "paragraph", "text", "bulletList", "listItem", "codeBlock"].contains(&kind),
                "{kind}"
            );
            for mark in node["marks"].as_array().into_iter().flatten() {
                links.extend(mark["attrs"]["href"].as_str().map(str::to_owned));
            }
            if kind == "text" {
                let text = node["text"].as_str().unwrap();
                assert!(!text.is_empty() && !text.contains(['\n', '\r', '\u{202e}']), "{text:?}");
            }
            node["content"].as_array().into_iter().flatten().for_each(|node| walk(node, links));
        }
        for hostile in [HOSTILE, "", "\u{0}", &"x".repeat(100_000)] {
            let mut links = Vec::new();
            walk(&story(hostile).adf(), &mut links);
            assert!(links.iter().all(|link| link.starts_with("https://play.example/")), "{links:?}");
            assert_eq!(links.len(), 2);
            assert!(story(hostile).summary().encode_utf16().count() <= 255);
        }
    }
}
