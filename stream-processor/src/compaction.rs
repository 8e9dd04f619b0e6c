//! Compaction: the frames of a session that is over become a few long blocks, in objects shared by the sessions compacted together.
//!
//! It may stop anywhere and run anywhere, twice at once too. What makes it safe: frames are listed before blocks; a block
//! tells which batches are inside, so a frame that is still there is not seen twice; a session's blocks are replaced as a whole with a
//! version that grows with what was seen; and frames and the entry in the list of open sessions are deleted only in the version
//! that was seen, so a late batch stays and opens the session again.

mod block;
mod group;
mod rows;
mod source;
mod staging;
mod unit;

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::row::{Block, OpenSession};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{self, DataKey};
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Mutation, Order, Row, Value};
use playhead_domain::table;
use prost::Message;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cache::SessionRef;
use crate::compute::Panicked;
use crate::shared::Shared;
use block::BlockBuilder;
use group::{Group, Ready};
use rows::FrameRow;
pub(crate) use rows::objects_of;
use source::{Frames, Source};
use staging::{Finished, Owner, Stagings};

const PAGE: usize = 500;
/// Sessions that are looked at at a time: that is waiting for the store.
const CONCURRENT_LOOKS: usize = 16;
/// Sessions under work at a time: that is work for the cores, but for large ones.
const CONCURRENT_SESSIONS: usize = 4;
/// KiB that sessions under work may hold together, at least: four of a usual size are under work beside each other.
const MIN_BUDGET_KIB: usize = 16 << 10;
/// Of what a session may hold: two blocks of raw bytes, and their frames before and after them.
const HELD_BLOCKS: usize = 4;

/// Compaction waits while batches are further behind than this: what just came in is looked at first, what has ended can wait.
const YIELDS_BEHIND: Duration = Duration::from_secs(5);
const YIELDS_FOR: Duration = Duration::from_millis(500);

/// Why a session was not compacted this time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Blobs(#[from] object_store::Error),
    #[error("sealing: {0}")]
    Seal(#[from] seal::Error),
    #[error("recoding: {0}")]
    Panicked(#[from] Panicked),
}

/// Runs passes until `shutdown`.
pub(crate) async fn run(shared: Arc<Shared>, shutdown: CancellationToken) {
    let interval = Duration::from_millis(shared.config.compaction_interval_ms);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
        let started = Instant::now();
        if let Err(error) = pass(&shared, &shutdown).await {
            tracing::warn!(%error, "compaction stopped early; it goes on with the next pass");
        }
        // More sessions end than are compacted: until that has passed, blocks are compressed less.
        shared.compaction_is_behind.store(started.elapsed() > interval, Ordering::Relaxed);
    }
}

/// The largest session fits.
fn budget_kib(shared: &Shared) -> usize {
    ((HELD_BLOCKS * shared.config.block_raw_bytes) >> 10).max(MIN_BUDGET_KIB)
}

/// Compacts every session of the owned partitions that is over. Returns how many.
pub(crate) async fn pass(shared: &Shared, shutdown: &CancellationToken) -> Result<usize, store::Error> {
    let work = Work {
        shared,
        shutdown,
        stagings: Stagings::new(shared),
        budget: Semaphore::new(budget_kib(shared)),
    };
    let (mut open, mut group) = (HashSet::new(), Group::default());
    for owner in shared.owned() {
        work.look_at_partition(owner, &mut open, &mut group).await?;
        if shutdown.is_cancelled() {
            return Ok(work.stagings.compacted());
        }
    }
    work.compact_group(&mut group).await;
    let written = work.stagings.write(shared).await;
    let compacted = work.stagings.compacted();
    if let Err(error) = written {
        shared.metrics.compaction_failures.inc();
        tracing::warn!(%error, "the compacted sessions were not written; they are compacted again");
    }
    let left = open.len().saturating_sub(compacted);
    shared.metrics.open_sessions.set(i64::try_from(left).unwrap_or(i64::MAX));
    Ok(compacted)
}

/// A pass under way.
struct Work<'a> {
    shared: &'a Shared,
    shutdown: &'a CancellationToken,
    stagings: Stagings,
    budget: Semaphore,
}

