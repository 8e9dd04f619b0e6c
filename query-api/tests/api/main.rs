//! The API in process, on memory back ends: what it shows, to whom, and how it answers nonsense.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod access;
mod alert_deliveries;
mod alert_hours;
mod alert_limits;
mod alert_rules;
mod alert_stream;
mod alerting;
mod alerts;
mod app;
mod channels;
mod discards;
mod endpoint_names;
mod erasure;
mod events;
mod issues;
mod jira;
mod jira_description;
mod jira_double;
mod jira_rules;
mod large_projects;
mod lists;
mod mail_server;
mod merges;
mod performance;
mod projects;
mod recordings;
mod source_maps;
mod states;
mod strangers;
