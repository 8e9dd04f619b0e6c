//! From an error signal to what its issue is told: the stack as frames, the group, the filter. The event keeps all but the group's
//! parts.

use playhead_domain::issue::filter::Filters;
use playhead_domain::issue::stack::Stack;
use playhead_domain::issue::{Cause, Examined, MAX_CAUSES, Thrown, examine};
use playhead_domain::session::fact::Occurrence;
use playhead_domain::session::fold::cut;
use playhead_proto::signal::Signal;
use serde_json::{Map, Value, json};

use crate::client;
use crate::normalize::without_query;

const MAX_KIND_BYTES: usize = 200;
const MAX_MESSAGE_BYTES: usize = 1_024;
const MAX_URL_BYTES: usize = 1_024;
const MAX_GIVEN: usize = 10;
/// Frames kept of a cause: its last ones are those of the error that holds it.
const MAX_CAUSE_FRAMES: usize = 20;

/// Looks at an error and writes what was found into its data.
pub(crate) fn detect(user_agent: &str, signal: &mut Signal, filters: Filters) -> Occurrence {
    let thrown = thrown(signal);
    let is_bot = client::of_user_agent(user_agent).device == "bot";
    let examined = examine(&thrown, filters, is_bot);
    let short = |text: &str, limit| cut(text, limit).to_owned();
    let occurrence = Occurrence {
        index: 0,
        title: examined.title.clone(),
        culprit: examined.culprit.clone(),
        kind: short(thrown.kind, MAX_KIND_BYTES),
        message: short(thrown.message, MAX_MESSAGE_BYTES),
        mechanism: short(thrown.mechanism, MAX_KIND_BYTES),
        handled: thrown.handled,
        page_url: short(without_query(thrown.page_url), MAX_URL_BYTES),
        filtered: examined.filtered,
        group: examined.group.clone(),
    };
    tell(&mut signal.data, examined);
    occurrence
}

fn thrown(signal: &Signal) -> Thrown<'_> {
    let number = |name| signal.number(name).map_or(0, |number| number.clamp(0.0, f64::from(u32::MAX)) as u32);
    let given = signal.data.get("fingerprint").and_then(Value::as_array);
    Thrown {
        kind: signal.text("type"),
        message: signal.text("message"),
        stack: signal.text("stack"),
        mechanism: signal.text("mechanism"),
        handled: signal.data.get("handled").and_then(Value::as_bool).unwrap_or_default(),
        source: signal.text("source"),
        line: number("line"),
        column: number("column"),
        causes: causes(signal, "causes"),
        errors: causes(signal, "errors"),
        fingerprint: given.into_iter().flatten().filter_map(Value::as_str).take(MAX_GIVEN).collect(),
        page_url: signal.text("url"),
    }
}

fn causes<'a>(signal: &'a Signal, name: &str) -> Vec<Cause<'a>> {
    let list = signal.data.get(name).and_then(Value::as_array);
    let text = |cause: &'a Value, name| cause.get(name).and_then(Value::as_str).unwrap_or_default();
    let read = |cause: &'a Value| Cause {
        kind: text(cause, "type"),
        message: text(cause, "message"),
        stack: text(cause, "stack"),
    };
    list.into_iter().flatten().take(MAX_CAUSES).map(read).collect()
}

/// Names that the page sent for what is found here are overwritten.
fn tell(data: &mut Map<String, Value>, examined: Examined) {
    let issue = examined.issue();
    let mut put = |name: &str, value: Option<Value>| match value {
        Some(value) => drop(data.insert(name.to_owned(), value)),
        None => drop(data.remove(name)),
    };
    put("issue", issue.map(|issue| json!(issue)));
    put("filtered", examined.filtered.map(|filter| json!(filter.name())));
    let group = &examined.group;
    put("grouping", Some(json!({"version": group.version, "basis": group.basis})));
    put("title", Some(json!(examined.title)));
    put("culprit", Some(json!(examined.culprit)));
    let left_out = examined.stack.left_out;
    put("frames_left_out", (left_out > 0).then(|| json!(left_out)));
    put("frames", (!examined.stack.frames.is_empty()).then(|| json!(examined.stack.frames)));
    tell_causes(data.get_mut("causes"), &examined.causes);
    tell_causes(data.get_mut("errors"), &examined.errors);
}

fn tell_causes(list: Option<&mut Value>, stacks: &[Stack]) {
    let list = list.and_then(Value::as_array_mut);
    for (cause, stack) in list.into_iter().flatten().zip(stacks) {
        if let Some(cause) = cause.as_object_mut() {
            let frames = &stack.frames[..stack.frames.len().min(MAX_CAUSE_FRAMES)];
            cause.insert("frames".to_owned(), json!(frames));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::issue::filter::Filter;

    const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    fn error(extra: &Value) -> Signal {
        let mut line = json!({"k": "error", "t": 1, "type": "TypeError", "message": "cart.pay is not a function",
            "url": "https://shop.example/cart?token=x#y", "mechanism": "uncaught", "handled": false,
            "stack": "pay@https://shop.example/cart.js:3:4\nonclick@https://shop.example/cart.js:7:1",
            "issue": "made up", "filtered": "made up", "frames_left_out": 7});
        line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        Signal::parse(line.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_error_keeps_what_was_found() {
        let mut signal = error(
            &json!({"causes": [{"type": "Error", "message": "x", "stack": "load@https://a.b/c.js:1:2"}, 7]}),
        );
        let occurrence = detect("", &mut signal, Filters::default());
        let data = Value::Object(signal.data);
        let issue = occurrence.issue().unwrap().to_string();
        assert_eq!((issue.len(), &data["issue"], data.get("filtered")), (32, &json!(issue), None));
        assert_eq!(
            (&data["title"], &data["culprit"]),
            (&json!("TypeError: cart.pay is not a function"), &json!("pay (/cart.js)"))
        );
        assert_eq!(data["grouping"], json!({"version": 1, "basis": "stack"}));
        let frame = json!({"function": "onclick", "file": "https://shop.example/cart.js", "line": 7, "column": 1,
            "kind": "script", "in_app": true});
        assert_eq!((&data["frames"][1], data.get("frames_left_out")), (&frame, None));
        assert_eq!(data["causes"][0]["frames"][0]["function"], "load");
        assert_eq!(occurrence.page_url, "https://shop.example/cart");
        assert_eq!((occurrence.kind.as_str(), occurrence.mechanism.as_str()), ("TypeError", "uncaught"));
    }

    #[test]
    fn a_filtered_error_says_so_and_has_no_issue() {
        let mut signal = error(&json!({}));
        let occurrence = detect(GOOGLEBOT, &mut signal, Filters::default());
        assert_eq!((occurrence.filtered, occurrence.issue()), (Some(Filter::Bot), None));
        assert_eq!((signal.text("filtered"), signal.data.get("issue")), ("bot", None));
        let off = Filters { bot: false, ..Filters::default() };
        assert_eq!(detect(GOOGLEBOT, &mut signal, off).filtered, None);
    }

    #[test]
    fn the_pages_fingerprint_is_heard() {
        let of = |fingerprint: Value| {
            detect("", &mut error(&json!({"fingerprint": fingerprint})), Filters::default()).group.fingerprint
        };
        assert_eq!(of(json!(["checkout"])), of(json!(["checkout", 7, null])));
        assert_ne!(of(json!(["checkout"])), of(json!([])));
    }
}
