//! Alerts: rules, who evaluates them, and the outbox from which people are told.
//!
//! Deliberately absent: whether a condition is met (see [`playhead_domain::alert`]) and how a message is sent (see [`crate::channel`]).

pub(crate) mod courier;
pub(crate) mod deliver;
pub(crate) mod digest;
pub(crate) mod evaluate;
pub(crate) mod firing;
pub(crate) mod gather;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod metrics;
pub(crate) mod notice;
pub(crate) mod preview;
pub(crate) mod routes;
pub(crate) mod rows;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod worker;

pub use courier::Channels;
pub use deliver::{Courier, Undelivered};
pub use worker::Worker;
