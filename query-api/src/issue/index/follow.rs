//! Following what flushes change.
//!
//! A flush writes the totals of its issues and a row that names them in no order, and the next one of the log partition begins when all are
//! there. So whatever is named is read again until the totals are as far as the flush that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use futures::stream::{self, StreamExt, TryStreamExt};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key::{self, CHANGES_KEPT_MS};
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueChanges, IssueTotals};
use playhead_domain::scope::Scope;
use playhead_domain::session::key::day;
use playhead_domain::store::{self, ClusteringRange, Order, Page, Row, Store, Value};
use playhead_domain::table::{ISSUE_CHANGES, ISSUES};
use prost::Message;

use super::{Cursor, Index, decoded_bytes};
use crate::error::ApiError;
use crate::issue::read::{self, Told};

/// A list is at most so much older than the rows.
pub(super) const LOOK_EVERY_MS: i64 = 1_000;
/// After half of the time for which changes are kept nobody relies on them.
const FOLLOWED_FOR_MS: i64 = CHANGES_KEPT_MS / 2;
/// Clocks of processors may be ahead by so much.
const AHEAD_MS: i64 = 10 * 60_000;
const CONCURRENT_READS: usize = 32;
/// Changes, and issues with their whole totals, that are in memory at a time.
const ROWS_AT_ONCE: usize = 500;
/// More are quicker read all again.
const MAX_PENDING: usize = 20_000;

