//! A TCP proxy that makes a dependency slow for whoever goes through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes bytes on, answers later than they come.
pub(crate) struct Proxy {
    pub(crate) address: String,
    delay_ms: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// `upstream` is `host:port`.
    pub(crate) async fn start(upstream: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the proxy")?;
        let address = listener.local_addr()?.to_string();
        let delay_ms = Arc::new(AtomicU64::new(0));
        let delay = delay_ms.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream.clone(), delay.clone()));
            }
        });
        Ok(Self { address, delay_ms, task })
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

async fn serve(client: TcpStream, upstream: String, delay_ms: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let no_delay = Arc::new(AtomicU64::new(0));
    let requests = tokio::spawn(pass(from_client, to_server, no_delay));
    pass(from_server, to_client, delay_ms).await;
    requests.abort();
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
}
