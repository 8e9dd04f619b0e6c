//! Waves of browsers, each living for a part of the time, so that sessions begin and end all along.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinHandle;

use crate::browser::now_ms;
use crate::delivery::{Delivered, Target, run_browser};
use crate::witness::Witness;

/// How much to press, and where.
pub(crate) struct Plan {
    pub(crate) client: reqwest::Client,
    pub(crate) gateways: Vec<String>,
    pub(crate) public_key: String,
    pub(crate) browsers: usize,
    pub(crate) pause: Duration,
    pub(crate) padding_bytes: usize,
    pub(crate) patience: Duration,
    /// How long a browser lives, in milliseconds: from, to.
    pub(crate) life_ms: (f64, f64),
    pub(crate) seed: u64,
}

impl Plan {
    /// Small batches from sessions of some seconds.
    pub(crate) fn new(client: &reqwest::Client, gateways: &[String], public_key: &str) -> Self {
        Self {
            client: client.clone(),
            gateways: gateways.to_vec(),
            public_key: public_key.to_owned(),
            browsers: 40,
            pause: Duration::from_millis(60),
            padding_bytes: 0,
            patience: Duration::from_secs(120),
            life_ms: (3_000.0, 12_000.0),
            seed: 0,
        }
    }
}

/// Pressing that goes on until it is told to end.
pub(crate) struct Load {
    pub(crate) witness: Arc<Witness>,
    task: JoinHandle<anyhow::Result<Vec<Delivered>>>,
}

impl Load {
    pub(crate) fn start(plan: Plan) -> Self {
        let witness = Arc::new(Witness::default());
        let task = tokio::spawn(press(plan, witness.clone()));
        Self { witness, task }
    }

    /// Makes no further batch, delivers what was made, and tells how it went.
    pub(crate) async fn finish(self) -> anyhow::Result<Vec<Delivered>> {
        self.witness.end_all();
        self.task.await?
    }
}

async fn press(plan: Plan, witness: Arc<Witness>) -> anyhow::Result<Vec<Delivered>> {
    let target = Target {
        client: plan.client.clone(),
        gateways: plan.gateways.clone().into(),
        public_key: plan.public_key.clone(),
        pause: plan.pause,
        padding_bytes: plan.padding_bytes,
        patience: plan.patience,
        witness: witness.clone(),
    };
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut wave = || {
        let until_ms = now_ms() + random.random_range(plan.life_ms.0..plan.life_ms.1);
        tokio::spawn(run_browser(target.clone(), until_ms, StdRng::from_rng(&mut random)))
    };
    let mut running: FuturesUnordered<_> = (0..plan.browsers).map(|_| wave()).collect();
    let mut delivered = Vec::new();
    while let Some(finished) = running.next().await {
        delivered.push(finished?);
        if !witness.is_over() {
            running.push(wave());
        }
    }
    Ok(delivered)
}
