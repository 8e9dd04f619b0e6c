//! The thread that owns the library's consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use playhead_domain::log::Error;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::state::{Changes, Command, Shared};
use crate::log::group::clamp;
use crate::log::kafka::config::KafkaConfig;
use crate::log::kafka::{error, log_line, message};

/// How long the thread sleeps when nobody wakes it.
const NAP: Duration = Duration::from_millis(100);
/// Without room for so long, the library is told to fetch nothing: then its events can be served without taking records.
const FULL_FOR: Duration = Duration::from_millis(500);
/// The library hands out events one at a time and says "nothing" for those that it serves itself.
const EMPTY_POLLS: u32 = 4;
const START_AGAIN_AFTER: Duration = Duration::from_secs(1);

type Client = BaseConsumer<Rebalances>;

/// One membership.
pub(super) struct Member<'a> {
    client: Client,
    shared: &'a Arc<Shared>,
    config: &'a KafkaConfig,
    full_since: Option<Instant>,
    /// The library fetches nothing, for want of room.
    halted: bool,
}

/// Why a membership ended.
enum End {
    Stopped,
    /// The library says that this consumer is of no more use.
    Failed,
}

impl Member<'_> {
    /// Joins, and joins again where the library gives up, until it is time to stop.
    pub(super) fn run(config: &KafkaConfig, shared: &Arc<Shared>, group: &str) {
        while !shared.stopping.load(Ordering::Acquire) {
            let result = Member::join(config, shared, group).map(|mut member| member.serve());
            match result {
                Ok(End::Stopped) => return,
                Ok(End::Failed) => tracing::error!(group, "a Kafka consumer failed and joins anew"),
                Err(error) => shared.state.lock().fail(error::unavailable(error)),
            }
            shared.state.lock().revoke_all();
            shared.changed.notify_one();
            thread::park_timeout(START_AGAIN_AFTER);
        }
    }
}

impl Drop for Member<'_> {
    /// What follows closes the client: it gives everything back and leaves the group, and nobody is told any more.
    fn drop(&mut self) {
        let context = self.client.context();
        context.closing.store(true, Ordering::Relaxed);
        context.release(&self.client);
    }
}

impl<'a> Member<'a> {
    fn join(config: &'a KafkaConfig, shared: &'a Arc<Shared>, group: &str) -> KafkaResult<Self> {
        let rebalances = Rebalances {
            shared: Arc::clone(shared),
            held: Mutex::default(),
            closing: AtomicBool::new(false),
        };
        let mut client: Client = config.group_consumer(group).create_with_context(rebalances)?;
        let this_thread = thread::current();
        client.set_nonempty_callback(move || this_thread.unpark());
        client.subscribe(&[&shared.topic.name])?;
        Ok(Self { client, shared, config, full_since: None, halted: false })
    }

    fn serve(&mut self) -> End {
        while !self.shared.stopping.load(Ordering::Acquire) {
            self.obey();
            self.release();
            self.adapt();
            if self.take_over() {
                return End::Failed;
            }
            thread::park_timeout(NAP);
        }
        End::Stopped
    }

    /// Does what the processor asked for.
    fn obey(&self) {
        let commands = std::mem::take(&mut self.shared.state.lock().commands);
        let mut commits = TopicPartitionList::new();
        for command in commands {
            match command {
                Command::Seek { partition, offset, reply } => {
                    // Nobody waits for the answer any more when the seek was dropped.
                    let _ = reply.send(self.seek(partition, offset));
                }
                Command::Commit { partition, next_offset } => {
                    let offset = Offset::Offset(i64::try_from(next_offset).unwrap_or(i64::MAX));
                    let (topic, id) = (&self.shared.topic.name, message::id(partition));
                    if self.shared.state.lock().owns(partition)
                        && let Err(error) = commits.add_partition_offset(topic, id, offset)
                    {
                        tracing::debug!(%error, partition, "progress is not committed");
                    }
                }
            }
        }
        // Never during a rebalance.
        if commits.count() > 0 && self.client.context().held.lock().is_none() {
            if let Err(error) = self.client.commit(&commits, CommitMode::Async) {
                tracing::debug!(%error, "progress is not committed");
            }
        }
    }

