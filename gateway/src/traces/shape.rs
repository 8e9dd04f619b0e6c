//! What of a backend's span is kept: when, how long, how it ended, and a few of its attributes, by name.
//!
//! Instrumentations put much into attributes: headers, addresses, statements with what users typed. What is not on the list is not kept;
//! addresses lose their query and credentials, statements their literals.

use std::borrow::Cow;

use playhead_domain::session::fold::cut;
use playhead_proto::limits::{MAX_SPAN_ATTRIBUTES, MAX_SPAN_TEXT_BYTES};
use playhead_proto::span::Span;
use serde_json::{Map, Value};

use super::protobuf::{self, KeyValue, Scalar};
use super::source::Source;

const MAX_NAME_BYTES: usize = 200;
const NS_PER_MS: f64 = 1e6;

/// Longer words of an error's message are tokens, hashes or paths of files.
const MAX_WORD_BYTES: usize = 40;
/// Systems whose statements are words without quotes.
const UNQUOTED: [&str; 3] = ["redis", "memcached", "valkey"];

/// What is done to an attribute's text.
#[derive(Clone, Copy, PartialEq)]
enum Treat {
    AsItIs,
    Address,
    Statement,
    FirstWord,
}

/// Names of the semantic conventions, today's and those before, which much in use still writes.
static KEPT: &[(&str, Treat)] = &[
    ("http.request.method", Treat::AsItIs),
    ("http.method", Treat::AsItIs),
    ("http.response.status_code", Treat::AsItIs),
    ("http.status_code", Treat::AsItIs),
    ("http.route", Treat::AsItIs),
    ("url.full", Treat::Address),
    ("url.path", Treat::Address),
    ("http.url", Treat::Address),
    ("http.target", Treat::Address),
    ("server.address", Treat::AsItIs),
    ("net.peer.name", Treat::AsItIs),
    ("db.system", Treat::AsItIs),
    ("db.system.name", Treat::AsItIs),
    ("db.name", Treat::AsItIs),
    ("db.namespace", Treat::AsItIs),
    ("db.operation", Treat::AsItIs),
    ("db.operation.name", Treat::AsItIs),
    ("db.collection.name", Treat::AsItIs),
    ("db.sql.table", Treat::AsItIs),
    ("db.statement", Treat::Statement),
    ("db.query.text", Treat::Statement),
    ("db.query.summary", Treat::AsItIs),
    ("rpc.system", Treat::AsItIs),
    ("rpc.service", Treat::AsItIs),
    ("rpc.method", Treat::AsItIs),
    ("rpc.grpc.status_code", Treat::AsItIs),
    ("messaging.system", Treat::AsItIs),
    ("messaging.destination.name", Treat::AsItIs),
    ("messaging.operation", Treat::AsItIs),
    ("graphql.operation.name", Treat::AsItIs),
    ("graphql.operation.type", Treat::AsItIs),
    ("error.type", Treat::AsItIs),
];

/// The span as a signal; none for one that breaks the format: ids of other lengths or zero, no name, an end before its start.
pub(super) fn shape<'a>(source: &'a Source, given: &'a protobuf::Span) -> Option<Span<'a>> {
    let parent_id = match given.parent_span_id.len() {
        0 => None,
        _ => id(&given.parent_span_id, 8),
    };
    let duration_ns = given.end_time_unix_nano.checked_sub(given.start_time_unix_nano)?;
    if given.name.is_empty() || given.start_time_unix_nano == 0 {
        return None;
    }
    let status = given.status.as_ref();
    Some(Span {
        t: given.start_time_unix_nano as f64 / NS_PER_MS,
        trace_id: id(&given.trace_id, 16)?,
        span_id: id(&given.span_id, 8)?,
        parent_id,
        name: match plain(&given.name, MAX_NAME_BYTES) {
            // Some name a span by the whole address.
            name if name.contains(['?', '#']) || name.contains("://") => address(&name).into(),
            name => name,
        },
        role: role(given.kind),
        service: plain(&source.service, MAX_NAME_BYTES),
        instance: Cow::Borrowed(&source.instance),
        duration_ms: duration_ns as f64 / NS_PER_MS,
        status: status.and_then(|status| status_name(status.code)),
        status_message: status.map_or(Cow::Borrowed(""), |status| {
            sentence(&plain(&status.message, MAX_SPAN_TEXT_BYTES)).into()
        }),
        attributes: attributes(&given.attributes),
    })
}

