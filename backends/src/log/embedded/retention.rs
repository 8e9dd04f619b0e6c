//! What a topic no longer keeps: begins segments, and drops old ones whole.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::BufMut;
use fjall::PersistMode;
use parking_lot::Mutex;
use playhead_domain::log::{Error, Retention};

use super::segment::Segment;
use super::topic::Topic;
use super::{Files, unavailable};

/// Places in a file are 32 bits wide, and a group may go beyond the limit.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// The segment that takes a record appended at `append_us`, begun anew when the last one is long enough or covers its share
/// of the retention. Called by the writer only.
pub(super) fn segment_for(files: &Files, topic: &Topic, append_us: i64) -> Result<Arc<Segment>, Error> {
    if let Some(last) = topic.segments.read().last() {
        let full = match topic.retention() {
            Retention::NewestPerKey => false,
            Retention::Time(kept) => {
                let share_us = micros(kept / files.config.segments.max(1)).max(1);
                let age_us = append_us.saturating_sub(last.started_us);
                !last.is_open()
                    || age_us >= share_us
                    || last.file_bytes() >= files.config.file_bytes.min(MAX_FILE_BYTES)
            }
        };
        if !full {
            return Ok(Arc::clone(last));
        }
    }
    let segment = topic.create_segment(append_us)?;
    topic.segments.write().push(Arc::clone(&segment));
    Ok(segment)
}

/// Takes segments out of the topic whose newest record is older than the retention, and those that are too many bytes
/// together and that every group is beyond. Called by the writer only.
pub(super) fn detach_old_segments(files: &Files, topic: &Topic) -> Result<Vec<Arc<Segment>>, Error> {
    let Retention::Time(kept) = topic.retention() else { return Ok(Vec::new()) };
    let oldest_us = files.clock.now_us().saturating_sub(micros(kept));
    let is_old = |segment: &Arc<Segment>| segment.newest_append_us() < oldest_us;
    let old = topic.segments.read().iter().take_while(|segment| is_old(segment)).count();
    let old = old.max(consumed_segments_over(files.config.kept_bytes, files, topic)?);
    if old == 0 {
        return Ok(Vec::new());
    }
    store_places(files, topic)?;
    Ok(topic.segments.write().drain(..old).collect())
}

/// How many of the oldest segments could go so that the rest is at most `limit` bytes: those that no group needs any more,
/// and never the last, which takes the appends. Without a group all are needed.
fn consumed_segments_over(limit: u64, files: &Files, topic: &Topic) -> Result<usize, Error> {
    let mut bytes = topic.file_bytes();
    if limit == 0 || bytes <= limit {
        return Ok(0);
    }
    let Some(consumed) = topic.consumed(files)? else { return Ok(0) };
    let segments = topic.segments.read();
    let mut count = 0;
    for segment in &segments[..segments.len().saturating_sub(1)] {
        let needed = (0..).zip(&consumed).any(|(partition, consumed)| segment.end(partition) > *consumed);
        if bytes <= limit || needed {
            break;
        }
        bytes -= segment.file_bytes();
        count += 1;
    }
    Ok(count)
}

/// Keeps the partitions' next offsets beyond the records they were read from.
fn store_places(files: &Files, topic: &Topic) -> Result<(), Error> {
    let mut batch = files.engine.database.batch().durability(Some(PersistMode::SyncAll));
    for (number, partition) in (0..).zip(&topic.partitions) {
        let mut place = Vec::with_capacity(16);
        place.put_u64(partition.next.load(Ordering::Acquire));
        place.put_i64(partition.last_append_us.load(Ordering::Acquire));
        batch.insert(&files.meta, topic.place_key(number), place);
    }
    batch.commit().map_err(unavailable)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The thread that removes dropped segments' files, so that the writer does not wait for it.
pub(super) struct Janitor {
    sender: Mutex<Option<Sender<Arc<Segment>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Janitor {
    pub(super) fn start(files: Arc<Files>) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("log-janitor".to_owned())
            .spawn(move || remove_segments(&files, &receiver))?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Some(thread) })
    }

    /// Where dropped segments go. The thread ends when all senders are gone.
    pub(super) fn sender(&self) -> Sender<Arc<Segment>> {
        // Taken once, by the writer.
        self.sender.lock().take().unwrap_or_else(|| channel().0)
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.sender.lock().take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn remove_segments(files: &Files, receiver: &Receiver<Arc<Segment>>) {
    while let Ok(segment) = receiver.recv() {
        if let Err(error) = segment.remove() {
            files.engine.fail(&error);
        }
    }
}
