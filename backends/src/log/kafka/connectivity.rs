//! Whether brokers and partitions answer: what lets an append fail at once, where it would wait for its time-out.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use playhead_domain::log::Error;

/// Milliseconds since some moment of this process.
fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether one partition acknowledges what it is sent. Kafka acknowledges the records of a partition in their order, so the time
/// since the last one is how long the oldest has been waiting, or more.
#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: AtomicU32,
    /// When the partition last did something, or was first asked to.
    since_ms: AtomicU64,
    /// The last record that was given an answer was given up.
    failing: AtomicBool,
}

impl Lane {
    /// Whether another record may be sent. While the partition fails, one at a time may, to find out.
    pub(super) fn check(&self, stall_after_ms: u64) -> Result<(), u64> {
        let silent_ms = self.silent_ms();
        let failing = self.failing.load(Ordering::Relaxed) && self.waiting.load(Ordering::Relaxed) > 0;
        if failing || silent_ms > stall_after_ms { Err(silent_ms) } else { Ok(()) }
    }

    /// For how long the oldest record has been waiting.
    pub(super) fn silent_ms(&self) -> u64 {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        now_ms().saturating_sub(self.since_ms.load(Ordering::Relaxed))
    }

    /// A record is sent.
    pub(super) fn send(&self) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.since_ms.store(now_ms(), Ordering::Relaxed);
        }
    }

    /// A record was acknowledged or refused, or else was given up.
    pub(super) fn settle(&self, answered: bool) {
        self.since_ms.store(now_ms(), Ordering::Relaxed);
        if self.failing.load(Ordering::Relaxed) == answered {
            self.failing.store(!answered, Ordering::Relaxed);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No broker has answered yet.
    Starting,
    Up,
    Away,
}

/// Whether the cluster answers.
#[derive(Debug)]
pub(super) struct Connectivity {
    state: Mutex<State>,
    changed: Condvar,
    is_up: AtomicBool,
    is_away: AtomicBool,
    /// Records sent and not answered.
    waiting: AtomicU64,
    acknowledged: AtomicU64,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    suspected: bool,
    stopping: bool,
    /// What a client said last.
    reason: String,
}

impl Default for Connectivity {
    fn default() -> Self {
        let reason = "none has answered yet".to_owned();
        Self {
            state: Mutex::new(State { phase: Phase::Starting, suspected: true, stopping: false, reason }),
            changed: Condvar::new(),
            is_up: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            waiting: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
        }
    }
}

impl Connectivity {
    /// Whether it is worth to ask the brokers.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_away.load(Ordering::Relaxed) { Err(self.error()) } else { Ok(()) }
    }

    /// Whether a broker answers.
    pub(super) fn check_health(&self) -> Result<(), Error> {
        if self.is_up.load(Ordering::Relaxed) { Ok(()) } else { Err(self.error()) }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    fn error(&self) -> Error {
        Error::Unavailable(format!("no Kafka broker answers: {}", self.state.lock().reason))
    }

    /// A client met an error, which may mean nothing: the brokers are asked.
    pub(super) fn suspect(&self, reason: Option<&str>) {
        let mut state = self.state.lock();
        if let Some(reason) = reason {
            reason.clone_into(&mut state.reason);
        }
        if !state.suspected {
            state.suspected = true;
            self.changed.notify_all();
        }
    }

    /// A record is sent.
    pub(super) fn send(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// A record was given up, or was not sent after all.
    pub(super) fn give_up(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// A record was acknowledged.
    pub(super) fn acknowledge(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        if !self.is_up.load(Ordering::Relaxed) {
            self.set_up();
        }
    }

    /// How many records were acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// A broker answered.
    pub(super) fn set_up(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Away {
            tracing::info!("a Kafka broker answers again");
        }
        state.phase = Phase::Up;
        self.is_away.store(false, Ordering::Relaxed);
        self.is_up.store(true, Ordering::Relaxed);
    }

    /// No broker has answered for too long. Returns whether this is news.
    pub(super) fn set_away(&self) -> bool {
        let mut state = self.state.lock();
        if state.phase == Phase::Away {
            return false;
        }
        tracing::error!(reason = state.reason, "no Kafka broker answers; records are refused until one does");
        state.phase = Phase::Away;
        self.is_up.store(false, Ordering::Relaxed);
        self.is_away.store(true, Ordering::Relaxed);
        true
    }

    /// Waits until there is a suspicion, at most so long. Returns whether there is one, or nothing when it is time to stop.
    pub(super) fn wait(&self, timeout: Duration) -> Option<bool> {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        while !state.suspected && !state.stopping {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        let suspected = std::mem::take(&mut state.suspected);
        (!state.stopping).then_some(suspected)
    }

    pub(super) fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_partition_takes_one_record_at_a_time_until_it_answers() {
        let lane = Lane::default();
        lane.send();
        lane.send();
        assert!(lane.check(u64::MAX).is_ok());
        lane.settle(false);
        assert!(lane.check(u64::MAX).is_err(), "one is under way");
        lane.settle(false);
        assert!(lane.check(u64::MAX).is_ok(), "one may try");
        lane.send();
        assert!(lane.check(u64::MAX).is_err());
        lane.settle(true);
        lane.send();
        assert!(lane.check(u64::MAX).is_ok(), "it answers again");
    }

    #[test]
    fn a_silent_partition_is_noticed_only_while_something_waits() {
        let lane = Lane::default();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(lane.silent_ms(), 0);
        lane.send();
        std::thread::sleep(Duration::from_millis(5));
        assert!(lane.check(1).is_err());
        lane.settle(true);
        assert!(lane.check(1).is_ok());
    }

    #[test]
    fn health_follows_what_brokers_do() {
        let connectivity = Connectivity::default();
        assert!(connectivity.check_health().is_err() && connectivity.check().is_ok(), "nothing is known yet");
        connectivity.send();
        assert!(connectivity.is_waiting());
        connectivity.acknowledge();
        assert!(!connectivity.is_waiting());
        connectivity.check_health().unwrap();
        connectivity.suspect(Some("connection refused"));
        connectivity.check().unwrap();
        assert!(connectivity.set_away() && !connectivity.set_away());
        let error = connectivity.check().unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("connection refused"), "{error}");
        connectivity.set_up();
        connectivity.check().unwrap();
    }
}
