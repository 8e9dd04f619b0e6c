//! Before the load: the server, the projects, and what is needed to compare afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Child;
use tokio::sync::Mutex;

use super::Options;
use crate::api::{Project, Reader, create_project};
use crate::browser::now_ms;
use crate::corpus::Corpus;
use crate::installation::fleet::{Fleet, Sizes};
use crate::installation::services::Services;
use crate::installation::stage::{ADMIN_TOKEN, Stage as Plot, free_address};
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
    started: Option<Started>,
}

/// What this run started and has to stop.
enum Started {
    /// `playhead up`, and its data folder.
    Up(Child, PathBuf),
    Scaled(Installation),
}

/// The scaled shape, and what it stands on.
#[derive(Clone)]
pub(super) struct Installation {
    pub(super) services: Services,
    pub(super) fleet: Arc<Mutex<Fleet>>,
}

/// Where requests go, and with what.
struct Server {
    url: String,
    gateways: Vec<String>,
    admin_token: String,
    watched: Vec<Watched>,
    started: Option<Started>,
}

impl Stage {
    pub(super) async fn prepare(
        options: &Options,
        scenario: Scenario,
        corpus: &Corpus,
    ) -> anyhow::Result<Self> {
        empty(&options.out)?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let server = match (&options.start, &options.services) {
            (Some(binary), Some(script)) => start_scaled(binary, script, options, &client).await?,
            (Some(binary), None) => start_up(binary, options, &client).await?,
            (None, _) => running(options),
        };
        let Server { url, gateways, admin_token, mut watched, started } = server;
        watched.extend(scenario.processes.iter().cloned());
        let projects = create_projects(&client, &url, &admin_token, scenario.visitors.projects).await?;
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

    /// The scaled shape, if this run started it.
    pub(super) fn installation(&self) -> Option<Installation> {
        match &self.started {
            Some(Started::Scaled(installation)) => Some(installation.clone()),
            _ => None,
        }
    }

    /// Stops what was started and removes its data unless it is to be kept; services that an event took away run again.
    pub(super) async fn finish(&mut self, keep: bool) -> anyhow::Result<()> {
        match self.started.take() {
            Some(Started::Up(mut child, data)) => {
                child.kill().await?;
                if !keep {
                    let removed = std::fs::remove_dir_all(&data);
                    removed.with_context(|| format!("cannot remove {}", data.display()))?;
                }
            }
            Some(Started::Scaled(installation)) => {
                installation.fleet.lock().await.stop().await?;
                installation.services.call("up", &[]).await?;
            }
            None => {}
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

/// What `--url` and `--gateway` name.
fn running(options: &Options) -> Server {
    let url = options.url.trim_end_matches('/').to_owned();
    let gateways = if options.gateway.is_empty() { vec![url.clone()] } else { options.gateway.clone() };
    let metrics = Some(format!("{url}/metrics"));
    let watched = vec![Watched { name: "playhead".to_owned(), pid: None, pid_file: None, metrics }];
    Server { url, gateways, admin_token: options.admin_token.clone(), watched, started: None }
}

async fn start_scaled(
    binary: &Path,
    script: &Path,
    options: &Options,
    client: &reqwest::Client,
) -> anyhow::Result<Server> {
    let there =
        |path: &Path| std::fs::canonicalize(path).with_context(|| format!("{} is not there", path.display()));
    let services = Services::up(there(script)?).await?;
    let folder = options.out.join("processes");
    let plot = Plot::new(there(binary)?, folder, "load", &services, options.settings()?)?;
    let sizes = Sizes { gateways: options.gateways, processors: options.processors };
    let fleet = Fleet::start(plot, sizes, client).await?;
    let watched = fleet.members().map(|member| Watched {
        name: format!("playhead {}", member.name()),
        pid: None,
        pid_file: Some(member.recipe.pid_file.clone()),
        metrics: Some(format!("{}/metrics", member.url())),
    });
    Ok(Server {
        url: fleet.query_api.url(),
        gateways: fleet.gateway_urls(),
        admin_token: ADMIN_TOKEN.to_owned(),
        watched: watched.collect(),
        started: Some(Started::Scaled(Installation { services, fleet: Arc::new(Mutex::new(fleet)) })),
    })
}

async fn start_up(binary: &Path, options: &Options, client: &reqwest::Client) -> anyhow::Result<Server> {
    let data = options.out.join("data");
    if data.exists() {
        bail!("{} is there already; remove it, or name another --out", data.display());
    }
    let product = Product {
        binary: binary.to_owned(),
        data,
        listen: free_address()?,
        admin_token: format!("loadtest-{:032x}", rand::random::<u128>()),
        environment: options.settings()?,
    };
    let mut child = product.start()?;
    product.wait_until_ready(client, &mut child).await?;
    let url = product.url();
    let watched = Watched {
        name: "playhead".to_owned(),
        pid: child.id(),
        pid_file: None,
        metrics: Some(format!("{url}/metrics")),
    };
    Ok(Server {
        gateways: vec![url.clone()],
        admin_token: product.admin_token.clone(),
        watched: vec![watched],
        started: Some(Started::Up(child, product.data)),
        url,
    })
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
