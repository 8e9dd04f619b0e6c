//! The keys of [`crate::table::JIRA`]: one spelling for whoever writes or reads them.

use crate::issue::grouping::Fingerprint;
use crate::scope::Scope;
use crate::session::key::scope_columns;
use crate::store::{Key, Value};

/// Rows whose Jira issue is still to be told something; the value is another one with every wish.
pub const DUE: &str = "due";

fn key(scope: Scope, kind: &str, id: Vec<u8>) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![kind.into(), id.into()] }
}

/// The project's connection.
#[must_use]
pub fn connection(scope: Scope) -> Key {
    key(scope, "connection", b"-".to_vec())
}

/// The Jira issue of an issue.
#[must_use]
pub fn link(scope: Scope, issue: Fingerprint) -> Key {
    key(scope, "link", issue.0.to_vec())
}

/// Of which issue a Jira issue is, by its site and the number that it has there: 16 bytes.
#[must_use]
pub fn remote(scope: Scope, site: &str, id: &str) -> Key {
    key(scope, "remote", [site.as_bytes(), b"\0", id.as_bytes()].concat())
}

/// That something is still to be told or read.
#[must_use]
pub fn due(scope: Scope, issue: Fingerprint) -> Key {
    key(scope, DUE, issue.0.to_vec())
}

/// The issue of the clustering key that [`due`] made.
#[must_use]
pub fn due_of(clustering: &[Value]) -> Option<Fingerprint> {
    match clustering {
        [Value::Text(kind), Value::Bytes(id)] if kind == DUE => {
            Some(Fingerprint(id.as_ref().try_into().ok()?))
        }
        _ => None,
    }
}
