//! Threads that are told to end, and who waits for them.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Counts the threads that were told to end and have not ended yet.
#[derive(Debug, Default)]
pub(super) struct Closing {
    threads: Mutex<usize>,
    ended: Condvar,
}

impl Closing {
    /// A thread is told to end.
    pub(super) fn begin(&self) {
        *self.threads.lock() += 1;
    }

    /// It ended.
    pub(super) fn end(&self) {
        *self.threads.lock() -= 1;
        self.ended.notify_all();
    }

    /// Waits for them, at most so long.
    pub(super) fn wait(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut threads = self.threads.lock();
        while *threads > 0 {
            if self.ended.wait_until(&mut threads, deadline).timed_out() {
                return;
            }
        }
    }
}
