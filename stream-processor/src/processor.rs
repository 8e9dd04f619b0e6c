use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::ObjectStore;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::id::ProjectId;
use playhead_domain::log::{self, Consumer, EventLog, StoredRecord, TopicSpec};
use playhead_domain::project::{Lookup, ProjectDirectory};
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use playhead_domain::seal::{KeyWrapper, WRAPPING_PURPOSE};
use playhead_domain::store::{self, Store};
use playhead_proto::key::InstallationKey;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::client::CountryLookup;
use crate::config::{Config, ConfigError};
use crate::control::{self, Control};
use crate::flush::{self, Flight, Probe, Step, flush};
use crate::metrics::Metrics;
use crate::partition::Partition;
use crate::{collection, compaction};

/// The consumer group.
const GROUP: &str = "stream-processor";
/// How long a poll without anything to flush waits: also how long a shutdown may go unnoticed.
const IDLE_POLL: Duration = Duration::from_millis(250);
const RETAKE_AFTER: Duration = Duration::from_secs(1);
const LAG_INTERVAL: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 4 << 20;
/// How long a project that was not found is not waited for again, and of how many that is remembered.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
const MAX_UNKNOWN: usize = 1_024;

/// What a processor works with.
pub struct Parts {
    pub config: Config,
    /// The topic of batches.
    pub topic: TopicSpec,
    pub log: Arc<dyn EventLog>,
    pub store: Arc<dyn Store>,
    pub blobs: Arc<dyn ObjectStore>,
    /// Followed by the caller.
    pub directory: Arc<ProjectDirectory>,
    pub installation_key: InstallationKey,
    pub countries: Option<Arc<dyn CountryLookup>>,
    pub registry: prometheus::Registry,
    /// Microseconds of the Unix epoch.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// Why the processor does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Log(#[from] log::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the probe stopped it at {0:?}")]
    Stopped(Step),
}

impl Error {
    /// Whether running it again may go well.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Log(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}

/// What every part of the processor shares.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) topic: TopicSpec,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) keys: KeyWrapper,
    pub(crate) erasure: Erasure,
    pub(crate) countries: Option<Arc<dyn CountryLookup>>,
    pub(crate) metrics: Metrics,
    directory: Arc<ProjectDirectory>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    probe: Option<Probe>,
    owned: Mutex<BTreeSet<u32>>,
    unknown: Mutex<HashMap<ProjectId, Instant>>,
    /// Scopes whose interrupted erasures were finished since the start.
    resumed: Mutex<BTreeSet<Scope>>,
    is_running: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is replaced whole: a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn now_us(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_us().div_euclid(1_000)
    }

    pub(crate) fn reached(&self, step: Step) -> Result<(), flush::Error> {
        match &self.probe {
            Some(probe) if probe(step) => Err(flush::Error::Stopped(step)),
            _ => Ok(()),
        }
    }

    pub(crate) fn owned(&self) -> Vec<u32> {
        locked(&self.owned).iter().copied().collect()
    }