    fn seek(&self, partition: u32, offset: u64) -> Result<(), Error> {
        if !self.shared.state.lock().owns(partition) {
            return Ok(());
        }
        let (topic, id) = (&self.shared.topic.name, message::id(partition));
        let kept = self.client.fetch_watermarks(topic, id, self.config.request_timeout());
        let (first, end) = kept.map_err(|error| error::of_request(&error, topic, partition))?;
        let kept = u64::try_from(first).unwrap_or_default()..u64::try_from(end).unwrap_or_default();
        let from = clamp(partition, offset, kept)?;
        self.shared.state.lock().seek(partition, from);
        Ok(())
    }

    /// Lets a revocation go on once the processor has been told of it, or will not be told in time.
    fn release(&self) {
        let context = self.client.context();
        let overdue = |since: Instant| since.elapsed().as_millis() >= self.config.revoke_grace_ms.into();
        let told = !self.shared.state.lock().has_untold();
        let due = context.held.lock().as_ref().is_some_and(|held| told || overdue(held.since));
        if due {
            context.release(&self.client);
        }
    }

    /// Makes the library fetch what is wanted.
    fn adapt(&mut self) {
        let ready = self.shared.state.lock().ready_bytes();
        if ready < self.config.fetch_bytes {
            self.full_since = None;
        } else if self.full_since.get_or_insert_with(Instant::now).elapsed() >= FULL_FOR {
            self.halted = true;
        }
        if ready < self.config.fetch_bytes / 2 {
            self.halted = false;
        }
        // The library would take a removal for the answer to the revocation that waits.
        if self.client.context().held.lock().is_some() {
            return;
        }
        let Changes { take, give } = self.shared.state.lock().changes(self.halted);
        if !take.is_empty() && self.change(&take, |client, list| client.incremental_unassign(list)) {
            take.iter().for_each(|&partition| self.shared.state.lock().set_fetched(partition, false));
        }
        if !give.is_empty() {
            self.give(&give);
        }
    }

    fn give(&self, give: &[(u32, u64)]) {
        let mut list = TopicPartitionList::new();
        for &(partition, next) in give {
            let offset = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            let added = list.add_partition_offset(&self.shared.topic.name, message::id(partition), offset);
            if let Err(error) = added {
                tracing::error!(%error, partition, "a partition cannot be fetched");
                return;
            }
        }
        match self.client.incremental_assign(&list) {
            Ok(()) => {
                give.iter().for_each(|&(partition, _)| self.shared.state.lock().set_fetched(partition, true));
            }
            Err(error) => tracing::warn!(%error, "partitions cannot be fetched yet"),
        }
    }

    fn change(&self, partitions: &[u32], call: fn(&Client, &TopicPartitionList) -> KafkaResult<()>) -> bool {
        match call(&self.client, &list(&self.shared.topic.name, partitions)) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, ?partitions, "partitions are still fetched");
                false
            }
        }
    }

    /// Takes over what the library has, as far as there is room. Returns whether the library gave up.
    fn take_over(&self) -> bool {
        let (mut empty, mut taken) = (0, false);
        while empty < EMPTY_POLLS && (self.halted || self.has_room()) {
            match self.client.poll(Duration::ZERO) {
                Some(Ok(record)) => {
                    empty = 0;
                    taken = true;
                    let kept =
                        message::stored(&record).and_then(|record| self.shared.state.lock().keep(record));
                    if let Err(error) = kept {
                        self.shared.state.lock().fail(error);
                    }
                }
                Some(Err(KafkaError::MessageConsumptionFatal(_))) => return true,
                Some(Err(error)) => self.note(&error),
                None => empty += 1,
            }
        }
        if taken {
            self.shared.changed.notify_one();
        }
        false
    }

    fn has_room(&self) -> bool {
        self.shared.state.lock().ready_bytes() < self.config.fetch_bytes
    }

    /// Tells the processor of what will not pass by itself at once.
    fn note(&self, error: &KafkaError) {
        use RDKafkaErrorCode as Code;
        tracing::debug!(%error, "a Kafka consumer met an error");
        let Some(code) = error.rdkafka_error_code() else { return };
        let lasting = matches!(
            code,
            Code::AllBrokersDown
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::SaslAuthenticationFailed
                | Code::Authentication
                | Code::SSL
                | Code::UnknownTopicOrPartition
                | Code::InconsistentGroupProtocol
        );
        if lasting {
            self.shared.state.lock().fail(error::unavailable(error::explain(code)));
            self.shared.changed.notify_one();
        }
    }
}

fn list(topic: &str, partitions: &[u32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        list.add_partition(topic, message::id(partition));
    }
    list
}

/// Takes the library's rebalances.
struct Rebalances {
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
