//! Faults in the scaled shape: gateways, stream-processors and a query-api as processes over real Kafka, Cassandra and S3.
//! Every scenario starts a fleet of its own, presses it as browsers do, injects its faults, and compares what was acknowledged with
//! what the public API shows.

mod canonical;
mod cql;
mod freshness;
mod memory;
mod proxy;
mod scenario;
mod scene;
mod verdict;

mod alerts;
mod away;
mod broker;
mod erase;
mod generation;
mod hot;
mod rebalance;
mod rebuild;
mod refused;
mod shutdown;
mod sizes;
mod slow;
mod uploads;
mod zombie;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::installation::fleet::Fleet;
use crate::installation::services::Services;
use crate::installation::stage::Stage;
use scenario::Scenario;
use scene::Scene;
use verdict::Verdict;

/// How long browsers wait for an answer.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// What to inject; several are played one after the other.
    #[arg(required = true, value_enum)]
    scenarios: Vec<Scenario>,
    /// How long each injects faults (by default as long as it needs).
    #[arg(long)]
    seconds: Option<u64>,
    /// What is done when follows from this number.
    #[arg(long)]
    seed: Option<u64>,
    /// Check figures that depend on the machine's pace too; they are reported in any case.
    #[arg(long)]
    bounds: bool,
    /// The release binary.
    #[arg(long, default_value = "target/release/playhead")]
    binary: PathBuf,
    /// Starts and stops Kafka, Cassandra and S3.
    #[arg(long, default_value = "scripts/services.sh")]
    services: PathBuf,
    /// Keep the processes' logs here instead of in a temporary folder.
    #[arg(long)]
    logs: Option<PathBuf>,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let temporary = tempfile::Builder::new().prefix("faults").tempdir()?;
    let logs = options.logs.clone().unwrap_or_else(|| temporary.path().to_owned());
    let script = std::fs::canonicalize(&options.services)
        .with_context(|| format!("{} is not there", options.services.display()))?;
    let services = Services::up(script).await?;
    let mut failed = Vec::new();
    for scenario in &options.scenarios {
        let verdict = play(*scenario, &options, &services, logs.join(scenario.name())).await;
        crate::print(&serde_json::to_string(&verdict)?)?;
        if !verdict.met() {
            failed.push(scenario.name());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    // What the processes said is needed now.
    let kept = if options.logs.is_some() { logs } else { temporary.keep() };
    bail!("not met: {}; logs: {}", failed.join(", "), kept.display())
}

/// Plays one scenario; whatever happens, the services run again afterwards.
async fn play(scenario: Scenario, options: &Options, services: &Services, folder: PathBuf) -> Verdict {
    let seed = options.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let seconds = options.seconds.unwrap_or_else(|| scenario.usual_seconds());
    let verdict = Verdict::new(scenario.name(), seed, seconds, options.bounds);
    let (mut verdict, result) = match open(scenario, options, services, folder, seed).await {
        Ok((stage, random)) => act(scenario, services, stage, random, verdict).await,
        Err(error) => (verdict, Err(error)),
    };
    if let Err(error) = result {
        verdict.check("it ran to its end", false, format!("{error:#}"));
    }
    if let Err(error) = services.call("up", &[]).await {
        verdict.check("the services run again", false, format!("{error:#}"));
    }
    verdict
}

async fn open(
    scenario: Scenario,
    options: &Options,
    services: &Services,
    folder: PathBuf,
    seed: u64,
) -> anyhow::Result<(Stage, StdRng)> {
    let binary = std::fs::canonicalize(&options.binary)
        .with_context(|| format!("{} is not there; build it first", options.binary.display()))?;
    let stage = Stage::new(binary, folder, scenario.name(), services, settings(scenario))?;
    Ok((stage, StdRng::seed_from_u64(seed)))
}

/// Sessions end soon, so that compaction meets the faults too.
fn settings(scenario: Scenario) -> Vec<(String, String)> {
    let usual = [
        ("PLAYHEAD_PROCESSOR__SESSION_IDLE_MS", "5000".to_owned()),
        ("PLAYHEAD_PROCESSOR__COMPACTION_INTERVAL_MS", "2000".to_owned()),
    ];
    let all = usual.into_iter().chain(scenario.settings());
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn act(
    scenario: Scenario,
    services: &Services,
    stage: Stage,
    random: StdRng,
    verdict: Verdict,
) -> (Verdict, anyhow::Result<()>) {
    let ready = async {
        let client = reqwest::Client::builder().timeout(ATTEMPT_LIMIT).build()?;
        let fleet = Fleet::start(stage, scenario.sizes(), &client).await?;
        let project = Scene::new_project(&client, &fleet).await?;
        anyhow::Ok((client, fleet, project))
    };
    match ready.await {
        Ok((client, fleet, project)) => {
            let time = Duration::from_secs(verdict.seconds);
            let mut scene =
                Scene { services: services.clone(), fleet, client, project, random, verdict, time };
            let result = scenario.play(&mut scene).await;
            (scene.verdict, result)
        }
        Err(error) => (verdict, Err(error.context("the fleet does not start"))),
    }
}
