//! Marks tell a processor that something was erased, so that it need not ask about every session at every flush.
//!
//! Whoever erases writes a mark before the suppression entry and again after it, each time newer than the last. So whoever reads marks,
//! then finds no suppression of a session, then reads the same marks again, knows that there is none yet whose erasure will not
//! still delete what was written before that second look. Each eraser has marks of its own, as a clock that is behind must not hide a mark
//! behind one of a clock that is ahead; and each shard of sessions, so that one erasure makes a sixteenth of the sessions be asked about.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;

use crate::id::SessionId;
use crate::scope::Scope;
use crate::session::key;
use crate::store::{Mutation, Row};
use crate::table;

/// How long a mark of a shard stays. Whoever remembers marks forgets them far sooner: [`Marks::REMEMBERED_FOR`].
const TTL_MS: i64 = 86_400_000;

/// Writes marks.
#[derive(Debug)]
pub(super) struct Marker {
    name: u64,
    newest: AtomicI64,
}

impl Marker {
    pub(super) fn new() -> Self {
        Self { name: RandomState::new().build_hasher().finish(), newest: AtomicI64::new(0) }
    }

    /// A mark that is newer than all before it.
    pub(super) fn mark(&self, scope: Scope, session: SessionId, now_ms: i64) -> Mutation {
        let next = |newest: i64| Some((newest + 1).max(now_ms.saturating_mul(1_000)));
        let (ordering, newest) = (Ordering::SeqCst, &self.newest);
        let before = newest.fetch_update(ordering, ordering, next).unwrap_or_else(|newest| newest);
        Mutation::Put {
            table: &table::SUPPRESSIONS,
            key: key::erasure_mark(scope, key::suppression_shard(&session.0), self.name),
            value: Bytes::new(),
            version: (before + 1).max(now_ms.saturating_mul(1_000)),
            expires_at_ms: Some(now_ms + TTL_MS),
        }
    }
}

/// The marks of a scope at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    is_any: bool,
    by_shard: BTreeMap<i64, u64>,
}

impl Marks {
    /// Longer than that, equal marks may be others: those that were remembered have expired.
    pub const REMEMBERED_FOR: std::time::Duration = std::time::Duration::from_secs(3_600);

    pub(super) fn of_rows(rows: &[Row]) -> Self {
        let mut marks = Self { is_any: !rows.is_empty(), by_shard: BTreeMap::new() };
        for row in rows {
            if let Some((shard, name)) = key::erasure_mark_of(&row.key.clustering) {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&marks.by_shard.get(&shard).copied().unwrap_or_default().to_be_bytes());
                hasher.update(&name.to_be_bytes()).update(&row.version.to_be_bytes());
                let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
                marks.by_shard.insert(shard, u64::from_be_bytes([a, b, c, d, e, f, g, h]));
            }
        }
        marks
    }

    /// Whether anything of the scope was ever erased.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.is_any
    }

    /// What the marks say about the session's shard: another value, another erasure.
    #[must_use]
    pub fn of(&self, session: SessionId) -> u64 {
        self.by_shard.get(&key::suppression_shard(&session.0)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ProjectId, TenantId};
    use crate::store::Key;

    fn scope() -> Scope {
        Scope::of_log_record(TenantId(1), ProjectId(2))
    }

    fn row(mutation: &Mutation) -> Row {
        let Mutation::Put { key: Key { partition, clustering }, value, version, .. } = mutation else {
            panic!()
        };
        let key = Key { partition: partition.clone(), clustering: clustering.clone() };
        Row { key, value: value.clone(), version: *version }
    }

    #[test]
    fn every_mark_changes_its_shard_alone() {
        let (one, other) =
            (SessionId([1; 16]), SessionId([[2; 15].as_slice(), &[3]].concat().try_into().unwrap()));
        let (marker, second) = (Marker::new(), Marker::new());
        let mut rows = vec![row(&marker.mark(scope(), one, 5))];
        let before = Marks::of_rows(&rows);
        rows[0] = row(&marker.mark(scope(), one, 5));
        let after = Marks::of_rows(&rows);
        assert_ne!(before.of(one), after.of(one), "in the same millisecond");
        assert_eq!(before.of(other), after.of(other));
        // A clock that is behind is seen all the same.
        rows.push(row(&second.mark(scope(), one, 1)));
        assert_ne!(Marks::of_rows(&rows).of(one), after.of(one));
        assert!(!Marks::of_rows(&[]).is_any() && after.is_any());
    }

    #[test]
    fn a_clock_that_goes_back_does_not_take_a_mark_back() {
        let marker = Marker::new();
        let versions: Vec<i64> =
            [9, 3, 10].map(|now_ms| row(&marker.mark(scope(), SessionId([1; 16]), now_ms)).version).to_vec();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    }
}
