//! One owned partition: its control row, and the states of its sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use playhead_domain::row::{Client, Project, SessionKey, SessionState};
use playhead_domain::seal::{DataKey, KeyWrapper};
use playhead_domain::session::{fold, key};
use playhead_domain::store::{self, ClusteringRange, Order, Store};
use playhead_domain::table::{SESSION_KEYS, SESSION_STATE};
use prost::Message;

use crate::batch::Batch;
use crate::cache::{Cache, Saved, SessionRef};
use crate::client::{self, CountryLookup};
use crate::control::Control;
use crate::effect::SessionWork;
use crate::range::Loaded;
use crate::slot;

const DAY_MS: i64 = 86_400_000;
const DEFAULT_RETENTION_DAYS: u32 = 30;
const MAX_RETENTION_DAYS: u32 = 400;
const CONCURRENT_LOADS: usize = 32;

/// An owned partition.
pub(crate) struct Partition {
    pub(crate) id: u32,
    pub(crate) control: Control,
    pub(crate) cache: Cache,
    pub(crate) intake: crate::intake::Totals,
    pub(crate) issues: crate::issue::Issues,
    pub(crate) performance: crate::performance::Heads,
}

/// Why a session's state cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("data key: {0}")]
    Key(#[from] playhead_domain::seal::Error),
    #[error("the session's state cannot be read: {0}")]
    Corrupt(#[from] prost::DecodeError),
    /// What would be folded from is gone: whoever reads this does not own the partition any more, or the partition's progress is not
    /// that of its rows.
    #[error(
        "the state of a session is ahead of the partition's progress: was its row lost, or batches.generation lowered? raise it"
    )]
    Overtaken,
}

impl LoadError {
    const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Key(error) => error.is_retryable(),
            Self::Corrupt(_) => false,
            // Taken anew, the partition tells how far it is.
            Self::Overtaken => true,
        }
    }
}

impl Partition {
    pub(crate) fn new(id: u32, control: Control) -> Self {
        Self {
            id,
            control,
            cache: Cache::default(),
            intake: Default::default(),
            issues: Default::default(),
            performance: Default::default(),
        }
    }