fn id(bytes: &[u8], length: usize) -> Option<String> {
    let is_valid = bytes.len() == length && bytes.iter().any(|&byte| byte != 0);
    is_valid.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

const fn role(kind: i32) -> Option<&'static str> {
    match kind {
        1 => Some("internal"),
        2 => Some("server"),
        3 => Some("client"),
        4 => Some("producer"),
        5 => Some("consumer"),
        _ => None,
    }
}

const fn status_name(code: i32) -> Option<&'static str> {
    match code {
        1 => Some("ok"),
        2 => Some("error"),
        _ => None,
    }
}

fn attributes(given: &[KeyValue]) -> Map<String, Value> {
    let mut kept = Map::new();
    let system = given.iter().find(|attribute| matches!(&*attribute.key, "db.system" | "db.system.name"));
    let system = system.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    // Their statements quote nothing: what is stored stands beside its key.
    let is_unquoted = matches!(system, Some(Scalar::Text(system)) if UNQUOTED.contains(&&**system));
    for KeyValue { key, value } in given {
        let Some((name, treat)) = KEPT.iter().find(|(name, _)| name == key) else { continue };
        let Some(value) = value.as_ref().and_then(|value| value.value.as_ref()) else { continue };
        if kept.len() < MAX_SPAN_ATTRIBUTES {
            let treat = if is_unquoted && *treat == Treat::Statement { Treat::FirstWord } else { *treat };
            kept.insert((*name).to_owned(), shown(value, treat));
        }
    }
    kept
}

fn shown(value: &Scalar, treat: Treat) -> Value {
    match value {
        Scalar::Text(text) => {
            let text = plain(text, MAX_SPAN_TEXT_BYTES);
            Value::String(match treat {
                Treat::AsItIs => text.into_owned(),
                Treat::Address => address(&text),
                Treat::Statement => statement(&text),
                Treat::FirstWord => text.split_whitespace().next().unwrap_or_default().to_owned(),
            })
        }
        Scalar::Flag(flag) => (*flag).into(),
        Scalar::Integer(integer) => (*integer).into(),
        // What JSON has no number for is null.
        Scalar::Number(number) => (*number).into(),
    }
}

/// Cut, and without control characters, which take six bytes each in JSON.
fn plain(text: &str, limit: usize) -> Cow<'_, str> {
    let text = cut(text, limit);
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

