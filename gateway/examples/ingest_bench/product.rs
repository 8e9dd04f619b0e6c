//! The gateway over a log, as the product wires them.

use std::path::Path;
use std::sync::Arc;

use playhead_backends::clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::log::kafka::{KafkaConfig, KafkaLog};
use playhead_domain::id::ProjectId;
use playhead_domain::log::EventLog;
use playhead_domain::project::{self, ProjectDirectory};
use playhead_domain::row::Project;
use playhead_domain::topic;
use playhead_gateway::{Clock, Config, Gateway, Quota};
use playhead_proto::key::{InstallationKey, PublicKeys};

use crate::Server;

const PROJECT: u64 = 1;

fn installation() -> InstallationKey {
    InstallationKey::new([7; 32])
}

/// The key that the bench's client sends.
pub(crate) fn public_key() -> String {
    PublicKeys::new(&installation()).issue(ProjectId(PROJECT))
}

pub(crate) fn embedded(folder: &Path) -> Arc<dyn EventLog> {
    let log = EmbeddedLog::open(&folder.join("log"), LogConfig::default(), clock::Clock::system());
    Arc::new(log.unwrap())
}

pub(crate) fn kafka(config: KafkaConfig) -> Arc<dyn EventLog> {
    Arc::new(KafkaLog::open(config).unwrap())
}

pub(crate) async fn serve(log: Arc<dyn EventLog>) -> Server {
    log.ensure_topic(&topic::batches(topic::BATCHES_PARTITIONS, topic::BATCHES_RETENTION)).await.unwrap();
    let project = Project { tenant: 1, project: PROJECT, ..Project::default() };
    project::publish(&*log, &project).await.unwrap();
    let directory = Arc::new(ProjectDirectory::new());
    let follow = tokio::spawn({
        let (directory, log) = (directory.clone(), log.clone());
        async move { directory.follow(log).await.unwrap() }
    });
    let unlimited = Quota {
        rate_bytes_per_s: 1 << 40,
        burst_bytes: 1 << 40,
        rate_requests_per_s: 1 << 30,
        burst_requests: 1 << 30,
        session_rate_bytes_per_s: 1 << 40,
        session_burst_bytes: 1 << 40,
    };
    let config = Config { quota: unlimited, ..Config::default() };
    let registry = prometheus::Registry::new();
    let gateway = Gateway::new(config, log, directory, &installation(), &registry, Clock::system()).unwrap();
    while !gateway.ready() {
        tokio::task::yield_now().await;
    }
    let mut server = Server::start(gateway.router()).await;
    server.tasks.push(follow);
    server
}
