//! From acknowledged to readable, seen from outside: a session is asked for until it shows what was acknowledged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::verdict::quantile;
use crate::api::Reader;
use crate::browser::now_ms;
use crate::witness::{Acknowledged, Witness};

const AT_ONCE: usize = 24;
const LOOK_EVERY: Duration = Duration::from_millis(40);
const PATIENCE_MS: f64 = 60_000.0;

#[derive(Debug, Clone, Copy)]
struct Sample {
    acknowledged_ms: f64,
    took_ms: f64,
}

/// Follows a sample of what a load's browsers are told, until it is dropped.
pub(crate) struct Freshness {
    samples: Arc<Mutex<Vec<Sample>>>,
    task: JoinHandle<()>,
}

impl Freshness {
    pub(crate) fn follow(reader: Reader, witness: Arc<Witness>) -> Self {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(look(Arc::new(reader), witness, samples.clone()));
        Self { samples, task }
    }

    /// Milliseconds within which `share` of what was acknowledged in that time could be read, and the number of samples.
    pub(crate) fn between(&self, from_ms: f64, to_ms: f64, share: f64) -> (Option<f64>, usize) {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |sample: &&Sample| sample.acknowledged_ms >= from_ms && sample.acknowledged_ms < to_ms;
        let took: Vec<f64> = samples.iter().filter(within).map(|sample| sample.took_ms).collect();
        let number = took.len();
        (quantile(took, share), number)
    }
}

impl Drop for Freshness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(reader: Arc<Reader>, witness: Arc<Witness>, samples: Arc<Mutex<Vec<Sample>>>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        ticks.tick().await;
        let Some(told) = witness.take_newest() else { continue };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (reader, samples) = (reader.clone(), samples.clone());
        tokio::spawn(async move {
            let took_ms = until_readable(&reader, &told).await;
            let sample = Sample { acknowledged_ms: told.at_ms, took_ms };
            samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
            drop(place);
        });
    }
}

async fn until_readable(reader: &Reader, told: &Acknowledged) -> f64 {
    let path = format!("/sessions/{}", told.session);
    loop {
        let shown = reader.json(&path).await;
        let passed_ms = now_ms() - told.at_ms;
        if shown.is_ok_and(|session| session["counts"]["custom_events"].as_u64() >= Some(told.batches))
            || passed_ms > PATIENCE_MS
        {
            return passed_ms;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
