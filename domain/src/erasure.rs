//! Erasure: what was erased is gone at once, stays gone while its batches are still in the log or on their way, and nothing of it
//! can be read from copies of the stored bytes, because the session's key is destroyed.
//!
//! The order is what makes it safe to stop anywhere: the suppression entry comes first (processor and readers obey it), then
//! the keys, then the rows; [`Erasure::resume`] finishes what was interrupted.

mod mark;

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use futures::future::try_join_all;
use prost::Message;

use self::mark::Marker;
pub use self::mark::Marks;
use crate::id::SessionId;
use crate::performance::name;
use crate::row::{SessionState, Suppression};
use crate::scope::Scope;
use crate::session::{facet, key};
use crate::store::{self, ClusteringRange, Key, Mutation, Order, Row, Store};
use crate::table::{self, Table};

/// Purpose for `InstallationKey::derive`: the key under which users are hashed in suppression entries.
pub const USER_HASH_PURPOSE: &str = "playhead suppressed users v1";
/// [`Suppression`] of one session.
pub const SESSION: &str = "session";
/// [`Suppression`] of a user: what began before the request is erased.
pub const USER: &str = "user";
/// A session whose erasure has begun and is not done. Deleted when it is.
pub const PENDING: &str = "pending";
/// A user whose erasure has begun and is not done, by name. Deleted when it is, as the lists are by which the user can be found.
const PENDING_USER: &str = "pending user";

const DAY_MS: i64 = 86_400_000;
/// Longer than any log keeps records and than any project keeps sessions.
const SUPPRESSION_TTL_MS: i64 = 800 * DAY_MS;
/// How far back a user's sessions are looked for.
const MAX_RETENTION_DAYS: i64 = 401;
/// Deletes carry a version this far ahead, so that a flush that had already begun cannot bring rows back.
const AHEAD_US: i64 = 3_600_000_000;
const PAGE: usize = 500;
/// Partitions that are read at once.
const CONCURRENT_READS: usize = 32;

/// Erases sessions and users. Cheap to clone.
#[derive(Clone)]
pub struct Erasure {
    store: Arc<dyn Store>,
    user_hash_key: [u8; 32],
    marker: Arc<Marker>,
}

impl Erasure {
    /// `user_hash_key` is the installation's key derived for [`USER_HASH_PURPOSE`].
    #[must_use]
    pub fn new(store: Arc<dyn Store>, user_hash_key: [u8; 32]) -> Self {
        Self { store, user_hash_key, marker: Arc::new(Marker::new()) }
    }

    /// Erases one session, whether or not anything of it is stored yet. `now_ms` is the time of the request.
    ///
    /// # Errors
    /// The store's; the erasure then goes on with the next call or with [`Erasure::resume`].
    pub async fn erase_session(
        &self,
        scope: Scope,
        session: SessionId,
        now_ms: i64,
    ) -> Result<(), store::Error> {
        self.erase(scope, session, None, now_ms).await
    }

    /// The same. `known` tells of lists into which a flush has put the session, or may yet put it, without having saved such a state.
    ///
    /// # Errors
    /// The store's.
    pub async fn erase(
        &self,
        scope: Scope,
        session: SessionId,
        known: Option<&SessionState>,
        now_ms: i64,
    ) -> Result<(), store::Error> {
        let mut list_start_ms = self.list_start_ms(scope, session).await?;
        let entry = |stage: &str, list_start_ms: i64| {
            let (requested_ms, stage) = (now_ms, stage.to_owned());
            let entry = Suppression { requested_ms, stage, list_start_ms, ..Suppression::default() };
            suppression(scope, SESSION, &session.0, &entry)
        };
        // What makes others look for a suppression must not come after it, nor be seen only before it.
        let mark = || self.marker.mark(scope, session, now_ms);
        self.store.write(vec![any(scope, now_ms), mark(), pending(scope, session, now_ms)]).await?;
        self.store.write(vec![entry("keys", list_start_ms)]).await?;
        self.store.write(vec![mark()]).await?;
        let (states, newest) = self.states(scope, session).await?;
        let version = ahead_us(now_ms.saturating_mul(1_000).max(newest));
        self.store.write(destroy_keys(scope, session, &states, version)).await?;
        let states: Vec<&SessionState> = states.iter().map(|(_, state)| state).chain(known).collect();
        let starts = states.iter().filter_map(|state| Some(state.summary.as_ref()?.list_start_ms));
        if list_start_ms == 0 {
            list_start_ms = starts.clone().next().unwrap_or_default();
        }
        let starts: BTreeSet<i64> = starts.chain([list_start_ms]).collect();
        self.store.write(vec![entry("rows", list_start_ms)]).await?;
        self.store.write(delete_listings(scope, session, &states, &starts, version)).await?;
        self.delete_dead_letters(scope, session, version).await?;
        self.delete_names(scope, session, version).await?;
        self.store.write(delete_rows(scope, session, version)).await?;
        // While it is on record as begun, so that no stop makes it forgotten.
        self.store.reclaim().await?;
        let done = Mutation::Delete {
            table: &table::SUPPRESSIONS,
            key: key::suppression(scope, PENDING, &session.0),
            version: stage_version(now_ms, "done"),
        };
        self.store.write(vec![entry("done", list_start_ms), done]).await
    }

