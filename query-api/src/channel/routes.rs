//! Channels over HTTP. Only administrators see or change them: whoever sets where alerts go reads what is in them.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use playhead_domain::id::ChannelId;

use super::repository::{self, MAX_CHANNELS, Stored};
use super::{Channel, Links, Message, Priority, Settings, Transition, present};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::channel::{
    AlertChannelList, ChannelPatch, ChannelSettings, ChannelTest, NewChannel, SavedChannel,
};
use crate::params::Segments;
use crate::project::settings::checked_name;
use crate::random;
use crate::state::Api;

fn read_id(text: &str) -> Result<ChannelId, ApiError> {
    text.parse().map_err(|error| ApiError::bad("channel", format!("{error}")))
}

/// The version that the client has seen, if it says so.
fn seen_version(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim_matches('"');
    text.parse().map(Some).map_err(|_| ApiError::bad("if-match", "must be the version that was read"))
}

/// The channel as it stands, if it is what the client has seen.
async fn seen(
    api: &Api,
    scope: playhead_domain::scope::Scope,
    id: &str,
    headers: &HeaderMap,
) -> Result<Stored, ApiError> {
    let version = seen_version(headers)?;
    let stored = repository::find_newest(api, scope, read_id(id)?).await?;
    match version {
        Some(version) if version != stored.channel.version => Err(ApiError::Conflict),
        _ => Ok(stored),
    }
}

/// A secret that was made here, to be shown once.
fn made_secret(given: Option<&ChannelSettings>, settings: &Settings) -> Option<String> {
    match (given, settings) {
        (Some(ChannelSettings::Webhook { secret: None, .. }), Settings::Webhook { secret, .. }) => {
            Some(secret.clone())
        }
        _ => None,
    }
}

/// The project's channels, without their secrets.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/channels", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = AlertChannelList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_channels(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<AlertChannelList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let items = repository::list(&api, scope).await?.iter().map(present::channel).collect();
    Ok(Json(AlertChannelList { items }))
}

/// Creates a channel. At most 20 in a project.
#[utoipa::path(post, path = "/api/v1/projects/{project}/alerts/channels", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), request_body = NewChannel, responses(
    (status = 201, body = SavedChannel),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_channel(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<(StatusCode, Json<SavedChannel>), ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let new: NewChannel = read_json(body).await?;
    let settings = Settings::checked(new.settings.clone(), api.0.outbound.allow())?;
    if repository::list(&api, scope).await?.len() >= MAX_CHANNELS {
        return Err(ApiError::Forbidden("a project has at most 20 channels; delete one first"));
    }
    let id = random::bytes()?;
    let now_ms = api.now_ms();
    let name = checked_name(&new.name)?;
    let channel =
        Channel { id: ChannelId(id), name, settings, created_ms: now_ms, changed_ms: now_ms, version: 1 };
    repository::save(&api, scope, None, &channel).await?;
    let signing_secret = made_secret(Some(&new.settings), &channel.settings);
    Ok((StatusCode::CREATED, Json(SavedChannel { channel: present::channel(&channel), signing_secret })))
}

/// Changes a channel.
#[utoipa::path(patch, path = "/api/v1/projects/{project}/alerts/channels/{channel}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("channel" = String, Path, description = "Channel id"),
        ("if-match" = Option<String>, Header, description = "The version that was read: the change is refused when there is a newer one")),
    request_body = ChannelPatch, responses(
    (status = 200, body = SavedChannel),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change_channel(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, channel)): Segments<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<SavedChannel>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let stored = seen(&api, scope, &channel, &headers).await?;
    let patch: ChannelPatch = read_json(body).await?;
    let mut changed = stored.channel.clone();
    if let Some(name) = &patch.name {
        changed.name = checked_name(name)?;
    }
    if let Some(settings) = patch.settings.clone() {
        changed.settings = Settings::checked(settings, api.0.outbound.allow())?;
    }
    if changed != stored.channel {
        changed.version += 1;
        changed.changed_ms = api.now_ms();
        repository::save(&api, scope, Some(&stored.row), &changed).await?;
    }
    let signing_secret = made_secret(patch.settings.as_ref(), &changed.settings);
    Ok(Json(SavedChannel { channel: present::channel(&changed), signing_secret }))
}

/// Deletes a channel. Rules that name it tell nobody there any more.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/alerts/channels/{channel}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("channel" = String, Path, description = "Channel id"),
        ("if-match" = Option<String>, Header, description = "The version that was read")), responses(
    (status = 204, description = "Deleted"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_channel(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, channel)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let stored = seen(&api, scope, &channel, &headers).await?;
    repository::remove(&api, scope, &stored).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message that says that it is a test, and tells what came of it. At most ten a minute for a project.
#[utoipa::path(post, path = "/api/v1/projects/{project}/alerts/channels/{channel}/test", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("channel" = String, Path, description = "Channel id")), responses(
    (status = 200, body = ChannelTest),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn test_channel(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, channel)): Segments<(String, String)>,
) -> Result<Json<ChannelTest>, ApiError> {
    let (scope, row) = caller.administer(&api, &project).await?;
    let channel = super::load(&api, scope, read_id(&channel)?).await?.ok_or(ApiError::NotFound("channel"))?;
    api.0.tests_sent.count(scope.project(), api.now_ms())?;
    let message = test_message(&api, &project, &row.name, &channel)?;
    Ok(Json(match super::send(&api, scope, &channel, &message).await {
        Ok(receipt) => ChannelTest {
            delivered: true,
            detail: receipt.sentence,
            status: receipt.status,
            retryable: false,
        },
        Err(error) => ChannelTest {
            delivered: false,
            retryable: error.is_retryable(),
            status: error.status,
            detail: error.sentence,
        },
    }))
}

fn test_message(api: &Api, project: &str, name: &str, channel: &Channel) -> Result<Message, ApiError> {
    let random = u64::from_be_bytes(random::bytes()?);
    let page = format!("{}/p/{project}", api.0.public_url);
    Ok(Message {
        id: format!("test-{}-{:016x}", channel.id, random),
        transition: Transition::Test,
        priority: Priority::Low,
        project: name.to_owned(),
        rule: "Test of a channel".to_owned(),
        title: format!("This is how alerts reach {}", channel.name),
        culprit: String::new(),
        why: "Somebody tried this channel; nothing is broken.".to_owned(),
        facts: Vec::new(),
        since_ms: api.now_ms(),
        links: Links { subject: format!("{page}/issues"), replay: None, rule: format!("{page}/alerts") },
        issue: None,
        taken: Vec::new(),
    })
}