/// Without query, fragment and credentials.
fn address(text: &str) -> String {
    let text = text.find(['?', '#']).map_or(text, |at| &text[..at]);
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// What an error says, with `?` in place of what looks like data: quoted texts, numbers, addresses of people, values behind `=`, tokens.
fn sentence(text: &str) -> String {
    let statement = statement(text);
    let words = statement.split(' ').map(|word| {
        let is_data = word.len() > MAX_WORD_BYTES || word.contains(['@', '=']) || word.contains("://");
        if is_data { "?" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// With `?` in place of quoted texts and numbers. A text that is cut off in the middle of a quote ends there.
fn statement(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    let mut is_in_word = false;
    while let Some((_, c)) = rest.next() {
        if matches!(c, '\'' | '"') {
            while let Some((_, inner)) = rest.next() {
                // A quote is written twice inside of itself, or behind a backslash.
                let is_pair = inner == c && rest.next_if(|(_, next)| *next == c).is_some();
                if inner == '\\' {
                    // Before a quote, some dialects escape it and others end the text: whatever follows may be data.
                    if rest.next().is_none_or(|(_, next)| next == c) {
                        shown.push('?');
                        return shown;
                    }
                } else if inner == c && !is_pair {
                    break;
                }
            }
            shown.push('?');
        } else if c.is_ascii_digit() && !is_in_word {
            while rest.next_if(|(_, next)| next.is_ascii_alphanumeric() || *next == '.').is_some() {}
            shown.push('?');
        } else {
            shown.push(c);
        }
        // Digits in names, and the numbers of parameters, stay.
        is_in_word = c.is_alphanumeric() && !c.is_ascii_digit()
            || matches!(c, '_' | '$')
            || is_in_word && c.is_ascii_digit();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> protobuf::Span {
        protobuf::Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            name: "GET /orders".to_owned(),
            kind: 2,
            start_time_unix_nano: 1_767_225_600_000_500_000,
            end_time_unix_nano: 1_767_225_600_012_500_000,
            ..protobuf::Span::default()
        }
    }

    #[test]
    fn a_span_that_breaks_the_format_is_none() {
        assert!(shape(&Source::default(), &given()).is_some());
        let broken: [fn(&mut protobuf::Span); 7] = [
            |span| span.trace_id = vec![1; 15],
            |span| span.trace_id = vec![0; 16],
            |span| span.span_id = vec![0; 8],
            |span| span.span_id.clear(),
            |span| span.name.clear(),
            |span| span.start_time_unix_nano = 0,
            |span| span.end_time_unix_nano = 1,
        ];
        for (index, change) in broken.iter().enumerate() {
            let mut span = given();
            change(&mut span);
            assert!(shape(&Source::default(), &span).is_none(), "{index}");
        }
    }

    #[test]
    fn what_is_not_on_the_list_is_not_kept() {
        let text = |key: &str, text: &str| KeyValue {
            key: key.to_owned(),
            value: Some(protobuf::AnyValue { value: Some(Scalar::Text(text.to_owned())) }),
        };
        let kept = attributes(&[
            text("http.request.header.authorization", "Bearer secret"),
            text("enduser.id", "ann"),
            text("url.full", "https://ann:pw@shop.example/a/b?token=secret#x"),
            text("db.query.text", "SELECT * FROM t1 WHERE name = 'Ann''s' AND id = 42 AND x = $1"),
            text("http.route", &"é".repeat(400)),
        ]);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["db.query.text", "http.route", "url.full"]);
        assert_eq!(kept["url.full"], "https://shop.example/a/b");
        assert_eq!(kept["db.query.text"], "SELECT * FROM t1 WHERE name = ? AND id = ? AND x = $1");
        assert_eq!(kept["http.route"].as_str().unwrap().len(), MAX_SPAN_TEXT_BYTES);
    }

    #[test]
    fn statements_lose_their_literals_however_they_are_quoted() {
        for (given, expected) in [
            (r#"SELECT "a b", 'it\'s', 1.5e3 FROM x2"#, "SELECT ?, ?"),
            ("id IN (1, 22,333)", "id IN (?, ?,?)"),
            ("name = 'cut off", "name = ?"),
            ("0xFF -7", "? -?"),
            ("", ""),
        ] {
            assert_eq!(statement(given), expected, "{given}");
        }
    }

    #[test]
    fn data_in_names_messages_and_statements_without_quotes_is_left_out() {
        let text = |key: &str, text: &str| KeyValue {
            key: key.to_owned(),
            value: Some(protobuf::AnyValue { value: Some(Scalar::Text(text.to_owned())) }),
        };
        let redis = attributes(&[text("db.query.text", "SET token eyJhbGciOi"), text("db.system", "redis")]);
        assert_eq!(redis["db.query.text"], "SET");
        assert_eq!(sentence("Key (email)=(ann@shop.example) exists already"), "Key ? exists already");
        assert_eq!(sentence(&format!("no stock for {}", "f".repeat(60))), "no stock for ?");
        let named = protobuf::Span { name: "GET /reset?token=secret".to_owned(), ..given() };
        assert_eq!(shape(&Source::default(), &named).unwrap().name, "GET /reset");
        // Whether the text ends there depends on the dialect.
        assert_eq!(statement(r"VALUES ('C:\', 'ann secret')"), "VALUES (?");
    }

    #[test]
    fn control_characters_do_not_make_a_line_long() {
        assert_eq!(plain("a\u{0}\n\u{7f}b", 10), "a   b");
    }
}
