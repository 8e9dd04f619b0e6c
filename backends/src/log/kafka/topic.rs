//! Topics: made as the program needs them, or checked and refused with what differs.

use std::time::{Duration, Instant};

use playhead_domain::log::{Error, Retention, TopicSpec};
use rdkafka::ClientContext;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::Handle;

use super::config::KafkaConfig;
use super::connectivity::Lane;
use super::{error, log_line, message};
use crate::log::{MAX_KEY_BYTES, MAX_META_BYTES};

/// What a record and its batch take beside key, value and meta, at most.
const FRAMING_BYTES: usize = 1 << 10;
/// Retention takes whole segments: a record goes at most this part of the retention late.
const SEGMENTS: u128 = 8;
const MIN_SEGMENT_MS: u128 = 60_000;
const MAX_SEGMENT_MS: u128 = 7 * 86_400_000;
/// How long a topic may take to get its leaders.
const LEADERS_WITHIN: Duration = Duration::from_secs(30);

/// A topic that this process uses.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) spec: TopicSpec,
    /// Its name in Kafka.
    pub(super) name: String,
    lanes: Vec<Lane>,
}

impl Topic {
    pub(super) fn new(spec: TopicSpec, name: String) -> Self {
        let lanes = (0..spec.partitions).map(|_| Lane::default()).collect();
        Self { spec, name, lanes }
    }

    pub(super) fn lane(&self, partition: u32) -> &Lane {
        &self.lanes[partition as usize]
    }

    pub(super) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Refuses a partition that the topic does not have.
    pub(super) fn check_partition(&self, partition: u32) -> Result<(), Error> {
        if partition < self.spec.partitions {
            return Ok(());
        }
        Err(Error::OutOfRange { partition, offset: 0, kept: 0..0 })
    }
}

/// Makes the topic, or checks it. Blocks.
pub(super) fn ensure(config: &KafkaConfig, spec: &TopicSpec, runtime: &Handle) -> Result<(), Error> {
    let name = config.full_name(spec.name);
    let settings = Settings::of(config, spec);
    let admin = Admin::open(config, runtime)?;
    match admin.create(&name, spec, &settings) {
        Ok(()) => {
            admin.wait_for_leaders(&name, spec.partitions)?;
            tracing::info!(topic = name, partitions = spec.partitions, "the Kafka topic was created");
            Ok(())
        }
        Err(RDKafkaErrorCode::TopicAlreadyExists) => admin.check(&name, spec, &settings),
        // Where others make the topics, this process may only look at them.
        Err(
            code
            @ (RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed),
        ) => admin.check(&name, spec, &settings).map_err(|failed| match failed {
            Error::UnknownTopic(_) => error::of_code(code, &name, 0),
            failed => failed,
        }),
        Err(code) => {
            Err(Error::Unavailable(format!("topic {name} cannot be created: {}", error::explain(code))))
        }
    }
}

/// What a topic is made with.
struct Settings {
    replication: u32,
    min_insync_replicas: u32,
    /// The largest batch that the producer may send.
    max_message_bytes: usize,
    retention_ms: Option<u128>,
}

impl Settings {
    fn of(config: &KafkaConfig, spec: &TopicSpec) -> Self {
        let record = spec.max_record_bytes + MAX_KEY_BYTES + MAX_META_BYTES;
        Self {
            replication: config.replication,
            min_insync_replicas: config.min_insync_replicas,
            // Small records are sent many at once, and Kafka's limit is one of what is sent.
            max_message_bytes: record.max(config.batch_bytes) + FRAMING_BYTES,
            retention_ms: match spec.retention {
                Retention::Time(kept) => Some(kept.as_millis()),
                Retention::NewestPerKey => None,
            },
        }
    }

    /// What must be as it is, by Kafka's name.
    fn exact(&self) -> Vec<(&'static str, String)> {
        let mut exact = vec![
            ("cleanup.policy", if self.retention_ms.is_some() { "delete" } else { "compact" }.to_owned()),
            ("message.timestamp.type", "LogAppendTime".to_owned()),
        ];
        if let Some(retention_ms) = self.retention_ms {
            exact.push(("retention.ms", retention_ms.to_string()));
            exact.push(("retention.bytes", "-1".to_owned()));
        }
        exact
    }

