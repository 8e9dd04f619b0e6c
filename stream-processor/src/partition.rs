//! One owned partition: what waits to be flushed, and the states of its sessions.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use playhead_domain::log::StoredRecord;
use playhead_domain::row::{Client, Project, SessionKey, SessionState};
use playhead_domain::seal::KeyWrapper;
use playhead_domain::session::{fold, key};
use playhead_domain::store::{self, ClusteringRange, Order, Store};
use playhead_domain::table::{SESSION_KEYS, SESSION_STATE};
use prost::Message;

use crate::batch::Batch;
use crate::cache::{Cache, Saved, SessionRef};
use crate::client::{self, CountryLookup};
use crate::control::Control;
use crate::effect::SessionWork;

const DAY_MS: i64 = 86_400_000;
const DEFAULT_RETENTION_DAYS: u32 = 30;
const MAX_RETENTION_DAYS: u32 = 400;
const CONCURRENT_LOADS: usize = 32;

/// An owned partition.
pub(crate) struct Partition {
    pub(crate) id: u32,
    pub(crate) control: Control,
    pub(crate) cache: Cache,
    pub(crate) waiting: Vec<StoredRecord>,
    pub(crate) waiting_bytes: usize,
    pub(crate) intake: crate::intake::Totals,
}

/// Why a session's state cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("data key: {0}")]
    Key(#[from] playhead_domain::seal::Error),
    #[error("state of session {0} cannot be read")]
    Corrupt(playhead_domain::id::SessionId),
}

impl Partition {
    pub(crate) fn new(id: u32, control: Control) -> Self {
        Self {
            id,
            control,
            cache: Cache::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            intake: Default::default(),
        }
    }

    pub(crate) fn push(&mut self, record: StoredRecord) {
        self.waiting_bytes += record.value.len() + record.meta.len();
        self.waiting.push(record);
    }

    /// The states of `sessions` as of the checkpoint; those of which nothing is known yet begin as `first` says.
    pub(crate) async fn load(
        &mut self,
        store: &dyn Store,
        keys: &KeyWrapper,
        sessions: &BTreeSet<SessionRef>,
        first: &(dyn Fn(&SessionRef) -> Option<SessionState> + Sync),
    ) -> Result<BTreeMap<SessionRef, SessionWork>, LoadError> {
        let checkpoint = self.control.next_offset();
        let cached: Vec<_> = sessions.iter().map(|session| (*session, self.cache.take(session))).collect();
        let loads = cached.into_iter().map(|(session, saved)| async move {
            let saved = match saved {
                Some(saved) => Some(saved),
                None => newest_state(store, &session, checkpoint).await?,
            };
            let work = match saved {
                Some(saved) => resume(keys, &session, saved)?,
                None => match first(&session) {
                    Some(state) => Some(begin(store, keys, &session, state).await?),
                    None => None,
                },
            };
            Ok::<_, LoadError>(work.map(|work| (session, work)))
        });
        let mut loads = futures::stream::iter(loads).buffer_unordered(CONCURRENT_LOADS);
        let mut loaded = BTreeMap::new();
        while let Some(result) = loads.next().await {
            loaded.extend(result?);
        }
        Ok(loaded)
    }

    /// Keeps the states that a flush has written.
    pub(crate) fn keep(&mut self, sessions: BTreeMap<SessionRef, SessionWork>, limit_bytes: usize) {
        for (session, work) in sessions {
            // An unchanged state was not written: its slot is still the other one.
            let slot = if work.is_changed { work.slot } else { 1 - work.slot };
            if work.is_changed || !work.is_new {
                self.cache.insert(session, Saved { state: work.state, slot }, limit_bytes);
            }
        }
    }
}

async fn newest_state(
    store: &dyn Store,
    (scope, session): &SessionRef,
    checkpoint: u64,
) -> Result<Option<Saved>, LoadError> {
    let partition = key::session_partition(*scope, *session);
    let page = store.scan(&SESSION_STATE, &partition, &ClusteringRange::ALL, Order::Ascending, 2).await?;
    let mut newest: Option<Saved> = None;
    for row in page.rows {
        let state = SessionState::decode(row.value).map_err(|_| LoadError::Corrupt(*session))?;
        let slot = i64::from(row.key.clustering == [store::Value::Int(1)]);
        let is_newer = newest.as_ref().is_none_or(|known| state.next_offset > known.state.next_offset);
        if state.next_offset <= checkpoint && is_newer {
            newest = Some(Saved { state, slot });
        }
    }
    Ok(newest)
}

/// `None`: its key is gone, so it is being erased.
fn resume(keys: &KeyWrapper, session: &SessionRef, saved: Saved) -> Result<Option<SessionWork>, LoadError> {
    if saved.state.wrapped_key.is_empty() {
        return Ok(None);
    }
    let key = keys.unwrap(session.1, &saved.state.wrapped_key)?;
    Ok(Some(work(saved.state, 1 - saved.slot, key, false)))
}

/// A flush that did not reach its checkpoint may have stored a key already; what was sealed with it must stay readable.
async fn begin(
    store: &dyn Store,
    keys: &KeyWrapper,
    (scope, session): &SessionRef,
    mut state: SessionState,
) -> Result<SessionWork, LoadError> {
    let row = store.get(&SESSION_KEYS, &key::session(*scope, *session)).await?;
    let stored = row.and_then(|row| SessionKey::decode(row.value).ok());
    let (key, wrapped) = match stored {
        Some(stored) => (keys.unwrap(*session, &stored.wrapped)?, stored.wrapped),
        None => keys.create(*session)?,
    };
    state.wrapped_key = wrapped;
    Ok(work(state, 0, key, true))
}

fn work(state: SessionState, slot: i64, key: playhead_domain::seal::DataKey, is_new: bool) -> SessionWork {
    SessionWork {
        state,
        slot,
        key,
        is_new,
        is_changed: false,
        chunks: Vec::new(),
        frames: Vec::new(),
        facets: Vec::new(),
    }
}

/// What is known of a session from its first batch's connection alone.
pub(crate) fn first_state(
    batch: &Batch,
    project: &Project,
    countries: Option<&dyn CountryLookup>,
) -> SessionState {
    let days = match project.retention_days {
        0 => DEFAULT_RETENTION_DAYS,
        days => days.min(MAX_RETENTION_DAYS),
    };
    let mut state = fold::empty(batch.session, batch.received_ms + i64::from(days) * DAY_MS);
    let address = client::address(&batch.meta.client_ip);
    let client = Client {
        country: address
            .zip(countries)
            .and_then(|(address, countries)| countries.country(address))
            .unwrap_or_default(),
        ip: address.filter(|_| project.store_ip).map(|address| address.to_string()).unwrap_or_default(),
        ..client::of_user_agent(&batch.meta.user_agent)
    };
    if let Some(summary) = &mut state.summary {
        summary.client = Some(client);
    }
    state
}
