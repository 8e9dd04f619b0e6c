//! One session, or one project, sends far more than the others: the others must hardly notice, and the limits must show.

use std::time::Duration;

use serde_json::{Value, json};

use super::freshness::Freshness;
use super::scene::{SETTLE, Scene, WHOLE};
use crate::browser::now_ms;
use crate::load::{Load, Plan};
use crate::verify::{compare, settle};

/// The others' pace; the hot session sends 50 times as often.
const PAUSE: Duration = Duration::from_millis(1_000);
const TIMES: u32 = 50;
const QUOTA_REQUESTS_PER_S: u64 = 60;
const WARM_UP: Duration = Duration::from_secs(4);

/// Quotas that only the hot project exceeds.
pub(crate) fn quotas() -> Vec<(&'static str, String)> {
    vec![
        ("PLAYHEAD_GATEWAY__QUOTA__RATE_REQUESTS_PER_S", QUOTA_REQUESTS_PER_S.to_string()),
        ("PLAYHEAD_GATEWAY__QUOTA__BURST_REQUESTS", (QUOTA_REQUESTS_PER_S * 2).to_string()),
    ]
}

pub(crate) async fn play_session(scene: &mut Scene) -> anyhow::Result<()> {
    let others = Load::start(Plan { browsers: 20, pause: PAUSE, ..scene.plan() });
    let hot_project = Scene::new_project(&scene.client, &scene.fleet).await?;
    let hot = Plan {
        browsers: 1,
        pause: PAUSE / TIMES,
        padding_bytes: 2_000,
        public_key: hot_project.public_key.clone(),
        life_ms: (1e9, 2e9),
        ..scene.plan()
    };
    press_beside(scene, others, hot, &hot_project, "one session sends 50 times as often").await?;
    Ok(())
}

pub(crate) async fn play_tenant(scene: &mut Scene) -> anyhow::Result<()> {
    let others = Load::start(Plan { browsers: 20, pause: PAUSE, ..scene.plan() });
    let hot_project = Scene::new_project(&scene.client, &scene.fleet).await?;
    let hot = Plan {
        browsers: 40,
        pause: Duration::from_millis(20),
        public_key: hot_project.public_key.clone(),
        ..scene.plan()
    };
    let answers = press_beside(scene, others, hot, &hot_project, "one project sends over its quota").await?;
    let refused = answers["answers"]["429 over-quota"].as_u64().unwrap_or_default();
    scene.verdict.check("the hot project is told that it is over its quota", refused > 0, refused);
    Ok(())
}

/// Measures the others alone, then beside the hot ones; everything acknowledged must be there. Gives the hot ones' answers.
async fn press_beside(
    scene: &mut Scene,
    others: Load,
    hot: Plan,
    hot_project: &crate::api::Project,
    what: &str,
) -> anyhow::Result<Value> {
    let freshness = Freshness::follow(scene.reader(), others.witness.clone());
    tokio::time::sleep(WARM_UP).await;
    let alone_ms = now_ms();
    tokio::time::sleep(scene.time / 2).await;
    let beside_ms = now_ms();
    scene.verdict.inject(what);
    let hot = Load::start(hot);
    tokio::time::sleep(scene.time).await;
    let end_ms = now_ms();
    let (witness, hot) = (hot.witness.clone(), hot.finish().await?);
    scene.verdict.inject("it ends");

    let reader = scene.reader_of(hot_project);
    settle(&reader, &hot, SETTLE).await;
    let differences = compare(&reader, &hot).await?;
    scene.verdict.check_none(&format!("of the hot ones {WHOLE}"), &differences);
    let batches: u64 = hot.iter().map(|told| told.batches).sum();
    scene.verdict.figure("hot", json!({"batches_acknowledged": batches, "load": witness.report()}));
    scene.verdict.check("the hot ones sent", batches > 0, batches);

    let (alone, alone_samples) = freshness.between(alone_ms, beside_ms, 0.99);
    let (beside, beside_samples) = freshness.between(beside_ms, end_ms, 0.99);
    scene.verdict.figure(
        "others_readable_after_p99_ms",
        json!({"alone": alone, "alone_samples": alone_samples, "beside": beside, "beside_samples": beside_samples}),
    );
    let (alone, beside) = (alone.unwrap_or_default(), beside.unwrap_or_default());
    scene.verdict.check("freshness was measured", alone > 0.0 && beside > 0.0, Value::Null);
    scene.verdict.bound("others_p99_against_alone", beside / alone.max(1.0), 2.0);
    let refused = others.witness.count("429");
    scene.verdict.check("none of the others is refused for it", refused == 0, refused);
    scene.check_all(others).await?;
    Ok(witness.report())
}
