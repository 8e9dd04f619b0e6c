//! From a signal to what is measured of it: how a request's time splits, and web vitals. What is not known is left out, never 0.

use playhead_domain::endpoint;
use playhead_domain::issue::origin;
use playhead_domain::performance::observation::{Class, Measure, Measured, bucket};
use playhead_domain::session::fold::cut;
use playhead_domain::session::span;
use playhead_proto::signal::Signal;
use serde_json::Value;

/// Of the names of a few operations together.
const MAX_OPERATION_BYTES: usize = 200;
/// Nothing takes longer than a day.
const MAX_MS: f64 = 86_400_000.0;
/// Beyond any layout shift.
const MAX_CLS: f64 = 1_000.0;
/// Of a name in the domain name system.
const MAX_HOST_BYTES: usize = 253;
const MAX_METHOD_BYTES: usize = 16;
const MAX_STATUS: f64 = 999.0;
/// The greatest number of bytes that is believed of a request.
const MAX_BYTES: f64 = 1e12;

/// What a signal tells, if it is one that is measured.
pub(crate) fn measured(signal: &Signal, page_url: &str, index: usize) -> Option<Box<Measured>> {
    let measured = match signal.kind.as_str() {
        "request" => request(signal, page_url),
        "page" => page(page_url),
        "vital" => vital(signal, page_url)?,
        _ => return None,
    };
    Some(Box::new(Measured { index: u32::try_from(index).unwrap_or(u32::MAX), ..measured }))
}

fn page(url: &str) -> Measured {
    Measured {
        name: endpoint::name(url),
        class: Class::Page,
        status: 0,
        failed: false,
        sent_bytes: None,
        received_bytes: None,
        measures: Vec::new(),
        counts: true,
        bucket: None,
        index: 0,
        span: None,
    }
}

fn vital(signal: &Signal, page_url: &str) -> Option<Measured> {
    let measure = Measure::of_vital(signal.text("name"))?;
    let value = signal.number("value").filter(|value| *value >= 0.0)?;
    let value = if measure == Measure::Cls { value.min(MAX_CLS) * 1_000.0 } else { value.min(MAX_MS) };
    let url = match signal.text("url") {
        "" => page_url,
        url => url,
    };
    Some(Measured {
        measures: vec![(measure, value)],
        counts: false,
        bucket: (measure == Measure::Lcp).then(|| bucket(value)),
        ..page(url)
    })
}

fn request(signal: &Signal, page_url: &str) -> Measured {
    let number = |name, most| signal.number(name).filter(|value| (0.0..=most).contains(value));
    let status = number("status", MAX_STATUS).unwrap_or_default() as u32;
    let class = Class::of(status, signal.text("outcome"));
    let measures = if class == Class::Aborted { Vec::new() } else { durations(signal) };
    let total = measures.iter().find(|(what, _)| *what == Measure::Total).map(|(_, value)| *value);
    Measured {
        name: name(signal, page_url),
        class,
        status,
        failed: failed(signal),
        sent_bytes: number("request_bytes", MAX_BYTES).map(|bytes| bytes as u64),
        received_bytes: number("response_bytes", MAX_BYTES).map(|bytes| bytes as u64),
        measures,
        counts: true,
        bucket: total.map(bucket),
        index: 0,
        span: span::id(signal.text("trace_id"), signal.text("span_id")),
    }
}

/// Whether a request failed, by what the page tells and by its status.
pub(crate) fn failed(signal: &Signal) -> bool {
    let outcome = signal.text("outcome");
    let is_bad = signal.number("status").is_some_and(|status| status >= 400.0);
    outcome != "aborted" && (is_bad || matches!(outcome, "http_error" | "network_error" | "timeout"))
}

/// Method and template; the host too, unless it is the page's own.
pub(crate) fn name(signal: &Signal, page_url: &str) -> String {
    let url = signal.text("url");
    let method = cut(signal.text("method"), MAX_METHOD_BYTES).to_uppercase();
    let (host, own) = (origin::parts(url).0, origin::parts(page_url).0);
    let is_other = !host.is_empty() && !host.eq_ignore_ascii_case(own);
    let host = if is_other { cut(host, MAX_HOST_BYTES).to_lowercase() } else { String::new() };
    let template = endpoint::name(url);
    let template = if template.is_empty() { "/" } else { &template };
    let operation = operation(signal);
    let space = if operation.is_empty() { "" } else { " " };
    format!("{method} {host}{template}{space}{operation}")
}

/// What a GraphQL request calls its operation; nothing where that is no name.
fn operation(signal: &Signal) -> &str {
    let operation = cut(signal.text("operation"), MAX_OPERATION_BYTES);
    let is_name = operation.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+'));
    if is_name { operation } else { "" }
}

/// The total from the request's start to the response's end, and its parts as far as they are known.
fn durations(signal: &Signal) -> Vec<(Measure, f64)> {
    let number = |name| signal.number(name).filter(|value| *value >= 0.0).map(|value| value.min(MAX_MS));
    let mut measures = Vec::with_capacity(4);
    let total = number("duration_ms");
    measures.extend(total.map(|total| (Measure::Total, total)));
    if let (Some(total), Some(backend)) = (total, backend_ms(signal)) {
        measures.extend(split(total, backend));
    }
    measures.extend(number("frontend_ms").map(|frontend| (Measure::Frontend, frontend)));
    measures
}

