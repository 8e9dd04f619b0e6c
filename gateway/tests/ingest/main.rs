//! The gateway over real sockets.

mod app;
mod bad_input;
mod batch;
mod bounds;
mod credentials;
mod durability;
mod readable;
mod sessions;
