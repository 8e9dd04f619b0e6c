//! Sessions that are compacted together, because what they consist of is read together: frames of sessions that were active at the same
//! time lie close to each other in the same objects, and a request costs more than the bytes between them.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use playhead_domain::id::StreamId;
use playhead_domain::row::Block;
use playhead_domain::seal::DataKey;
use playhead_domain::session::state;
use playhead_domain::store::Mutation;

use super::Error;
use super::rows::{self, FrameRow, Listed, Sealed};
use super::staging::Owner;
use crate::cache::SessionRef;
use crate::shared::Shared;

/// Sealed bytes that a group holds in memory.
const GROUP_BYTES: usize = 8 << 20;
/// What a session with more than so much is made of is read when it is needed.
const SESSION_BYTES: usize = 4 << 20;
const GROUP_ROWS: usize = 25_000;
const GROUP_SESSIONS: usize = 4_096;
/// Bytes between two frames that are read along rather than asking twice.
const GAP_BYTES: u64 = 64 << 10;
const READ_BYTES: u64 = 2 << 20;
const CONCURRENT_READS: usize = 4;

/// A session that is over, and what it consists of.
pub(super) struct Ready {
    pub(super) owner: Owner,
    pub(super) session: SessionRef,
    pub(super) key: DataKey,
    pub(super) expires_at_ms: i64,
    /// Takes it from the list of open sessions.
    pub(super) close: Mutation,
    pub(super) frames: Listed<FrameRow>,
    pub(super) blocks: Listed<(StreamId, Block)>,
}

impl Ready {
    /// `None` for a session that was erased or has expired, that went on since (then it is listed in a later slice, too), or that
    /// has no frames.
    pub(super) async fn find(
        shared: &Shared,
        owner: Owner,
        session: SessionRef,
        last_append_us: i64,
        close: &Mutation,
    ) -> Result<Option<Self>, Error> {
        let store = &*shared.store;
        let Some(state) = state::newest(store, session.0, session.1).await? else { return Ok(None) };
        let Some(summary) = state.summary.filter(|summary| summary.last_append_us <= last_append_us) else {
            return Ok(None);
        };
        // Frames first: one that is gone by then is in the blocks that are listed next.
        let frames = rows::list_frames(store, session).await?;
        let blocks = rows::list_blocks(store, session).await?;
        if frames.rows.is_empty() {
            return Ok(None);
        }
        let key = shared.keys.unwrap(session.1, &state.wrapped_key)?;
        let (expires_at_ms, close) = (summary.expires_at_ms, close.clone());
        Ok(Some(Self { owner, session, key, expires_at_ms, close, frames, blocks }))
    }

    fn sealed_bytes(&self) -> usize {
        self.frames.rows.iter().map(|row| row.frame.bytes as usize).sum()
    }
}

/// Sessions that wait until they are enough.
#[derive(Default)]
pub(super) struct Group {
    sessions: Vec<Ready>,
    bytes: usize,
    rows: usize,
    /// Of this pass: a session may be listed twice, and its frames are deleted when it is written.
    taken: HashSet<SessionRef>,
}

impl Group {
    pub(super) fn extend(&mut self, ready: Option<Ready>) {
        let Some(ready) = ready.filter(|ready| self.taken.insert(ready.session)) else { return };
        let bytes = ready.sealed_bytes();
        self.bytes += if bytes > SESSION_BYTES { 0 } else { bytes };
        let members = ready.blocks.rows.iter().map(|(_, block)| block.frames.len()).sum::<usize>();
        self.rows += ready.frames.rows.len() + members;
        self.sessions.push(ready);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= GROUP_BYTES || self.rows >= GROUP_ROWS || self.sessions.len() >= GROUP_SESSIONS
    }

    /// The sessions, with what their frames hold as far as it could be read now; who needs another frame reads it.
    pub(super) async fn take(&mut self, shared: &Shared) -> Vec<Ready> {
        let mut sessions = std::mem::take(&mut self.sessions);
        (self.bytes, self.rows) = (0, 0);
        let small = sessions.iter_mut().filter(|ready| ready.sealed_bytes() <= SESSION_BYTES);
        let mut by_object: BTreeMap<String, Vec<&mut FrameRow>> = BTreeMap::new();
        for row in small.flat_map(|ready| &mut ready.frames.rows) {
            by_object.entry(row.frame.object.clone()).or_default().push(row);
        }
        let mut reads = Vec::new();
        for (object, mut rows) in by_object {
            rows.sort_by_key(|row| row.frame.offset);
            reads.extend(runs(rows).into_iter().map(|run| read(shared, Path::from(object.as_str()), run)));
        }
        futures::stream::iter(reads).buffer_unordered(CONCURRENT_READS).collect::<()>().await;
        sessions
    }
}

fn range(row: &FrameRow) -> Range<u64> {
    row.frame.offset..row.frame.offset + u64::from(row.frame.bytes)
}

/// Frames of one object, in the order of their offsets, cut where the next one is far or the read would be long.
fn runs(rows: Vec<&mut FrameRow>) -> Vec<Vec<&mut FrameRow>> {
    let mut runs: Vec<Vec<&mut FrameRow>> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for row in rows {
        let range = range(row);
        match runs.last_mut() {
            Some(run) if range.start <= end + GAP_BYTES && range.end <= start + READ_BYTES => {
                end = end.max(range.end);
                run.push(row);
            }
            _ => {
                (start, end) = (range.start, range.end);
                runs.push(vec![row]);
            }
        }
    }
    runs
}

/// Fills in what the frames of a run hold. One that cannot be read says so when it is needed.
async fn read(shared: &Shared, object: Path, mut run: Vec<&mut FrameRow>) {
    let start = run.first().map_or(0, |row| row.frame.offset);
    let end = run.iter().map(|row| range(row).end).max().unwrap_or(start);
    let Ok(bytes) = shared.blobs.get_range(&object, start..end).await else { return };
    for row in &mut run {
        let range = range(row);
        let place = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
        // Copied, so that what lies between does not stay in memory.
        if let Some(bytes) = bytes.get(place(range.start)..place(range.end)) {
            row.sealed = Sealed::Read(Bytes::copy_from_slice(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(places: &[(u64, u32)]) -> Vec<usize> {
        let mut rows: Vec<FrameRow> =
            places.iter().map(|&(offset, bytes)| FrameRow::at(offset, bytes)).collect();
        runs(rows.iter_mut().collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn frames_that_are_close_are_read_together() {
        assert_eq!(lengths(&[(0, 10), (10, 10), (20 + GAP_BYTES, 10)]), [3]);
        assert_eq!(lengths(&[(0, 10), (11 + GAP_BYTES, 10), (30 + GAP_BYTES, 10)]), [1, 2]);
        assert_eq!(lengths(&[]), Vec::<usize>::new());
    }

    #[test]
    fn no_read_is_longer_than_its_bound_unless_a_frame_is() {
        let step = 60 << 10;
        let places: Vec<(u64, u32)> = (0..300).map(|number| (number * step, 1 << 10)).collect();
        let lengths = lengths(&places);
        assert_eq!(lengths.iter().sum::<usize>(), 300);
        assert!(lengths.len() > 3 && (lengths[0] as u64 - 1) * step + 1_024 <= READ_BYTES, "{lengths:?}");
    }
}
