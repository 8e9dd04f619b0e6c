//! What the server holds when many large bodies come at once.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{read_answer, request};
use crate::processor;

const BODY_BYTES: usize = 1 << 20;

/// Sends `count` bodies of 1 MiB at once, all of the same bytes, so that the client holds one of them.
pub(crate) async fn measure(address: SocketAddr, count: usize) -> Value {
    let body: Arc<[u8]> = request(address, BODY_BYTES - 512).into();
    let before = processor::memory("VmRSS:");
    processor::forget_peak();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(upload(address, Arc::clone(&body)));
    }
    let (mut accepted, mut refused) = (0, 0);
    while let Some(is_accepted) = tasks.join_next().await {
        if is_accepted.unwrap() { accepted += 1 } else { refused += 1 }
    }
    let peak = processor::memory("VmHWM:");
    json!({
        "uploads": count, "body_bytes": BODY_BYTES, "accepted": accepted, "refused": refused,
        "memory_before_mib": before >> 20, "memory_peak_mib": peak >> 20,
    })
}

/// Whether it was taken. A refusal may come, and the connection end, before everything is sent.
async fn upload(address: SocketAddr, body: Arc<[u8]>) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let send = async { tokio::io::AsyncWriteExt::write_all(&mut writer, &body).await };
    let mut answer = Vec::new();
    tokio::select! {
        biased;
        is_accepted = read_answer(&mut reader, &mut answer) => is_accepted.unwrap_or(false),
        sent = send => {
            let answered = if sent.is_ok() { read_answer(&mut reader, &mut Vec::new()).await } else { Ok(false) };
            answered.unwrap_or(false)
        }
    }
}
