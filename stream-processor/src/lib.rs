//! From the log to the store: de-duplicates batches, folds them into sessions, detects failed and slow requests, writes rows and
//! blobs so that the effect of every batch is there exactly once, compacts sessions that are over, and collects dead objects.
//!
//! Deliberately absent: how the log and the store work (see `domain`'s ports), reading (see `query-api`), issues and alerts.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

mod batch;
mod cache;
mod client;
mod collection;
mod compaction;
mod compiled;
mod compute;
mod config;
mod control;
mod dead_letters;
mod driver;
mod effect;
mod flush;
mod hooks;
mod intake;
mod issue;
mod interrupted;
mod metrics;
mod measured;
mod naming;
mod normalize;
mod occurrence;
mod partition;
mod performance;
mod processor;
mod progress;
mod range;
mod retry;
mod shared;
mod slot;
mod spared;
mod takeover;
mod trace;
mod witness;

pub use client::CountryLookup;
pub use config::{Config, ConfigError};
pub use flush::Step;
pub use hooks::{Hooks, NewId, OnBatch, Probe};
pub use processor::{Error, Parts, Processor};
