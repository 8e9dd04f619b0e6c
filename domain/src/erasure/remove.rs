//! What of a session is stored where, and the deletes of it; which sessions are a user's.

use std::collections::BTreeSet;
use std::ops::Bound;

use futures::future::try_join_all;
use prost::Message;

use super::{Erasure, PAGE};
use crate::id::SessionId;
use crate::performance::name;
use crate::row::SessionState;
use crate::scope::Scope;
use crate::session::{facet, key};
use crate::store::{self, ClusteringRange, Mutation, Order, Row};
use crate::table::{self, Table};

/// How far back a user's sessions are looked for.
const MAX_RETENTION_DAYS: i64 = 401;
/// Deletes carry a version this far ahead, so that a flush that had already begun cannot bring rows back.
const AHEAD_US: i64 = 3_600_000_000;
/// Partitions that are read at once.
const CONCURRENT_READS: usize = 32;

impl Erasure {
    /// The states by slot, and their newest version.
    pub(super) async fn states(
        &self,
        scope: Scope,
        session: SessionId,
    ) -> Result<(Vec<(i64, SessionState)>, i64), store::Error> {
        let partition = key::session_partition(scope, session);
        let page = self
            .store
            .scan(&table::SESSION_STATE, &partition, &ClusteringRange::ALL, Order::Ascending, 4)
            .await?;
        let decode = |row: &Row| match row.key.clustering[..] {
            [store::Value::Int(slot)] => Some((slot, SessionState::decode(row.value.clone()).ok()?)),
            _ => None,
        };
        let newest = page.rows.iter().map(|row| row.version).max().unwrap_or_default();
        Ok((page.rows.iter().filter_map(decode).collect(), newest))
    }

    /// Starts and sessions.
    pub(super) async fn find(
        &self,
        scope: Scope,
        facet: &str,
        value: &str,
        now_ms: i64,
    ) -> Result<BTreeSet<(i64, SessionId)>, store::Error> {
        // Tomorrow, too: a browser's clock may have put the start a little ahead.
        let today = key::day(now_ms) + 1;
        let days = (today - MAX_RETENTION_DAYS..=today).rev();
        let partitions: Vec<_> = days
            .flat_map(|day| {
                (0..key::SHARDS).map(move |shard| key::facet_partition(scope, facet, value, day, shard))
            })
            .collect();
        let mut found = BTreeSet::new();
        for some in partitions.chunks(CONCURRENT_READS) {
            let reads = some.iter().map(|partition| {
                store::scan_all(&*self.store, &table::SESSION_FACETS, partition, ClusteringRange::ALL)
            });
            let rows = try_join_all(reads).await?.concat();
            found.extend(rows.iter().filter_map(|row| key::start_of(&row.key.clustering)));
        }
        Ok(found)
    }

    /// Those of endpoints and pages that the session stands for.
    pub(super) async fn delete_names(
        &self,
        scope: Scope,
        session: SessionId,
        version: i64,
    ) -> Result<(), store::Error> {
        let shards = (0..name::SHARDS).map(|shard| name::partition(scope, shard)).collect::<Vec<_>>();
        let reads = shards.iter().map(|partition| {
            store::scan_all(&*self.store, &table::PERFORMANCE_NAMES, partition, ClusteringRange::ALL)
        });
        let is_of_session =
            |row: &Row| name::of(&row.key.clustering).is_some_and(|(_, witness)| witness == session);
        let rows = try_join_all(reads).await?.into_iter().flatten().filter(is_of_session);
        let deletes =
            rows.map(|row| Mutation::Delete { table: &table::PERFORMANCE_NAMES, key: row.key, version });
        self.store.write(deletes.collect()).await
    }

    pub(super) async fn delete_dead_letters(
        &self,
        scope: Scope,
        session: SessionId,
        version: i64,
    ) -> Result<(), store::Error> {
        let partition = key::scope_columns(scope);
        let mut range = ClusteringRange::ALL;
        loop {
            let page =
                self.store.scan(&table::DEAD_LETTERS, &partition, &range, Order::Ascending, PAGE).await?;
            let is_of_session = |row: &&Row| {
                crate::row::DeadLetter::decode(row.value.clone())
                    .is_ok_and(|letter| letter.session[..] == session.0)
            };
            let deletes = page.rows.iter().filter(is_of_session).map(|row| Mutation::Delete {
                table: &table::DEAD_LETTERS,
                key: row.key.clone(),
                version,
            });
            self.store.write(deletes.collect()).await?;
            match page.rows.last() {
                Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
                _ => return Ok(()),
            }
        }
    }
}

/// The log's clock decides the rows' versions, and may be ahead of whoever erases: hence `newest_us` is at least what was read.
pub(super) const fn ahead_us(newest_us: i64) -> i64 {
    newest_us.saturating_add(AHEAD_US)
}

/// The states stay, without their key: they tell under which facets the session is listed.
pub(super) fn destroy_keys(
    scope: Scope,
    session: SessionId,
    states: &[(i64, SessionState)],
    version: i64,
) -> Vec<Mutation> {
    let mut mutations = vec![delete_partition(&table::SESSION_KEYS, scope, session, version)];
    mutations.extend(states.iter().map(|(slot, state)| Mutation::Put {
        table: &table::SESSION_STATE,
        key: key::state(scope, session, *slot),
        value: SessionState { wrapped_key: bytes::Bytes::new(), ..state.clone() }.encode_to_vec().into(),
        version: version - 1,
        expires_at_ms: state.summary.as_ref().map(|summary| summary.expires_at_ms),
    }));
    mutations
}

pub(super) fn delete_listings(
    scope: Scope,
    session: SessionId,
    states: &[&SessionState],
    starts: &BTreeSet<i64>,
    version: i64,
) -> Vec<Mutation> {
    let facets: BTreeSet<(&str, &str)> =
        states.iter().flat_map(|state| &state.facets).filter_map(|entry| facet::of_entry(entry)).collect();
    let mut mutations = Vec::new();
    for &start_ms in starts {
        mutations.push(Mutation::Delete {
            table: &table::SESSIONS_BY_START,
            key: key::by_start(scope, session, start_ms),
            version,
        });
        mutations.extend(facets.iter().map(|(name, value)| Mutation::Delete {
            table: &table::SESSION_FACETS,
            key: key::facet(scope, name, value, start_ms, session),
            version,
        }));
    }
    mutations
}

pub(super) fn delete_rows(scope: Scope, session: SessionId, version: i64) -> Vec<Mutation> {
    [&table::SESSION_EVENTS, &table::SESSION_FRAMES, &table::SESSION_BLOCKS, &table::SESSION_STATE]
        .into_iter()
        .map(|table| delete_partition(table, scope, session, version))
        .collect()
}

fn delete_partition(table: &'static Table, scope: Scope, session: SessionId, version: i64) -> Mutation {
    Mutation::DeletePartition { table, partition: key::session_partition(scope, session), version }
}
