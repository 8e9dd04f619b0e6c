//! The contracts, on files.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::Arc;

use playhead_backends::clock::Clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::store::embedded::{EmbeddedStore, StoreConfig};
use playhead_domain::log::EventLog;
use playhead_domain::store::Store;
use playhead_domain::table;
use playhead_domain::testkit::clock::ManualClock;
use playhead_domain::testkit::{log, store};
use tempfile::TempDir;

struct OnDisk<T> {
    clock: ManualClock,
    folder: TempDir,
    port: Option<Arc<T>>,
    open: fn(&TempDir, Clock) -> T,
}

impl<T> OnDisk<T> {
    fn open(open: fn(&TempDir, Clock) -> T) -> Self {
        let mut fixture =
            Self { clock: ManualClock::default(), folder: tempfile::tempdir().unwrap(), port: None, open };
        fixture.open_again();
        fixture
    }

    fn open_again(&mut self) {
        if let Some(port) = self.port.take() {
            assert_eq!(Arc::strong_count(&port), 1, "somebody still holds it");
        }
        let now = self.clock.clone();
        self.port = Some(Arc::new((self.open)(&self.folder, Clock::from_fn(move || now.now_us()))));
    }

    fn port(&self) -> Arc<T> {
        self.port.clone().unwrap()
    }
}

fn open_log(folder: &TempDir, clock: Clock) -> EmbeddedLog {
    let config = LogConfig { sweep_interval_ms: 5, ..LogConfig::default() };
    EmbeddedLog::open(&folder.path().join("log"), config, clock).unwrap()
}

fn open_store(folder: &TempDir, clock: Clock) -> EmbeddedStore {
    let config = StoreConfig { sweep_interval_ms: 5, ..StoreConfig::default() };
    EmbeddedStore::open(&folder.path().join("store"), table::ALL, config, clock).unwrap()
}

impl log::Fixture for OnDisk<EmbeddedLog> {
    fn log(&self) -> Arc<dyn EventLog> {
        self.port()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn reopen(&mut self) -> bool {
        self.open_again();
        true
    }
}

impl store::Fixture for OnDisk<EmbeddedStore> {
    fn store(&self) -> Arc<dyn Store> {
        self.port()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn reopen(&mut self) -> bool {
        self.open_again();
        true
    }

    fn is_reclaiming(&self) -> bool {
        self.port().is_reclaiming()
    }
}

mod log_on_disk {
    use super::{OnDisk, open_log};

    playhead_domain::log_contract!(OnDisk::open(open_log));
}

mod store_on_disk {
    use super::{OnDisk, open_store};

    playhead_domain::store_contract!(OnDisk::open(open_store));
}
