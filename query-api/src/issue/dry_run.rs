//! What rules of grouping would have made of the last week: they are tried on the newest occurrence of each issue that happened then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures::future::try_join_all;
use playhead_domain::issue::Thrown;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::stack;
use playhead_domain::row::IssueTotals;
use playhead_domain::scope::Scope;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::read;
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::issue::{DryRun, DryRunGroup, DryRunIssue, DryRunRequest};
use crate::params::Segments;
use crate::project::settings::checked_rules;
use crate::session::{events, rows};
use crate::state::Api;
use crate::turn;

/// How many run at once, each on a thread for what keeps a core busy; and how long another one waits for its turn.
pub(crate) const MAX_DRY_RUNS: usize = 2;
const TURN_LIMIT: Duration = Duration::from_secs(10);
/// Issues that one request looks at: those with the most events.
const MAX_ISSUES: usize = 500;
const CONCURRENT_READS: usize = 16;
const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 7;

/// Tries rules on the last week, and changes nothing: which issues they would have made one. Of each issue the newest occurrence is
/// looked at, so that an issue whose errors differ may be told wrongly.
#[utoipa::path(post, path = "/api/v1/projects/{project}/grouping-rules/dry-run", tag = "issues",
    params(("project" = String, Path, description = "Project id")), request_body = DryRunRequest, responses(
    (status = 200, body = DryRun),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Others are being tried; try again", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn try_grouping_rules(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<DryRun>, ApiError> {
    let (scope, project) = caller.administer(&api, &project).await?;
    let DryRunRequest { rules } = read_json(body).await?;
    let turn = Arc::clone(&api.0.dry_runs).acquire_owned();
    let turn = turn::within(TURN_LIMIT, turn, ApiError::TooManyDryRuns).await?;
    // Whoever goes away leaves a thread at work: the turn ends with that.
    let turn = Arc::new(turn);
    let compile = move || checked_rules("rules", &rules).map(|rules| Arc::new(Rules::new(&rules)));
    let rules = apart(&turn, compile).await??;
    let read::All { issues, mut partial, .. } = read::all(&api, scope).await?;
    let today = api.now_ms().div_euclid(DAY_MS);
    let of_week = |totals: &IssueTotals| -> u64 {
        totals.days.range(today - DAYS + 1..).map(|(_, count)| count.events).sum()
    };
    let mut seen: Vec<_> = issues.into_iter().map(|(id, totals)| (of_week(&totals), id, totals)).collect();
    // Rules say nothing of failed requests.
    let is_request =
        |totals: &IssueTotals| totals.latest.as_ref().is_some_and(|at| at.mechanism == "request");
    seen.retain(|(events, id, totals)| {
        *events > 0 && !is_request(totals) && project.discard_of(*id).is_none()
    });
    seen.sort_by_key(|(events, id, _)| std::cmp::Reverse((*events, *id)));
    partial |= seen.len() > MAX_ISSUES;
    seen.truncate(MAX_ISSUES);
    let mut result = DryRun { issues: 0, not_kept: 0, partial, groups: Vec::new() };
    let mut groups: BTreeMap<(usize, String), Vec<DryRunIssue>> = BTreeMap::new();
    for some in seen.chunks(CONCURRENT_READS) {
        let reads = some.iter().map(|(_, _, totals)| newest(&api, scope, totals));
        let (all, rules) = (try_join_all(reads).await?, Arc::clone(&rules));
        let find_all = move || {
            let find = |data: Option<_>| data.map(|data| find(&rules, &data));
            all.into_iter().map(find).collect::<Vec<_>>()
        };
        for ((events, id, totals), found) in some.iter().zip(apart(&turn, find_all).await?) {
            let Some(found) = found else {
                result.not_kept += 1;
                continue;
            };
            result.issues += 1;
            if let Some((rule, fingerprint)) = found {
                groups.entry((rule, fingerprint)).or_default().push(present(*id, totals, *events));
            }
        }
    }
    let group = |((rule, fingerprint), issues)| DryRunGroup { rule: rule + 1, fingerprint, issues };
    result.groups = groups.into_iter().map(group).collect();
    Ok(Json(result))
}

/// Runs `work` on a thread of its own, which keeps the turn meanwhile.
async fn apart<T: Send + 'static>(
    turn: &Arc<OwnedSemaphorePermit>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let turn = Arc::clone(turn);
    crate::turn::apart(move || {
        let done = work();
        drop(turn);
        done
    })
    .await
}

/// The data of the newest occurrence; nothing when its session is not kept.
async fn newest(
    api: &Api,
    scope: Scope,
    totals: &IssueTotals,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let Some(latest) = &totals.latest else { return Ok(None) };
    let Some(session) = rows::session_id(&latest.session) else { return Ok(None) };
    if api.0.erasure.is_session_erased(scope, session).await? {
        return Ok(None);
    }
    match events::data_of(api, scope, session, &latest.event).await {
        Err(ApiError::Deleted) => Ok(None),
        found => found,
    }
}

fn find(rules: &Rules, data: &Map<String, Value>) -> Option<(usize, String)> {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let thrown = Thrown {
        kind: text("type"),
        message: text("message"),
        source: text("source"),
        page_url: text("url"),
        ..Thrown::default()
    };
    let stack = stack::parse(text("stack"), thrown.message);
    rules.find(&thrown, &stack).map(|(rule, fingerprint)| (rule, fingerprint.to_owned()))
}

fn present(id: Fingerprint, totals: &IssueTotals, events: u64) -> DryRunIssue {
    let title = totals.latest.as_ref().map_or_else(String::new, |latest| latest.title.clone());
    DryRunIssue { id: id.to_string(), title, events }
}
