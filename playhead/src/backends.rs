//! What the services run on, opened as the configuration says: embedded in the data folder, or shared engines.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::ObjectStore;
use playhead_backends::blobs::{self, BlobsConfig};
use playhead_backends::clock::Clock;
use playhead_backends::data_folder::DataFolder;
use playhead_backends::log::embedded::EmbeddedLog;
use playhead_backends::log::kafka::KafkaLog;
use playhead_backends::observed::{ObservedBlobs, ObservedStore};
use playhead_backends::store::embedded::EmbeddedStore;
use playhead_backends::store::scylla::{self, ScyllaStore};
use playhead_domain::log::EventLog;
use playhead_domain::store::Store;
use playhead_domain::table;
use playhead_proto::key::InstallationKey;
use prometheus::Registry;

use crate::config::Config;
use crate::installation;
use crate::priority;
use crate::role::Role;
use crate::waiting::{Unready, Waiting};

/// What the services run on.
pub(crate) struct Backends {
    pub(crate) log: Arc<dyn EventLog>,
    /// `None` in a gateway.
    pub(crate) storage: Option<Storage>,
    pub(crate) installation_key: InstallationKey,
    /// What health and metrics say of the engines.
    pub(crate) engines: Vec<Engine>,
    // Dropped last: it holds the lock.
    pub(crate) folder: Option<DataFolder>,
}

/// Rows and blobs.
#[derive(Clone)]
pub(crate) struct Storage {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
}

impl Storage {
    /// The same, with every request measured.
    ///
    /// # Errors
    /// When the registry has the metrics already.
    pub(crate) fn observed(&self, registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            store: Arc::new(ObservedStore::new(Arc::clone(&self.store), registry)?),
            blobs: Arc::new(ObservedBlobs::new(Arc::clone(&self.blobs), registry)?),
        })
    }
}

/// An engine under the services.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) part: &'static str,
    /// Whether other processes use it too. Without its own engine a process is not ready; without a shared one it degrades, as
    /// to take every process out of service would help nobody.
    pub(crate) is_shared: bool,
    pub(crate) check: Check,
    pub(crate) measures: Vec<Measure>,
}

/// Asks an engine whether it answers.
pub(crate) type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A check that asks nobody.
fn known<E: ToString>(check: impl Fn() -> Result<(), E> + Send + Sync + 'static) -> Check {
    Arc::new(move || {
        let known = check().map_err(|error| error.to_string());
        async { known }.boxed()
    })
}

/// A figure that is taken when metrics are asked for.
#[derive(Clone)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) take: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
}

impl Measure {
    fn new(
        name: &'static str,
        help: &'static str,
        take: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        Self { name, help, take: Arc::new(take) }
    }
}

impl Engine {
    fn shared(part: &'static str, check: Check) -> Self {
        Self { part, is_shared: true, check, measures: Vec::new() }
    }
}

/// Opens what the role needs. Shared engines that do not answer are waited for.
///
/// # Errors
/// What waiting does not cure.
pub(crate) async fn open(config: &Config, role: Role, waiting: &Waiting) -> anyhow::Result<Backends> {
    let needs_folder = role == Role::All;
    let folder = if needs_folder { Some(DataFolder::open(&config.data)?) } else { None };
    let installation_key = installation::installation_key(folder.as_ref().map(DataFolder::path))?;
    let mut engines = Vec::new();
    let log = open_log(config, folder.as_ref(), &mut engines)?;
    let storage = if role.needs_store() {
        let store = open_store(config, folder.as_ref(), &mut engines, waiting).await?;
        let blobs = waiting.until("blobs", || open_blobs(config, folder.as_ref())).await?;
        engines.push(engine_of_blobs(&config.blobs, Arc::clone(&blobs)));
        Some(Storage { store, blobs })
    } else {
        None
    };
    Ok(Backends { log, storage, installation_key, engines, folder })
}

fn open_log(
    config: &Config,
    folder: Option<&DataFolder>,
    engines: &mut Vec<Engine>,
) -> anyhow::Result<Arc<dyn EventLog>> {
    let Some(folder) = folder.filter(|_| !config.kafka.is_used()) else {
        let log = Arc::new(KafkaLog::open(config.kafka.clone()).context("kafka")?);
        let checked = Arc::clone(&log);
        let mut engine = Engine::shared("log", known(move || checked.check_health()));
        engine.measures = measures_of_kafka(&log);
        engines.push(engine);
        return Ok(log);
    };
    let log = EmbeddedLog::open(&folder.log(), config.log.clone(), Clock::system());
    let log = Arc::new(log.context("the log cannot be opened")?);
    let (checked, measured) = (Arc::clone(&log), Arc::clone(&log));
    engines.push(Engine {
        part: "log",
        is_shared: false,
        check: known(move || checked.check_health()),
        measures: vec![Measure::new(
            "playhead_log_disk_bytes",
            "Bytes of the embedded log's files.",
            move || measured.disk_bytes().ok(),
        )],
    });
    Ok(log)
}

