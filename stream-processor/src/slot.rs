//! Values in two alternating slots, each tagged with the offset up to which it counts: nothing is incremented in place, and whoever takes a
//! partition over goes on from the newest one at its checkpoint.

use playhead_domain::store::{Row, Value};
use prost::{DecodeError, Message};

/// The slot of a row, which is its last clustering column.
pub(crate) fn of(row: &Row) -> i64 {
    i64::from(row.key.clustering.last() == Some(&Value::Int(1)))
}

/// The values of rows whose last clustering column is the slot.
pub(crate) fn read<T: Message + Default>(rows: Vec<Row>) -> Result<Vec<(T, i64)>, DecodeError> {
    rows.into_iter().map(|row| Ok((T::decode(row.value.clone())?, of(&row)))).collect()
}

/// The newest one at or below the checkpoint, with its slot.
pub(crate) fn newest<T>(
    slots: Vec<(T, i64)>,
    checkpoint: u64,
    next_offset: impl Fn(&T) -> u64,
) -> Option<(T, i64)> {
    let reached = slots.into_iter().filter(|(value, _)| next_offset(value) <= checkpoint);
    reached.reduce(|known, other| if next_offset(&other.0) > next_offset(&known.0) { other } else { known })
}
