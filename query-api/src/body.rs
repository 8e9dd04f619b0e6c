//! Request bodies: small JSON, bounded, and what is wrong with them named.

use std::time::Duration;

use axum::body::Body;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The largest body that the API takes.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 10;

/// How long a body may take: it is read before anybody has signed in.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// Reads a JSON body.
pub(crate) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let bytes = tokio::time::timeout(BODY_LIMIT, axum::body::to_bytes(body, MAX_BODY_BYTES))
        .await
        .map_err(|_| ApiError::TooSlow)?
        .map_err(|_| ApiError::TooLarge(MAX_BODY_BYTES))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::bad("body", format!("not the JSON that is expected: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures::StreamExt;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(begun.chain(futures::stream::pending()));
        assert!(matches!(read_json::<serde_json::Value>(body).await, Err(ApiError::TooSlow)));
    }
}
