//! The record of an erasure: that one was asked for, how far it is, and whom it is still to find.

use prost::Message;

use crate::id::SessionId;
use crate::row::Suppression;
use crate::scope::Scope;
use crate::session::key;
use crate::store::{self, Mutation, Row};
use crate::table;

/// [`Suppression`] of one session.
pub const SESSION: &str = "session";
/// [`Suppression`] of a user: what began before the request is erased.
pub const USER: &str = "user";
/// A session whose erasure has begun and is not done. Deleted when it is.
pub const PENDING: &str = "pending";
/// A user whose erasure has begun and is not done, by name. Deleted when it is, as the lists are by which the user can be found.
pub(super) const PENDING_USER: &str = "pending user";

const DAY_MS: i64 = 86_400_000;
/// Longer than any log keeps records and than any project keeps sessions.
const SUPPRESSION_TTL_MS: i64 = 800 * DAY_MS;

pub(super) fn suppression(scope: Scope, kind: &str, id: &[u8], entry: &Suppression) -> Mutation {
    Mutation::Put {
        table: &table::SUPPRESSIONS,
        key: key::suppression(scope, kind, id),
        value: entry.encode_to_vec().into(),
        version: stage_version(entry.requested_ms, &entry.stage),
        expires_at_ms: Some(entry.requested_ms + SUPPRESSION_TTL_MS),
    }
}

/// A later stage of the same request must replace an earlier one.
pub(super) fn stage_version(requested_ms: i64, stage: &str) -> i64 {
    let step = match stage {
        "keys" => 0,
        "rows" => 1,
        "done" => 2,
        _ => 3,
    };
    requested_ms * 1_000 + step
}

/// What makes the processor look for suppressions of the scope.
pub(super) fn any(scope: Scope, now_ms: i64) -> Mutation {
    Mutation::Put {
        table: &table::SUPPRESSIONS,
        key: key::any_erasure(scope),
        value: bytes::Bytes::new(),
        version: now_ms,
        expires_at_ms: Some(now_ms + SUPPRESSION_TTL_MS),
    }
}

/// What [`Erasure::resume`] finds.
pub(super) fn pending(scope: Scope, session: SessionId, now_ms: i64) -> Mutation {
    let entry = Suppression { requested_ms: now_ms, stage: "keys".to_owned(), ..Suppression::default() };
    suppression(scope, PENDING, &session.0, &entry)
}

pub(super) fn suppressed_session(row: &Row) -> Option<SessionId> {
    match &row.key.clustering[..] {
        [_, store::Value::Bytes(id)] => Some(SessionId(id.as_ref().try_into().ok()?)),
        _ => None,
    }
}
