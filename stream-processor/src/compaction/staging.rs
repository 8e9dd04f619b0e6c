//! Objects of compacted sessions, by the day on which they expire, and what may be written once they are there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use playhead_domain::id::StreamId;
use playhead_domain::row::Block;
use playhead_domain::seal::{BlockCompressor, DataKey, Effort};
use playhead_domain::session::key;
use playhead_domain::store::{self, Mutation};
use playhead_domain::table;
use prost::Message;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::Error;
use super::block::RawBlock;
use crate::cache::SessionRef;
use crate::compute::compute;
use crate::control::Control;
use crate::effect::{Parts, object_rows};
use crate::retry::retry;
use crate::shared::{Shared, locked};
use playhead_domain::calendar;

const WRITE_FOR: Duration = Duration::from_secs(120);
/// Rows must refer to an object long before it is old enough to be collected.
const REFER_WITHIN: Duration = Duration::from_secs(300);
const DELETES_AT_ONCE: usize = 500;
const MAX_WAITING_DELETES: usize = 10_000;
const CONCURRENT_WRITES: usize = 16;
/// Sessions of one object: its row lists them.
const MAX_OBJECT_SESSIONS: usize = 10_000;

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The log partition of a session, and the epoch in which this process owns it.
pub(crate) type Owner = (u32, u64);

/// A session whose blocks are all staged.
pub(crate) struct Finished {
    owner: Owner,
    pub(crate) session: SessionRef,
    version: i64,
    expires_at_ms: i64,
    blocks: Vec<(StreamId, Block)>,
    /// What the blocks make superfluous.
    pub(crate) deletes: Vec<Mutation>,
}

impl Finished {
    pub(crate) fn new(owner: Owner, session: SessionRef, version: i64, expires_at_ms: i64) -> Self {
        Self { owner, session, version, expires_at_ms, blocks: Vec::new(), deletes: Vec::new() }
    }

    /// Blocks that stay where they are.
    pub(crate) fn keep(&mut self, stream: StreamId, blocks: Vec<Block>) {
        self.blocks.extend(blocks.into_iter().map(|block| (stream, block)));
    }

    /// Replaces all blocks of the session at once: a row that is not written again is older than the deletion.
    fn rows(&self) -> Vec<Mutation> {
        let (scope, id) = self.session;
        let mut rows = vec![Mutation::DeletePartition {
            table: &table::SESSION_BLOCKS,
            partition: key::session_partition(scope, id),
            version: self.version - 1,
        }];
        rows.extend(self.blocks.iter().map(|(stream, block)| Mutation::Put {
            table: &table::SESSION_BLOCKS,
            key: key::batch(scope, id, *stream, block.frames.first().map_or(0, |frame| frame.seq)),
            value: block.encode_to_vec().into(),
            version: self.version,
            expires_at_ms: Some(self.expires_at_ms),
        }));
        rows
    }
}

struct Staging {
    name: String,
    object: Parts,
    sessions: BTreeSet<SessionRef>,
    expires_at_ms: i64,
}

/// The objects under way, together about as large as one may be, and the sessions that wait for them. Sessions add to them at the
/// same time.
pub(crate) struct Stagings {
    limit_bytes: u64,
    /// Blocks that are compressed at a time. Each takes up to tens of MB for its tables, and a core for itself.
    compressing: Semaphore,
    /// Those that nobody uses now; they go with the pass.
    compressors: std::sync::Mutex<Vec<(Effort, BlockCompressor)>>,
    waiting: Mutex<Waiting>,
    /// Sessions whose rows are written.
    compacted: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    by_day: BTreeMap<i64, Staging>,
    finished: Vec<Finished>,
    /// The objects of this pass that are not under way any more, with when each began to be written; `None`: it never was. A session
    /// that is still worked on may have blocks in each.
    objects: HashMap<String, Option<Instant>>,
}

impl Waiting {
    /// Whether all objects that the session's blocks are in are there, and young enough to be referred to.
    fn may_refer(&self, session: &Finished) -> bool {
        let is_young = |began: &Option<Instant>| began.is_some_and(|began| began.elapsed() <= REFER_WITHIN);
        let known = session.blocks.iter().filter_map(|(_, block)| self.objects.get(&block.object));
        known.into_iter().all(is_young)
    }
}

