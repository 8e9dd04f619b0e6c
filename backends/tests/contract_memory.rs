//! The contracts, on memory.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::Arc;

use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::log::EventLog;
use playhead_domain::store::Store;
use playhead_domain::testkit::clock::ManualClock;
use playhead_domain::testkit::{log, store};

struct Memory<T> {
    clock: ManualClock,
    port: Arc<T>,
}

impl<T> Memory<T> {
    fn open(open: impl FnOnce(Clock) -> T) -> Self {
        let clock = ManualClock::default();
        let now = clock.clone();
        Self { clock, port: Arc::new(open(Clock::from_fn(move || now.now_us()))) }
    }
}

impl log::Fixture for Memory<MemoryLog> {
    fn log(&self) -> Arc<dyn EventLog> {
        self.port.clone()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn reopen(&mut self) -> bool {
        false
    }
}

impl store::Fixture for Memory<MemoryStore> {
    fn store(&self) -> Arc<dyn Store> {
        self.port.clone()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn reopen(&mut self) -> bool {
        false
    }
}

mod log_in_memory {
    use super::{Memory, MemoryLog};

    playhead_domain::log_contract!(Memory::open(MemoryLog::new));
}

mod store_in_memory {
    use super::{Memory, MemoryStore};

    playhead_domain::store_contract!(Memory::open(MemoryStore::new));
}
