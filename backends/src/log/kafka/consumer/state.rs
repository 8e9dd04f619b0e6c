//! What a member's thread and the processor share: who owns what, and the records that are ready.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;
use playhead_domain::log::{Error, Polled, StoredRecord};
use tokio::sync::{Notify, oneshot};

use crate::log::kafka::topic::Topic;

/// What costs memory beside a record's bytes.
const RECORD_BYTES: usize = 256;

pub(super) struct Shared {
    pub(super) topic: Arc<Topic>,
    pub(super) state: Mutex<State>,
    /// Something to poll.
    pub(super) changed: Notify,
    pub(super) stopping: AtomicBool,
}

impl Shared {
    pub(super) fn new(topic: Arc<Topic>) -> Self {
        Self { topic, state: Mutex::default(), changed: Notify::new(), stopping: AtomicBool::new(false) }
    }
}

/// What the processor asks of the thread.
pub(super) enum Command {
    Seek { partition: u32, offset: u64, reply: oneshot::Sender<Result<(), Error>> },
    Commit { partition: u32, next_offset: u64 },
}

#[derive(Default)]
pub(super) struct State {
    /// The partitions that this member owns.
    places: BTreeMap<u32, Place>,
    /// Not told yet.
    assigned: Vec<u32>,
    revoked: Vec<u32>,
    error: Option<Error>,
    pub(super) commands: VecDeque<Command>,
    /// Bytes that are ready.
    ready_bytes: usize,
    /// The partition whose turn it is.
    turn: u32,
}

/// Where delivery of a partition is.
#[derive(Default)]
struct Place {
    ready: VecDeque<StoredRecord>,
    /// What comes from the library next. None until the processor says where to start.
    next: Option<u64>,
    paused: bool,
    /// The library has it.
    fetched: bool,
    /// The library has it, but from another offset on.
    moved: bool,
    /// The processor knows that it owns it.
    told: bool,
    last_append_us: i64,
}

fn size(record: &StoredRecord) -> usize {
    record.key.len() + record.value.len() + record.meta.len() + RECORD_BYTES
}

/// What the library is to fetch from now on, and what no more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) take: Vec<u32>,
    pub(super) give: Vec<(u32, u64)>,
}

/// For the processor.
impl State {
    /// What a poll brings, if there is anything.
    pub(super) fn take(&mut self, max_bytes: usize) -> Option<Result<Polled, Error>> {
        if !self.revoked.is_empty() || !self.assigned.is_empty() {
            let (revoked, assigned) = (std::mem::take(&mut self.revoked), std::mem::take(&mut self.assigned));
            for partition in &assigned {
                if let Some(place) = self.places.get_mut(partition) {
                    place.told = true;
                }
            }
            return Some(Ok(Polled { revoked, assigned, records: Vec::new() }));
        }
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        let records = self.take_records(max_bytes);
        (!records.is_empty()).then(|| Ok(Polled { records, ..Polled::default() }))
    }

    /// One record of each partition in turn, until the bytes are used up.
    fn take_records(&mut self, max_bytes: usize) -> Vec<StoredRecord> {
        let mut by_partition: BTreeMap<u32, Vec<StoredRecord>> = BTreeMap::new();
        let (mut bytes, mut count) = (0, 0);
        loop {
            let ready = |(_, place): &(&u32, &Place)| !place.ready.is_empty() && !place.paused;
            let after = self.places.range(self.turn..).find(ready);
            let next = after.or_else(|| self.places.range(..self.turn).find(ready));
            let Some((&partition, _)) = next else { break };
            self.turn = partition;
            let Some(place) = self.places.get_mut(&partition) else { break };
            let Some(record) = place.ready.front() else { break };
            if count > 0 && bytes + record.value.len() > max_bytes {
                break;
            }
            bytes += record.value.len();
            count += 1;
            self.ready_bytes -= size(record);
            self.turn = partition + 1;
            by_partition.entry(partition).or_default().extend(place.ready.pop_front());
        }
        by_partition.into_values().flatten().collect()
    }

    pub(super) fn pause(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.paused = true;
            // What was ready comes again after the pause; meanwhile its room is for others.
            self.ready_bytes -= forget(place);
        }
    }

    pub(super) fn resume(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.paused = false;
        }
    }
}

