//! Erasing, and what was erased.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::id::SessionId;
use playhead_domain::row;
use playhead_domain::scope::Scope;

use super::rows;
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::{ErasedUser, Problem};
use crate::params::Segments;
use crate::state::Api;

const MAX_USER_BYTES: usize = 512;

/// Whether the session was erased, itself or with its user: true from the moment on that the erasure was asked for.
pub(crate) async fn is_erased(
    api: &Api,
    scope: Scope,
    summary: &row::SessionSummary,
) -> Result<bool, ApiError> {
    let Some(session) = rows::session_id(&summary.session) else { return Ok(true) };
    if api.0.erasure.is_session_erased(scope, session).await? {
        return Ok(true);
    }
    let Some(user) = &summary.user else { return Ok(false) };
    for name in [&user.id, &user.email].into_iter().filter(|name| !name.is_empty()) {
        let erased_ms = api.0.erasure.user_erased_ms(scope, name).await?;
        if erased_ms.is_some_and(|erased_ms| summary.list_start_ms < erased_ms) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Erases a session: its key, its rows and its recording, at once and for good, even while it is still sending.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/sessions/{session}", tag = "sessions",
    params(("project" = String, Path, description = "Project id"), ("session" = String, Path, description = "Session id")),
    responses(
    (status = 204, description = "Erased; also when nothing of it was stored"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn erase_session(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, session)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let id: SessionId = session.parse().map_err(|e| ApiError::bad("session", format!("{e}")))?;
    let (erasure, now_ms) = (api.0.erasure.clone(), api.now_ms());
    // A client that does not wait leaves no half of it.
    let erased = tokio::spawn(async move { erasure.erase_session(scope, id, now_ms).await });
    erased.await.map_err(|error| ApiError::Internal(error.to_string()))??;
    tracing::info!(project = %scope.project(), session = %id, "session erased");
    Ok(StatusCode::NO_CONTENT)
}

/// Erases every session of a user that began before now.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/users/{user}", tag = "sessions",
    params(("project" = String, Path, description = "Project id"),
        ("user" = String, Path, description = "The user's id or e-mail address")),
    responses(
    (status = 202, description = "Erased; batches that are still on their way follow", body = ErasedUser),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn erase_user(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, user)): Segments<(String, String)>,
) -> Result<(StatusCode, Json<ErasedUser>), ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    if user.is_empty() || user.len() > MAX_USER_BYTES {
        return Err(ApiError::bad("user", format!("must be 1 to {MAX_USER_BYTES} bytes")));
    }
    let (erasure, now_ms) = (api.0.erasure.clone(), api.now_ms());
    // By itself: a client that goes away must not leave it half done.
    let erased = tokio::spawn(async move { erasure.erase_user(scope, &user, now_ms).await });
    let sessions = erased.await.map_err(|error| ApiError::Internal(error.to_string()))??;
    tracing::info!(project = %scope.project(), sessions, "user erased");
    Ok((StatusCode::ACCEPTED, Json(ErasedUser { sessions })))
}
