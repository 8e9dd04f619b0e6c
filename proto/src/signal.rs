//! Signals: one JSON object a line, checked by kind. An unknown kind passes with whatever it has; a known kind with a field
//! of the wrong type is refused, so that nothing behind this has to doubt what it reads.

use serde_json::{Map, Value};

use crate::{limits, span};

/// The type a field must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Flag,
    List,
    Object,
    /// Two numbers.
    Pair,
}

/// A field of a kind.
struct Field {
    name: &'static str,
    kind: Type,
    required: bool,
}

const fn required(name: &'static str, kind: Type) -> Field {
    Field { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Type) -> Field {
    Field { name, kind, required: false }
}

/// Why a line is not a signal. The text never repeats what the line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    #[error("a line over {limit} bytes", limit = limits::MAX_SIGNAL_BYTES)]
    TooLong,
    #[error("not a JSON object")]
    NotAnObject,
    #[error("kind `k` is missing, empty or too long")]
    NoKind,
    #[error("time `t` is missing or not a time")]
    NoTime,
    #[error("field `{0}` is missing or has the wrong type")]
    BadField(&'static str),
}

/// A signal as the browser sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    pub kind: String,
    /// Browser clock, milliseconds.
    pub time: f64,
    /// Everything but `k` and `t`.
    pub data: Map<String, Value>,
}

impl Signal {
    /// Reads one line (without its newline).
    ///
    /// # Errors
    /// [`SignalError`].
    pub fn parse(line: &[u8]) -> Result<Self, SignalError> {
        if line.len() > limits::MAX_SIGNAL_BYTES {
            return Err(SignalError::TooLong);
        }
        let mut data: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| SignalError::NotAnObject)?;
        let kind = match data.remove("k") {
            Some(Value::String(kind)) if (1..=64).contains(&kind.len()) => kind,
            _ => return Err(SignalError::NoKind),
        };
        let time = data.remove("t").and_then(|time| time.as_f64()).ok_or(SignalError::NoTime)?;
        if !(-1e14..1e14).contains(&time) {
            return Err(SignalError::NoTime);
        }
        check(&kind, &data)?;
        Ok(Self { kind, time, data })
    }

    /// A text field; empty when it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.data.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number field.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.data.get(name).and_then(Value::as_f64)
    }

    /// A pair of sizes, each 0 to 100,000; zeros when it is absent.
    #[must_use]
    pub fn sizes(&self, name: &str) -> (u32, u32) {
        let Some(Value::Array(pair)) = self.data.get(name) else { return (0, 0) };
        let size =
            |at: usize| pair.get(at).and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 100_000.0) as u32;
        (size(0), size(1))
    }
}

fn check(kind: &str, data: &Map<String, Value>) -> Result<(), SignalError> {
    for field in fields(kind) {
        let fits = match data.get(field.name) {
            None | Some(Value::Null) => !field.required,
            Some(value) => has_type(value, field.kind),
        };
        if !fits {
            return Err(SignalError::BadField(field.name));
        }
    }
    Ok(())
}

fn has_type(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Text => value.is_string(),
        Type::Number => value.is_number(),
        Type::Flag => value.is_boolean(),
        Type::List => value.is_array(),
        Type::Object => value.is_object(),
        Type::Pair => {
            value.as_array().is_some_and(|pair| pair.len() == 2 && pair.iter().all(Value::is_number))
        }
    }
}

/// What is checked of a kind: see `README.md`. Other fields pass.
fn fields(kind: &str) -> &'static [Field] {
    KINDS.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, fields)| fields)
}

static KINDS: &[(&str, &[Field])] = &[
    ("page", PAGE),
    ("navigation", &[required("url", Type::Text), optional("from", Type::Text), optional("how", Type::Text)]),
    ("error", ERROR),
    ("request", REQUEST),
    ("websocket", WEBSOCKET),
    (
        "console",
        &[required("level", Type::Text), required("args", Type::List), optional("count", Type::Number)],
    ),
    ("click", CLICK),
    ("input", &[required("selector", Type::Text), optional("label", Type::Text)]),
    ("rage_click", POINTLESS_CLICK),
    ("dead_click", POINTLESS_CLICK),
    ("vital", VITAL),
    ("long_task", &[required("duration_ms", Type::Number)]),
    ("visibility", &[required("state", Type::Text)]),
    ("custom", &[required("name", Type::Text), optional("properties", Type::Object)]),
    (
        "identify",
        &[optional("id", Type::Text), optional("email", Type::Text), optional("traits", Type::Object)],
    ),
    ("gap", GAP),
    ("degraded", &[required("reason", Type::Text), optional("detail", Type::Text)]),
    ("end", &[optional("reason", Type::Text)]),
    (span::KIND, SPAN),
];

static PAGE: &[Field] = &[
    required("url", Type::Text),
    optional("referrer", Type::Text),
    optional("title", Type::Text),
    optional("screen", Type::Pair),
    optional("viewport", Type::Pair),
    optional("language", Type::Text),
    optional("time_zone", Type::Text),
    optional("user_agent", Type::Text),
    optional("platform", Type::Text),
    optional("brands", Type::List),
    optional("mobile", Type::Flag),
    optional("release", Type::Text),
    optional("environment", Type::Text),
    optional("sdk", Type::Text),
];

