//! What a project received.

use std::collections::BTreeMap;
use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Order, Value};
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
const PAGE_ROWS: usize = 500;

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
    let mut intake = Intake { since: (today - 1) * DAY_MS, ..Intake::default() };
    for day in [today - 1, today] {
        add_day(&api, scope, day, &mut intake).await?;
    }
    let first_event_at = first_event(&api, scope, &row).await?;
    let last_event_at = match first_event_at {
        Some(first) => last_event(&api, scope, row.retention_days).await?.or(Some(first)),
        None => None,
    };
    Ok(Json(ProjectStatus { first_event_at, last_event_at, intake }))
}

async fn add_day(api: &Api, scope: Scope, day: i64, intake: &mut Intake) -> Result<(), ApiError> {
    let partition = key::intake_partition(scope, day);
    let mut range = ClusteringRange::ALL;
    // Each log partition has two rows; the newer one tells all.
    let mut newest: BTreeMap<i64, row::IntakeCounts> = BTreeMap::new();
    loop {
        let page =
            api.store().scan(&table::INTAKE_COUNTS, &partition, &range, Order::Ascending, PAGE_ROWS).await?;
        for row in &page.rows {
            let counts = row::IntakeCounts::decode(row.value.clone())
                .map_err(|e| ApiError::Corrupt(format!("intake counts: {e}")))?;
            let [Value::Int(log_partition), _] = row.key.clustering[..] else { continue };
            let known = newest.entry(log_partition).or_default();
            if counts.next_offset > known.next_offset {
                *known = counts;
            }
        }
        match page.rows.last() {
            Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
            _ => break,
        }
    }
    newest.into_values().for_each(|counts| add(intake, counts));
    Ok(())
}

fn add(intake: &mut Intake, counts: row::IntakeCounts) {
    intake.batches += counts.batches;
    intake.bytes += counts.bytes;
    intake.signals += counts.signals;
    intake.dropped_signals += counts.dropped_signals;
    intake.duplicates += counts.duplicates;
    intake.suppressed += counts.suppressed;
    intake.new_sessions += counts.new_sessions;
    for (reason, count) in counts.dead_letters {
        *intake.dead_letters.entry(reason).or_default() += count;
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
