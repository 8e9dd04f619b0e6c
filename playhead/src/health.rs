//! Whether the process lives, whether it is ready, and its metrics.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use playhead_backends::log::embedded::EmbeddedLog;
use playhead_backends::store::embedded::EmbeddedStore;
use playhead_domain::project::ProjectDirectory;
use playhead_gateway::Gateway;
use playhead_stream_processor::Processor;
use prometheus::{IntGauge, Registry, TextEncoder};
use serde::Serialize;

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) log: Arc<EmbeddedLog>,
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) directory: Arc<ProjectDirectory>,
    pub(crate) gateway: Gateway,
    pub(crate) processor: Processor,
    pub(crate) registry: Registry,
    pub(crate) disk: Disk,
}

/// Bytes on disk, measured when asked for.
#[derive(Clone)]
pub(crate) struct Disk {
    log: IntGauge,
    store: IntGauge,
}

impl Disk {
    pub(crate) fn register(registry: &Registry) -> anyhow::Result<Self> {
        let gauge = |name: &str, help: &str| -> anyhow::Result<IntGauge> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        Ok(Self {
            log: gauge("playhead_log_disk_bytes", "Bytes of the embedded log's files")?,
            store: gauge("playhead_store_disk_bytes", "Bytes of the embedded store's files")?,
        })
    }
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    /// What is not ready, and why.
    waiting_for: Vec<Waiting>,
}

#[derive(Debug, Serialize)]
struct Waiting {
    part: &'static str,
    reason: String,
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
    let waiting_for = health.waiting_for();
    let ready = waiting_for.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Readiness { ready, waiting_for })).into_response()
}

impl Health {
    fn waiting_for(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let mut wait = |part, reason: String| waiting.push(Waiting { part, reason });
        if let Err(reason) = self.log.check_health() {
            wait("log", reason.to_string());
        }
        if let Err(reason) = self.store.check_health() {
            wait("store", reason.to_string());
        }
        if !self.directory.ready() {
            wait("projects", "not all projects are read yet".to_owned());
        } else if !self.gateway.ready() {
            wait("gateway", "it is stopping".to_owned());
        }
        if !self.processor.is_running() {
            wait("processor", "it is not consuming".to_owned());
        }
        waiting
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    let gauge = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    if let Ok(bytes) = health.log.disk_bytes() {
        health.disk.log.set(gauge(bytes));
    }
    if let Ok(bytes) = health.store.disk_bytes() {
        health.disk.store.set(gauge(bytes));
    }
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
pub(crate) fn ask(address: SocketAddr) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(5);
    let stream = TcpStream::connect_timeout(&address, LIMIT);
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
