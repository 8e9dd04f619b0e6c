//! Rows of a session's recording: frames that are not compacted yet, and blocks that are.

use std::collections::HashSet;
use std::ops::Bound;

use bytes::Bytes;
use playhead_domain::id::StreamId;
use playhead_domain::row::{Block, Frame};
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Key, Mutation, Order, Row, Store};
use playhead_domain::table::{self, Table};
use prost::Message;

use super::unit::Member;
use crate::cache::SessionRef;

const PAGE: usize = 1_000;
/// Frames of a session that one pass takes; the rest is left to the next.
const MAX_FRAMES: usize = 20_000;
const MAX_BLOCKS: usize = 20_000;

/// What is known of a frame's bytes.
pub(super) enum Sealed {
    Unread,
    Read(Bytes),
    /// Its object is gone for good.
    Lost,
}

/// A row of `SESSION_FRAMES`.
pub(crate) struct FrameRow {
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    pub(crate) frame: Frame,
    pub(super) sealed: Sealed,
    key: Key,
    version: i64,
}

impl FrameRow {
    /// Deletes the row as it was seen.
    pub(crate) fn delete(&self) -> Mutation {
        Mutation::Delete { table: &table::SESSION_FRAMES, key: self.key.clone(), version: self.version }
    }

    /// What it takes in memory while it is opened: a page may say that it inflates to next to nothing.
    pub(super) fn held_bytes(&self) -> usize {
        self.frame.raw_bytes as usize + self.frame.bytes as usize
    }

    pub(super) fn member(&self) -> Member {
        Member {
            seq: self.seq,
            raw_bytes: 0,
            from_ms: self.frame.from_ms,
            to_ms: self.frame.to_ms,
            key_frame: self.frame.key_frame && self.frame.part_index == 0,
            events: self.frame.events,
            continued: self.frame.part_index > 0,
        }
    }
}

/// Rows of a session, in order of stream and `seq`.
pub(crate) struct Listed<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) newest_version: i64,
    pub(crate) has_more: bool,
}

/// The frames of a session.
pub(crate) async fn list_frames(
    store: &dyn Store,
    session: SessionRef,
) -> Result<Listed<FrameRow>, store::Error> {
    let read = |row: Row| {
        let (stream, seq) = key::batch_of(&row.key.clustering)?;
        Some(FrameRow {
            stream,
            seq,
            frame: Frame::decode(row.value).ok()?,
            sealed: Sealed::Unread,
            key: row.key,
            version: row.version,
        })
    };
    list(store, &table::SESSION_FRAMES, session, MAX_FRAMES, read).await
}

/// The blocks of a session.
pub(crate) async fn list_blocks(
    store: &dyn Store,
    session: SessionRef,
) -> Result<Listed<(StreamId, Block)>, store::Error> {
    let read = |row: Row| Some((key::batch_of(&row.key.clustering)?.0, Block::decode(row.value).ok()?));
    let listed = list(store, &table::SESSION_BLOCKS, session, MAX_BLOCKS, read).await?;
    if listed.has_more {
        // All are replaced at once, so all must be known.
        return Err(store::Error::Corrupt(format!(
            "session {} has more than {MAX_BLOCKS} blocks",
            session.1
        )));
    }
    Ok(listed)
}

/// The objects that a session's rows refer to: those of its frames, or those of its blocks.
pub(crate) async fn objects_of(
    store: &dyn Store,
    session: SessionRef,
    is_flush: bool,
) -> Result<HashSet<String>, store::Error> {
    let table = if is_flush { &table::SESSION_FRAMES } else { &table::SESSION_BLOCKS };
    let object = |row: Row| {
        let of_block = |row: Row| Block::decode(row.value).ok().map(|block| block.object);
        if is_flush { Frame::decode(row.value).ok().map(|frame| frame.object) } else { of_block(row) }
    };
    let partition = key::session_partition(session.0, session.1);
    let mut objects = HashSet::new();
    let mut range = ClusteringRange::ALL;
    loop {
        let page = store.scan(table, &partition, &range, Order::Ascending, PAGE).await?;
        if let Some(last) = page.rows.last() {
            range.from = Bound::Excluded(last.key.clustering.clone());
        }
        for row in page.rows {
            let unreadable =
                || store::Error::Corrupt(format!("a row of {} of session {}", table.name, session.1));
            objects.insert(object(row).ok_or_else(unreadable)?);
        }
        if !page.more {
            return Ok(objects);
        }
    }
}

async fn list<T>(
    store: &dyn Store,
    table: &'static Table,
    (scope, id): SessionRef,
    enough: usize,
    read: impl Fn(Row) -> Option<T>,
) -> Result<Listed<T>, store::Error> {
    let partition = key::session_partition(scope, id);
    let page = store::scan_until(store, table, &partition, ClusteringRange::ALL, enough).await?;
    let newest_version = page.rows.iter().map(|row| row.version).max().unwrap_or_default();
    let unreadable = || store::Error::Corrupt(format!("a row of {} of session {id}", table.name));
    let rows = page.rows.into_iter().map(|row| read(row).ok_or_else(unreadable)).collect::<Result<_, _>>()?;
    Ok(Listed { rows, newest_version, has_more: page.more })
}

#[cfg(test)]
impl FrameRow {
    pub(super) fn of(seq: u64, frame: Frame) -> Self {
        let key = Key { partition: vec![], clustering: vec![] };
        Self { stream: StreamId([1; 8]), seq, frame, sealed: Sealed::Unread, key, version: 1 }
    }

    pub(super) fn at(offset: u64, bytes: u32) -> Self {
        Self::of(0, Frame { offset, bytes, ..Frame::default() })
    }
}
