//! The topic of batches is followed by one of the next generation with more partitions, as the runbook says, while browsers go on.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::scene::Scene;
use crate::installation::fleet::READY_LIMIT;
use crate::installation::stage::PARTITIONS;
use crate::load::Load;

const LAG: &str = "playhead_processor_lag_records";
/// Processors look at the log's end every five seconds.
const LOOKED_AGAIN: Duration = Duration::from_secs(7);
const DRAIN_LIMIT: Duration = Duration::from_secs(120);
const MORE_PARTITIONS: u32 = PARTITIONS + 4;

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    tokio::time::sleep(scene.time / 2).await;
    let before = load.witness.count("202");
    let away = go_on(scene).await?;
    scene.verdict.figure("nothing_taken_for_s", away.as_secs_f64());
    tokio::time::sleep(scene.time / 2).await;
    let after = load.witness.count("202") - before;
    scene.verdict.check("batches are taken before and after", before > 0 && after > 0, [before, after]);
    scene.check_all(load).await?;
    Ok(())
}

/// The steps of the runbook. Sessions that are under way go on in another partition.
async fn go_on(scene: &mut Scene) -> anyhow::Result<Duration> {
    let settings = [
        ("PLAYHEAD_BATCHES__GENERATION", "1".to_owned()),
        ("PLAYHEAD_BATCHES__PARTITIONS", MORE_PARTITIONS.to_string()),
    ];
    scene.verdict.inject("SIGTERM to all gateways");
    let begun = Instant::now();
    for gateway in &scene.fleet.gateways {
        gateway.ask_to_end()?;
    }
    let mut recipes = Vec::new();
    for gateway in scene.fleet.gateways.drain(..) {
        recipes.push(gateway.recipe.clone());
        gateway.wait_for_end(READY_LIMIT).await?;
    }
    wait_until_drained(scene).await?;
    scene.verdict.inject("SIGTERM to all processors");
    let processors = scene.fleet.processors.len();
    scene.fleet.stop_processors(READY_LIMIT).await?;
    scene.verdict.inject(format!("generation 1 with {MORE_PARTITIONS} partitions: start all"));
    scene.fleet.query_api.restart(&settings, READY_LIMIT).await?;
    scene.fleet.query_api.wait_until_ready(&scene.client, READY_LIMIT).await?;
    for mut recipe in recipes {
        recipe.set(&settings);
        let mut gateway = recipe.start()?;
        gateway.wait_until_ready(&scene.client, READY_LIMIT).await?;
        scene.fleet.gateways.push(gateway);
    }
    let away = begun.elapsed();
    for _ in 0..processors {
        scene.fleet.add_processor(&settings)?;
    }
    scene.fleet.partitions = MORE_PARTITIONS;
    scene.fleet.wait_until_owned(READY_LIMIT).await?;
    Ok(away)
}

async fn wait_until_drained(scene: &Scene) -> anyhow::Result<()> {
    let begun = Instant::now();
    let (mut lag, mut none_since) = (0.0, None);
    while begun.elapsed() < DRAIN_LIMIT {
        let told = scene.fleet.processor_metrics().await;
        lag = told.iter().map(|(_, metrics)| metrics.get(LAG)).sum();
        if told.len() == scene.fleet.processors.len() && lag == 0.0 {
            if none_since.get_or_insert_with(Instant::now).elapsed() > LOOKED_AGAIN {
                return Ok(());
            }
        } else {
            none_since = None;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("processors are {lag} records behind {DRAIN_LIMIT:?} after the last batch was taken")
}
