//! The connection over HTTP. Only administrators see or change it, and what it lets one see of Jira.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::scope::Scope;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::fields::{self, Metadata};
use super::repository::{self, Connection, connected};
use super::settings::{self, Defaults, Kind, Settings};
use super::sync::{self, account};
use crate::access::Caller;
use crate::body::read_json;
use crate::channel::text;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::jira::{
    JiraChoice, JiraChoiceList, JiraConnection, JiraDefaults, JiraDraft, JiraFieldList, JiraHook,
    JiraIssueTypeList, JiraKind, JiraSettings, JiraTest, SavedJira,
};
use crate::params::{Params, Segments};
use crate::state::Api;

/// Projects and users that are offered; a search finds others.
const MAX_CHOICES: usize = 50;
const MAX_QUERY: usize = 200;

fn present(connection: &Connection) -> JiraConnection {
    let Connection { settings, row, .. } = connection;
    let hidden = settings.token.len().saturating_sub(4).max(settings.token.len() / 2);
    JiraConnection {
        site: settings.site.clone(),
        kind: match settings.kind {
            Kind::Cloud => JiraKind::Cloud,
            Kind::DataCenter => JiraKind::DataCenter,
        },
        email: Some(settings.email.clone()).filter(|email| !email.is_empty()),
        token_hint: format!("…{}", &settings.token[hidden..]),
        defaults: settings.defaults.clone().map(|Defaults { project, issue_type, fields }| JiraDefaults {
            project,
            issue_type,
            fields,
        }),
        sync_state: settings.sync_state,
        sync_assignee: settings.sync_assignee,
        comments: settings.comments,
        version: row.version,
        changed_at: row.changed_ms,
        fault: Some(row.fault.clone()).filter(|fault| !fault.is_empty()),
        fault_at: (!row.fault.is_empty()).then_some(row.fault_ms),
    }
}

fn hook(api: &Api, scope: Scope, settings: &Settings) -> JiraHook {
    let Settings { hook_token, hook_secret, .. } = settings;
    let url = format!("{}/api/v1/projects/{}/jira/hook/{hook_token}", api.0.public_url, scope.project());
    JiraHook { url, secret: hook_secret.clone() }
}

/// The project's connection to Jira, without its secrets.
#[utoipa::path(get, path = "/api/v1/projects/{project}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = JiraSettings),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_jira(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<JiraSettings>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let connection = repository::connection(&api, scope).await?.as_ref().map(present);
    Ok(Json(JiraSettings { connection }))
}

/// Connects the project to Jira, or changes the connection. Jira is not asked: see the test.
#[utoipa::path(put, path = "/api/v1/projects/{project}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id")), request_body = JiraDraft, responses(
    (status = 200, body = SavedJira),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn save_jira(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<SavedJira>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let draft: JiraDraft = read_json(body).await?;
    let old = repository::connection(&api, scope).await?;
    if draft.version.is_some_and(|version| old.as_ref().map(|old| old.row.version) != Some(version)) {
        return Err(ApiError::Conflict);
    }
    let settings = Settings::checked(draft, old.as_ref().map(|old| &old.settings), api.0.outbound.allow())?;
    repository::save(&api, scope, old.as_ref(), &settings).await?;
    let hook = old.is_none().then(|| hook(&api, scope, &settings));
    let connection = present(&connected(&api, scope).await?);
    api.0.jira_due.notify_one();
    Ok(Json(SavedJira { connection, hook }))
}

/// Disconnects the project. Jira issues stay as they are, and keep their links here.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 204, description = "Disconnected"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_jira(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    if let Some(connection) = repository::connection(&api, scope).await? {
        repository::remove(&api, scope, &connection).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Asks Jira who we are. At most ten a minute for a project, with the tests of its channels.
#[utoipa::path(post, path = "/api/v1/projects/{project}/jira/test", tag = "jira",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = JiraTest),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn test_jira(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<JiraTest>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let connection = connected(&api, scope).await?;
    api.0.tests_sent.count(scope.project(), api.now_ms())?;
    let who = sync::client(&api, &connection).get(&["myself"], &[]).await;
    let who = sync::noted(&api, scope, &connection, who).await;
    Ok(Json(match who {
        Ok(user) if account(&user).is_some() => {
            let name = user["displayName"].as_str().or(account(&user)).unwrap_or_default();
            let detail = format!("Jira knows us as {}", text::line(name, 100));
            JiraTest { works: true, detail, retryable: false }
        }
        Ok(_) => {
            let detail = "what answers there is no Jira, or takes nobody's word for who we are".to_owned();
            JiraTest { works: false, detail, retryable: false }
        }
        Err(failure) => {
            JiraTest { works: false, detail: failure.to_string(), retryable: failure.is_retryable() }
        }
    }))
}

/// Makes a new address and secret for Jira's web hook; the old ones work no more.
#[utoipa::path(post, path = "/api/v1/projects/{project}/jira/hook", tag = "jira",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = JiraHook),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn renew_jira_hook(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<JiraHook>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let connection = connected(&api, scope).await?;
    let (hook_token, hook_secret) = settings::new_hook()?;
    let settings = Settings { hook_token, hook_secret, ..connection.settings.clone() };
    repository::save(&api, scope, Some(&connection), &settings).await?;
    Ok(Json(hook(&api, scope, &settings)))
}

