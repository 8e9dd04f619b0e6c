//! The generator: threads that send what the schedule says when it says so, whatever the server answers.

mod backoff;
mod connection;
mod deliver;
mod tally;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::corpus::Corpus;
use crate::scenario::Scenario;
use crate::visitor::Population;
pub(crate) use tally::Tally;

/// Everything that a generator has to know; several of them press together, each with its share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) scenario: Scenario,
    pub(crate) population: Population,
    /// Where batches go: `http://host:port`, each.
    pub(crate) gateways: Vec<String>,
    /// By project.
    pub(crate) public_keys: Vec<String>,
    /// This generator's number, and how many there are.
    pub(crate) generator: usize,
    pub(crate) generators: usize,
}

/// What happens while it presses.
#[derive(Debug)]
pub(crate) enum News {
    /// What was counted within a second, from the start on.
    Counted { second: u64, tally: Box<Tally> },
    /// A batch was acknowledged: how long until it shows? Told of a few only.
    Sample(Sample),
    /// This visit is to be erased now.
    Erase(u64),
}

/// A session and what it must show by now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) session: String,
    pub(crate) project: usize,
    pub(crate) custom_events: u64,
    /// Milliseconds of the Unix epoch.
    pub(crate) acknowledged_ms: f64,
}

/// Threads under way.
pub(crate) struct Running {
    threads: Vec<std::thread::JoinHandle<anyhow::Result<()>>>,
    pub(crate) news: mpsc::UnboundedReceiver<News>,
}

/// Starts pressing. Ledgers are written into `folder`.
pub(crate) fn start(job: &Job, corpus: &Arc<Corpus>, folder: &Path) -> anyhow::Result<Running> {
    let (sender, news) = mpsc::unbounded_channel();
    let (job, workers, start) = (Arc::new(job.clone()), job.scenario.client.workers, Instant::now());
    let mut threads = Vec::new();
    for index in 0..workers {
        let number = job.generator * workers + index;
        let settings = worker::Settings {
            job: job.clone(),
            corpus: corpus.clone(),
            ledger: ledger_path(folder, number),
            shard: number as u64,
            shards: (job.generators * workers) as u64,
            start,
            news: sender.clone(),
        };
        threads.push(
            std::thread::Builder::new()
                .name(format!("press-{index}"))
                .spawn(move || worker::run(settings))?,
        );
    }
    Ok(Running { threads, news })
}

/// The ledger of one thread.
pub(crate) fn ledger_path(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.ledger"))
}

impl Running {
    /// After the last news: what the threads failed with.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        for thread in self.threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread of the generator panicked"))??;
        }
        Ok(())
    }
}
