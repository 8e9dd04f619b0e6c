//! From acknowledged to queryable, seen from outside: the session's page is asked until it shows what was acknowledged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::chronicle::Happening;
use crate::api::Reader;
use crate::browser::now_ms;
use crate::press::Sample;

const AT_ONCE: usize = 32;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
const PATIENCE_MS: f64 = 60_000.0;

pub(super) struct Prober {
    readers: Arc<Vec<Reader>>,
    start: Instant,
    sender: mpsc::UnboundedSender<Happening>,
    places: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl Prober {
    pub(super) fn new(
        readers: Vec<Reader>,
        start: Instant,
        sender: mpsc::UnboundedSender<Happening>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Self { readers: readers.into(), start, sender, places, tasks: JoinSet::new() }
    }

    /// Follows one batch, unless enough are being followed.
    pub(super) fn probe(&mut self, sample: Sample) {
        while self.tasks.try_join_next().is_some() {}
        let Ok(place) = self.places.clone().try_acquire_owned() else { return };
        let at_s = self.start.elapsed().as_secs_f64() - (now_ms() - sample.acknowledged_ms) / 1e3;
        let (readers, sender) = (self.readers.clone(), self.sender.clone());
        self.tasks.spawn(async move {
            let took = until_shown(&readers[sample.project], &sample).await;
            let _ = sender.send(Happening::Shown { at_s, took });
            drop(place);
        });
    }

    /// Waits for what is being followed.
    pub(super) async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn until_shown(reader: &Reader, sample: &Sample) -> Option<Duration> {
    let path = format!("/sessions/{}", sample.session);
    let mut pause = FIRST_PAUSE;
    loop {
        let shown =
            reader.json(&path).await.ok().and_then(|session| session["counts"]["custom_events"].as_u64());
        let passed_ms = now_ms() - sample.acknowledged_ms;
        if shown.is_some_and(|shown| shown >= sample.custom_events) {
            return Some(Duration::from_secs_f64(passed_ms.max(0.0) / 1e3));
        }
        if passed_ms > PATIENCE_MS {
            return None;
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.2).min(LONGEST_PAUSE);
    }
}
