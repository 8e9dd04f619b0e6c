//! Whether the process lives, whether it is ready, and its metrics.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use playhead_domain::project::ProjectDirectory;
use playhead_stream_processor::Processor;
use prometheus::{IntGauge, Registry, TextEncoder};
use serde::Serialize;

use crate::backends::{Engine, Measure};
use crate::waiting::WaitingFor;

/// Whoever asks for readiness does not wait long.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) engines: Arc<[Engine]>,
    pub(crate) directory: Arc<ProjectDirectory>,
    /// Whether the process needs to know all projects.
    pub(crate) follows_projects: bool,
    pub(crate) processor: Option<Processor>,
    pub(crate) registry: Registry,
    pub(crate) measures: Measures,
    pub(crate) stopping: Arc<AtomicBool>,
}

/// Figures of the engines, taken when metrics are asked for.
#[derive(Clone)]
pub(crate) struct Measures(Vec<(IntGauge, Measure)>);

impl Measures {
    pub(crate) fn register(registry: &Registry, engines: &[Engine]) -> anyhow::Result<Self> {
        let mut gauges = Vec::new();
        for measure in engines.iter().flat_map(|engine| &engine.measures) {
            let gauge = IntGauge::new(measure.name, measure.help)?;
            registry.register(Box::new(gauge.clone()))?;
            gauges.push((gauge, measure.clone()));
        }
        Ok(Self(gauges))
    }

    fn take(&self) {
        for (gauge, measure) in &self.0 {
            if let Some(value) = (measure.take)() {
                gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    /// What is not ready, and why.
    waiting_for: Vec<WaitingFor>,
    /// What does not answer, although the process goes on without it as well as it can.
    degraded: Vec<WaitingFor>,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    let readiness = health.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}

impl Health {
    /// From now on it is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    async fn readiness(&self) -> Readiness {
        let (mut waiting_for, mut degraded) = (Vec::new(), Vec::new());
        let checks = self.engines.iter().map(|engine| tokio::time::timeout(CHECK_LIMIT, (engine.check)()));
        let checked = futures::future::join_all(checks).await;
        for (engine, checked) in self.engines.iter().zip(checked) {
            if let Err(reason) = checked.unwrap_or_else(|_| Err("it does not answer".to_owned())) {
                let list = if engine.is_shared { &mut degraded } else { &mut waiting_for };
                list.push(WaitingFor { part: engine.part, reason });
            }
        }
        let mut wait = |part, reason: &str| waiting_for.push(WaitingFor { part, reason: reason.to_owned() });
        if self.stopping.load(Ordering::Acquire) {
            wait("process", "it is stopping");
        }
        if self.follows_projects && !self.directory.ready() {
            wait("projects", "not all projects are read yet");
        }
        if self.processor.as_ref().is_some_and(|processor| !processor.is_running()) {
            wait("processor", "it is not consuming");
        }
        Readiness { ready: waiting_for.is_empty(), waiting_for, degraded }
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    health.measures.take();
    match TextEncoder::new().encode_to_string(&health.registry.gather()) {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Asks a running installation.
///
/// # Errors
/// When it does not answer or is not ready.
pub(crate) fn ask(address: &str) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(5);
    let found = address.to_socket_addrs();
    let found = found.with_context(|| format!("{address} is no host and port that can be found"))?;
    let mut stream = Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    // A name may have several addresses of which one answers.
    for address in found {
        stream = TcpStream::connect_timeout(&address, LIMIT);
        if stream.is_ok() {
            break;
        }
    }
    let mut stream = stream.with_context(|| format!("nothing answers at {address}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer).with_context(|| format!("no answer from {address}"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    println!("{body}");
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    bail!("{address} is not ready")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::AtomicU16;

    use playhead_backends::blobs::{self, BlobsConfig};
    use secrecy::SecretString;
    use tokio::net::TcpListener;

    use super::*;
    use crate::backends::engine_of_blobs;

    /// A bucket without objects, which answers with this status.
    async fn bucket(status: Arc<AtomicU16>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move || {
            let status = StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap();
            async move { (status, "<Error><Code>NoSuchKey</Code></Error>") }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        address
    }

    fn health(engine: Engine) -> Health {
        let registry = Registry::new();
        Health {
            measures: Measures::register(&registry, &[]).unwrap(),
            engines: Arc::new([engine]),
            directory: Arc::default(),
            follows_projects: false,
            processor: None,
            registry,
            stopping: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_bucket_that_takes_the_key_no_more_degrades_until_it_does() {
        let status = Arc::new(AtomicU16::new(404));
        let config = BlobsConfig {
            url: "s3://recordings".to_owned(),
            endpoint: format!("http://{}", bucket(Arc::clone(&status)).await),
            access_key_id: "key".to_owned(),
            secret_access_key: SecretString::from("secret"),
            ..BlobsConfig::default()
        };
        let blobs = blobs::open(&config, None).await.unwrap();
        let health = health(engine_of_blobs(&config, blobs));
        for (now, told) in [(404, None), (403, Some("refuses access")), (404, None)] {
            status.store(now, Ordering::Relaxed);
            let readiness = health.readiness().await;
            assert!(
                readiness.ready && readiness.waiting_for.is_empty(),
                "others go on without it: {readiness:?}"
            );
            let said = readiness.degraded.first();
            assert_eq!(said.map(|part| part.part), told.map(|_| "blobs"), "{readiness:?}");
            assert!(told.is_none_or(|told| said.unwrap().reason.contains(told)), "{readiness:?}");
        }
        health.stop();
        assert!(!health.readiness().await.ready);
    }

    #[tokio::test]
    async fn it_is_asked_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let config = BlobsConfig::default();
        let blobs = blobs::open(&config, Some(folder.path())).await.unwrap();
        let health = health(engine_of_blobs(&config, blobs));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = router(health.clone());
        tokio::spawn(async move { axum::serve(listener, served).await });
        let asked = |address: String| tokio::task::spawn_blocking(move || ask(&address));
        asked(format!("localhost:{port}")).await.unwrap().unwrap();
        let unknown = asked("no-such-host.invalid:80".to_owned()).await.unwrap().unwrap_err();
        assert!(unknown.to_string().contains("no host and port"), "{unknown}");
        let unnamed = asked("localhost".to_owned()).await.unwrap().unwrap_err();
        assert!(unnamed.to_string().contains("no host and port"), "{unnamed}");
        health.stop();
        assert!(asked(format!("localhost:{port}")).await.unwrap().is_err());
    }

    #[tokio::test]
    async fn blobs_in_the_data_folder_are_a_part_of_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let config = BlobsConfig::default();
        let blobs = blobs::open(&config, Some(folder.path())).await.unwrap();
        let engine = engine_of_blobs(&config, blobs);
        assert!(!engine.is_shared);
        (engine.check)().await.unwrap();
    }
}
