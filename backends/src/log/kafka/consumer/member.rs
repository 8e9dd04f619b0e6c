//! The thread that owns the library's consumer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use playhead_domain::log::Error;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::rebalances::{Client, Rebalances, list};
use super::state::{Changes, Command, Shared};
use crate::log::group::clamp;
use crate::log::kafka::config::KafkaConfig;
use crate::log::kafka::{error, message};

/// How long the thread sleeps when nobody wakes it.
const NAP: Duration = Duration::from_millis(100);
/// Without room for so long, the library is told to fetch nothing: then its events can be served without taking records.
const FULL_FOR: Duration = Duration::from_millis(500);
/// The library hands out events one at a time and says "nothing" for those that it serves itself.
const EMPTY_POLLS: u32 = 4;
const START_AGAIN_AFTER: Duration = Duration::from_secs(1);

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
        self.client.context().close(&self.client);
    }
}

impl<'a> Member<'a> {
    fn join(config: &'a KafkaConfig, shared: &'a Arc<Shared>, group: &str) -> KafkaResult<Self> {
        let rebalances = Rebalances::new(Arc::clone(shared));
        let mut client: Client = config.group_consumer(group).create_with_context(rebalances)?;
        let this_thread = thread::current();
        client.set_nonempty_callback(move || this_thread.unpark());
        client.subscribe(&[&shared.topic.name])?;
        Ok(Self { client, shared, config, full_since: None, halted: false })
    }

    fn serve(&mut self) -> End {
        while !self.shared.stopping.load(Ordering::Acquire) {
            self.obey();
            self.client.context().release_when_due(&self.client, self.config.revoke_grace_ms);
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
        let settled = commits.count() > 0 && !self.client.context().holds_revocation();
        if settled && let Err(error) = self.client.commit(&commits, CommitMode::Async) {
            tracing::debug!(%error, "progress is not committed");
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
        if self.client.context().holds_revocation() {
            return;
        }
        let Changes { take, give } = self.shared.state.lock().changes(self.halted);
        if !take.is_empty() {
            self.withdraw(&take);
        }
        if !give.is_empty() {
            self.give(&give);
        }
    }

    /// Takes partitions away from the library. It does all of a list or nothing: where it refuses, each is tried alone, and what
    /// it does not have then is what it was not to have.
    fn withdraw(&self, partitions: &[u32]) {
        let topic = &self.shared.topic.name;
        if let Err(error) = self.client.incremental_unassign(&list(topic, partitions)) {
            tracing::debug!(%error, ?partitions, "some partitions were not fetched");
            for &partition in partitions {
                let _ = self.client.incremental_unassign(&list(topic, &[partition]));
            }
        }
        let mut state = self.shared.state.lock();
        partitions.iter().for_each(|&partition| state.set_taken(partition));
    }

    /// Gives partitions to the library, to be fetched from those offsets on.
    fn give(&self, places: &[(u32, u64)]) {
        let given: Vec<(u32, u64)> = match self.assign(places) {
            Ok(()) => places.to_vec(),
            Err(error) => {
                tracing::warn!(%error, ?places, "some partitions cannot be fetched yet");
                places.iter().filter(|place| self.give_alone(**place)).copied().collect()
            }
        };
        let mut state = self.shared.state.lock();
        given.iter().for_each(|&(partition, from)| state.set_given(partition, from));
    }

    fn give_alone(&self, place: (u32, u64)) -> bool {
        let given = self.assign(&[place]).is_ok();
        if !given {
            // It may have it already, from another offset on. The next attempt finds it free.
            let _ = self.client.incremental_unassign(&list(&self.shared.topic.name, &[place.0]));
        }
        given
    }

    fn assign(&self, places: &[(u32, u64)]) -> KafkaResult<()> {
        let mut list = TopicPartitionList::with_capacity(places.len());
        for &(partition, next) in places {
            let offset = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.shared.topic.name, message::id(partition), offset)?;
        }
        self.client.incremental_assign(&list)
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
                Some(Err(error)) => self.note(&error),
                None => empty += 1,
            }
        }
        if taken {
            self.shared.changed.notify_one();
        }
        self.client.client().fatal_error().is_some()
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
