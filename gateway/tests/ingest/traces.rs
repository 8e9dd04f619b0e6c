//! `POST /v1/traces`, against the messages as OpenTelemetry's own crate writes them.

use std::io::Write;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use playhead_domain::log::StoredRecord;
use playhead_proto::batch::{frames, header_len, parse_header};
use playhead_proto::frame::inflate;
use playhead_proto::key::secret_key;
use playhead_proto::record::RecordMeta;
use prost::Message;
use serde_json::{Value, json};

use crate::app::{Answer, App, Mood, NOW_US, shop, shop_key, shop_secret};
use crate::batch::SESSION;

const OTHER_SESSION: &str = "ffeeddccbbaa99887766554433221100";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const START_NS: u64 = 1_767_225_600_000_000_000;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn span(number: u8, session: &str) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![number; 8],
        parent_span_id: vec![1; 8],
        trace_state: if session.is_empty() { String::new() } else { format!("x=y,playhead={session}") },
        name: "GET /orders/:id".to_owned(),
        kind: 2,
        start_time_unix_nano: START_NS + 500_000,
        end_time_unix_nano: START_NS + 13_000_000,
        attributes: vec![
            attribute("http.route", Any::StringValue("/orders/:id".to_owned())),
            attribute("http.response.status_code", Any::IntValue(500)),
            attribute("http.request.header.cookie", Any::StringValue("secret".to_owned())),
        ],
        status: Some(Status { message: "no stock".to_owned(), code: 2 }),
        ..Span::default()
    }
}

fn export(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let attributes = vec![attribute("service.name", Any::StringValue("orders".to_owned()))];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn send(app: &App, body: &[u8], content_type: &str, more: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {}", shop_secret());
    let mut headers = vec![("content-type", content_type), ("authorization", bearer.as_str())];
    headers.extend(more);
    app.post_with("/v1/traces", body, &headers).await
}

async fn send_spans(app: &App, spans: Vec<Span>) -> Answer {
    send(app, &export(spans).encode_to_vec(), PROTOBUF, &[]).await
}

/// How many were rejected, and what is said of them.
fn told(answer: &Answer) -> (i64, String) {
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF)), "{answer:?}");
    let response = ExportTraceServiceResponse::decode(&answer.bytes[..]).unwrap();
    response.partial_success.map_or_else(Default::default, |told| (told.rejected_spans, told.error_message))
}

fn rpc(answer: &Answer) -> (u16, i32, String) {
    assert_eq!(answer.header("content-type"), Some(PROTOBUF), "{answer:?}");
    let status = RpcStatus::decode(&answer.bytes[..]).unwrap();
    (answer.status, status.code, status.message)
}

/// The signals of a record that a backend's spans became.
fn lines(record: &StoredRecord) -> Vec<Value> {
    let meta = RecordMeta::decode(&record.meta[..]).unwrap();
    let expected = RecordMeta {
        tenant_id: shop().tenant,
        project_id: shop().project,
        received_us: NOW_US,
        backend: true,
        ..RecordMeta::default()
    };
    assert_eq!(meta, expected);
    let length = header_len(&record.value).unwrap();
    let header = parse_header(&record.value[..length], record.value.len()).unwrap();
    assert_eq!(&header.session.0[..], &record.key[..]);
    let raw =
        inflate(&frames(&record.value, length, &header).0, header.signals.enc, header.signals.raw).unwrap();
    let lines = raw.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn expected_line() -> Value {
    json!({"k": "span", "t": 1_767_225_600_000.5, "trace_id": "07".repeat(16), "span_id": "02".repeat(8),
        "parent_id": "01".repeat(8), "name": "GET /orders/:id", "role": "server", "service": "orders",
        "duration_ms": 12.5, "status": "error", "status_message": "no stock",
        "attributes": {"http.route": "/orders/:id", "http.response.status_code": 500}})
}

#[tokio::test]
async fn spans_become_a_batch_of_their_session_in_both_encodings() {
    let app = App::start().await;
    let protobuf = export(vec![span(2, SESSION)]).encode_to_vec();
    assert_eq!(told(&send(&app, &protobuf, PROTOBUF, &[]).await), (0, String::new()));
    let zipped = send(&app, &gzip(&protobuf), PROTOBUF, &[("content-encoding", "gzip")]).await;
    assert_eq!(told(&zipped), (0, String::new()));
    // As OpenTelemetry's SDKs write it, and with what this server does not know.
    let json = json!({"resourceSpans": [{"schemaUrl": "x", "scopeSpans": [{"scope": {"name": "http"}, "spans": [{
        "traceId": "07".repeat(16), "spanId": "02".repeat(8), "parentSpanId": "01".repeat(8), "flags": 257,
        "traceState": format!("x=y,playhead={SESSION}"), "name": "GET /orders/:id", "kind": 2,
        "startTimeUnixNano": (START_NS + 500_000).to_string(), "endTimeUnixNano": START_NS + 13_000_000,
        "attributes": [{"key": "http.route", "value": {"stringValue": "/orders/:id"}},
            {"key": "http.response.status_code", "value": {"intValue": "500"}},
            {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}}],
        "events": [{"name": "exception"}], "links": [], "status": {"code": 2, "message": "no stock"}}]}],
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]}}]});
    let answer = send(&app, json.to_string().as_bytes(), "application/json; charset=utf-8", &[]).await;
    assert_eq!((answer.status, answer.header("content-type"), answer.body.as_str()), (200, Some(JSON), "{}"));
    assert_eq!(answer.header("access-control-allow-origin"), None, "no page has a secret key");
    let stored = app.stored().await;
    assert_eq!(stored.len(), 3);
    for record in &stored {
        assert_eq!(lines(record), [expected_line()]);
    }
    let name = |record: &StoredRecord| {
        let header: Value =
            serde_json::from_slice(record.value.split(|&b| b == b'\n').next().unwrap()).unwrap();
        (header["stream"].clone(), header["seq"].clone())
    };
    assert_eq!(name(&stored[0]), name(&stored[1]), "sent again, it has the same name");
    assert_eq!(app.metric("playhead_gateway_spans_total", Some("kept")), 3);
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
}