    /// Erases every session of a user (`user` is an id or an e-mail address) that began before `now_ms`, those included that the
    /// processor has not seen yet. Returns how many it found now.
    ///
    /// # Errors
    /// The store's.
    pub async fn erase_user(&self, scope: Scope, user: &str, now_ms: i64) -> Result<u64, store::Error> {
        let user = &facet::user_name(user);
        self.erase_all_of(scope, user, now_ms, None).await
    }

    /// `again_ms` is the time of a further try at a request of `requested_ms`, which takes care not to erase what began since.
    async fn erase_all_of(
        &self,
        scope: Scope,
        user: &str,
        requested_ms: i64,
        again_ms: Option<i64>,
    ) -> Result<u64, store::Error> {
        let hash = self.user_hash(scope, user);
        let entry = |kind: &str, stage: &str, user: &str| {
            let (stage, user) = (stage.to_owned(), user.to_owned());
            let entry = Suppression { requested_ms, stage, user, ..Suppression::default() };
            suppression(scope, kind, &hash, &entry)
        };
        let now_ms = again_ms.unwrap_or(requested_ms);
        self.store.write(vec![any(scope, now_ms), entry(PENDING_USER, "rows", user)]).await?;
        self.store.write(vec![entry(USER, "rows", "")]).await?;
        let mut found = self.find(scope, facet::USER, user, requested_ms).await?;
        found.extend(self.find(scope, facet::EMAIL, user, requested_ms).await?);
        if again_ms.is_some() {
            found.retain(|(start_ms, _)| *start_ms < requested_ms);
        }
        let sessions: BTreeSet<SessionId> = found.into_iter().map(|(_, session)| session).collect();
        // All are on record before the first one goes, and with it the rows by which it is found.
        let begun: Vec<_> = sessions.iter().map(|&session| pending(scope, session, now_ms)).collect();
        for some in begun.chunks(PAGE) {
            self.store.write(some.to_vec()).await?;
        }
        for &session in &sessions {
            self.erase(scope, session, None, now_ms).await?;
        }
        self.store.write(vec![entry(USER, "done", ""), entry(PENDING_USER, "done", "")]).await?;
        self.forget_begun(key::suppression(scope, PENDING_USER, &hash), requested_ms).await?;
        Ok(sessions.len() as u64)
    }

    /// The record that a user's erasure began had the name. It goes for good while a record without it says that it must, so
    /// that no stop makes it forgotten.
    async fn forget_begun(&self, key: Key, requested_ms: i64) -> Result<(), store::Error> {
        self.store.reclaim().await?;
        let version = stage_version(requested_ms, "gone");
        self.store.write(vec![Mutation::Delete { table: &table::SUPPRESSIONS, key, version }]).await
    }

    /// Finishes erasures of this scope that were interrupted. Returns of how many sessions.
    ///
    /// # Errors
    /// The store's.
    pub async fn resume(&self, scope: Scope, now_ms: i64) -> Result<u64, store::Error> {
        let users = self.unfinished(scope, PENDING_USER).await?;
        let mut erased = 0;
        for row in &users {
            let entry = Suppression::decode(row.value.clone())
                .map_err(|error| store::Error::Corrupt(format!("a user's erasure: {error}")))?;
            if entry.user.is_empty() {
                self.forget_begun(row.key.clone(), entry.requested_ms).await?;
            } else {
                erased += self.erase_all_of(scope, &entry.user, entry.requested_ms, Some(now_ms)).await?;
            }
        }
        let sessions = self.unfinished(scope, PENDING).await?;
        for session in sessions.iter().filter_map(suppressed_session) {
            self.erase(scope, session, None, now_ms).await?;
            erased += 1;
        }
        if !sessions.is_empty() {
            self.store.reclaim().await?;
        }
        Ok(erased)
    }

    async fn unfinished(&self, scope: Scope, kind: &str) -> Result<Vec<Row>, store::Error> {
        let mut rows = Vec::new();
        for shard in 0..key::SUPPRESSION_SHARDS {
            let partition = key::suppression_partition(scope, shard);
            let range = ClusteringRange::prefix(vec![kind.into()]);
            rows.extend(store::scan_all(&*self.store, &table::SUPPRESSIONS, &partition, range).await?);
        }
        Ok(rows)
    }