impl Work<'_> {
    /// Adds to `open` the sessions that are listed.
    async fn look_at_partition(
        &self,
        owner: Owner,
        open: &mut HashSet<Vec<Value>>,
        group: &mut Group,
    ) -> Result<(), store::Error> {
        let (store, topic) = (&*self.shared.store, self.shared.topic.name);
        let columns = key::log_partition(topic, owner.0);
        let mut slices = store::scan_all(store, &table::OPEN_SLICES, &columns, ClusteringRange::ALL).await?;
        // Flushes of a partition follow each other in time: once a later slice is there nobody writes to an earlier one. Only a row of
        // a slice that was found empty after that goes.
        let newest = slices.pop();
        for slice in slices {
            if self.look_at_slice(owner, &slice, open, group).await? == 0 {
                let (key, version) = (slice.key, slice.version);
                store.write(vec![Mutation::Delete { table: &table::OPEN_SLICES, key, version }]).await?;
            }
        }
        if let Some(newest) = newest {
            self.look_at_slice(owner, &newest, open, group).await?;
        }
        Ok(())
    }

    /// Takes what is over in the slice. Returns how many rows it had.
    async fn look_at_slice(
        &self,
        owner: Owner,
        slice: &Row,
        open: &mut HashSet<Vec<Value>>,
        group: &mut Group,
    ) -> Result<usize, store::Error> {
        let [Value::Int(slice)] = slice.key.clustering[..] else { return Ok(0) };
        let columns = key::open_partition(self.shared.topic.name, owner.0, slice);
        let (mut range, mut found) = (ClusteringRange::ALL, 0);
        loop {
            let (store, order) = (&self.shared.store, Order::Ascending);
            let page = store.scan(&table::OPEN_SESSIONS, &columns, &range, order, PAGE).await?;
            found += page.rows.len();
            open.extend(page.rows.iter().map(|row| row.key.clustering.clone()));
            let over: Vec<&Row> = page.rows.iter().filter(|row| is_over(self.shared, row)).collect();
            self.take(owner, &over, group).await;
            if self.shutdown.is_cancelled() {
                return Ok(found);
            }
            match page.rows.last() {
                Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
                _ => return Ok(found),
            }
        }
    }
}

fn is_over(shared: &Shared, row: &Row) -> bool {
    let Ok(open) = OpenSession::decode(row.value.clone()) else { return true };
    let quiet_ms = (shared.now_us() - open.last_append_us) / 1_000;
    let idle_ms = if open.ended { shared.config.end_grace_ms } else { shared.config.session_idle_ms };
    quiet_ms >= i64::try_from(idle_ms.min(shared.config.session_idle_ms)).unwrap_or(i64::MAX)
}

/// The session of a row in the list of open ones, and when its newest batch of that time was appended.
fn session_of(row: &Row) -> Option<(SessionRef, i64)> {
    let open = OpenSession::decode(row.value.clone()).ok()?;
    let [Value::Bytes(id)] = &row.key.clustering[..] else { return None };
    let scope = Scope::of_log_record(TenantId(open.tenant), ProjectId(open.project));
    Some(((scope, SessionId(id.as_ref().try_into().ok()?)), open.last_append_us))
}

