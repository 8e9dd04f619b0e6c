//! What is known of a session: the newer of its two states.

use prost::Message;

use crate::id::SessionId;
use crate::row::SessionState;
use crate::scope::Scope;
use crate::session::key;
use crate::store::{ClusteringRange, Error, Order, Store};
use crate::table::SESSION_STATE;

/// The state that was written last, whether or not its flush has come to its checkpoint; `None` for a session that is not known, of
/// which nothing but spans of its backend came, or that is being erased. What a flush folds from is another question: the newest state at its checkpoint.
///
/// # Errors
/// The store's; [`Error::Corrupt`] for a state that cannot be read.
pub async fn newest(
    store: &dyn Store,
    scope: Scope,
    session: SessionId,
) -> Result<Option<SessionState>, Error> {
    let partition = key::session_partition(scope, session);
    let page = store.scan(&SESSION_STATE, &partition, &ClusteringRange::ALL, Order::Ascending, 2).await?;
    let Some(row) = page.rows.into_iter().max_by_key(|row| row.version) else { return Ok(None) };
    let state = SessionState::decode(row.value)
        .map_err(|error| Error::Corrupt(format!("state of session {session}: {error}")))?;
    Ok(Some(state).filter(|state| !state.wrapped_key.is_empty() && state.has_begun()))
}
