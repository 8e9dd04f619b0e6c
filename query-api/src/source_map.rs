//! Source maps: taking, listing and deleting them, and making stacks readable with them.

pub(crate) mod cache;
pub(crate) mod find;
pub(crate) mod quota;
pub(crate) mod repository;
pub(crate) mod resolve;
pub(crate) mod routes;
pub(crate) mod upload;
