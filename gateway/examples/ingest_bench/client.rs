//! Connections that send one batch after the other, each waiting for its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand::RngCore;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{processor, product};

/// What one turn brought.
pub(crate) struct Outcome {
    latency_us: Histogram<u64>,
    pub(crate) refused: u64,
    took: Duration,
    /// Of this process: the server, the disk's work on its behalf, and the client, which is the same for all.
    cpu: Duration,
}

impl Outcome {
    pub(crate) fn batches_per_s(&self) -> f64 {
        self.latency_us.len() as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn cpu_us_per_batch(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.latency_us.len() as f64
    }

    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1e3
    }
}

pub(crate) async fn drive(
    address: SocketAddr,
    connections: usize,
    body_bytes: usize,
    seconds: u64,
) -> Outcome {
    let (start, cpu) = (Instant::now(), processor::time_used());
    let end = start + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(converse(address, request(address, body_bytes), end));
    }
    let mut outcome = Outcome { latency_us: histogram(), refused: 0, took: Duration::ZERO, cpu };
    while let Some(part) = tasks.join_next().await {
        let (latency_us, refused) = part.unwrap();
        outcome.latency_us.add(latency_us).unwrap();
        outcome.refused += refused;
    }
    outcome.took = start.elapsed();
    outcome.cpu = processor::time_used() - cpu;
    outcome
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap()
}

/// One batch of a session of its own, frames of random bytes: they would come compressed.
fn request(address: SocketAddr, body_bytes: usize) -> Vec<u8> {
    let mut random = rand::rng();
    let mut session = [0; 16];
    random.fill_bytes(&mut session);
    let session: String = session.iter().map(|byte| format!("{byte:02x}")).collect();
    let frame = body_bytes.saturating_sub(400).max(16);
    let header = json!({
        "v": 1, "key": product::public_key(), "session": session, "stream": &session[..16], "seq": 0, "tab": 1,
        "sent": 1_767_225_600_123.5, "from": 1_767_225_595_000.25, "to": 1_767_225_600_100_u64,
        "signals": {"len": 0, "raw": 0},
        "dom": {"len": frame, "raw": frame * 8, "enc": "deflate", "key": true, "events": 31},
        "rates": {"dom": 1, "dom_on_error": 1, "signals": 1}, "sampled": true,
    });
    let mut body = format!("{header}\n").into_bytes();
    let header_len = body.len();
    body.resize(header_len + frame, 0);
    random.fill_bytes(&mut body[header_len..]);
    let head = format!(
        "POST /v1/batches HTTP/1.1\r\nhost: {address}\r\ncontent-type: text/plain\r\norigin: https://shop.example.com\r\n\
         user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

async fn converse(address: SocketAddr, request: Vec<u8>, end: Instant) -> (Histogram<u64>, u64) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latency_us, mut refused) = (histogram(), 0);
    let mut answer = Vec::new();
    while Instant::now() < end {
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        if read_answer(&mut stream, &mut answer).await.unwrap() {
            latency_us.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap());
        } else {
            refused += 1;
        }
    }
    (latency_us, refused)
}

/// Whether the answer was 202.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin), answer: &mut Vec<u8>) -> std::io::Result<bool> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = std::str::from_utf8(&answer[..head]).unwrap();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = head + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap());
            if answer.len() >= whole {
                return Ok(text.starts_with("HTTP/1.1 202"));
            }
        }
    }
}
