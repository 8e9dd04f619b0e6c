//! From an error signal to what its issue is told: the stack as frames, the group, the filter. The event keeps all but the group's
//! parts.

use std::sync::Arc;

use playhead_domain::issue::filter::{Filter, Filters};
use playhead_domain::issue::grouping::Group;
use playhead_domain::issue::request::{self, Requests, Sent};
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::stack::Stack;
use playhead_domain::issue::{Cause, Examined, MAX_CAUSES, Thrown, examine_named};
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use playhead_domain::session::fact::Occurrence;
use playhead_domain::session::fold::cut;
use playhead_domain::source_map::debug_id::DebugId;
use playhead_proto::signal::Signal;
use serde_json::{Map, Value, json};

use crate::client;
use crate::naming::{Names, Told};
use crate::normalize::without_query;

const MAX_KIND_BYTES: usize = 200;
const MAX_MESSAGE_BYTES: usize = 1_024;
const MAX_URL_BYTES: usize = 1_024;
const MAX_GIVEN: usize = 10;
/// Frames kept of a cause: its last ones are those of the error that holds it.
const MAX_CAUSE_FRAMES: usize = 20;

/// What decides about issues, as it was in force when the log took the record.
pub(crate) struct InForce<'a> {
    pub(crate) project: &'a Project,
    pub(crate) logged_us: i64,
    pub(crate) filters: Filters,
    pub(crate) requests: Requests,
    pub(crate) rules: Arc<Rules>,
    /// What maps tell of the project's frames.
    names: Option<(Scope, &'a Names)>,
}

impl<'a> InForce<'a> {
    /// `rules` are compiled ones, by the time from which they count.
    pub(crate) fn at(
        project: &'a Project,
        logged_us: i64,
        rules: impl Fn(i64) -> Option<Arc<Rules>>,
    ) -> Self {
        let version = project.issue_settings_at(logged_us);
        let off = version.map_or(&project.error_filters_off, |version| &version.error_filters_off);
        Self {
            project,
            logged_us,
            filters: Filters::without(off),
            requests: version.map_or(Requests::None, |version| Requests::of(&version.failed_requests)),
            rules: version.and_then(|version| rules(version.from_us)).unwrap_or_default(),
            names: None,
        }
    }

    pub(crate) fn naming(self, scope: Scope, names: &'a Names) -> Self {
        Self { names: Some((scope, names)).filter(|_| !names.is_empty()), ..self }
    }

    fn examine(&self, thrown: &Thrown<'_>, is_bot: bool, signal: &Signal, release: &str) -> Examined {
        let debug_ids = if self.names.is_some() { debug_ids(signal) } else { Vec::new() };
        let (logged_us, page_url) = (self.logged_us, thrown.page_url);
        examine_named(thrown, self.filters, &self.rules, is_bot, |frame| {
            let (scope, names) = self.names?;
            names.written(Told { scope, logged_us, release, debug_ids: &debug_ids, page_url }, frame)
        })
    }

    /// The issue of that group, or that it was discarded.
    fn settle(&self, group: &mut Group, filtered: &mut Option<Filter>) {
        match self.project.issue_at(group.fingerprint, self.logged_us) {
            Some(issue) => group.fingerprint = issue,
            None => *filtered = filtered.or(Some(Filter::Discarded)),
        }
    }
}

