use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::ObjectStore;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::issue::visitor::{VISITOR_PURPOSE, VisitorKey};
use playhead_domain::log::{self, EventLog, TopicSpec};
use playhead_domain::performance::name::{NAME_PURPOSE, NameKey};
use playhead_domain::project::ProjectDirectory;
use playhead_domain::seal::{KeyWrapper, WRAPPING_PURPOSE};
use playhead_domain::store::{self, Store};
use playhead_proto::key::InstallationKey;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::CountryLookup;
use crate::config::{Config, ConfigError};
use crate::driver::Driver;
use crate::flush::Step;
use crate::hooks::Hooks;
use crate::metrics::Metrics;
use crate::naming::Maps;
use crate::progress::{self, Progress};
use crate::shared::{CONCURRENT_REDOS, Shared, locked};
use crate::witness::Witnesses;
use crate::{collection, compaction, interrupted};

/// The consumer group.
const GROUP: &str = "stream-processor";
/// How long background work may take to come to an end by itself.
const BACKGROUND_END: Duration = Duration::from_millis(500);

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
        Self::with_hooks(parts, Hooks::default())
    }

    /// The same, with tests taking part.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Metrics`].
    pub fn with_hooks(parts: Parts, hooks: Hooks) -> Result<Self, Error> {
        parts.config.validate()?;
        let user_hash_key = parts.installation_key.derive(USER_HASH_PURPOSE);
        let maps = Maps::new(parts.config.source_map_cache_bytes);
        let shared = Shared {
            metrics: Metrics::new(&parts.registry)?,
            keys: KeyWrapper::new(parts.installation_key.derive(WRAPPING_PURPOSE)),
            spared: Mutex::default(),
            witnesses: Witnesses::new(NameKey::new(parts.installation_key.derive(NAME_PURPOSE))),
            visitors: VisitorKey::new(parts.installation_key.derive(VISITOR_PURPOSE)),
            erasure: Erasure::new(Arc::clone(&parts.store), user_hash_key),
            config: parts.config,
            topic: parts.topic,
            log: parts.log,
            store: parts.store,
            blobs: parts.blobs,
            countries: parts.countries,
            directory: parts.directory,
            clock: parts.clock,
            hooks,
            owned: Mutex::default(),
            progress: Progress::default(),
            unknown: Mutex::default(),
            compiled: Arc::default(),
            maps,
            redos: Semaphore::new(CONCURRENT_REDOS),
            is_running: AtomicBool::new(false),
            compaction_is_behind: AtomicBool::new(false),
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
                biased;
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
        shared.log.ensure_topic(&shared.topic).await?;
        let consumer = shared.log.consume(shared.topic.name, GROUP).await?;
        let background = shutdown.child_token();
        // Ends with this call, however that ends.
        let mut tasks = JoinSet::new();
        tasks.spawn(compaction::run(Arc::clone(shared), background.clone()));
        tasks.spawn(collection::run(Arc::clone(shared), background.clone()));
        tasks.spawn(interrupted::run(Arc::clone(shared), background.clone()));
        tasks.spawn(progress::run(Arc::clone(shared), background.clone()));
        shared.is_running.store(true, Ordering::Release);
        let result = Driver::new(Arc::clone(shared), consumer).run(&shutdown).await;
        shared.is_running.store(false, Ordering::Release);
        locked(&shared.owned).clear();
        background.cancel();
        let ended = async {
            while let Some(task) = tasks.join_next().await {
                if let Err(error) = task {
                    tracing::error!(%error, "a background task of the processor failed");
                }
            }
        };
        // Compaction and collection may stop anywhere.
        let _ = tokio::time::timeout(BACKGROUND_END, ended).await;
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
