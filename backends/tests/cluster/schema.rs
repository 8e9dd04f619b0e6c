//! Migrations.

use std::sync::{Arc, Mutex};

use playhead_backends::clock::Clock;
use playhead_backends::store::scylla::{ScyllaConfig, ScyllaStore, migrate};
use playhead_domain::store::Error;
use playhead_domain::table;

use super::fixture::{drop_keyspaces, fresh_config, plain_session};

async fn refusal(config: &ScyllaConfig) -> String {
    let refused = ScyllaStore::connect(config, Clock::system()).await.unwrap_err();
    assert!(matches!(refused, Error::Unusable(_)) && !refused.is_retryable(), "{refused}");
    refused.to_string()
}

/// Four processes that start at once: each returns when the schema is there, and each version is applied by one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_migrate_at_once() {
    let config = fresh_config();
    assert!(refusal(&config).await.contains("run playhead migrate"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let tasks = (0..4).map(|_| {
        let (config, said) = (config.clone(), Arc::clone(&said));
        tokio::spawn(async move {
            migrate(&config, |step| said.lock().unwrap().push(step.to_owned())).await.unwrap();
            let store = ScyllaStore::connect(&config, Clock::system()).await.unwrap();
            store.check_health().await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let said = said.lock().unwrap().clone();
    let count = |step: &str| said.iter().filter(|said| *said == step).count();
    // Each version is applied by one of the four; all but the one that drops a table make those that are not there.
    let versions: Vec<&String> = said.iter().filter(|step| step.starts_with("version ")).collect();
    assert!(!versions.is_empty() && versions.iter().all(|version| count(version) == 1), "{said:?}");
    for table in table::ALL {
        let step = format!("table {}", table.name);
        assert_eq!(count(&step), versions.len() - table::RETIRED.len(), "{step} in {said:?}");
    }
    migrate(&config, |step| assert!(!step.starts_with("table"), "again: {step}")).await.unwrap();
    drop_keyspaces(&config).await;
}

/// What a newer program wrote is left alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused() {
    let config = fresh_config();
    migrate(&config, |_| ()).await.unwrap();
    let newer = format!(
        "INSERT INTO {}.schema_migrations (kind, version) VALUES ('migration', 999)",
        config.control_keyspace
    );
    plain_session().await.query_unpaged(newer, ()).await.unwrap();
    assert!(refusal(&config).await.contains("newer version"));
    let refused = migrate(&config, |_| ()).await.unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
    drop_keyspaces(&config).await;
}

/// A lock whose holder died is free once its time is over; until then others wait and do nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_holder_blocks_only_for_a_while() {
    let config = fresh_config();
    migrate(&config, |_| ()).await.unwrap();
    let session = plain_session().await;
    let table = format!("{}.schema_migrations", config.control_keyspace);
    let lock = format!(
        "UPDATE {table} USING TTL 5 SET holder = 'dead' WHERE kind = 'lock' AND version = 0 IF holder = null"
    );
    session.query_unpaged(lock, ()).await.unwrap();
    session.query_unpaged(format!("DELETE FROM {table} WHERE kind = 'migration'"), ()).await.unwrap();
    let mut said = Vec::new();
    migrate(&config, |step| said.push(step.to_owned())).await.unwrap();
    assert!(said[0].contains("waiting for another process"), "{said:?}");
    assert!(said.iter().any(|step| step == "table session_state"), "{said:?}");
    drop_keyspaces(&config).await;
}

/// Fewer nodes than copies: refused before anything is created.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_copies_than_nodes_are_refused() {
    let config = ScyllaConfig { replication: 9, ..fresh_config() };
    let refused = migrate(&config, |_| ()).await.unwrap_err();
    assert!(matches!(&refused, Error::Unusable(detail) if detail.contains("replication is 9")), "{refused}");
}