    /// What each partition may keep in memory.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.config.session_cache_bytes / locked(&self.owned).len().max(1)
    }

    /// The projects of these scopes. Waits a little for one that is not known yet: the gateway may have heard of it earlier.
    pub(crate) async fn projects(&self, scopes: impl Iterator<Item = Scope>) -> HashMap<Scope, Arc<Project>> {
        let end = Instant::now() + Duration::from_millis(self.config.unknown_project_wait_ms);
        let scopes: BTreeSet<Scope> = scopes.collect();
        let mut projects = HashMap::new();
        for scope in scopes {
            if let Some(project) = self.project(scope.project(), end).await
                && project.tenant == scope.tenant().0
            {
                projects.insert(scope, project);
            }
        }
        projects
    }

    async fn project(&self, id: ProjectId, end: Instant) -> Option<Arc<Project>> {
        loop {
            match self.directory.look_up(id) {
                Lookup::Known(project) => return Some(project),
                Lookup::Removed => return None,
                Lookup::Unknown if self.is_known_unknown(id) => return None,
                Lookup::Unknown if Instant::now() >= end => {
                    self.remember_unknown(id);
                    return None;
                }
                Lookup::Unknown => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn is_known_unknown(&self, id: ProjectId) -> bool {
        locked(&self.unknown).get(&id).is_some_and(|since| since.elapsed() < UNKNOWN_FOR)
    }

    fn remember_unknown(&self, id: ProjectId) {
        let mut unknown = locked(&self.unknown);
        if unknown.len() >= MAX_UNKNOWN {
            unknown.clear();
        }
        unknown.insert(id, Instant::now());
    }

    /// Finishes erasures of the scope that were interrupted, once per process.
    pub(crate) async fn resume_erasures(&self, scope: Scope) -> Result<(), store::Error> {
        if locked(&self.resumed).contains(&scope) {
            return Ok(());
        }
        self.erasure.resume(scope, self.now_ms()).await?;
        locked(&self.resumed).insert(scope);
        Ok(())
    }

    pub(crate) fn is_wanted(&self, batch: &Batch, projects: &HashMap<Scope, Arc<Project>>) -> bool {
        let is_known = projects.contains_key(&batch.scope);
        if !is_known {
            self.metrics.dropped_batches.with_label_values(&["unknown_project"]).inc();
        }
        is_known
    }
}

/// Consumes the log until it is told to stop.
#[derive(Clone)]
pub struct Processor {
    shared: Arc<Shared>,
}

impl Processor {
    /// Checks the configuration and registers the metrics.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Metrics`].
    pub fn new(parts: Parts) -> Result<Self, Error> {
        Self::with_probe(parts, None)
    }

    /// The same with a [`Probe`].
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Metrics`].
    pub fn with_probe(parts: Parts, probe: Option<Probe>) -> Result<Self, Error> {
        parts.config.validate()?;
        let user_hash_key = parts.installation_key.derive(USER_HASH_PURPOSE);
        let shared = Shared {
            metrics: Metrics::new(&parts.registry)?,
            keys: KeyWrapper::new(parts.installation_key.derive(WRAPPING_PURPOSE)),
            erasure: Erasure::new(Arc::clone(&parts.store), user_hash_key),
            config: parts.config,
            topic: parts.topic,
            log: parts.log,
            store: parts.store,
            blobs: parts.blobs,
            countries: parts.countries,
            directory: parts.directory,
            clock: parts.clock,
            probe,
            owned: Mutex::default(),
            unknown: Mutex::default(),
            resumed: Mutex::default(),
            is_running: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether it consumes: it has joined the group and has not failed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.is_running.load(Ordering::Acquire)
    }

    /// How many partitions it owns and consumes.
    #[must_use]
    pub fn owned_partitions(&self) -> usize {
        locked(&self.shared.owned).len()
    }

    /// The erasure that shares this processor's store.
    #[must_use]
    pub fn erasure(&self) -> Erasure {
        self.shared.erasure.clone()
    }

    /// Runs until `shutdown`, then flushes what it has read. Consuming, compaction and collection of dead objects.
    ///
    /// # Errors
    /// [`Error`] that retries did not cure. What was not checkpointed is redone by the next run.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<(), Error> {
        let shared = &self.shared;
        while !shared.directory.ready() {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
        shared.log.ensure_topic(&shared.topic).await?;
        let consumer = shared.log.consume(shared.topic.name, GROUP).await?;
        let background = shutdown.child_token();
        let tasks = [
            tokio::spawn(compaction::run(Arc::clone(shared), background.clone())),
            tokio::spawn(collection::run(Arc::clone(shared), background.clone())),
        ];
        shared.is_running.store(true, Ordering::Release);
        let result = Driver::new(shared, consumer).run(&shutdown).await;
        shared.is_running.store(false, Ordering::Release);
        background.cancel();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task of the processor failed");
            }
        }
        result
    }

    /// Compacts the sessions that are over, now. Returns how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn compact_now(&self) -> Result<usize, Error> {
        Ok(compaction::pass(&self.shared, &CancellationToken::new()).await?)
    }

    /// Deletes dead objects, now. Returns how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn collect_now(&self) -> Result<usize, Error> {
        Ok(collection::pass(&self.shared, collection::Depth::All).await?)
    }
}

struct Driver<'a> {
    shared: &'a Shared,
    consumer: Box<dyn Consumer>,
    partitions: BTreeMap<u32, Partition>,
    /// Owned by this consumer, but in need of a new start.
    retake: BTreeSet<u32>,
    last_flush: Instant,
    last_retake: Instant,
    last_lag: Instant,
}

impl<'a> Driver<'a> {
    fn new(shared: &'a Shared, consumer: Box<dyn Consumer>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            consumer,
            partitions: BTreeMap::new(),
            retake: BTreeSet::new(),
            last_flush: now,
            last_retake: now,
            last_lag: now,
        }
    }

    async fn run(mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            self.poll().await?;
            if self.is_flush_due() {
                self.flush().await?;
            }
            if !self.retake.is_empty() && self.last_retake.elapsed() >= RETAKE_AFTER {
                self.last_retake = Instant::now();
                let again = std::mem::take(&mut self.retake);
                self.assign(again.into_iter().collect()).await?;
            }
            self.observe_lag().await;
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

    async fn poll(&mut self) -> Result<(), Error> {
        let waiting = self.waiting_bytes();
        let wait = if waiting > 0 { self.until_flush().min(IDLE_POLL) } else { IDLE_POLL };
        let max_bytes = self.shared.config.flush_bytes.saturating_sub(waiting).max(1);
        let polled = match self.consumer.poll(max_bytes, wait).await {
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
            self.retake.remove(&id);
        }
        self.assign(polled.assigned).await?;
        for record in polled.records {
            // Records of a partition that is being taken again come once more after the seek.
            if let Some(partition) = self.partitions.get_mut(&record.position.partition) {
                partition.push(record);
            }
        }
        Ok(())
    }

    fn drop_partition(&mut self, id: u32) {
        self.partitions.remove(&id);
        locked(&self.shared.owned).remove(&id);
        self.shared.metrics.partitions.set(self.partitions.len() as i64);
    }

    async fn assign(&mut self, ids: Vec<u32>) -> Result<(), Error> {
        for id in ids {
            self.drop_partition(id);
            match start(self.shared, id).await {
                Ok(partition) => {
                    self.consumer.seek(id, partition.control.next_offset()).await?;
                    self.partitions.insert(id, partition);
                    locked(&self.shared.owned).insert(id);
                }
                Err(flush::Error::Stopped(step)) => return Err(Error::Stopped(step)),
                Err(flush::Error::Control(control::Error::Lost)) => {}
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
                    self.partitions.insert(id, partition);
                    if let Err(error) = self.consumer.commit(id, to).await {
                        tracing::warn!(partition = id, %error, "the hint of progress was not taken");
                    }
                }
                Err((id, error)) => self.give_up(id, error)?,
            }
        }
        shared.metrics.flush_ms.observe(started.elapsed().as_secs_f64() * 1_000.0);
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
            tracing::info!(partition = id, "another process owns the partition now");
        } else {
            tracing::error!(partition = id, %error, "a flush failed; the partition is taken anew");
            self.retake.insert(id);
        }
        Ok(())
    }

    async fn observe_lag(&mut self) {
        if self.last_lag.elapsed() < LAG_INTERVAL {
            return;
        }
        self.last_lag = Instant::now();
        for (id, partition) in &self.partitions {
            if let Ok(offsets) = self.shared.log.offsets(self.shared.topic.name, *id).await {
                let lag = offsets.end.saturating_sub(partition.control.next_offset());
                let gauge = self.shared.metrics.lag.with_label_values(&[id.to_string().as_str()]);
                gauge.set(i64::try_from(lag).unwrap_or(i64::MAX));
            }
        }
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
