//! S3 answers one processor late: the others' partitions must not feel it.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;

use super::proxy::Proxy;
use super::scene::Scene;
use crate::installation::metrics::Metrics;
use crate::load::Load;

const VISIBLE_AFTER: &str = "playhead_processor_visible_after_seconds";
/// How late S3 answers.
const DELAY: Duration = Duration::from_secs(8);
const OWNED_LIMIT: Duration = Duration::from_secs(90);

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let endpoint = scene.services.get("PLAYHEAD_TEST_S3_ENDPOINT")?.to_owned();
    let upstream = endpoint.strip_prefix("http://").context("the S3 server speaks plain HTTP")?;
    let proxy = Proxy::start(upstream.trim_end_matches('/').to_owned()).await?;
    let through = [("PLAYHEAD_BLOBS__ENDPOINT", format!("http://{}", proxy.address))];
    let slow = scene.fleet.add_processor(&through)?;
    scene.fleet.wait_until_owned(OWNED_LIMIT).await?;

    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let start = scene.fleet.processor_metrics().await;
    tokio::time::sleep(scene.time / 2).await;
    let middle = scene.fleet.processor_metrics().await;
    proxy.delay(DELAY);
    scene.verdict.inject(format!("S3 answers {slow} {} s late", DELAY.as_secs()));
    tokio::time::sleep(scene.time.max(DELAY * 4)).await;
    let end = scene.fleet.processor_metrics().await;
    proxy.delay(Duration::ZERO);
    scene.verdict.inject("S3 answers at once again");
    tell(scene, &slow, &start, &middle, &end)?;
    scene.check_all(load).await?;
    Ok(())
}

fn tell(
    scene: &mut Scene,
    slow: &str,
    start: &[(String, Metrics)],
    middle: &[(String, Metrics)],
    end: &[(String, Metrics)],
) -> anyhow::Result<()> {
    let mut figures = serde_json::Map::new();
    let mut others: f64 = 0.0;
    let mut others_before: f64 = 0.0;
    let mut own = None;
    for (name, now) in end {
        let of = |told: &[(String, Metrics)]| {
            told.iter()
                .find(|(other, _)| other == name)
                .map(|(_, metrics)| metrics.clone())
                .unwrap_or_default()
        };
        let (start, middle) = (of(start), of(middle));
        let p99_ms = |now: &Metrics, since: &Metrics| {
            now.quantile_since(since, VISIBLE_AFTER, 0.99).map(|seconds| (seconds * 1e3).round())
        };
        let (before, during) = (p99_ms(&middle, &start), p99_ms(now, &middle));
        figures.insert(name.clone(), json!({"p99_ms_before": before, "p99_ms_during": during}));
        if name == slow {
            own = during;
        } else {
            others = others.max(during.unwrap_or_default());
            others_before = others_before.max(before.unwrap_or_default());
        }
    }
    let delay_ms = DELAY.as_millis() as f64;
    let verdict = &mut scene.verdict;
    verdict.figure("visible_after", figures);
    let Some(own) = own else {
        bail!("{slow} made nothing visible: it owns no partition, or flushes nothing")
    };
    verdict.check("the slow processor is slow", own >= delay_ms / 2.0, own);
    verdict.check(
        "the others' partitions do not wait for it",
        others > 0.0 && others < delay_ms / 2.0,
        others,
    );
    verdict.bound("others_p99_against_before", others / others_before.max(1.0), 2.0);
    Ok(())
}
