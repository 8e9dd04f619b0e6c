//! The rows of what people decided about issues: one for each issue, with its history, and one for all merges of a project. Each is
//! changed by compare-and-set.

use bytes::Bytes;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueChange, IssueState};
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::cut;
use playhead_domain::store::{Key, Swap};
use playhead_domain::table::ISSUE_STATES;
use prost::Message;

use super::read::{decode_merges, decode_state};
use crate::error::ApiError;
use crate::state::Api;

const ATTEMPTS: usize = 8;
pub(crate) const MAX_HISTORY: usize = 100;
const MAX_NOTE_BYTES: usize = 200;
/// Longer than any project keeps sessions: what was decided of an issue that does not come back is forgotten.
const KEPT_MS: i64 = 800 * 86_400_000;

/// How a value is read and written, and how long its row is kept.
struct Form<V> {
    decode: fn(Bytes) -> Result<V, ApiError>,
    encode: fn(&V) -> Vec<u8>,
    kept_ms: Option<i64>,
}

/// Changes what is decided of an issue; `change` may run more than once.
///
/// # Errors
/// The store's; [`ApiError::Conflict`] when others do the same all the time.
pub(crate) async fn update(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: impl Fn(&mut IssueState),
) -> Result<IssueState, ApiError> {
    let form = Form { decode: decode_state, encode: Message::encode_to_vec, kept_ms: Some(KEPT_MS) };
    let change = |state: &mut IssueState| {
        change(state);
        Ok(())
    };
    Ok(rewrite(api, &key::state(scope, issue), form, change).await?.0)
}

/// Changes the merges of a project; `change` may run more than once.
///
/// # Errors
/// As [`update`], and those of `change`.
pub(crate) async fn update_merges<T>(
    api: &Api,
    scope: Scope,
    change: impl Fn(&mut Merges) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let encode = |merges: &Merges| merges.to_row().encode_to_vec();
    let form = Form { decode: decode_merges, encode, kept_ms: None };
    Ok(rewrite(api, &key::merges(scope), form, change).await?.1)
}

async fn rewrite<V: Clone + Default + PartialEq, T>(
    api: &Api,
    key: &Key,
    form: Form<V>,
    change: impl Fn(&mut V) -> Result<T, ApiError>,
) -> Result<(V, T), ApiError> {
    for _ in 0..ATTEMPTS {
        let old = api.store().get_serial(&ISSUE_STATES, key).await?;
        let known = old.clone().map(form.decode).transpose()?.unwrap_or_default();
        let mut new = known.clone();
        let result = change(&mut new)?;
        if new == known {
            return Ok((new, result));
        }
        let value = Some((form.encode)(&new).into());
        let expires_at_ms = form.kept_ms.map(|kept_ms| api.now_ms() + kept_ms);
        let swap = api.store().compare_and_set(&ISSUE_STATES, key, old.as_deref(), value, expires_at_ms);
        if swap.await? == Swap::Applied {
            return Ok((new, result));
        }
    }
    Err(ApiError::Conflict)
}

/// Writes something that happened to an issue into its history.
///
/// # Errors
/// As [`update`].
pub(crate) async fn note(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: &str,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let now_ms = api.now_ms();
    update(api, scope, issue, |state| record(state, now_ms, actor, short(change))).await
}

/// What other people's words are part of: titles may be long.
pub(crate) fn short(change: &str) -> String {
    cut(change, MAX_NOTE_BYTES).to_owned()
}

/// Adds to the history, of which the newest part is kept.
pub(crate) fn record(state: &mut IssueState, time_ms: i64, actor: &str, change: String) {
    state.history.push(IssueChange { time_ms, actor: actor.to_owned(), change });
    let surplus = state.history.len().saturating_sub(MAX_HISTORY);
    state.history.drain(..surplus);
}
