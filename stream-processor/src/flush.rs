//! A flush: intents, folds, one object for all partitions, rows, checkpoints. Every step may be the last one that a process
//! does; the next owner redoes exactly the same range.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use playhead_domain::log::StoredRecord;
use playhead_domain::row::SessionState;
use playhead_domain::session::{facet, key};
use playhead_domain::store::{self, Mutation};
use playhead_domain::{scope::Scope, table};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::batch::{self, Batch, Unreadable};
use crate::cache::SessionRef;
use crate::effect::{Effects, Stamp, object_rows};
use crate::partition::{LoadError, Partition, first_state};
use crate::range::{Input, fold_range};
use crate::retry::retry;
use crate::shared::Shared;
use crate::trace::flush_span;
use crate::{calendar, control};

/// A point between two effects of a flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The intent is recorded; nothing of the range is written.
    IntentRecorded,
    /// The object is there; no row refers to it.
    ObjectWritten,
    /// The first, second… part of the rows is written.
    RowsWritten(usize),
    /// The checkpoint is behind the range.
    Checkpointed,
}

/// Asked at every [`Step`] of every partition's flush; `true` stops the processor on the spot, as a crash would. For tests.
pub type Probe = Arc<dyn Fn(Step) -> bool + Send + Sync>;

/// How long a flush tries to write before it is given up and redone from the intent: far less than the age at which an object
/// without rows is collected.
const WRITE_FOR: Duration = Duration::from_secs(180);
/// Rows written together.
const CHUNK_ROWS: usize = 512;
const CHUNK_BYTES: usize = 4 << 20;

/// Why a flush of a partition did not come through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("sealing: {0}")]
    Seal(#[from] playhead_domain::seal::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("writing the flush's object: {0}")]
    Blobs(#[from] object_store::Error),
    #[error("folding panicked: {0}")]
    Panicked(String),
    #[error("stopped at {0:?}")]
    Stopped(Step),
}

/// A partition with the range that is being flushed.
pub(crate) struct Flight {
    pub(crate) partition: Partition,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) write_us: i64,
    pub(crate) records: Vec<StoredRecord>,
    effects: Effects,
    /// When the newest event of each batch happened.
    newest_ms: Vec<i64>,
    span: Span,
}

impl Flight {
    /// A range whose intent is recorded already.
    pub(crate) fn redo(partition: Partition, records: Vec<StoredRecord>) -> Option<Self> {
        let intent = partition.control.unfinished()?.clone();
        let (from, to, write_us) = (intent.from, intent.to, intent.write_us);
        let span = flush_span(partition.id, &records);
        Some(Self {
            partition,
            from,
            to,
            write_us,
            records,
            effects: Effects::default(),
            newest_ms: Vec::new(),
            span,
        })
    }

    /// Records the intent for what waits.
    pub(crate) async fn begin(shared: &Shared, mut partition: Partition) -> Result<Self, Error> {
        let records = std::mem::take(&mut partition.waiting);
        partition.waiting_bytes = 0;
        let span = flush_span(partition.id, &records);
        let from = partition.control.next_offset();
        let to = records.last().map_or(from, |record| record.position.offset + 1);
        let newest_us = records.iter().map(|record| record.append_us).max().unwrap_or(0);
        let write_us = partition.control.begin(&*shared.store, from, to, newest_us).await?;
        shared.reached(Step::IntentRecorded)?;
        Ok(Self {
            partition,
            from,
            to,
            write_us,
            records,
            effects: Effects::default(),
            newest_ms: Vec::new(),
            span,
        })
    }

    fn stamp<'a>(&self, topic: &'a str) -> Stamp<'a> {
        Stamp { topic, partition: self.partition.id, write_us: self.write_us }
    }
}

/// What became of a partition's flush: the partition, or its number and the error.
pub(crate) type Outcome = Result<(Partition, u64), (u32, Error)>;

