//! What every part of the processor works with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::ObjectStore;
use playhead_domain::erasure::Erasure;
use playhead_domain::id::ProjectId;
use playhead_domain::issue::visitor::VisitorKey;
use playhead_domain::log::{EventLog, TopicSpec};
use playhead_domain::project::{Lookup, ProjectDirectory};
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use playhead_domain::seal::KeyWrapper;
use playhead_domain::store::Store;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::client::CountryLookup;
use crate::compiled::CompiledRules;
use crate::config::Config;
use crate::flush::{self, Step};
use crate::hooks::Hooks;
use crate::metrics::Metrics;
use crate::naming::Maps;
use crate::progress::Progress;
use crate::spared::Spared;
use crate::witness::Witnesses;

/// How long a project that was not found is not waited for again, and of how many that is remembered.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
const MAX_UNKNOWN: usize = 1_024;

pub(crate) const CONCURRENT_REDOS: usize = 2;

/// What every part of the processor shares.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) topic: TopicSpec,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) keys: KeyWrapper,
    pub(crate) erasure: Erasure,
    pub(crate) visitors: VisitorKey,
    pub(crate) witnesses: Witnesses,
    /// Sessions that were found not to be erased.
    pub(crate) spared: Mutex<Spared>,
    pub(crate) countries: Option<Arc<dyn CountryLookup>>,
    pub(crate) metrics: Metrics,
    pub(crate) directory: Arc<ProjectDirectory>,
    pub(crate) clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    pub(crate) hooks: Hooks,
    /// The epoch of each owned partition.
    pub(crate) owned: Mutex<BTreeMap<u32, u64>>,
    pub(crate) progress: Progress,
    pub(crate) unknown: Mutex<HashMap<ProjectId, Instant>>,
    pub(crate) compiled: Arc<CompiledRules>,
    pub(crate) maps: Maps,
    /// Ranges of others that are redone at a time.
    pub(crate) redos: Semaphore,
    pub(crate) is_running: AtomicBool,
    /// The last pass of compaction took longer than the time between two.
    pub(crate) compaction_is_behind: AtomicBool,
}

/// Projects of batches.
#[derive(Default)]
pub(crate) struct Projects {
    pub(crate) known: HashMap<Scope, Arc<Project>>,
    /// Nobody has told of these; what is neither was removed.
    pub(crate) unknown: BTreeSet<Scope>,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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

    pub(crate) async fn reached(&self, step: Step) -> Result<(), flush::Error> {
        match &self.hooks.probe {
            Some(probe) if probe(step).await => Err(flush::Error::Stopped(step)),
            _ => Ok(()),
        }
    }

    /// The owned partitions with their epochs.
    pub(crate) fn owned(&self) -> Vec<(u32, u64)> {
        locked(&self.owned).iter().map(|(&id, &epoch)| (id, epoch)).collect()
    }

    /// What each partition may keep in memory.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.config.session_cache_bytes / locked(&self.owned).len().max(1)
    }

    /// The projects of these scopes. Waits a little for one that is not known yet: the gateway may have heard of it earlier.
    pub(crate) async fn projects(&self, scopes: impl Iterator<Item = Scope>) -> Projects {
        let end = Instant::now() + Duration::from_millis(self.config.unknown_project_wait_ms);
        let scopes: BTreeSet<Scope> = scopes.collect();
        let mut projects = Projects::default();
        for scope in scopes {
            match self.project(scope.project(), end).await {
                Lookup::Known(project) if project.tenant == scope.tenant().0 => {
                    projects.known.insert(scope, project);
                }
                Lookup::Known(_) | Lookup::Removed => {}
                Lookup::Unknown => {
                    projects.unknown.insert(scope);
                }
            }
        }
        projects
    }

    async fn project(&self, id: ProjectId, end: Instant) -> Lookup {
        loop {
            match self.directory.look_up(id) {
                Lookup::Unknown if self.is_known_unknown(id) => return Lookup::Unknown,
                Lookup::Unknown if Instant::now() >= end => {
                    self.remember_unknown(id);
                    return Lookup::Unknown;
                }
                Lookup::Unknown => tokio::time::sleep(Duration::from_millis(20)).await,
                found => return found,
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
}
