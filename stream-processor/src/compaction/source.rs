//! A stream's recording in order, out of its frames and blocks.

use std::collections::VecDeque;

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use playhead_domain::id::SessionId;
use playhead_domain::row::Block;
use playhead_domain::seal::{DataKey, Purpose};
use playhead_domain::store::Mutation;
use playhead_proto::frame::{Encoding, inflate_lossy};
use playhead_proto::limits;

use super::Error;
use super::rows::{FrameRow, Sealed};
use super::unit::{Member, Unit};
use crate::cache::SessionRef;
use crate::compute::compute;
use crate::shared::Shared;

/// Raw bytes of frames that are opened at once.
const AHEAD_BYTES: usize = 1 << 20;

/// Frames in order of `seq`, each with the ones that belong to the same split event.
pub(crate) struct Frames {
    groups: VecDeque<Vec<FrameRow>>,
}

impl Frames {
    /// Groups frames; parts whose event is not complete are left out.
    pub(crate) fn complete(frames: Vec<FrameRow>) -> Self {
        let mut groups = VecDeque::new();
        let mut group: Vec<FrameRow> = Vec::new();
        for row in frames {
            if row.frame.part_count <= 1 {
                group.clear();
                groups.push_back(vec![row]);
                continue;
            }
            let expected = group.len();
            let fits = row.frame.part_index as usize == expected
                && group.last().is_none_or(|last| {
                    last.seq + 1 == row.seq && last.frame.part_count == row.frame.part_count
                });
            if !fits {
                group.clear();
            }
            if fits || row.frame.part_index == 0 {
                group.push(row);
            }
            if group.last().is_some_and(|last| last.frame.part_index + 1 == last.frame.part_count) {
                groups.push_back(std::mem::take(&mut group));
            }
        }
        Self { groups }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(crate) fn first_seq(&self) -> Option<u64> {
        Some(self.groups.front()?.first()?.seq)
    }

    /// The next groups, at least one if there is one, whose frames together take so many bytes, sealed and as they say that they inflate.
    fn take(&mut self, most_bytes: usize) -> Vec<Vec<FrameRow>> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(group) = self.groups.front() {
            bytes += group.iter().map(FrameRow::held_bytes).sum::<usize>();
            if !taken.is_empty() && bytes > most_bytes {
                break;
            }
            taken.extend(self.groups.pop_front());
        }
        taken
    }

    /// Deletes every row that is in a group.
    pub(crate) fn deletes(&self) -> impl Iterator<Item = Mutation> + '_ {
        self.groups.iter().flatten().map(FrameRow::delete)
    }
}

/// The units of a stream in order of `seq`. Holds one open block and [`AHEAD_BYTES`] of frames, or one unit, at a time.
pub(crate) struct Source<'a> {
    shared: &'a Shared,
    id: SessionId,
    key: &'a DataKey,
    blocks: VecDeque<Block>,
    /// Units of the block that is open.
    open: VecDeque<Unit>,
    frames: Frames,
    /// Units of the frames that were before [`Source::frames`].
    ahead: VecDeque<Unit>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        session: SessionRef,
        key: &'a DataKey,
        blocks: Vec<Block>,
        frames: Frames,
    ) -> Self {
        let (open, ahead) = (VecDeque::new(), VecDeque::new());
        Self { shared, id: session.1, key, blocks: blocks.into(), open, frames, ahead }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Unit>, Error> {
        if self.open.is_empty()
            && let Some(block) = self.blocks.front()
            && self.next_new().is_none_or(|seq| first_seq(block) < seq)
            && let Some(block) = self.blocks.pop_front()
        {
            self.open = self.open_block(block).await?.into();
        }
        let in_block = self.open.front().and_then(|unit| unit.members.first()).map(|member| member.seq);
        match (in_block, self.next_new()) {
            (Some(old), Some(new)) if new < old => self.next_frames().await,
            (Some(_), _) => Ok(self.open.pop_front()),
            (None, _) => self.next_frames().await,
        }
    }

    async fn read(&self, object: &str, offset: u64, bytes: u32) -> Result<Bytes, object_store::Error> {
        self.shared.blobs.get_range(&Path::from(object), offset..offset + u64::from(bytes)).await
    }

    async fn open_block(&self, block: Block) -> Result<Vec<Unit>, Error> {
        let sealed = self.read(&block.object, block.offset, block.bytes).await?;
        let (id, key) = (self.id, self.key.clone());
        compute(move || {
            let raw = key.open_block(id, &block, &sealed, usize::MAX)?;
            Ok(units(&block, &raw))
        })
        .await?
    }

    /// The `seq` of the next unit that is in no block yet.
    fn next_new(&self) -> Option<u64> {
        let ahead = self.ahead.front().and_then(|unit| unit.members.first()).map(|member| member.seq);
        ahead.or_else(|| self.frames.first_seq())
    }

    async fn next_frames(&mut self) -> Result<Option<Unit>, Error> {
        if self.ahead.is_empty() {
            self.ahead = self.open_frames().await?.into();
        }
        Ok(self.ahead.pop_front())
    }

    /// Opens some frames at once: handing over to another thread costs more than opening one.
    async fn open_frames(&mut self) -> Result<Vec<Unit>, Error> {
        let mut groups = self.frames.take(AHEAD_BYTES);
        for row in groups.iter_mut().flatten().filter(|row| matches!(row.sealed, Sealed::Unread)) {
            row.sealed = match self.read(&row.frame.object, row.frame.offset, row.frame.bytes).await {
                Ok(sealed) => Sealed::Read(sealed),
                Err(object_store::Error::NotFound { .. }) => Sealed::Lost,
                Err(error) => return Err(error.into()),
            };
        }
        let (id, key) = (self.id, self.key.clone());
        let open = move || groups.into_iter().map(|group| open_group(id, &key, group)).collect();
        Ok(compute(open).await?)
    }
}

