//! What one thread counted since it last told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// Sums and latencies; those of several threads or machines add up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tally {
    /// Requests that were due.
    pub(crate) due: u64,
    pub(crate) attempts: u64,
    pub(crate) acknowledged: u64,
    pub(crate) acknowledged_bytes: u64,
    /// Signals inside what was acknowledged.
    pub(crate) events: u64,
    /// Events of the recorder inside what was acknowledged.
    pub(crate) dom_events: u64,
    /// Answers other than 202, by status.
    pub(crate) refusals: BTreeMap<u16, u64>,
    /// Attempts without an answer.
    pub(crate) broken: u64,
    pub(crate) visits: u64,
    pub(crate) sessions_opened: u64,
    /// Sent again although acknowledged.
    pub(crate) repeated: u64,
    /// Refused for good.
    pub(crate) rejected: u64,
    /// Sent, and not acknowledged until the end.
    pub(crate) unacknowledged: u64,
    /// From the moment at which a batch was due to its acknowledgement, retries and waiting included.
    pub(crate) latency: Histogram,
    /// From when an attempt had a connection to its answer: what the server took, without waiting for a connection or for a turn.
    pub(crate) attempt: Histogram,
    /// From the moment at which a batch was due to the moment at which the generator got to it.
    pub(crate) lateness: Histogram,
    /// A few of the answers that refused for good, or what broke.
    pub(crate) complaints: Vec<String>,
}

const MAX_COMPLAINTS: usize = 5;

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    pub(crate) fn complain(&mut self, complaint: impl FnOnce() -> String) {
        if self.complaints.len() < MAX_COMPLAINTS {
            self.complaints.push(complaint());
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.attempts += other.attempts;
        self.acknowledged += other.acknowledged;
        self.acknowledged_bytes += other.acknowledged_bytes;
        self.events += other.events;
        self.dom_events += other.dom_events;
        self.broken += other.broken;
        self.visits += other.visits;
        self.sessions_opened += other.sessions_opened;
        self.repeated += other.repeated;
        self.rejected += other.rejected;
        self.unacknowledged += other.unacknowledged;
        for (status, count) in &other.refusals {
            *self.refusals.entry(*status).or_default() += count;
        }
        self.latency.merge(&other.latency);
        self.attempt.merge(&other.attempt);
        self.lateness.merge(&other.lateness);
        let room = MAX_COMPLAINTS.saturating_sub(self.complaints.len());
        self.complaints.extend(other.complaints.iter().take(room).cloned());
    }

    /// Answers that ask to come back later.
    pub(crate) fn told_to_wait(&self) -> u64 {
        [429, 503].iter().filter_map(|status| self.refusals.get(status)).sum()
    }
}
