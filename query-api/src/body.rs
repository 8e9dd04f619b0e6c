//! Request bodies: small JSON, bounded, and what is wrong with them named.

use axum::body::Body;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The largest body that the API takes.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 10;

/// Reads a JSON body.
pub(crate) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let bytes =
        axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| ApiError::TooLarge(MAX_BODY_BYTES))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::bad("body", format!("not the JSON that is expected: {error}")))
}
