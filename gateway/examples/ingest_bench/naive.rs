//! What somebody would write first: take the body, hand it to a `FutureProducer` with the same settings as the product's, answer.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use playhead_backends::log::kafka::KafkaConfig;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::Server;

#[derive(Clone)]
struct Naive {
    producer: FutureProducer,
    topic: String,
}

/// Appends to the topic `batches`, which the product's log has made.
pub(crate) async fn serve(config: &KafkaConfig) -> Server {
    let producer = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("max.in.flight.requests.per.connection", "5")
        .set("message.timeout.ms", config.delivery_timeout_ms.to_string())
        .set("linger.ms", config.linger_ms.to_string())
        .set("batch.size", config.batch_bytes.to_string())
        .set("compression.type", "none")
        .set("message.max.bytes", "1000000000")
        .set("queue.buffering.max.kbytes", (config.buffer_bytes / 1_024 + 1_024).to_string())
        .create()
        .unwrap();
    let naive = Naive { producer, topic: format!("{}batches", config.prefix) };
    let router =
        Router::new().route("/v1/batches", post(take)).layer(DefaultBodyLimit::disable()).with_state(naive);
    Server::start(router).await
}

async fn take(State(naive): State<Naive>, body: Bytes) -> StatusCode {
    // As the product does: records of a session stay in order.
    let key: [u8; 16] = session(&body);
    let record = FutureRecord::to(&naive.topic).key(&key[..]).payload(&body[..]);
    match naive.producer.send(record, Duration::from_secs(10)).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The session's id in hexadecimal, found in the header line by its member's name.
fn session(body: &[u8]) -> [u8; 16] {
    const NAME: &[u8] = b"\"session\":\"";
    let at = body.windows(NAME.len()).position(|window| window == NAME).unwrap() + NAME.len();
    let digit = |at: usize| (body[at] as char).to_digit(16).unwrap() as u8;
    std::array::from_fn(|byte| digit(at + 2 * byte) << 4 | digit(at + 2 * byte + 1))
}
