//! Lists of sessions, and one session.

use axum::Json;
use axum::extract::State;
use playhead_domain::id::SessionId;
use playhead_domain::row;
use playhead_domain::scope::Scope;

use super::filter::SessionParams;
use super::{erase, present, rows, scan};
use crate::access::Caller;
use crate::error::ApiError;
use crate::issue::read;
use crate::model::Problem;
use crate::model::session::{Session, SessionPage};
use crate::params::{Params, Segments, page_size};
use crate::state::Api;

/// Sessions, newest first, filtered.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions", tag = "sessions",
    params(("project" = String, Path, description = "Project id"), SessionParams), responses(
    (status = 200, body = SessionPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_sessions(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(mut params): Params<SessionParams>,
) -> Result<Json<SessionPage>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    params.validate()?;
    if let Some(issue) = params.issue.as_deref().and_then(|issue| issue.parse().ok()) {
        let merges = read::merges(&api, scope).await?;
        params.issues = merges.whole(merges.root(issue)).iter().map(ToString::to_string).collect();
    }
    let limit = page_size(params.limit, 50, 200)?;
    if let Some(id) = &params.session_id {
        return one(&api, scope, id, &params).await;
    }
    let found = scan::find(&api, scope, project.retention_days, &params, limit).await?;
    let mut items = Vec::with_capacity(found.sessions.len());
    for summary in &found.sessions {
        if !is_gone(&api, summary) && !erase::is_erased(&api, scope, summary).await? {
            items.push(present::session(&api, scope, summary));
        }
    }
    Ok(Json(SessionPage { items, next: found.next, partial: found.partial }))
}

/// The session of that id, if it also passes the other filters.
async fn one(
    api: &Api,
    scope: Scope,
    id: &str,
    params: &SessionParams,
) -> Result<Json<SessionPage>, ApiError> {
    let items = match load(api, scope, id).await {
        Ok((_, summary)) if params.matches(&summary) => vec![present::session(api, scope, &summary)],
        Ok(_) | Err(ApiError::NotFound(_) | ApiError::Deleted | ApiError::Expired) => vec![],
        Err(error) => return Err(error),
    };
    Ok(Json(SessionPage { items, next: None, partial: false }))
}

/// One session.
#[utoipa::path(get, path = "/api/v1/projects/{project}/sessions/{session}", tag = "sessions",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id")),
    responses(
    (status = 200, body = Session),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "Deleted, or expired by retention", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_session(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session)): Segments<(String, String)>,
) -> Result<Json<Session>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let (_, summary) = load(&api, scope, &session).await?;
    Ok(Json(present::session(&api, scope, &summary)))
}

/// The session of that id, unless it was erased or has expired.
pub(crate) async fn load(
    api: &Api,
    scope: Scope,
    session: &str,
) -> Result<(SessionId, row::SessionSummary), ApiError> {
    let id: SessionId = session.parse().map_err(|e| ApiError::bad("session", format!("{e}")))?;
    if api.0.erasure.is_session_erased(scope, id).await? {
        return Err(ApiError::Deleted);
    }
    let summary = rows::summary(api, scope, id).await?.ok_or(ApiError::NotFound("session"))?;
    if is_gone(api, &summary) {
        return Err(ApiError::Expired);
    }
    if erase::is_erased(api, scope, &summary).await? {
        return Err(ApiError::Deleted);
    }
    Ok((id, summary))
}

fn is_gone(api: &Api, summary: &row::SessionSummary) -> bool {
    summary.expires_at_ms > 0 && summary.expires_at_ms <= api.now_ms()
}
