//! Where the rows of sessions are.

use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Order, Row};
use playhead_domain::table;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

pub(crate) fn session_id(bytes: &[u8]) -> Option<SessionId> {
    bytes.try_into().ok().map(SessionId)
}

pub(crate) fn stream_id(bytes: &[u8]) -> Option<StreamId> {
    bytes.try_into().ok().map(StreamId)
}

pub(crate) fn decode_summary(row: &Row) -> Result<row::SessionSummary, ApiError> {
    row::SessionSummary::decode(row.value.clone())
        .map_err(|e| ApiError::Corrupt(format!("session summary: {e}")))
}

/// The summary of a session, unless there is none.
pub(crate) async fn summary(
    api: &Api,
    scope: Scope,
    session: SessionId,
) -> Result<Option<row::SessionSummary>, ApiError> {
    api.store()
        .get(&table::SESSIONS, &key::session(scope, session))
        .await?
        .as_ref()
        .map(decode_summary)
        .transpose()
}

/// The first or last session of each shard of a day.
pub(crate) async fn edge_of_day(
    api: &Api,
    scope: Scope,
    day: i64,
    order: Order,
) -> Result<Vec<row::SessionSummary>, ApiError> {
    let mut found = Vec::new();
    for shard in 0..key::SHARDS {
        let partition = key::by_start_partition(scope, day, shard);
        let page =
            api.store().scan(&table::SESSIONS_BY_START, &partition, &ClusteringRange::ALL, order, 1).await?;
        for row in &page.rows {
            found.push(decode_summary(row)?);
        }
    }
    Ok(found)
}
