//! Cutting a stream into blocks, and blocks into segments that can be fetched on their own.

use playhead_domain::row::{Block, BlockSegment};

use super::unit::{Member, Unit};

/// Raw bytes of a segment, unless a key frame ends it earlier or one event is longer.
const SEGMENT_BYTES: usize = 1 << 20;
const MAX_SEGMENTS: usize = 512;
const MAX_MEMBERS: usize = 4_096;

/// A block on its way: raw lines, and the row without its place in an object.
pub(crate) struct RawBlock {
    pub(crate) raw: Vec<u8>,
    pub(crate) row: Block,
}

pub(crate) struct BlockBuilder {
    target_bytes: usize,
    raw: Vec<u8>,
    members: Vec<Member>,
    row: Block,
}

impl BlockBuilder {
    pub(crate) fn new(target_bytes: usize) -> Self {
        Self { target_bytes, raw: Vec::new(), members: Vec::new(), row: Block::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether the block must be taken before this unit. From half its size on it waits for a key frame, so that the next one
    /// starts with it.
    pub(crate) fn is_full_before(&self, unit: &Unit) -> bool {
        let bytes = self.raw.len() + unit.raw.len();
        !self.is_empty()
            && (bytes > self.target_bytes + self.target_bytes / 2
                || self.raw.len() >= self.target_bytes
                || (unit.is_key_frame() && self.raw.len() >= self.target_bytes / 2)
                || self.members.len() + unit.members.len() > MAX_MEMBERS
                || self.row.segments.len() >= MAX_SEGMENTS)
    }

    pub(crate) fn push(&mut self, unit: Unit) {
        let start = self.raw.len();
        self.raw.extend_from_slice(&unit.raw);
        let is_new = self.row.segments.last().is_none_or(|segment| {
            unit.is_key_frame() || (segment.raw_bytes as usize) + unit.raw.len() > SEGMENT_BYTES
        });
        let (Some(first), Some(last)) = (unit.members.first(), unit.members.last()) else { return };
        let from_ms = unit.members.iter().map(|member| member.from_ms).min().unwrap_or(first.from_ms);
        let to_ms = unit.members.iter().map(|member| member.to_ms).max().unwrap_or(last.to_ms);
        if is_new {
            self.row.segments.push(BlockSegment {
                raw_offset: u32::try_from(start).unwrap_or(u32::MAX),
                raw_bytes: 0,
                from_ms,
                to_ms,
                key_frame: unit.is_key_frame(),
                first_seq: first.seq,
                last_seq: last.seq,
            });
        }
        if let Some(segment) = self.row.segments.last_mut() {
            segment.raw_bytes += u32::try_from(unit.raw.len()).unwrap_or(0);
            segment.from_ms = segment.from_ms.min(from_ms);
            segment.to_ms = segment.to_ms.max(to_ms);
            segment.last_seq = last.seq;
        }
        self.row.last_seq = last.seq;
        self.row.gaps.extend(unit.gap);
        self.members.extend(unit.members);
    }

    /// The block so far; the next one begins.
    pub(crate) fn take(&mut self) -> RawBlock {
        let mut row = std::mem::take(&mut self.row);
        row.raw_bytes = u32::try_from(self.raw.len()).unwrap_or(u32::MAX);
        row.from_ms = self.members.iter().map(|member| member.from_ms).min().unwrap_or(0);
        row.to_ms = self.members.iter().map(|member| member.to_ms).max().unwrap_or(0);
        row.frames = self.members.drain(..).map(|member| member.in_block(row.from_ms)).collect();
        RawBlock { raw: std::mem::take(&mut self.raw), row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seq: u64, bytes: usize, key_frame: bool) -> Unit {
        let time = i64::try_from(seq).unwrap() * 100;
        let member = Member {
            seq,
            raw_bytes: bytes,
            from_ms: time,
            to_ms: time + 50,
            key_frame,
            events: 1,
            continued: false,
        };
        Unit { raw: vec![b'\n'; bytes], members: vec![member], gap: None }
    }

    #[test]
    fn a_block_waits_for_a_key_frame_but_not_for_ever() {
        let mut builder = BlockBuilder::new(1_000);
        builder.push(unit(0, 400, true));
        assert!(!builder.is_full_before(&unit(1, 100, true)), "less than half");
        builder.push(unit(1, 200, false));
        assert!(builder.is_full_before(&unit(2, 100, true)));
        assert!(!builder.is_full_before(&unit(2, 100, false)));
        assert!(builder.is_full_before(&unit(2, 1_000, false)), "would be far over");
        builder.push(unit(2, 500, false));
        assert!(builder.is_full_before(&unit(3, 1, false)));
    }

    #[test]
    fn segments_are_cut_at_key_frames_and_by_size() {
        let mut builder = BlockBuilder::new(8 << 20);
        for (seq, bytes, key_frame) in [(0, 100, true), (1, 100, false), (2, 100, true), (4, 1 << 20, false)]
        {
            builder.push(unit(seq, bytes, key_frame));
        }
        let block = builder.take();
        let cuts: Vec<_> =
            block.row.segments.iter().map(|s| (s.raw_offset, s.raw_bytes, s.first_seq, s.last_seq)).collect();
        assert_eq!(cuts, [(0, 200, 0, 1), (200, 100, 2, 2), (300, 1 << 20, 4, 4)]);
        assert_eq!((block.row.from_ms, block.row.to_ms, block.row.last_seq), (0, 450, 4));
        assert!(block.row.covers(2) && !block.row.covers(3));
        assert!(builder.is_empty());
    }
}
