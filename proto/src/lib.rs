//! The wire contract (see `README.md`): batch header and frames, signals, keys, limits, and the metadata of a log record.
//!
//! Deliberately absent: HTTP and storage.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

pub mod batch;
pub mod frame;
pub mod key;
pub mod limits;
pub mod signal;
pub mod span;
pub mod trace;

/// Generated from `record.proto`.
pub mod record {
    include!(concat!(env!("OUT_DIR"), "/playhead.record.v1.rs"));
}
