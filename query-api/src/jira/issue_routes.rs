//! The Jira issues of issues over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::JiraLink;
use playhead_domain::scope::Scope;

use super::create::{self, Wanted};
use super::repository::{self, Connection, connected};
use super::{push, settings, sync};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::issue::{decided, read::Shown, routes as issue_routes};
use crate::model::Problem;
use crate::model::jira::{JiraCategory, JiraIssue, JiraState, NewJiraIssue};
use crate::params::Segments;
use crate::session::present::known;
use crate::state::Api;

fn present(link: &JiraLink, connection: Option<&Connection>) -> JiraIssue {
    let elsewhere = connection.and_then(|connection| sync::check_site(connection, link).err());
    let (fault, fault_ms) = match elsewhere {
        Some(failure) => (failure.to_string(), link.checked_ms),
        None => (link.fault.clone(), link.fault_ms),
    };
    JiraIssue {
        key: link.key.clone(),
        url: format!("{}/browse/{}", link.site, link.key),
        status: known(&link.status),
        category: match link.category.as_str() {
            "new" => JiraCategory::ToDo,
            "indeterminate" => JiraCategory::InProgress,
            sync::DONE => JiraCategory::Done,
            _ => JiraCategory::Unknown,
        },
        assignee: known(&link.assignee),
        created_at: link.created_ms,
        created_by: link.created_by.clone(),
        checked_at: link.checked_ms,
        gone: link.gone,
        fault_at: (!fault.is_empty()).then_some(fault_ms),
        fault: known(&fault),
        pending: link.wants.is_some(),
    }
}

async fn state(api: &Api, scope: Scope, shown: &Shown) -> Result<Json<JiraState>, ApiError> {
    let connection = repository::connection(api, scope).await?;
    let (_, link) = push::of_shown(api, scope, shown).await?;
    let created = link.as_ref().filter(|link| !link.id.is_empty());
    Ok(Json(JiraState {
        connected: connection.is_some(),
        fault: connection.as_ref().and_then(|connection| known(&connection.row.fault)),
        issue: created.map(|link| present(link, connection.as_ref())),
        unsure: link.as_ref().is_some_and(|link| link.attempted_ms > 0),
    }))
}

async fn shown(
    caller: Caller,
    api: &Api,
    (project, issue): (&str, &str),
) -> Result<(Scope, playhead_domain::row::Project, Shown), ApiError> {
    let (scope, project) = caller.administer(api, project).await?;
    let issue: Fingerprint = issue_routes::parse(issue)?;
    let shown = issue_routes::load(api, scope, &project, issue).await?;
    Ok((scope, project, shown))
}

/// Whether an issue has a Jira issue, and what Jira last told of it.
#[utoipa::path(get, path = "/api/v1/projects/{project}/issues/{issue}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")), responses(
    (status = 200, body = JiraState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_jira_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<Json<JiraState>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let shown = issue_routes::load(&api, scope, &project, issue_routes::parse(&issue)?).await?;
    state(&api, scope, &shown).await
}

/// Creates the Jira issue of an issue, once: sent again it answers with the one that there is.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/{issue}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")),
    request_body = NewJiraIssue, responses(
    (status = 200, body = JiraState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Not connected, or nobody knows whether one was created a moment ago", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Jira refused it: `fields` says what is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_jira_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
    body: Body,
) -> Result<Json<JiraState>, ApiError> {
    let (scope, project, shown) = shown(caller, &api, (&project, &issue)).await?;
    let new: NewJiraIssue = read_json(body).await?;
    let connection = connected(&api, scope).await?;
    let defaults = connection.settings.defaults.as_ref();
    let key = new.project.as_deref().or(defaults.map(|defaults| defaults.project.as_str()));
    let issue_type = new.issue_type.as_deref().or(defaults.map(|defaults| defaults.issue_type.as_str()));
    let key = settings::checked_project(key.unwrap_or_default(), "project")?;
    let issue_type = settings::checked_type(issue_type.unwrap_or_default(), "issue_type")?;
    let mut fields = settings::checked_fields(new.fields, "fields")?;
    // Of another project or type the defaults say nothing.
    let same = defaults.filter(|defaults| defaults.project == key && defaults.issue_type == issue_type);
    for (id, value) in same.map(|defaults| defaults.fields.clone()).unwrap_or_default() {
        fields.entry(id).or_insert(value);
    }
    let (issue, _) = push::of_shown(&api, scope, &shown).await?;
    let actor = caller.name();
    let wanted = Wanted { place: (&key, &issue_type), fields: &fields, why: "", actor: &actor };
    create::create(&api, (scope, &project), &connection, issue, &wanted).await?;
    // What the page shows next is whole: the link back and the status. If Jira does not answer now, the worker does it.
    if let Err(error) = push::tell(&api, (scope, &project), issue, None).await {
        tracing::debug!(%error, "the rest of a Jira issue is told later");
    }
    state(&api, scope, &shown).await
}

/// Reads the Jira issue from Jira, and follows it.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/{issue}/jira/refresh", tag = "jira",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")), responses(
    (status = 200, body = JiraState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 502, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn refresh_jira_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<Json<JiraState>, ApiError> {
    let (scope, project, shown) = shown(caller, &api, (&project, &issue)).await?;
    let connection = connected(&api, scope).await?;
    let (issue, _) = push::of_shown(&api, scope, &shown).await?;
    sync::refresh(&api, (scope, &project), &connection, issue).await?;
    state(&api, scope, &shown).await
}

/// Forgets the Jira issue of an issue. It stays as it is in Jira.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/issues/{issue}/jira", tag = "jira",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")), responses(
    (status = 204, description = "Unlinked"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn unlink_jira_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (scope, _, shown) = shown(caller, &api, (&project, &issue)).await?;
    let (issue, link) = push::of_shown(&api, scope, &shown).await?;
    if let Some(link) = link {
        repository::unlink(&api, scope, issue).await?;
        let note = format!("unlinked the Jira issue {}", link.key);
        decided::note(&api, scope, issue, &note, &caller.name()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
