//! Contract suites: one per port, run by every implementation; and [`projection`], by which runs are compared.
//!
//! An implementation says how it is opened by a fixture ([`log::Fixture`], [`store::Fixture`]) and calls
//! [`log_contract!`](crate::log_contract) or [`store_contract!`](crate::store_contract), which make one test per clause.
//! The calling crate needs tokio with `macros` and `rt-multi-thread`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "tests may panic")]

pub mod clock;
pub mod log;
pub mod projection;
pub mod store;

use std::time::Duration;

/// Waits for something that happens in the background. Panics when it does not happen for a very long time.
async fn eventually<F: Future<Output = bool>>(what: &str, mut happened: impl FnMut() -> F) {
    for _ in 0..6_000 {
        if happened().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