/// Drops what is ready, so that it is fetched again. Returns how many bytes it was.
fn forget(place: &mut Place) -> usize {
    if let Some(first) = place.ready.front() {
        place.next = Some(first.position.offset);
        place.moved = true;
    }
    place.ready.drain(..).map(|record| size(&record)).sum()
}

/// For the thread.
impl State {
    pub(super) fn ready_bytes(&self) -> usize {
        self.ready_bytes
    }

    pub(super) fn owns(&self, partition: u32) -> bool {
        self.places.contains_key(&partition)
    }

    /// Whether something was taken away that the processor has not been told of.
    pub(super) fn has_untold(&self) -> bool {
        !self.revoked.is_empty()
    }

    pub(super) fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    pub(super) fn assign(&mut self, partitions: impl IntoIterator<Item = u32>) {
        for partition in partitions {
            // Never twice, by the protocol; but what was ready before is not what comes now.
            self.revoke([partition]);
            self.places.insert(partition, Place::default());
            self.assigned.push(partition);
        }
        self.assigned.sort_unstable();
    }

    /// Takes partitions away. Returns those that the library still has.
    pub(super) fn revoke(&mut self, partitions: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut fetched = Vec::new();
        for partition in partitions {
            let Some(mut place) = self.places.remove(&partition) else { continue };
            self.ready_bytes -= forget(&mut place);
            if place.fetched {
                fetched.push(partition);
            }
            if place.told {
                self.revoked.push(partition);
            } else {
                self.assigned.retain(|&assigned| assigned != partition);
            }
        }
        self.revoked.sort_unstable();
        fetched
    }

    /// Takes everything away.
    pub(super) fn revoke_all(&mut self) {
        let all: Vec<u32> = self.places.keys().copied().collect();
        self.revoke(all);
    }

    pub(super) fn seek(&mut self, partition: u32, offset: u64) {
        if let Some(place) = self.places.get_mut(&partition) {
            self.ready_bytes -= forget(place);
            place.next = Some(offset);
            place.moved = true;
            place.last_append_us = 0;
        }
    }

    /// What the library must do so that it fetches what is wanted: all that is started and not paused, or nothing while there is
    /// no room.
    pub(super) fn changes(&self, no_room: bool) -> Changes {
        let mut changes = Changes::default();
        for (&partition, place) in &self.places {
            let wanted = place.next.filter(|_| !place.paused && !no_room);
            if place.fetched && (wanted.is_none() || place.moved) {
                changes.take.push(partition);
            }
            if let Some(next) = wanted
                && (!place.fetched || place.moved)
            {
                changes.give.push((partition, next));
            }
        }
        changes
    }

