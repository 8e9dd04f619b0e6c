//! Erasure: what was erased is gone at once, stays gone while its batches are still in the log or on their way, and nothing of it
//! can be read from copies of the stored bytes, because the session's key is destroyed.
//!
//! The order is what makes it safe to stop anywhere: the suppression entry comes first (processor and readers obey it), then
//! the keys, then the rows; [`Erasure::resume`] finishes what was interrupted.

mod mark;
mod record;
mod remove;

use std::collections::BTreeSet;
use std::sync::Arc;

use prost::Message;

use self::mark::Marker;
pub use self::mark::Marks;
pub use self::record::{PENDING, SESSION, USER};
use self::record::{PENDING_USER, any, pending, stage_version, suppressed_session, suppression};
use self::remove::{ahead_us, delete_listings, delete_rows, destroy_keys};
use crate::id::SessionId;
use crate::row::{SessionState, Suppression};
use crate::scope::Scope;
use crate::session::{facet, key};
use crate::store::{self, ClusteringRange, Key, Mutation, Row, Store};
use crate::table;

/// Purpose for `InstallationKey::derive`: the key under which users are hashed in suppression entries.
pub const USER_HASH_PURPOSE: &str = "playhead suppressed users v1";
/// Rows that are read or written at once.
const PAGE: usize = 500;

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
}
