//! The loop: polls, flushes at its times, takes partitions over and gives them up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use playhead_domain::log::{self, Consumer, StoredRecord};
use playhead_domain::store;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::control::{self, Control};
use crate::flush::{self, Flight, flush};
use crate::partition::Partition;
use crate::processor::Error;
use crate::shared::{Shared, locked};

/// How long a poll without anything to flush waits.
const IDLE_POLL: Duration = Duration::from_millis(500);
const RETAKE_AFTER: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 4 << 20;

pub(crate) struct Driver<'a> {
    shared: &'a Shared,
    consumer: Box<dyn Consumer>,
    partitions: BTreeMap<u32, Partition>,
    /// Owned by this consumer, but in need of a new start.
    retake: BTreeSet<u32>,
    last_flush: Instant,
    last_retake: Instant,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(shared: &'a Shared, consumer: Box<dyn Consumer>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            consumer,
            partitions: BTreeMap::new(),
            retake: BTreeSet::new(),
            last_flush: now,
            last_retake: now,
        }
    }

    pub(crate) async fn run(mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            self.poll(shutdown).await?;
            if self.is_flush_due() {
                self.flush().await?;
            }
            if !self.retake.is_empty() && self.last_retake.elapsed() >= RETAKE_AFTER {
                self.last_retake = Instant::now();
                let again = std::mem::take(&mut self.retake);
                self.assign(again.into_iter().collect()).await?;
            }
        }
        self.flush().await
    }

    fn waiting_bytes(&self) -> usize {
        self.partitions.values().map(|partition| partition.waiting_bytes).sum()
    }

    fn is_flush_due(&self) -> bool {
        let waiting = self.waiting_bytes();
        waiting >= self.shared.config.flush_bytes || (waiting > 0 && self.until_flush().is_zero())
    }

    fn until_flush(&self) -> Duration {
        Duration::from_millis(self.shared.config.flush_interval_ms).saturating_sub(self.last_flush.elapsed())
    }

    async fn poll(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let waiting = self.waiting_bytes();
        let wait = if waiting > 0 { self.until_flush().min(IDLE_POLL) } else { IDLE_POLL };
        let max_bytes = self.shared.config.flush_bytes.saturating_sub(waiting).max(1);
        // What a poll that is dropped would have brought comes again: nothing of it has had an effect.
        let polled = tokio::select! {
            polled = self.consumer.poll(max_bytes, wait) => polled,
            () = shutdown.cancelled() => return Ok(()),
        };
        let polled = match polled {
            Ok(polled) => polled,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "the log cannot be read");
                tokio::time::sleep(IDLE_POLL).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for id in polled.revoked {
            self.drop_partition(id);
            self.shared.progress.left(id);
            self.retake.remove(&id);
        }
        self.assign(polled.assigned).await?;
        for record in polled.records {
            // Records of a partition that is being taken again come once more after the seek.
            if let Some(partition) = self.partitions.get_mut(&record.position.partition) {
                let bytes = record.value.len() + record.meta.len();
                self.shared.progress.read(record.position.partition, record.append_us, bytes);
                partition.push(record);
            }
        }
        Ok(())
    }

    fn drop_partition(&mut self, id: u32) {
        self.partitions.remove(&id);
        self.shared.progress.dropped(id);
        locked(&self.shared.owned).remove(&id);
        self.shared.metrics.partitions.set(self.partitions.len() as i64);
    }

    async fn assign(&mut self, ids: Vec<u32>) -> Result<(), Error> {
        for id in ids {
            self.drop_partition(id);
            match start(self.shared, id).await {
                Ok(partition) => {
                    self.consumer.seek(id, partition.control.next_offset()).await?;
                    self.shared.progress.taken(id, partition.control.next_offset());
                    self.partitions.insert(id, partition);
                    locked(&self.shared.owned).insert(id);
                }
                Err(flush::Error::Stopped(step)) => return Err(Error::Stopped(step)),
                Err(flush::Error::Control(control::Error::Lost)) => self.shared.progress.left(id),
                Err(error) => {
                    tracing::error!(partition = id, %error, "the partition cannot be taken over yet");
                    self.retake.insert(id);
                }
            }
        }
        self.shared.metrics.partitions.set(self.partitions.len() as i64);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        self.last_flush = started;
        let shared = self.shared;
        let due: Vec<u32> =
            self.partitions.iter().filter(|(_, p)| !p.waiting.is_empty()).map(|(&id, _)| id).collect();
        if due.is_empty() {
            return Ok(());
        }
        let due: Vec<Partition> = due.into_iter().filter_map(|id| self.partitions.remove(&id)).collect();
        let begun = futures::future::join_all(due.into_iter().map(|partition| async {
            let id = partition.id;
            Flight::begin(shared, partition).await.map_err(|error| (id, error))
        }));
        let mut flights = Vec::new();
        for result in begun.await {
            match result {
                Ok(flight) => flights.push(flight),
                Err((id, error)) => self.give_up(id, error)?,
            }
        }
        for outcome in flush(shared, flights).await {
            match outcome {
                Ok((partition, to)) => {
                    let id = partition.id;
                    shared.progress.flushed(id, to, partition.cache.bytes());
                    self.partitions.insert(id, partition);
                    if let Err(error) = self.consumer.commit(id, to).await {
                        tracing::warn!(partition = id, %error, "the hint of progress was not taken");
                    }
                }
                Err((id, error)) => self.give_up(id, error)?,
            }
        }
        shared.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Drops what the partition had under way, without effects. Unless another process owns it, it is taken anew.
    fn give_up(&mut self, id: u32, error: flush::Error) -> Result<(), Error> {
        if let flush::Error::Stopped(step) = error {
            return Err(Error::Stopped(step));
        }
        self.shared.metrics.lost_partitions.inc();
        self.drop_partition(id);
        if matches!(error, flush::Error::Control(control::Error::Lost)) {
            self.shared.progress.left(id);
            tracing::info!(partition = id, "another process owns the partition now");
        } else {
            tracing::error!(partition = id, %error, "a flush failed; the partition is taken anew");
            self.retake.insert(id);
        }
        Ok(())
    }
}

/// Takes a partition over and finishes what its last owner had begun.
async fn start(shared: &Shared, id: u32) -> Result<Partition, flush::Error> {
    let owner = uuid::Uuid::now_v7().to_string();
    let control = Control::take(&*shared.store, shared.topic.name, id, &owner).await?;
    let partition = Partition::new(id, control);
    let Some(intent) = partition.control.unfinished().cloned() else { return Ok(partition) };
    let records = read_range(shared, id, intent.from, intent.to).await?;
    let Some(flight) = Flight::redo(partition, records) else {
        return Err(control::Error::Lost.into());
    };
    match flush(shared, vec![flight]).await.pop() {
        Some(Ok((partition, _))) => Ok(partition),
        Some(Err((_, error))) => Err(error),
        None => Err(control::Error::Lost.into()),
    }
}

async fn read_range(shared: &Shared, id: u32, from: u64, to: u64) -> Result<Vec<StoredRecord>, flush::Error> {
    let unavailable = |error: log::Error| store::Error::Unavailable(format!("the log: {error}"));
    let topic = shared.topic.name;
    let (mut records, mut next) = (Vec::new(), from);
    while next < to {
        let read = shared.log.read(topic, id, next, READ_BYTES, Duration::ZERO);
        let read = read.await.map_err(unavailable)?;
        let Some(last) = read.last() else { break };
        next = last.position.offset + 1;
        records.extend(read.into_iter().filter(|record| (from..to).contains(&record.position.offset)));
    }
    Ok(records)
}
