//! What every handler works with.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use object_store::ObjectStore;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::id::TenantId;
use playhead_domain::issue::visitor::{VISITOR_PURPOSE, VisitorKey};
use playhead_domain::log::{EventLog, TopicSpec};
use playhead_domain::performance::name::{NAME_PURPOSE, NameKey};
use playhead_domain::seal::{KeyWrapper, SECRETS_PURPOSE, SecretSealer, WRAPPING_PURPOSE};
use playhead_domain::store::Store;
use playhead_proto::key::{InstallationKey, PublicKeys};
use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};

use crate::access::Caller;
use crate::access::attempts::Attempts;
use crate::access::sign_in::SignIns;
use crate::channel::mailer::Mailer;
use crate::channel::tests_sent::TestsSent;
use crate::config::Config;
use crate::issue::dry_run::MAX_DRY_RUNS;
use crate::issue::index::Indexes;
use crate::issue::users::UserCounts;
use crate::metrics::Metrics;
use crate::outbound::{AllowList, Outbound};
use crate::performance::past::Past;
use crate::performance::routes::MAX_SUMS;
use crate::source_map::cache::MapCache;
use crate::source_map::quota::Quota;
use crate::source_map::upload::Uploads;

/// The tenant that owns what is created without an organisation.
pub const FIRST_TENANT: TenantId = TenantId(1);

/// Tells the time: milliseconds of the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
    })
}

/// Why the API cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("{0}")]
    Setting(String),
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What the API is built from.
pub struct Parts {
    pub config: Config,
    /// A session without batches for this long is not shown as live any more: the processor's limit.
    pub session_idle_ms: u64,
    pub store: Arc<dyn Store>,
    pub log: Arc<dyn EventLog>,
    /// The topic of batches, whose end and checkpoints say how far the stream is.
    pub batches: TopicSpec,
    pub blobs: Arc<dyn ObjectStore>,
    pub installation_key: InstallationKey,
    /// Opens everything, as bearer token.
    pub admin_token: SecretString,
    /// Where browsers reach this installation: scheme, host and port, no slash at the end.
    pub public_url: String,
    /// Where pages send batches and load the script from, likewise.
    pub ingest_url: String,
    /// Where the demo shop is, when it is on.
    pub demo_url: Option<String>,
    /// The inline stub with `__ORIGIN__` and `__KEY__` in it, as the SDK's build wrote it.
    pub script_stub: String,
    pub clock: Clock,
    /// Where metrics are registered.
    pub registry: prometheus::Registry,
}

/// The state of the router; cheap to clone.
#[derive(Clone)]
pub struct Api(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) session_idle_ms: u64,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) batches: TopicSpec,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) key_wrapper: KeyWrapper,
    pub(crate) erasure: Erasure,
    pub(crate) visitors: VisitorKey,
    /// What stands for names of endpoints and pages in sums.
    pub(crate) names: NameKey,
    pub(crate) public_keys: PublicKeys,
    pub(crate) admin_token: SecretString,
    pub(crate) sign_ins: SignIns,
    pub(crate) attempts: Attempts,
    pub(crate) public_url: String,
    pub(crate) ingest_url: String,
    pub(crate) demo_url: Option<String>,
    pub(crate) script_stub: String,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    /// One permit per KiB of a recording that is being read.
    pub(crate) segment_budget: Arc<Semaphore>,
    pub(crate) maps: MapCache,
    pub(crate) map_quota: Quota,
    /// Source maps that are being taken at once: each is held whole.
    pub(crate) uploads: Uploads,
    /// Dry runs of rules at once: each keeps a core busy.
    pub(crate) dry_runs: Arc<Semaphore>,
    /// Sums of statistics at once: likewise.
    pub(crate) summing: Arc<Semaphore>,
    pub(crate) past: Past,
    /// What lists of issues ask of large projects.
    pub(crate) issues: Indexes,
    /// What they counted of users.
    pub(crate) user_counts: UserCounts,
    /// Opens what projects were trusted with.
    pub(crate) secrets: SecretSealer,
    pub(crate) outbound: Outbound,
    /// The operator's mail server, if there is one.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) tests_sent: TestsSent,
    /// Told when a change of a project may not have been published.
    pub(crate) unpublished: Notify,
    /// Told when Jira is to be told something.
    pub(crate) jira_due: Notify,
}

impl Api {
    /// Builds the state. Makes a fresh sign-in link.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let public_keys = PublicKeys::new(&parts.installation_key);
        let sign_ins = SignIns::new(&parts.installation_key, &parts.config, (parts.clock)())?;
        let attempts = Attempts::new(parts.config.failed_sign_ins_per_minute);
        let segment_budget = Arc::new(Semaphore::new(parts.config.segment_budget_bytes >> 10));
        let maps = MapCache::new(parts.config.source_map_cache_bytes);
        let issues = Indexes::new(parts.config.issue_index_bytes);
        let past = Past::new(parts.config.statistics_cache_bytes);
        let erasure = Erasure::new(parts.store.clone(), parts.installation_key.derive(USER_HASH_PURPOSE));
        let allow = AllowList::parse(&parts.config.outbound_allow).map_err(StartError::Setting)?;
        let mailer = Mailer::new(&parts.config.smtp).map_err(StartError::Setting)?;
        Ok(Self(Arc::new(Inner {
            config: parts.config,
            session_idle_ms: parts.session_idle_ms,
            store: parts.store,
            log: parts.log,
            batches: parts.batches,
            blobs: parts.blobs,
            key_wrapper: KeyWrapper::new(parts.installation_key.derive(WRAPPING_PURPOSE)),
            erasure,
            visitors: VisitorKey::new(parts.installation_key.derive(VISITOR_PURPOSE)),
            names: NameKey::new(parts.installation_key.derive(NAME_PURPOSE)),
            public_keys,
            admin_token: parts.admin_token,
            sign_ins,
            attempts,
            public_url: parts.public_url,
            ingest_url: parts.ingest_url,
            demo_url: parts.demo_url,
            script_stub: parts.script_stub,
            clock: parts.clock,
            metrics: Metrics::register(&parts.registry)?,
            segment_budget,
            maps,
            map_quota: Quota::default(),
            uploads: Uploads::new(),
            dry_runs: Arc::new(Semaphore::new(MAX_DRY_RUNS)),
            summing: Arc::new(Semaphore::new(MAX_SUMS)),
            past,
            issues,
            user_counts: UserCounts::new(),
            secrets: SecretSealer::new(parts.installation_key.derive(SECRETS_PURPOSE)),
            outbound: Outbound::new(allow),
            mailer,
            tests_sent: TestsSent::default(),
            unpublished: Notify::new(),
            jira_due: Notify::new(),
        })))
    }

    /// The link that signs the administrator in, until the process ends or the link's time is over.
    #[must_use]
    pub fn sign_in_link(&self) -> String {
        format!("{}/sign-in?token={}", self.0.public_url, self.0.sign_ins.link_token())
    }

    /// The hosts from which the player may load images of a project, for whoever may see that project; otherwise none.
    pub async fn image_hosts(&self, request: &mut axum::http::request::Parts, project: &str) -> Vec<String> {
        let Ok(caller) = Caller::from_request_parts(request, self).await else { return Vec::new() };
        caller.open(self, project).await.map_or_else(|_| Vec::new(), |(_, row)| row.image_hosts)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.0.clock)()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }
}
