//! Probes that stop or hold a flush at a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhead_stream_processor::{Hooks, Probe, Step};
use tokio::sync::Semaphore;

/// Few rows are written together, so that there is much between the first and the last.
fn with_probe(probe: Probe) -> Hooks {
    Hooks { probe: Some(probe), chunk_rows: Some(2), ..Hooks::default() }
}

/// Stops at the `n`th time that `step` is reached.
pub(crate) fn stop_at(step: Step, n: usize) -> Hooks {
    let reached = Arc::new(AtomicUsize::new(0));
    with_probe(Arc::new(move |at| {
        let is_it = at == step && reached.fetch_add(1, Ordering::Relaxed) == n;
        Box::pin(async move { is_it })
    }))
}

/// Where a flush is held.
pub(crate) struct Gate {
    reached: Arc<Semaphore>,
    go_on: Arc<Semaphore>,
}

impl Gate {
    /// Until the flush is there.
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    /// The flush goes on.
    pub(crate) fn let_go(&self) {
        self.go_on.add_permits(1);
    }
}

/// Holds a flush at the `n`th time that `step` is reached.
pub(crate) fn hold_at(step: Step, n: usize) -> (Hooks, Gate) {
    let gate = Gate { reached: Arc::new(Semaphore::new(0)), go_on: Arc::new(Semaphore::new(0)) };
    let (reached, go_on) = (Arc::clone(&gate.reached), Arc::clone(&gate.go_on));
    let times = Arc::new(AtomicUsize::new(0));
    let hooks = with_probe(Arc::new(move |at| {
        let is_it = at == step && times.fetch_add(1, Ordering::Relaxed) == n;
        let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
        Box::pin(async move {
            if is_it {
                reached.add_permits(1);
                go_on.acquire().await.unwrap().forget();
            }
            false
        })
    }));
    (hooks, gate)
}
