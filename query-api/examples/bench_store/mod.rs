//! The store of a benchmark: embedded in a folder, or the cluster that `PLAYHEAD_TEST_CQL` names, in keyspaces that stay.

use std::path::Path;
use std::sync::Arc;

use playhead_backends::clock::Clock;
use playhead_backends::store::embedded::EmbeddedStore;
use playhead_backends::store::scylla::{ScyllaConfig, ScyllaStore, migrate};
use playhead_domain::store::Store;
use playhead_domain::table;

/// The store, and what to call it in a report.
pub(crate) async fn open(folder: &Path, clock: Clock) -> (Arc<dyn Store>, &'static str) {
    let Ok(nodes) = std::env::var("PLAYHEAD_TEST_CQL") else {
        let store = EmbeddedStore::open(&folder.join("store"), table::ALL, Default::default(), clock);
        return (Arc::new(store.unwrap()), "embedded");
    };
    let keyspace = format!("playhead_bench_{}", std::process::id());
    let control_keyspace = format!("{keyspace}_c");
    let (replication, request_timeout_ms) = (1, 60_000);
    let config = ScyllaConfig {
        nodes,
        keyspace,
        control_keyspace,
        replication,
        request_timeout_ms,
        ..ScyllaConfig::default()
    };
    migrate(&config, |_| {}).await.unwrap();
    (Arc::new(ScyllaStore::connect(&config, clock).await.unwrap()), "cql")
}
