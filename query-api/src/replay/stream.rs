//! One stream of a manifest: segments in order, and the gaps between them.

use playhead_domain::id::StreamId;
use playhead_domain::row::{self, Block, Frame, StreamSummary};

use super::segment::{SegmentName, cut_place, frame_places};
use super::source::StreamRows;
use crate::model::replay::{Gap, Segment, Stream};
use crate::session::present::{known, size};
use crate::session::state::explain_gap;

/// Gaps that a stream lists.
const MAX_GAPS: usize = 1_000;

/// Builds the stream. `base` is the address of the session's segments. A stream without a summary (its signals were
/// lost) is still shown by what its rows say.
pub(crate) fn build(
    id: StreamId,
    rows: &StreamRows,
    summary: Option<&StreamSummary>,
    base: &str,
    live: bool,
) -> Stream {
    let mut builder = Builder { id, base, pieces: Vec::new(), gaps: Vec::new() };
    for (first, block) in &rows.blocks {
        builder.add_block(*first, block);
    }
    builder.add_frames(rows);
    builder.pieces.sort_by_key(|segment| segment.first_seq);
    builder.find_missing(summary, live, rows);
    if let Some(summary) = summary {
        let told = summary.gaps.iter().filter(|gap| gap.frame != "signals");
        builder.gaps.extend(told.map(present_gap));
    }
    builder.gaps.sort_by_key(|gap| (gap.from_ms, gap.to_ms));
    builder.gaps.dedup();
    builder.gaps.truncate(MAX_GAPS);
    let empty = StreamSummary::default();
    let known_stream = summary.unwrap_or(&empty);
    let from_rows = builder.pieces.iter().map(|segment| segment.from_ms).min();
    let to_rows = builder.pieces.iter().map(|segment| segment.to_ms).max();
    Stream {
        id: id.to_string(),
        tab: known_stream.tab.max(1),
        url: known(&known_stream.url),
        from_ms: summary.map_or_else(|| from_rows.unwrap_or(0), |stream| stream.start_ms),
        to_ms: summary.map_or_else(|| to_rows.unwrap_or(0), |stream| stream.end_ms),
        clock_offset_ms: known_stream.clock_offset_ms,
        clock_skewed: known_stream.clock_skewed,
        viewport: size(known_stream.viewport_width, known_stream.viewport_height),
        segments: builder.pieces,
        gaps: builder.gaps,
    }
}

struct Builder<'a> {
    id: StreamId,
    base: &'a str,
    pieces: Vec<Segment>,
    gaps: Vec<Gap>,
}

