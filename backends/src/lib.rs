//! What the ports run on: event logs, stores and blobs, and the folder that holds them in one process.
//!
//! Deliberately absent: what records and rows mean (see `domain`), HTTP, and the choice of a back end, which the
//! program makes from its configuration.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

pub mod blobs;
pub mod clock;
pub mod data_folder;
pub mod engine;
mod journal;
pub mod log;
pub mod observed;
pub mod store;
