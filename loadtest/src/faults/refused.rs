//! S3 takes the processors' key no more, as when it was rotated: they wait, say so, and go on once it does.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::proxy::Proxy;
use super::scene::{SETTLE, Scene};
use crate::installation::member::Member;
use crate::load::Load;
use crate::verify::settle;

const OWNED_LIMIT: Duration = Duration::from_secs(90);
const END_LIMIT: Duration = Duration::from_secs(60);
/// How long readiness may take to tell.
const TOLD_LIMIT: Duration = Duration::from_secs(20);

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let endpoint = scene.services.get("PLAYHEAD_TEST_S3_ENDPOINT")?.to_owned();
    let upstream = endpoint.strip_prefix("http://").context("the S3 server speaks plain HTTP")?;
    let proxy = Proxy::start(upstream.trim_end_matches('/').to_owned()).await?;
    scene.fleet.stop_processors(END_LIMIT).await?;
    for _ in 0..2 {
        scene.fleet.add_processor(&[("PLAYHEAD_BLOBS__ENDPOINT", format!("http://{}", proxy.address))])?;
    }
    scene.fleet.wait_until_owned(OWNED_LIMIT).await?;

    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = load.witness.count("202");
    proxy.refuse(true);
    let began = Instant::now();
    scene.verdict.inject("S3 refuses the processors");
    let told = degraded(scene, true).await;
    scene.verdict.check("processors are ready, and say what refuses them", told.is_ok(), in_words(&told));
    tokio::time::sleep(scene.time.saturating_sub(began.elapsed())).await;
    let during = load.witness.count("202") - before;
    proxy.refuse(false);
    let refused_for = began.elapsed();
    scene.verdict.inject("S3 takes their key again");
    let waiting = load.witness.so_far();
    let caught_up = settle(&scene.reader(), &waiting, SETTLE).await;
    let told = degraded(scene, false).await;
    scene.verdict.check("they do not say so any more", told.is_ok(), in_words(&told));
    scene.verdict.check(
        "gateways accept batches meanwhile",
        during > 0,
        json!({"before": before, "during": during}),
    );
    let refused = load.witness.count("5");
    scene.verdict.check("gateways refuse none for it", refused == 0, refused);
    scene.verdict.figure("refused_s", refused_for.as_secs_f64());
    scene.verdict.figure("caught_up_after_s", caught_up.as_secs_f64());
    scene.check_all(load).await?;
    Ok(())
}

fn in_words(told: &anyhow::Result<()>) -> Value {
    told.as_ref().err().map_or(Value::Null, |error| format!("{error:#}").into())
}

/// Waits until every processor is ready and names blobs among what it lacks, or does not.
async fn degraded(scene: &Scene, wanted: bool) -> anyhow::Result<()> {
    for processor in &scene.fleet.processors {
        let begun = Instant::now();
        loop {
            let readiness = readiness(scene, processor).await?;
            let parts = readiness["degraded"].as_array().context("no list of what is missing")?;
            let found = parts.iter().any(|part| part["part"] == "blobs" && says_refused(part));
            if readiness["ready"] == true && found == wanted {
                break;
            }
            anyhow::ensure!(begun.elapsed() < TOLD_LIMIT, "{} says {readiness}", processor.name());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

fn says_refused(part: &Value) -> bool {
    part["reason"].as_str().is_some_and(|reason| reason.contains("refuses access"))
}

async fn readiness(scene: &Scene, processor: &Member) -> anyhow::Result<Value> {
    let answer = scene.client.get(format!("{}/readyz", processor.url())).send().await?;
    Ok(answer.json().await?)
}
