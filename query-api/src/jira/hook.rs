//! Jira's web hook. Its address has a secret; Cloud signs what it sends too. It only says that something happened to a Jira issue: what is
//! read from Jira itself, by the worker.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, Mac};
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row::{JiraLink, JiraWants};
use playhead_domain::scope::Scope;
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::repository::{self, Connection};
use super::settings::Kind;
use crate::channel::text;
use crate::error::ApiError;
use crate::model::Problem;
use crate::params::Segments;
use crate::project::repository as projects;
use crate::state::Api;

/// Jira sends the whole issue with its texts.
const MAX_HOOK_BYTES: usize = 1 << 20;
const BODY_LIMIT: Duration = Duration::from_secs(10);
/// Each holds a body; others are told to come again.
static HOOKS: Semaphore = Semaphore::const_new(16);

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    issue: Option<Issue>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Deserialize)]
struct Issue {
    id: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default, rename = "displayName")]
    name: String,
}

/// What Jira calls when an issue was changed or deleted. Set it up in Jira with the address and the secret that saving the connection
/// answers with.
#[utoipa::path(post, path = "/api/v1/projects/{project}/jira/hook/{token}", tag = "jira",
    params(("project" = String, Path, description = "Project id"), ("token" = String, Path, description = "Of the connection; a secret"),
        ("x-hub-signature" = Option<String>, Header, description = "`sha256=` and the HMAC of the body; required from Jira Cloud")),
    request_body(content = serde_json::Value, description = "As Jira sends it; up to 1 MiB", content_type = "application/json"),
    security(()), responses(
    (status = 204, description = "Noted; what changed is read from Jira"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn receive_jira_hook(
    State(api): State<Api>,
    Segments((project, token)): Segments<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let received = receive(&api, (&project, &token), &headers, body).await;
    let outcome = match &received {
        Ok(outcome) => outcome,
        Err(error) if error.is_retryable() => "again",
        Err(_) => "refused",
    };
    api.0.metrics.jira.hooks.with_label_values(&[outcome]).inc();
    received.map(|_| StatusCode::NO_CONTENT)
}

async fn receive(
    api: &Api,
    (project, token): (&str, &str),
    headers: &HeaderMap,
    body: Body,
) -> Result<&'static str, ApiError> {
    let (scope, connection) = open(api, project, token).await?;
    let _permit = HOOKS.try_acquire().map_err(|_| ApiError::Busy)?;
    let body = tokio::time::timeout(BODY_LIMIT, axum::body::to_bytes(body, MAX_HOOK_BYTES));
    let body = body.await.map_err(|_| ApiError::TooSlow)?.map_err(|_| ApiError::TooLarge(MAX_HOOK_BYTES))?;
    check_signature(&connection, headers, &body)?;
    let told: Told = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad("body", format!("not what Jira sends: {error}")))?;
    let Some(told_of) = told.issue.filter(|issue| issue.id.len() <= 40) else { return Ok("other") };
    let place = (connection.settings.site.as_str(), told_of.id.as_str());
    let Some(issue) = repository::issue_of(api, scope, place).await? else { return Ok("other") };
    let is_ours = |link: JiraLink| link.site == place.0 && link.id == place.1;
    if !repository::seen_link(api, scope, issue).await?.is_some_and(is_ours) {
        return Ok("other");
    }
    let actor = match told.user.map(|user| text::line(&user.name, 80)) {
        Some(name) if !name.is_empty() => format!("{name} in Jira"),
        _ => "Jira".to_owned(),
    };
    // Noted, so that it is read even if Jira cannot be asked for now.
    let change = |wants: &mut JiraWants| {
        actor.clone_into(&mut wants.read_for);
        wants.reads = wants.reads.wrapping_add(1);
    };
    repository::want(api, scope, issue, change).await?;
    Ok("noted")
}

/// The connection that the address is of. What is not right about it looks the same.
async fn open(api: &Api, project: &str, token: &str) -> Result<(Scope, Connection), ApiError> {
    let unknown = || ApiError::NotFound("web hook");
    let id: ProjectId = project.parse().map_err(|_| unknown())?;
    let row = projects::find(api, id).await?.ok_or_else(unknown)?;
    let scope = Scope::of_log_record(TenantId(row.tenant), id);
    let connection = repository::connection(api, scope).await?.ok_or_else(unknown)?;
    // Hashes, so that neither content nor length shows in the time it takes.
    let hash = |text: &str| *blake3::hash(text.as_bytes()).as_bytes();
    if bool::from(hash(token).ct_eq(&hash(&connection.settings.hook_token))) {
        Ok((scope, connection))
    } else {
        Err(unknown())
    }
}

/// `sha256=<hex>`, as WebSub has it: HMAC-SHA256 of the body. Data Center may send none; one that it sends must be right.
fn check_signature(connection: &Connection, headers: &HeaderMap, body: &Bytes) -> Result<(), ApiError> {
    const WRONG: ApiError = ApiError::BadCredential(
        "the signature is missing or wrong: set the secret of the connection at Jira's web hook",
    );
    let Some(given) = headers.get("x-hub-signature") else {
        return if connection.settings.kind == Kind::DataCenter { Ok(()) } else { Err(WRONG) };
    };
    let given = given.to_str().ok().and_then(|given| given.strip_prefix("sha256=")).and_then(bytes_of);
    let given = given.ok_or(WRONG)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(connection.settings.hook_secret.as_bytes())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    mac.update(body);
    mac.verify_slice(&given).map_err(|_| WRONG)
}

/// 32 bytes in hexadecimal.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..32).map(|index| u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()).collect()
}