    /// The states of `sessions` as of the checkpoint, for a range that ends at `to`. Missing are those that are being erased.
    /// `is_redo`: another try at the range may have written rows.
    ///
    /// # Errors
    /// What may be better next time. What will not be concerns its session alone.
    pub(crate) async fn load(
        &mut self,
        store: &dyn Store,
        keys: &KeyWrapper,
        sessions: &BTreeSet<SessionRef>,
        to: u64,
        is_redo: bool,
    ) -> Result<BTreeMap<SessionRef, Loaded>, LoadError> {
        let range = self.control.next_offset()..to;
        let cached: Vec<_> = sessions.iter().map(|session| (*session, self.cache.take(session))).collect();
        let load =
            |(session, saved)| load_apart(store, keys, session, saved, (range.clone(), is_redo)).boxed();
        let loads: Vec<_> = cached.into_iter().map(load).collect();
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

async fn load_apart(
    store: &dyn Store,
    keys: &KeyWrapper,
    session: SessionRef,
    saved: Option<Saved>,
    range: (Range<u64>, bool),
) -> Result<Option<(SessionRef, Loaded)>, LoadError> {
    match load_one(store, keys, session, saved, range).await {
        Ok(work) => Ok(work.map(|work| (session, Loaded::Work(Box::new(work))))),
        Err(error) if error.is_retryable() => Err(error),
        Err(error) => {
            tracing::error!(session = %session.1, %error, "batches of the session become dead letters");
            Ok(Some((session, Loaded::Unreadable(error.to_string()))))
        }
    }
}

async fn load_one(
    store: &dyn Store,
    keys: &KeyWrapper,
    session: SessionRef,
    saved: Option<Saved>,
    (range, is_redo): (Range<u64>, bool),
) -> Result<Option<SessionWork>, LoadError> {
    let saved = match saved {
        Some(saved) => Some(saved),
        None => newest_state(store, &session, range).await?,
    };
    match saved {
        Some(saved) => resume(keys, &session, saved),
        None if is_redo => begin_again(store, keys, &session).await.map(Some),
        // Whoever wrote rows of the session before this range has left a state, too.
        None => Ok(Some(from_nothing(keys, &session)?)),
    }
}

/// The newest state at or below the range's start, the checkpoint. One behind the range's end tells that its slot, which may have held
/// that state, was written by a later range.
async fn newest_state(
    store: &dyn Store,
    (scope, session): &SessionRef,
    range: Range<u64>,
) -> Result<Option<Saved>, LoadError> {
    let partition = key::session_partition(*scope, *session);
    let page = store.scan(&SESSION_STATE, &partition, &ClusteringRange::ALL, Order::Ascending, 2).await?;
    let slots: Vec<(SessionState, i64)> = slot::read(page.rows)?;
    if slots.iter().any(|(state, _)| state.next_offset > range.end) {
        return Err(LoadError::Overtaken);
    }
    let newest = slot::newest(slots, range.start, |state| state.next_offset);
    Ok(newest.map(|(state, slot)| Saved { state, slot }))
}

/// `None`: its key is gone, so it is being erased.
fn resume(keys: &KeyWrapper, session: &SessionRef, saved: Saved) -> Result<Option<SessionWork>, LoadError> {
    if saved.state.wrapped_key.is_empty() {
        return Ok(None);
    }
    let key = keys.unwrap(session.1, &saved.state.wrapped_key)?;
    Ok(Some(work(saved.state, 1 - saved.slot, key, false)))
}

/// The last try at the range may have stored a key already; what was sealed with it must stay readable.
async fn begin_again(
    store: &dyn Store,
    keys: &KeyWrapper,
    session: &SessionRef,
) -> Result<SessionWork, LoadError> {
    let row = store.get(&SESSION_KEYS, &key::session(session.0, session.1)).await?;
    match row.and_then(|row| SessionKey::decode(row.value).ok()) {
        Some(SessionKey { wrapped }) => {
            let key = keys.unwrap(session.1, &wrapped)?;
            Ok(begun(session, key, wrapped))
        }
        None => Ok(from_nothing(keys, session)?),
    }
}

/// A session of which nothing is known, with a key of its own.
pub(crate) fn from_nothing(
    keys: &KeyWrapper,
    session: &SessionRef,
) -> Result<SessionWork, playhead_domain::seal::Error> {
    let (key, wrapped_key) = keys.create(session.1)?;
    Ok(begun(session, key, wrapped_key))
}

fn begun((_, session): &SessionRef, key: DataKey, wrapped_key: Bytes) -> SessionWork {
    work(SessionState { wrapped_key, ..fold::empty(*session, 0) }, 0, key, true)
}

fn work(state: SessionState, slot: i64, key: DataKey, is_new: bool) -> SessionWork {
    SessionWork {
        state,
        slot,
        key,
        is_new,
        is_changed: false,
        begins: false,
        is_visited: false,
        chunks: Vec::new(),
        frames: Vec::new(),
        sealed: Vec::new(),
        facets: Vec::new(),
        issues: Default::default(),
        measured: Vec::new(),
    }
}

/// Begins the state with what a session's first batch tells by its connection alone.
pub(crate) fn begin_state(
    state: &mut SessionState,
    batch: &Batch,
    project: &Project,
    countries: Option<&dyn CountryLookup>,
) {
    set_expiry(state, batch, project);
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
}

/// Says when everything of the session expires, unless that has been said.
pub(crate) fn set_expiry(state: &mut SessionState, batch: &Batch, project: &Project) {
    let days = match project.retention_days {
        0 => DEFAULT_RETENTION_DAYS,
        days => days.min(MAX_RETENTION_DAYS),
    };
    if let Some(summary) = state.summary.as_mut().filter(|summary| summary.expires_at_ms == 0) {
        summary.expires_at_ms = batch.received_ms + i64::from(days) * DAY_MS;
    }
}