/// Looks at an error and writes what was found into its data. `release` is that of its document.
pub(crate) fn detect(
    (user_agent, release): (&str, &str),
    signal: &mut Signal,
    in_force: &InForce<'_>,
) -> Occurrence {
    let thrown = thrown(signal);
    let mut examined = in_force.examine(&thrown, is_bot(user_agent), signal, release);
    in_force.settle(&mut examined.group, &mut examined.filtered);
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

fn is_bot(user_agent: &str) -> bool {
    client::of_user_agent(user_agent).device == "bot"
}

/// Looks at a failed request and, if it is an issue, writes so into its data.
pub(crate) fn detect_request(
    (user_agent, page_url): (&str, &str),
    signal: &mut Signal,
    in_force: &InForce<'_>,
) -> Option<Occurrence> {
    if in_force.requests == Requests::None {
        return None;
    }
    let sent = Sent {
        method: signal.text("method"),
        url: signal.text("url"),
        status: signal.number("status").map_or(0, |status| status.clamp(0.0, 999.0) as u32),
        outcome: signal.text("outcome"),
        page_url,
    };
    let mut failed = request::examine(&sent, in_force.requests, in_force.filters, is_bot(user_agent))?;
    in_force.settle(&mut failed.group, &mut failed.filtered);
    let occurrence = Occurrence {
        index: 0,
        title: failed.title,
        culprit: failed.culprit,
        kind: "FailedRequest".to_owned(),
        message: String::new(),
        mechanism: "request".to_owned(),
        // Whether the page copes with it is not known.
        handled: true,
        page_url: cut(without_query(sent.page_url), MAX_URL_BYTES).to_owned(),
        filtered: failed.filtered,
        group: failed.group,
    };
    match (occurrence.issue(), occurrence.filtered) {
        (Some(issue), _) => signal.data.insert("issue".to_owned(), json!(issue)),
        (None, filter) => signal.data.insert("filtered".to_owned(), json!(filter.map(Filter::name))),
    };
    Some(occurrence)
}

/// Those that the page told, by address of the script.
pub(crate) fn debug_ids(signal: &Signal) -> Vec<(&str, DebugId)> {
    let told = signal.data.get("debug_ids").and_then(Value::as_object);
    let told = told.into_iter().flatten();
    told.filter_map(|(url, id)| Some((url.as_str(), id.as_str()?.parse().ok()?))).collect()
}

pub(crate) fn thrown(signal: &Signal) -> Thrown<'_> {
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
    use playhead_domain::row::IssueSettings;

    const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    const PAGE: &str = "https://shop.example/cart?x";

    fn error(extra: &Value) -> Signal {
        let mut line = json!({"k": "error", "t": 1, "type": "TypeError", "message": "cart.pay is not a function",
            "url": "https://shop.example/cart?token=x#y", "mechanism": "uncaught", "handled": false,
            "stack": "pay@https://shop.example/cart.js:3:4\nonclick@https://shop.example/cart.js:7:1",
            "issue": "made up", "filtered": "made up", "frames_left_out": 7});
        line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        Signal::parse(line.to_string().as_bytes()).unwrap()
    }

    /// In a record of the time 5.
    fn look(user_agent: &str, signal: &mut Signal, project: &Project) -> Occurrence {
        detect((user_agent, ""), signal, &in_force(project))
    }

    fn in_force(project: &Project) -> InForce<'_> {
        let compiled = project.issue_settings_at(5).map(|version| Arc::new(Rules::new(&version.rules)));
        InForce::at(project, 5, |_| compiled.clone())
    }

    #[test]
    fn a_discarded_issue_is_none() {
        let mut signal = error(&json!({}));
        let issue = look("", &mut signal, &Project::default()).issue().unwrap();
        let mut project = Project::default();
        project.discard(issue, String::new(), "", -playhead_domain::issue::setting::DELAY_US).unwrap();
        assert_eq!(look("", &mut signal, &project).filtered, Some(Filter::Discarded));
        assert_eq!((signal.text("filtered"), signal.data.get("issue")), ("discarded", None));
    }

    #[test]
    fn a_failed_request_is_an_issue_when_the_project_wants_it() {
        let request = || {
            let line = json!({"k": "request", "t": 1, "method": "POST", "url": "https://a.example/orders/8/pay",
                "status": 502, "outcome": "http_error"});
            Signal::parse(line.to_string().as_bytes()).unwrap()
        };
        let mut signal = request();
        assert_eq!(detect_request(("", PAGE), &mut signal, &in_force(&Project::default())), None);
        let settings = IssueSettings { failed_requests: "server".to_owned(), ..IssueSettings::default() };
        let project = Project { issue_settings: vec![settings], ..Project::default() };
        let mut signal = request();
        let occurrence = detect_request(("", PAGE), &mut signal, &in_force(&project)).unwrap();
        assert_eq!(occurrence.title, "POST a.example/orders/{id}/pay: answered 502");
        assert_eq!(occurrence.page_url, "https://shop.example/cart");
        assert_eq!(signal.text("issue"), occurrence.issue().unwrap().to_string());
    }

    #[test]
    fn an_error_keeps_what_was_found() {
        let mut signal = error(
            &json!({"causes": [{"type": "Error", "message": "x", "stack": "load@https://a.b/c.js:1:2"}, 7]}),
        );
        let occurrence = look("", &mut signal, &Project::default());
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
        let occurrence = look(GOOGLEBOT, &mut signal, &Project::default());
        assert_eq!((occurrence.filtered, occurrence.issue()), (Some(Filter::Bot), None));
        assert_eq!((signal.text("filtered"), signal.data.get("issue")), ("bot", None));
        let off = Project { error_filters_off: vec!["bot".to_owned()], ..Project::default() };
        assert_eq!(look(GOOGLEBOT, &mut signal, &off).filtered, None);
    }

    #[test]
    fn the_pages_fingerprint_is_heard() {
        let of = |fingerprint: Value| {
            let mut signal = error(&json!({"fingerprint": fingerprint}));
            look("", &mut signal, &Project::default()).group.fingerprint
        };
        assert_eq!(of(json!(["checkout"])), of(json!(["checkout", 7, null])));
        assert_ne!(of(json!(["checkout"])), of(json!([])));
    }
}