#[tokio::test]
async fn each_session_gets_its_own_and_the_others_are_told() {
    let app = App::start().await;
    let mut broken = span(5, SESSION);
    broken.trace_id = vec![0; 16];
    let mut large = span(6, SESSION);
    large.attributes.push(attribute("huge", Any::StringValue("x".repeat(70_000))));
    let spans = vec![span(2, SESSION), span(3, OTHER_SESSION), span(4, ""), broken, large];
    let (rejected, message) = told(&send_spans(&app, spans).await);
    assert_eq!(rejected, 2, "a span without a session is acknowledged: {message}");
    for part in ["1 spans carry no session", "1 spans cannot be read", "1 spans are over 65536 bytes"] {
        assert!(message.contains(part), "{message}");
    }
    let stored = app.stored().await;
    assert_eq!(stored.iter().map(|record| lines(record).len()).collect::<Vec<_>>(), [1, 1]);
    assert_ne!(stored[0].key, stored[1].key);
    for outcome in ["without_session", "malformed", "too_large"] {
        assert_eq!(app.metric("playhead_gateway_spans_total", Some(outcome)), 1, "{outcome}");
    }
    let only = send(&app, br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}"#, JSON, &[]).await;
    assert_eq!(only.json()["partialSuccess"]["rejectedSpans"], "1");
}

#[tokio::test]
async fn many_spans_are_several_batches_and_too_many_are_told() {
    let app = App::start().await;
    let mut spans: Vec<Span> = (0..10_003u64)
        .map(|number| Span { span_id: (number + 1).to_be_bytes().to_vec(), ..span(1, SESSION) })
        .collect();
    spans.push(span(2, OTHER_SESSION));
    let body = gzip(&export(spans).encode_to_vec());
    let answer = send(&app, &body, PROTOBUF, &[("content-encoding", "gzip")]).await;
    assert_eq!(told(&answer).0, 4);
    let stored = app.stored().await;
    assert!(stored.len() > 5, "{}", stored.len());
    assert_eq!(stored.iter().map(|record| lines(record).len()).sum::<usize>(), 10_000);
}