/// Flushes ranges whose intents are recorded; they share one object.
pub(crate) async fn flush(shared: &Shared, flights: Vec<Flight>) -> Vec<Outcome> {
    let folded = join_all(flights.into_iter().map(|flight| {
        let (id, span) = (flight.partition.id, flight.span.clone());
        async move { flight.fold(shared).await.map_err(|error| (id, error)) }.instrument(span)
    }))
    .await;
    let (mut ready, mut outcomes) = (Vec::new(), Vec::new());
    for result in folded {
        match result {
            Ok(flight) => ready.push(flight),
            Err(failed) => outcomes.push(Err(failed)),
        }
    }
    match write_object(shared, &mut ready).await {
        Ok(rows) => {
            let writes = ready.into_iter().map(|flight| {
                let (rows, span) = (rows.clone(), flight.span.clone());
                flight.write(shared, rows).instrument(span)
            });
            outcomes.extend(join_all(writes).await);
        }
        Err(error) => {
            let text = error.to_string();
            tracing::error!(error = %text, "the flush's object cannot be written");
            let mut error = Some(error);
            outcomes.extend(ready.into_iter().map(|flight| {
                let error = error.take().unwrap_or_else(|| store::Error::Unavailable(text.clone()).into());
                Err((flight.partition.id, error))
            }));
        }
    }
    outcomes
}

/// Puts the frames of all flights into one object, and returns the rows that tell of it.
async fn write_object(shared: &Shared, flights: &mut [Flight]) -> Result<Vec<Mutation>, Error> {
    let day = key::day(shared.now_ms());
    let name = format!("flush/{}/{}", calendar::date(day), uuid::Uuid::now_v7());
    let mut object = Vec::new();
    let mut sessions = BTreeSet::new();
    for flight in flights.iter_mut() {
        sessions.extend(flight.effects.fill(&mut object, &name));
    }
    if object.is_empty() {
        return Ok(Vec::new());
    }
    let expires = flights.iter().flat_map(|flight| flight.effects.sessions.values());
    let expires =
        expires.filter_map(|work| Some(work.state.summary.as_ref()?.expires_at_ms)).max().unwrap_or(0);
    let version = flights.iter().map(|flight| flight.write_us).max().unwrap_or(0);
    let rows = object_rows("flush", &name, day, object.len(), &sessions, expires, version);
    shared.metrics.flush_bytes.observe(object.len() as f64);
    let (path, payload) = (Path::from(name), PutPayload::from(object));
    retry(WRITE_FOR, || shared.blobs.put(&path, payload.clone())).await?;
    shared.reached(Step::ObjectWritten)?;
    Ok(rows)
}

impl Flight {
    /// Loads what the range touches and folds it. Writes nothing, but for erasures that it finds to be due.
    async fn fold(mut self, shared: &Shared) -> Result<Self, Error> {
        let (batches, unreadable) = read(shared, &self.records);
        let projects = shared.projects(batches.iter().map(|batch| batch.scope)).await;
        let batches: Vec<Batch> =
            batches.into_iter().filter(|batch| shared.is_wanted(batch, &projects)).collect();
        self.newest_ms = batches.iter().map(Batch::newest_event_ms).collect();
        let erased = self.erased(shared, &batches).await?;
        let mut firsts: HashMap<SessionRef, &Batch> = HashMap::new();
        for batch in &batches {
            firsts.entry((batch.scope, batch.session)).or_insert(batch);
        }
        let wanted: BTreeSet<SessionRef> =
            firsts.keys().filter(|session| !erased.contains(*session)).copied().collect();
        let first = |session: &SessionRef| -> Option<SessionState> {
            let batch = firsts.get(session)?;
            Some(first_state(batch, projects.get(&batch.scope)?, shared.countries.as_deref()))
        };
        let sessions = self.partition.load(&*shared.store, &shared.keys, &wanted, &first).await?;
        let input = Input {
            topic: shared.topic.name.to_owned(),
            to: self.to,
            max_streams: shared.config.max_streams,
            batches,
            unreadable,
            projects,
            sessions,
        };
        self.effects = tokio::task::spawn_blocking(move || fold_range(input))
            .await
            .map_err(|error| Error::Panicked(error.to_string()))??;
        self.drop_erased_users(shared).await?;
        self.bound_dead_letters(shared).await?;
        let (partition, range) = (&self.partition, (self.from, self.to));
        self.effects.totals =
            partition.intake.add(&*shared.store, partition.id, range, &self.effects.intake).await?;
        Ok(self)
    }

