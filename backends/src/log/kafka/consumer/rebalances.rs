//! What the library says of the group's rebalances, and when it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use super::state::Shared;
use crate::log::kafka::{log_line, message};

pub(super) type Client = BaseConsumer<Rebalances>;

pub(super) fn list(topic: &str, partitions: &[u32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        list.add_partition(topic, message::id(partition));
    }
    list
}

/// Takes the library's rebalances.
pub(super) struct Rebalances {
    shared: Arc<Shared>,
    /// A revocation that waits until the processor has been told.
    held: Mutex<Option<Held>>,
    closing: AtomicBool,
}

struct Held {
    partitions: Vec<u32>,
    since: Instant,
}

impl Rebalances {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, held: Mutex::default(), closing: AtomicBool::new(false) }
    }

    pub(super) fn holds_revocation(&self) -> bool {
        self.held.lock().is_some()
    }

    /// Lets a revocation go on once the processor has been told of it, or was not in time.
    pub(super) fn release_when_due(&self, client: &Client, grace_ms: u64) {
        let told = !self.shared.state.lock().has_untold();
        let overdue = |held: &Held| held.since.elapsed().as_millis() >= grace_ms.into();
        if self.held.lock().as_ref().is_some_and(|held| told || overdue(held)) {
            self.release(client);
        }
    }

    /// From now on revocations do not wait.
    pub(super) fn close(&self, client: &Client) {
        self.closing.store(true, Ordering::Relaxed);
        self.release(client);
    }

    /// Answers the revocation that waits: others may have the partitions.
    fn release(&self, client: &Client) {
        let Some(held) = self.held.lock().take() else { return };
        self.answer_revocation(client, &held.partitions);
    }

    fn answer_revocation(&self, client: &Client, partitions: &[u32]) {
        if let Err(error) = client.incremental_unassign(&list(&self.shared.topic.name, partitions)) {
            // It has been taken from the library before; only the answer is due.
            tracing::debug!(%error, ?partitions, "revoked partitions were not fetched");
            if let Err(error) = client.incremental_unassign(&TopicPartitionList::new()) {
                tracing::warn!(%error, "a revocation cannot be answered");
            }
        }
    }
}

impl ClientContext for Rebalances {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "a Kafka consumer met an error");
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(&self, client: &Client, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let ids: Vec<u32> =
            partitions.elements().iter().filter_map(|element| element.partition().try_into().ok()).collect();
        let mut state = self.shared.state.lock();
        if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            tracing::debug!(?ids, "partitions were assigned");
            state.assign(ids);
            drop(state);
            // Nothing is fetched before the processor says from where.
            if let Err(error) = client.incremental_assign(&TopicPartitionList::new()) {
                tracing::warn!(%error, "an assignment cannot be answered");
            }
        } else {
            let is_lost = client.assignment_lost();
            tracing::debug!(?ids, is_lost, "partitions were revoked");
            let mut fetched = state.revoke(ids);
            let untold = state.has_untold();
            drop(state);
            let earlier = self.held.lock().take();
            fetched.extend(earlier.map(|held| held.partitions).unwrap_or_default());
            if untold && !is_lost && !self.closing.load(Ordering::Relaxed) {
                *self.held.lock() = Some(Held { partitions: fetched, since: Instant::now() });
            } else {
                self.answer_revocation(client, &fetched);
            }
        }
        self.shared.changed.notify_one();
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "progress was not committed");
        }
    }
}