static ERROR: &[Field] = &[
    required("message", Type::Text),
    optional("id", Type::Text),
    optional("type", Type::Text),
    optional("stack", Type::Text),
    optional("mechanism", Type::Text),
    optional("handled", Type::Flag),
    optional("source", Type::Text),
    optional("line", Type::Number),
    optional("column", Type::Number),
    optional("causes", Type::List),
    optional("errors", Type::List),
    optional("debug_ids", Type::Object),
    optional("component_stack", Type::Text),
    optional("context", Type::Object),
    optional("fingerprint", Type::List),
    optional("url", Type::Text),
];

static REQUEST: &[Field] = &[
    required("url", Type::Text),
    required("method", Type::Text),
    optional("id", Type::Text),
    optional("api", Type::Text),
    optional("status", Type::Number),
    optional("duration_ms", Type::Number),
    optional("outcome", Type::Text),
    optional("request_bytes", Type::Number),
    optional("response_bytes", Type::Number),
    optional("timing", Type::Object),
    optional("server_timing", Type::List),
    optional("request_headers", Type::Object),
    optional("response_headers", Type::Object),
    optional("trace_id", Type::Text),
    optional("span_id", Type::Text),
    optional("click", Type::Text),
];

/// Made by the gateway from what a backend exported; refused in what a page sends.
static SPAN: &[Field] = &[
    required("trace_id", Type::Text),
    required("span_id", Type::Text),
    required("name", Type::Text),
    required("duration_ms", Type::Number),
    optional("parent_id", Type::Text),
    optional("role", Type::Text),
    optional("service", Type::Text),
    optional("instance", Type::Text),
    optional("status", Type::Text),
    optional("status_message", Type::Text),
    optional("attributes", Type::Object),
];

static WEBSOCKET: &[Field] = &[
    required("url", Type::Text),
    required("op", Type::Text),
    optional("id", Type::Text),
    optional("direction", Type::Text),
    optional("bytes", Type::Number),
    optional("code", Type::Number),
    optional("reason", Type::Text),
    optional("duration_ms", Type::Number),
];

static CLICK: &[Field] = &[
    required("selector", Type::Text),
    optional("id", Type::Text),
    optional("text", Type::Text),
    optional("x", Type::Number),
    optional("y", Type::Number),
];

static POINTLESS_CLICK: &[Field] = &[
    required("selector", Type::Text),
    optional("text", Type::Text),
    optional("count", Type::Number),
    optional("click", Type::Text),
];

static VITAL: &[Field] = &[
    required("name", Type::Text),
    required("value", Type::Number),
    optional("rating", Type::Text),
    optional("url", Type::Text),
];

static GAP: &[Field] = &[
    required("from", Type::Number),
    required("to", Type::Number),
    required("reason", Type::Text),
    optional("bytes", Type::Number),
    optional("frame", Type::Text),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_kind_reads() {
        let line =
            br#"{"k":"request","t":1.5,"url":"https://a.b/c","method":"GET","status":404,"screen":[1,2]}"#;
        let signal = Signal::parse(line).unwrap();
        assert_eq!(
            (signal.kind.as_str(), signal.time, signal.text("url")),
            ("request", 1.5, "https://a.b/c")
        );
        assert_eq!((signal.number("status"), signal.sizes("screen")), (Some(404.0), (1, 2)));
        assert!(!signal.data.contains_key("k") && !signal.data.contains_key("t"));
    }

    #[test]
    fn an_unknown_kind_passes_with_what_it_has() {
        let signal = Signal::parse(br#"{"k":"hologram","t":1,"url":7,"deep":{"er":[1]}}"#).unwrap();
        assert_eq!(serde_json::to_string(&signal.data).unwrap(), r#"{"deep":{"er":[1]},"url":7}"#);
    }

    #[test]
    fn each_refusal_says_why() {
        let long = format!(r#"{{"k":"x","t":1,"a":"{}"}}"#, "a".repeat(limits::MAX_SIGNAL_BYTES));
        let deep = format!(r#"{{"k":"x","t":1,"a":{}1{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
        let cases = [
            (long.as_str(), SignalError::TooLong),
            (deep.as_str(), SignalError::NotAnObject),
            ("[]", SignalError::NotAnObject),
            (r#"{"t":1}"#, SignalError::NoKind),
            (r#"{"k":"","t":1}"#, SignalError::NoKind),
            (r#"{"k":"click"}"#, SignalError::NoTime),
            (r#"{"k":"click","t":"now"}"#, SignalError::NoTime),
            (r#"{"k":"click","t":1e300}"#, SignalError::NoTime),
            (r#"{"k":"click","t":1}"#, SignalError::BadField("selector")),
            (
                r#"{"k":"request","t":1,"url":"u","method":"GET","status":"404"}"#,
                SignalError::BadField("status"),
            ),
            (r#"{"k":"page","t":1,"url":"u","screen":[1]}"#, SignalError::BadField("screen")),
        ];
        for (line, error) in cases {
            assert_eq!(Signal::parse(line.as_bytes()), Err(error), "{}", &line[..line.len().min(80)]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            let _ = Signal::parse(&bytes);
        }
    }
}
