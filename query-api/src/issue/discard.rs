//! Discarding: an issue is dropped with what there is of it, and what comes of it is dropped by the processor and counted.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::totals::OVERFLOW;
use playhead_domain::row::Discard;
use playhead_domain::session::fold::cut;

use super::read;
use super::routes::parse_ids;
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::issue::{DiscardedIssue, DiscardedIssueList, IssueBulkResult, IssueIds};
use crate::params::Segments;
use crate::project::repository;
use crate::state::Api;

const MAX_TITLE_BYTES: usize = 120;

/// Discards issues, each with those merged into it: they are not shown any more, and from a minute later on errors of them make no
/// issue and are counted as `discarded`. At most 500 in the life of a project: those that are taken again count too.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/discard", tag = "issues",
    params(("project" = String, Path, description = "Project id")), request_body = IssueIds, responses(
    (status = 200, body = IssueBulkResult),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "All settings of the project together are too large", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn discard_issues(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<IssueBulkResult>, ApiError> {
    let (scope, project) = caller.administer(&api, &project).await?;
    let IssueIds { ids } = read_json(body).await?;
    let mut result = IssueBulkResult { changed: Vec::new(), missing: Vec::new() };
    let mut dropped: Vec<(Fingerprint, String)> = Vec::new();
    for id in parse_ids(&ids)? {
        if id == OVERFLOW {
            return Err(ApiError::bad(
                "ids",
                "the issue that takes errors beyond the bound cannot be discarded",
            ));
        }
        match read::shown(&api, scope, &project, id).await {
            Ok(Some(shown)) => {
                let title = |issue: &Fingerprint| {
                    let own = shown.members.get(issue).unwrap_or(&shown.totals);
                    let title = own.latest.as_ref().map_or("", |latest| &latest.title);
                    cut(title, MAX_TITLE_BYTES).to_owned()
                };
                let whole = shown.merges.whole(shown.id);
                dropped.extend(whole.iter().map(|issue| (*issue, title(issue))));
                result.changed.push(id.to_string());
            }
            Ok(None) | Err(ApiError::Discarded) => result.missing.push(id.to_string()),
            Err(error) => return Err(error),
        }
    }
    let actor = caller.name();
    repository::update(&api, scope.project(), |row| {
        let now_us = api.now_ms().saturating_mul(1_000);
        for (issue, title) in &dropped {
            row.discard(*issue, title.clone(), &actor, now_us)
                .map_err(|e| ApiError::bad("ids", e.to_string()))?;
        }
        Ok(())
    })
    .await?;
    Ok(Json(result))
}

/// The issues that were discarded, the latest first.
#[utoipa::path(get, path = "/api/v1/projects/{project}/issues/discarded", tag = "issues",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = DiscardedIssueList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_discarded_issues(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<DiscardedIssueList>, ApiError> {
    let (_, project) = caller.open(&api, &project).await?;
    Ok(Json(DiscardedIssueList { items: project.discards.iter().rev().map(present).collect() }))
}

/// Takes errors of a discarded issue again, from a minute later on: they make a new issue, as what there was is dropped.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/{issue}/restore", tag = "issues",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Id of the discarded issue")),
    responses(
    (status = 200, body = DiscardedIssueList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "All settings of the project together are too large", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn restore_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<Json<DiscardedIssueList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let issue: Fingerprint = issue.parse().map_err(|e| ApiError::bad("issue", format!("{e}")))?;
    let row = repository::update(&api, scope.project(), |row| {
        let now_us = api.now_ms().saturating_mul(1_000);
        if row.discard_no_more(issue, now_us) { Ok(()) } else { Err(ApiError::NotFound("discarded issue")) }
    })
    .await?;
    Ok(Json(DiscardedIssueList { items: row.discards.iter().rev().map(present).collect() }))
}

fn present(discard: &Discard) -> DiscardedIssue {
    let id = <[u8; 16]>::try_from(discard.issue.as_ref()).map(Fingerprint);
    DiscardedIssue {
        id: id.map(|id| id.to_string()).unwrap_or_default(),
        title: discard.title.clone(),
        discarded_by: discard.actor.clone(),
        from_ms: discard.from_us / 1_000,
        to_ms: (discard.to_us > 0).then_some(discard.to_us / 1_000),
    }
}