impl Builder<'_> {
    fn add_block(&mut self, first: u64, block: &Block) {
        for (index, cut) in block.segments.iter().enumerate() {
            let id = SegmentName::Cut { stream: self.id, first, index }.id(&[cut_place(block, index)]);
            self.pieces.push(Segment {
                href: format!("{}/{id}", self.base),
                id,
                from_ms: cut.from_ms,
                to_ms: cut.to_ms,
                first_seq: cut.first_seq,
                last_seq: cut.last_seq,
                key_frame: cut.key_frame,
                bytes: u64::from(block.bytes),
                raw_bytes: u64::from(cut.raw_bytes),
                events: None,
                object: block.object.clone(),
                range: [block.offset, block.offset + u64::from(block.bytes)],
            });
        }
        self.gaps.extend(block.gaps.iter().map(present_gap));
    }

    /// One segment per batch, so that a live session's segments stay as they are while more come; the parts of a split event
    /// are one segment, once all are there.
    fn add_frames(&mut self, rows: &StreamRows) {
        let mut rest = rows.frames.iter().peekable();
        while let Some((&seq, frame)) = rest.next() {
            if rows.is_late(seq) {
                self.gaps.push(gap(frame.from_ms, frame.to_ms, "late"));
                continue;
            }
            let mut group = vec![frame];
            if frame.part_count > 1 {
                while let Some((_, next)) =
                    rest.next_if(|(next_seq, next)| continues(seq, &group, **next_seq, next))
                {
                    group.push(next);
                }
                if frame.part_index != 0 || group.len() != frame.part_count as usize {
                    self.gaps.push(gap(frame.from_ms, frame.to_ms, "missing"));
                    continue;
                }
            }
            self.add_group(seq, &group);
        }
    }

    fn add_group(&mut self, first: u64, group: &[&Frame]) {
        let (Some(start), Some(end)) = (group.first(), group.last()) else { return };
        let last = first + group.len() as u64 - 1;
        let id =
            SegmentName::Frames { stream: self.id, first, last }.id(&frame_places(group.iter().copied()));
        self.pieces.push(Segment {
            href: format!("{}/{id}", self.base),
            id,
            from_ms: group.iter().map(|frame| frame.from_ms).min().unwrap_or(start.from_ms),
            to_ms: group.iter().map(|frame| frame.to_ms).max().unwrap_or(end.to_ms),
            first_seq: first,
            last_seq: last,
            key_frame: start.key_frame,
            bytes: group.iter().map(|frame| u64::from(frame.bytes)).sum(),
            raw_bytes: group.iter().map(|frame| u64::from(frame.raw_bytes)).sum(),
            events: Some(group.iter().map(|frame| u64::from(frame.events)).sum()),
            object: start.object.clone(),
            range: [start.offset, start.offset + u64::from(start.bytes)],
        });
    }

    /// A hole in the `seq`s may have held dom, unless the stream's count of batches says that all arrived: a batch without dom has no
    /// frame. While the session is live the hole may still fill.
    fn find_missing(&mut self, summary: Option<&StreamSummary>, live: bool, rows: &StreamRows) {
        let all_arrived = summary.is_some_and(|stream| stream.seen >= stream.next_seq);
        if all_arrived || live {
            return;
        }
        let inside = rows.blocks.values().flat_map(|block| holes_inside(block, rows));
        self.gaps.extend(inside.map(|(from_ms, to_ms)| gap(from_ms, to_ms, "missing")));
        let pairs: Vec<(i64, i64)> = self
            .pieces
            .windows(2)
            .filter(|pair| pair[1].first_seq > pair[0].last_seq + 1)
            .map(|pair| (pair[0].to_ms, pair[1].from_ms))
            .collect();
        self.gaps.extend(pairs.into_iter().map(|(from_ms, to_ms)| gap(from_ms, to_ms, "missing")));
    }
}

/// From when to when batches are missing between two that a block holds; those that came late are told of as such.
fn holes_inside<'a>(block: &'a Block, rows: &'a StreamRows) -> impl Iterator<Item = (i64, i64)> + 'a {
    block.frames.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let missing = (before.seq + 1..after.seq).any(|seq| !rows.frames.contains_key(&seq));
        let until = block.from_ms + before.from_offset_ms + i64::from(before.duration_ms);
        missing.then_some((until, block.from_ms + after.from_offset_ms))
    })
}

/// Whether `next` is the following part of the same event.
fn continues(first: u64, group: &[&Frame], next_seq: u64, next: &Frame) -> bool {
    let have = group.len() as u64;
    let Some(start) = group.first() else { return false };
    next_seq == first + have
        && next.part_count == start.part_count
        && u64::from(next.part_index) == u64::from(start.part_index) + have
}

fn present_gap(told: &row::Gap) -> Gap {
    gap(told.from_ms, told.to_ms, &told.reason)
}

