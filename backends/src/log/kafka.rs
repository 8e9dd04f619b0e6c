//! The log on Apache Kafka.
//!
//! Calls into the library that block are made on threads of their own or on the runtime's blocking threads, never on those that
//! run tasks. What was chosen and why is in `docs/adr/0009-how-the-log-uses-kafka.md`.

mod clients;
mod closing;
mod config;
mod connectivity;
mod consumer;
mod error;
mod message;
mod producer;
mod reader;
mod security;
mod topic;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use playhead_domain::log::{Consumer, Error, EventLog, Position, Record, StoredRecord, TopicSpec};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::producer::Producer as _;
use tokio::runtime::Handle;

pub use config::{ConfigError, KafkaConfig};
pub use security::{SaslMechanism, SecurityProtocol};

use self::closing::Closing;
use self::producer::Producer;
use self::reader::Readers;
use self::topic::Topic;
use super::check_key_and_meta;

/// How long a dropped log waits for its consumers to leave their groups and for its producer to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The log on Kafka. Drop consumers before it: dropping it waits for those that were dropped to leave their groups, so that
/// others take over at once.
pub struct KafkaLog {
    config: Arc<KafkaConfig>,
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    ensuring: tokio::sync::Mutex<()>,
    producer: Producer,
    readers: Readers,
    closing: Arc<Closing>,
}

/// How the log does, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Whether a broker answers.
    pub is_connected: bool,
    /// Bytes of records that wait to become durable, and how many may.
    pub buffered_bytes: usize,
    pub buffer_bytes: usize,
    /// For how long the oldest of them has been waiting, or longer, in milliseconds.
    pub oldest_ms: u64,
    /// Records acknowledged since the start.
    pub acknowledged: u64,
}

impl KafkaLog {
    /// Starts the producer. Brokers need not be there yet.
    ///
    /// # Errors
    /// When the library refuses the configuration or a thread cannot be started.
    pub fn open(config: KafkaConfig) -> Result<Self, Error> {
        let config = Arc::new(config);
        let closing = Arc::new(Closing::default());
        Ok(Self {
            producer: Producer::start(&config, &closing)?,
            readers: Readers::new(Arc::clone(&config)),
            topics: RwLock::default(),
            ensuring: tokio::sync::Mutex::default(),
            config,
            closing,
        })
    }

    /// Whether brokers answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`], saying what is wrong.
    pub fn check_health(&self) -> Result<(), Error> {
        self.producer.connectivity().check_health()
    }

    /// How the log does.
    #[must_use]
    pub fn status(&self) -> Status {
        let topics = self.topics.read();
        let silences = topics.values().flat_map(|topic| topic.lanes()).map(connectivity::Lane::silent_ms);
        Status {
            is_connected: self.producer.connectivity().is_up(),
            buffered_bytes: self.producer.buffered_bytes(),
            buffer_bytes: self.producer.buffer_bytes(),
            oldest_ms: silences.max().unwrap_or(0),
            acknowledged: self.producer.connectivity().acknowledged(),
        }
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        self.topics.read().get(name).cloned().ok_or_else(|| Error::UnknownTopic(name.to_owned()))
    }

    /// Refuses a topic whose records this process could not hold.
    fn check_fits(&self, spec: &TopicSpec) -> Result<(), Error> {
        if spec.max_record_bytes < self.config.buffer_bytes / 2 {
            return Ok(());
        }
        let detail = format!("a record may take half of kafka.buffer_bytes = {}", self.config.buffer_bytes);
        Err(Error::TopicMismatch { topic: spec.name.to_owned(), detail })
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        self.readers.close();
        self.producer.stop(&self.closing);
        self.closing.wait(CLOSE_WITHIN);
    }
}

#[async_trait]
impl EventLog for KafkaLog {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        let _one_at_a_time = self.ensuring.lock().await;
        if self.topics.read().get(topic.name).is_some_and(|known| known.spec == *topic) {
            return Ok(());
        }
        self.check_fits(topic)?;
        self.producer.connectivity().check()?;
        let (config, spec, runtime) = (Arc::clone(&self.config), topic.clone(), Handle::current());
        let ensured = tokio::task::spawn_blocking(move || topic::ensure(&config, &spec, &runtime));
        if let Err(error) = ensured.await.map_err(error::unavailable)? {
            // Where no broker answers at all, the reason is known better.
            if error.is_retryable() {
                self.check_health()?;
            }
            return Err(error);
        }
        let name = self.config.full_name(topic.name);
        self.producer.note_topic(&name);
        self.topics.write().insert(topic.name.to_owned(), Arc::new(Topic::new(topic.clone(), name)));
        Ok(())
    }

    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error> {
        let topic = self.topic(topic)?;
        let (bytes, limit) = (record.value.len(), topic.spec.max_record_bytes);
        if bytes > limit {
            return Err(Error::TooLarge { bytes, limit });
        }
        check_key_and_meta(&record)?;
        self.producer.append(&topic, record).await
    }

    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error> {
        let topic = self.topic(topic)?;
        topic.check_partition(partition)?;
        self.producer.connectivity().check()?;
        let (client, timeout) = (self.producer.asking(), self.config.request_timeout());
        let asked = tokio::task::spawn_blocking(move || {
            let kept = client.client().fetch_watermarks(&topic.name, message::id(partition), timeout);
            kept.map_err(|error| error::of_request(&error, &topic.name, partition))
        });
        let (first, end) = asked.await.map_err(error::unavailable)??;
        Ok(u64::try_from(first).unwrap_or_default()..u64::try_from(end).unwrap_or_default())
    }

    async fn consume(&self, topic: &str, group: &str) -> Result<Box<dyn Consumer>, Error> {
        let topic = self.topic(topic)?;
        let group = self.config.full_name(group);
        Ok(Box::new(consumer::GroupConsumer::join(&self.config, &self.closing, topic, &group)?))
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error> {
        let topic = self.topic(topic)?;
        topic.check_partition(partition)?;
        self.producer.connectivity().check()?;
        self.readers.read(topic, partition, offset, max_bytes, wait).await
    }
}

/// What the library has to tell of its inner life. What matters comes as an error, too.
fn log_line(level: RDKafkaLogLevel, facility: &str, line: &str) {
    tracing::debug!(target: "librdkafka", ?level, facility, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::topic;

    #[tokio::test]
    async fn brokers_that_are_not_there_are_explained() {
        let config = KafkaConfig {
            brokers: "127.0.0.1:1".to_owned(),
            request_timeout_ms: 1_000,
            outage_after_ms: 100,
            ..KafkaConfig::default()
        };
        config.validate().unwrap();
        let log = KafkaLog::open(config).unwrap();
        let error = log.ensure_topic(&topic::PROJECTS).await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("127.0.0.1:1"), "{error}");
        assert!(log.check_health().is_err() && !log.status().is_connected);
    }
}