impl Stagings {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            limit_bytes: shared.config.object_bytes as u64,
            compressing: Semaphore::new(cores().div_ceil(2)),
            compressors: std::sync::Mutex::default(),
            waiting: Mutex::default(),
            compacted: AtomicUsize::new(0),
        }
    }

    pub(crate) fn compacted(&self) -> usize {
        self.compacted.load(Ordering::Relaxed)
    }

    /// Seals a block and puts it into the object of its session's expiry day.
    pub(crate) async fn add(
        &self,
        shared: &Shared,
        finished: &mut Finished,
        key: &DataKey,
        stream: StreamId,
        block: RawBlock,
    ) -> Result<(), Error> {
        let (id, key, RawBlock { raw, mut row }) = (finished.session.1, key.clone(), block);
        let is_behind = shared.compaction_is_behind.load(Ordering::Relaxed);
        let effort = if is_behind { Effort::Quick } else { Effort::Thorough };
        let turn = self.compressing.acquire().await;
        let known = locked(&self.compressors).pop().filter(|(made_for, _)| *made_for == effort);
        let sealing = compute(move || {
            let mut compressor =
                known.map_or_else(|| BlockCompressor::new(effort), |(_, known)| Ok(known))?;
            key.seal_block(id, &raw, &mut compressor).map(|sealed| (sealed, compressor))
        });
        let (sealed, compressor) = sealing.await??;
        locked(&self.compressors).push((effort, compressor));
        drop(turn);
        let day = key::day(finished.expires_at_ms);
        let mut waiting = self.waiting.lock().await;
        let staging = waiting.by_day.entry(day).or_insert_with(|| Staging {
            name: format!("blocks/{}/{}", calendar::date(day), shared.hooks.name()),
            object: Parts::default(),
            sessions: BTreeSet::new(),
            expires_at_ms: 0,
        });
        staging.name.clone_into(&mut row.object);
        let sealed_bytes = sealed.len();
        row.offset = staging.object.bytes;
        row.bytes = u32::try_from(sealed_bytes).unwrap_or(u32::MAX);
        staging.object.push(sealed.into());
        staging.sessions.insert(finished.session);
        staging.expires_at_ms = staging.expires_at_ms.max(finished.expires_at_ms);
        finished.blocks.push((stream, row));
        shared.metrics.compaction_out_bytes.inc_by(sealed_bytes as u64);
        let bytes: u64 = waiting.by_day.values().map(|staging| staging.object.bytes).sum();
        let most = waiting.by_day.values().map(|staging| staging.sessions.len()).max();
        if bytes >= self.limit_bytes || most >= Some(MAX_OBJECT_SESSIONS) {
            self.write_waiting(shared, &mut waiting).await?;
        }
        Ok(())
    }

    /// Takes a session whose blocks are all added.
    pub(crate) async fn finish(&self, shared: &Shared, finished: Finished) -> Result<(), Error> {
        let mut waiting = self.waiting.lock().await;
        waiting.finished.push(finished);
        // Sessions without much of a recording must not pile up either.
        let deletes: usize = waiting.finished.iter().map(|session| session.deletes.len()).sum();
        if deletes >= MAX_WAITING_DELETES { self.write_waiting(shared, &mut waiting).await } else { Ok(()) }
    }

    /// Writes the objects, then the rows of the sessions that are finished.
    pub(crate) async fn write(&self, shared: &Shared) -> Result<(), Error> {
        let mut waiting = self.waiting.lock().await;
        self.write_waiting(shared, &mut waiting).await
    }

    /// Whoever adds meanwhile waits: an object is complete before a session of it can be finished.
    async fn write_waiting(&self, shared: &Shared, waiting: &mut Waiting) -> Result<(), Error> {
        let finished = std::mem::take(&mut waiting.finished);
        let by_day = std::mem::take(&mut waiting.by_day);
        waiting.objects.extend(by_day.values().map(|staging| (staging.name.clone(), None)));
        for (day, staging) in by_day {
            let began = Instant::now();
            let Staging { name, object, sessions, expires_at_ms } = staging;
            let rows =
                object_rows("blocks", &name, day, object.bytes, &sessions, expires_at_ms, shared.now_us());
            let (path, payload) =
                (Path::from(name.as_str()), object.parts.into_iter().collect::<PutPayload>());
            retry(WRITE_FOR, || shared.blobs.put(&path, payload.clone())).await?;
            retry(WRITE_FOR, || shared.store.write(rows.clone())).await?;
            waiting.objects.insert(name, Some(began));
        }
        let (finished, lost): (Vec<_>, Vec<_>) =
            finished.into_iter().partition(|session| waiting.may_refer(session));
        if !lost.is_empty() {
            shared.metrics.compaction_failures.inc_by(lost.len() as u64);
            tracing::warn!(
                sessions = lost.len(),
                "objects of compacted sessions are not there or too old; the sessions are compacted again"
            );
        }
        let owned = still_owned(shared, &finished).await?;
        let writes = finished
            .into_iter()
            .filter(|session| owned.contains(&session.owner))
            .map(|session| async move { self.write_session(shared, &session).await });
        futures::stream::iter(writes).buffer_unordered(CONCURRENT_WRITES).try_collect().await
    }

    async fn write_session(&self, shared: &Shared, session: &Finished) -> Result<(), Error> {
        shared.store.write(session.rows()).await?;
        for deletes in session.deletes.chunks(DELETES_AT_ONCE) {
            shared.store.write(deletes.to_vec()).await?;
        }
        self.compacted.fetch_add(1, Ordering::Relaxed);
        shared.metrics.compacted_sessions.inc();
        Ok(())
    }
}

/// Owners that have not been replaced. What a process does that was stopped for long and does not know it yet would be right, but
/// others have done it, and perhaps more, meanwhile.
async fn still_owned(shared: &Shared, finished: &[Finished]) -> Result<BTreeSet<Owner>, store::Error> {
    let mut owned = BTreeSet::new();
    for owner in finished.iter().map(|session| session.owner).collect::<BTreeSet<_>>() {
        if Control::is_owner(&*shared.store, shared.topic.name, owner.0, owner.1).await? {
            owned.insert(owner);
        }
    }
    Ok(owned)
}
