//! The log, behind the network, and a group that shares its partitions among the processes that it takes for alive.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use playhead_domain::log::{Consumer, Error, EventLog, Polled, Position, Record, StoredRecord, TopicSpec};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::network::{Network, NoAnswer, Process, Service};

/// Who is silent for so long is taken for dead.
const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

#[derive(Default)]
struct Members {
    last: u64,
    /// With the moment when each was last heard of.
    alive: BTreeMap<u64, (Process, Instant)>,
    /// Whose each partition is. It changes hands at once, whatever the old owner is about to do.
    owners: BTreeMap<u32, u64>,
    evictions: u64,
}

/// The coordinator.
#[derive(Clone)]
pub(crate) struct Group {
    members: Arc<Mutex<Members>>,
    network: Network,
    partitions: u32,
    /// Told of every append and every change of ownership. Not a watch channel: that wakes who waits in an order of chance.
    changes: Arc<Notify>,
}

impl Group {
    pub(crate) fn new(network: Network, partitions: u32) -> Self {
        Self { members: Arc::default(), network, partitions, changes: Arc::default() }
    }

    pub(crate) fn announce(&self) {
        self.changes.notify_waiters();
    }

    pub(crate) fn evictions(&self) -> u64 {
        self.members.lock().unwrap().evictions
    }

    fn join(&self, process: &Process) -> u64 {
        let mut members = self.members.lock().unwrap();
        members.last += 1;
        let member = members.last;
        members.alive.insert(member, (process.clone(), Instant::now()));
        drop(members);
        self.assign();
        member
    }

    fn leave(&self, member: u64) {
        if self.members.lock().unwrap().alive.remove(&member).is_some() {
            self.assign();
        }
    }

    /// Deals the partitions out, to whomever.
    pub(crate) fn assign(&self) {
        let mut members = self.members.lock().unwrap();
        let alive: Vec<u64> = members.alive.keys().copied().collect();
        members.owners = (0..self.partitions)
            .filter(|_| !alive.is_empty())
            .map(|partition| {
                let at = self.network.chance(|chance| chance.below(alive.len() as u64));
                (partition, alive[usize::try_from(at).unwrap()])
            })
            .collect();
        self.network.note(("owners", &members.owners));
        drop(members);
        self.announce();
    }

    /// Hears who is alive, and gives up who is not; for as long as it is polled.
    pub(crate) async fn watch(self) {
        loop {
            sleep(Duration::from_secs(1)).await;
            let mut members = self.members.lock().unwrap();
            let now = Instant::now();
            for (process, heard) in members.alive.values_mut() {
                if !process.is_frozen()
                    && !process.is_killed()
                    && !self.network.is_cut(process.id, Service::Log)
                {
                    *heard = now;
                }
            }
            let before = members.alive.len();
            members.alive.retain(|_, (_, heard)| now - *heard < SESSION_TIMEOUT);
            let evicted = before - members.alive.len();
            members.evictions += evicted as u64;
            drop(members);
            if evicted > 0 {
                self.assign();
            }
        }
    }

    /// What the member owns; `None`: it is not a member any more.
    fn owned(&self, member: u64) -> Option<BTreeSet<u32>> {
        let members = self.members.lock().unwrap();
        members.alive.contains_key(&member).then(|| {
            let own = members.owners.iter().filter(|(_, owner)| **owner == member);
            own.map(|(&partition, _)| partition).collect()
        })
    }
}

/// The log as one process sees it.
pub(crate) struct RemoteLog {
    pub(crate) inner: Arc<dyn EventLog>,
    pub(crate) process: Process,
    pub(crate) group: Group,
}

fn unknown(_: NoAnswer) -> Error {
    Error::Unavailable("no answer".to_owned())
}

