//! Reading a body: charged before it is read, never larger than allowed, never slower than allowed.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::Instant;

use crate::budget::{Budget, Exhausted, Permit};
use crate::client::Client;
use crate::config::Config;
use crate::error::ApiError;

/// The pace that a body must keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    grace: Duration,
    deadline: Duration,
    min_rate_bytes_per_s: u32,
}

impl Pace {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            grace: Duration::from_millis(config.slow_body_grace_ms),
            deadline: Duration::from_millis(config.body_deadline_ms),
            min_rate_bytes_per_s: config.min_body_rate_bytes_per_s,
        }
    }

    /// How long after the start the next bytes may come, given `received`.
    fn patience(&self, received: usize) -> Duration {
        let earned = received as f64 / f64::from(self.min_rate_bytes_per_s);
        self.grace
            .saturating_add(Duration::try_from_secs_f64(earned).unwrap_or(Duration::MAX))
            .min(self.deadline)
    }
}

/// A refusal of the budget, kept apart for the metrics.
#[derive(Debug)]
pub(crate) enum BodyError {
    Exhausted(Exhausted),
    Refused(ApiError),
}

/// A whole body and the permit under which it is held.
pub(crate) struct Charged {
    pub(crate) bytes: Bytes,
    pub(crate) permit: Permit,
}

/// Reads bodies of at most `limit` bytes.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) budget: Arc<Budget>,
    pub(crate) pace: Pace,
}

impl Reader {
    /// Reads the body whole. Refused before reading: a declared length over `limit`, or no budget for it.
    pub(crate) async fn read(
        &self,
        client: &Client,
        headers: &HeaderMap,
        mut body: Body,
        limit: usize,
    ) -> Result<Charged, BodyError> {
        let result = self.collect(client, &mut body, limit).await;
        // A sender that is still sending when the connection closes would see a reset in place of the answer.
        if matches!(result, Err(BodyError::Exhausted(_) | BodyError::Refused(ApiError::TooLarge { .. })))
            && !headers.contains_key(header::EXPECT)
        {
            self.discard(body).await;
        }
        result
    }

    async fn collect(&self, client: &Client, body: &mut Body, limit: usize) -> Result<Charged, BodyError> {
        let declared = body.size_hint().exact();
        let too_large = || BodyError::Refused(ApiError::TooLarge { limit_bytes: limit });
        let ahead = match declared {
            Some(length) => {
                usize::try_from(length).ok().filter(|&length| length <= limit).ok_or_else(too_large)?
            }
            None => 0,
        };
        let mut permit = self.budget.take(client.address, ahead).map_err(BodyError::Exhausted)?;
        let start = Instant::now();
        let first = self.next(body, start, 0).await?.unwrap_or_default();
        if declared == Some(first.len() as u64) {
            // Small bodies come in one piece: it is taken as it is.
            return Ok(Charged { bytes: first, permit });
        }
        if first.len() > limit {
            return Err(too_large());
        }
        permit.grow(first.len().saturating_sub(ahead)).map_err(BodyError::Exhausted)?;
        let mut bytes = BytesMut::with_capacity(ahead.max(first.len()));
        bytes.extend_from_slice(&first);
        while let Some(chunk) = self.next(body, start, bytes.len()).await? {
            let length = bytes.len() + chunk.len();
            if length > limit {
                return Err(too_large());
            }
            permit.grow(length.saturating_sub(bytes.len().max(ahead))).map_err(BodyError::Exhausted)?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Charged { bytes: bytes.freeze(), permit })
    }

    /// The next bytes, if they come in time.
    async fn next(
        &self,
        body: &mut Body,
        start: Instant,
        received: usize,
    ) -> Result<Option<Bytes>, BodyError> {
        loop {
            let latest = start + self.pace.patience(received);
            match tokio::time::timeout_at(latest, body.frame()).await {
                Err(_) => {
                    let min_rate_bytes_per_s = self.pace.min_rate_bytes_per_s;
                    return Err(BodyError::Refused(ApiError::TooSlow { min_rate_bytes_per_s }));
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(BodyError::Refused(ApiError::Incomplete)),
                Ok(Some(Ok(frame))) => {
                    // Trailers say nothing that is needed.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Reads on without keeping anything, for a little while: bounded in bytes and time.
    pub(crate) async fn discard(&self, mut body: Body) {
        const LINGER: Duration = Duration::from_secs(2);
        const LINGER_BYTES: usize = 2 << 20;
        let drained = async {
            let mut seen = 0;
            while let Some(Ok(frame)) = Pin::new(&mut body).frame().await {
                seen += frame.data_ref().map_or(0, Bytes::len);
                if seen > LINGER_BYTES {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER.min(self.pace.deadline), drained).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_with_what_came_and_ends_at_the_deadline() {
        let config = Config {
            slow_body_grace_ms: 1_000,
            body_deadline_ms: 10_000,
            min_body_rate_bytes_per_s: 1_000,
            ..Config::default()
        };
        let pace = Pace::new(&config);
        assert_eq!(pace.patience(0), Duration::from_secs(1));
        assert_eq!(pace.patience(2_000), Duration::from_secs(3));
        assert_eq!(pace.patience(1 << 20), Duration::from_secs(10));
    }
}
