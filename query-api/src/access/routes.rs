//! Signing in and out, and who one is.

use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Body};

use super::{Caller, check_same_origin, client, is_admin_token, sign_in};
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::{Installation, Me, Problem, SignIn};
use crate::state::Api;

/// Signs a browser in with the token of the printed link (or the admin token).
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "access", request_body = SignIn, responses(
    (status = 204, description = "Signed in; the cookie is set"),
    (status = 401, description = "The token is wrong or its time is over", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong tokens; see Retry-After", body = Problem, content_type = "application/problem+json"),
), security(()))]
pub(crate) async fn sign_in(State(api): State<Api>, request: Request<Body>) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (client, now_ms) = (client(&parts), api.now_ms());
    api.0.attempts.check(client, now_ms)?;
    let SignIn { token } = read_json(body).await?;
    if !api.0.sign_ins.verify_link(&token, now_ms) && !is_admin_token(&api, &token) {
        api.0.attempts.count_failure(client, now_ms);
        return Err(ApiError::BadCredential(
            "the link is not valid any more; the terminal shows a new one at every start",
        ));
    }
    let secure = api.0.public_url.starts_with("https://");
    let cookie =
        api.0.sign_ins.issue_cookie(now_ms, secure).map_err(|e| ApiError::Internal(e.to_string()))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Signs this browser out.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "access", responses(
    (status = 204, description = "Signed out; the cookie is gone"),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn sign_out(
    _: Caller,
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if sign_in::cookie(&headers).is_some() {
        check_same_origin(&headers)?;
    }
    let cookie = sign_in::clear_cookie(api.0.public_url.starts_with("https://"));
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who asks.
#[utoipa::path(get, path = "/api/v1/me", tag = "access", responses(
    (status = 200, body = Me),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn me(caller: Caller, State(api): State<Api>) -> Json<Me> {
    let name = if caller.only_project().is_some() { "Secret key" } else { "Administrator" };
    Json(Me {
        name: name.to_owned(),
        installation: Installation {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ingest_url: api.0.ingest_url.clone(),
            demo_url: api.0.demo_url.clone(),
        },
    })
}
