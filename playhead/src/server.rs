//! The HTTP server (HTTP/1.1): bounded in connections and in how long a request's head may take, and able to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::config::Http;

/// After accepting failed (no file descriptors left, say) the next attempt waits.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What one connection reads at once. Five hundred uploads hold this each beside what the budget of bodies counts.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Tells a server to stop. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    told: CancellationToken,
    end: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Requests under way may go on until `end`.
    pub(crate) fn by(&self, end: Instant) {
        // The first one holds.
        let _known = self.end.set(end);
        self.told.cancel();
    }
}

/// Serves until it is told to stop, then lets requests under way finish until the end that it is told.
pub(crate) async fn serve(listener: &TcpListener, router: Router, config: &Http, stop: Stop) {
    let Stop { told: shutdown, end } = stop;
    let places = Arc::new(Semaphore::new(config.max_connections));
    let connections = TaskTracker::new();
    let builder = Arc::new(builder(config));
    loop {
        let place = tokio::select! {
            () = shutdown.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let (builder, router, shutdown) = (Arc::clone(&builder), router.clone(), shutdown.clone());
        connections.spawn(async move {
            serve_connection(&builder, stream, peer, router, &shutdown).await;
            drop(place);
        });
    }
    let end = end.get().copied().unwrap_or_else(Instant::now);
    connections.close();
    if timeout_at(end, connections.wait()).await.is_err() {
        tracing::warn!(
            "some requests were cut off, as they did not end within {} ms",
            config.drain_timeout_ms
        );
    }
}

/// Browsers speak HTTP/2 over TLS only, which ends before this process. To tell the two apart would mean to wait for the first
/// bytes of a connection without a limit, and an idle HTTP/2 connection would keep its place for ever.
fn builder(config: &Http) -> http1::Builder {
    let header_timeout = Duration::from_millis(config.header_timeout_ms);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(READ_BUFFER_BYTES);
    builder
}

/// Serves until the client goes away, or until the request under way at `shutdown` is answered.
async fn serve_connection(
    builder: &http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: &CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay");
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // A client that goes away is no event.
    let _gone = tokio::select! {
        gone = connection.as_mut() => gone,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// With room for one connection, what a silent client holds up is seen by the next one.
    #[tokio::test]
    async fn a_connection_without_a_request_gives_its_place_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config =
            Http { max_connections: 1, header_timeout_ms: 50, drain_timeout_ms: 1_000, shutdown_delay_ms: 0 };
        let router = Router::new().route("/", get(|| async { "here" }));
        let stop = Stop::default();
        let (ended, running) = (stop.clone(), config.clone());
        let server = tokio::spawn(async move { serve(&listener, router, &running, ended).await });
        for opening in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM", b"GET / HTTP/1.1\r\nho"] {
            let mut silent = TcpStream::connect(address).await.unwrap();
            silent.write_all(opening).await.unwrap();
            let mut next = TcpStream::connect(address).await.unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            next.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"), "{opening:?}: {answer}");
        }
        stop.by(Instant::now() + Duration::from_secs(1));
        server.await.unwrap();
    }

    /// The gateway has waited for the same requests before: what is left of the time is all there is.
    #[tokio::test]
    async fn a_stop_waits_until_the_end_that_it_is_told_and_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Http { drain_timeout_ms: 3_600_000, ..Http::default() };
        let came = Arc::new(Semaphore::new(0));
        let coming = Arc::clone(&came);
        let never = move || async move {
            coming.add_permits(1);
            std::future::pending::<&str>().await
        };
        let router = Router::new().route("/", get(never));
        let stop = Stop::default();
        let ended = stop.clone();
        let server = tokio::spawn(async move { serve(&listener, router, &config, ended).await });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        came.acquire().await.unwrap().forget();
        stop.by(Instant::now());
        tokio::time::timeout(Duration::from_secs(60), server).await.expect("it goes on waiting").unwrap();
    }
}
