//! The coordinator: gives every agent its share and merges what they tell.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::mpsc;

use super::{Order, Told};
use crate::press::Job;
use crate::run::chronicle::Happening;

const POLL: Duration = Duration::from_millis(250);
/// Questions that an agent may leave unanswered in a row.
const PATIENCE: u32 = 40;

/// Where the agents are, and what they were started with.
#[derive(Clone)]
pub(crate) struct Agents {
    pub(crate) addresses: Vec<String>,
    pub(crate) token: String,
}

struct Agent {
    client: reqwest::Client,
    url: String,
    token: String,
}

/// Has the agents do the job, passes on their news and fetches their ledgers.
pub(crate) async fn coordinate(
    agents: &Agents,
    job: Job,
    out: &Path,
    sender: &mpsc::UnboundedSender<Happening>,
) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let corpus = std::fs::read(&job.scenario.corpus)?;
    let digest = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&corpus));
    let corpus = bytes::Bytes::from(corpus);
    let all: Vec<Agent> = agents
        .addresses
        .iter()
        .map(|address| Agent {
            client: client.clone(),
            url: format!("http://{address}"),
            token: agents.token.clone(),
        })
        .collect();
    futures::future::try_join_all(all.iter().map(|agent| agent.take_corpus(corpus.clone()))).await?;
    let orders = all.iter().enumerate().map(|(generator, agent)| {
        let job = Job { generator, generators: all.len(), ..job.clone() };
        agent.take_job(Order { job, corpus_digest: digest.clone() })
    });
    futures::future::try_join_all(orders).await?;
    futures::future::try_join_all(all.iter().map(|agent| agent.follow(out, sender))).await?;
    Ok(())
}

impl Agent {
    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let answer = request
            .bearer_auth(&self.token)
            .send()
            .await
            .with_context(|| format!("the agent at {}", self.url))?;
        if !answer.status().is_success() {
            bail!("the agent at {} answered {}: {}", self.url, answer.status(), answer.text().await?);
        }
        Ok(answer)
    }

    async fn take_corpus(&self, corpus: bytes::Bytes) -> anyhow::Result<()> {
        self.send(self.client.put(format!("{}/corpus", self.url)).body(corpus)).await?;
        Ok(())
    }

    async fn take_job(&self, order: Order) -> anyhow::Result<()> {
        self.send(self.client.post(format!("{}/job", self.url)).json(&order)).await?;
        Ok(())
    }

    async fn follow(&self, out: &Path, sender: &mpsc::UnboundedSender<Happening>) -> anyhow::Result<()> {
        let mut unanswered = 0;
        loop {
            tokio::time::sleep(POLL).await;
            let told: Told = match self.send(self.client.get(format!("{}/news", self.url))).await {
                Ok(answer) => answer.json().await?,
                Err(error) if unanswered >= PATIENCE => return Err(error),
                Err(_) => {
                    unanswered += 1;
                    continue;
                }
            };
            unanswered = 0;
            let (done, failure) = (told.done.clone(), told.failure.clone());
            for news in told.news() {
                let _ = sender.send(Happening::News(news));
            }
            if let Some(ledgers) = done {
                for name in ledgers {
                    self.fetch_ledger(&name, out).await?;
                }
                return failure
                    .map_or(Ok(()), |failure| Err(anyhow::anyhow!("the agent at {}: {failure}", self.url)));
            }
        }
    }

    async fn fetch_ledger(&self, name: &str, out: &Path) -> anyhow::Result<()> {
        let plain = Path::new(name).file_name().context("the agent names no ledger")?;
        let answer = self.send(self.client.get(format!("{}/ledgers/{name}", self.url))).await?;
        Ok(std::fs::write(out.join(plain), answer.bytes().await?)?)
    }
}
