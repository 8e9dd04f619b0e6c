//! The real process sends its spans to a real receiver of OTLP, and does not mind when there is none.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::State;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const SESSION: &str = "00112233445566778899aabbccddeeff";

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

/// `playhead up` on a folder of its own.
struct Product {
    child: Child,
    address: String,
    key: String,
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Product {
    async fn start(folder: &Path, collector: &str, ratio: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_playhead"))
            .args(["up", "--no-demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.join("data"))
            .env("PLAYHEAD_TELEMETRY__OTLP_ENDPOINT", collector)
            .env("PLAYHEAD_TELEMETRY__TRACE_SAMPLE_RATIO", ratio)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut address, mut key) = (None, None);
        for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, url)) = line.split_once(" runs at http://") {
                address = Some(url.to_owned());
            }
            if let Some(at) = line.find("phk_") {
                key = line[at..].split('"').next().map(ToOwned::to_owned);
                break;
            }
        }
        let product = Self { child, address: address.unwrap(), key: key.unwrap() };
        while product.send("GET", "/readyz", "", "").await != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        product
    }

    /// The status of the answer.
    async fn send(&self, method: &str, path: &str, traceparent: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let trace =
            if traceparent.is_empty() { String::new() } else { format!("traceparent: {traceparent}\r\n") };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{trace}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    async fn send_batch(&self, seq: u32, traceparent: &str) -> u16 {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let header = serde_json::json!({
            "v": 1, "key": self.key, "session": SESSION, "stream": "0011223344556677", "seq": seq, "tab": 1,
            "sent": now_ms as u64, "from": now_ms as u64, "to": now_ms as u64, "end": true,
        });
        self.send("POST", "/v1/batches", traceparent, &format!("{header}\n")).await
    }

    /// Ends it as a service manager does, and returns what it wrote to standard error.
    async fn stop(mut self) -> String {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut stderr = self.child.stderr.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let text = read.await.unwrap();
        assert!(self.child.wait().unwrap().success(), "{text}");
        text
    }
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
    let product = Product::start(folder.path(), &url, "0").await;
    assert_eq!(product.send_batch(0, "").await, 202);
    assert_eq!(product.send_batch(1, &format!("00-{TRACE}-{PARENT}-00")).await, 202);
    assert_eq!(product.send_batch(2, &format!("00-{TRACE}-{PARENT}-01")).await, 202);
    assert_eq!(product.send("GET", "/api/v1/projects", &format!("00-{TRACE}-{PARENT}-01"), "").await, 401);
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
    let product = Product::start(folder.path(), &format!("http://{address}"), "1").await;
    for seq in 0..4 {
        assert_eq!(product.send_batch(seq, "").await, 202);
        // Spans are sent every second: several sends fail.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    let log = product.stop().await;
    assert_eq!(log.matches("the collector does not take spans").count(), 1, "{log}");
}
