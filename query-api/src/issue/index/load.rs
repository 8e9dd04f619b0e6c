//! Reading all issues of a project, a page at a time.

use std::collections::BTreeMap;
use std::ops::Bound;

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::scope::Scope;
use playhead_domain::store::{ClusteringRange, Order, Row, Store};
use playhead_domain::table::ISSUES;

use super::{Decisions, Index, Shown, Traffic};
use crate::error::ApiError;
use crate::issue::read;

const PAGE_ROWS: usize = 1_000;

impl Index {
    /// Nothing: it takes more than `most_bytes`.
    pub(super) async fn load(
        store: &dyn Store,
        scope: Scope,
        partitions: u32,
        now_ms: impl Fn() -> i64 + Send,
        most_bytes: usize,
    ) -> Result<Option<Self>, ApiError> {
        let mut index = Self {
            scope,
            issues: BTreeMap::new(),
            parts: BTreeMap::new(),
            cursors: BTreeMap::new(),
            pending: BTreeMap::new(),
            decisions: Decisions::default(),
            traffic: Traffic::default(),
            shown: Shown::default(),
            looked_ms: now_ms(),
            built_ms: now_ms(),
            is_lost: false,
            bytes: 0,
            bytes_of_parts: 0,
        };
        // Before the totals: what is written meanwhile is named as changed then.
        index.begin(store, partitions).await?;
        for shard in 0..key::SHARDS {
            if !index.load_shard(store, shard, &now_ms, most_bytes).await? {
                return Ok(None);
            }
        }
        Ok(Some(index))
    }

    async fn load_shard(
        &mut self,
        store: &dyn Store,
        shard: i64,
        now_ms: &(impl Fn() -> i64 + Send),
        most_bytes: usize,
    ) -> Result<bool, ApiError> {
        let partition = key::issues_partition(self.scope, shard);
        let (mut range, mut rows) = (ClusteringRange::ALL, Vec::new());
        loop {
            let page = store.scan(&ISSUES, &partition, &range, Order::Ascending, PAGE_ROWS).await?;
            let last = page.rows.last().map(|row| row.key.clustering.clone());
            rows.extend(page.rows);
            let more = page.more && last.is_some();
            let left = if more { last_issue(&mut rows) } else { Vec::new() };
            for (issue, told) in read::told(std::mem::replace(&mut rows, left))? {
                self.take(issue, Some(told), now_ms());
            }
            if self.bytes > most_bytes {
                return Ok(false);
            }
            match last {
                Some(last) if more => range.from = Bound::Excluded(last),
                _ => return Ok(true),
            }
            // It is long work beside requests.
            tokio::task::yield_now().await;
        }
    }
}

/// The rows of the last issue, of which there may be more.
fn last_issue(rows: &mut Vec<Row>) -> Vec<Row> {
    let issue = |row: &Row| key::issue_of(&row.key.clustering).map(|(issue, ..)| issue);
    let last: Option<Fingerprint> = rows.last().and_then(issue);
    let first = rows.iter().rposition(|row| issue(row) != last).map_or(0, |at| at + 1);
    rows.split_off(first)
}
