//! Rules over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::alert::key::{self, RuleId};
use playhead_domain::alert::rule::MAX_RULES;
use playhead_domain::row::{self, AlertLease};
use playhead_domain::table::{ALERT_RULES, ALERT_STATES};

use super::{preview, rows, settings};
use crate::access::Caller;
use crate::body::read_json;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::alert::{AlertPreview, AlertRule, AlertRuleDraft, AlertRuleList, AlertSettings};
use crate::params::Segments;
use crate::random;
use crate::state::Api;

pub(super) fn parse(rule: &str) -> Result<RuleId, ApiError> {
    rule.parse().map_err(|error| ApiError::bad("rule", format!("{error}")))
}

/// The rules of a project. A new one has some, which tell nobody until they are given channels.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/rules", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = AlertRuleList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_rules(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<AlertRuleList>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let mut rules: Vec<_> = rows::rules(&api, scope).await?.into_iter().collect();
    rules.sort_by_key(|(id, rule)| (rule.created_ms, *id));
    let lease = rows::newest::<AlertLease>(&api, &ALERT_STATES, &key::lease(scope)).await?;
    let lease = lease.map(|stored| stored.value).unwrap_or_default();
    Ok(Json(AlertRuleList {
        items: rules.into_iter().map(|(id, rule)| settings::shown(id, rule)).collect(),
        dropped: lease.dropped,
        evaluated_to: (lease.evaluated_ms > 0).then_some(lease.evaluated_ms),
    }))
}

/// Creates a rule. A project has at most 50.
#[utoipa::path(post, path = "/api/v1/projects/{project}/alerts/rules", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), request_body = AlertRuleDraft, responses(
    (status = 201, body = AlertRule),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The project has as many rules as it can", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_rule(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<(StatusCode, Json<AlertRule>), ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let draft: AlertRuleDraft = read_json(body).await?;
    let rule = settings::rule(&draft, None, api.now_ms())?;
    if rows::rules(&api, scope).await?.len() >= MAX_RULES {
        return Err(ApiError::OverQuota(format!(
            "a project has at most {MAX_RULES} rules; delete one first"
        )));
    }
    let id = RuleId(u64::from_be_bytes(random::bytes()?));
    let written = rows::swap(&api, &ALERT_RULES, &key::rule(scope, id), None, Some(&rule), None).await?;
    written.ok_or(ApiError::Conflict)?;
    Ok((StatusCode::CREATED, Json(settings::shown(id, rule))))
}

/// One rule.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/rules/{rule}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("rule" = String, Path, description = "Rule id")), responses(
    (status = 200, body = AlertRule),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_rule(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, rule)): Segments<(String, String)>,
) -> Result<Json<AlertRule>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let id = parse(&rule)?;
    let found = rows::rule(&api, scope, id).await?.ok_or(ApiError::NotFound("rule"))?;
    Ok(Json(settings::shown(id, found.value)))
}

/// Replaces a rule of the version that was read. One that asks something else than before ends what it fired, and looks from now on.
#[utoipa::path(put, path = "/api/v1/projects/{project}/alerts/rules/{rule}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("rule" = String, Path, description = "Rule id")),
    request_body = AlertRuleDraft, responses(
    (status = 200, body = AlertRule),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It has another version", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn replace_rule(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, rule)): Segments<(String, String)>,
    body: Body,
) -> Result<Json<AlertRule>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let id = parse(&rule)?;
    let draft: AlertRuleDraft = read_json(body).await?;
    let version =
        draft.version.ok_or_else(|| ApiError::bad("version", "must be that of the rule that was read"))?;
    let known = rows::rule(&api, scope, id).await?.ok_or(ApiError::NotFound("rule"))?;
    let new = settings::rule(&draft, Some(&known.value), api.now_ms())?;
    if known.value.version != version {
        return Err(ApiError::Conflict);
    }
    let key = key::rule(scope, id);
    let written = rows::swap(&api, &ALERT_RULES, &key, Some(&known.bytes), Some(&new), None).await?;
    written.ok_or(ApiError::Conflict)?;
    Ok(Json(settings::shown(id, new)))
}

/// Deletes a rule with what it fired, and with what it would still tell.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/alerts/rules/{rule}", tag = "alerts",
    params(("project" = String, Path, description = "Project id"), ("rule" = String, Path, description = "Rule id")), responses(
    (status = 204, description = "Deleted"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Others changed it at the same time", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_rule(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, rule)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let id = parse(&rule)?;
    let known = rows::rule(&api, scope, id).await?.ok_or(ApiError::NotFound("rule"))?;
    let key = key::rule(scope, id);
    let written =
        rows::swap::<row::AlertRule>(&api, &ALERT_RULES, &key, Some(&known.bytes), None, None).await?;
    written.ok_or(ApiError::Conflict)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a rule would have fired over the last seven days, before it is saved.
#[utoipa::path(post, path = "/api/v1/projects/{project}/alerts/preview", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), request_body = AlertRuleDraft, responses(
    (status = 200, body = AlertPreview),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Others are being tried", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn preview_rule(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<AlertPreview>, ApiError> {
    let (scope, project) = caller.administer(&api, &project).await?;
    let draft: AlertRuleDraft = read_json(body).await?;
    let rule = settings::rule(&draft, None, api.now_ms())?;
    let _permit = api.0.dry_runs.try_acquire().map_err(|_| ApiError::TooManyDryRuns)?;
    preview::of(&api, scope, &project, &rule).await.map(Json)
}

/// What holds for all of a project's alerts.
#[utoipa::path(get, path = "/api/v1/projects/{project}/alerts/settings", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = AlertSettings),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_settings(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<AlertSettings>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    // They are written with the rules of a new project.
    rows::rules(&api, scope).await?;
    let settings = rows::settings(&api, scope).await?.map(|stored| stored.value).unwrap_or_default();
    Ok(Json(settings::shown_settings(&settings)))
}

/// Replaces the settings of the version that was read.
#[utoipa::path(put, path = "/api/v1/projects/{project}/alerts/settings", tag = "alerts",
    params(("project" = String, Path, description = "Project id")), request_body = AlertSettings, responses(
    (status = 200, body = AlertSettings),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "They have another version", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn replace_settings(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    body: Body,
) -> Result<Json<AlertSettings>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let given: AlertSettings = read_json(body).await?;
    rows::rules(&api, scope).await?;
    let known = rows::settings(&api, scope).await?.ok_or(ApiError::Conflict)?;
    if known.value.version != given.version {
        return Err(ApiError::Conflict);
    }
    let new = settings::settings(&given)?;
    let key = key::settings(scope);
    let written = rows::swap(&api, &ALERT_RULES, &key, Some(&known.bytes), Some(&new), None).await?;
    written.ok_or(ApiError::Conflict)?;
    Ok(Json(settings::shown_settings(&new)))
}
