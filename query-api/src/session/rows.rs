//! Where the rows of sessions are.

use futures::future::try_join_all;
use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::{key, state};
use playhead_domain::store::{ClusteringRange, Order};
use playhead_domain::table;

use crate::error::ApiError;
use crate::state::Api;

/// Rows that one request reads at once.
const CONCURRENT_READS: usize = 16;

pub(crate) fn session_id(bytes: &[u8]) -> Option<SessionId> {
    bytes.try_into().ok().map(SessionId)
}

pub(crate) fn stream_id(bytes: &[u8]) -> Option<StreamId> {
    bytes.try_into().ok().map(StreamId)
}

/// The summary of a session, unless there is none.
pub(crate) async fn summary(
    api: &Api,
    scope: Scope,
    session: SessionId,
) -> Result<Option<row::SessionSummary>, ApiError> {
    Ok(state::newest(api.store(), scope, session).await?.and_then(|state| state.summary))
}

/// The summaries of sessions, in their order; several are read at once.
pub(crate) async fn summaries(
    api: &Api,
    scope: Scope,
    sessions: &[SessionId],
) -> Result<Vec<Option<row::SessionSummary>>, ApiError> {
    let mut summaries = Vec::with_capacity(sessions.len());
    for some in sessions.chunks(CONCURRENT_READS) {
        summaries.extend(try_join_all(some.iter().map(|&session| summary(api, scope, session))).await?);
    }
    Ok(summaries)
}

/// The first or last session of each shard of a day.
pub(crate) async fn edge_of_day(
    api: &Api,
    scope: Scope,
    day: i64,
    order: Order,
) -> Result<Vec<row::SessionSummary>, ApiError> {
    let edges = (0..key::SHARDS).map(|shard| async move {
        let partition = key::by_start_partition(scope, day, shard);
        api.store().scan(&table::SESSIONS_BY_START, &partition, &ClusteringRange::ALL, order, 1).await
    });
    let pages = try_join_all(edges).await?;
    let rows = pages.iter().flat_map(|page| &page.rows);
    let sessions: Vec<_> = rows.filter_map(|row| Some(key::start_of(&row.key.clustering)?.1)).collect();
    Ok(summaries(api, scope, &sessions).await?.into_iter().flatten().collect())
}
