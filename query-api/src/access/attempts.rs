//! How often an address may guess.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

use crate::error::ApiError;

const WINDOW_MS: i64 = 60_000;
/// Addresses remembered; beyond that the stale ones go, and then all share what is left.
const MAX_ADDRESSES: usize = 10_000;

/// Failed attempts per address within the running minute.
#[derive(Debug)]
pub struct Attempts {
    per_window: u32,
    seen: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start_ms: i64,
    failures: u32,
}

impl Attempts {
    pub(crate) fn new(per_window: u32) -> Self {
        Self { per_window, seen: Mutex::new(HashMap::new()) }
    }

    /// # Errors
    /// [`ApiError::TooManyAttempts`] while the address has used up its attempts.
    pub(crate) fn check(&self, client: IpAddr, now_ms: i64) -> Result<(), ApiError> {
        let seen = self.seen.lock();
        match seen.get(&client) {
            Some(window) if window.failures >= self.per_window && now_ms < window.start_ms + WINDOW_MS => {
                let wait_ms = (window.start_ms + WINDOW_MS - now_ms).max(0);
                Err(ApiError::TooManyAttempts { retry_after_s: (wait_ms.unsigned_abs()).div_ceil(1_000) })
            }
            _ => Ok(()),
        }
    }

    /// Counts one failure.
    pub(crate) fn count_failure(&self, client: IpAddr, now_ms: i64) {
        let mut seen = self.seen.lock();
        if seen.len() >= MAX_ADDRESSES && !seen.contains_key(&client) {
            seen.retain(|_, window| now_ms < window.start_ms + WINDOW_MS);
        }
        let client = if seen.len() >= MAX_ADDRESSES { IpAddr::from([0, 0, 0, 0]) } else { client };
        let window = seen.entry(client).or_insert(Window { start_ms: now_ms, failures: 0 });
        if now_ms >= window.start_ms + WINDOW_MS {
            *window = Window { start_ms: now_ms, failures: 0 };
        }
        window.failures = window.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_too_many_failures_and_others_do_not() {
        let attempts = Attempts::new(2);
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        attempts.count_failure(one, 0);
        assert!(attempts.check(one, 1).is_ok());
        attempts.count_failure(one, 1_000);
        assert!(matches!(attempts.check(one, 30_000), Err(ApiError::TooManyAttempts { retry_after_s: 30 })));
        assert!(attempts.check(other, 30_000).is_ok());
        assert!(attempts.check(one, 60_000).is_ok(), "the minute is over");
    }

    #[test]
    fn the_number_of_remembered_addresses_is_bounded() {
        let attempts = Attempts::new(2);
        for address in 0..u32::try_from(MAX_ADDRESSES).unwrap() + 500 {
            attempts.count_failure(IpAddr::from(address.wrapping_add(1).to_be_bytes()), 0);
        }
        assert!(attempts.seen.lock().len() <= MAX_ADDRESSES + 1);
    }
}
