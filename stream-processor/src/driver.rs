//! The loop: polls, flushes at its times, takes partitions over and gives them up.
//!
//! It never waits for a flush: takeovers and flushes go on side by side while it polls, at most one per partition. A partition whose
//! flush takes long is paused when its share of the buffer is full; the others are not held up. So memory stays bounded
//! while the store or the blobs are away.

mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use playhead_domain::log::{Consumer, Polled};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::control;
use crate::flush::{self, Due, Failed, Flight, Folding, Stored, put_object};
use crate::partition::Partition;
use crate::processor::Error;
use crate::shared::{Shared, locked};
use crate::takeover;
use waiting::Waiting;

/// How long a poll without anything to do waits.
const IDLE_POLL: Duration = Duration::from_millis(500);
/// When a partition that failed, or that another process took, is taken anew: the group says whose it is.
const RETAKE_AFTER: Duration = Duration::from_secs(1);
/// A flush that takes longer does not keep the other partitions waiting.
const SLOW_AFTER: Duration = Duration::from_millis(500);
/// The longest time between flushes that a busy store causes: whoever waits for a batch still sees it within seconds.
const LONGEST_INTERVAL: Duration = Duration::from_millis(2_500);
/// What is read and not flushed may take so many times the bytes that make a flush.
const BUFFERED_FLUSHES: usize = 4;
/// A partition's share of the buffer at least: the largest record.
const MIN_SHARE_BYTES: usize = 1 << 20;
/// Records that share an object at most: its row lists their sessions.
const MAX_FLUSH_RECORDS: usize = 10_000;
/// How long the last flush may take. What is not flushed is redone by the next owner.
const LAST_FLUSH: Duration = Duration::from_secs(2);

/// A partition that the log has assigned to this consumer.
struct Owned {
    /// Grows with every start: answers to an earlier one are of no interest.
    term: u64,
    stage: Stage,
    waiting: Waiting,
    /// Bytes of the flush under way.
    in_flight: usize,
    is_paused: bool,
    /// It failed, and no flush of it has come through since.
    is_failing: bool,
}

enum Stage {
    Idle(Box<Partition>),
    /// Being taken over.
    Starting,
    Flushing {
        since: Instant,
    },
    Failed {
        again: Instant,
    },
}

/// Work that came to an end.
enum Done {
    Started { id: u32, term: u64, result: Result<Partition, flush::Error> },
    Folded(Vec<Result<Flight, Failed>>, Option<Folding>),
    Stored(Result<(Vec<Flight>, Stored), Vec<Failed>>),
    Written { term: u64, result: Result<(Partition, u64), Failed>, began: Instant },
}

