//! `kill -9` under load: what was acknowledged must be there once, and every session must play.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::Rng;
use serde_json::json;
use tokio::process::Child;

use crate::api::{Reader, create_project};
use crate::delivery::Delivered;
use crate::load::{Load, Plan};
use crate::process::{Product, log_path};
use crate::verify::{compare, settle};

/// How long the read model may take to catch up.
const SETTLE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The release binary.
    #[arg(long, default_value = "target/release/playhead")]
    binary: PathBuf,
    /// How many times to kill it.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Browsers at a time.
    #[arg(long, default_value_t = 40)]
    browsers: usize,
    /// Mean time between a browser's batches.
    #[arg(long, default_value_t = 60)]
    pause_ms: u64,
    /// The longest life of a process before it is killed.
    #[arg(long, default_value_t = 1500)]
    life_ms: u64,
    /// Where to listen (loopback).
    #[arg(long, default_value = "127.0.0.1:7790")]
    listen: String,
    /// Keep the data folder here instead of in a temporary one.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let product = Product {
        binary: options.binary.clone(),
        data: options.data.clone().unwrap_or_else(|| temporary.path().join("data")),
        listen: options.listen.clone(),
        admin_token: "loadtest-admin-token-0123456789abcdef".to_owned(),
        // Sessions end soon, so that compaction is interrupted too.
        environment: vec![("PLAYHEAD_PROCESSOR__SESSION_IDLE_MS".to_owned(), "2000".to_owned())],
    };
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let mut child = product.start()?;
    product.wait_until_ready(&client, &mut child).await?;
    let project = create_project(&client, &product.url(), &product.admin_token).await?;

    let load = Load::start(Plan {
        browsers: options.browsers,
        pause: Duration::from_millis(options.pause_ms),
        seed: rand::random(),
        ..Plan::new(&client, &[product.url()], &project.public_key)
    });
    let restarts = kill_repeatedly(&product, &client, child, &options).await?;
    let delivered = load.finish().await?;

    let reader = Reader { client: client.clone(), url: product.url(), project };
    settle(&reader, &delivered, SETTLE).await;
    let differences = compare(&reader, &delivered).await?;
    report(&delivered, &restarts.0, &differences)?;
    stop(restarts.1).await?;
    if !differences.is_empty() {
        bail!("{} differences; log: {}", differences.len(), log_path(&product.data).display());
    }
    Ok(())
}

async fn kill_repeatedly(
    product: &Product,
    client: &reqwest::Client,
    mut child: Child,
    options: &Options,
) -> anyhow::Result<(Vec<Duration>, Child)> {
    let mut restarts = Vec::new();
    for _ in 0..options.kills {
        let life = rand::rng().random_range(0..options.life_ms);
        tokio::time::sleep(Duration::from_millis(life)).await;
        child.kill().await.context("kill -9")?;
        child = product.start()?;
        restarts.push(product.wait_until_ready(client, &mut child).await?);
    }
    Ok((restarts, child))
}

fn report(delivered: &[Delivered], restarts: &[Duration], differences: &[String]) -> anyhow::Result<()> {
    let total = |count: fn(&Delivered) -> u64| delivered.iter().map(count).sum::<u64>();
    let mut restart_ms: Vec<u128> = restarts.iter().map(Duration::as_millis).collect();
    restart_ms.sort_unstable();
    let report = json!({
        "kills": restarts.len(),
        "sessions": delivered.len(),
        "batches_acknowledged": total(|told| told.batches),
        "attempts": total(|told| told.attempts),
        "repeated_on_purpose": total(|told| told.repeated),
        "restart_ms": {"median": restart_ms.get(restart_ms.len() / 2), "max": restart_ms.last()},
        "differences": differences,
    });
    writeln_stdout(&serde_json::to_string_pretty(&report)?)
}

fn writeln_stdout(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")
}

async fn stop(mut child: Child) -> anyhow::Result<()> {
    child.kill().await.context("cannot stop playhead")
}
