//! Reads of one row and of ranges.

use std::ops::ControlFlow;

use playhead_domain::store::{ClusteringRange, Error, Key, Order, Page, Row, Value};
use playhead_domain::table::Table;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::PagingState;
use scylla::response::query_result::QueryResult;

use super::cell::{Found, Parameter, Stored, read_row};
use super::cluster::{Cluster, unavailable};
use super::cql::Operation;
use super::range;

/// Rows that one response brings at most.
const RESPONSE_ROWS: usize = 1_000;

/// The row as stored, expired or not.
pub(super) async fn get(
    cluster: &Cluster,
    table: &'static Table,
    key: &Key,
    operation: Operation,
) -> Result<Option<Stored>, Error> {
    let _admitted = cluster.admit(0).await?;
    let statement = cluster.prepared(table, operation).await?;
    let columns = key.partition.iter().chain(&key.clustering);
    let parameters: Vec<Parameter<'_>> = columns.map(Parameter::Key).collect();
    let result = cluster.session.execute_unpaged(&statement, parameters).await;
    let rows = read_rows(table, 0, result.map_err(|error| unavailable(&error))?)?;
    Ok(rows.into_iter().next().and_then(|(_, stored)| stored))
}

fn read_rows(table: &Table, key_columns: usize, result: QueryResult) -> Result<Vec<Found>, Error> {
    let unreadable = || Error::Corrupt(format!("rows of {} cannot be read", table.name));
    let rows = result.into_rows_result().map_err(|_| unreadable())?;
    let rows = rows.rows::<ColumnIterator<'_, '_>>().map_err(|_| unreadable())?;
    rows.map(|row| read_row(table, key_columns, row.map_err(|_| unreadable())?)).collect()
}

/// Up to `limit` rows that are live at `now_ms`.
pub(super) async fn scan(
    cluster: &Cluster,
    (table, partition): (&'static Table, &[Value]),
    range: &ClusteringRange,
    order: Order,
    limit: usize,
    now_ms: i64,
) -> Result<Page, Error> {
    let Some(plan) = range::plan(range, order) else { return Ok(Page::default()) };
    let _admitted = cluster.admit(0).await?;
    let mut statement = cluster.prepared(table, Operation::Scan(plan.shape)).await?;
    // One more tells whether there are more.
    let rows = limit.saturating_add(1).min(RESPONSE_ROWS);
    statement.set_page_size(i32::try_from(rows).unwrap_or(i32::MAX));
    let parameters: Vec<Parameter<'_>> = partition.iter().chain(plan.values).map(Parameter::Key).collect();
    let (mut page, mut state) = (Page::default(), PagingState::start());
    loop {
        let response = cluster.session.execute_single_page(&statement, &parameters[..], state).await;
        let (result, next) = response.map_err(|error| unavailable(&error))?;
        for (clustering, stored) in read_rows(table, table.clustering.len(), result)? {
            let Some(stored) = stored.filter(|stored| stored.is_live(now_ms)) else { continue };
            if page.rows.len() == limit {
                page.more = true;
                return Ok(page);
            }
            let key = Key { partition: partition.to_vec(), clustering };
            page.rows.push(Row { key, value: stored.value, version: stored.version });
        }
        match next.into_paging_control_flow() {
            ControlFlow::Continue(next) => state = next,
            ControlFlow::Break(()) => return Ok(page),
        }
    }
}
