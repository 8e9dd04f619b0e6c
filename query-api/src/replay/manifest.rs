//! The manifest: everything a player needs to know before it fetches segments.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use playhead_domain::id::SessionId;
use playhead_domain::row;
use playhead_domain::scope::Scope;

use super::source::{self, SessionRows};
use super::stream;
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::replay::{Manifest, Stream};
use crate::model::session::{ReplayState, SessionState};
use crate::params::Segments;
use crate::session::{routes, rows, state};
use crate::state::Api;

/// The manifest of a session's recording. Poll it while the session is live.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions/{session}/replay", tag = "replay",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id")),
    responses(
    (status = 200, body = Manifest, headers(("etag" = String, description = "Send it as If-None-Match"))),
    (status = 304, description = "Nothing new"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_manifest(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let manifest = match routes::load(&api, scope, &session).await {
        Ok((id, summary)) => build(&api, scope, id, &summary, project.image_hosts).await?,
        // A link to a recording says what became of it.
        Err(ApiError::Deleted) => absent(&session, ReplayState::Deleted, "The recording was deleted."),
        Err(ApiError::Expired) => {
            absent(&session, ReplayState::Expired, "The project's retention has passed.")
        }
        Err(error) => return Err(error),
    };
    let body = serde_json::to_vec(&manifest).map_err(|e| ApiError::Internal(e.to_string()))?;
    respond(body, &headers)
}

fn respond(body: Vec<u8>, headers: &HeaderMap) -> Result<Response, ApiError> {
    // Weak, as the compression that may follow changes the bytes.
    let tag = format!("W/\"{}\"", &blake3::hash(&body).to_hex()[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag));
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(body).into_response() };
    let tag = HeaderValue::from_str(&tag).map_err(|e| ApiError::Internal(e.to_string()))?;
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if !same {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

async fn build(
    api: &Api,
    scope: Scope,
    id: SessionId,
    summary: &row::SessionSummary,
    image_hosts: Vec<String>,
) -> Result<Manifest, ApiError> {
    let session_state = state::session_state(summary, api.now_ms(), api.0.session_idle_ms);
    let live = session_state == SessionState::Live;
    let rows = source::read(api, scope, id).await?;
    let base = format!("/api/v1/projects/{}/sessions/{id}/segments", scope.project());
    let mut streams = streams(&rows, summary, &base, live);
    for stream in &mut streams {
        stream.count_from(summary.start_ms);
    }
    let (state, reasons) = judge(summary, session_state, &streams, rows.cut);
    Ok(Manifest {
        session_id: id.to_string(),
        state,
        reasons,
        started_at: summary.start_ms,
        ended_at: summary.end_ms,
        duration_ms: (summary.end_ms - summary.start_ms).max(0),
        streams,
        image_hosts,
    })
}

/// What is left of a recording that is gone: its state and why.
fn absent(session: &str, state: ReplayState, reason: &str) -> Manifest {
    Manifest {
        session_id: session.to_owned(),
        state,
        reasons: vec![reason.to_owned()],
        started_at: 0,
        ended_at: 0,
        duration_ms: 0,
        streams: Vec::new(),
        image_hosts: Vec::new(),
    }
}

/// Every stream that the summary or a row knows, in order of time.
fn streams(rows: &SessionRows, summary: &row::SessionSummary, base: &str, live: bool) -> Vec<Stream> {
    let empty = source::StreamRows::default();
    let mut streams: Vec<Stream> = summary
        .streams
        .iter()
        .filter_map(|known| rows::stream_id(&known.stream).map(|id| (id, known)))
        .map(|(id, known)| {
            stream::build(id, rows.streams.get(&id).unwrap_or(&empty), Some(known), base, live)
        })
        .collect();
    for (id, found) in &rows.streams {
        if !summary.streams.iter().any(|known| known.stream[..] == id.0) {
            streams.push(stream::build(*id, found, None, base, live));
        }
    }
    streams.sort_by(|a, b| (a.from_ms, &a.id).cmp(&(b.from_ms, &b.id)));
    streams
}

/// The summary's judgement, corrected by what is really there.
fn judge(
    summary: &row::SessionSummary,
    session_state: SessionState,
    streams: &[Stream],
    cut: bool,
) -> (ReplayState, Vec<String>) {
    let (state, mut reasons) = state::replay_state(summary, session_state);
    if cut {
        reasons.push(format!("Only the first {} parts of the recording are shown.", source::MAX_ROWS));
    }
    for gap in streams.iter().flat_map(|stream| &stream.gaps) {
        if !reasons.contains(&gap.detail) && gap.reason != "missing" {
            reasons.push(gap.detail.clone());
        }
    }
    if state == ReplayState::Complete && streams.iter().all(|stream| stream.segments.is_empty()) {
        reasons.push("The recording is not there any more.".to_owned());
    }
    let state =
        if state == ReplayState::Complete && !reasons.is_empty() { ReplayState::Partial } else { state };
    (state, state::cut(reasons))
}
