//! A flush: how what was read of a partition has its effect, exactly once.
//!
//! Every step may be the last one that a process does, or be done long after another process took the partition over. What the
//! steps rely on is in `docs/protocol.md`.
//!
//! 1. **Intent**: a conditional write to the partition's control row records the range and the version of its rows. It succeeds only
//!    for the owner.
//! 2. **Fold**: the states of the range's sessions as of the checkpoint are loaded, and the range is folded. Nothing is written.
//! 3. **Object**: the `dom` frames of all partitions that flush together are put as one object with a name of its own.
//! 4. **Rows**, each with the intent's version: a row of a later flush or of a redo wins over them, whenever they arrive.
//! 5. **Look back**: sessions erased meanwhile are erased again; a flush that took so long that its object may be taken for dead
//!    goes no further.
//! 6. **Checkpoint**: a conditional write moves the control row behind the range and removes the intent. It succeeds only for the
//!    owner that recorded the intent.
//! 7. **Commit**: the log is told, as a hint.
//!
//! A new owner ([`crate::takeover`]) raises the epoch, which makes the conditional writes of the old one fail, records an unfinished
//! intent again one tick later, and does steps 2 to 6 for exactly its range.

mod fold;
mod write;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use playhead_domain::log::{Retention, StoredRecord, TopicSpec};
use playhead_domain::scope::Scope;
use playhead_domain::store;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};

use crate::compute::Panicked;
use crate::control;
use crate::effect::{Effects, Stamp};
use crate::partition::{LoadError, Partition};
use crate::shared::Shared;
use crate::trace::flush_span;
pub(crate) use write::Stored;

/// How long the first partition that is folded waits for others that go into its object.
const TOGETHER_WITHIN: Duration = Duration::from_millis(200);

/// A point between two effects of a flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The partition is taken over; an unfinished intent is recorded again.
    TakenOver,
    /// After 1: the intent is recorded; nothing of the range is written.
    IntentRecorded,
    /// After 2: the range is folded; its object is not written.
    Folded,
    /// After 3: the object is there; no row refers to it.
    ObjectWritten,
    /// Within 4: the first, second… part of the rows is written.
    RowsWritten(usize),
    /// After 5: nothing is left to do but to move the checkpoint.
    LookedBack,
    /// After 6: the checkpoint is behind the range; the log is not told yet.
    Checkpointed,
}

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
    #[error("reading a source map: {0}")]
    Map(object_store::Error),
    #[error("the flush's object, which it shares, was not written: {0}")]
    SharedObject(String),
    #[error("folding: {0}")]
    Panicked(#[from] Panicked),
    #[error("{0}")]
    Log(#[from] crate::takeover::LogError),
    #[error("rows were written so late that their object may be gone; the range is redone")]
    TooLate,
    #[error("stopped at {0:?}")]
    Stopped(Step),
}

/// A flush of a partition that did not come through.
pub(crate) struct Failed {
    pub(crate) id: u32,
    pub(crate) term: u64,
    pub(crate) error: Error,
}

/// A partition and what of it is to be flushed.
pub(crate) struct Due {
    pub(crate) partition: Partition,
    /// Of the ownership by this process.
    pub(crate) term: u64,
    pub(crate) records: Vec<StoredRecord>,
}

/// A partition with the range that is being flushed.
pub(crate) struct Flight {
    pub(crate) partition: Partition,
    pub(crate) term: u64,
    pub(crate) began: Instant,
    from: u64,
    pub(crate) to: u64,
    write_us: i64,
    /// Another try at the same range may have written parts of it.
    is_redo: bool,
    records: Vec<StoredRecord>,
    effects: Effects,
    /// Dead letters that the last try may have written, of sessions that were erased since.
    gone_letters: Vec<(Scope, u64)>,
    /// When the newest event of each batch happened.
    newest_ms: Vec<i64>,
    span: Span,
}

impl Flight {
    /// A range whose intent is recorded already.
    pub(crate) fn redo(due: Due) -> Option<Self> {
        let intent = due.partition.control.unfinished()?.clone();
        let span = flush_span(due.partition.id, &due.records);
        Some(Self::new(due, (intent.from, intent.to), intent.write_us, span, true))
    }

    fn new(due: Due, (from, to): (u64, u64), write_us: i64, span: Span, is_redo: bool) -> Self {
        Self {
            partition: due.partition,
            term: due.term,
            began: Instant::now(),
            from,
            to,
            write_us,
            is_redo,
            records: due.records,
            effects: Effects::default(),
            gone_letters: Vec::new(),
            newest_ms: Vec::new(),
            span,
        }
    }

    /// Step 1.
    async fn begin(shared: &Shared, mut due: Due) -> Result<Self, Failed> {
        let (id, term) = (due.partition.id, due.term);
        let span = flush_span(id, &due.records);
        let control = &mut due.partition.control;
        let from = control.next_offset();
        let to = due.records.last().map_or(from, |record| record.position.offset + 1);
        let newest_us = due.records.iter().map(|record| record.append_us).max().unwrap_or(0);
        let begun = async {
            let write_us = control.begin(&*shared.store, from, to, newest_us).await?;
            shared.reached(Step::IntentRecorded).await?;
            Ok(write_us)
        };
        match begun.await {
            Ok(write_us) => Ok(Self::new(due, (from, to), write_us, span, false)),
            Err(error) => Err(Failed { id, term, error }),
        }
    }

    async fn begin_and_fold(shared: &Shared, due: Due) -> Result<Self, Failed> {
        let flight = Self::begin(shared, due).await?;
        let span = flight.span.clone();
        flight.fold(shared).instrument(span).await
    }

    fn stamp<'a>(&self, topic: &'a TopicSpec, now_ms: i64) -> Stamp<'a> {
        let kept_ms = match topic.retention {
            Retention::Time(kept) => i64::try_from(kept.as_millis()).unwrap_or(i64::MAX),
            Retention::NewestPerKey => i64::MAX,
        };
        Stamp { topic: topic.name, partition: self.partition.id, write_us: self.write_us, kept_ms, now_ms }
    }

    fn failed(&self, error: Error) -> Failed {
        self.span.record("otel.status_code", "ERROR");
        Failed { id: self.partition.id, term: self.term, error }
    }

    /// Whether it has anything to put into an object.
    pub(crate) fn has_frames(&self) -> bool {
        self.effects.sessions.values().any(|work| !work.frames.is_empty())
    }
}

