//! The gateway over real sockets.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod app;
mod bad_input;
mod batch;
mod bounds;
mod credentials;
mod durability;
mod readable;
mod sessions;
mod traces;