    async fn erased(&self, shared: &Shared, batches: &[Batch]) -> Result<BTreeSet<SessionRef>, Error> {
        let scopes: BTreeSet<Scope> = batches.iter().map(|batch| batch.scope).collect();
        let sessions: BTreeSet<SessionRef> =
            batches.iter().map(|batch| (batch.scope, batch.session)).collect();
        Ok(erased_among(shared, &scopes, &sessions).await?)
    }

    /// A session that says it is a user whose erasure was requested after it began is erased.
    async fn drop_erased_users(&mut self, shared: &Shared) -> Result<(), Error> {
        let due = users_due(shared, &self.effects).await?;
        for session in due {
            self.effects.sessions.remove(&session);
            shared.erasure.erase_unreclaimed(session.0, session.1, shared.now_ms()).await?;
        }
        Ok(())
    }

    /// Keeps the first ones of a project; the counts tell of all.
    async fn bound_dead_letters(&mut self, shared: &Shared) -> Result<(), Error> {
        let mut room: BTreeMap<Scope, usize> = BTreeMap::new();
        for (_, _, letter) in &self.effects.dead_letters {
            shared.metrics.dead_letters.with_label_values(&[letter.reason.as_str()]).inc();
        }
        let scopes: BTreeSet<Scope> = self.effects.dead_letters.iter().map(|(scope, ..)| *scope).collect();
        for scope in scopes {
            let partition = store::Value::Int(i64::from(self.partition.id));
            let range = store::ClusteringRange {
                from: std::ops::Bound::Included(vec![partition.clone()]),
                to: std::ops::Bound::Excluded(
                    key::dead_letter(scope, self.partition.id, self.from).clustering,
                ),
            };
            let limit = shared.config.max_dead_letters;
            let columns = key::scope_columns(scope);
            let page = shared
                .store
                .scan(&table::DEAD_LETTERS, &columns, &range, store::Order::Ascending, limit.max(1))
                .await?;
            room.insert(scope, limit.saturating_sub(page.rows.len()));
        }
        self.effects.dead_letters.retain(|(scope, ..)| {
            let left = room.entry(*scope).or_default();
            let fits = *left > 0;
            *left = left.saturating_sub(1);
            fits
        });
        Ok(())
    }

    async fn write(mut self, shared: &Shared, object_rows: Vec<Mutation>) -> Outcome {
        let id = self.partition.id;
        match self.write_all(shared, object_rows).await {
            Ok(()) => {
                self.partition.intake.keep(std::mem::take(&mut self.effects.totals));
                let sessions = std::mem::take(&mut self.effects.sessions);
                self.partition.keep(sessions, shared.cache_bytes());
                Ok((self.partition, self.to))
            }
            Err(error) => {
                self.span.record("otel.status_code", "ERROR");
                Err((id, error))
            }
        }
    }

