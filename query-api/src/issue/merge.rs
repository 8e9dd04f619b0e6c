//! Making several issues one, and taking one out again: what people decided is a row; what was counted is never touched.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::scope::Scope;

use super::decided::Deciding;
use super::routes::{detail, load, parse_ids};
use super::{decided, read};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::issue::{IssueDetail, IssueMerge};
use crate::params::Segments;
use crate::state::Api;

/// Makes issues one, which is shown as `into`: counts, users and sessions of all of them, and what happens from now on. Issues that
/// were merged before come along. It can be undone one by one.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/merge", tag = "issues",
    params(("project" = String, Path, description = "Project id")), request_body = IssueMerge, responses(
    (status = 200, body = IssueDetail),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn merge_issues(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<IssueDetail>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let IssueMerge { ids, into } = read_json(body).await?;
    let ids = parse_ids(&ids)?;
    let into: Fingerprint = into.parse().map_err(|e| ApiError::bad("into", format!("{e}")))?;
    // Only what is there, so that nobody merges what he cannot see.
    let target = load(&api, scope, &project, into).await?;
    let mut titles = Vec::new();
    for &id in &ids {
        let shown = load(&api, scope, &project, id).await?;
        if !titles.iter().any(|(known, _)| *known == shown.id) {
            titles.push((shown.id, title(&shown)));
        }
    }
    let kept = match target.merges.is_nearly_full() {
        true => kept(&api, scope).await?,
        false => None,
    };
    let (actor, now_ms) = (caller.name(), api.now_ms());
    let deciding = Deciding::begin(&api, scope);
    let added = deciding.update_merges(|merges| {
        if let Some(kept) = &kept {
            merges.forget(|issue| kept.contains(&issue));
        }
        let added = merges.merge(&ids, into, (now_ms, &actor));
        added.map_err(|e| ApiError::bad("ids", e.to_string()))
    });
    let added = added.await?;
    deciding.tell().await;
    for (id, part) in titles.iter().filter(|(id, _)| added.contains(id)) {
        note(&api, scope, *id, &format!("merged into {}", title(&target)), &actor).await;
        note(&api, scope, target.id, &format!("merged with {part}"), &actor).await;
    }
    let shown = load(&api, scope, &project, into).await?;
    detail(&api, scope, &project, &shown).await.map(Json)
}

/// Takes an issue out of the one into which it was merged: it is one of its own again, with all that was counted of it.
#[utoipa::path(post, path = "/api/v1/projects/{project}/issues/{issue}/split", tag = "issues",
    params(("project" = String, Path, description = "Project id"), ("issue" = String, Path, description = "Id of the merged issue")),
    responses(
    (status = 200, description = "The issue from which it was taken, if anything of that is there; else itself", body = IssueDetail),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn split_issue(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, issue)): Segments<(String, String)>,
) -> Result<Json<IssueDetail>, ApiError> {
    let (scope, project) = caller.open(&api, &project).await?;
    let issue: Fingerprint = issue.parse().map_err(|e| ApiError::bad("issue", format!("{e}")))?;
    let deciding = Deciding::begin(&api, scope);
    let root = deciding.update_merges(|merges| Ok(merges.split(issue))).await?;
    deciding.tell().await;
    let Some(root) = root else {
        return Err(ApiError::bad("issue", "is not merged into another one"));
    };
    let actor = caller.name();
    let shown = async |issue| match read::shown(&api, scope, &project, issue).await {
        Err(ApiError::Discarded) => Ok(None),
        shown => shown,
    };
    let (left, own) = (shown(root).await?, shown(issue).await?);
    let name = |shown: &Option<read::Shown>| {
        shown.as_ref().map_or_else(|| "an issue that is not kept".to_owned(), title)
    };
    note(&api, scope, root, &format!("split off {}", name(&own)), &actor).await;
    note(&api, scope, issue, &format!("split from {}", name(&left)), &actor).await;
    let shown = left.or(own).ok_or(ApiError::NotFound("issue"))?;
    detail(&api, scope, &project, &shown).await.map(Json)
}

/// What is merged or split is so, whether its history says so or not.
async fn note(api: &Api, scope: Scope, issue: Fingerprint, change: &str, actor: &str) {
    if let Err(error) = decided::note(api, scope, issue, change, actor).await {
        tracing::warn!(project = %scope.project(), %issue, %error, "history of an issue not written");
    }
}

/// The issues that are kept, when all of them can be read.
async fn kept(api: &Api, scope: Scope) -> Result<Option<BTreeSet<Fingerprint>>, ApiError> {
    let read::All { issues, partial, .. } = read::all(api, scope).await?;
    Ok((!partial).then(|| issues.into_keys().collect()))
}

fn title(shown: &read::Shown) -> String {
    shown.totals.latest.as_ref().map_or_else(|| shown.id.to_string(), |latest| latest.title.clone())
}
