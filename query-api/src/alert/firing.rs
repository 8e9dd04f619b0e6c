//! Firings and deliveries over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use playhead_domain::alert::key::{RuleId, Subject};
use playhead_domain::alert::step;
use playhead_domain::row::{AlertDelivery, AlertRule, AlertState};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{log, rows, settings};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::alert::{Delivery, DeliveryList, Firing, FiringList, FiringPatch, FiringStatus};
use crate::params::{Params, Segments, page_size};
use crate::session::present::known;
use crate::state::Api;

/// Which firings.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FiringParams {
    /// `open`, `acknowledged` or `resolved`; all unless given.
    status: Option<String>,
    /// 1 to 200, 50 unless given.
    limit: Option<usize>,
}

/// How many tries.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryParams {
    /// 1 to 200, 50 unless given.
    limit: Option<usize>,
}

/// The newest firing of each rule and issue, those that triggered last first. Kept for 30 days after it changed.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/firings", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), FiringParams), responses(
    (status = 200, body = FiringList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_firings(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<FiringParams>,
) -> Result<Json<FiringList>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 50, 200)?;
    if params.status.as_deref().is_some_and(|status| status_of(status).is_none()) {
        return Err(ApiError::bad("status", "must be open, acknowledged or resolved"));
    }
    let rules = rows::rules(&api, scope).await?;
    let states = rows::states(&api, scope).await?.states;
    let mut states: Vec<_> = states.into_iter().map(|(place, stored)| (place, stored.value)).collect();
    states.retain(|(_, state)| match &params.status {
        Some(status) => state.status == *status,
        None => !state.status.is_empty(),
    });
    states.sort_by_key(|(place, state)| (std::cmp::Reverse(state.opened_ms), *place));
    let (more, now_ms) = (states.len() > limit, api.now_ms());
    states.truncate(limit);
    let items =
        states.into_iter().filter_map(|(place, state)| shown(place, rules.get(&place.0)?, state, now_ms));
    Ok(Json(FiringList { items: items.collect(), more }))
}

/// Acknowledges or resolves a firing. Who was told of it is told of this too. A firing that somebody resolved triggers again only when its
/// condition was not met in between.
#[utoipa::path(patch, path = "/api/v1/projects/{project}/alerts/rules/{rule}/firings/{subject}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("rule" = String, Path, description = "Rule id"),
        ("subject" = String, Path, description = "Issue id, or `project`")),
    request_body = FiringPatch, responses(
    (status = 200, body = Firing),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn change_firing(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, rule, subject)): Segments<(String, String, String)>,
    body: Body,
) -> Result<Json<Firing>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let id = super::routes::parse(&rule)?;
    let subject = match subject.as_str() {
        "project" => Subject::Project,
        issue => Subject::Issue(issue.parse().map_err(|error| ApiError::bad("subject", format!("{error}")))?),
    };
    let patch: FiringPatch = read_json(body).await?;
    let status = match patch.status {
        FiringStatus::Open => return Err(ApiError::bad("status", "must be acknowledged or resolved")),
        FiringStatus::Acknowledged => step::ACKNOWLEDGED,
        FiringStatus::Resolved => step::RESOLVED,
    };
    let rule = rows::rule(&api, scope, id).await?.ok_or(ApiError::NotFound("rule"))?.value;
    let (actor, now_ms) = (caller.name(), api.now_ms());
    let change = |state: &AlertState| step::decide_by_hand(state, status, &actor, now_ms);
    let state = rows::amend(&api, scope, (id, subject), change).await?;
    let firing = state.and_then(|state| shown((id, subject), &rule, state, now_ms));
    firing.map(Json).ok_or(ApiError::NotFound("firing"))
}

/// The newest tries to tell somebody. Kept for 30 days.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/deliveries", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), DeliveryParams), responses(
    (status = 200, body = DeliveryList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_deliveries(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<DeliveryList>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let attempts = log::newest(&api, scope, page_size(params.limit, 50, 200)?).await?;
    let items = attempts.into_iter().map(|attempt| Delivery {
        message: attempt.message,
        rule: attempt.rule,
        subject: attempt.subject,
        transition: attempt.transition,
        channel: attempt.channel,
        attempt: attempt.attempt,
        outcome: attempt.outcome,
        sentence: attempt.sentence,
        title: attempt.title,
        time_ms: attempt.time_ms,
    });
    Ok(Json(DeliveryList { items: items.collect() }))
}

fn status_of(name: &str) -> Option<FiringStatus> {
    match name {
        step::OPEN => Some(FiringStatus::Open),
        step::ACKNOWLEDGED => Some(FiringStatus::Acknowledged),
        step::RESOLVED => Some(FiringStatus::Resolved),
        _ => None,
    }
}

/// `None`: it never triggered.
fn shown(
    (id, subject): (RuleId, Subject),
    rule: &AlertRule,
    state: AlertState,
    now_ms: i64,
) -> Option<Firing> {
    let is_to_be_sent =
        |delivery: &&AlertDelivery| step::is_pointless(&state, delivery, Some(rule), now_ms).is_none();
    let pending = state.pending.iter().filter(is_to_be_sent).count();
    let notice = state.notice.unwrap_or_default();
    let (kind, name) = settings::about(rule);
    Some(Firing {
        rule: id.to_string(),
        rule_name: rule.name.clone(),
        subject: subject.to_string(),
        kind,
        name,
        status: status_of(&state.status)?,
        title: notice.title,
        culprit: notice.culprit,
        why: notice.why,
        priority: settings::priority(&notice.priority),
        since_ms: notice.since_ms,
        opened_at: state.opened_ms,
        changed_at: state.changed_ms,
        by: known(&state.actor),
        muted: state.muted,
        escalated: state.escalated,
        pending,
    })
}
