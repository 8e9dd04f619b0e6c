//! The log on a real Kafka, beyond the port's contract: outages, topics that differ, sharing, sizes, compaction.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod appending;
mod cluster;
mod consuming;
mod outage;
mod topics;
