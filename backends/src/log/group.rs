//! Consumer groups in one process: who owns the partitions, and the poll that memory and embedded logs share.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use playhead_domain::log::{Consumer, Error, Polled, StoredRecord};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// One topic, as a consumer sees it.
#[async_trait]
pub(super) trait Source: Send + Sync + 'static {
    fn partitions(&self) -> u32;

    /// The durable, kept offsets of a partition.
    fn kept(&self, partition: u32) -> Range<u64>;

    /// Records from `offset` on: at most `max_bytes` of values, but at least one record if there is any.
    async fn read_from(
        self: Arc<Self>,
        partition: u32,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Vec<StoredRecord>, Error>;

    /// Changes with every append and every change of ownership.
    fn changes(&self) -> &watch::Sender<u64>;

    /// Keeps the group's progress.
    fn commit(&self, group: &str, partition: u32, next_offset: u64);
}

/// Wakes everyone who waits for something new.
pub(super) fn announce(changes: &watch::Sender<u64>) {
    changes.send_modify(|version| *version = version.wrapping_add(1));
}

/// Refuses a partition that the topic does not have.
pub(super) fn check_partition<S: Source>(source: &S, partition: u32) -> Result<(), Error> {
    if partition < source.partitions() {
        return Ok(());
    }
    Err(Error::OutOfRange { partition, offset: 0, kept: 0..0 })
}

/// An offset to read from: inside the kept range, or its beginning when it is older.
pub(super) fn clamp(partition: u32, offset: u64, kept: Range<u64>) -> Result<u64, Error> {
    if offset > kept.end {
        return Err(Error::OutOfRange { partition, offset, kept });
    }
    Ok(offset.max(kept.start))
}

/// Waits for records of one partition without a group.
pub(super) async fn read_when_there<S: Source>(
    source: Arc<S>,
    partition: u32,
    offset: u64,
    max_bytes: usize,
    wait: Duration,
) -> Result<Vec<StoredRecord>, Error> {
    check_partition(&*source, partition)?;
    let deadline = Instant::now() + wait;
    let mut changes = source.changes().subscribe();
    loop {
        changes.borrow_and_update();
        let from = clamp(partition, offset, source.kept(partition))?;
        let records = Arc::clone(&source).read_from(partition, from, max_bytes).await?;
        if !records.is_empty() || !matches!(timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
            return Ok(records);
        }
    }
}

/// Which member owns a group's partitions: always the one that joined last.
#[derive(Debug, Default)]
pub(super) struct Groups {
    owners: Mutex<HashMap<(String, String), u64>>,
    members: AtomicU64,
}

impl Groups {
    /// Makes the caller the owner of the topic's partitions in this group.
    pub(super) fn join<S: Source>(
        self: &Arc<Self>,
        source: Arc<S>,
        topic: &str,
        group: &str,
    ) -> Box<dyn Consumer> {
        let member = self.members.fetch_add(1, Ordering::Relaxed) + 1;
        let membership = (topic.to_owned(), group.to_owned());
        self.owners.lock().insert(membership.clone(), member);
        announce(source.changes());
        let changes = source.changes().subscribe();
        Box::new(Member {
            groups: Arc::clone(self),
            source,
            membership,
            member,
            changes,
            state: Ownership::Joining,
            places: Vec::new(),
            turn: 0,
        })
    }

    fn is_owner(&self, membership: &(String, String), member: u64) -> bool {
        self.owners.lock().get(membership) == Some(&member)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// Owns the partitions, but the caller does not know yet.
    Joining,
    Owning,
    Lost,
}

/// Where delivery of a partition is.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    next: Option<u64>,
    paused: bool,
}

struct Member<S: Source> {
    groups: Arc<Groups>,
    source: Arc<S>,
    membership: (String, String),
    member: u64,
    changes: watch::Receiver<u64>,
    state: Ownership,
    places: Vec<Place>,
    turn: usize,
}

impl<S: Source> Member<S> {
    /// What changed in ownership since the caller was last told.
    fn note_ownership(&mut self) -> Option<Polled> {
        let all = || (0..self.source.partitions()).collect::<Vec<_>>();
        let owner = self.groups.is_owner(&self.membership, self.member);
        match (self.state, owner) {
            (Ownership::Joining, true) => {
                let assigned = all();
                self.places = vec![Place::default(); assigned.len()];
                self.state = Ownership::Owning;
                Some(Polled { assigned, ..Polled::default() })
            }
            (Ownership::Owning, false) => {
                let revoked = all();
                self.places.clear();
                self.state = Ownership::Lost;
                Some(Polled { revoked, ..Polled::default() })
            }
            (Ownership::Joining, false) => {
                self.state = Ownership::Lost;
                None
            }
            _ => None,
        }
    }

    /// Reads from the started partitions in turn, until the budget is used up. Whoever gives up in the middle, or meets an error,
    /// has moved nothing: the same records come again.
    async fn read_started(&mut self, max_bytes: usize) -> Result<Vec<StoredRecord>, Error> {
        let (mut places, mut turn) = (self.places.clone(), self.turn);
        let count = places.len();
        let mut records = Vec::new();
        let mut left = max_bytes;
        let first = turn;
        for step in 0..count {
            let index = (first + step) % count;
            let place = places[index];
            let (Some(next), false) = (place.next, place.paused) else { continue };
            let partition = u32::try_from(index).unwrap_or(u32::MAX);
            let kept = self.source.kept(partition);
            if next >= kept.end || (left == 0 && !records.is_empty()) {
                continue;
            }
            let source = Arc::clone(&self.source);
            let read = source.read_from(partition, next.max(kept.start), left).await?;
            let used = read.iter().map(|record| record.value.len()).sum::<usize>();
            if used > left && !records.is_empty() {
                // Only one record, and it does not fit any more: it comes first in the next poll.
                break;
            }
            if let Some(last) = read.last() {
                places[index].next = Some(last.position.offset + 1);
                turn = (index + 1) % count;
            }
            left = left.saturating_sub(used);
            records.extend(read);
        }
        (self.places, self.turn) = (places, turn);
        Ok(records)
    }
}

#[async_trait]
impl<S: Source> Consumer for Member<S> {
    async fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, Error> {
        let deadline = Instant::now() + wait;
        loop {
            self.changes.borrow_and_update();
            if let Some(change) = self.note_ownership() {
                return Ok(change);
            }
            let records = self.read_started(max_bytes).await?;
            if let Some(change) = self.note_ownership() {
                return Ok(change);
            }
            if !records.is_empty() {
                return Ok(Polled { records, ..Polled::default() });
            }
            if !matches!(timeout_at(deadline, self.changes.changed()).await, Ok(Ok(()))) {
                return Ok(Polled::default());
            }
        }
    }

    async fn seek(&mut self, partition: u32, offset: u64) -> Result<(), Error> {
        if let Some(place) = self.places.get_mut(partition as usize) {
            place.next = Some(clamp(partition, offset, self.source.kept(partition))?);
        }
        Ok(())
    }

    fn pause(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(partition as usize) {
            place.paused = true;
        }
    }

    fn resume(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(partition as usize) {
            place.paused = false;
        }
    }

    async fn commit(&mut self, partition: u32, next_offset: u64) -> Result<(), Error> {
        let owner = self.groups.is_owner(&self.membership, self.member);
        if owner && (partition as usize) < self.places.len() {
            self.source.commit(&self.membership.1, partition, next_offset);
        }
        Ok(())
    }
}