fn measures_of_kafka(log: &Arc<KafkaLog>) -> Vec<Measure> {
    let (buffered, oldest) = (Arc::clone(log), Arc::clone(log));
    vec![
        Measure::new(
            "playhead_log_buffer_bytes",
            "Bytes of records that wait for Kafka's acknowledgement.",
            move || u64::try_from(buffered.status().buffered_bytes).ok(),
        ),
        Measure::new(
            "playhead_log_oldest_ms",
            "For how long the oldest of them has been waiting, or longer.",
            move || Some(oldest.status().oldest_ms),
        ),
    ]
}

async fn open_store(
    config: &Config,
    folder: Option<&DataFolder>,
    engines: &mut Vec<Engine>,
    waiting: &Waiting,
) -> anyhow::Result<Arc<dyn Store>> {
    let Some(folder) = folder.filter(|_| !config.scylla.is_used()) else {
        let store = Arc::new(waiting.until("store", || connect_store(config, folder.is_some())).await?);
        let asked = Arc::clone(&store);
        let check: Check = Arc::new(move || {
            let store = Arc::clone(&asked);
            async move { store.check_health().await.map_err(|reason| reason.to_string()) }.boxed()
        });
        engines.push(Engine::shared("store", check));
        return Ok(store);
    };
    let store = open_yielding(folder, config).context("the store cannot be opened")?;
    let store = Arc::new(store);
    let (checked, measured, reclaiming) = (Arc::clone(&store), Arc::clone(&store), Arc::clone(&store));
    engines.push(Engine {
        part: "store",
        is_shared: false,
        check: known(move || checked.check_health()),
        measures: vec![
            Measure::new("playhead_store_disk_bytes", "Bytes of the embedded store's files.", move || {
                measured.disk_bytes().ok()
            }),
            Measure::new(
                "playhead_store_reclaiming",
                "1 while the embedded store's files may still hold bytes of what was erased.",
                move || Some(u64::from(reclaiming.is_reclaiming())),
            ),
        ],
    });
    Ok(store)
}

/// Opens the embedded store by a thread that yields, so that the store's own do, too: those of the log, which acknowledges, do not.
fn open_yielding(folder: &DataFolder, config: &Config) -> anyhow::Result<EmbeddedStore> {
    let (path, config) = (folder.store(), config.store.clone());
    let opened = std::thread::spawn(move || {
        priority::yield_to_requests();
        EmbeddedStore::open(&path, table::ALL, config, Clock::system())
    });
    Ok(opened.join().map_err(|_| anyhow!("its thread panicked"))??)
}

/// One process with everything in it brings the schema up to date itself; where there are many, `playhead migrate` does.
async fn connect_store(config: &Config, migrates: bool) -> Result<ScyllaStore, Unready> {
    if migrates {
        scylla::migrate(&config.scylla, |step| tracing::info!(step, "schema")).await.map_err(of_store)?;
    }
    ScyllaStore::connect(&config.scylla, Clock::system()).await.map_err(of_store)
}

fn of_store(error: playhead_domain::store::Error) -> Unready {
    if error.is_retryable() { Unready::Later(error.to_string()) } else { Unready::Never(error.into()) }
}

/// Every look is a request; a bucket is asked for as little as that.
pub(crate) fn engine_of_blobs(config: &BlobsConfig, blobs: Arc<dyn ObjectStore>) -> Engine {
    let asked = config.clone();
    let check: Check = Arc::new(move || {
        let (blobs, config) = (Arc::clone(&blobs), asked.clone());
        async move { blobs::check(&*blobs, &config).await.map_err(|error| error.to_string()) }.boxed()
    });
    // Without an address they are in the data folder.
    Engine { is_shared: !config.url.is_empty(), ..Engine::shared("blobs", check) }
}

async fn open_blobs(config: &Config, folder: Option<&DataFolder>) -> Result<Arc<dyn ObjectStore>, Unready> {
    let own = folder.map(DataFolder::blobs);
    blobs::open(&config.blobs, own.as_deref()).await.map_err(|error| {
        if error.is_retryable() { Unready::Later(error.to_string()) } else { Unready::Never(error.into()) }
    })
}
