//! Who evaluates a project: a row with an owner and an end, and how far the evaluation is.

use std::time::Duration;

use bytes::Bytes;
use playhead_domain::alert::key;
use playhead_domain::row::AlertLease;
use playhead_domain::scope::Scope;
use playhead_domain::table::ALERT_STATES;

use super::rows::{self, Stored};
use crate::error::ApiError;
use crate::state::Api;

/// After so long without renewal another process takes over.
const TERM_MS: i64 = 15_000;
/// How often it is renewed while an evaluation goes on.
pub(crate) const RENEW_EACH: Duration = Duration::from_secs(5);

/// A lease that is held.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) row: AlertLease,
    bytes: Bytes,
}

impl Held {
    /// Whether more than half of the term is left.
    pub(crate) const fn is_fresh(&self, now_ms: i64) -> bool {
        self.row.until_ms - now_ms > TERM_MS / 2
    }

    pub(crate) const fn is_valid(&self, now_ms: i64) -> bool {
        self.row.until_ms > now_ms
    }
}

/// Takes the lease unless somebody else has it.
pub(crate) async fn take(api: &Api, scope: Scope, owner: &str) -> Result<Option<Held>, ApiError> {
    let now_ms = api.now_ms();
    let known: Option<Stored<AlertLease>> = rows::newest(api, &ALERT_STATES, &key::lease(scope)).await?;
    let row = known.as_ref().map(|stored| stored.value.clone()).unwrap_or_default();
    // One that ends later than any lease can was taken by a clock that was ahead.
    if row.owner != owner && (now_ms + 1..=now_ms + 2 * TERM_MS).contains(&row.until_ms) {
        return Ok(None);
    }
    // What such a clock decided in the future is not decided.
    let evaluated_ms = row.evaluated_ms.min(now_ms);
    let row = AlertLease { owner: owner.to_owned(), evaluated_ms, ..row };
    put(api, scope, known.map(|stored| stored.bytes).as_ref(), row).await
}

/// The same for longer. `None`: somebody else has taken over.
pub(crate) async fn prolong(api: &Api, scope: Scope, held: &Held) -> Result<Option<Held>, ApiError> {
    renew(api, scope, held, held.row.clone()).await
}

/// Writes how far the evaluation is, and renews. `None`: somebody else has taken over.
pub(crate) async fn renew(
    api: &Api,
    scope: Scope,
    held: &Held,
    row: AlertLease,
) -> Result<Option<Held>, ApiError> {
    put(api, scope, Some(&held.bytes), row).await
}

async fn put(
    api: &Api,
    scope: Scope,
    expected: Option<&Bytes>,
    mut row: AlertLease,
) -> Result<Option<Held>, ApiError> {
    row.until_ms = api.now_ms() + TERM_MS;
    let bytes = rows::swap(api, &ALERT_STATES, &key::lease(scope), expected, Some(&row), None).await?;
    Ok(bytes.map(|bytes| Held { row, bytes }))
}

/// Gives it back, so that the next one need not wait.
pub(crate) async fn release(api: &Api, scope: Scope, held: &Held) -> Result<(), ApiError> {
    let row = AlertLease { owner: String::new(), until_ms: 0, ..held.row.clone() };
    rows::swap(api, &ALERT_STATES, &key::lease(scope), Some(&held.bytes), Some(&row), None).await?;
    Ok(())
}
