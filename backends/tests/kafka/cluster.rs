//! The Kafka that tests use, with names of their own for every test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use playhead_backends::log::kafka::{KafkaConfig, KafkaLog};
use playhead_domain::log::{EventLog, Position, Record, Retention, TopicSpec};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

/// Long enough that nobody waits for it in vain.
pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const MANY: usize = 1 << 20;

pub(crate) const EVENTS: TopicSpec = TopicSpec {
    name: "events",
    partitions: 4,
    retention: Retention::Time(Duration::from_secs(3_600)),
    max_record_bytes: 64 << 10,
};

/// Where Kafka is.
pub(crate) fn brokers() -> String {
    std::env::var("PLAYHEAD_TEST_KAFKA").unwrap_or_else(|_| {
        panic!(
            "PLAYHEAD_TEST_KAFKA names no brokers: start them with `make services` and run `make test-live`"
        )
    })
}

/// Topics with a prefix of their own. They are deleted at the end.
pub(crate) struct Cluster {
    pub(crate) config: KafkaConfig,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self::at(brokers())
    }

    /// Its brokers, reached by another address.
    pub(crate) fn at(brokers: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let (number, process) = (NUMBER.fetch_add(1, Ordering::Relaxed), std::process::id());
        let prefix = format!("test-{}-{process}-{number}-", since_epoch.as_millis());
        // A cluster of one broker has to do for a quick run.
        let (replication, min_insync_replicas) = if brokers.contains(',') { (3, 2) } else { (1, 1) };
        let config =
            KafkaConfig { brokers, prefix, replication, min_insync_replicas, ..KafkaConfig::default() };
        config.validate().unwrap();
        Self { config }
    }

    pub(crate) fn open(&self) -> KafkaLog {
        KafkaLog::open(self.config.clone()).unwrap()
    }

    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.config.prefix)
    }
}

pub(crate) fn admin() -> AdminClient<DefaultClientContext> {
    client().create().unwrap()
}

pub(crate) fn client() -> ClientConfig {
    ClientConfig::from_iter(HashMap::from([("bootstrap.servers".to_owned(), brokers())]))
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let names = ["events", "newest", "batches"].map(|name| self.topic(name));
        let delete = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // Those that the test did not make are not there.
            let _ = runtime.block_on(admin().delete_topics(&names, &AdminOptions::new()));
        };
        // Not on a thread that runs tasks.
        std::thread::spawn(delete).join().unwrap();
    }
}

pub(crate) fn record(key: &str, value: impl Into<Bytes>) -> Record {
    Record {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: value.into(),
        meta: Bytes::from_static(b"meta"),
    }
}

pub(crate) async fn append(log: &dyn EventLog, key: &str, value: impl Into<Bytes>) -> Position {
    log.append(EVENTS.name, record(key, value)).await.unwrap()
}

/// Waits for something that happens in the background. Panics when it does not happen for a very long time.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut happened: impl FnMut() -> F) {
    let waiting = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(LONG * 2, waiting).await.is_ok(), "never happened: {what}");
}
