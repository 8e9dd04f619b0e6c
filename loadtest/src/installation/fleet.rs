//! The processes of one installation: gateways, stream-processors, a query-api.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::member::Member;
use super::metrics::Metrics;
use super::stage::{PARTITIONS, Stage};

/// How long a process may take to be ready on a busy machine.
pub(crate) const READY_LIMIT: Duration = Duration::from_secs(120);
const OWNED_PARTITIONS: &str = "playhead_processor_partitions";

/// How many processes of a role there are at first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) gateways: usize,
    pub(crate) processors: usize,
}

pub(crate) struct Fleet {
    pub(crate) stage: Stage,
    pub(crate) gateways: Vec<Member>,
    pub(crate) processors: Vec<Member>,
    pub(crate) query_api: Member,
    client: reqwest::Client,
    started_processors: usize,
    /// Of the topic of batches.
    pub(crate) partitions: u32,
}

impl Fleet {
    /// Migrates, starts everything and waits until it is ready.
    pub(crate) async fn start(stage: Stage, sizes: Sizes, client: &reqwest::Client) -> anyhow::Result<Self> {
        stage.run("migrate").await?;
        let mut query_api = stage.recipe("query-api", "query-api")?.start()?;
        query_api.wait_until_ready(client, READY_LIMIT).await?;
        let mut gateways = Vec::new();
        for number in 1..=sizes.gateways {
            gateways.push(stage.recipe("gateway", &format!("gateway-{number}"))?.start()?);
        }
        for gateway in &mut gateways {
            gateway.wait_until_ready(client, READY_LIMIT).await?;
        }
        let mut fleet = Self {
            stage,
            gateways,
            processors: Vec::new(),
            query_api,
            client: client.clone(),
            started_processors: 0,
            partitions: PARTITIONS,
        };
        for _ in 0..sizes.processors {
            fleet.add_processor(&[])?;
        }
        fleet.wait_until_owned(READY_LIMIT).await?;
        Ok(fleet)
    }

    pub(crate) fn gateway_urls(&self) -> Vec<String> {
        self.gateways.iter().map(Member::url).collect()
    }

    /// Starts one more processor, with settings of its own, and tells its name.
    pub(crate) fn add_processor(&mut self, settings: &[(&str, String)]) -> anyhow::Result<String> {
        self.started_processors += 1;
        let name = format!("processor-{}", self.started_processors);
        let mut recipe = self.stage.recipe("stream-processor", &name)?;
        recipe.set(settings);
        self.processors.push(recipe.start()?);
        Ok(name)
    }

    /// Takes a processor out of the fleet, to be ended.
    pub(crate) fn take_processor(&mut self, index: usize) -> Member {
        self.processors.remove(index)
    }

    /// Partitions that processors say they own, the frozen ones aside.
    async fn owned(&self) -> f64 {
        let asked = self.processors.iter().filter(|processor| !processor.frozen);
        let asked = asked.map(|processor| processor.metrics(&self.client));
        let told = futures::future::join_all(asked).await;
        told.iter().flatten().map(|metrics| metrics.get(OWNED_PARTITIONS)).sum()
    }

    /// Waits until every partition is owned by exactly one processor.
    pub(crate) async fn wait_until_owned(&mut self, limit: Duration) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut owned = 0.0;
        while begun.elapsed() < limit {
            for processor in &mut self.processors {
                if let Some(ended) = processor.ended()? {
                    bail!("{ended}; see {}", processor.recipe.log.display());
                }
            }
            owned = self.owned().await;
            if owned == f64::from(self.partitions) {
                return Ok(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("processors own {owned} of {} partitions after {limit:?}", self.partitions)
    }

    /// What every processor counts now, by name, the frozen ones aside.
    pub(crate) async fn processor_metrics(&self) -> Vec<(String, Metrics)> {
        let mut told = Vec::new();
        for processor in self.processors.iter().filter(|processor| !processor.frozen) {
            if let Ok(metrics) = processor.metrics(&self.client).await {
                told.push((processor.name().to_owned(), metrics));
            }
        }
        told
    }

    /// All processes.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.gateways.iter().chain(&self.processors).chain(std::iter::once(&self.query_api))
    }

    /// `kill -9` of the process of that name, which is started again at once, as a supervisor would.
    pub(crate) async fn kill_and_start(&mut self, name: &str) -> anyhow::Result<()> {
        let names: Vec<String> = self.members().map(|member| member.name().to_owned()).collect();
        let own = std::iter::once(&mut self.query_api);
        let mut all = self.gateways.iter_mut().chain(&mut self.processors).chain(own);
        let found = all.find(|member| member.name() == name);
        found
            .with_context(|| format!("no process {name}; there are {}", names.join(", ")))?
            .kill_and_start()
            .await
    }

    /// Names and ids of all processes.
    pub(crate) fn pids(&self) -> Vec<(String, u32)> {
        self.members().map(|member| (member.name().to_owned(), member.pid())).collect()
    }

    /// SIGTERM to all processes, and waits for them.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        for member in self.members() {
            member.ask_to_end()?;
        }
        self.stop_processors(READY_LIMIT).await?;
        for gateway in self.gateways.drain(..) {
            gateway.wait_for_end(READY_LIMIT).await?;
        }
        Ok(())
    }

    /// SIGTERM to all processors, and waits for them.
    pub(crate) async fn stop_processors(&mut self, limit: Duration) -> anyhow::Result<()> {
        for processor in &mut self.processors {
            processor.thaw()?;
            processor.ask_to_end()?;
        }
        for processor in self.processors.drain(..) {
            processor.wait_for_end(limit).await.context("stopping the processors")?;
        }
        Ok(())
    }
}
