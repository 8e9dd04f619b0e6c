//! Alerts: rules, and what they make of a project's issues as they are counted. Pure: the same counts give the same transitions, whoever
//! judges them and how often.
//!
//! Deliberately absent: reading counts, telling people (see `query-api`), and conditions about endpoints and pages.

pub mod hours;
pub mod key;
pub mod rule;
pub mod window;
pub mod judge;
pub mod step;
pub mod rehearsal;