/// Steps 1 and 2 of partitions that are due at the same time.
pub(crate) struct Folding(FuturesUnordered<BoxFuture<'static, Result<Flight, Failed>>>);

impl Folding {
    pub(crate) fn begin(shared: &Arc<Shared>, due: Vec<Due>) -> Self {
        let fold = |due| {
            let shared = Arc::clone(shared);
            async move { Flight::begin_and_fold(&shared, due).await }.boxed()
        };
        Self(due.into_iter().map(fold).collect())
    }

    /// Those that go on together, and what is left. A partition that takes long (its control row is not written, a project is waited
    /// for) does not keep the others waiting.
    pub(crate) async fn next(mut self) -> (Vec<Result<Flight, Failed>>, Option<Self>) {
        let mut done = Vec::with_capacity(self.0.len());
        done.extend(self.0.next().await);
        let end = Instant::now() + TOGETHER_WITHIN;
        while let Ok(Some(flight)) = timeout_at(end, self.0.next()).await {
            done.push(flight);
        }
        (done, Some(self).filter(|left| !left.0.is_empty()))
    }
}

/// Step 3, for partitions that share an object.
pub(crate) async fn put_object(
    shared: &Shared,
    mut flights: Vec<Flight>,
) -> Result<(Vec<Flight>, Stored), Vec<Failed>> {
    match write::put_object(shared, &mut flights).await {
        Ok(stored) => Ok((flights, stored)),
        Err(error) => {
            let said = error.to_string();
            let others = flights.iter().skip(1);
            let mut failed: Vec<_> =
                others.map(|flight| flight.failed(Error::SharedObject(said.clone()))).collect();
            failed.extend(flights.first().map(|flight| flight.failed(error)));
            Err(failed)
        }
    }
}

/// Steps 2 to 6 of a partition whose intent is recorded.
pub(crate) async fn finish(shared: &Shared, flight: Flight) -> Result<Partition, Error> {
    let flight = flight.fold(shared).await.map_err(|failed| failed.error)?;
    let (flight, stored) = if flight.has_frames() {
        match put_object(shared, vec![flight]).await {
            Ok((mut flights, stored)) => (flights.pop(), Some(stored)),
            Err(mut failed) => return Err(failed.pop().map_or(Error::TooLate, |failed| failed.error)),
        }
    } else {
        (Some(flight), None)
    };
    let flight = flight.ok_or(Error::TooLate)?;
    flight.write(shared, stored).await.map(|(partition, _)| partition).map_err(|failed| failed.error)
}
