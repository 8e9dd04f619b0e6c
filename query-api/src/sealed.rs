//! Opening what was sealed with a session's key.

use playhead_domain::id::SessionId;
use playhead_domain::row::{self, Block, EventChunk};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{DataKey, Purpose};
use playhead_domain::session::key;
use playhead_domain::table;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

/// A session's data key, for the time of one request.
pub(crate) struct SessionCipher {
    session: SessionId,
    key: DataKey,
}

impl SessionCipher {
    /// Reads and unwraps the key. Without one nothing of the session can be opened any more: it was erased.
    pub(crate) async fn load(api: &Api, scope: Scope, session: SessionId) -> Result<Self, ApiError> {
        let row = api.store().get(&table::SESSION_KEYS, &key::session(scope, session)).await?;
        let row = row.ok_or(ApiError::Deleted)?;
        let wrapped =
            row::SessionKey::decode(row.value).map_err(|e| ApiError::Corrupt(format!("session key: {e}")))?;
        let key = api.0.key_wrapper.unwrap(session, &wrapped.wrapped).map_err(corrupt)?;
        Ok(Self { session, key })
    }

    pub(crate) fn open_events(&self, chunk: &EventChunk) -> Result<Vec<u8>, ApiError> {
        self.key.open_events(self.session, chunk).map_err(corrupt)
    }

    pub(crate) fn open_frame(&self, sealed: &[u8]) -> Result<Vec<u8>, ApiError> {
        self.key.open(self.session, Purpose::Frame, sealed).map_err(corrupt)
    }

    /// The first `upto` bytes of a block.
    pub(crate) fn open_block(&self, block: &Block, sealed: &[u8], upto: usize) -> Result<Vec<u8>, ApiError> {
        self.key.open_block(self.session, block, sealed, upto).map_err(corrupt)
    }
}

fn corrupt(error: playhead_domain::seal::Error) -> ApiError {
    ApiError::Corrupt(error.to_string())
}
