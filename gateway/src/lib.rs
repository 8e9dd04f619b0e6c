//! Ingest: takes batches from browsers, checks who sent them and how large they are, appends them untouched to the log, and
//! answers once the log has made them durable. Takes spans from backends likewise, which it sorts by session first.
//!
//! ```text
//! budget (before a byte is read) → read → header → key or token → project, origin → quota → append → 202
//! ```
//!
//! Invariants: a 2xx means durable; every byte under way is charged to one budget; nothing of a browser is inflated; no look-up leaves
//! the process; every answer can be read by a page.
//!
//! Deliberately absent: any log implementation, sampling decisions, the processing of what is inside a batch.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

mod admission;
mod answer;
mod batches;
mod body;
mod budget;
mod circuit;
mod client;
mod clock;
mod config;
mod error;
mod gateway;
mod metrics;
mod origin;
mod quota;
mod sessions;
mod token;
mod traces;

pub use clock::Clock;
pub use config::{Config, ConfigError, Quota};
pub use error::ApiError;
pub use gateway::{Gateway, StartError};
pub use token::{Claims, Tokens};