pub(crate) struct Driver {
    shared: Arc<Shared>,
    consumer: Box<dyn Consumer>,
    owned: BTreeMap<u32, Owned>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    terms: u64,
    last_flush: Instant,
    /// How long the newest finished flush of a partition took.
    flush_took: Duration,
    /// After an error of the log.
    poll_again: Instant,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, consumer: Box<dyn Consumer>) -> Self {
        Self {
            shared,
            consumer,
            owned: BTreeMap::new(),
            work: FuturesUnordered::new(),
            terms: 0,
            last_flush: Instant::now(),
            flush_took: Duration::ZERO,
            poll_again: Instant::now(),
        }
    }

    pub(crate) async fn run(mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            self.start_again();
            if self.is_flush_due() {
                self.flush();
            }
            self.pause_slow_ones();
            let (room, wait) = (self.room(), self.wait());
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(done) = self.work.next() => self.settle(done).await?,
                // What a poll that is dropped would have brought comes again.
                polled = self.consumer.poll(room, wait), if room > 0 => match polled {
                    Ok(polled) => self.take(polled),
                    Err(error) if error.is_retryable() => {
                        tracing::warn!(%error, "the log cannot be read");
                        self.poll_again = Instant::now() + IDLE_POLL;
                    }
                    Err(error) => return Err(error.into()),
                },
                () = tokio::time::sleep(wait), if room == 0 => {}
            }
        }
        self.flush_the_rest().await
    }

    /// How many bytes the next poll may bring.
    fn room(&self) -> usize {
        let config = &self.shared.config;
        let held: usize = self.owned.values().map(Owned::bytes).sum();
        // Most flushes are quick: to wait for one costs less than to pause.
        let must_wait = self.owned.values().any(|owned| !owned.is_paused && self.is_full(owned));
        if must_wait || Instant::now() < self.poll_again {
            return 0;
        }
        let free = (BUFFERED_FLUSHES * config.flush_bytes).saturating_sub(held);
        free.min(config.flush_bytes).max(1)
    }

    /// Whether the partition has its share of the buffer, and no flush of it may begin.
    fn is_full(&self, owned: &Owned) -> bool {
        !matches!(owned.stage, Stage::Idle(_)) && owned.waiting.bytes >= self.share_bytes()
    }

    /// Half of it may wait while the other half is in flight.
    fn share_bytes(&self) -> usize {
        let all = BUFFERED_FLUSHES * self.shared.config.flush_bytes;
        (all / (2 * self.owned.len().max(1))).max(MIN_SHARE_BYTES)
    }

    fn idle_waiting(&self) -> impl Iterator<Item = &Waiting> {
        let is_idle = |owned: &&Owned| matches!(owned.stage, Stage::Idle(_));
        self.owned.values().filter(is_idle).map(|owned| &owned.waiting)
    }

    fn is_flush_due(&self) -> bool {
        let bytes: usize = self.idle_waiting().map(|waiting| waiting.bytes).sum();
        let is_share = self.idle_waiting().any(|waiting| waiting.bytes >= self.share_bytes());
        bytes >= self.shared.config.flush_bytes || is_share || (bytes > 0 && self.until_flush().is_zero())
    }

    fn until_flush(&self) -> Duration {
        self.flush_interval().saturating_sub(self.last_flush.elapsed())
    }

    /// Flushing takes half of the time at most: what comes in larger pieces costs a busy store less.
    fn flush_interval(&self) -> Duration {
        let usual = Duration::from_millis(self.shared.config.flush_interval_ms);
        usual.max((2 * self.flush_took).min(LONGEST_INTERVAL))
    }

    /// Until something is to be done that no poll and no end of work tells of.
    fn wait(&self) -> Duration {
        let mut wait = IDLE_POLL;
        if self.idle_waiting().any(|waiting| waiting.bytes > 0) {
            wait = wait.min(self.until_flush());
        }
        for owned in self.owned.values() {
            let at = match owned.stage {
                Stage::Failed { again } => again,
                Stage::Flushing { since } if !owned.is_paused => since + SLOW_AFTER,
                _ => continue,
            };
            let left = at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                wait = wait.min(left);
            }
        }
        wait
    }

    /// Pauses partitions that have their share and whose flush takes long.
    fn pause_slow_ones(&mut self) {
        let share = self.share_bytes();
        for (&id, owned) in &mut self.owned {
            let is_slow = matches!(owned.stage, Stage::Flushing { since } if since.elapsed() >= SLOW_AFTER);
            if is_slow && !owned.is_paused && owned.waiting.bytes >= share {
                owned.is_paused = true;
                self.consumer.pause(id);
            }
        }
    }

    fn take(&mut self, polled: Polled) {
        for id in polled.revoked {
            self.disown(id);
            self.owned.remove(&id);
            self.shared.progress.left(id);
        }
        for id in polled.assigned {
            self.start(id);
        }
        for record in polled.records {
            let id = record.position.partition;
            // Records of a partition that is being taken again come once more after the seek.
            if let Some(owned) = self.owned.get_mut(&id)
                && matches!(owned.stage, Stage::Idle(_) | Stage::Flushing { .. })
            {
                let append_us = record.append_us;
                let bytes = owned.waiting.push(record);
                self.shared.progress.read(id, append_us, bytes);
            }
        }
    }

    /// Takes the partition over, whatever is under way for it.
    fn start(&mut self, id: u32) {
        self.disown(id);
        self.terms += 1;
        let term = self.terms;
        // A paused partition is sought and resumed once it is started.
        let before = self.owned.get(&id);
        let fresh = Owned {
            term,
            stage: Stage::Starting,
            waiting: Waiting::default(),
            in_flight: 0,
            is_paused: before.is_some_and(|owned| owned.is_paused),
            is_failing: before.is_some_and(|owned| owned.is_failing),
        };
        self.owned.insert(id, fresh);
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let result = takeover::start(&shared, id, term).await;
            Done::Started { id, term, result }
        };
        self.work.push(work.boxed());
    }

    fn start_again(&mut self) {
        let now = Instant::now();
        let is_due = |owned: &Owned| matches!(owned.stage, Stage::Failed { again } if again <= now);
        let due: Vec<u32> = self.owned.iter().filter(|(_, owned)| is_due(owned)).map(|(&id, _)| id).collect();
        due.into_iter().for_each(|id| self.start(id));
    }

    /// Nothing is done for the partition any more as its owner.
    fn disown(&self, id: u32) {
        self.shared.progress.dropped(id);
        let mut owned = locked(&self.shared.owned);
        owned.remove(&id);
        self.shared.metrics.partitions.set(owned.len() as i64);
    }

    /// Begins a flush of what waits in idle partitions.
    fn flush(&mut self) {
        self.last_flush = Instant::now();
        let (mut due, mut records) = (Vec::new(), 0);
        for owned in self.owned.values_mut() {
            if owned.waiting.is_empty() || records >= MAX_FLUSH_RECORDS {
                continue;
            }
            match std::mem::replace(&mut owned.stage, Stage::Flushing { since: Instant::now() }) {
                Stage::Idle(partition) => {
                    let taken = owned.waiting.take(MAX_FLUSH_RECORDS - records);
                    records += taken.records.len();
                    owned.in_flight = taken.bytes;
                    due.push(Due { partition: *partition, term: owned.term, records: taken.records });
                }
                busy => owned.stage = busy,
            }
        }
        self.fold(Folding::begin(&self.shared, due));
    }

    fn fold(&mut self, folding: Folding) {
        let work = async move {
            let (folded, left) = folding.next().await;
            Done::Folded(folded, left)
        };
        self.work.push(work.boxed());
    }

    async fn settle(&mut self, done: Done) -> Result<(), Error> {
        match done {
            Done::Started { id, term, result } => match result {
                Ok(partition) => self.started(partition, term).await,
                Err(error) => self.give_up(Failed { id, term, error }),
            },
            Done::Folded(flights, left) => {
                left.into_iter().for_each(|left| self.fold(left));
                self.folded(flights)
            }
            Done::Stored(Ok((flights, stored))) => {
                flights.into_iter().for_each(|flight| self.write(flight, Some(stored.clone())));
                Ok(())
            }
            Done::Stored(Err(failed)) => failed.into_iter().try_for_each(|failed| self.give_up(failed)),
            Done::Written { term, result: Ok((partition, to)), began } => {
                self.flush_took = began.elapsed();
                self.shared.metrics.flush_seconds.observe(self.flush_took.as_secs_f64());
                self.flushed(partition, term, to).await;
                Ok(())
            }
            Done::Written { result: Err(failed), .. } => self.give_up(failed),
        }
    }

    fn folded(&mut self, flights: Vec<Result<Flight, Failed>>) -> Result<(), Error> {
        let mut framed = Vec::new();
        for flight in flights {
            match flight {
                Ok(flight) if flight.has_frames() => framed.push(flight),
                Ok(flight) => self.write(flight, None),
                Err(failed) => self.give_up(failed)?,
            }
        }
        if !framed.is_empty() {
            let shared = Arc::clone(&self.shared);
            self.work.push(async move { Done::Stored(put_object(&shared, framed).await) }.boxed());
        }
        Ok(())
    }

    fn write(&mut self, flight: Flight, stored: Option<Stored>) {
        let (shared, term, began) = (Arc::clone(&self.shared), flight.term, flight.began);
        let work = async move { Done::Written { term, result: flight.write(&shared, stored).await, began } };
        self.work.push(work.boxed());
    }

    /// The partition in this term, unless it was revoked or started again since.
    fn current(&mut self, id: u32, term: u64) -> Option<&mut Owned> {
        self.owned.get_mut(&id).filter(|owned| owned.term == term)
    }

    async fn started(&mut self, partition: Partition, term: u64) -> Result<(), Error> {
        let id = partition.id;
        if self.current(id, term).is_none() {
            return Ok(());
        }
        let (next_offset, epoch) = (partition.control.next_offset(), partition.control.epoch());
        if let Err(error) = self.consumer.seek(id, next_offset).await {
            let error = takeover::LogError::from(error).into();
            return self.give_up(Failed { id, term, error });
        }
        self.shared.progress.taken(id, next_offset);
        if let Some(owned) = self.owned.get_mut(&id) {
            owned.stage = Stage::Idle(Box::new(partition));
            if std::mem::take(&mut owned.is_paused) {
                self.consumer.resume(id);
            }
        }
        let mut owned = locked(&self.shared.owned);
        owned.insert(id, epoch);
        self.shared.metrics.partitions.set(owned.len() as i64);
        Ok(())
    }

    async fn flushed(&mut self, partition: Partition, term: u64, to: u64) {
        let id = partition.id;
        let Some(owned) = self.current(id, term) else { return };
        let cache_bytes = partition.cache.bytes();
        owned.stage = Stage::Idle(Box::new(partition));
        owned.in_flight = 0;
        let waiting = (owned.waiting.bytes, owned.waiting.oldest());
        let was_paused = std::mem::take(&mut owned.is_paused);
        if std::mem::take(&mut owned.is_failing) {
            tracing::info!(partition = id, "the partition goes on again");
        }
        self.shared.progress.flushed(id, to, cache_bytes, waiting);
        if was_paused {
            self.consumer.resume(id);
        }
        if let Err(error) = self.consumer.commit(id, to).await {
            tracing::warn!(partition = id, %error, "the hint of progress was not taken");
        }
    }

    /// Drops what the partition had under way, without effects; it is taken anew as long as it is assigned.
    fn give_up(&mut self, Failed { id, term, error }: Failed) -> Result<(), Error> {
        if let flush::Error::Stopped(step) = error {
            return Err(Error::Stopped(step));
        }
        let Some(owned) = self.current(id, term) else { return Ok(()) };
        owned.stage = Stage::Failed { again: Instant::now() + RETAKE_AFTER };
        owned.waiting = Waiting::default();
        owned.in_flight = 0;
        // Until then nothing of it is of use.
        owned.is_paused = true;
        let was_failing = std::mem::replace(&mut owned.is_failing, true);
        self.consumer.pause(id);
        self.disown(id);
        self.shared.metrics.lost_partitions.inc();
        // It is tried again every second: said once until it goes on.
        if matches!(error, flush::Error::Control(control::Error::Lost)) {
            tracing::info!(partition = id, "another process owns the partition now");
        } else if was_failing {
            tracing::debug!(partition = id, %error, "the partition still cannot go on");
        } else {
            tracing::error!(partition = id, %error, "the partition cannot go on; it is taken anew");
        }
        Ok(())
    }

    /// Flushes what was read, as far as there is time.
    async fn flush_the_rest(mut self) -> Result<(), Error> {
        let end = Instant::now() + LAST_FLUSH;
        loop {
            if self.idle_waiting().any(|waiting| !waiting.is_empty()) {
                self.flush();
            }
            if !self.owned.values().any(|owned| matches!(owned.stage, Stage::Flushing { .. })) {
                return Ok(());
            }
            match timeout_at(end, self.work.next()).await {
                Ok(Some(done)) => self.settle(done).await?,
                Ok(None) => return Ok(()),
                Err(_) => {
                    tracing::warn!(
                        "not everything was flushed in time; the next owner goes on from the intent"
                    );
                    return Ok(());
                }
            }
        }
    }
}

impl Owned {
    fn bytes(&self) -> usize {
        self.waiting.bytes + self.in_flight
    }
}
