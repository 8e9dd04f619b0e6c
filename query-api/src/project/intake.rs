//! What a project received.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Order, Value};
use playhead_domain::table;
use prost::Message;

use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::project::{Intake, ProjectStatus};
use crate::params::Segments;
use crate::session::rows;
use crate::state::Api;

const DAY_MS: i64 = 86_400_000;

/// Whether the project receives anything, and what.
#[utoipa::path(get, path = "/api/v1/projects/{project}/status", tag = "projects",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = ProjectStatus),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn project_status(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<ProjectStatus>, ApiError> {
    let (scope, row) = caller.open(&api, &project).await?;
    let today = key::day(api.now_ms());
    let mut intake = of_day(&api, scope, today - 1).await?;
    intake.add(&of_day(&api, scope, today).await?);
    let first_event_at = first_event(&api, scope, &row).await?;
    let last_event_at = match first_event_at {
        Some(first) => last_event(&api, scope, row.retention_days).await?.or(Some(first)),
        None => None,
    };
    let intake = present((today - 1) * DAY_MS, intake);
    Ok(Json(ProjectStatus { first_event_at, last_event_at, intake }))
}

/// What came in on a day.
async fn of_day(api: &Api, scope: Scope, day: i64) -> Result<row::IntakeCounts, ApiError> {
    let partition = key::intake_partition(scope, day);
    // Each log partition has two rows; the newer one tells all.
    let mut newest: BTreeMap<i64, row::IntakeCounts> = BTreeMap::new();
    for row in store::scan_all(api.store(), &table::INTAKE_COUNTS, &partition, ClusteringRange::ALL).await? {
        let counts = row::IntakeCounts::decode(row.value)
            .map_err(|e| ApiError::Corrupt(format!("intake counts: {e}")))?;
        let [Value::Int(log_partition), _] = row.key.clustering[..] else { continue };
        let known = newest.entry(log_partition).or_default();
        if counts.next_offset > known.next_offset {
            *known = counts;
        }
    }
    let mut all = row::IntakeCounts::default();
    newest.values().for_each(|counts| all.add(counts));
    Ok(all)
}

fn present(since: i64, counts: row::IntakeCounts) -> Intake {
    Intake {
        since,
        batches: counts.batches,
        bytes: counts.bytes,
        signals: counts.signals,
        dropped_signals: counts.dropped_signals,
        duplicates: counts.duplicates,
        suppressed: counts.suppressed,
        new_sessions: counts.new_sessions,
        filtered_errors: counts.filtered_errors,
        dead_letters: counts.dead_letters,
    }
}

/// The start of the oldest session that is kept.
async fn first_event(api: &Api, scope: Scope, project: &row::Project) -> Result<Option<i64>, ApiError> {
    if project.first_event_ms > 0 {
        return Ok(Some(project.first_event_ms));
    }
    let today = key::day(api.now_ms());
    for day in today - i64::from(project.retention_days) - 1..=today + 1 {
        let found = rows::edge_of_day(api, scope, day, Order::Ascending).await?;
        if let Some(summary) = found.into_iter().min_by_key(|summary| summary.list_start_ms) {
            return Ok(Some(summary.list_start_ms));
        }
    }
    Ok(None)
}

/// The newest append among the sessions that started last.
async fn last_event(api: &Api, scope: Scope, retention_days: u32) -> Result<Option<i64>, ApiError> {
    let today = key::day(api.now_ms());
    for day in (today - i64::from(retention_days) - 1..=today + 1).rev() {
        let found = rows::edge_of_day(api, scope, day, Order::Descending).await?;
        if let Some(newest) = found.iter().map(|summary| summary.last_append_us).max() {
            return Ok(Some(newest / 1_000));
        }
    }
    Ok(None)
}
