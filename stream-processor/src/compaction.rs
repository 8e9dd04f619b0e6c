//! Compaction: the frames of a session that is over become a few long blocks, in objects shared by the sessions compacted together.
//!
//! It may stop anywhere and run anywhere, twice at once too. What makes it safe: frames are listed before blocks; a block
//! tells which batches are inside, so a frame that is still there is not seen twice; a session's blocks are replaced as a whole with a
//! version that grows with what was seen; and frames and the entry in the list of open sessions are deleted only in the version
//! that was seen, so a late batch stays and opens the session again.

mod block;
mod source;
mod staging;
mod unit;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::row::{Block, OpenSession, SessionKey, SessionSummary};
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
pub(crate) use source::objects_of;
use source::{Frames, Source};
use staging::{Finished, Owner, Stagings};

const PAGE: usize = 500;
/// Sessions under work at a time: most of a session's time is waiting for the store.
const CONCURRENT_SESSIONS: usize = 16;
/// Raw bytes that sessions under work may hold together, in KiB; a session holds at most about two blocks.
const BUDGET_KIB: u32 = 96 << 10;

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

/// Compacts every session of the owned partitions that is over. Returns how many.
pub(crate) async fn pass(shared: &Shared, shutdown: &CancellationToken) -> Result<usize, store::Error> {
    let work = Work { shared, stagings: Stagings::new(shared), budget: Semaphore::new(BUDGET_KIB as usize) };
    let mut open = 0;
    for owner in shared.owned() {
        let mut range = ClusteringRange::ALL;
        let columns = key::open_partition(shared.topic.name, owner.0);
        loop {
            let page =
                shared.store.scan(&table::OPEN_SESSIONS, &columns, &range, Order::Ascending, PAGE).await?;
            open += page.rows.len();
            let over: Vec<Row> = page.rows.iter().filter(|row| is_over(shared, row)).cloned().collect();
            let work = &work;
            let sessions = over.into_iter().take_while(|_| !shutdown.is_cancelled());
            let sessions = sessions.map(|row| async move { work.try_session(owner, &row).await });
            futures::stream::iter(sessions).buffer_unordered(CONCURRENT_SESSIONS).collect::<()>().await;
            if shutdown.is_cancelled() {
                return Ok(work.stagings.compacted());
            }
            match page.rows.last() {
                Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
                _ => break,
            }
        }
    }
    let written = work.stagings.write(shared).await;
    let compacted = work.stagings.compacted();
    if let Err(error) = written {
        shared.metrics.compaction_failures.inc();
        tracing::warn!(%error, "the compacted sessions were not written; they are compacted again");
    }
    shared.metrics.open_sessions.set(i64::try_from(open.saturating_sub(compacted)).unwrap_or(i64::MAX));
    Ok(compacted)
}

fn is_over(shared: &Shared, row: &Row) -> bool {
    let Ok(open) = OpenSession::decode(row.value.clone()) else { return true };
    let quiet_ms = (shared.now_us() - open.last_append_us) / 1_000;
    let idle_ms = if open.ended { shared.config.end_grace_ms } else { shared.config.session_idle_ms };
    quiet_ms >= i64::try_from(idle_ms.min(shared.config.session_idle_ms)).unwrap_or(i64::MAX)
}

/// The session of a row in the list of open ones.
fn session_of(row: &Row) -> Option<SessionRef> {
    let open = OpenSession::decode(row.value.clone()).ok()?;
    let [Value::Bytes(id)] = &row.key.clustering[..] else { return None };
    let scope = Scope::of_log_record(TenantId(open.tenant), ProjectId(open.project));
    Some((scope, SessionId(id.as_ref().try_into().ok()?)))
}

/// A pass under way.
struct Work<'a> {
    shared: &'a Shared,
    stagings: Stagings,
    budget: Semaphore,
}

impl Work<'_> {
    async fn try_session(&self, owner: Owner, row: &Row) {
        if let Err(error) = self.compact(owner, row).await {
            self.shared.metrics.compaction_failures.inc();
            tracing::warn!(%error, row = ?row.key.clustering, "the session is compacted again with the next pass");
        }
    }

    async fn compact(&self, owner: Owner, row: &Row) -> Result<(), Error> {
        let shared = self.shared;
        let close = close(row);
        let Some(session) = session_of(row) else { return Ok(shared.store.write(vec![close]).await?) };
        let Some((key, expires_at_ms)) = key_and_expiry(shared, session).await? else {
            // Erased or expired.
            return Ok(shared.store.write(vec![close]).await?);
        };
        // Frames first: one that is gone by then is in the blocks that are listed next.
        let frames = source::list_frames(&*shared.store, session).await?;
        let blocks = source::list_blocks(&*shared.store, session).await?;
        if frames.rows.is_empty() {
            return Ok(shared.store.write(vec![close]).await?);
        }
        let _held = self.budget.acquire_many(self.held_kib(&frames.rows)).await;
        let version = frames.newest_version.max(blocks.newest_version) + 1;
        let mut finished = Finished::new(owner, session, version, expires_at_ms);
        let is_last = !frames.has_more;
        let mut streams: BTreeMap<StreamId, (Vec<source::FrameRow>, Vec<Block>)> = BTreeMap::new();
        for frame in frames.rows {
            streams.entry(frame.stream).or_default().0.push(frame);
        }
        for (stream, block) in blocks.rows {
            streams.entry(stream).or_default().1.push(block);
        }
        for (stream, (frames, blocks)) in streams {
            self.compact_stream(&mut finished, &key, stream, frames, blocks).await?;
        }
        if is_last {
            // After the frames: what a stop in between leaves is looked at again.
            finished.deletes.push(close);
        }
        self.stagings.finish(shared, finished).await
    }

    /// What a session's frames may take in memory while they become blocks.
    fn held_kib(&self, frames: &[source::FrameRow]) -> u32 {
        let raw: usize = frames.iter().map(|row| row.frame.raw_bytes as usize).sum();
        let held = raw.min(2 * self.shared.config.block_raw_bytes) * 2;
        u32::try_from(held >> 10).unwrap_or(BUDGET_KIB).clamp(1, BUDGET_KIB)
    }

    /// Keeps the blocks that end before anything new, and writes the rest of the stream anew, in order of `seq`.
    async fn compact_stream(
        &self,
        finished: &mut Finished,
        key: &DataKey,
        stream: StreamId,
        mut frames: Vec<source::FrameRow>,
        blocks: Vec<Block>,
    ) -> Result<(), Error> {
        let shared = self.shared;
        let is_covered = |frame: &source::FrameRow| blocks.iter().any(|block| block.covers(frame.seq));
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

async fn key_and_expiry(shared: &Shared, (scope, id): SessionRef) -> Result<Option<(DataKey, i64)>, Error> {
    let row_key = key::session(scope, id);
    let (Some(summary), Some(wrapped)) = (
        shared.store.get(&table::SESSIONS, &row_key).await?,
        shared.store.get(&table::SESSION_KEYS, &row_key).await?,
    ) else {
        return Ok(None);
    };
    let corrupt = |error: prost::DecodeError| store::Error::Corrupt(format!("session {id}: {error}"));
    let expires_at_ms = SessionSummary::decode(summary.value).map_err(corrupt)?.expires_at_ms;
    let wrapped = SessionKey::decode(wrapped.value).map_err(corrupt)?.wrapped;
    Ok(Some((shared.keys.unwrap(id, &wrapped)?, expires_at_ms)))
}
