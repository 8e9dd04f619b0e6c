//! Taking a partition over, and finishing what its last owner had begun.

use std::time::Duration;

use playhead_domain::log::{self, StoredRecord};

use crate::control::Control;
use crate::flush::{self, Due, Flight, Step};
use crate::partition::Partition;
use crate::shared::Shared;

const READ_BYTES: usize = 4 << 20;

/// Why the log does not give what it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error(transparent)]
    Log(#[from] log::Error),
    /// Going on would skip what is appended there next.
    #[error(
        "the log of partition {partition} ends at {end}, but effects up to {reached} are recorded; \
         bring the log back, or raise batches.generation to go on with an empty one"
    )]
    Shortened { partition: u32, end: u64, reached: u64 },
    #[error(
        "the log of partition {partition} does not give offset {offset}, although it keeps {from}..{end}"
    )]
    Hole { partition: u32, offset: u64, from: u64, end: u64 },
}

/// Takes a partition over. It goes on at [`Control::next_offset`].
pub(crate) async fn start(shared: &Shared, id: u32, term: u64) -> Result<Partition, flush::Error> {
    let (topic, first) = (shared.topic.name, shared.log.first_offset(shared.topic.name));
    let control = Control::take(&*shared.store, (topic, id), first, &shared.hooks.name()).await?;
    shared.reached(Step::TakenOver).await?;
    let kept = shared.log.offsets(shared.topic.name, id).await.map_err(LogError::from)?;
    let reached = control.unfinished().map_or(control.next_offset(), |intent| intent.to);
    if reached > kept.end {
        let (end, reached) = (kept.end.saturating_sub(first), reached.saturating_sub(first));
        return Err(LogError::Shortened { partition: id, end, reached }.into());
    }
    note_expired(shared, &control, id, kept.start);
    let Some(intent) = control.unfinished().cloned() else { return Ok(Partition::new(id, control)) };
    // Each holds a whole range: a process that takes many over at once must not hold them all.
    let _turn = shared.redos.acquire().await;
    let from = intent.from.max(kept.start);
    let records = read_range(shared, id, from, intent.to, kept.end).await?;
    let due = Due { partition: Partition::new(id, control), term, records };
    match Flight::redo(due) {
        Some(flight) => flush::finish(shared, flight).await,
        None => Err(crate::control::Error::Lost.into()),
    }
}

/// What the log let go before it was processed is lost. That is said, not hidden; a start from nothing has lost nothing.
fn note_expired(shared: &Shared, control: &Control, id: u32, first_kept: u64) {
    let expired = first_kept.saturating_sub(control.next_offset());
    if expired > 0 && !control.is_first() {
        tracing::error!(partition = id, expired, "records expired in the log before they were processed");
        shared.metrics.expired_records.inc_by(expired);
    }
}

/// Exactly `from..to`: less would be recorded as the effect of the whole range.
async fn read_range(
    shared: &Shared,
    id: u32,
    from: u64,
    to: u64,
    end: u64,
) -> Result<Vec<StoredRecord>, LogError> {
    let (mut records, mut next) = (Vec::new(), from);
    while next < to {
        let read = shared.log.read(shared.topic.name, id, next, READ_BYTES, Duration::ZERO).await?;
        let Some(last) = read.last() else {
            return Err(LogError::Hole { partition: id, offset: next, from, end });
        };
        next = last.position.offset + 1;
        records.extend(read.into_iter().filter(|record| (from..to).contains(&record.position.offset)));
    }
    Ok(records)
}
