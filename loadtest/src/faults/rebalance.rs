//! Processors join, leave, are killed and are frozen past their session's timeout, at random, while traffic flows.

use std::time::{Duration, Instant};

use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;

use super::freshness::Freshness;
use super::scene::Scene;
use super::verdict::quantile;
use crate::load::Load;

/// How long ownership may take to be whole again, on a machine that is busy with everything else: beyond it something hangs.
const OWNED_LIMIT: Duration = Duration::from_secs(90);
/// Longer than any session timeout in use.
const FROZEN_FOR: Duration = Duration::from_secs(14);
const END_LIMIT: Duration = Duration::from_secs(60);
const MOST_PROCESSORS: usize = 4;

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Join,
    Leave,
    Kill,
    Freeze,
}

/// How long take-overs took, in seconds.
#[derive(Debug, Default)]
pub(crate) struct TakeOvers {
    after_kill: Vec<f64>,
    after_term: Vec<f64>,
    after_freeze: Vec<f64>,
    after_join: Vec<f64>,
    /// From SIGTERM to the end of the process.
    ends: Vec<f64>,
}

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    let freshness = Freshness::follow(scene.reader(), load.witness.clone());
    let mut take_overs = TakeOvers::default();
    let begun = Instant::now();
    let mut moves = opening();
    while begun.elapsed() < scene.time || !moves.is_empty() {
        tokio::time::sleep(Duration::from_millis(scene.random.random_range(1_000..3_000))).await;
        let next = moves.pop().unwrap_or_else(|| {
            *[Move::Join, Move::Leave, Move::Kill, Move::Freeze]
                .choose(&mut scene.random)
                .unwrap_or(&Move::Kill)
        });
        step(scene, next, &mut take_overs).await?;
    }
    take_overs.tell(scene);
    let readable_after = |share| freshness.between(0.0, f64::MAX, share).0;
    let figures =
        json!({"p50": readable_after(0.5), "p99": readable_after(0.99), "max": readable_after(1.0)});
    scene.verdict.figure("readable_after_ms", figures);
    scene.check_all(load).await?;
    Ok(())
}

/// Every kind once, however short the time.
fn opening() -> Vec<Move> {
    vec![Move::Freeze, Move::Leave, Move::Join, Move::Kill]
}

/// One move, and the wait until every partition has one owner again.
pub(crate) async fn step(scene: &mut Scene, next: Move, times: &mut TakeOvers) -> anyhow::Result<()> {
    let number = scene.fleet.processors.len();
    let next = match next {
        Move::Join if number >= MOST_PROCESSORS => Move::Leave,
        Move::Leave | Move::Kill | Move::Freeze if number < 2 => Move::Join,
        other => other,
    };
    match next {
        Move::Join => join(scene, times).await,
        Move::Leave => leave(scene, times).await,
        Move::Kill => kill(scene, times).await,
        Move::Freeze => freeze(scene, times).await,
    }
}

fn any(scene: &mut Scene) -> usize {
    let number = scene.fleet.processors.len();
    scene.random.random_range(0..number)
}

async fn join(scene: &mut Scene, times: &mut TakeOvers) -> anyhow::Result<()> {
    let name = scene.fleet.add_processor(&[])?;
    scene.verdict.inject(format!("start {name}"));
    times.after_join.push(scene.fleet.wait_until_owned(OWNED_LIMIT).await?.as_secs_f64());
    Ok(())
}

async fn leave(scene: &mut Scene, times: &mut TakeOvers) -> anyhow::Result<()> {
    let index = any(scene);
    let leaving = scene.fleet.take_processor(index);
    scene.verdict.inject(format!("SIGTERM to {}", leaving.name()));
    leaving.ask_to_end()?;
    let (ended, owned) =
        tokio::join!(leaving.wait_for_end(END_LIMIT), scene.fleet.wait_until_owned(OWNED_LIMIT));
    times.ends.push(ended?.as_secs_f64());
    times.after_term.push(owned?.as_secs_f64());
    Ok(())
}

async fn kill(scene: &mut Scene, times: &mut TakeOvers) -> anyhow::Result<()> {
    let index = any(scene);
    let victim = scene.fleet.take_processor(index);
    scene.verdict.inject(format!("kill -9 {}", victim.name()));
    victim.kill().await?;
    times.after_kill.push(scene.fleet.wait_until_owned(OWNED_LIMIT).await?.as_secs_f64());
    Ok(())
}

async fn freeze(scene: &mut Scene, times: &mut TakeOvers) -> anyhow::Result<()> {
    let (index, begun) = (any(scene), Instant::now());
    let frozen = &mut scene.fleet.processors[index];
    let name = frozen.name().to_owned();
    frozen.freeze()?;
    scene.verdict.inject(format!("SIGSTOP {name}"));
    times.after_freeze.push(scene.fleet.wait_until_owned(OWNED_LIMIT).await?.as_secs_f64());
    tokio::time::sleep(FROZEN_FOR.saturating_sub(begun.elapsed())).await;
    scene.fleet.processors[index].thaw()?;
    scene.verdict.inject(format!("SIGCONT {name}"));
    scene.fleet.wait_until_owned(OWNED_LIMIT).await?;
    Ok(())
}

impl TakeOvers {
    pub(crate) fn tell(&self, scene: &mut Scene) {
        let verdict = &mut scene.verdict;
        let of = |values: &[f64]| json!({"times": values.len(), "median_s": quantile(values.to_vec(), 0.5), "max_s": quantile(values.to_vec(), 1.0)});
        verdict.figure("owned_again_after_start", of(&self.after_join));
        verdict.figure("owned_again_after_freeze", of(&self.after_freeze));
        verdict.figure("owned_again_after_kill", of(&self.after_kill));
        verdict.figure("owned_again_after_sigterm", of(&self.after_term));
        verdict.figure("ended_after_sigterm", of(&self.ends));
        let max = |values: &[f64]| quantile(values.to_vec(), 1.0).unwrap_or_default();
        verdict.bound("take_over_after_kill_s", max(&self.after_kill), 10.0);
        verdict.bound("take_over_after_sigterm_s", max(&self.after_term), 3.0);
    }
}
