//! The processor on real back ends: what was appended to the log becomes what readers see.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod bad_input;
mod blobs;
mod collection;
mod compaction;
mod crash;
mod duplication;
mod erasure;
mod issues;
mod maps;
mod ownership;
mod performance;
mod poison;
mod sequels;
mod slow;
mod spans;
mod steps;
mod visible;
mod world;
