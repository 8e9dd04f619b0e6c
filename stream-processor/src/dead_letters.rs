//! Dead letters: records, or parts of them, that could not be processed. They are rows that tell where the record is in the log; this
//! module bounds them, lists them, and sends their records through once more.
//!
//! A replay is a copy of the record at the end of the same partition, which says of which record it is a copy. It enters as a
//! late batch: what had its effect before has none again, and what had none has it now. With that the processor removes the dead
//! letter, or writes it anew under the same key; it does so each time the log is processed, so that a rebuilt store says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use playhead_domain::log::{self, EventLog, Position, Record};
use playhead_domain::row::DeadLetter;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Order, Row, Store, Value};
use playhead_domain::table::DEAD_LETTERS;
use playhead_proto::record::RecordMeta;
use prost::Message;

use crate::effect::Effects;
use crate::shared::Shared;

/// A dead letter, and where its record is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub position: Position,
    pub letter: DeadLetter,
}

/// Why a dead letter's record was not sent through again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no dead letter of partition {} at offset {}", .0.partition, .0.offset)]
    Unknown(Position),
    #[error("the log no longer has the record at offset {} of partition {}", .0.offset, .0.partition)]
    Gone(Position),
    /// The row and the log do not belong together.
    #[error("the record at offset {} of partition {} is another project's", .0.offset, .0.partition)]
    Foreign(Position),
    #[error(transparent)]
    Log(#[from] log::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl ReplayError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Log(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Unknown(_) | Self::Gone(_) | Self::Foreign(_) => false,
        }
    }
}

/// Up to `limit` dead letters of a project, by partition and offset, behind `after`.
///
/// # Errors
/// The store's.
pub async fn list(
    store: &dyn Store,
    scope: Scope,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Listed>, store::Error> {
    let from = after.map_or(Bound::Unbounded, |at| {
        Bound::Excluded(key::dead_letter(scope, at.partition, at.offset).clustering)
    });
    let range = ClusteringRange { from, to: Bound::Unbounded };
    let columns = key::scope_columns(scope);
    let page = store.scan(&DEAD_LETTERS, &columns, &range, Order::Ascending, limit.max(1)).await?;
    page.rows.into_iter().map(listed).collect()
}

fn listed(row: Row) -> Result<Listed, store::Error> {
    let position = match row.key.clustering[..] {
        [Value::Int(partition), Value::Int(offset)] => {
            u32::try_from(partition).ok().zip(u64::try_from(offset).ok())
        }
        _ => None,
    };
    let (partition, offset) =
        position.ok_or_else(|| store::Error::Corrupt("the key of a dead letter".to_owned()))?;
    let letter = DeadLetter::decode(row.value)
        .map_err(|error| store::Error::Corrupt(format!("a dead letter: {error}")))?;
    Ok(Listed { position: Position { partition, offset }, letter })
}

/// Sends the record of a dead letter through once more: appends a copy of it and returns where that is. Doing it twice does no harm.
///
/// # Errors
/// [`ReplayError::Gone`] when the log does not keep the record any more.
pub async fn replay(
    log: &dyn EventLog,
    store: &dyn Store,
    topic: &str,
    scope: Scope,
    at: Position,
) -> Result<Position, ReplayError> {
    let key = key::dead_letter(scope, at.partition, at.offset);
    if store.get(&DEAD_LETTERS, &key).await?.is_none() {
        return Err(ReplayError::Unknown(at));
    }
    if !log.offsets(topic, at.partition).await?.contains(&at.offset) {
        return Err(ReplayError::Gone(at));
    }
    let read = log.read(topic, at.partition, at.offset, 1, Duration::ZERO).await?;
    let record = read.into_iter().next().filter(|record| record.position == at);
    let record = record.ok_or(ReplayError::Gone(at))?;
    let mut meta = RecordMeta::decode(record.meta).map_err(|_| ReplayError::Foreign(at))?;
    if (meta.tenant_id, meta.project_id) != (scope.tenant().0, scope.project().0) {
        return Err(ReplayError::Foreign(at));
    }
    meta.replay_of = Some(at.offset);
    let copy = Record { key: record.key, value: record.value, meta: meta.encode_to_vec().into() };
    Ok(log.append(topic, copy).await?)
}

/// Keeps the first ones of a project; the counts tell of all. Only those below `from` take up room, so that a redo finds the same.
pub(crate) async fn bound(
    shared: &Shared,
    partition: u32,
    from: u64,
    effects: &mut Effects,
) -> Result<(), store::Error> {
    let scopes: BTreeSet<Scope> = effects.dead_letters.iter().map(|letter| letter.scope).collect();
    let limit = shared.config.max_dead_letters;
    let mut room: BTreeMap<Scope, usize> = BTreeMap::new();
    for scope in scopes {
        let range = ClusteringRange {
            from: Bound::Included(vec![Value::Int(i64::from(partition))]),
            to: Bound::Excluded(key::dead_letter(scope, partition, from).clustering),
        };
        let columns = key::scope_columns(scope);
        let page = shared.store.scan(&DEAD_LETTERS, &columns, &range, Order::Ascending, limit.max(1)).await?;
        room.insert(scope, limit.saturating_sub(page.rows.len()));
    }
    effects.dead_letters.retain(|letter| {
        // That of a replay has a row already.
        if letter.is_replay {
            return true;
        }
        let left = room.entry(letter.scope).or_default();
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    });
    Ok(())
}