impl Index {
    /// The newest change of each log partition may be under way still: it is read again.
    pub(super) async fn begin(&mut self, store: &dyn Store, partitions: u32) -> Result<(), ApiError> {
        let (scope, today) = (self.scope, day(self.looked_ms + AHEAD_MS));
        let newest = stream::iter(0..partitions).map(|partition| async move {
            for day in [today, today - 1, today - 2] {
                let columns = key::changes_partition(scope, partition, day);
                let range = ClusteringRange::ALL;
                let page = store.scan(&ISSUE_CHANGES, &columns, &range, Order::Descending, 1).await?;
                if let Some(row) = page.rows.into_iter().next() {
                    return Ok((partition, day, Some(row)));
                }
            }
            Ok::<_, store::Error>((partition, today - 2, None))
        });
        for (partition, day, row) in newest.buffer_unordered(CONCURRENT_READS).try_collect::<Vec<_>>().await?
        {
            // The next one may have a clock that is behind.
            let day = day.min(self::day(self.looked_ms - AHEAD_MS));
            self.cursors.insert(partition, Cursor { day, next_offset: 0 });
            if let Some(row) = row {
                // The totals are all read after this.
                self.note(partition, day, &row)?;
                if self.is_lost {
                    return Err(ApiError::Internal(
                        "the newest flush changed too many issues to follow it".to_owned(),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Reads what has changed since the last look. Returns false when that cannot be known any more.
    pub(super) async fn catch_up(&mut self, store: &dyn Store, now_ms: i64) -> Result<bool, ApiError> {
        let age_ms = now_ms - self.looked_ms;
        if (0..LOOK_EVERY_MS).contains(&age_ms) {
            return Ok(true);
        }
        if self.is_lost || age_ms > FOLLOWED_FOR_MS {
            return Ok(false);
        }
        self.read_changes(store, now_ms).await?;
        if self.is_lost || self.pending.len() > MAX_PENDING {
            self.is_lost = true;
            return Ok(false);
        }
        let expired = self.issues.iter().filter(|(_, kept)| kept.until_ms <= now_ms).map(|(issue, _)| *issue);
        let changed: BTreeSet<Fingerprint> = expired.chain(self.pending.keys().copied()).collect();
        let changed: Vec<Fingerprint> = changed.into_iter().collect();
        for some in changed.chunks(ROWS_AT_ONCE) {
            for (issue, told) in read_issues(store, self.scope, some.iter().copied().collect()).await? {
                self.take(issue, told, now_ms);
            }
        }
        self.settle();
        self.looked_ms = now_ms;
        Ok(true)
    }

    /// Of a flush behind which there is another one all is there and has been read, and what is not there has expired.
    fn settle(&mut self) {
        let cursors = &self.cursors;
        let is_newest = |partition: i64, offset: u64| {
            let cursor = u32::try_from(partition).ok().and_then(|partition| cursors.get(&partition));
            cursor.is_none_or(|cursor| offset >= cursor.next_offset)
        };
        self.pending.retain(|_, wanted| {
            wanted.retain(|partition, offset| is_newest(*partition, *offset));
            !wanted.is_empty()
        });
    }

    async fn read_changes(&mut self, store: &dyn Store, now_ms: i64) -> Result<(), ApiError> {
        let (scope, today) = (self.scope, day(now_ms + AHEAD_MS));
        let days = self.cursors.iter().flat_map(|(&partition, &Cursor { day, next_offset })| {
            (day..=today.max(day)).map(move |day| (partition, day, next_offset))
        });
        let reads = days.map(|(partition, day, next_offset)| async move {
            let page = changes_after(store, scope, (partition, day), next_offset).await?;
            Ok::<_, store::Error>((partition, day, page))
        });
        let mut read: Vec<_> =
            stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(CONCURRENT_READS).try_collect().await?;
        read.sort_unstable_by_key(|(partition, day, _)| (*partition, *day));
        for (partition, day, mut page) in read {
            loop {
                for row in &page.rows {
                    self.note(partition, day, row)?;
                }
                if self.is_lost || self.pending.len() > MAX_PENDING {
                    return Ok(());
                }
                let known = self.cursors.get(&partition).map_or(0, |cursor| cursor.next_offset);
                if !page.more {
                    break;
                }
                page = changes_after(store, scope, (partition, day), known).await?;
            }
        }
        // A day of which a flush may still tell is looked at.
        let first = self::day(now_ms - AHEAD_MS);
        self.cursors.values_mut().for_each(|cursor| cursor.day = cursor.day.max(first));
        Ok(())
    }

    /// What is pending is told before the cursor moves: whoever stops in between reads it all the same.
    fn note(&mut self, partition: u32, day: i64, row: &Row) -> Result<(), ApiError> {
        let [Value::Int(next_offset)] = row.key.clustering[..] else { return Ok(()) };
        let next_offset = u64::try_from(next_offset).unwrap_or_default();
        let changes = IssueChanges::decode(row.value.clone())
            .map_err(|e| ApiError::Corrupt(format!("changes of issues: {e}")))?;
        self.is_lost |= changes.all;
        let (issues, _) = changes.issues.as_chunks::<16>();
        for &issue in issues {
            let wanted = self.pending.entry(Fingerprint(issue)).or_default();
            wanted.insert(i64::from(partition), next_offset);
        }
        let cursor = self.cursors.entry(partition).or_insert(Cursor { day, next_offset: 0 });
        cursor.next_offset = next_offset.max(cursor.next_offset);
        Ok(())
    }

    /// Reads the whole totals of those that people made one.
    pub(in crate::issue) async fn read_parts(
        &mut self,
        store: &dyn Store,
        merges: &Merges,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        let wanted: BTreeSet<Fingerprint> = merges
            .roots()
            .into_iter()
            .flat_map(|(root, members)| members.into_iter().chain([root]))
            .collect();
        self.parts.retain(|issue, _| wanted.contains(issue));
        let missing = wanted.into_iter().filter(|issue| self.issues.contains_key(issue));
        let missing = missing.filter(|issue| !self.parts.contains_key(issue)).collect();
        let missing: BTreeSet<Fingerprint> = missing;
        let is_changed = !missing.is_empty();
        let read = self.read_whole(store, missing, now_ms).await?;
        self.parts.extend(read);
        if is_changed {
            self.bytes_of_parts = self.parts.values().map(decoded_bytes).sum();
        }
        Ok(())
    }

    /// Reads issues anew. Returns the whole totals of those that are there.
    pub(super) async fn read_whole(
        &mut self,
        store: &dyn Store,
        issues: BTreeSet<Fingerprint>,
        now_ms: i64,
    ) -> Result<Vec<(Fingerprint, IssueTotals)>, ApiError> {
        let mut whole = Vec::new();
        for (issue, told) in read_issues(store, self.scope, issues).await? {
            let totals = told.as_ref().map(|told| told.totals.clone());
            self.take(issue, told, now_ms);
            whole
                .extend(totals.filter(|totals| read::is_there(totals, now_ms)).map(|totals| (issue, totals)));
        }
        Ok(whole)
    }
}

/// The changes of a log partition that a day has behind an offset.
async fn changes_after(
    store: &dyn Store,
    scope: Scope,
    (partition, day): (u32, i64),
    next_offset: u64,
) -> Result<Page, store::Error> {
    let columns = key::changes_partition(scope, partition, day);
    let after = vec![Value::Int(i64::try_from(next_offset).unwrap_or(i64::MAX))];
    let range = ClusteringRange { from: Bound::Excluded(after), to: Bound::Unbounded };
    store.scan(&ISSUE_CHANGES, &columns, &range, Order::Ascending, ROWS_AT_ONCE).await
}

async fn read_issues(
    store: &dyn Store,
    scope: Scope,
    issues: BTreeSet<Fingerprint>,
) -> Result<BTreeMap<Fingerprint, Option<Told>>, ApiError> {
    let reads = issues.into_iter().map(|issue| async move {
        let range = ClusteringRange::prefix(vec![Value::from(issue.0)]);
        let rows = store::scan_all(store, &ISSUES, &key::issue_partition(scope, issue), range).await?;
        Ok::<_, ApiError>((issue, read::told(rows)?.remove(&issue)))
    });
    stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(CONCURRENT_READS).try_collect().await
}
