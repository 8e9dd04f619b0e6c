//! Issues over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::future::try_join_all;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use playhead_domain::table::ISSUE_STATES;

use super::archive::Counted;
use super::decided::Deciding;
use super::list::IssueParams;
use super::present::Reach;
use super::priority::Context;
use super::{archive, change, list, present, read, union};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::jira;
use crate::model::Problem;
use crate::model::issue::{IssueBulkPatch, IssueBulkResult, IssueDetail, IssuePage, IssuePatch};
use crate::params::{Params, Segments, page_size};
use crate::state::Api;

const MAX_BULK: usize = 100;

/// Issues of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project}/issues", tag = "issues",
    params(("project" = String, Path, description = "Project id"), IssueParams), responses(
    (status = 200, body = IssuePage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_issues(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<IssueParams>,
) -> Result<Json<IssuePage>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 25, 100)?;
    list::list(&api, scope, &project, &params, limit).await.map(Json)
}

/// One issue. Its sessions are a list of sessions with its id as `issue`. The id of an issue that was merged into another gives that one.
#[utoipa::path(get, path = "/api/v1/projects/{project}/issues/{issue}", tag = "issues",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")),
    responses(
    (status = 200, body = IssueDetail),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<Json<IssueDetail>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let shown = load(&api, scope, &project, parse(&issue)?).await?;
    detail(&api, scope, &project, &shown).await.map(Json)
}

/// Changes the state or the assignee of an issue.
#[utoipa::path(patch, path = "/api/v1/projects/{project}/issues/{issue}", tag = "issues",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Issue id")),
    request_body = IssuePatch, responses(
    (status = 200, body = IssueDetail),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
    body: Body,
) -> Result<Json<IssueDetail>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let shown = load(&api, scope, &project, parse(&issue)?).await?;
    let patch: IssuePatch = read_json(body).await?;
    change::check(&patch)?;
    let deciding = Deciding::begin(&api, scope);
    change::apply(&deciding, &shown, &patch, &caller.name()).await?;
    deciding.tell().await;
    jira::want_changes(&api, scope, &shown, &patch).await?;
    detail(&api, scope, &project, &shown).await.map(Json)
}

/// Changes many issues alike, one after the other. If it fails in between, the same request may be sent again.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/bulk", tag = "issues",
    params(("project" = String, Path, description = "Project id")), request_body = IssueBulkPatch, responses(
    (status = 200, body = IssueBulkResult),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change_issues(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<IssueBulkResult>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let IssueBulkPatch { ids, state, assignee, resolved_in, release, archived_until, priority } =
        read_json(body).await?;
    let patch = IssuePatch { state, assignee, resolved_in, release, archived_until, priority };
    change::check(&patch)?;
    let mut result = IssueBulkResult { changed: Vec::new(), missing: Vec::new() };
    let (ids, deciding) = (parse_ids(&ids)?, Deciding::begin(&api, scope));
    for id in ids {
        match read::shown(&api, scope, &project, id).await {
            Ok(Some(shown)) => {
                change::apply(&deciding, &shown, &patch, &caller.name()).await?;
                jira::want_changes(&api, scope, &shown, &patch).await?;
                result.changed.push(id.to_string());
            }
            Ok(None) | Err(ApiError::Discarded) => result.missing.push(id.to_string()),
            Err(error) => return Err(error),
        }
    }
    deciding.tell().await;
    Ok(Json(result))
}

pub(crate) fn parse(issue: &str) -> Result<Fingerprint, ApiError> {
    issue.parse().map_err(|e| ApiError::bad("issue", format!("{e}")))
}

/// Each once.
///
/// # Errors
/// [`ApiError::BadRequest`] when there are none, too many, or one that is no id.
pub(super) fn parse_ids(ids: &[String]) -> Result<Vec<Fingerprint>, ApiError> {
    if ids.is_empty() || ids.len() > MAX_BULK {
        return Err(ApiError::bad("ids", format!("must be 1 to {MAX_BULK}")));
    }
    let mut parsed = Vec::with_capacity(ids.len());
    for id in ids {
        let id = id.parse().map_err(|e| ApiError::bad("ids", format!("{e}")))?;
        if !parsed.contains(&id) {
            parsed.push(id);
        }
    }
    Ok(parsed)
}

/// The issue, or that into which it was merged.
pub(crate) async fn load(
    api: &Api,
    scope: Scope,
    project: &Project,
    issue: Fingerprint,
) -> Result<read::Shown, ApiError> {
    read::shown(api, scope, project, issue).await?.ok_or(ApiError::NotFound("issue"))
}

pub(crate) async fn detail(
    api: &Api,
    scope: Scope,
    project: &Project,
    shown: &read::Shown,
) -> Result<IssueDetail, ApiError> {
    let whole = shown.merges.whole(shown.id);
    let own = api.store().get_serial(&ISSUE_STATES, &key::state(scope, shown.id)).await?;
    let mut own = own.map(read::decode_state).transpose()?.unwrap_or_default();
    let users = read::users(api, scope, &whole).await?;
    let (totals, now_ms) = (&shown.totals, api.now_ms());
    let counted = Counted { totals, users: users.0, members: shown.merges.mark(shown.id) };
    if archive::come_due(&mut own.clone(), counted, now_ms) {
        let deciding = Deciding::begin(api, scope);
        own = archive::settle(&deciding, shown.id, &own, counted).await?;
        deciding.tell().await;
    }
    let mut given = vec![own];
    given.extend(try_join_all(whole[1..].iter().map(|&issue| read::state(api, scope, issue))).await?);
    let traffic = read::traffic(api, scope, api.now_ms()).await?;
    let context = Context { now_ms, traffic, critical_pages: &project.critical_pages };
    let reach = Reach {
        users,
        sessions: union::sessions(api, scope, &shown.parts()).await?,
        merged: whole.len() - 1,
    };
    let issue = present::issue(shown.id, totals, given.first(), reach, context);
    present::detail(api, scope, issue, shown, &given).await
}