    async fn write_all(&mut self, shared: &Shared, mut rows: Vec<Mutation>) -> Result<(), Error> {
        rows.extend(self.effects.rows(self.stamp(shared.topic.name)));
        let end = Instant::now() + WRITE_FOR;
        for (at, chunk) in chunks(rows).into_iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            retry(left, || shared.store.write(chunk.clone())).await?;
            shared.reached(Step::RowsWritten(at))?;
        }
        self.erase_again(shared).await?;
        self.partition.control.finish(&*shared.store, self.to).await?;
        shared.reached(Step::Checkpointed)?;
        self.observe(shared);
        Ok(())
    }

    /// An erasure that began while the rows were on their way may not have seen them.
    async fn erase_again(&mut self, shared: &Shared) -> Result<(), Error> {
        let sessions: BTreeSet<SessionRef> = self.effects.sessions.keys().copied().collect();
        let scopes: BTreeSet<Scope> = sessions.iter().map(|(scope, _)| *scope).collect();
        let mut due = erased_among(shared, &scopes, &sessions).await?;
        due.extend(users_due(shared, &self.effects).await?);
        for session in due {
            self.effects.sessions.remove(&session);
            shared.erasure.erase_unreclaimed(session.0, session.1, shared.now_ms()).await?;
        }
        Ok(())
    }

    fn observe(&self, shared: &Shared) {
        let now_us = shared.now_us();
        for record in &self.records {
            shared.metrics.visible_after_seconds.observe((now_us - record.append_us) as f64 / 1e6);
        }
        for newest_ms in &self.newest_ms {
            shared.metrics.freshness_seconds.observe((now_us.div_euclid(1_000) - newest_ms) as f64 / 1e3);
        }
        let duplicates = self.effects.intake.values().map(|counts| counts.duplicates).sum();
        shared.metrics.duplicates.inc_by(duplicates);
        let suppressed = self.effects.intake.values().map(|counts| counts.suppressed).sum();
        shared.metrics.dropped_batches.with_label_values(&["erased"]).inc_by(suppressed);
    }
}

fn read(shared: &Shared, records: &[StoredRecord]) -> (Vec<Batch>, Vec<(u64, usize, Unreadable)>) {
    let (mut batches, mut unreadable) = (Vec::new(), Vec::new());
    for record in records {
        shared.metrics.records.inc();
        shared.metrics.bytes.inc_by(record.value.len() as u64);
        match batch::read(record) {
            Ok(batch) => batches.push(batch),
            Err(Unreadable::NoOwner) => {
                shared.metrics.dropped_batches.with_label_values(&["no_owner"]).inc();
            }
            Err(error) => unreadable.push((record.position.offset, record.value.len(), error)),
        }
    }
    (batches, unreadable)
}

async fn erased_among(
    shared: &Shared,
    scopes: &BTreeSet<Scope>,
    sessions: &BTreeSet<SessionRef>,
) -> Result<BTreeSet<SessionRef>, store::Error> {
    let mut erased = BTreeSet::new();
    for &scope in scopes {
        if !shared.erasure.any(scope).await? {
            continue;
        }
        shared.resume_erasures(scope).await?;
        for session in sessions.iter().filter(|session| session.0 == scope) {
            if shared.erasure.is_session_erased(scope, session.1).await? {
                erased.insert(*session);
            }
        }
    }
    Ok(erased)
}

/// Sessions that newly name a user whose erasure was requested after they began.
async fn users_due(shared: &Shared, effects: &Effects) -> Result<BTreeSet<SessionRef>, store::Error> {
    let mut due = BTreeSet::new();
    for (session, work) in &effects.sessions {
        let start_ms = work.state.summary.as_ref().map_or(0, |summary| summary.list_start_ms);
        let users = work.facets.iter().filter(|(name, _)| *name == facet::USER || *name == facet::EMAIL);
        for (_, user) in users {
            let requested = shared.erasure.user_erased_ms(session.0, user).await?;
            if requested.is_some_and(|requested_ms| start_ms < requested_ms) {
                due.insert(*session);
            }
        }
    }
    Ok(due)
}

fn chunks(rows: Vec<Mutation>) -> Vec<Vec<Mutation>> {
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        bytes += match &row {
            Mutation::Put { value, .. } => value.len() + 256,
            _ => 256,
        };
        chunk.push(row);
        if chunk.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}