#[async_trait]
impl EventLog for RemoteLog {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        self.inner.ensure_topic(topic).await
    }

    fn first_offset(&self, topic: &str) -> u64 {
        self.inner.first_offset(topic)
    }

    async fn append(&self, _: &str, _: Record) -> Result<Position, Error> {
        unreachable!("processors do not append")
    }

    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error> {
        let (inner, topic) = (Arc::clone(&self.inner), topic.to_owned());
        let serve = async move { inner.offsets(&topic, partition).await };
        self.process.call(Service::Log, "offsets", serve).await.map_err(unknown)?
    }

    async fn consume(&self, topic: &str, _: &str) -> Result<Box<dyn Consumer>, Error> {
        self.process.is_awake().await;
        Ok(Box::new(Member {
            inner: Arc::clone(&self.inner),
            topic: topic.to_owned(),
            process: self.process.clone(),
            member: self.group.join(&self.process),
            group: self.group.clone(),
            places: BTreeMap::new(),
        }))
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error> {
        let (inner, topic) = (Arc::clone(&self.inner), topic.to_owned());
        let serve = async move { inner.read(&topic, partition, offset, max_bytes, wait).await };
        self.process.call(Service::Log, "read", serve).await.map_err(unknown)?
    }
}

#[derive(Default)]
struct Place {
    next: Option<u64>,
    is_paused: bool,
}

struct Member {
    inner: Arc<dyn EventLog>,
    topic: String,
    process: Process,
    group: Group,
    member: u64,
    /// What the caller knows that it owns.
    places: BTreeMap<u32, Place>,
}

impl Drop for Member {
    fn drop(&mut self) {
        // Whoever crashes does not say good-bye.
        if !std::thread::panicking() && !self.process.is_killed() {
            self.group.leave(self.member);
        }
    }
}

impl Member {
    fn change(&mut self) -> Option<Polled> {
        let Some(owned) = self.group.owned(self.member) else {
            self.member = self.group.join(&self.process);
            let revoked: Vec<u32> = std::mem::take(&mut self.places).into_keys().collect();
            return (!revoked.is_empty()).then(|| Polled { revoked, ..Polled::default() });
        };
        let revoked: Vec<u32> = self.places.keys().filter(|id| !owned.contains(id)).copied().collect();
        let assigned: Vec<u32> = owned.into_iter().filter(|id| !self.places.contains_key(id)).collect();
        self.places.retain(|id, _| !revoked.contains(id));
        self.places.extend(assigned.iter().map(|&id| (id, Place::default())));
        let is_change = !revoked.is_empty() || !assigned.is_empty();
        is_change.then(|| Polled { revoked, assigned, records: Vec::new() })
    }

    async fn records(&mut self, max_bytes: usize) -> Result<Vec<StoredRecord>, Error> {
        let mut records = Vec::new();
        let mut places = Vec::new();
        for (&id, place) in self.places.iter().filter(|(_, place)| !place.is_paused) {
            let Some(next) = place.next else { continue };
            let read = self.inner.read(&self.topic, id, next, max_bytes, Duration::ZERO).await?;
            if let Some(last) = read.last() {
                places.push((id, last.position.offset + 1));
            }
            records.extend(read);
        }
        for (id, next) in places {
            self.places.entry(id).or_default().next = Some(next);
        }
        Ok(records)
    }
}

#[async_trait]
impl Consumer for Member {
    async fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, Error> {
        let deadline = Instant::now() + wait;
        loop {
            self.process.is_awake().await;
            if self.group.network.is_cut(self.process.id, Service::Log) {
                sleep(Duration::from_millis(200)).await;
                return Err(unknown(NoAnswer));
            }
            let changes = Arc::clone(&self.group.changes);
            // Before the look, so that nothing in between is missed.
            let changed = changes.notified();
            if let Some(change) = self.change() {
                return Ok(change);
            }
            let records = self.records(max_bytes).await?;
            if !records.is_empty() {
                return Ok(Polled { records, ..Polled::default() });
            }
            if timeout_at(deadline, changed).await.is_err() {
                self.process.is_awake().await;
                return Ok(Polled::default());
            }
        }
    }

    async fn seek(&mut self, partition: u32, offset: u64) -> Result<(), Error> {
        self.process.is_awake().await;
        if self.group.network.is_cut(self.process.id, Service::Log) {
            return Err(unknown(NoAnswer));
        }
        if let Some(place) = self.places.get_mut(&partition) {
            place.next = Some(offset);
        }
        Ok(())
    }

    fn pause(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.is_paused = true;
        }
    }

    fn resume(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.is_paused = false;
        }
    }

    async fn commit(&mut self, _: u32, _: u64) -> Result<(), Error> {
        Ok(())
    }
}