/// What the frames of an event, or of a batch, hold up to their fault. What is gone for good is a gap.
fn open_group(id: SessionId, key: &DataKey, group: Vec<FrameRow>) -> Unit {
    let declared: usize = group.iter().map(|row| row.frame.raw_bytes as usize).sum();
    let is_too_large = group.len() > 1 && declared > limits::MAX_JOINED_BYTES;
    let mut unit = Unit::default();
    for row in group {
        let member = row.member();
        let (raw, fault) =
            if is_too_large { (Vec::new(), Some("too_large")) } else { open_frame(id, key, &row) };
        unit.push(member, &raw, fault);
    }
    unit.end_at_line();
    unit
}

fn open_frame(id: SessionId, key: &DataKey, row: &FrameRow) -> (Vec<u8>, Option<&'static str>) {
    let Sealed::Read(sealed) = &row.sealed else { return (Vec::new(), Some("lost")) };
    let Ok(packed) = key.open(id, Purpose::Frame, sealed) else {
        return (Vec::new(), Some("unreadable"));
    };
    let declared = (row.frame.raw_bytes as usize).min(limits::MAX_DOM_RAW_BYTES);
    let Some(encoding) = Encoding::from_name(&row.frame.encoding) else {
        return (Vec::new(), Some("unreadable"));
    };
    let inflated = inflate_lossy(&packed, encoding, declared);
    (inflated.bytes, inflated.fault.map(|fault| fault.reason()))
}

fn first_seq(block: &Block) -> u64 {
    block.frames.first().map_or(0, |frame| frame.seq)
}

/// Cuts an open block into its units again.
fn units(block: &Block, mut raw: &[u8]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for frame in &block.frames {
        let (own, rest) = raw.split_at((frame.raw_bytes as usize).min(raw.len()));
        raw = rest;
        let member = Member::of_block(frame, block.from_ms);
        if !frame.continued || units.is_empty() {
            units.push(Unit::default());
        }
        if let Some(unit) = units.last_mut() {
            unit.push(member, own, None);
        }
    }
    // Gaps stay with the batch in whose time they begin.
    for gap in &block.gaps {
        let owner = units.iter_mut().find(|unit| {
            unit.gap.is_none() && unit.members.iter().any(|member| member.from_ms == gap.from_ms)
        });
        if let Some(unit) = owner {
            unit.gap = Some(gap.clone());
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use playhead_domain::row::Frame;

    use super::*;

    fn row(seq: u64, part: (u32, u32)) -> FrameRow {
        FrameRow::of(seq, Frame { part_index: part.0, part_count: part.1, ..Frame::default() })
    }

    fn grouped(rows: Vec<FrameRow>) -> Vec<Vec<u64>> {
        Frames::complete(rows).groups.iter().map(|group| group.iter().map(|row| row.seq).collect()).collect()
    }

    #[test]
    fn parts_are_grouped_only_when_all_are_there() {
        let whole = (0, 1);
        assert_eq!(
            grouped(vec![row(0, whole), row(1, (0, 2)), row(2, (1, 2)), row(3, whole)]),
            [vec![0], vec![1, 2], vec![3]]
        );
        assert_eq!(
            grouped(vec![row(1, (0, 3)), row(3, (2, 3)), row(4, whole)]),
            [vec![4]],
            "the middle is missing"
        );
        assert_eq!(
            grouped(vec![row(2, (1, 2)), row(3, (0, 2)), row(4, (1, 2))]),
            [vec![3, 4]],
            "the first is missing"
        );
        assert_eq!(
            grouped(vec![row(1, (0, 2)), row(2, (0, 2)), row(3, (1, 2))]),
            [vec![2, 3]],
            "begun twice"
        );
    }
}
