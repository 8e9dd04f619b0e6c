//! The keys of issues' rows: one spelling for whoever writes or reads them.

use super::grouping::Fingerprint;
use crate::scope::Scope;
use crate::session::key::{scope_columns, scoped, spread};
use crate::store::{Key, Value};

/// Into how many partitions a project's issues, and an issue's users, are spread.
pub const SHARDS: i64 = 8;

/// How long it is told which issues a flush changed.
pub const CHANGES_KEPT_MS: i64 = 2 * 86_400_000;

/// A partition of `ISSUES`.
#[must_use]
pub fn issues_partition(scope: Scope, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(shard)])
}

/// The partition of `ISSUES` in which an issue is.
#[must_use]
pub fn issue_partition(scope: Scope, issue: Fingerprint) -> Vec<Value> {
    issues_partition(scope, spread(&issue.0, SHARDS))
}

/// A row of `ISSUES`: what a log partition tells of the issue; `slot` is 0 or 1.
#[must_use]
pub fn issue(scope: Scope, issue: Fingerprint, partition: u32, slot: i64) -> Key {
    Key {
        partition: issue_partition(scope, issue),
        clustering: vec![Value::from(issue.0), Value::Int(i64::from(partition)), Value::Int(slot)],
    }
}

/// Issue, log partition and slot of the clustering key that [`issue`] made.
#[must_use]
pub fn issue_of(clustering: &[Value]) -> Option<(Fingerprint, i64, i64)> {
    match clustering {
        [Value::Bytes(issue), Value::Int(partition), Value::Int(slot)] => {
            Some((Fingerprint(issue.as_ref().try_into().ok()?), *partition, *slot))
        }
        _ => None,
    }
}

/// A partition of `ISSUE_CHANGES`: what a log partition's flushes of a day (since 1970, by the writer's clock) changed.
#[must_use]
pub fn changes_partition(scope: Scope, partition: u32, day: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(i64::from(partition)), Value::Int(day)])
}

/// A row of `ISSUE_CHANGES`, of the flush that ended before `next_offset`.
#[must_use]
pub fn changes(scope: Scope, partition: u32, day: i64, next_offset: u64) -> Key {
    let next_offset = i64::try_from(next_offset).unwrap_or(i64::MAX);
    Key { partition: changes_partition(scope, partition, day), clustering: vec![Value::Int(next_offset)] }
}

/// A partition of `ISSUE_USERS`.
#[must_use]
pub fn users_partition(scope: Scope, issue: Fingerprint, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::from(issue.0), Value::Int(shard)])
}

/// A row of `ISSUE_USERS`.
#[must_use]
pub fn user(scope: Scope, issue: Fingerprint, user: [u8; 16]) -> Key {
    let shard = spread(&user, SHARDS);
    Key { partition: users_partition(scope, issue, shard), clustering: vec![Value::from(user)] }
}

/// A row of `ISSUE_STATES`.
#[must_use]
pub fn state(scope: Scope, issue: Fingerprint) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![Value::from(issue.0)] }
}

/// The row of `ISSUE_STATES` that is another one whenever any of the others has changed: its last column is shorter than any issue's.
#[must_use]
pub fn decisions_mark(scope: Scope) -> Key {
    Key {
        partition: scope_columns(scope),
        clustering: vec![Value::Bytes(bytes::Bytes::from_static(b"mark"))],
    }
}

/// The row of `ISSUE_STATES` that holds the merges of a project: its last column is shorter than any issue's.
#[must_use]
pub fn merges(scope: Scope) -> Key {
    Key {
        partition: scope_columns(scope),
        clustering: vec![Value::Bytes(bytes::Bytes::from_static(b"merges"))],
    }
}