#[tokio::test]
async fn only_a_secret_key_opens() {
    let app = App::start().await;
    let body = export(vec![span(2, SESSION)]).encode_to_vec();
    let unknown = secret_key([1; 32]);
    let mistyped = shop_secret().replacen("phs_", "phs_z", 1);
    let cases = [
        (None, "Authorization: Bearer phs_"),
        (Some("Basic abc".to_owned()), "Authorization: Bearer phs_"),
        (Some("Bearer".to_owned()), "Authorization: Bearer phs_"),
        (Some(format!("Bearer {}", shop_key())), "this is the public key"),
        (Some(format!("Bearer {unknown}")), "unknown or revoked"),
        (Some(format!("Bearer {mistyped}")), "mistyped"),
    ];
    for (authorization, hint) in cases {
        let mut headers = vec![("content-type", PROTOBUF)];
        headers.extend(authorization.as_deref().map(|text| ("authorization", text)));
        let answer = app.post_with("/v1/traces", &body, &headers).await;
        let (status, code, message) = rpc(&answer);
        assert_eq!((status, code), (401, 16), "{authorization:?}");
        assert!(message.contains(hint), "{authorization:?}: {message}");
    }
    app.change(playhead_domain::row::Project { secret_keys: Vec::new(), ..shop() }).await;
    assert_eq!(rpc(&send(&app, &body, PROTOBUF, &[]).await).0, 401, "revoked");
    app.change(playhead_domain::row::Project { disabled: true, ..shop() }).await;
    assert_eq!(rpc(&send(&app, &body, PROTOBUF, &[]).await).0, 403);
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_whole() {
    let app = App::start().await;
    let good = export(vec![span(2, SESSION)]).encode_to_vec();
    let bomb = gzip(&vec![0; 40 << 20]);
    let deep = format!(r#"{{"resourceSpans":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&[u8], &str, Option<&str>, u16); 10] = [
        (&good[..good.len() - 1], PROTOBUF, None, 400),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", PROTOBUF, None, 400),
        (&good, PROTOBUF, Some("gzip"), 400),
        (&gzip(&good)[..20], PROTOBUF, Some("gzip"), 400),
        (&bomb, PROTOBUF, Some("gzip"), 413),
        (&good, PROTOBUF, Some("br"), 415),
        (&good, "text/plain", None, 415),
        (&good, JSON, None, 400),
        (b"[]", JSON, None, 400),
        (deep.as_bytes(), JSON, None, 400),
    ];
    for (index, (body, content_type, encoding, status)) in cases.into_iter().enumerate() {
        let more: Vec<_> = encoding.map(|encoding| ("content-encoding", encoding)).into_iter().collect();
        let answer = send(&app, body, content_type, &more).await;
        assert_eq!(answer.status, status, "{index}: {answer:?}");
        if content_type == JSON {
            assert!(answer.json()["message"].as_str().is_some(), "{index}");
        }
    }
    let large = send(&app, &vec![0; (4 << 20) + 1], PROTOBUF, &[]).await;
    assert_eq!((large.status, app.stored().await.len()), (413, 0));
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
    assert_eq!(send_spans(&app, vec![span(2, SESSION)]).await.status, 200);
}

/// A value that nests is skipped, however deep; a million empty messages take no memory of their own.
#[tokio::test]
async fn hostile_shapes_are_walked_over() {
    let app = App::start().await;
    let mut nested = AnyValue { value: Some(Any::IntValue(1)) };
    for _ in 0..2_000 {
        nested = AnyValue { value: Some(Any::ArrayValue(ArrayValue { values: vec![nested] })) };
    }
    let mut deep = span(2, SESSION);
    deep.attributes.push(KeyValue { key: "deep".to_owned(), value: Some(nested), ..KeyValue::default() });
    assert_eq!(told(&send_spans(&app, vec![deep]).await), (0, String::new()));
    assert_eq!(lines(&app.stored().await[0]), [expected_line()]);
    let empty_resources = [0x0a, 0x00].repeat(1 << 20);
    let answer = send(&app, &gzip(&empty_resources), PROTOBUF, &[("content-encoding", "gzip")]).await;
    assert_eq!(told(&answer), (0, String::new()));
    let value = "[".repeat(20_000) + &"]".repeat(20_000);
    let deep = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"0202020202020202","name":"n",
        "startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[{{"key":"deep","value":{{"arrayValue":{value}}}}}]}}]}}]}}]}}"#,
        "07".repeat(16)
    );
    let answer = send(&app, deep.as_bytes(), JSON, &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What is odd about an attribute, or about the resource, is no reason to lose the span.
#[tokio::test]
async fn odd_values_are_left_out_and_the_span_stays() {
    let app = App::start().await;
    for odd in [
        json!(null),
        json!("plain"),
        json!({"key": null, "value": null}),
        json!({"key": "http.route"}),
        json!({"key": "http.route", "value": null}),
        json!({"key": "http.route", "value": "plain"}),
        json!({"key": "http.route", "value": {"stringValue": 7}}),
        json!({"key": "http.route", "value": {"intValue": {"high": 1}}}),
        json!({"key": "http.route", "value": {"intValue": "1.5"}}),
        json!({"key": "http.route", "value": {"doubleValue": "NaN"}}),
        json!({"key": "http.route", "value": {"boolValue": "yes"}}),
        json!({"key": "http.route", "value": {"bytesValue": "AAE="}}),
        json!({"key": "http.route", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"kvlistValue": null}}]}}}),
        json!({"key": "http.route", "value": {"arrayValue": {"values": [{"arrayValue": {"values": [null, {}]}}]}}}),
        json!({"key": "http.route", "value": {"strangeValue": [[[]]]}}),
    ] {
        let good = json!({"key": "http.request.method", "value": {"stringValue": "GET"}});
        let name = json!({"key": "service.name", "value": {"stringValue": "orders"}});
        let span = json!({"traceId": "07".repeat(16), "spanId": "02".repeat(8), "parentSpanId": null, "kind": "SERVER",
            "traceState": format!("playhead={SESSION}"), "name": "n", "startTimeUnixNano": "1", "endTimeUnixNano": 2,
            "attributes": [odd, good], "status": []});
        let export = json!({"resourceSpans": [{"resource": {"attributes": [odd, name]}, "scopeSpans": [{"spans": [span]}]}]});
        let answer = send(&app, export.to_string().as_bytes(), JSON, &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "{odd}");
        let stored = app.stored().await;
        let line = lines(stored.last().unwrap()).remove(0);
        assert_eq!(line["attributes"], json!({"http.request.method": "GET"}), "{odd}");
        assert_eq!(line["service"], "orders", "{odd}");
    }
    assert_eq!(app.metric("playhead_gateway_spans_total", Some("kept")), 15);
}

