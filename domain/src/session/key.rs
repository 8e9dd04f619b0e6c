//! The keys of a session's rows. Whoever writes or reads them uses these functions, so that a key has one spelling.

use crate::id::{SessionId, StreamId};
use crate::scope::Scope;
use crate::store::{Key, Value};

/// Into how many partitions the sessions of a day, and those of a facet's value on a day, are spread: see `docs/storage.md`.
pub const SHARDS: i64 = 8;
/// Into how many partitions a project's suppressions are spread.
pub const SUPPRESSION_SHARDS: i64 = 16;

/// The width of a slice of `OPEN_SESSIONS`: short enough that what is deleted from one is soon behind, long enough that a session is in
/// few.
const SLICE_US: i64 = 600_000_000;

const DAY_MS: i64 = 86_400_000;
const MARK: &str = "mark";
/// Beside the shards of suppressions.
const MARKS_SHARD: i64 = -1;

/// The days since 1970 of a time in milliseconds.
#[must_use]
pub const fn day(time_ms: i64) -> i64 {
    time_ms.div_euclid(DAY_MS)
}

/// In which of the [`SHARDS`] a session is.
#[must_use]
pub fn shard(session: SessionId) -> i64 {
    spread(&session.0, SHARDS)
}

/// In which of so many shards an id is. All bytes count: whoever makes ids may begin them with the time.
pub(crate) fn spread(id: &[u8], shards: i64) -> i64 {
    i64::from(id.iter().fold(0, |sum, byte| sum ^ byte)) % shards
}

/// The slice of a write timestamp.
#[must_use]
pub const fn slice(write_us: i64) -> i64 {
    write_us.div_euclid(SLICE_US)
}

/// Tenant and project as columns: the same 64 bits, with a sign.
#[must_use]
pub fn scope_columns(scope: Scope) -> Vec<Value> {
    vec![Value::Int(scope.tenant().0.cast_signed()), Value::Int(scope.project().0.cast_signed())]
}

pub(crate) fn scoped(scope: Scope, rest: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut columns = scope_columns(scope);
    columns.extend(rest);
    columns
}

fn number(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The partition of every table that is keyed by session: `SESSION_STATE`, `SESSION_KEYS`, `SESSION_EVENTS`,
/// `SESSION_FRAMES`, `SESSION_BLOCKS`.
#[must_use]
pub fn session_partition(scope: Scope, session: SessionId) -> Vec<Value> {
    scoped(scope, [Value::from(session.0)])
}

/// A row of `SESSION_KEYS`.
#[must_use]
pub fn session(scope: Scope, session: SessionId) -> Key {
    Key { partition: session_partition(scope, session), clustering: vec![] }
}

/// A row of `SESSION_STATE`; `slot` is 0 or 1.
#[must_use]
pub fn state(scope: Scope, session: SessionId, slot: i64) -> Key {
    Key { partition: session_partition(scope, session), clustering: vec![Value::Int(slot)] }
}

/// A row of `SESSION_EVENTS`, `SESSION_FRAMES` or (with its first `seq`) `SESSION_BLOCKS`.
#[must_use]
pub fn batch(scope: Scope, session: SessionId, stream: StreamId, seq: u64) -> Key {
    Key { partition: session_partition(scope, session), clustering: vec![Value::from(stream.0), number(seq)] }
}

/// Stream and `seq` of the clustering key that [`batch`] made.
#[must_use]
pub fn batch_of(clustering: &[Value]) -> Option<(StreamId, u64)> {
    match clustering {
        [Value::Bytes(stream), Value::Int(seq)] => {
            Some((StreamId(stream.as_ref().try_into().ok()?), u64::try_from(*seq).ok()?))
        }
        _ => None,
    }
}

/// A partition of `SESSIONS_BY_START`.
#[must_use]
pub fn by_start_partition(scope: Scope, day: i64, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(day), Value::Int(shard)])
}

/// A session's row in `SESSIONS_BY_START`; `start_ms` is [`crate::row::SessionSummary::list_start_ms`].
#[must_use]
pub fn by_start(scope: Scope, id: SessionId, start_ms: i64) -> Key {
    Key {
        partition: by_start_partition(scope, day(start_ms), shard(id)),
        clustering: vec![Value::Int(start_ms), Value::from(id.0)],
    }
}

/// A partition of `SESSION_FACETS`.
#[must_use]
pub fn facet_partition(scope: Scope, facet: &str, value: &str, day: i64, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::from(facet), Value::from(value), Value::Int(day), Value::Int(shard)])
}

/// A session's row in `SESSION_FACETS`; `start_ms` is [`crate::row::SessionSummary::list_start_ms`].
#[must_use]
pub fn facet(scope: Scope, facet: &str, value: &str, start_ms: i64, id: SessionId) -> Key {
    Key {
        partition: facet_partition(scope, facet, value, day(start_ms), shard(id)),
        clustering: vec![Value::Int(start_ms), Value::from(id.0)],
    }
}

