//! Issues: lists, one issue, and what people do with it.

pub(crate) mod archive;
pub(crate) mod change;
pub(crate) mod decided;
pub(crate) mod discard;
pub(crate) mod dry_run;
pub(crate) mod entry;
pub(crate) mod index;
pub(crate) mod list;
pub(crate) mod listed;
pub(crate) mod merge;
pub(crate) mod present;
pub(crate) mod priority;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod routes;
pub(crate) mod state;
pub(crate) mod union;
pub(crate) mod users;
