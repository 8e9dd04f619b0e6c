//! Sessions: lists, one session, its time line, and erasing.

pub(crate) mod erase;
pub(crate) mod events;
pub(crate) mod filter;
pub(crate) mod present;
pub(crate) mod routes;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod stack;
pub(crate) mod state;
