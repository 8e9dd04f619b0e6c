//! Brokers killed under load: one of three, again and again; then all at once.

use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::{Value, json};

use super::scene::Scene;
use super::verdict::quantile;
use crate::browser::now_ms;
use crate::load::Load;
use crate::witness::{Refusal, Witness};

/// How long gateways may take to find out that no broker answers before refusals must be quick.
const NOTICE: Duration = Duration::from_secs(12);
/// How long replicas get to catch up between two kills: two lost at once is another fault.
const CATCH_UP: Duration = Duration::from_secs(8);

pub(crate) async fn play_kill(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    let begun = Instant::now();
    let mut kills = 0_u32;
    while kills == 0 || begun.elapsed() < scene.time {
        tokio::time::sleep(Duration::from_millis(scene.random.random_range(2_000..5_000))).await;
        let broker = format!("kafka-{}", scene.random.random_range(1..=3));
        scene.verdict.inject(format!("kill -9 {broker}"));
        scene.services.call("kill", &[&broker]).await?;
        tokio::time::sleep(Duration::from_millis(scene.random.random_range(2_000..6_000))).await;
        scene.services.call("start", &[&broker]).await?;
        scene.verdict.inject(format!("{broker} runs again"));
        tokio::time::sleep(CATCH_UP).await;
        kills += 1;
    }
    scene.verdict.figure("kills", kills);
    check_answers(scene, &load.witness);
    let refused = load.witness.count("5");
    scene.verdict.check("gateways refuse none for it", refused == 0, refused);
    scene.check_all(load).await?;
    Ok(())
}

/// Gateways may say that the log is away, and nothing else.
fn check_answers(scene: &mut Scene, witness: &Witness) {
    let silent = witness.count("timeout") + witness.count("no connection") + witness.count("cut off");
    scene.verdict.check("gateways answer every request", silent == 0, silent);
    let failed = witness.count("500");
    scene.verdict.check("no request fails inside", failed == 0, failed);
}

pub(crate) async fn play_away(scene: &mut Scene) -> anyhow::Result<()> {
    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_secs(4)).await;
    let accepted = load.witness.count("202");
    scene.services.call("kill", &["kafka"]).await?;
    let away_ms = now_ms();
    scene.verdict.inject("kill -9 of all brokers");
    tokio::time::sleep(scene.time).await;
    let back_ms = now_ms();
    scene.services.call("start", &["kafka"]).await?;
    scene.verdict.inject("all brokers run again");
    let recovered = wait_for_accepted(&load.witness).await;
    scene.verdict.figure("accepted_again_after_s", recovered.map(|took| took.as_secs_f64()));
    scene.verdict.check("batches are accepted again", recovered.is_some(), Value::Null);
    scene.verdict.check("batches were accepted before", accepted > 0, accepted);
    let known = Scene::new_project(&scene.client, &scene.fleet).await;
    let why = known.as_ref().err().map(|error| format!("{error:#}"));
    scene.verdict.check("gateways hear of new projects again", known.is_ok(), why);
    tell_refusals(scene, &load.witness, away_ms, back_ms);
    check_answers(scene, &load.witness);
    scene.check_all(load).await?;
    Ok(())
}

async fn wait_for_accepted(witness: &Witness) -> Option<Duration> {
    let (begun, before) = (Instant::now(), witness.count("202"));
    while begun.elapsed() < Duration::from_secs(120) {
        if witness.count("202") > before {
            return Some(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

fn tell_refusals(scene: &mut Scene, witness: &Witness, away_ms: f64, back_ms: f64) {
    let all = witness.refusals_between(away_ms, back_ms);
    let settled = witness.refusals_between(away_ms + NOTICE.as_millis() as f64, back_ms);
    let verdict = &mut scene.verdict;
    verdict.figure("refusals", json!({"while_away": of(&all), "once_noticed": of(&settled)}));
    verdict.check("requests are refused while the log is away", !settled.is_empty(), settled.len());
    let other = all.iter().filter(|refusal| refusal.status != Some(503)).count();
    verdict.check("every refusal is a 503", other == 0, other);
    let without = all.iter().filter(|refusal| refusal.status == Some(503) && !refusal.retry_after).count();
    verdict.check("every 503 says when to come back", without == 0, without);
    let p99 = quantile(milliseconds(&settled), 0.99).unwrap_or_default();
    verdict.bound("refused_within_p99_ms", p99, 250.0);
}

fn milliseconds(refusals: &[Refusal]) -> Vec<f64> {
    refusals.iter().map(|refusal| refusal.took.as_secs_f64() * 1e3).collect()
}

fn of(refusals: &[Refusal]) -> Value {
    let took = milliseconds(refusals);
    json!({"number": took.len(), "p50_ms": quantile(took.clone(), 0.5), "p99_ms": quantile(took.clone(), 0.99), "max_ms": quantile(took, 1.0)})
}