fn gap(from_ms: i64, to_ms: i64, reason: &str) -> Gap {
    Gap { from_ms, to_ms: to_ms.max(from_ms), reason: reason.to_owned(), detail: explain_gap(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamId = StreamId([1; 8]);

    fn frame(at_ms: i64, part: (u32, u32)) -> Frame {
        Frame {
            object: "flush/x".to_owned(),
            offset: u64::try_from(at_ms).unwrap(),
            bytes: 5,
            raw_bytes: 10,
            events: 1,
            from_ms: at_ms,
            to_ms: at_ms + 9,
            part_index: part.0,
            part_count: part.1,
            ..Frame::default()
        }
    }

    fn built(frames: &[(u64, Frame)], summary: &StreamSummary, live: bool) -> Stream {
        let rows = StreamRows { frames: frames.iter().cloned().collect(), ..StreamRows::default() };
        build(STREAM, &rows, Some(summary), "/s", live)
    }

    fn spans(stream: &Stream) -> Vec<(u64, u64)> {
        stream.segments.iter().map(|segment| (segment.first_seq, segment.last_seq)).collect()
    }

    #[test]
    fn parts_are_one_segment_once_all_are_there() {
        let summary = StreamSummary { next_seq: 4, seen: 4, ..Default::default() };
        let whole =
            [(0, frame(0, (0, 0))), (1, frame(10, (0, 2))), (2, frame(20, (1, 2))), (3, frame(30, (0, 0)))];
        let stream = built(&whole, &summary, false);
        assert_eq!(spans(&stream), [(0, 0), (1, 2), (3, 3)]);
        assert!(stream.gaps.is_empty());
        let torn = [(0, frame(0, (0, 0))), (2, frame(20, (1, 2))), (3, frame(30, (0, 0)))];
        let stream = built(&torn, &StreamSummary { next_seq: 4, seen: 3, ..Default::default() }, false);
        assert_eq!(spans(&stream), [(0, 0), (3, 3)]);
        assert!(stream.gaps.iter().all(|gap| gap.reason == "missing") && !stream.gaps.is_empty());
    }

    #[test]
    fn a_hole_is_a_gap_only_if_a_batch_is_missing() {
        let frames = [(0, frame(0, (0, 0))), (5, frame(50, (0, 0)))];
        let lost = StreamSummary { next_seq: 6, seen: 5, ..Default::default() };
        assert_eq!(built(&frames, &lost, false).gaps[0].from_ms, 9);
        assert!(built(&frames, &lost, true).gaps.is_empty(), "it may still come");
        let signals_only = StreamSummary { next_seq: 6, seen: 6, ..Default::default() };
        assert!(built(&frames, &signals_only, false).gaps.is_empty());
    }

    #[test]
    fn a_hole_within_a_block_is_a_gap_as_well() {
        let held = |seq, from_offset_ms| row::BlockFrame {
            seq,
            from_offset_ms,
            duration_ms: 9,
            ..Default::default()
        };
        let cut = row::BlockSegment { first_seq: 0, last_seq: 5, raw_bytes: 7, ..Default::default() };
        let frames = vec![held(0, 0), held(1, 10), held(5, 50)];
        let block = Block { last_seq: 5, from_ms: 1_000, segments: vec![cut], frames, ..Block::default() };
        let rows = StreamRows { blocks: [(0, block)].into(), ..StreamRows::default() };
        let gaps = |seen| {
            let summary = StreamSummary { next_seq: 6, seen, ..Default::default() };
            let stream = build(STREAM, &rows, Some(&summary), "/s", false);
            stream.gaps.iter().map(|gap| (gap.from_ms, gap.to_ms)).collect::<Vec<_>>()
        };
        assert_eq!(gaps(4), [(1_019, 1_050)]);
        assert_eq!(gaps(6), [], "the others held signals only");
    }

    #[test]
    fn a_batch_that_came_late_waits_for_the_next_compaction() {
        let cut = row::BlockSegment { first_seq: 0, last_seq: 9, raw_bytes: 7, ..Default::default() };
        let block = Block { last_seq: 9, segments: vec![cut], ..Block::default() };
        let frames = [(5, frame(50, (0, 0))), (10, frame(100, (0, 0)))].into();
        let rows = StreamRows { blocks: [(0, block)].into(), frames };
        let stream = build(STREAM, &rows, None, "/s", false);
        assert_eq!(spans(&stream), [(0, 9), (10, 10)]);
        assert_eq!((stream.gaps[0].reason.as_str(), stream.gaps[0].from_ms), ("late", 50));
    }

    #[test]
    fn blocks_and_later_frames_are_in_order() {
        let cut = |first_seq, last_seq| row::BlockSegment {
            first_seq,
            last_seq,
            raw_bytes: 7,
            ..Default::default()
        };
        let block = Block { last_seq: 9, segments: vec![cut(0, 4), cut(5, 9)], ..Block::default() };
        let rows = StreamRows { blocks: [(0, block)].into(), frames: [(10, frame(100, (0, 0)))].into() };
        let stream = build(STREAM, &rows, None, "/s", false);
        assert_eq!(spans(&stream), [(0, 4), (5, 9), (10, 10)]);
        assert!(stream.segments.iter().all(|segment| segment.href.starts_with("/s/")));
    }
}