    /// The library has the partition now, and fetches it from `from` on.
    pub(super) fn set_given(&mut self, partition: u32, from: u64) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.fetched = true;
            // A pause or a seek may have come in between: then it is fetched from the wrong place.
            place.moved = place.next != Some(from);
        }
    }

    /// The library has the partition no more.
    pub(super) fn set_taken(&mut self, partition: u32) {
        if let Some(place) = self.places.get_mut(&partition) {
            (place.fetched, place.moved) = (false, false);
        }
    }

    /// Keeps a record that came from the library. Fails when the log went back behind what it had delivered.
    pub(super) fn keep(&mut self, mut record: StoredRecord) -> Result<(), Error> {
        let partition = record.position.partition;
        let Some(place) = self.places.get_mut(&partition) else { return Ok(()) };
        let (Some(next), true, false) = (place.next, place.fetched, place.moved) else { return Ok(()) };
        let offset = record.position.offset;
        if offset < next {
            let detail =
                format!("partition {partition} went back from offset {next} to {offset}: records were lost");
            return Err(Error::Corrupt(detail));
        }
        place.last_append_us = place.last_append_us.max(record.append_us);
        record.append_us = place.last_append_us;
        place.next = Some(offset + 1);
        self.ready_bytes += size(&record);
        place.ready.push_back(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use playhead_domain::log::Position;

    fn record(partition: u32, offset: u64, bytes: usize) -> StoredRecord {
        StoredRecord {
            position: Position { partition, offset },
            append_us: 1_000 - i64::try_from(offset).unwrap(),
            key: Bytes::new(),
            value: vec![0; bytes].into(),
            meta: Bytes::new(),
        }
    }

    fn started(partitions: &[u32]) -> State {
        let mut state = State::default();
        state.assign(partitions.iter().copied());
        assert_eq!(state.take(1).unwrap().unwrap().assigned, partitions);
        for &partition in partitions {
            state.seek(partition, 0);
            state.set_given(partition, 0);
        }
        state
    }

    fn offsets(polled: Option<Result<Polled, Error>>) -> Vec<(u32, u64)> {
        let records = polled.map(|polled| polled.unwrap().records).unwrap_or_default();
        records.iter().map(|record| (record.position.partition, record.position.offset)).collect()
    }

    #[test]
    fn partitions_take_turns_record_by_record() {
        let mut state = started(&[0, 1, 2]);
        for offset in 0..4 {
            state.keep(record(0, offset, 10)).unwrap();
        }
        state.keep(record(2, 0, 10)).unwrap();
        assert_eq!(offsets(state.take(20)), [(0, 0), (2, 0)]);
        assert_eq!(offsets(state.take(20)), [(0, 1), (0, 2)]);
        assert_eq!(offsets(state.take(1)), [(0, 3)], "at least one");
        assert!(state.take(1).is_none());
        assert_eq!(state.ready_bytes(), 0);
    }

    #[test]
    fn nothing_of_a_revoked_partition_comes_after_it_was_told() {
        let mut state = started(&[0, 1]);
        state.keep(record(0, 0, 10)).unwrap();
        state.keep(record(1, 0, 10)).unwrap();
        assert_eq!(state.revoke([0]), [0]);
        assert!(state.has_untold());
        state.keep(record(0, 1, 10)).unwrap();
        let polled = state.take(100).unwrap().unwrap();
        assert_eq!((polled.revoked, polled.records.len()), (vec![0], 0));
        assert!(!state.has_untold());
        assert_eq!(offsets(state.take(100)), [(1, 0)]);
    }

    #[test]
    fn what_was_never_told_is_not_revoked() {
        let mut state = State::default();
        state.assign([0, 1]);
        assert!(state.revoke([1]).is_empty());
        let polled = state.take(1).unwrap().unwrap();
        assert_eq!((polled.assigned, polled.revoked), (vec![0], vec![]));
    }

    #[test]
    fn a_pause_gives_the_room_back_and_the_records_come_again() {
        let mut state = started(&[0]);
        state.keep(record(0, 0, 10)).unwrap();
        state.keep(record(0, 1, 10)).unwrap();
        state.pause(0);
        assert_eq!(state.ready_bytes(), 0);
        assert_eq!(state.changes(false), Changes { take: vec![0], give: vec![] });
        state.set_taken(0);
        state.keep(record(0, 2, 10)).unwrap();
        assert!(state.take(1).is_none(), "late ones are not kept");
        state.resume(0);
        assert_eq!(state.changes(false), Changes { take: vec![], give: vec![(0, 0)] });
        assert_eq!(state.changes(true), Changes::default(), "no room");
    }

    #[test]
    fn a_pause_while_the_library_is_told_skips_nothing() {
        let mut state = started(&[0]);
        state.keep(record(0, 0, 10)).unwrap();
        state.set_taken(0);
        let given = state.changes(false).give;
        assert_eq!(given, [(0, 1)]);
        state.pause(0);
        state.set_given(0, 1);
        state.keep(record(0, 1, 10)).unwrap();
        state.resume(0);
        assert!(state.take(100).is_none(), "what is behind the records that were given back");
        assert_eq!(state.changes(false), Changes { take: vec![0], give: vec![(0, 0)] });
    }

    #[test]
    fn a_seek_moves_a_fetched_partition() {
        let mut state = started(&[0]);
        state.keep(record(0, 0, 10)).unwrap();
        state.seek(0, 7);
        assert_eq!(state.changes(false), Changes { take: vec![0], give: vec![(0, 7)] });
        state.set_given(0, 7);
        assert_eq!(state.changes(false), Changes::default());
        state.keep(record(0, 9, 10)).unwrap();
        assert_eq!(offsets(state.take(1)), [(0, 9)], "7 and 8 are gone");
    }

    #[test]
    fn append_times_never_decrease_and_a_log_that_goes_back_is_noticed() {
        let mut state = started(&[0]);
        state.keep(record(0, 4, 1)).unwrap();
        state.keep(record(0, 5, 1)).unwrap();
        let records = state.take(10).unwrap().unwrap().records;
        assert_eq!((records[0].append_us, records[1].append_us), (996, 996));
        assert!(matches!(state.keep(record(0, 5, 1)), Err(Error::Corrupt(_))));
    }
}
