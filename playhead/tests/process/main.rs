//! What the real process tells about itself.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod generation;
mod metrics;
mod product;
mod traces;
