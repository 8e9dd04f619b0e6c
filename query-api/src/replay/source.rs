//! The rows behind a recording: compacted blocks, and the frames that are not compacted yet.

use std::collections::BTreeMap;
use std::ops::Bound;

use playhead_domain::id::{SessionId, StreamId};
use playhead_domain::row::{Block, Frame};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Order, Row};
use playhead_domain::table::{self, Table};
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

const PAGE_ROWS: usize = 500;
/// Frames or blocks of a session that a manifest shows: more than a day of batches every five seconds.
pub(crate) const MAX_ROWS: usize = 60_000;

/// The rows of one stream, by their first `seq`.
#[derive(Debug, Default)]
pub(crate) struct StreamRows {
    pub(crate) blocks: BTreeMap<u64, Block>,
    pub(crate) frames: BTreeMap<u64, Frame>,
}

/// The rows of a session, by stream; and whether there were too many to read all.
#[derive(Debug, Default)]
pub(crate) struct SessionRows {
    pub(crate) streams: BTreeMap<StreamId, StreamRows>,
    pub(crate) cut: bool,
}

/// Compaction writes a block first and removes its frames after. Frames are read first here, so that what moves
/// meanwhile is seen twice (and the block wins), never not at all.
pub(crate) async fn read(api: &Api, scope: Scope, session: SessionId) -> Result<SessionRows, ApiError> {
    let mut rows = SessionRows::default();
    let frames = read_table(api, &table::SESSION_FRAMES, scope, session, &mut rows.cut).await?;
    let blocks = read_table(api, &table::SESSION_BLOCKS, scope, session, &mut rows.cut).await?;
    for row in blocks {
        let (stream, seq) = batch_of(&row)?;
        let block = decode_block(&row)?;
        rows.streams.entry(stream).or_default().blocks.insert(seq, block);
    }
    for row in frames {
        let (stream, seq) = batch_of(&row)?;
        let frame = decode_frame(&row)?;
        let stream = rows.streams.entry(stream).or_default();
        if !stream.is_compacted(seq) {
            stream.frames.insert(seq, frame);
        }
    }
    Ok(rows)
}

impl StreamRows {
    /// Whether that batch came after the batches around it had become one piece: it cannot be played on its own, and is worked
    /// in when the session is compacted again.
    pub(crate) fn is_late(&self, seq: u64) -> bool {
        let block = self.blocks.range(..=seq).next_back();
        block.is_some_and(|(_, block)| {
            block.segments.iter().any(|cut| cut.first_seq < seq && seq < cut.last_seq)
        })
    }

    /// Whether a block holds that batch.
    fn is_compacted(&self, seq: u64) -> bool {
        self.blocks.range(..=seq).next_back().is_some_and(|(_, block)| block.covers(seq))
    }
}

async fn read_table(
    api: &Api,
    table: &'static Table,
    scope: Scope,
    session: SessionId,
    cut: &mut bool,
) -> Result<Vec<Row>, ApiError> {
    let partition = key::session_partition(scope, session);
    let mut range = ClusteringRange::ALL;
    let mut rows = Vec::new();
    loop {
        let page = api.store().scan(table, &partition, &range, Order::Ascending, PAGE_ROWS).await?;
        let more = page.more;
        rows.extend(page.rows);
        match rows.last() {
            Some(_) if more && rows.len() >= MAX_ROWS => {
                *cut = true;
                return Ok(rows);
            }
            Some(last) if more => range.from = Bound::Excluded(last.key.clustering.clone()),
            _ => return Ok(rows),
        }
    }
}

/// The frames `first..=last` of a stream that are still there.
pub(crate) async fn read_frames(
    api: &Api,
    scope: Scope,
    session: SessionId,
    stream: StreamId,
    seqs: std::ops::RangeInclusive<u64>,
) -> Result<Vec<(u64, Frame)>, ApiError> {
    let clustering = |seq| key::batch(scope, session, stream, seq).clustering;
    let limit = usize::try_from(seqs.end() - seqs.start()).unwrap_or(usize::MAX).saturating_add(1);
    let range = ClusteringRange {
        from: Bound::Included(clustering(*seqs.start())),
        to: Bound::Included(clustering(*seqs.end())),
    };
    let partition = key::session_partition(scope, session);
    let page = api.store().scan(&table::SESSION_FRAMES, &partition, &range, Order::Ascending, limit).await?;
    page.rows.iter().map(|row| Ok((batch_of(row)?.1, decode_frame(row)?))).collect()
}

/// The block that begins at that `seq`.
pub(crate) async fn read_block(
    api: &Api,
    scope: Scope,
    session: SessionId,
    stream: StreamId,
    first_seq: u64,
) -> Result<Option<Block>, ApiError> {
    let key = key::batch(scope, session, stream, first_seq);
    api.store().get(&table::SESSION_BLOCKS, &key).await?.as_ref().map(decode_block).transpose()
}

fn batch_of(row: &Row) -> Result<(StreamId, u64), ApiError> {
    key::batch_of(&row.key.clustering).ok_or_else(|| ApiError::Corrupt("key of a frame or block".to_owned()))
}

fn decode_frame(row: &Row) -> Result<Frame, ApiError> {
    Frame::decode(row.value.clone()).map_err(|e| ApiError::Corrupt(format!("frame: {e}")))
}

fn decode_block(row: &Row) -> Result<Block, ApiError> {
    Block::decode(row.value.clone()).map_err(|e| ApiError::Corrupt(format!("block: {e}")))
}
