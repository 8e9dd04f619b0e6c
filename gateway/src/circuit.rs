//! Whether to ask the log at all: while it is away, waiting for it would only pile requests up.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// While the log is away, one batch in this time is still given to it, to see whether it is back.
const PROBE_EVERY: Duration = Duration::from_millis(250);

/// Open (nothing passes but probes) from a failure, or from an append that nobody hears of for too long, until an append succeeds.
#[derive(Debug)]
pub(crate) struct Circuit {
    stall: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    is_open: bool,
    waiting: usize,
    /// When something was last heard of the log, or the first of those that wait began to.
    heard: Instant,
    probed: Instant,
}

/// An append under way. Dropping it says that nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Pass<'a>(&'a Circuit);

/// What an outcome changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Opened,
    Closed,
}

impl Circuit {
    pub(crate) fn new(stall: Duration) -> Self {
        let now = Instant::now();
        Self { stall, state: Mutex::new(State { is_open: false, waiting: 0, heard: now, probed: now }) }
    }

    /// A pass for one append; `None` when the log is away and was tried a moment ago.
    pub(crate) fn pass(&self) -> Option<Pass<'_>> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let is_stalled = state.waiting > 0 && now.duration_since(state.heard) > self.stall;
        if state.is_open || is_stalled {
            if now.duration_since(state.probed) < PROBE_EVERY {
                return None;
            }
            state.probed = now;
        } else if state.waiting == 0 {
            state.heard = now;
        }
        state.waiting += 1;
        Some(Pass(self))
    }
}

impl Pass<'_> {
    /// The log took the record.
    pub(crate) fn succeed(self) -> Change {
        let mut state = self.0.state.lock();
        state.heard = Instant::now();
        if std::mem::take(&mut state.is_open) { Change::Closed } else { Change::None }
    }

    /// The log did not take it, or did not say so in time.
    pub(crate) fn fail(self) -> Change {
        let mut state = self.0.state.lock();
        state.probed = Instant::now();
        if std::mem::replace(&mut state.is_open, true) { Change::None } else { Change::Opened }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.state.lock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(2);

    async fn pass_time(time: Duration) {
        tokio::time::advance(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_lets_only_probes_through_until_one_succeeds() {
        let circuit = Circuit::new(STALL);
        let (first, second) = (circuit.pass().unwrap(), circuit.pass().unwrap());
        assert_eq!((first.fail(), second.fail()), (Change::Opened, Change::None));
        for _ in 0..3 {
            assert!(circuit.pass().is_none());
            pass_time(PROBE_EVERY).await;
            let probe = circuit.pass().unwrap();
            assert!(circuit.pass().is_none(), "one at a time");
            assert_eq!(probe.fail(), Change::None);
        }
        pass_time(PROBE_EVERY).await;
        assert_eq!(circuit.pass().unwrap().succeed(), Change::Closed);
        assert_eq!(circuit.pass().unwrap().succeed(), Change::None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_of_which_nobody_hears_is_away() {
        let circuit = Circuit::new(STALL);
        pass_time(10 * STALL).await;
        let silent = circuit.pass().unwrap();
        pass_time(STALL).await;
        let second = circuit.pass().unwrap();
        pass_time(PROBE_EVERY).await;
        let probe = circuit.pass().expect("the first probe");
        assert!(circuit.pass().is_none());
        assert_eq!(probe.succeed(), Change::None);
        assert!(circuit.pass().is_some() && circuit.pass().is_some(), "it was heard of");
        pass_time(2 * STALL).await;
        drop((silent, second));
        assert!(circuit.pass().is_some(), "nobody waits, so nothing is overdue");
    }
}