    /// What was erased of this scope so far, as far as it tells whether anything more was: one cheap read that spares many.
    ///
    /// # Errors
    /// The store's.
    pub async fn marks(&self, scope: Scope) -> Result<Marks, store::Error> {
        let partition = key::erasure_marks_partition(scope);
        let rows =
            store::scan_all(&*self.store, &table::SUPPRESSIONS, &partition, ClusteringRange::ALL).await?;
        Ok(Marks::of_rows(&rows))
    }

    /// Whether this session was erased. Readers answer 410 for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_session_erased(&self, scope: Scope, session: SessionId) -> Result<bool, store::Error> {
        let key = key::suppression(scope, SESSION, &session.0);
        Ok(self.store.get(&table::SUPPRESSIONS, &key).await?.is_some())
    }

    /// When the erasure of this user (id or e-mail address) was last requested, if ever.
    ///
    /// # Errors
    /// The store's.
    pub async fn user_erased_ms(&self, scope: Scope, user: &str) -> Result<Option<i64>, store::Error> {
        let key = key::suppression(scope, USER, &self.user_hash(scope, &facet::user_name(user)));
        let row = self.store.get(&table::SUPPRESSIONS, &key).await?;
        Ok(row.and_then(|row| Suppression::decode(row.value).ok()).map(|entry| entry.requested_ms))
    }

    /// Keyed, so that the entry does not tell who it was.
    fn user_hash(&self, scope: Scope, user: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.user_hash_key);
        hasher.update(&scope.tenant().0.to_be_bytes());
        hasher.update(&scope.project().0.to_be_bytes());
        hasher.update(user.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// What an earlier erasure of the session, or an earlier try of this one, found out.
    async fn list_start_ms(&self, scope: Scope, session: SessionId) -> Result<i64, store::Error> {
        let key = key::suppression(scope, SESSION, &session.0);
        let row = self.store.get(&table::SUPPRESSIONS, &key).await?;
        let entry = row.and_then(|row| Suppression::decode(row.value).ok());
        Ok(entry.map_or(0, |entry| entry.list_start_ms))
    }

    /// The states by slot, and their newest version.
    async fn states(
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
    async fn find(
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
    async fn delete_names(&self, scope: Scope, session: SessionId, version: i64) -> Result<(), store::Error> {
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

    async fn delete_dead_letters(
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
const fn ahead_us(newest_us: i64) -> i64 {
    newest_us.saturating_add(AHEAD_US)
}

fn suppression(scope: Scope, kind: &str, id: &[u8], entry: &Suppression) -> Mutation {
    Mutation::Put {
        table: &table::SUPPRESSIONS,
        key: key::suppression(scope, kind, id),
        value: entry.encode_to_vec().into(),
        version: stage_version(entry.requested_ms, &entry.stage),
        expires_at_ms: Some(entry.requested_ms + SUPPRESSION_TTL_MS),
    }
}

/// A later stage of the same request must replace an earlier one.
fn stage_version(requested_ms: i64, stage: &str) -> i64 {
    let step = match stage {
        "keys" => 0,
        "rows" => 1,
        "done" => 2,
        _ => 3,
    };
    requested_ms * 1_000 + step
}

/// What makes the processor look for suppressions of the scope.
fn any(scope: Scope, now_ms: i64) -> Mutation {
    Mutation::Put {
        table: &table::SUPPRESSIONS,
        key: key::any_erasure(scope),
        value: bytes::Bytes::new(),
        version: now_ms,
        expires_at_ms: Some(now_ms + SUPPRESSION_TTL_MS),
    }
}

/// What [`Erasure::resume`] finds.
fn pending(scope: Scope, session: SessionId, now_ms: i64) -> Mutation {
    let entry = Suppression { requested_ms: now_ms, stage: "keys".to_owned(), ..Suppression::default() };
    suppression(scope, PENDING, &session.0, &entry)
}

fn suppressed_session(row: &Row) -> Option<SessionId> {
    match &row.key.clustering[..] {
        [_, store::Value::Bytes(id)] => Some(SessionId(id.as_ref().try_into().ok()?)),
        _ => None,
    }
}

/// The states stay, without their key: they tell under which facets the session is listed.
fn destroy_keys(
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

fn delete_listings(
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

fn delete_rows(scope: Scope, session: SessionId, version: i64) -> Vec<Mutation> {
    [&table::SESSION_EVENTS, &table::SESSION_FRAMES, &table::SESSION_BLOCKS, &table::SESSION_STATE]
        .into_iter()
        .map(|table| delete_partition(table, scope, session, version))
        .collect()
}

fn delete_partition(table: &'static Table, scope: Scope, session: SessionId, version: i64) -> Mutation {
    Mutation::DeletePartition { table, partition: key::session_partition(scope, session), version }
}
