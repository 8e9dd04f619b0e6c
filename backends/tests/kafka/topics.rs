//! Topics are made as they must be, or refused with what differs.

use std::time::Duration;

use playhead_backends::log::kafka::KafkaConfig;
use playhead_domain::log::{Error, EventLog, Retention, TopicSpec};
use rdkafka::admin::{AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};

use crate::cluster::{Cluster, EVENTS, admin, client};

async fn settings(topic: &str) -> Vec<(String, String)> {
    let resource = ResourceSpecifier::Topic(topic);
    let described = admin().describe_configs([&resource], &AdminOptions::new()).await.unwrap();
    let entries = described.into_iter().next().unwrap().unwrap().entries;
    entries.into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_topic_is_made_with_its_settings() {
    let cluster = Cluster::new();
    let log = cluster.open();
    log.ensure_topic(&EVENTS).await.unwrap();
    let newest = TopicSpec { name: "newest", retention: Retention::NewestPerKey, ..EVENTS };
    log.ensure_topic(&newest).await.unwrap();
    let (events, newest) =
        (settings(&cluster.topic("events")).await, settings(&cluster.topic("newest")).await);
    let value = |settings: &[(String, String)], name: &str| {
        settings.iter().find(|(found, _)| found == name).unwrap().1.clone()
    };
    for (name, expected) in [
        ("cleanup.policy", "delete"),
        ("retention.ms", "3600000"),
        ("retention.bytes", "-1"),
        ("segment.ms", "450000"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.insync.replicas", &cluster.config.min_insync_replicas.to_string()),
    ] {
        assert_eq!(value(&events, name), expected, "{name}");
    }
    assert_eq!(value(&newest, "cleanup.policy"), "compact");
    let largest: usize = value(&events, "max.message.bytes").parse().unwrap();
    assert!(largest > cluster.config.batch_bytes, "{largest}");
}

#[tokio::test]
async fn what_differs_is_named() {
    let cluster = Cluster::new();
    let defaults =
        ["retention.ms=3600000", "message.timestamp.type=LogAppendTime", "max.message.bytes=2000000"];
    let name = cluster.topic("events");
    for (partitions, changed, expected) in [
        (3, "", "it has 3 partitions, not 4"),
        (4, "retention.ms=60000", "its retention.ms is 60000, not 3600000"),
        (4, "max.message.bytes=1000", "its max.message.bytes is 1000, not at least"),
        (4, "cleanup.policy=compact", "its cleanup.policy is compact, not delete"),
        (4, "message.timestamp.type=CreateTime", "its message.timestamp.type is CreateTime"),
        (4, "retention.bytes=1000000", "its retention.bytes is 1000000, not -1"),
        (4, "unclean.leader.election.enable=true", "unclean.leader.election.enable"),
        (4, "replicas", "it has 1 replicas, not at least 2"),
    ] {
        let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        for setting in defaults.iter().chain([&changed]).filter_map(|setting| setting.split_once('=')) {
            topic.config.retain(|(name, _)| *name != setting.0);
            topic = topic.set(setting.0, setting.1);
        }
        admin().create_topics([&topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
        let mut config = KafkaConfig { replication: 1, min_insync_replicas: 1, ..cluster.config.clone() };
        config.replication += u32::from(changed == "replicas");
        let log = playhead_backends::log::kafka::KafkaLog::open(config).unwrap();
        match log.ensure_topic(&EVENTS).await.unwrap_err() {
            Error::TopicMismatch { topic, detail } => {
                assert_eq!(topic, name);
                assert!(detail.contains(expected), "{detail}");
                assert!(!detail.contains(';'), "only that differs: {detail}");
            }
            other => panic!("{other}"),
        }
        admin().delete_topics(&[&name], &AdminOptions::new()).await.unwrap();
        wait_until_gone(&name).await;
    }
}

async fn wait_until_gone(name: &str) {
    let name = name.to_owned();
    let ask = move || {
        let client: rdkafka::consumer::BaseConsumer = client().create().unwrap();
        loop {
            let metadata =
                rdkafka::consumer::Consumer::fetch_metadata(&client, None, Duration::from_secs(10));
            if metadata.unwrap().topics().iter().all(|topic| topic.name() != name) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    tokio::task::spawn_blocking(ask).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_make_a_topic_at_once() {
    let cluster = Cluster::new();
    let ensuring = (0..4).map(|_| {
        let log = cluster.open();
        tokio::spawn(async move {
            log.ensure_topic(&EVENTS).await.unwrap();
            log.offsets(EVENTS.name, 3).await.unwrap()
        })
    });
    for ensured in ensuring.collect::<Vec<_>>() {
        assert_eq!(ensured.await.unwrap(), 0..0);
    }
}

#[tokio::test]
async fn more_replicas_than_brokers_are_explained() {
    let mut cluster = Cluster::new();
    cluster.config.replication = 50;
    let error = cluster.open().ensure_topic(&EVENTS).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("kafka.replication"), "{error}");
}
