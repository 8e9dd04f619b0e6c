//! Errors of real browsers: read as the engines meant them, and grouped as people would.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod corpus;
mod folding;
mod grouping;
mod hostile;
mod reading;
