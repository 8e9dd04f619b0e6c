//! Whether to ask the log at all: while nothing comes back from it, waiting for it would only pile requests up.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// While the log is silent, one batch in this time is still given to it, to see whether it is back.
const PROBE_EVERY: Duration = Duration::from_millis(250);
/// An outage is over when this long after the last failure an append succeeds: one partition of many may fail for a while.
const CALM: Duration = Duration::from_secs(5);

/// Lets nothing but probes through once appends have waited for too long without a single one succeeding.
///
/// A log that refuses at once needs no circuit: that costs nothing, and it may be of one partition only.
#[derive(Debug)]
pub(crate) struct Circuit {
    stall: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: usize,
    /// When an append last succeeded, or the first of those that wait began to.
    heard: Instant,
    probed: Instant,
    /// When an append last failed, in an outage that is not over.
    failed: Option<Instant>,
}

/// An append under way. Dropping it says that nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Pass<'a>(&'a Circuit);

/// What an outcome means, for whoever reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    Unchanged,
    Begun,
    Over,
}

impl Circuit {
    pub(crate) fn new(stall: Duration) -> Self {
        let now = Instant::now();
        Self { stall, state: Mutex::new(State { waiting: 0, heard: now, probed: now, failed: None }) }
    }

    /// A pass for one append; `None` when the log is silent and was tried a moment ago.
    pub(crate) fn pass(&self) -> Option<Pass<'_>> {
        let now = Instant::now();
        let mut state = self.state.lock();
        if state.waiting == 0 {
            state.heard = now;
        } else if now.duration_since(state.heard) > self.stall {
            if now.duration_since(state.probed) < PROBE_EVERY {
                return None;
            }
            state.probed = now;
        }
        state.waiting += 1;
        Some(Pass(self))
    }
}

impl Pass<'_> {
    /// The log took the record.
    pub(crate) fn succeed(self) -> Outage {
        let now = Instant::now();
        let mut state = self.0.state.lock();
        state.heard = now;
        if state.failed.is_some_and(|failed| now.duration_since(failed) >= CALM) {
            state.failed = None;
            return Outage::Over;
        }
        Outage::Unchanged
    }

    /// The log did not take it, or did not say so in time.
    pub(crate) fn fail(self) -> Outage {
        let failed = self.0.state.lock().failed.replace(Instant::now());
        if failed.is_none() { Outage::Begun } else { Outage::Unchanged }
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
    use tokio::time::advance;

    const STALL: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn a_silent_log_gets_probes_only_until_it_is_heard_of() {
        let circuit = Circuit::new(STALL);
        advance(10 * STALL).await;
        let silent = circuit.pass().unwrap();
        advance(STALL).await;
        let second = circuit.pass().unwrap();
        advance(PROBE_EVERY).await;
        let mut probes = Vec::new();
        for _ in 0..3 {
            probes.push(circuit.pass().expect("a probe"));
            assert!(circuit.pass().is_none(), "one at a time");
            advance(PROBE_EVERY).await;
        }
        silent.fail();
        second.fail();
        probes.push(circuit.pass().expect("probes keep the silence known when all others have given up"));
        assert!(circuit.pass().is_none());
        probes.pop().unwrap().succeed();
        assert!(circuit.pass().is_some() && circuit.pass().is_some(), "it was heard of");
        advance(2 * STALL).await;
        drop(probes);
        assert!(circuit.pass().is_some(), "nobody waits, so nothing is overdue");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_at_once_holds_up_nobody_and_is_told_once() {
        let circuit = Circuit::new(STALL);
        let mut told = Vec::new();
        for _ in 0..10 {
            told.push(circuit.pass().unwrap().fail());
            told.push(circuit.pass().unwrap().succeed());
            advance(CALM / 2).await;
        }
        assert_eq!(told.remove(0), Outage::Begun);
        assert!(told.iter().all(|outage| *outage == Outage::Unchanged), "{told:?}");
        advance(CALM).await;
        assert_eq!(circuit.pass().unwrap().succeed(), Outage::Over);
        assert_eq!(circuit.pass().unwrap().succeed(), Outage::Unchanged);
    }
}
