//! Alerts: rules, and what they make of a project's issues, endpoints and pages as they are counted. Pure: the same counts give the same
//! transitions, whoever judges them and how often.
//!
//! Deliberately absent: reading counts, and telling people (see `query-api`).

pub mod hours;
pub mod key;
pub mod rule;
pub mod window;
pub mod judge;
pub mod performance;
pub mod step;
pub mod rehearsal;
