//! The log's contract, on a real Kafka.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

#[path = "kafka/cluster.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod cluster;

use std::sync::Arc;

use playhead_backends::log::kafka::KafkaLog;
use playhead_domain::log::EventLog;
use playhead_domain::testkit::clock::ManualClock;
use playhead_domain::testkit::log::Fixture;

use cluster::Cluster;

struct OnKafka {
    clock: ManualClock,
    cluster: Cluster,
    log: Option<Arc<KafkaLog>>,
}

impl OnKafka {
    fn open() -> Self {
        let cluster = Cluster::new();
        let log = Some(Arc::new(cluster.open()));
        Self { clock: ManualClock::default(), cluster, log }
    }
}

impl Fixture for OnKafka {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone().unwrap()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn controls_time(&self) -> bool {
        false
    }

    fn reopen(&mut self) -> bool {
        let log = self.log.take().unwrap();
        assert_eq!(Arc::strong_count(&log), 1, "somebody still holds it");
        drop(log);
        self.log = Some(Arc::new(self.cluster.open()));
        true
    }
}

playhead_domain::log_contract!(OnKafka::open());
