//! Jira, Cloud and Data Center: a project's connection, the Jira issues of its issues, and what keeps both alike.
//!
//! Deliberately absent: polling (Jira's web hooks tell what changed, see [`hook`]) and copies of Jira's fields beyond status and assignee.
//! Jira is only called through [`crate::outbound`].

mod client;
mod create;
pub(crate) mod document;
mod failure;
mod fields;
mod gather;
pub(crate) mod hook;
pub(crate) mod issue_routes;
pub(crate) mod metrics;
mod moves;
mod push;
mod repository;
pub(crate) mod routes;
mod settings;
mod sync;
pub(crate) mod tell;
mod worker;

pub use failure::Failure;
pub(crate) use push::want_changes;
pub use worker::Worker;