/// What to search for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchParams {
    /// A part of its name; at most 200 characters.
    #[serde(default)]
    query: String,
}

/// Which Jira project.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypeParams {
    /// Its key.
    #[serde(default)]
    project: String,
}

/// Which type of a Jira project.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldParams {
    /// The key of the Jira project.
    #[serde(default)]
    project: String,
    /// The id of the type.
    #[serde(default)]
    issue_type: String,
}

/// Users of a Jira project.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserParams {
    /// The key of the Jira project.
    #[serde(default)]
    project: String,
    /// A part of the name; at most 200 characters.
    #[serde(default)]
    query: String,
}

fn checked_query(query: &str) -> Result<&str, ApiError> {
    match query.trim() {
        query if query.chars().count() <= MAX_QUERY => Ok(query),
        _ => Err(ApiError::bad("query", format!("must be at most {MAX_QUERY} characters"))),
    }
}

fn choices<'a>(
    found: impl Iterator<Item = &'a Value>,
    id: impl Fn(&Value) -> Option<&str>,
    name: &str,
) -> Json<JiraChoiceList> {
    let choices = found.filter_map(|item| {
        let id = id(item)?;
        let name = text::line(item[name].as_str().unwrap_or(id), 200);
        Some(JiraChoice { id: id.to_owned(), name })
    });
    Json(JiraChoiceList { items: choices.take(MAX_CHOICES).collect() })
}

/// Jira's projects in which issues may be created, by key; at most 50.
#[utoipa::path(get, path = "/api/v1/projects/{project}/jira/projects", tag = "jira",
    params(("project" = String, Path, description = "Project id"), SearchParams), responses(
    (status = 200, body = JiraChoiceList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_jira_projects(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<SearchParams>,
) -> Result<Json<JiraChoiceList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let query = checked_query(&params.query)?.to_lowercase();
    let connection = connected(&api, scope).await?;
    let client = sync::client(&api, &connection);
    let found = if client.is_cloud() {
        let mut asked = vec![("action", "create"), ("maxResults", "50"), ("orderBy", "name")];
        if !query.is_empty() {
            asked.push(("query", &query));
        }
        client.get(&["project", "search"], &asked).await
    } else {
        client.get(&["project"], &[]).await
    };
    let found = sync::noted(&api, scope, &connection, found).await?;
    let items = found["values"].as_array().or(found.as_array());
    let is_meant = |item: &&Value| {
        let has = |name: &str| item[name].as_str().is_some_and(|text| text.to_lowercase().contains(&query));
        query.is_empty() || has("key") || has("name")
    };
    Ok(choices(items.into_iter().flatten().filter(is_meant), |item| item["key"].as_str(), "name"))
}

/// The types of issues of a Jira project.
#[utoipa::path(get, path = "/api/v1/projects/{project}/jira/types", tag = "jira",
    params(("project" = String, Path, description = "Project id"), TypeParams), responses(
    (status = 200, body = JiraIssueTypeList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_jira_types(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<TypeParams>,
) -> Result<Json<JiraIssueTypeList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let key = settings::checked_project(&params.project, "project")?;
    let connection = connected(&api, scope).await?;
    let types = fields::types(&sync::client(&api, &connection), &key).await;
    let items = sync::noted(&api, scope, &connection, types).await?;
    Ok(Json(JiraIssueTypeList { items }))
}

/// The fields that a type requires, and that are not filled in by themselves.
#[utoipa::path(get, path = "/api/v1/projects/{project}/jira/fields", tag = "jira",
    params(("project" = String, Path, description = "Project id"), FieldParams), responses(
    (status = 200, body = JiraFieldList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_jira_fields(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<FieldParams>,
) -> Result<Json<JiraFieldList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let key = settings::checked_project(&params.project, "project")?;
    let issue_type = settings::checked_type(&params.issue_type, "issue_type")?;
    let connection = connected(&api, scope).await?;
    let metadata = Metadata::load(&sync::client(&api, &connection), &key, &issue_type).await;
    let metadata = sync::noted(&api, scope, &connection, metadata).await?;
    Ok(Json(JiraFieldList { items: metadata.asked() }))
}

/// Users to whom issues of a Jira project may be assigned; at most 50.
#[utoipa::path(get, path = "/api/v1/projects/{project}/jira/users", tag = "jira",
    params(("project" = String, Path, description = "Project id"), UserParams), responses(
    (status = 200, body = JiraChoiceList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_jira_users(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<UserParams>,
) -> Result<Json<JiraChoiceList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let key = settings::checked_project(&params.project, "project")?;
    let query = checked_query(&params.query)?;
    let connection = connected(&api, scope).await?;
    let client = sync::client(&api, &connection);
    let name = if client.is_cloud() { "query" } else { "username" };
    // Data Center finds nobody by nothing; a dot is in every name's place.
    let asked = if query.is_empty() && !client.is_cloud() { "." } else { query };
    let asked = [("project", key.as_str()), (name, asked), ("maxResults", "50")];
    let found = client.get(&["user", "assignable", "search"], &asked).await;
    let found = sync::noted(&api, scope, &connection, found).await?;
    Ok(choices(found.as_array().into_iter().flatten(), account, "displayName"))
}
