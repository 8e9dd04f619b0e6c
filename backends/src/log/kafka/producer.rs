//! Appending: one idempotent producer per process, whose delivery reports answer the appends.
//!
//! After an outage and after an error that the library calls fatal the producer is replaced by a new one: what the old one held
//! is given up, and says so. (Emptying its queue is no alternative: the gap in its sequence numbers would be refused.)

mod link;
mod questions;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use playhead_domain::log::{Error, Position, Record};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::link::Link;
use super::closing::Closing;
use super::config::KafkaConfig;
use super::connectivity::Connectivity;
use super::topic::Topic;
use super::{error, log_line, message};
use crate::log::partition_of;

pub(super) type Client = BaseProducer<Deliveries>;

/// What a permit of the budget stands for, in bytes.
const PERMIT_BYTES: usize = 1 << 10;
/// What a record costs beside its bytes, in bytes: the library's and our own bookkeeping.
const RECORD_BYTES: usize = 512;
/// How much longer than the library an append waits for its report.
const REPORT_GRACE: Duration = Duration::from_secs(5);

/// The producer and its threads.
pub(super) struct Producer {
    link: Arc<Link>,
    budget: Arc<Semaphore>,
    buffer_bytes: usize,
    stall_after_ms: u64,
    report_timeout: Duration,
}

impl Producer {
    pub(super) fn start(config: &KafkaConfig, closing: &Arc<Closing>) -> Result<Self, Error> {
        let connectivity = Arc::new(Connectivity::default());
        let outage_after = Duration::from_millis(config.outage_after_ms);
        let link = Link::new(config.producer(), config.questions(), outage_after, connectivity);
        let link = Arc::new(link.map_err(error::unavailable)?);
        let spawn = |name: &str, work: fn(&Link)| {
            let (link, closing) = (Arc::clone(&link), Arc::clone(closing));
            let work = move || {
                work(&link);
                closing.end();
            };
            thread::Builder::new().name(name.to_owned()).spawn(work).map_err(error::unavailable)
        };
        spawn("kafka-reports", Link::serve_reports)?;
        spawn("kafka-watch", Link::watch)?;
        Ok(Self {
            link,
            budget: Arc::new(Semaphore::new(config.buffer_bytes / PERMIT_BYTES)),
            buffer_bytes: config.buffer_bytes / PERMIT_BYTES * PERMIT_BYTES,
            stall_after_ms: config.stall_after_ms,
            report_timeout: Duration::from_millis(config.delivery_timeout_ms) + REPORT_GRACE,
        })
    }

    pub(super) async fn append(&self, topic: &Arc<Topic>, record: Record) -> Result<Position, Error> {
        let answer = self.send(topic, &record)?;
        // The library has its own copy: the original must not lie beside it while this waits.
        drop(record);
        match tokio::time::timeout(self.report_timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Unavailable("the log is closing".to_owned())),
            Err(_) => Err(Error::Unavailable("the producer gave no report".to_owned())),
        }
    }

    fn send(
        &self,
        topic: &Arc<Topic>,
        record: &Record,
    ) -> Result<oneshot::Receiver<Result<Position, Error>>, Error> {
        let connectivity = &self.link.connectivity;
        connectivity.check()?;
        let partition = partition_of(&record.key, topic.spec.partitions);
        let lane = topic.lane(partition);
        if let Err(silent_ms) = lane.check(self.stall_after_ms) {
            connectivity.suspect(None);
            let name = &topic.name;
            let detail =
                format!("partition {partition} of {name} does not acknowledge ({silent_ms} ms so far)");
            return Err(Error::Unavailable(detail));
        }
        let permit = self.charge(record)?;
        let client = self.link.client()?;
        let (reply, answer) = oneshot::channel();
        let delivery = Box::new(Delivery { reply, topic: Arc::clone(topic), partition, permit });
        let message = BaseRecord::with_opaque_to(&topic.name, delivery)
            .partition(message::id(partition))
            .key(&record.key[..])
            .payload(&record.value[..])
            .headers(message::headers(&record.meta));
        lane.send();
        connectivity.send();
        if let Err((error, refused)) = client.send(message) {
            drop(refused);
            lane.settle(true);
            connectivity.give_up();
            return Err(error::of_request(&error, &topic.name, partition));
        }
        Ok(answer)
    }

    fn charge(&self, record: &Record) -> Result<OwnedSemaphorePermit, Error> {
        let bytes = record.key.len() + record.value.len() + record.meta.len() + RECORD_BYTES;
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let full = || Error::Busy(format!("{} bytes wait for Kafka", self.buffered_bytes()));
        Arc::clone(&self.budget).try_acquire_many_owned(permits).map_err(|_| full())
    }

    /// Bytes that wait to become durable, with what they cost beside.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.buffer_bytes.saturating_sub(self.budget.available_permits() * PERMIT_BYTES)
    }

    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    pub(super) fn connectivity(&self) -> &Connectivity {
        &self.link.connectivity
    }

    /// The client for questions to the brokers. These block.
    pub(super) fn asking(&self) -> Arc<Client> {
        self.link.asking()
    }

    /// Names a topic that exists.
    pub(super) fn note_topic(&self, name: &str) {
        self.link.note_topic(name);
    }

    /// Tells the threads to end.
    pub(super) fn stop(&self, closing: &Closing) {
        closing.begin();
        closing.begin();
        self.link.stop();
    }
}

