//! Values on their way to and from the cluster.
//!
//! A versioned row's cell: a byte that tells the form, then for form 1 the expiry (milliseconds of the Unix epoch, eight bytes,
//! big-endian), then the value to the end. Form 0 has no expiry.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use playhead_domain::store::{Error, Value};
use playhead_domain::table::{ColumnType, Keyspace, Table};
use scylla::cluster::metadata::ColumnType as CqlType;
use scylla::deserialize::row::ColumnIterator;
use scylla::serialize::SerializationError;
use scylla::serialize::value::SerializeValue;
use scylla::serialize::writers::{CellWriter, WrittenCellProof};

const PLAIN: u8 = 0;
const EXPIRING: u8 = 1;

/// Stands for "never" in a conditionally written row.
pub(super) const NEVER: i64 = i64::MAX;
/// Rows live this much longer in the cluster than they are shown: its nodes' clocks differ a little.
const MARGIN_S: i64 = 60;
/// The longest time to live in CQL: twenty years.
const MAX_TTL_S: i64 = 20 * 365 * 86_400;
/// Cassandra counts the second of expiry with 31 bits, and refuses later ones.
const LAST_SECOND: i64 = i32::MAX as i64 - 86_400;

/// What fills a question mark.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parameter<'a> {
    Null,
    Number(i64),
    Seconds(i32),
    Key(&'a Value),
    Blob(&'a [u8]),
    /// A versioned row's cell.
    Cell {
        expires_at_ms: Option<i64>,
        value: &'a [u8],
    },
}

impl SerializeValue for Parameter<'_> {
    fn serialize<'b>(
        &self,
        _: &CqlType<'_>,
        writer: CellWriter<'b>,
    ) -> Result<WrittenCellProof<'b>, SerializationError> {
        match *self {
            Self::Null => return Ok(writer.set_null()),
            Self::Number(number) | Self::Key(&Value::Int(number)) => writer.set_value(&number.to_be_bytes()),
            Self::Seconds(seconds) => writer.set_value(&seconds.to_be_bytes()),
            Self::Key(Value::Text(text)) => writer.set_value(text.as_bytes()),
            Self::Key(Value::Bytes(bytes)) => writer.set_value(bytes),
            Self::Blob(bytes) => writer.set_value(bytes),
            Self::Cell { expires_at_ms, value } => {
                let mut builder = writer.into_value_builder();
                match expires_at_ms {
                    Some(expires_at_ms) => {
                        builder.append_bytes(&[EXPIRING]);
                        builder.append_bytes(&expires_at_ms.to_be_bytes());
                    }
                    None => builder.append_bytes(&[PLAIN]),
                }
                builder.append_bytes(value);
                builder.finish()
            }
        }
        .map_err(SerializationError::new)
    }
}

/// The time to live in seconds for a row that expires then; 0: none, and reads alone observe the expiry.
pub(super) fn ttl_s(now_ms: i64, expires_at_ms: Option<i64>) -> i32 {
    let Some(expires_at_ms) = expires_at_ms else { return 0 };
    let left_s = expires_at_ms.saturating_sub(now_ms).max(0) / 1_000 + 1 + MARGIN_S;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_s = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    if left_s > MAX_TTL_S || now_s.saturating_add(left_s) > LAST_SECOND {
        return 0;
    }
    i32::try_from(left_s).unwrap_or(0)
}

/// A row's content as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) value: Bytes,
    /// [`NEVER`] if it does not expire.
    pub(super) expires_at_ms: i64,
    pub(super) version: i64,
}

impl Stored {
    pub(super) fn is_live(&self, now_ms: i64) -> bool {
        self.expires_at_ms > now_ms
    }
}

/// Clustering key and content of a row; no content: the row is gone.
pub(super) type Found = (Vec<Value>, Option<Stored>);

fn corrupt(table: &Table) -> Error {
    Error::Corrupt(format!("a row of table {} cannot be read", table.name))
}

/// A row that a `SELECT` of `table` brought; the first `key_columns` are clustering columns.
pub(super) fn read_row(
    table: &Table,
    key_columns: usize,
    columns: ColumnIterator<'_, '_>,
) -> Result<Found, Error> {
    let mut cells = Vec::with_capacity(key_columns + 3);
    for column in columns {
        let column = column.map_err(|_| corrupt(table))?;
        cells.push(column.slice.map(|slice| slice.as_slice()));
    }
    let (key, content) = cells.split_at_checked(key_columns).ok_or_else(|| corrupt(table))?;
    let kinds = table.clustering.iter().map(|column| column.kind);
    let key = key.iter().zip(kinds).map(|(cell, kind)| key_value(kind, *cell)).collect::<Option<_>>();
    let stored = match (table.keyspace, content) {
        (Keyspace::Data, [None, _]) | (Keyspace::Control, [None, ..]) => None,
        (Keyspace::Data, [Some(cell), Some(version)]) => Some(read_cell(cell, number(version)?)),
        (Keyspace::Control, [Some(value), expires, Some(version)]) => {
            Some(controlled(value, expires.map(number).transpose()?, number(version)?))
        }
        _ => return Err(corrupt(table)),
    };
    let stored = stored.map(|stored| stored.ok_or_else(|| corrupt(table))).transpose()?;
    Ok((key.ok_or_else(|| corrupt(table))?, stored))
}

fn key_value(kind: ColumnType, cell: Option<&[u8]>) -> Option<Value> {
    let cell = cell?;
    Some(match kind {
        ColumnType::Int => Value::Int(i64::from_be_bytes(cell.try_into().ok()?)),
        ColumnType::Text => Value::Text(String::from_utf8(cell.to_vec()).ok()?),
        ColumnType::Bytes => Value::Bytes(Bytes::copy_from_slice(cell)),
    })
}

pub(super) fn number(cell: &[u8]) -> Result<i64, Error> {
    let bytes =
        cell.try_into().map_err(|_| Error::Corrupt("a number does not have eight bytes".to_owned()))?;
    Ok(i64::from_be_bytes(bytes))
}

// Values are copied out: a small one must not keep the whole response in memory.
fn read_cell(cell: &[u8], version: i64) -> Option<Stored> {
    let (expires_at_ms, value) = match cell.split_first()? {
        (&PLAIN, value) => (NEVER, value),
        (&EXPIRING, rest) => {
            let (expires_at_ms, value) = rest.split_first_chunk::<8>()?;
            (i64::from_be_bytes(*expires_at_ms), value)
        }
        _ => return None,
    };
    Some(Stored { value: Bytes::copy_from_slice(value), expires_at_ms, version })
}

fn controlled(value: &[u8], expires_at_ms: Option<i64>, version: i64) -> Option<Stored> {
    Some(Stored { value: Bytes::copy_from_slice(value), expires_at_ms: expires_at_ms?, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_lives_in_the_cluster_a_little_longer_than_it_is_shown() {
        assert_eq!(ttl_s(0, None), 0);
        assert_eq!(ttl_s(5_000, Some(5_000)), 61);
        assert_eq!(ttl_s(5_000, Some(5_001)), 61);
        assert_eq!(ttl_s(5_000, Some(6_999)), 62);
        assert_eq!(ttl_s(5_000, Some(-7)), 61, "what has expired replaces older versions all the same");
    }

    #[test]
    fn an_expiry_that_cql_cannot_hold_is_left_to_readers() {
        assert_eq!(ttl_s(0, Some(i64::MAX)), 0);
        assert_eq!(ttl_s(i64::MIN, Some(i64::MAX)), 0);
        assert_eq!(ttl_s(0, Some((MAX_TTL_S + 1) * 1_000)), 0);
    }
}
