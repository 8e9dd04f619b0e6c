//! `POST /v1/traces`: spans by OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), with a project's secret key.
//!
//! ```text
//! secret key → project → budget, read → quota → inflate and sort by session → append each session's as a batch → 200
//! ```
//!
//! A span says in its trace's state which session it belongs to. Those that say nothing are acknowledged and not kept. All that is
//! appended is named by its content, so an export that is sent again, whole or in part, leaves the same rows.

mod answer;
mod json;
mod protobuf;
mod shape;
mod sort;
mod source;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::Bytes;
use playhead_domain::id::{ProjectId, SessionId};
use playhead_domain::log::Record;
use playhead_domain::row::Project;
use playhead_proto::key::secret_key_hash;
use playhead_proto::limits;
use playhead_proto::record::RecordMeta;
use prost::Message;
use tokio::task::JoinSet;

use crate::batches::append;
use crate::client::Client;
use crate::error::ApiError;
use crate::gateway::Gateway;
use answer::Encoding;
pub(crate) use sort::Outcome;
use sort::Sorted;

/// Sessions of one export: their ids are what visitors send, and each is a record of the log.
const MAX_SESSIONS: usize = 1_000;
/// Sessions of one export whose batches are on their way to the log at once.
const CONCURRENT_APPENDS: usize = 32;

pub(crate) async fn post(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let encoding = Encoding::of(&parts.headers);
    match take(&gateway, &parts, body, encoding).await {
        Ok(outcome) => {
            gateway.0.metrics.count_spans(&outcome);
            answer::accepted(encoding, &outcome)
        }
        Err(error) => {
            gateway.0.metrics.refuse(&error);
            answer::refused(encoding, &error)
        }
    }
}

async fn take(
    gateway: &Gateway,
    parts: &Parts,
    body: Body,
    encoding: Option<Encoding>,
) -> Result<Outcome, ApiError> {
    let _under_way = gateway.enter()?;
    let let_in = admit(gateway, &parts.headers).and_then(|project| {
        let encoding = encoding.ok_or(ApiError::UnsupportedType)?;
        Ok((project, encoding, is_gzip(&parts.headers)?))
    });
    let (project, encoding, is_gzip) = match let_in {
        Ok(let_in) => let_in,
        Err(error) => {
            // A sender that is still sending when the connection closes would see a reset in place of the answer.
            gateway.discard(body).await;
            return Err(error);
        }
    };
    let client = Client::of(parts, &gateway.0.config.trusted_proxies);
    let charged = gateway.read(parts, &client, body, limits::MAX_EXPORT_BYTES).await?;
    let received_us = gateway.0.clock.now_us();
    let id = ProjectId(project.project);
    let over = |retry_after_s| ApiError::OverQuota { retry_after_s };
    gateway.0.quotas.take(id, charged.bytes.len(), received_us).map_err(over)?;
    let retry_after_s = gateway.0.config.retry_after_s;
    let sorting = move || sort::sort(charged, encoding, is_gzip, retry_after_s);
    let (sorted, permit) = tokio::task::spawn_blocking(sorting).await.map_err(|_| ApiError::Internal)??;
    let outcome = keep(gateway, &project, sorted, received_us).await;
    // Held until the log has let go of the bytes.
    drop(permit);
    outcome
}

/// Whose secret key it is.
fn admit(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Project>, ApiError> {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, key) = text.and_then(|text| text.trim().split_once(' ')).ok_or(ApiError::NoSecretKey)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::NoSecretKey);
    }
    let key = key.trim();
    if key.starts_with("phk_") {
        return Err(ApiError::PublicKey);
    }
    let hash = secret_key_hash(key).map_err(|_| ApiError::UnknownSecretKey)?;
    let directory = &gateway.0.door.directory;
    match directory.opened_by(&hash) {
        Some(project) if project.disabled => Err(ApiError::ProjectDisabled),
        Some(project) => Ok(project),
        None if directory.ready() => Err(ApiError::UnknownSecretKey),
        None => Err(ApiError::LogUnavailable {
            detail: "the projects are not known here yet",
            retry_after_s: gateway.0.config.retry_after_s,
        }),
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(ApiError::UnsupportedType),
    }
}

/// Appends what was sorted. Some of it may be in the log when the rest fails: whoever sends it again changes nothing of that.
async fn keep(
    gateway: &Gateway,
    project: &Project,
    sorted: Sorted,
    received_us: i64,
) -> Result<Outcome, ApiError> {
    let Sorted { mut outcome, sessions } = sorted;
    let mut appends = JoinSet::new();
    for (at, (session, lines)) in sessions.into_iter().enumerate() {
        let count = lines.count as u64;
        let body = lines.into_body(session, received_us.div_euclid(1_000)).map_err(|_| ApiError::Internal)?;
        let quotas = &gateway.0.quotas;
        if at >= MAX_SESSIONS
            || quotas.take_session(ProjectId(project.project), session, body.len(), received_us).is_err()
        {
            outcome.session_over_quota += count;
            continue;
        }
        if appends.len() >= CONCURRENT_APPENDS {
            finish_one(&mut appends).await?;
        }
        let (gateway, record) = (gateway.clone(), record(project, session, body, received_us));
        appends.spawn(async move {
            let bytes = record.value.len();
            append(&gateway, record).await?;
            gateway.0.metrics.accept(bytes);
            Ok(())
        });
        outcome.kept += count;
    }
    while !appends.is_empty() {
        finish_one(&mut appends).await?;
    }
    Ok(outcome)
}

async fn finish_one(appends: &mut JoinSet<Result<(), ApiError>>) -> Result<(), ApiError> {
    match appends.join_next().await {
        Some(joined) => joined.map_err(|_| ApiError::Internal)?,
        None => Ok(()),
    }
}

fn record(project: &Project, session: SessionId, body: Bytes, received_us: i64) -> Record {
    let meta = RecordMeta {
        tenant_id: project.tenant,
        project_id: project.project,
        received_us,
        backend: true,
        ..RecordMeta::default()
    };
    Record { key: Bytes::copy_from_slice(&session.0), value: body, meta: meta.encode_to_vec().into() }
}
