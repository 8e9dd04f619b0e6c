//! What `loadtest run` is told on the command line.

use std::path::PathBuf;

use anyhow::Context;

use crate::agent::Agents;
use crate::scenario::{Scenario, Watched};

#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    /// The scenario file.
    scenario: PathBuf,
    /// Where the API is, and batches go unless `--gateway` says otherwise.
    #[arg(long, default_value = "http://127.0.0.1:7700")]
    pub(crate) url: String,
    /// Where batches go; several share them.
    #[arg(long)]
    pub(crate) gateway: Vec<String>,
    /// Seconds, instead of the scenario's; phases keep their proportions.
    #[arg(long)]
    duration: Option<f64>,
    /// Requests per second, instead of the scenario's.
    #[arg(long)]
    rate: Option<f64>,
    /// Where ledgers and reports go; emptied first.
    #[arg(long, default_value = "loadtest-out")]
    pub(crate) out: PathBuf,
    /// The corpus, instead of the scenario's.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Makes the projects that the load goes to.
    #[arg(long, env = "PLAYHEAD_ADMIN_TOKEN", hide_env_values = true, default_value = "")]
    pub(crate) admin_token: String,
    /// Starts this binary's `up` on a folder of its own and watches it.
    #[arg(long)]
    pub(crate) start: Option<PathBuf>,
    /// Starts the scaled shape instead, over Kafka, Cassandra and S3 as this script runs them: `scripts/services.sh`.
    #[arg(long, requires = "start")]
    pub(crate) services: Option<PathBuf>,
    /// How many gateways the scaled shape has.
    #[arg(long, default_value_t = 1, requires = "services")]
    pub(crate) gateways: usize,
    /// How many stream-processors.
    #[arg(long, default_value_t = 1, requires = "services")]
    pub(crate) processors: usize,
    /// A setting of what `--start` starts: `PLAYHEAD_PROCESSOR__SESSION_IDLE_MS=2000`.
    #[arg(long)]
    setting: Vec<String>,
    /// Keep the data folder of the process that `--start` started.
    #[arg(long)]
    pub(crate) keep: bool,
    /// A process to watch: `name=pid`.
    #[arg(long)]
    pid: Vec<String>,
    /// Metrics to watch: `name=http://host:port/metrics`.
    #[arg(long)]
    metrics: Vec<String>,
    /// Generators on other machines, `host:port` each, that press instead of this process.
    #[arg(long, value_delimiter = ',')]
    agents: Vec<String>,
    /// What the agents were started with.
    #[arg(long, env = "LOADTEST_TOKEN", hide_env_values = true, default_value = "")]
    token: String,
    /// Makes the same visits again.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Share of sessions that are read whole afterwards, 0 to 1, instead of the scenario's.
    #[arg(long)]
    sample: Option<f64>,
    /// Do not compare with the read model; `loadtest verify` can do so later.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Judge loss, duplicates and completeness only, not times and rates.
    #[arg(long)]
    pub(crate) integrity_only: bool,
}

impl Options {
    pub(crate) fn scenario(&self) -> anyhow::Result<Scenario> {
        let mut scenario = Scenario::read(&self.scenario, self.rate, self.duration)?;
        if let Some(corpus) = &self.corpus {
            scenario.corpus.clone_from(corpus);
        }
        if let Some(sample) = self.sample {
            scenario.verify.sample = sample;
        }
        for pid in &self.pid {
            let (name, pid) = pid.split_once('=').context("--pid is name=pid")?;
            watched(&mut scenario, name).pid = Some(pid.parse().context("--pid is name=pid")?);
        }
        for metrics in &self.metrics {
            let (name, url) = metrics.split_once('=').context("--metrics is name=url")?;
            watched(&mut scenario, name).metrics = Some(url.to_owned());
        }
        Ok(scenario)
    }

    /// Name and value of each `--setting`.
    pub(crate) fn settings(&self) -> anyhow::Result<Vec<(String, String)>> {
        let setting = |setting: &String| {
            let (name, value) = setting.split_once('=').context("--setting is NAME=value")?;
            Ok((name.to_owned(), value.to_owned()))
        };
        self.setting.iter().map(setting).collect()
    }

    pub(crate) fn agents(&self) -> Option<Agents> {
        (!self.agents.is_empty())
            .then(|| Agents { addresses: self.agents.clone(), token: self.token.clone() })
    }

    pub(crate) const fn generators(&self) -> usize {
        if self.agents.is_empty() { 1 } else { self.agents.len() }
    }
}

fn watched<'a>(scenario: &'a mut Scenario, name: &str) -> &'a mut Watched {
    let index = scenario.processes.iter().position(|process| process.name == name).unwrap_or_else(|| {
        scenario.processes.push(Watched { name: name.to_owned(), pid: None, pid_file: None, metrics: None });
        scenario.processes.len() - 1
    });
    &mut scenario.processes[index]
}
