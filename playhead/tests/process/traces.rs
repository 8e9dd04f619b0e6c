//! The real process sends its spans to a real receiver of OTLP, and does not mind when there is none.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

use crate::product::Product;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// What came in, each span with its service's name.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<(String, Span)>>>);

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let router =
            axum::Router::new().route("/v1/traces", axum::routing::post(take)).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (receiver, url)
    }

    fn named(&self, name: &str) -> Vec<(String, Span)> {
        self.0.lock().unwrap().iter().filter(|(_, span)| span.name == name).cloned().collect()
    }
}

async fn take(State(receiver): State<Receiver>, body: Bytes) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(body).expect("protobuf");
    for resource_spans in request.resource_spans {
        let resource = resource_spans.resource.unwrap_or_default();
        let service = resource.attributes.into_iter().find(|pair| pair.key == "service.name").unwrap();
        let Some(Value::StringValue(service)) = service.value.unwrap().value else { panic!("no text") };
        let spans = resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        receiver.0.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

/// The settings for it.
fn traces_to<'a>(collector: &'a str, ratio: &'a str) -> [(&'static str, &'a str); 2] {
    [("PLAYHEAD_TELEMETRY__OTLP_ENDPOINT", collector), ("PLAYHEAD_TELEMETRY__TRACE_SAMPLE_RATIO", ratio)]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> Option<Value> {
    span.attributes.iter().find(|pair| pair.key == key)?.value.clone()?.value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_through_the_gateway_and_is_linked_from_the_flush() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, url) = Receiver::start().await;
    // Nothing but what the sender keeps is kept.
    let product = Product::start(folder.path(), &traces_to(&url, "0")).await;
    assert_eq!(product.send_batch(0, "").await, 202);
    assert_eq!(product.send_batch(1, &format!("00-{TRACE}-{PARENT}-00")).await, 202);
    assert_eq!(product.send_batch(2, &format!("00-{TRACE}-{PARENT}-01")).await, 202);
    assert_eq!(product.send("GET", "/api/v1/projects", &format!("00-{TRACE}-{PARENT}-01"), "").await.0, 401);
    while receiver.named("flush").is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(product.send_batch(3, &format!("00-{}-{PARENT}-01", "1".repeat(32))).await, 202);
    let log = product.stop().await;
    assert!(!log.contains("spans"), "{log}");

    let batches = receiver.named("POST /v1/batches");
    assert_eq!(batches.len(), 2, "those with a parent that is kept: {batches:?}");
    let (service, batch) = &batches[0];
    assert_eq!(service, "playhead");
    assert_eq!((hex(&batch.trace_id), hex(&batch.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(batch.kind, opentelemetry_proto::tonic::trace::v1::span::SpanKind::Server as i32);
    assert_eq!(attribute(batch, "http.response.status_code"), Some(Value::IntValue(202)));

    let flushes = receiver.named("flush");
    assert_eq!(flushes.len(), 2, "the last one was sent before the process ended: {flushes:?}");
    for ((_, flush), (_, batch)) in flushes.iter().zip(&batches) {
        assert!(flush.parent_span_id.is_empty() && flush.trace_id != batch.trace_id);
        let linked: Vec<_> = flush.links.iter().map(|link| (&link.trace_id, &link.span_id)).collect();
        assert_eq!(linked, [(&batch.trace_id, &batch.span_id)]);
        for (key, least) in [("records", 1), ("bytes", 100), ("partition", 0)] {
            let Some(Value::IntValue(value)) = attribute(flush, key) else { panic!("{key}: {flush:?}") };
            assert!(value >= least, "{key} is {value}");
        }
    }

    let (_, api) = &receiver.named("GET /api/v1/projects")[0];
    assert_eq!((hex(&api.trace_id), hex(&api.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(attribute(api, "http.response.status_code"), Some(Value::IntValue(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_told_of_once_and_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let product = Product::start(folder.path(), &traces_to(&format!("http://{address}"), "1")).await;
    for seq in 0..4 {
        assert_eq!(product.send_batch(seq, "").await, 202);
        // Spans are sent every second: several sends fail.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    let log = product.stop().await;
    assert_eq!(log.matches("the collector does not take spans").count(), 1, "{log}");
}
