//! The smallest thing that compaction moves: a batch's dom lines, or an event that was split over several batches, whole.

use playhead_domain::row::{BlockFrame, Gap};

/// Whole lines, with the batches they came in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) raw: Vec<u8>,
    pub(crate) members: Vec<Member>,
    pub(crate) gap: Option<Gap>,
}

/// A batch of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) seq: u64,
    pub(crate) raw_bytes: usize,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) key_frame: bool,
    pub(crate) events: u32,
    pub(crate) continued: bool,
}

impl Member {
    /// A batch that is in a block that begins at `block_from_ms`.
    pub(crate) fn of_block(frame: &BlockFrame, block_from_ms: i64) -> Self {
        let from_ms = block_from_ms + frame.from_offset_ms;
        Self {
            seq: frame.seq,
            raw_bytes: frame.raw_bytes as usize,
            from_ms,
            to_ms: from_ms + i64::from(frame.duration_ms),
            key_frame: frame.key_frame,
            events: frame.events,
            continued: frame.continued,
        }
    }

    pub(crate) fn in_block(&self, block_from_ms: i64) -> BlockFrame {
        BlockFrame {
            seq: self.seq,
            raw_bytes: u32::try_from(self.raw_bytes).unwrap_or(u32::MAX),
            from_offset_ms: self.from_ms - block_from_ms,
            duration_ms: u32::try_from(self.to_ms - self.from_ms).unwrap_or(0),
            key_frame: self.key_frame,
            events: self.events,
            continued: self.continued,
        }
    }
}

impl Unit {
    /// Adds what a batch's frame held, up to its fault.
    pub(crate) fn push(&mut self, member: Member, raw: &[u8], fault: Option<&str>) {
        // After a fault nothing of the same event can be joined any more.
        let raw = if self.gap.is_some() { &[][..] } else { raw };
        self.raw.extend_from_slice(raw);
        self.members.push(Member { raw_bytes: raw.len(), ..member });
        if let (Some(reason), None) = (fault, &self.gap) {
            self.gap = Some(Gap {
                from_ms: member.from_ms,
                to_ms: member.to_ms,
                reason: reason.to_owned(),
                frame: "dom".to_owned(),
            });
        }
    }

    /// Cuts an unfinished last line off.
    pub(crate) fn end_at_line(&mut self) {
        let end = self.raw.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut surplus = self.raw.len() - end;
        self.raw.truncate(end);
        for member in self.members.iter_mut().rev() {
            let cut = surplus.min(member.raw_bytes);
            member.raw_bytes -= cut;
            surplus -= cut;
        }
    }

    pub(crate) fn is_key_frame(&self) -> bool {
        self.members.first().is_some_and(|member| member.key_frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(seq: u64) -> Member {
        Member { seq, raw_bytes: 0, from_ms: 0, to_ms: 10, key_frame: false, events: 1, continued: false }
    }

    #[test]
    fn an_unfinished_line_is_cut_from_the_members_it_is_in() {
        let mut unit = Unit::default();
        unit.push(member(0), b"one\ntw", None);
        unit.push(member(1), b"o-and-more", None);
        unit.end_at_line();
        assert_eq!(unit.raw, b"one\n");
        assert_eq!(unit.members.iter().map(|member| member.raw_bytes).collect::<Vec<_>>(), [4, 0]);
    }

    #[test]
    fn nothing_is_joined_behind_a_fault() {
        let mut unit = Unit::default();
        unit.push(member(0), b"one\ntw", Some("frame_corrupt"));
        unit.push(member(1), b"o\n", None);
        unit.end_at_line();
        assert_eq!(unit.raw, b"one\n");
        assert_eq!(unit.gap.unwrap().reason, "frame_corrupt");
    }
}