/// A record on its way.
pub(super) struct Delivery {
    reply: oneshot::Sender<Result<Position, Error>>,
    topic: Arc<Topic>,
    partition: u32,
    permit: OwnedSemaphorePermit,
}

/// Takes the library's reports.
pub(super) struct Deliveries {
    connectivity: Arc<Connectivity>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // It comes after the broker's own error, which says more.
            Some(RDKafkaErrorCode::AllBrokersDown) => self.connectivity.suspect(None),
            Some(code) => self.connectivity.suspect(Some(&format!("{reason} ({})", error::explain(code)))),
            None => self.connectivity.suspect(Some(reason)),
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Delivery { reply, topic, partition, permit } = *delivery;
        let lane = topic.lane(partition);
        let answer = match result {
            Ok(delivered) => {
                lane.settle(true);
                self.connectivity.acknowledge();
                message::position(delivered)
            }
            Err((error, refused)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                lane.settle(is_refusal(code));
                self.connectivity.give_up();
                if code == RDKafkaErrorCode::MessageSizeTooLarge {
                    Err(Error::TooLarge { bytes: refused.payload_len(), limit: topic.spec.max_record_bytes })
                } else {
                    Err(error::of_code(code, &topic.name, partition))
                }
            }
        };
        drop(permit);
        // Nobody waits for the answer any more when the append was dropped.
        let _ = reply.send(answer);
    }
}

/// Whether a broker refused the very record: the partition itself is fine.
fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidRecord)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use playhead_domain::log::{Retention, TopicSpec};
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    const SPEC: TopicSpec = TopicSpec {
        name: "events",
        partitions: 2,
        retention: Retention::Time(Duration::from_secs(60)),
        max_record_bytes: 1 << 10,
    };

    fn record(key: &str) -> Record {
        Record { key: Bytes::copy_from_slice(key.as_bytes()), value: Bytes::new(), meta: Bytes::new() }
    }

    /// Appends until it goes well. Returns what failed before.
    async fn append_at_last(producer: &Producer, topic: &Arc<Topic>) -> Vec<Error> {
        let mut errors = Vec::new();
        for _ in 0..600 {
            match producer.append(topic, record("a")).await {
                Ok(_) => return errors,
                Err(error) => errors.push(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no append goes well: {errors:?}");
    }

    #[tokio::test]
    async fn a_producer_that_the_library_gave_up_is_replaced() {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic("events", 2, 1).unwrap();
        // The library gives up when it may not have a producer's id.
        let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
        brokers.request_errors(RDKafkaApiKey::InitProducerId, &[refusal]);
        let config = KafkaConfig { brokers: brokers.bootstrap_servers(), ..KafkaConfig::default() };
        let closing = Arc::new(Closing::default());
        let producer = Producer::start(&config, &closing).unwrap();
        let topic = Arc::new(Topic::new(SPEC, "events".to_owned()));
        let errors = append_at_last(&producer, &topic).await;
        assert!(!errors.is_empty() && errors.iter().all(Error::is_retryable), "{errors:?}");
        assert_eq!(producer.buffered_bytes(), 0);
        producer.stop(&closing);
        closing.wait(Duration::from_secs(60));
        assert!(matches!(producer.append(&topic, record("a")).await, Err(Error::Unavailable(_))), "closed");
    }

    #[tokio::test]
    async fn a_partition_that_stalls_is_left_alone_and_the_others_are_not() {
        let brokers = MockCluster::new(2).unwrap();
        brokers.create_topic("events", 2, 1).unwrap();
        let stalled = partition_of(&record("a").key, 2);
        brokers.partition_leader("events", message::id(stalled), Some(1)).unwrap();
        brokers.partition_leader("events", message::id(1 - stalled), Some(2)).unwrap();
        let config = KafkaConfig {
            brokers: brokers.bootstrap_servers(),
            stall_after_ms: 200,
            delivery_timeout_ms: 300_000,
            ..KafkaConfig::default()
        };
        let closing = Arc::new(Closing::default());
        let producer = Arc::new(Producer::start(&config, &closing).unwrap());
        let topic = Arc::new(Topic::new(SPEC, "events".to_owned()));
        append_at_last(&producer, &topic).await;
        brokers.broker_round_trip_time(1, Duration::from_secs(4)).unwrap();
        let waiting = {
            let (producer, topic) = (Arc::clone(&producer), Arc::clone(&topic));
            tokio::spawn(async move { producer.append(&topic, record("a")).await })
        };
        while topic.lane(stalled).silent_ms() <= config.stall_after_ms {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let refused = producer.append(&topic, record("a")).await.unwrap_err();
        assert!(refused.to_string().contains("does not acknowledge"), "{refused}");
        let mut others = (0..).map(|key| record(&key.to_string()));
        let other = others.find(|other| partition_of(&other.key, 2) != stalled).unwrap();
        producer.append(&topic, other).await.unwrap();
        brokers.broker_round_trip_time(1, Duration::ZERO).unwrap();
        waiting.await.unwrap().unwrap();
        producer.append(&topic, record("a")).await.unwrap();
        producer.stop(&closing);
    }
}
