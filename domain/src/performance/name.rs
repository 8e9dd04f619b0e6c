//! Names of endpoints and pages. What an address tells may be of somebody (`/profiles/ana-lopez`), and sums outlive sessions: so sums hold
//! ids, and the names stand in rows of their own, each on behalf of a session that used it, its witness, with which the row is erased, or
//! expires. A name of which no witness is left is not told any more: what it counted is counted with the others.

use std::fmt;

use crate::id::SessionId;
use crate::scope::Scope;
use crate::session::key::scoped;
use crate::store::{Key, Value};

/// Purpose for `InstallationKey::derive`: the key under which names are hashed.
pub const NAME_PURPOSE: &str = "playhead names of endpoints and pages v1";
/// Sessions that stand for a name, as far as each log partition knows: one of them may be erased, and the name is still known.
pub const WITNESSES: usize = 3;
/// Into how many partitions the names of a project are spread.
pub const SHARDS: i64 = 8;
/// No method, path or name of a release begins so.
pub(super) const PREFIX: &str = "\u{2026}";

/// Hashes names. Keyed, so that an id does not tell whether a name that somebody guesses is its.
#[derive(Clone)]
pub struct NameKey([u8; 32]);

/// What stands for a name in sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId([u8; 8]);

impl NameId {
    /// As it is stored where it is no key.
    #[must_use]
    pub const fn number(self) -> u64 {
        u64::from_be_bytes(self.0)
    }

    #[must_use]
    pub const fn of_number(number: u64) -> Self {
        Self(number.to_be_bytes())
    }
}

impl NameKey {
    /// `key` is the installation's key derived for [`NAME_PURPOSE`].
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The id of a name in a project.
    #[must_use]
    pub fn id(&self, scope: Scope, name: &str) -> NameId {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&scope.tenant().0.to_be_bytes());
        hasher.update(&scope.project().0.to_be_bytes());
        hasher.update(name.as_bytes());
        let mut id = [0; 8];
        hasher.finalize_xof().fill(&mut id);
        NameId(id)
    }
}

impl fmt::Display for NameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:016x}", self.number())
    }
}

/// Whether that is what a row has for a name.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// A partition of [`crate::table::PERFORMANCE_NAMES`].
#[must_use]
pub fn partition(scope: Scope, shard: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(shard)])
}

/// Where the rows of a name are, and how their keys begin.
#[must_use]
pub fn rows_of(scope: Scope, id: NameId) -> Key {
    let shard = i64::from(id.0[0]) % SHARDS;
    Key { partition: partition(scope, shard), clustering: vec![Value::from(id.0.to_vec())] }
}

/// The row by which a session stands for a name.
#[must_use]
pub fn row(scope: Scope, id: NameId, witness: SessionId) -> Key {
    let mut key = rows_of(scope, id);
    key.clustering.push(Value::from(witness.0.to_vec()));
    key
}

/// Name and witness of a row.
#[must_use]
pub fn of(clustering: &[Value]) -> Option<(NameId, SessionId)> {
    match clustering {
        [Value::Bytes(id), Value::Bytes(witness)] => {
            Some((NameId(id.as_ref().try_into().ok()?), SessionId(witness.as_ref().try_into().ok()?)))
        }
        _ => None,
    }
}
