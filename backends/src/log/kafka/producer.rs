//! Appending: one idempotent producer per process, whose delivery reports answer the appends.
//!
//! After an outage and after an error that the library calls fatal the producer is replaced by a new one: what the old one held
//! is given up, and says so. (Emptying its queue is no alternative: the gap in its sequence numbers would be refused.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use playhead_domain::log::{Error, Position, Record};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

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
/// How long the thread waits for reports before it looks whether it is to end.
const POLL: Duration = Duration::from_millis(100);
/// How often the brokers are asked while there is no reason to.
const CALM: Duration = Duration::from_secs(5);
/// How often they are asked while there is one.
const CONCERN: Duration = Duration::from_millis(250);
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
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

/// What the threads share.
struct Link {
    config: ClientConfig,
    outage_after: Duration,
    connectivity: Arc<Connectivity>,
    /// None once it is closed.
    client: RwLock<Option<Arc<Client>>>,
    /// Replaced, and not closed yet.
    retired: Mutex<Vec<Arc<Client>>>,
    /// A topic that is known to exist, to ask the brokers about.
    known_topic: Mutex<Option<String>>,
    stopping: AtomicBool,
}

impl Producer {
    pub(super) fn start(config: &KafkaConfig, closing: &Arc<Closing>) -> Result<Self, Error> {
        let connectivity = Arc::new(Connectivity::default());
        let client_config = config.producer();
        let client = create(&client_config, &connectivity).map_err(|error| error::unavailable(&error))?;
        let link = Arc::new(Link {
            config: client_config,
            outage_after: Duration::from_millis(config.outage_after_ms),
            connectivity,
            client: RwLock::new(Some(client)),
            retired: Mutex::default(),
            known_topic: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
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

    pub(super) async fn append(&self, topic: &Arc<Topic>, record: &Record) -> Result<Position, Error> {
        let answer = self.send(topic, record)?;
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
        let delivery = Box::new(Delivery { reply, topic: Arc::clone(topic), partition, _permit: permit });
        let message = BaseRecord::with_opaque_to(&topic.name, delivery)
            .partition(message::id(partition))
            .key(&record.key[..])
            .payload(&record.value[..])
            .headers(message::headers(&record.meta));
        lane.send();
        if let Err((error, refused)) = client.send(message) {
            drop(refused);
            lane.settle(true);
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

    /// The client, for questions to the brokers. These block.
    pub(super) fn client(&self) -> Result<Arc<Client>, Error> {
        self.link.client()
    }

    /// Names a topic that exists.
    pub(super) fn note_topic(&self, name: &str) {
        *self.link.known_topic.lock() = Some(name.to_owned());
    }

    /// Tells the threads to end.
    pub(super) fn stop(&self, closing: &Closing) {
        closing.begin();
        closing.begin();
        self.link.stopping.store(true, Ordering::Relaxed);
        self.link.connectivity.stop();
    }
}

fn create(config: &ClientConfig, connectivity: &Arc<Connectivity>) -> Result<Arc<Client>, KafkaError> {
    let deliveries = Deliveries { connectivity: Arc::clone(connectivity), failed: AtomicBool::new(false) };
    Ok(Arc::new(config.create_with_context(deliveries)?))
}

impl Link {
    fn client(&self) -> Result<Arc<Client>, Error> {
        let closed = || Error::Unavailable("the log is closing".to_owned());
        self.client.read().clone().ok_or_else(closed)
    }

    /// Hands delivery reports to those who wait for them.
    fn serve_reports(&self) {
        while !self.stopping.load(Ordering::Relaxed) {
            if let Ok(client) = self.client() {
                client.poll(POLL);
                if client.context().failed.load(Ordering::Relaxed) {
                    self.renew();
                }
            }
            self.close_retired();
        }
        self.retired.lock().extend(self.client.write().take());
        let begun = Instant::now();
        while !self.close_retired() && begun.elapsed() < REPORT_GRACE {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Closes those that nobody uses any more; their reports come while they close. Returns whether none is left.
    fn close_retired(&self) -> bool {
        let mut closable = Vec::new();
        let is_empty = {
            let mut retired = self.retired.lock();
            for client in std::mem::take(&mut *retired) {
                match Arc::try_unwrap(client) {
                    Ok(client) => closable.push(client),
                    Err(used) => retired.push(used),
                }
            }
            retired.is_empty()
        };
        for client in closable {
            client.purge(PurgeConfig::default().queue().inflight());
            if let Err(error) = client.flush(REPORT_GRACE) {
                tracing::warn!(%error, "a Kafka producer closed without all its reports");
            }
        }
        is_empty
    }

    /// Puts a new producer in the place of the present one, which is given up with what it holds.
    fn renew(&self) {
        match create(&self.config, &self.connectivity) {
            Ok(new) => {
                let mut client = self.client.write();
                if client.is_some() {
                    let old = client.replace(new);
                    self.retired.lock().extend(old);
                }
            }
            Err(error) => tracing::error!(%error, "the Kafka producer cannot be replaced"),
        }
    }

    /// Finds out whether brokers answer.
    fn watch(&self) {
        let mut silence: Option<(Instant, u64)> = None;
        loop {
            let calm = silence.is_none() && self.connectivity.is_up();
            if !self.connectivity.wait(if calm { CALM } else { CONCERN }) {
                return;
            }
            let begun = Instant::now();
            if self.ask() {
                silence = None;
                self.connectivity.set_up();
                continue;
            }
            let acknowledged = self.connectivity.acknowledged();
            let (since, before) = *silence.get_or_insert((begun, acknowledged));
            if acknowledged > before {
                // Busy, not away.
                silence = None;
            } else if since.elapsed() >= self.outage_after && self.connectivity.set_away() {
                self.renew();
            }
        }
    }

    fn ask(&self) -> bool {
        let topic = self.known_topic.lock().clone();
        let Ok(client) = self.client() else { return false };
        let timeout = PROBE_TIMEOUT.min(self.outage_after);
        match client.client().fetch_metadata(topic.as_deref(), timeout) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(%error, "no Kafka broker answered a question");
                false
            }
        }
    }
}

/// A record on its way.
pub(super) struct Delivery {
    reply: oneshot::Sender<Result<Position, Error>>,
    topic: Arc<Topic>,
    partition: u32,
    _permit: OwnedSemaphorePermit,
}

/// Takes the library's reports.
pub(super) struct Deliveries {
    connectivity: Arc<Connectivity>,
    /// The library says that this producer is of no more use.
    failed: AtomicBool,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::Fatal) {
            tracing::error!(reason, "the Kafka producer failed and is replaced");
            self.failed.store(true, Ordering::Relaxed);
        }
        let advice = code.map(error::explain).unwrap_or_default();
        self.connectivity.suspect(Some(&format!("{reason} ({advice})")));
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let Delivery { reply, topic, partition, _permit } = *delivery;
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
                if code == RDKafkaErrorCode::MessageSizeTooLarge {
                    Err(Error::TooLarge { bytes: refused.payload_len(), limit: topic.spec.max_record_bytes })
                } else {
                    Err(error::of_code(code, &topic.name, partition))
                }
            }
        };
        // Nobody waits for the answer any more when the append was dropped.
        let _ = reply.send(answer);
    }
}

/// Whether a broker refused the very record: the partition itself is fine.
fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::InvalidRecord)
}
