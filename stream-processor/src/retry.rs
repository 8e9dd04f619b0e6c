//! Doing again what failed for the moment, for a bounded time.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Tells whether an operation may succeed later.
pub(crate) trait Retryable {
    fn is_retryable(&self) -> bool;
}

impl Retryable for playhead_domain::store::Error {
    fn is_retryable(&self) -> bool {
        Self::is_retryable(self)
    }
}

impl Retryable for playhead_domain::log::Error {
    fn is_retryable(&self) -> bool {
        Self::is_retryable(self)
    }
}

impl Retryable for object_store::Error {
    /// What an object store reports as unknown is usually the network; a full disk may have room again, and rights that are refused
    /// are being changed or will be.
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Generic { .. } | Self::PermissionDenied { .. } | Self::Unauthenticated { .. })
    }
}

/// Repeats `operation` with growing pauses while its error is retryable and less than `limit` has passed.
pub(crate) async fn retry<T, E, F>(limit: Duration, mut operation: impl FnMut() -> F) -> Result<T, E>
where
    E: Retryable + std::fmt::Display,
    F: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + limit;
    let mut wait = FIRST_WAIT;
    loop {
        match operation().await {
            Ok(value) => return Ok(value),
            Err(error) if error.is_retryable() && Instant::now() + wait < end => {
                let wait_ms = wait.as_millis() as u64;
                // Once is enough to know.
                if wait == FIRST_WAIT {
                    tracing::warn!(%error, wait_ms, "trying again");
                } else {
                    tracing::debug!(%error, wait_ms, "trying again");
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(MAX_WAIT);
            }
            Err(error) => return Err(error),
        }
    }
}
