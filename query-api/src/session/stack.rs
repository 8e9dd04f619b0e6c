//! The stack of one error of a session, as its code was written.

use axum::Json;
use axum::extract::State;
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::{row, table};
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::routes;
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::source_map::ErrorStack;
use crate::params::Segments;
use crate::sealed::SessionCipher;
use crate::source_map::find::Finder;
use crate::source_map::resolve;
use crate::state::Api;

/// The stack of an error with its causes, read with the source maps that are there now. Each frame that is not shown as it was written says
/// why.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions/{session}/events/{event}/stack", tag = "sessions",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id"),
        ("event" = String, Path, description = "Id of an error event")),
    responses(
    (status = 200, body = ErrorStack),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "Deleted, or expired by retention", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_stack(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session, event)): Segments<(String, String, String)>,
) -> Result<Json<ErrorStack>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    load(&api, scope, &project, &session, &event).await.map(Json)
}

/// The stack of an error of a session.
///
/// # Errors
/// As the route has them.
pub(crate) async fn load(
    api: &Api,
    scope: Scope,
    project: &row::Project,
    session: &str,
    event: &str,
) -> Result<ErrorStack, ApiError> {
    let (id, summary) = routes::load(api, scope, session).await?;
    let (stream, seq) = place(event).ok_or_else(|| ApiError::bad("event", "not the id of an event"))?;
    let chunk = chunk(api, scope, id, stream, seq).await?.ok_or(ApiError::NotFound("error"))?;
    let cipher = SessionCipher::load(api, scope, id).await?;
    let lines = cipher.open_events(&chunk)?;
    let data =
        find(&lines, |line| line.id == event && line.kind == "error")?.ok_or(ApiError::NotFound("error"))?;
    let error: resolve::StoredError =
        serde_json::from_str(data).map_err(|e| ApiError::Corrupt(format!("error {event}: {e}")))?;
    let first =
        if seq == 0 { Some(lines.clone()) } else { first_lines(api, scope, id, stream, &cipher).await? };
    let release = first.as_deref().map(release_of_page).transpose()?.flatten().unwrap_or(summary.release);
    let debug_ids = error.debug_ids();
    let page_url = error.page_url();
    let finder =
        Finder { api, scope, project, release: &release, debug_ids: &debug_ids, page_url: &page_url };
    resolve::stacks(&finder, error).await
}

/// Stream and `seq` of an event's id, which ends with its place in the batch.
fn place(event: &str) -> Option<(StreamId, u64)> {
    let (batch, index) = event.rsplit_once('-')?;
    let (stream, seq) = batch.rsplit_once('-')?;
    index.parse::<u32>().ok()?;
    Some((stream.parse().ok()?, seq.parse().ok()?))
}

async fn chunk(
    api: &Api,
    scope: Scope,
    session: SessionId,
    stream: StreamId,
    seq: u64,
) -> Result<Option<row::EventChunk>, ApiError> {
    let row = api.store().get(&table::SESSION_EVENTS, &key::batch(scope, session, stream, seq)).await?;
    let decode = |row: playhead_domain::store::Row| row::EventChunk::decode(row.value);
    row.map(decode).transpose().map_err(|e| ApiError::Corrupt(format!("event chunk: {e}")))
}

async fn first_lines(
    api: &Api,
    scope: Scope,
    session: SessionId,
    stream: StreamId,
    cipher: &SessionCipher,
) -> Result<Option<Vec<u8>>, ApiError> {
    let chunk = chunk(api, scope, session, stream, 0).await?;
    chunk.map(|chunk| cipher.open_events(&chunk)).transpose()
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The data of the first event that is wanted.
fn find(lines: &[u8], is_wanted: impl Fn(&Line<'_>) -> bool) -> Result<Option<&str>, ApiError> {
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Line<'_> =
            serde_json::from_slice(line).map_err(|e| ApiError::Corrupt(format!("event: {e}")))?;
        if is_wanted(&line) {
            return Ok(Some(line.data.get()));
        }
    }
    Ok(None)
}

/// Of the document that the stream recorded: a session may go on through a deployment.
fn release_of_page(lines: &[u8]) -> Result<Option<String>, ApiError> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        release: String,
    }
    let Some(data) = find(lines, |line| line.kind == "page")? else { return Ok(None) };
    let page: Option<Page> = serde_json::from_str(data).ok();
    Ok(page.map(|page| page.release).filter(|release| !release.is_empty()))
}
