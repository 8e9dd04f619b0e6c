//! Before the load: the server, the projects, and what is needed to compare afterwards.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Child;

use super::Options;
use crate::api::{Project, Reader, create_project};
use crate::browser::now_ms;
use crate::corpus::Corpus;
use crate::press::Job;
use crate::process::Product;
use crate::scenario::{Scenario, Watched};
use crate::visitor::Population;

const RECORD: &str = "run.json";

/// What a comparison needs to know of a run. Holds secret keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) url: String,
    pub(crate) job: Job,
    pub(crate) projects: Vec<Project>,
    pub(crate) corpus_digest: String,
    pub(crate) started_ms: f64,
}

impl Record {
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(RECORD);
        let text = std::fs::read(&path).with_context(|| format!("no run in {}", folder.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(folder.join(RECORD))?;
        Ok(serde_json::to_writer(file, self)?)
    }

    pub(crate) fn readers(&self, client: &reqwest::Client) -> Vec<Reader> {
        let reader = |project: &Project| Reader {
            client: client.clone(),
            url: self.url.clone(),
            project: project.clone(),
        };
        self.projects.iter().map(reader).collect()
    }
}

/// The server under load.
pub(super) struct Stage {
    pub(super) record: Record,
    pub(super) watched: Vec<Watched>,
    client: reqwest::Client,
    started: Option<(Child, PathBuf)>,
}

impl Stage {
    pub(super) async fn prepare(
        options: &Options,
        scenario: Scenario,
        corpus: &Corpus,
    ) -> anyhow::Result<Self> {
        empty(&options.out)?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let (mut url, mut token, mut watched, mut started) = (
            options.url.trim_end_matches('/').to_owned(),
            options.admin_token.clone(),
            scenario.processes.clone(),
            None,
        );
        if let Some(binary) = &options.start {
            let (product, child) = start(binary, options, &client).await?;
            (url, token) = (product.url(), product.admin_token.clone());
            watched.push(Watched {
                name: "playhead".to_owned(),
                pid: child.id(),
                pid_file: None,
                metrics: Some(format!("{url}/metrics")),
            });
            started = Some((child, product.data));
        } else if watched.is_empty() {
            let metrics = Some(format!("{url}/metrics"));
            watched.push(Watched { name: "playhead".to_owned(), pid: None, pid_file: None, metrics });
        }
        let projects = create_projects(&client, &url, &token, scenario.visitors.projects).await?;
        let gateways = if options.gateway.is_empty() { vec![url.clone()] } else { options.gateway.clone() };
        let seed = options.seed.unwrap_or_else(rand::random);
        let job = Job {
            population: Population::new(seed, &scenario.visitors, projects.len(), corpus)?,
            gateways,
            public_keys: projects.iter().map(|project| project.public_key.clone()).collect(),
            generator: 0,
            generators: options.generators(),
            scenario,
        };
        let record =
            Record { url, job, projects, corpus_digest: corpus.digest.clone(), started_ms: now_ms() };
        record.write(&options.out)?;
        wait_until_known(&client, &record.job).await?;
        Ok(Self { record, watched, client, started })
    }

    pub(super) fn readers(&self) -> Vec<Reader> {
        self.record.readers(&self.client)
    }

    /// Stops what was started and removes its data unless it is to be kept.
    pub(super) async fn finish(&mut self, keep: bool) -> anyhow::Result<()> {
        let Some((mut child, data)) = self.started.take() else { return Ok(()) };
        child.kill().await?;
        if !keep {
            std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        }
        Ok(())
    }
}

/// Removes what an earlier run left, and nothing else.
fn empty(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let ours = path.extension().is_some_and(|extension| extension == "ledger")
            || path
                .file_name()
                .is_some_and(|name| [RECORD, "report.json", "report.html"].iter().any(|ours| name == *ours));
        if ours {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

async fn start(
    binary: &Path,
    options: &Options,
    client: &reqwest::Client,
) -> anyhow::Result<(Product, Child)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let listen = listener.local_addr()?.to_string();
    drop(listener);
    let setting = |setting: &String| {
        let (name, value) = setting.split_once('=').context("--setting is NAME=value")?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let data = options.out.join("data");
    if data.exists() {
        bail!("{} is there already; remove it, or name another --out", data.display());
    }
    let product = Product {
        binary: binary.to_owned(),
        data,
        listen,
        admin_token: format!("loadtest-{:032x}", rand::random::<u128>()),
        environment: options.setting.iter().map(setting).collect::<anyhow::Result<_>>()?,
    };
    let mut child = product.start()?;
    product.wait_until_ready(client, &mut child).await?;
    Ok((product, child))
}

async fn create_projects(
    client: &reqwest::Client,
    url: &str,
    token: &str,
    count: usize,
) -> anyhow::Result<Vec<Project>> {
    if token.is_empty() {
        bail!("set PLAYHEAD_ADMIN_TOKEN, or let --start start the server");
    }
    let mut projects = Vec::with_capacity(count);
    for _ in 0..count {
        projects.push(
            create_project(client, url, token).await.context("is the server there, and the token right?")?,
        );
    }
    Ok(projects)
}

/// Gateways hear of new projects through the log: waits until each knows the newest.
async fn wait_until_known(client: &reqwest::Client, job: &Job) -> anyhow::Result<()> {
    let Some(key) = job.public_keys.last() else { return Ok(()) };
    let body = format!("{{\"key\":\"{key}\",\"session\":\"{:032x}\",\"stream\":\"{:016x}\"}}", 1, 1);
    for gateway in &job.gateways {
        let begun = Instant::now();
        loop {
            let request = client
                .post(format!("{gateway}/v1/sessions"))
                .header("content-type", "text/plain")
                .body(body.clone());
            match request.send().await {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) if begun.elapsed() > Duration::from_secs(60) => {
                    bail!(
                        "{gateway} does not take the new project: {} {}",
                        answer.status(),
                        answer.text().await?
                    )
                }
                Err(error) if begun.elapsed() > Duration::from_secs(60) => return Err(error.into()),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
    Ok(())
}
