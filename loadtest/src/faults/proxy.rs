//! A TCP proxy that makes a dependency slow for whoever goes through it, or speaks for it: it refuses access.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a bucket answers to a key that it does not take any more.
const FORBIDDEN: &[u8] =
    b"HTTP/1.1 403 Forbidden\r\ncontent-length: 39\r\nconnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>";

/// Passes bytes on, answers later than they come, or refuses.
pub(crate) struct Proxy {
    pub(crate) address: String,
    delay_ms: Arc<AtomicU64>,
    refuses: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// `upstream` is `host:port`.
    pub(crate) async fn start(upstream: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the proxy")?;
        let address = listener.local_addr()?.to_string();
        let delay_ms = Arc::new(AtomicU64::new(0));
        let refuses = Arc::new(AtomicBool::new(false));
        let (delay, refusing) = (delay_ms.clone(), refuses.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if refusing.load(Ordering::Relaxed) {
                    tokio::spawn(refuse(client));
                } else {
                    tokio::spawn(serve(client, upstream.clone(), delay.clone(), refusing.clone()));
                }
            }
        });
        Ok(Self { address, delay_ms, refuses, task })
    }

    /// From now on whoever asks is refused access, or is not any more.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// Every piece of an answer is held back this long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections that were kept end, so that the next request meets the refusal.
async fn serve(client: TcpStream, upstream: String, delay_ms: Arc<AtomicU64>, refuses: Arc<AtomicBool>) {
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let no_delay = Arc::new(AtomicU64::new(0));
    let requests = tokio::spawn(pass(from_client, to_server, no_delay));
    let refused = async {
        while !refuses.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = pass(from_server, to_client, delay_ms) => {}
        () = refused => {}
    }
    requests.abort();
}

/// Reads one request whole, as who is cut off while sending does not read the answer.
async fn refuse(mut client: TcpStream) {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match client.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
        if is_whole(&request) {
            break;
        }
    }
    // Whoever is gone needs no answer.
    let _ = client.write_all(FORBIDDEN).await;
    let _ = client.shutdown().await;
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
    request.len() >= end + 4 + length
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay_ms: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(delay_ms.load(Ordering::Relaxed))).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    // The other direction may still have something to say.
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn answers_come_late_and_whole() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = server.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                let mut asked = [0; 4];
                stream.read_exact(&mut asked).await.unwrap();
                stream.write_all(&asked).await.unwrap();
            }
        });
        let proxy = Proxy::start(upstream).await.unwrap();
        for delay in [Duration::ZERO, Duration::from_millis(150)] {
            proxy.delay(delay);
            let begun = Instant::now();
            let mut stream = TcpStream::connect(&proxy.address).await.unwrap();
            stream.write_all(b"ping").await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, b"ping");
            assert!(begun.elapsed() >= delay);
        }
    }

    #[tokio::test]
    async fn a_refusal_answers_a_whole_request() {
        let proxy = Proxy::start("127.0.0.1:1".to_owned()).await.unwrap();
        proxy.refuse(true);
        let mut stream = TcpStream::connect(&proxy.address).await.unwrap();
        stream.write_all(b"PUT /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
        stream.write_all(b"cd").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, FORBIDDEN);
        assert!(!is_whole(b"PUT /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc"));
    }
}
