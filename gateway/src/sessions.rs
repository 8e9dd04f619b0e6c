//! `POST /v1/sessions`: a token for one session, and the project's recording settings.

use std::borrow::Cow;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row::Project;
use playhead_proto::limits;
use serde::{Deserialize, Serialize};

use crate::admission::Credential;
use crate::answer::{self, Refusal};
use crate::client::Client;
use crate::error::ApiError;
use crate::gateway::Gateway;

#[derive(Deserialize)]
struct Ask<'a> {
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    session: SessionId,
    #[serde(rename = "stream")]
    _stream: StreamId,
}

#[derive(Serialize)]
struct Grant<'a> {
    token: String,
    expires_in_s: u32,
    settings: Settings<'a>,
}

#[derive(Serialize)]
struct Settings<'a> {
    sample_rate: f64,
    on_error_sample_rate: f64,
    signal_sample_rate: f64,
    max_idle_ms: u64,
    mask: &'a str,
    network_bodies: &'a [String],
}

pub(crate) async fn post(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let outcome = grant(&gateway, &parts, body).await;
    gateway.finish(outcome)
}

async fn grant(gateway: &Gateway, parts: &Parts, body: Body) -> Result<Response, Refusal> {
    let _under_way = gateway.enter()?;
    let client = Client::of(parts, &gateway.0.config.trusted_proxies);
    let charged = gateway.read(parts, &client, body, limits::MAX_HEADER_BYTES).await?;
    let ask: Ask<'_> =
        serde_json::from_slice(&charged.bytes).map_err(|error| blame(&charged.bytes, &error))?;
    let now_us = gateway.0.clock.now_us();
    let now_s = gateway.0.clock.now_s();
    let credential = Credential { key: ask.key.as_deref(), token: None, session: ask.session };
    let admitted = gateway.0.door.admit(credential, &parts.headers, now_s)?;
    let readers = admitted.readers;
    let refuse = |error| Refusal { error, readers: readers.clone() };
    gateway
        .0
        .quotas
        .take(admitted.id, charged.bytes.len(), now_us)
        .map_err(|retry_after_s| refuse(ApiError::OverQuota { retry_after_s }))?;
    let (token, expires_in_s) =
        gateway.0.door.tokens.issue(admitted.id, ask.session, now_s).map_err(refuse)?;
    gateway.0.metrics.issue_token();
    let settings = settings(&admitted.project, gateway.0.config.session_idle_ms);
    let answer = Json(Grant { token, expires_in_s, settings }).into_response();
    Ok(answer::open_to(readers, answer))
}

fn settings(project: &Project, max_idle_ms: u64) -> Settings<'_> {
    Settings {
        sample_rate: project.sample_rate,
        on_error_sample_rate: project.on_error_sample_rate,
        signal_sample_rate: project.signal_sample_rate,
        max_idle_ms,
        mask: "inputs",
        network_bodies: &project.network_bodies,
    }
}

/// Finds the field for which serde's error has no name. Only runs on bad input.
fn blame(body: &[u8], error: &serde_json::Error) -> ApiError {
    let field = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(map)) => {
            let bad = |name: &str, ok: fn(&serde_json::Value) -> bool| !map.get(name).is_some_and(ok);
            if bad("session", |value| SessionId::deserialize(value).is_ok()) {
                "session"
            } else if bad("stream", |value| StreamId::deserialize(value).is_ok()) {
                "stream"
            } else {
                "key"
            }
        }
        _ => "body",
    };
    ApiError::BadRequest { field, detail: error.to_string() }
}
