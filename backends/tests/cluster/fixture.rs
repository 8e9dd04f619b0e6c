//! A store in keyspaces of this run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playhead_backends::clock::Clock;
use playhead_backends::store::scylla::{ScyllaConfig, ScyllaStore, migrate};
use playhead_domain::store::Store;
use playhead_domain::testkit::clock::ManualClock;
use playhead_domain::testkit::store;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use tokio::sync::OnceCell;

const PREFIX: &str = "playhead_test_";
/// Keyspaces that a run left behind longer ago than any run takes.
const STALE: Duration = Duration::from_secs(2 * 3_600);

/// The node to test on.
pub(crate) fn node() -> String {
    std::env::var("PLAYHEAD_TEST_CQL").unwrap_or_else(|_| {
        panic!("PLAYHEAD_TEST_CQL must name a node such as 127.0.0.1:19042; `make services` starts one")
    })
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Settings for keyspaces that nobody else uses.
pub(crate) fn fresh_config() -> ScyllaConfig {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (pid, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let keyspace = format!("{PREFIX}{}_{pid}_{number}", now_s());
    ScyllaConfig {
        nodes: node(),
        control_keyspace: format!("{keyspace}_c"),
        keyspace,
        replication: 1,
        request_timeout_ms: 30_000,
        ..ScyllaConfig::default()
    }
}

/// The driver alone, for what the store does not do.
pub(crate) async fn plain_session() -> Session {
    SessionBuilder::new().known_node(node()).build().await.unwrap()
}

/// Drops the keyspaces of `config`.
pub(crate) async fn drop_keyspaces(config: &ScyllaConfig) {
    let session = plain_session().await;
    for keyspace in [&config.keyspace, &config.control_keyspace] {
        session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {keyspace}"), ()).await.unwrap();
    }
}

async fn drop_stale() {
    let session = plain_session().await;
    let names = session.query_unpaged("SELECT keyspace_name FROM system_schema.keyspaces", ()).await.unwrap();
    let names = names.into_rows_result().unwrap();
    for name in names.rows::<(String,)>().unwrap() {
        let (name,) = name.unwrap();
        let began = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse::<u64>().ok());
        if began.is_some_and(|began| now_s().saturating_sub(began) > STALE.as_secs()) {
            session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {name}"), ()).await.unwrap();
        }
    }
}

/// Keyspaces that all tests of this run share: tables take long to create, and no two tests use the same rows.
pub(crate) async fn shared_config() -> ScyllaConfig {
    static SHARED: OnceCell<ScyllaConfig> = OnceCell::const_new();
    let migrated = SHARED.get_or_init(|| async {
        drop_stale().await;
        let config = fresh_config();
        migrate(&config, |_| ()).await.unwrap();
        config
    });
    migrated.await.clone()
}

/// A store whose clock stands still.
pub(crate) async fn connect(config: &ScyllaConfig, clock: &ManualClock) -> ScyllaStore {
    let now = clock.clone();
    ScyllaStore::connect(config, Clock::from_fn(move || now.now_us())).await.unwrap()
}

pub(crate) struct OnCluster {
    config: ScyllaConfig,
    clock: ManualClock,
    store: Option<Arc<ScyllaStore>>,
}

impl OnCluster {
    pub(crate) async fn open() -> Self {
        let (config, clock) = (shared_config().await, ManualClock::default());
        let store = Some(Arc::new(connect(&config, &clock).await));
        Self { config, clock, store }
    }
}

impl store::Fixture for OnCluster {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().unwrap()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn reopen(&mut self) -> bool {
        let store = self.store.take().unwrap();
        assert_eq!(Arc::strong_count(&store), 1, "somebody still holds it");
        drop(store);
        let opened = connect(&self.config, &self.clock);
        let opened = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opened));
        self.store = Some(Arc::new(opened));
        true
    }
}
