//! What of a project could not be processed: looking at it, and sending it through again.

use std::ops::Bound;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use playhead_domain::log::{self, Position, Record};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Order, Value};
use playhead_domain::{row, table, topic};
use playhead_proto::record::RecordMeta;
use prost::Message;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Caller;
use crate::cursor;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::project::{DeadLetter, DeadLetterPage, ReplayedRecord};
use crate::params::{Params, Segments, page_size};
use crate::session::rows;
use crate::state::Api;

/// Where to start and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeadLetterParams {
    /// 1 to 200, 50 unless given.
    limit: Option<usize>,
    cursor: Option<String>,
}

/// What could not be processed, with reasons.
#[utoipa::path(get, path = "/api/v1/projects/{project}/dead-letters", tag = "projects",
    params(("project" = String, Path, description = "Project id"), DeadLetterParams), responses(
    (status = 200, body = DeadLetterPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_dead_letters(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<DeadLetterParams>,
) -> Result<Json<DeadLetterPage>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 50, 200)?;
    let question = format!("dead-letters {}", scope.project());
    let mut range = ClusteringRange::ALL;
    if let Some(cursor) = &params.cursor {
        let position = cursor::read(question.as_bytes(), cursor)?;
        range.from = Bound::Excluded(read_position(&position)?);
    }
    let page = api
        .store()
        .scan(&table::DEAD_LETTERS, &key::scope_columns(scope), &range, Order::Ascending, limit)
        .await?;
    let mut items = Vec::with_capacity(page.rows.len());
    let mut last = None;
    for row in page.rows {
        let [Value::Int(partition), Value::Int(offset)] = row.key.clustering[..] else {
            return Err(ApiError::Corrupt("dead letter key".to_owned()));
        };
        let letter =
            row::DeadLetter::decode(row.value).map_err(|e| ApiError::Corrupt(format!("dead letter: {e}")))?;
        items.push(present(letter, partition, offset));
        last = Some((partition, offset));
    }
    let next = last.filter(|_| page.more).map(|(partition, offset)| {
        cursor::write(question.as_bytes(), &[partition.to_be_bytes(), offset.to_be_bytes()].concat())
    });
    Ok(Json(DeadLetterPage { items, next }))
}

fn read_position(position: &[u8]) -> Result<Vec<Value>, ApiError> {
    let number = |range: std::ops::Range<usize>| {
        position.get(range).and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes)
    };
    match (number(0..8), number(8..16)) {
        (Some(partition), Some(offset)) => Ok(vec![Value::Int(partition), Value::Int(offset)]),
        _ => Err(ApiError::bad("cursor", "not a cursor of this list")),
    }
}

fn present(letter: row::DeadLetter, partition: i64, offset: i64) -> DeadLetter {
    DeadLetter {
        reason: letter.reason,
        detail: letter.detail,
        session_id: rows::session_id(&letter.session).map(|id| id.to_string()),
        stream_id: rows::stream_id(&letter.stream).map(|id| id.to_string()),
        trace_id: letter.traceparent.split('-').nth(1).map(str::to_owned),
        seq: letter.seq,
        received_at: letter.received_us / 1_000,
        bytes: letter.bytes,
        partition,
        offset,
    }
}

/// Sends the record of a dead letter through once more, as a late batch. What had its effect before has none again; once the rest has
/// its effect the dead letter is gone. Doing it twice does no harm.
#[utoipa::path(post, path = "/api/v1/projects/{project}/dead-letters/{partition}/{offset}/replay", tag = "projects",
    params(("project" = String, Path, description = "Project id"),
        ("partition" = u32, Path, description = "The dead letter's `partition`"),
        ("offset" = u64, Path, description = "The dead letter's `offset`")),
    responses(
    (status = 202, description = "Appended to the log again", body = ReplayedRecord),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The log no longer keeps the record", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn replay_dead_letter(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, partition, offset)): Segments<(String, String, String)>,
) -> Result<(StatusCode, Json<ReplayedRecord>), ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let partition = partition.parse().map_err(|_| ApiError::bad("partition", "must be a number"))?;
    let offset = offset.parse().map_err(|_| ApiError::bad("offset", "must be a number"))?;
    let copy = append_copy(&api, scope, Position { partition, offset }).await?;
    tracing::info!(project = %scope.project(), partition, offset, "dead letter replayed");
    let Position { partition, offset } = copy;
    Ok((StatusCode::ACCEPTED, Json(ReplayedRecord { partition, offset })))
}

async fn append_copy(api: &Api, scope: Scope, at: Position) -> Result<Position, ApiError> {
    let key = key::dead_letter(scope, at.partition, at.offset);
    let letter = api.store().get(&table::DEAD_LETTERS, &key).await?;
    let letter = letter.ok_or(ApiError::NotFound("dead letter"))?;
    let letter =
        row::DeadLetter::decode(letter.value).map_err(|e| ApiError::Corrupt(format!("dead letter: {e}")))?;
    let topic = if letter.topic.is_empty() { topic::BATCHES } else { &letter.topic };
    let log = &api.0.log;
    let kept = match log.offsets(topic, at.partition).await {
        // It went with an earlier generation of the topic, of which nobody takes copies any more.
        Err(log::Error::UnknownTopic(_)) => return Err(ApiError::RecordExpired),
        kept => kept?,
    };
    if !kept.contains(&at.offset) {
        return Err(ApiError::RecordExpired);
    }
    let read = log.read(topic, at.partition, at.offset, 1, Duration::ZERO).await?;
    let record = read.into_iter().find(|record| record.position == at).ok_or(ApiError::RecordExpired)?;
    let corrupt = |what: String| {
        ApiError::Corrupt(format!("record {} of partition {}: {what}", at.offset, at.partition))
    };
    let mut meta = RecordMeta::decode(record.meta).map_err(|e| corrupt(e.to_string()))?;
    if (meta.tenant_id, meta.project_id) != (scope.tenant().0, scope.project().0) {
        // The row and the log do not belong together: the log was replaced.
        return Err(corrupt("another project's".to_owned()));
    }
    meta.replay_of = Some(at.offset);
    let copy = Record { key: record.key, value: record.value, meta: meta.encode_to_vec().into() };
    Ok(log.append(topic, copy).await?)
}