#[tokio::test]
async fn protobuf_that_is_no_text_is_left_out_and_the_span_stays() {
    let app = App::start().await;
    let mut bytes = export(vec![span(2, SESSION)]).encode_to_vec();
    // Letters become bytes that are no UTF-8: of a value, of a message, of a name and of the resource.
    for text in ["/orders/:id", "no stock", "GET /orders", "orders"] {
        let found = bytes.windows(text.len()).rposition(|window| window == text.as_bytes()).unwrap();
        bytes[found] = 0xff;
    }
    assert_eq!(told(&send(&app, &bytes, PROTOBUF, &[]).await), (0, String::new()));
    let line = lines(&app.stored().await[0]).remove(0);
    assert_eq!(line["attributes"], json!({"http.response.status_code": 500}));
    assert_eq!((&line["status"], &line["span_id"]), (&json!("error"), &json!("02".repeat(8))));
}

#[tokio::test]
async fn processes_of_a_service_are_told_apart_and_not_named() {
    let app = App::start().await;
    let of = |host: &str| {
        let mut export = export(vec![span(2, SESSION)]);
        let attributes = &mut export.resource_spans[0].resource.as_mut().unwrap().attributes;
        attributes.push(attribute("host.name", Any::StringValue(host.to_owned())));
        attributes.push(attribute("process.pid", Any::IntValue(7)));
        export.encode_to_vec()
    };
    for host in ["alpha", "beta", "alpha"] {
        assert_eq!(told(&send(&app, &of(host), PROTOBUF, &[]).await).0, 0);
    }
    let stored = app.stored().await;
    let instances: Vec<_> = stored.iter().map(|record| lines(record)[0]["instance"].clone()).collect();
    assert_eq!(instances[0], instances[2]);
    assert_ne!(instances[0], instances[1]);
    assert_eq!(instances[0].as_str().unwrap().len(), 16);
}

#[tokio::test]
async fn who_should_come_back_is_told_when() {
    let app = App::with(|config| {
        config.quota.rate_requests_per_s = 1;
        config.quota.burst_requests = 2;
    })
    .await;
    app.log.set(Mood::Unavailable);
    let answer = send_spans(&app, vec![span(2, SESSION)]).await;
    assert_eq!((rpc(&answer).0, rpc(&answer).1, answer.header("retry-after")), (503, 14, Some("2")));
    app.log.set(Mood::Well);
    assert_eq!(send_spans(&app, vec![span(2, SESSION)]).await.status, 200);
    let answer = send_spans(&app, vec![span(2, SESSION)]).await;
    assert_eq!((rpc(&answer).0, rpc(&answer).1, answer.header("retry-after")), (429, 8, Some("1")));
    assert_eq!(app.stored().await.len(), 1);
}
