//! Waiting for a share of something bounded, for a while.

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