    /// What must be at least so much.
    fn at_least(&self) -> [(&'static str, u64); 2] {
        [
            ("max.message.bytes", self.max_message_bytes as u64),
            ("min.insync.replicas", self.min_insync_replicas.into()),
        ]
    }

    /// All that a new topic is given.
    fn all(&self) -> Vec<(&'static str, String)> {
        let mut all = self.exact();
        all.extend(self.at_least().map(|(name, value)| (name, value.to_string())));
        if let Some(retention_ms) = self.retention_ms {
            let segment_ms = (retention_ms / SEGMENTS).clamp(MIN_SEGMENT_MS, MAX_SEGMENT_MS);
            all.push(("segment.ms", segment_ms.to_string()));
        }
        all
    }

    /// What differs in an existing topic, for people.
    fn differences(&self, spec: &TopicSpec, topic: &MetadataTopic, present: &ConfigResource) -> Vec<String> {
        let mut differences = Vec::new();
        let partitions = topic.partitions();
        if partitions.len() != spec.partitions as usize {
            differences.push(format!("it has {} partitions, not {}", partitions.len(), spec.partitions));
        }
        let replicas = partitions.iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
        if replicas < self.replication as usize {
            differences.push(format!("it has {replicas} replicas, not at least {}", self.replication));
        }
        let value = |name| present.get(name).and_then(|entry| entry.value.as_deref()).unwrap_or("unset");
        for (name, expected) in self.exact() {
            let found = value(name);
            if found != expected {
                differences.push(format!("its {name} is {found}, not {expected}"));
            }
        }
        for (name, least) in self.at_least() {
            let found = value(name);
            if found.parse::<u64>().is_ok_and(|found| found < least) {
                differences.push(format!("its {name} is {found}, not at least {least}"));
            }
        }
        if value("unclean.leader.election.enable") == "true" {
            differences.push("its unclean.leader.election.enable is true, which may lose records".to_owned());
        }
        differences
    }
}

/// The administrator's client, open for one question.
struct Admin<'a> {
    client: AdminClient<Quiet>,
    runtime: &'a Handle,
    timeout: Duration,
}

struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "a question about topics met an error");
    }
}

impl<'a> Admin<'a> {
    fn open(config: &KafkaConfig, runtime: &'a Handle) -> Result<Self, Error> {
        let client = config.client().create_with_context(Quiet).map_err(error::unavailable)?;
        Ok(Self { client, runtime, timeout: config.request_timeout() })
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout))
    }

    fn create(&self, name: &str, spec: &TopicSpec, settings: &Settings) -> Result<(), RDKafkaErrorCode> {
        let all = settings.all();
        let replication = TopicReplication::Fixed(message::id(settings.replication));
        let mut topic = NewTopic::new(name, message::id(spec.partitions), replication);
        for (setting, value) in &all {
            topic = topic.set(setting, value);
        }
        let results = self.runtime.block_on(self.client.create_topics([&topic], &self.options()));
        let code = |error: KafkaError| match error {
            KafkaError::AdminOp(code) => code,
            other => other.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
        };
        match results.map_err(code)?.pop() {
            Some(Err((_, code))) => Err(code),
            _ => Ok(()),
        }
    }

    /// Waits until every partition has a leader that knows it: metadata tell of leaders before these have heard of it themselves.
    fn wait_for_leaders(&self, name: &str, partitions: u32) -> Result<(), Error> {
        let begun = Instant::now();
        let led = |topic: &MetadataTopic| {
            let partitions_led = topic.partitions().iter().filter(|partition| partition.leader() >= 0);
            partitions_led.count() == partitions as usize
        };
        let mut answering = 0;
        loop {
            if matches!(self.with_metadata(name, led), Ok(true)) {
                let answers = |&partition: &u32| {
                    self.client.inner().fetch_watermarks(name, message::id(partition), self.timeout).is_ok()
                };
                answering += (answering..partitions).take_while(answers).count() as u32;
                if answering == partitions {
                    return Ok(());
                }
            }
            if begun.elapsed() > LEADERS_WITHIN {
                return Err(Error::Unavailable(format!("topic {name} was created, but has no leaders yet")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn with_metadata<T>(&self, name: &str, look: impl FnOnce(&MetadataTopic) -> T) -> Result<T, Error> {
        let metadata = self.client.inner().fetch_metadata(Some(name), self.timeout);
        let metadata = metadata.map_err(|error| error::of_request(&error, name, 0))?;
        let unknown = || Error::UnknownTopic(name.to_owned());
        let topic = metadata.topics().first().ok_or_else(unknown)?;
        match topic.error() {
            None => Ok(look(topic)),
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => Err(unknown()),
            Some(code) => Err(error::of_code(code.into(), name, 0)),
        }
    }

    fn check(&self, name: &str, spec: &TopicSpec, settings: &Settings) -> Result<(), Error> {
        let begun = Instant::now();
        // Another process may have made it just now, and not every broker knows of it yet.
        let present = loop {
            let known = self.with_metadata(name, |_| ()).and_then(|()| self.describe(name));
            match known {
                Err(Error::UnknownTopic(_)) if begun.elapsed() < self.timeout => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                known => break known?,
            }
        };
        let differences = self.with_metadata(name, |topic| settings.differences(spec, topic, &present))?;
        if differences.is_empty() {
            return Ok(());
        }
        let detail = format!("{} (alter the topic or the configuration)", differences.join("; "));
        Err(Error::TopicMismatch { topic: name.to_owned(), detail })
    }

    fn describe(&self, name: &str) -> Result<ConfigResource, Error> {
        let resource = ResourceSpecifier::Topic(name);
        let described = self.runtime.block_on(self.client.describe_configs([&resource], &self.options()));
        match described.map_err(error::unavailable)?.pop() {
            Some(Ok(present)) if !present.entries.is_empty() => Ok(present),
            // A broker that does not know the topic describes it as nothing.
            Some(Ok(_) | Err(RDKafkaErrorCode::UnknownTopicOrPartition)) | None => {
                Err(Error::UnknownTopic(name.to_owned()))
            }
            Some(Err(code)) => {
                let detail = format!("topic {name} cannot be checked: {}", error::explain(code));
                Err(Error::Unavailable(detail))
            }
        }
    }
}