impl Work<'_> {
    /// Finds out what these sessions consist of, and compacts those found so far whenever they are enough.
    async fn take(&self, owner: Owner, over: &[&Row], group: &mut Group) {
        for some in over.chunks(CONCURRENT_LOOKS) {
            self.wait_for_turn().await;
            if self.shutdown.is_cancelled() {
                return;
            }
            let looked_at = some.iter().map(|row| self.look_at_session(owner, row));
            for (row, found) in some.iter().zip(join_all(looked_at).await) {
                match found {
                    Ok(ready) => group.extend(ready),
                    Err(error) => self.failed(&error, &row.key.clustering),
                }
            }
            if group.is_full() {
                self.compact_group(group).await;
            }
        }
    }

    async fn compact_group(&self, group: &mut Group) {
        let sessions = group.take(self.shared).await;
        let sessions = sessions.into_iter().map(|ready| async move {
            self.wait_for_turn().await;
            if self.shutdown.is_cancelled() {
                return;
            }
            let session = [Value::from(ready.session.1.0)];
            if let Err(error) = self.compact(ready).await {
                self.failed(&error, &session);
            }
        });
        futures::stream::iter(sessions).buffer_unordered(CONCURRENT_SESSIONS).collect::<()>().await;
    }

    async fn wait_for_turn(&self) {
        while self.shared.progress.behind(self.shared.now_us()) > YIELDS_BEHIND
            && !self.shutdown.is_cancelled()
        {
            tokio::time::sleep(YIELDS_FOR).await;
        }
    }

    fn failed(&self, error: &Error, row: &[Value]) {
        self.shared.metrics.compaction_failures.inc();
        tracing::warn!(%error, ?row, "the session is compacted again with the next pass");
    }

    /// What a listed session consists of; `None`: there is nothing to compact, and it is listed no more.
    async fn look_at_session(&self, owner: Owner, row: &Row) -> Result<Option<Ready>, Error> {
        let shared = self.shared;
        let close = close(row);
        let found = match session_of(row) {
            Some((session, last_append_us)) => {
                Ready::find(shared, owner, session, last_append_us, &close).await?
            }
            None => None,
        };
        if found.is_none() {
            shared.store.write(vec![close]).await?;
        }
        Ok(found)
    }

    async fn compact(&self, ready: Ready) -> Result<(), Error> {
        let Ready { owner, session, key, expires_at_ms, close, frames, blocks } = ready;
        let _held = self.budget.acquire_many(self.held_kib(&frames.rows)).await;
        let version = frames.newest_version.max(blocks.newest_version) + 1;
        let mut finished = Finished::new(owner, session, version, expires_at_ms);
        let is_last = !frames.has_more;
        let mut streams: BTreeMap<StreamId, (Vec<FrameRow>, Vec<Block>)> = BTreeMap::new();
        for frame in frames.rows {
            streams.entry(frame.stream).or_default().0.push(frame);
        }
        for (stream, block) in blocks.rows {
            streams.entry(stream).or_default().1.push(block);
        }
        for (stream, (frames, blocks)) in streams {
            self.compact_stream(&mut finished, &key, stream, frames, blocks).await?;
        }
        // What makes no progress now, such as parts of events that never came whole, makes none with the next pass either.
        if is_last || finished.deletes.is_empty() {
            // After the frames: what a stop in between leaves is looked at again.
            finished.deletes.push(close);
        }
        self.stagings.finish(self.shared, finished).await
    }

    /// What a session's frames may take in memory while they become blocks.
    fn held_kib(&self, frames: &[FrameRow]) -> u32 {
        let bytes: usize = frames.iter().map(FrameRow::held_bytes).sum();
        let held = (2 * bytes).min(HELD_BLOCKS * self.shared.config.block_raw_bytes);
        u32::try_from(held >> 10).unwrap_or(u32::MAX).max(1)
    }

    /// Keeps the blocks that end before anything new, and writes the rest of the stream anew, in order of `seq`.
    async fn compact_stream(
        &self,
        finished: &mut Finished,
        key: &DataKey,
        stream: StreamId,
        mut frames: Vec<FrameRow>,
        blocks: Vec<Block>,
    ) -> Result<(), Error> {
        let shared = self.shared;
        let is_covered = |frame: &FrameRow| blocks.iter().any(|block| block.covers(frame.seq));
        finished.deletes.extend(frames.iter().filter(|frame| is_covered(frame)).map(|frame| frame.delete()));
        frames.retain(|frame| !is_covered(frame));
        // Parts of a split event whose other parts are missing wait as frames.
        let frames = Frames::complete(frames);
        let first_new = frames.first_seq().unwrap_or(u64::MAX);
        let (kept, redone): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|block| block.last_seq < first_new);
        finished.keep(stream, kept);
        if frames.is_empty() {
            finished.keep(stream, redone);
            return Ok(());
        }
        finished.deletes.extend(frames.deletes());
        let mut source = Source::new(shared, finished.session, key, redone, frames);
        let mut builder = BlockBuilder::new(shared.config.block_raw_bytes);
        while let Some(unit) = source.next().await? {
            shared.metrics.compaction_in_bytes.inc_by(unit.raw.len() as u64);
            if builder.is_full_before(&unit) {
                self.stagings.add(shared, finished, key, stream, builder.take()).await?;
            }
            builder.push(unit);
        }
        if !builder.is_empty() {
            self.stagings.add(shared, finished, key, stream, builder.take()).await?;
        }
        Ok(())
    }
}

fn close(row: &Row) -> Mutation {
    Mutation::Delete { table: &table::OPEN_SESSIONS, key: row.key.clone(), version: row.version }
}
