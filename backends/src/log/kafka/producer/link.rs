//! The present producer: its reports are served, brokers are watched, and it is replaced when it is of no more use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use playhead_domain::log::Error;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{Producer as _, PurgeConfig};

use super::questions::Questions;
use super::{Client, Deliveries};
use crate::log::kafka::connectivity::Connectivity;

/// How long the thread waits for reports before it looks whether it is to end.
const POLL: Duration = Duration::from_millis(100);
/// How often the brokers are asked while there is no reason to.
const CALM: Duration = Duration::from_secs(5);
/// How often it is looked whether there is one: a suspicion, or records that wait while none is acknowledged.
const TICK: Duration = Duration::from_millis(250);
/// A question to the brokers takes no longer.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// A producer that the library gave up is not replaced more often.
const RENEW_AFTER: Duration = Duration::from_secs(1);
/// How long a producer that is closed may take for its last reports.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// What the watch knows.
struct Watched {
    asked: Instant,
    acknowledged: u64,
    /// When the first question was asked that nobody has answered.
    silent_since: Option<Instant>,
}

/// What the threads share.
pub(super) struct Link {
    config: ClientConfig,
    outage_after: Duration,
    pub(super) connectivity: Arc<Connectivity>,
    /// None once it is closed.
    client: RwLock<Option<Arc<Client>>>,
    questions: Questions,
    /// Replaced, and not closed yet.
    retired: Mutex<Vec<Arc<Client>>>,
    /// A topic that is known to exist, to ask the brokers about.
    known_topic: Mutex<Option<String>>,
    stopping: AtomicBool,
}

pub(super) fn create(
    config: &ClientConfig,
    connectivity: &Arc<Connectivity>,
) -> Result<Arc<Client>, KafkaError> {
    let deliveries = Deliveries { connectivity: Arc::clone(connectivity) };
    Ok(Arc::new(config.create_with_context(deliveries)?))
}

impl Link {
    pub(super) fn new(
        config: ClientConfig,
        questions: ClientConfig,
        outage_after: Duration,
        connectivity: Arc<Connectivity>,
    ) -> Result<Self, KafkaError> {
        let client = create(&config, &connectivity)?;
        let questions = Questions::new(questions, Arc::clone(&connectivity))?;
        Ok(Self {
            config,
            outage_after,
            connectivity,
            client: RwLock::new(Some(client)),
            questions,
            retired: Mutex::default(),
            known_topic: Mutex::default(),
            stopping: AtomicBool::new(false),
        })
    }

    /// The client for questions.
    pub(super) fn asking(&self) -> Arc<Client> {
        self.questions.client()
    }

    pub(super) fn note_topic(&self, name: &str) {
        *self.known_topic.lock() = Some(name.to_owned());
    }

    /// Tells both threads to end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.connectivity.stop();
    }

    pub(super) fn client(&self) -> Result<Arc<Client>, Error> {
        let closed = || Error::Unavailable("the log is closing".to_owned());
        self.client.read().clone().ok_or_else(closed)
    }

    /// Hands delivery reports to those who wait for them.
    pub(super) fn serve_reports(&self) {
        let mut renewed: Option<Instant> = None;
        while !self.stopping.load(Ordering::Relaxed) {
            if let Ok(client) = self.client() {
                client.poll(POLL);
                if let Some((code, reason)) = client.client().fatal_error()
                    && renewed.is_none_or(|renewed| renewed.elapsed() >= RENEW_AFTER)
                {
                    tracing::error!(%code, reason, "the Kafka producer failed and is replaced");
                    renewed = Some(Instant::now());
                    self.renew();
                }
            }
            self.close_retired();
        }
        self.retired.lock().extend(self.client.write().take());
        let begun = Instant::now();
        while !self.close_retired() && begun.elapsed() < CLOSE_WITHIN {
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
            if let Err(error) = client.flush(CLOSE_WITHIN) {
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
    fn watch_once(&self, watched: &mut Watched, suspected: bool) {
        let acknowledged = self.connectivity.acknowledged();
        let is_stuck = self.connectivity.is_waiting() && acknowledged == watched.acknowledged;
        watched.acknowledged = acknowledged;
        let is_concerned = suspected || is_stuck || watched.silent_since.is_some();
        if self.connectivity.is_up() && !is_concerned && watched.asked.elapsed() < CALM {
            return;
        }
        watched.asked = Instant::now();
        let topic = self.known_topic.lock().clone();
        let timeout = ASK_TIMEOUT.min(self.outage_after);
        if self.questions.ask(topic.as_deref(), timeout) {
            watched.silent_since = None;
            self.connectivity.set_up();
        } else if self.connectivity.acknowledged() > acknowledged {
            // Busy, not away.
            watched.silent_since = None;
        } else {
            let since = *watched.silent_since.get_or_insert(watched.asked);
            if since.elapsed() >= self.outage_after && self.connectivity.set_away() {
                self.renew();
            }
        }
    }

    /// Watches the brokers until it is time to stop.
    pub(super) fn watch(&self) {
        let mut watched = Watched { asked: Instant::now(), acknowledged: 0, silent_since: None };
        while let Some(suspected) = self.connectivity.wait(TICK) {
            self.watch_once(&mut watched, suspected);
            self.questions.serve_errors();
        }
    }
}
