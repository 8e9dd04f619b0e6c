//! What Playhead is about, without I/O: identifiers, the ports that back ends implement, the tables, the rows, and
//! the folds that turn batches into sessions.
//!
//! Deliberately absent: HTTP, JSON of the browser (see `proto`), any database or broker (see `backends`), the clock.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

pub mod id;
pub mod scope;
pub mod log;
pub mod store;
pub mod table;
pub mod row;
pub mod topic;
pub mod project;
pub mod seal;
pub mod secret;
pub mod session;
pub mod token;
pub mod endpoint;
pub mod issue;
pub mod jira;
pub mod performance;
pub mod source_map;
pub mod alert;
pub mod calendar;
pub mod erasure;

#[cfg(feature = "testkit")]
pub mod testkit;
