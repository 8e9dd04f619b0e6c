//! Taking turns: waiting for a share of something bounded for a while, and work that keeps a core busy.

use std::time::Duration;

use tokio::sync::AcquireError;

use crate::error::ApiError;

/// The share that `acquired` waits for; `busy` when others keep it for longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    acquired: impl Future<Output = Result<T, AcquireError>>,
    busy: ApiError,
) -> Result<T, ApiError> {
    match tokio::time::timeout(limit, acquired).await {
        Ok(share) => share.map_err(|error| ApiError::Internal(error.to_string())),
        Err(_) => Err(busy),
    }
}

/// Runs what keeps a core busy on a thread of its own, beside the requests that need none.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))
}