/// Start and session of a clustering key of `SESSIONS_BY_START` or `SESSION_FACETS`.
#[must_use]
pub fn start_of(clustering: &[Value]) -> Option<(i64, SessionId)> {
    match clustering {
        [Value::Int(start_ms), Value::Bytes(id)] => {
            Some((*start_ms, SessionId(id.as_ref().try_into().ok()?)))
        }
        _ => None,
    }
}

/// A log partition: the row of `PARTITION_CONTROL`, and a partition of `OPEN_SLICES`.
#[must_use]
pub fn log_partition(topic: &str, partition: u32) -> Vec<Value> {
    vec![Value::from(topic), Value::Int(i64::from(partition))]
}

/// A row of `OPEN_SLICES`.
#[must_use]
pub fn open_slice(topic: &str, partition: u32, slice: i64) -> Key {
    Key { partition: log_partition(topic, partition), clustering: vec![Value::Int(slice)] }
}

/// A partition of `OPEN_SESSIONS`.
#[must_use]
pub fn open_partition(topic: &str, partition: u32, slice: i64) -> Vec<Value> {
    vec![Value::from(topic), Value::Int(i64::from(partition)), Value::Int(slice)]
}

/// A row of `OPEN_SESSIONS`.
#[must_use]
pub fn open(topic: &str, partition: u32, slice: i64, id: SessionId) -> Key {
    Key { partition: open_partition(topic, partition, slice), clustering: vec![Value::from(id.0)] }
}

/// The row of `PARTITION_CONTROL`.
#[must_use]
pub fn control(topic: &str, partition: u32) -> Key {
    Key { partition: log_partition(topic, partition), clustering: vec![] }
}

/// A row of `DEAD_LETTERS`: where the record is in the log.
#[must_use]
pub fn dead_letter(scope: Scope, partition: u32, offset: u64) -> Key {
    Key {
        partition: scope_columns(scope),
        clustering: vec![Value::Int(i64::from(partition)), number(offset)],
    }
}

/// A partition of `INTAKE_COUNTS`.
#[must_use]
pub fn intake_partition(scope: Scope, day: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(day)])
}

/// A row of `INTAKE_COUNTS`; `slot` is 0 or 1.
#[must_use]
pub fn intake(scope: Scope, day: i64, partition: u32, slot: i64) -> Key {
    Key {
        partition: intake_partition(scope, day),
        clustering: vec![Value::Int(i64::from(partition)), Value::Int(slot)],
    }
}

/// A partition of `SUPPRESSIONS`.
#[must_use]
pub fn suppression_partition(scope: Scope, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(shard)])
}

/// The shard of a suppression's id.
#[must_use]
pub fn suppression_shard(id: &[u8]) -> i64 {
    spread(id, SUPPRESSION_SHARDS)
}

/// The partition of `SUPPRESSIONS` that holds the marks of a scope.
#[must_use]
pub fn erasure_marks_partition(scope: Scope) -> Vec<Value> {
    suppression_partition(scope, MARKS_SHARD)
}

/// A mark in `SUPPRESSIONS`: something in the shard was erased by the eraser of that name.
#[must_use]
pub fn erasure_mark(scope: Scope, shard: i64, name: u64) -> Key {
    let id = [shard.to_be_bytes(), name.to_be_bytes()].concat();
    Key { partition: erasure_marks_partition(scope), clustering: vec![Value::from(MARK), Value::from(id)] }
}

/// Whether a row of `SUPPRESSIONS` only tells that there are others.
#[must_use]
pub fn is_erasure_mark(key: &Key) -> bool {
    key.partition.last() == Some(&Value::Int(MARKS_SHARD))
}

/// Shard and name of the clustering key that [`erasure_mark`] made.
#[must_use]
pub fn erasure_mark_of(clustering: &[Value]) -> Option<(i64, u64)> {
    match clustering {
        [Value::Text(kind), Value::Bytes(id)] if &**kind == MARK => {
            let (shard, name) = id.split_at_checked(8)?;
            Some((i64::from_be_bytes(shard.try_into().ok()?), u64::from_be_bytes(name.try_into().ok()?)))
        }
        _ => None,
    }
}

/// The row that says that something of the scope was erased, ever.
#[must_use]
pub fn any_erasure(scope: Scope) -> Key {
    Key {
        partition: erasure_marks_partition(scope),
        clustering: vec![Value::from("any"), Value::from(Vec::new())],
    }
}

/// A row of `SUPPRESSIONS`; the kinds are [`crate::erasure`]'s.
#[must_use]
pub fn suppression(scope: Scope, kind: &str, id: &[u8]) -> Key {
    Key {
        partition: suppression_partition(scope, suppression_shard(id)),
        clustering: vec![Value::from(kind), Value::from(id.to_vec())],
    }
}

/// The partition of an object's rows in `OBJECTS`; `day` is in the object's name.
#[must_use]
pub fn object_partition(day: i64, name: &str) -> Vec<Value> {
    vec![Value::Int(day), Value::from(name)]
}

/// A row of `OBJECTS`.
#[must_use]
pub fn object(day: i64, name: &str, part: i64) -> Key {
    Key { partition: object_partition(day, name), clustering: vec![Value::Int(part)] }
}