/// The server's part of a request and the network's, the rest. A server cannot have taken longer than the whole request: its clock is coarse, or it
/// counts work that went on.
pub(crate) fn split(total_ms: f64, backend_ms: f64) -> [(Measure, f64); 2] {
    let backend = backend_ms.min(total_ms);
    [(Measure::Backend, backend), (Measure::Network, total_ms - backend)]
}

/// Of `Server-Timing`: the entry `total`, or else the longest. Entries may overlap, so their sum can be more than the whole.
fn backend_ms(signal: &Signal) -> Option<f64> {
    let entries = signal.data.get("server_timing")?.as_array()?;
    let duration = |entry: &Value| entry.get("duration_ms").and_then(Value::as_f64).filter(|ms| *ms > 0.0);
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let total = entries.iter().find(|entry| name(entry) == "total").and_then(duration);
    total.or_else(|| entries.iter().filter_map(duration).max_by(f64::total_cmp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(signal: serde_json::Value) -> Option<Box<Measured>> {
        let signal = Signal::parse(signal.to_string().as_bytes()).unwrap();
        measured(&signal, "https://shop.example/products/7", 3)
    }

    #[test]
    fn a_request_is_split_as_far_as_it_is_known() {
        let request = |more: serde_json::Value| {
            let mut signal = json!({"k": "request", "t": 1, "url": "https://shop.example/api/orders/17?x=1", "method": "post",
                "status": 502, "outcome": "http_error"});
            signal.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(signal).unwrap()
        };
        let whole = request(json!({"duration_ms": 120, "frontend_ms": 8, "response_bytes": 90,
            "server_timing": [{"name": "db", "duration_ms": 70}, {"name": "cache"}]}));
        assert_eq!(
            (whole.name.as_str(), whole.class, whole.failed),
            ("POST /api/orders/{id}", Class::ServerError, true)
        );
        assert_eq!((whole.received_bytes, whole.sent_bytes, whole.index), (Some(90), None, 3));
        let expected = [
            (Measure::Total, 120.0),
            (Measure::Backend, 70.0),
            (Measure::Network, 50.0),
            (Measure::Frontend, 8.0),
        ];
        assert_eq!(whole.measures, expected);
        assert_eq!(request(json!({"duration_ms": 120})).measures, [(Measure::Total, 120.0)]);
        assert_eq!(request(json!({})).measures, []);
        let named = request(
            json!({"duration_ms": 50, "server_timing": [{"name": "db", "duration_ms": 9}, {"name": "Total", "duration_ms": 80}]}),
        );
        assert_eq!(
            named.measures,
            [(Measure::Total, 50.0), (Measure::Backend, 50.0), (Measure::Network, 0.0)]
        );
        let aborted = request(json!({"duration_ms": 50, "outcome": "aborted", "status": 0}));
        assert_eq!((aborted.class, aborted.failed, aborted.measures.len()), (Class::Aborted, false, 0));
    }

    #[test]
    fn other_hosts_are_named() {
        let other =
            json!({"k": "request", "t": 1, "url": "https://API.pay.example/v1/charges", "method": "GET"});
        let other = read(other).unwrap();
        assert_eq!(
            (other.name.as_str(), other.class, other.failed),
            ("GET api.pay.example/v1/charges", Class::Unknown, false)
        );
    }

    #[test]
    fn operations_are_told_apart_and_slugs_are_not() {
        let named = |url: &str, operation: &str| {
            let signal =
                json!({"k": "request", "t": 1, "url": url, "method": "POST", "operation": operation});
            read(signal).unwrap().name
        };
        let own = "https://shop.example";
        assert_eq!(named(&format!("{own}/graphql"), "PlaceOrder"), "POST /graphql PlaceOrder");
        assert_eq!(named(&format!("{own}/graphql"), "A+B_c"), "POST /graphql A+B_c");
        assert_eq!(named(&format!("{own}/graphql"), "ana@example.org /x"), "POST /graphql");
        assert_eq!(named(&format!("{own}/p/red-shoes-8842"), ""), "POST /p/red-shoes-{id}");
    }

    #[test]
    fn vitals_belong_to_their_page() {
        let vital = read(
            json!({"k": "vital", "t": 1, "name": "CLS", "value": 0.25, "url": "https://shop.example/a/1"}),
        )
        .unwrap();
        assert_eq!(
            (vital.name.as_str(), vital.counts, &vital.measures[..]),
            ("/a/{id}", false, &[(Measure::Cls, 250.0)][..])
        );
        assert!(read(json!({"k": "vital", "t": 1, "name": "FID", "value": 1})).is_none());
        assert_eq!(read(json!({"k": "page", "t": 1, "url": "u"})).unwrap().name, "/products/{id}");
        assert!(read(json!({"k": "click", "t": 1, "selector": "a"})).is_none());
    }
}
