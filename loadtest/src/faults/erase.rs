//! Sessions and users are erased while they are still sending, while partitions move and while compaction runs. They stay erased,
//! after a rebuild too, and nobody else loses anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::rebalance::{Move, TakeOvers, step};
use super::rebuild;
use super::scene::{SETTLE, Scene, WHOLE};
use crate::api::Reader;
use crate::browser::user_of;
use crate::delivery::Delivered;
use crate::load::{Load, Plan};
use crate::verify::{compare, settle};
use crate::witness::Witness;

/// What was erased: the session, and the address of a part of its recording if there was one.
type Erased = BTreeMap<String, Option<String>>;

const COMPACTED_AFTER: Duration = Duration::from_secs(12);
/// How long one erasure is asked for again; partitions may be moving.
const ERASE_LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let plan = Plan {
        browsers: 30,
        pause: Duration::from_millis(120),
        life_ms: (8_000.0, 25_000.0),
        ..scene.plan()
    };
    let load = Load::start(plan);
    let eraser = tokio::spawn(erase_some(
        scene.reader(),
        load.witness.clone(),
        StdRng::seed_from_u64(scene.verdict.seed ^ 1),
    ));
    move_partitions(scene).await?;
    let witness = load.witness.clone();
    let delivered = load.finish().await?;
    let erased = eraser.await??;
    scene.verdict.figure("load", witness.report());
    scene.verdict.figure("erased", erased.len());
    scene.verdict.check("sessions were erased", !erased.is_empty(), erased.len());
    scene.tell_delivered(&delivered);

    let kept: Vec<Delivered> =
        delivered.iter().filter(|told| !erased.contains_key(&told.session)).cloned().collect();
    check(scene, &kept, &erased, "").await?;
    tokio::time::sleep(COMPACTED_AFTER).await;
    check(scene, &kept, &erased, ", after compaction").await?;
    rebuild::rebuild(scene).await?;
    check(scene, &kept, &erased, ", after a rebuild").await
}

async fn move_partitions(scene: &mut Scene) -> anyhow::Result<()> {
    let (begun, mut times) = (Instant::now(), TakeOvers::default());
    let mut moves = vec![Move::Leave, Move::Join, Move::Kill];
    while begun.elapsed() < scene.time || !moves.is_empty() {
        tokio::time::sleep(Duration::from_millis(scene.random.random_range(2_000..5_000))).await;
        let next = moves.pop().unwrap_or_else(|| {
            *[Move::Join, Move::Leave, Move::Kill].choose(&mut scene.random).unwrap_or(&Move::Kill)
        });
        step(scene, next, &mut times).await?;
    }
    times.tell(scene);
    Ok(())
}

/// Erases now a session, now a user, until the load is over: mostly of those that still send.
async fn erase_some(reader: Reader, witness: Arc<Witness>, mut random: StdRng) -> anyhow::Result<Erased> {
    let mut erased = Erased::new();
    while !witness.is_over() {
        tokio::time::sleep(Duration::from_millis(random.random_range(300..1_200))).await;
        let candidates = if random.random_bool(0.7) { witness.under_way(3) } else { witness.so_far() };
        let left: Vec<_> = candidates.iter().filter(|told| !erased.contains_key(&told.session)).collect();
        let Some(told) = left.choose(&mut random) else { continue };
        let segment = a_segment(&reader, &told.session).await;
        let path = if random.random_bool(0.5) {
            format!("sessions/{}", told.session)
        } else {
            // A user is known only once the first batch is processed.
            settle(&reader, std::slice::from_ref(*told), ERASE_LIMIT).await;
            format!("users/{}", user_of(&told.session))
        };
        erase(&reader, &path).await?;
        erased.insert(told.session.clone(), segment);
    }
    Ok(erased)
}

async fn a_segment(reader: &Reader, session: &str) -> Option<String> {
    let manifest = reader.json(&format!("/sessions/{session}/replay")).await.ok()?;
    manifest["streams"][0]["segments"][0]["href"].as_str().map(str::to_owned)
}

async fn erase(reader: &Reader, path: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let url = format!("{}/api/v1/projects/{}/{path}", reader.url, reader.project.project_id);
        let request = reader.client.delete(url).bearer_auth(&reader.project.secret_key);
        let last = match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) if answer.status().is_client_error() => {
                bail!("erasing {path} answered {} {}", answer.status(), answer.text().await?)
            }
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > ERASE_LIMIT {
            bail!("{path} could not be erased within {ERASE_LIMIT:?}: {last}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What was erased is nowhere; everything else is whole.
async fn check(scene: &mut Scene, kept: &[Delivered], erased: &Erased, when: &str) -> anyhow::Result<()> {
    let reader = scene.reader();
    settle(&reader, kept, SETTLE).await;
    let mut shown = Vec::new();
    let listed = reader.all("/sessions?limit=200").await?;
    let ids = listed.iter().filter_map(|session| session["id"].as_str());
    shown.extend(ids.filter(|id| erased.contains_key(*id)).map(|id| format!("session {id} is listed")));
    for (session, segment) in erased {
        shown.extend(traces(&reader, session, segment.as_deref()).await?);
    }
    scene.verdict.check_none(&format!("what was erased stays erased{when}"), &shown);
    let differences = compare(&reader, kept).await?;
    scene.verdict.check_none(&format!("of the others {WHOLE}{when}"), &differences);
    Ok(())
}

/// Everything that still shows an erased session.
async fn traces(reader: &Reader, session: &str, segment: Option<&str>) -> anyhow::Result<Vec<String>> {
    let own = format!("/api/v1/projects/{}/sessions", reader.project.project_id);
    let mut paths = vec![
        format!("{own}/{session}"),
        format!("{own}/{session}/events?limit=10"),
        format!("{own}/{session}/replay"),
    ];
    paths.extend(segment.map(str::to_owned));
    let mut found = Vec::new();
    for path in paths {
        let request = reader.client.get(format!("{}{path}", reader.url));
        let answer = request.bearer_auth(&reader.project.secret_key).send().await?;
        let status = answer.status().as_u16();
        if ![404, 410].contains(&status) && !says_deleted(&answer.text().await?) {
            found.push(format!("{path} answered {status}"));
        }
    }
    let of_user = reader.json(&format!("/sessions?user={}&limit=10", user_of(session))).await?;
    let shown = of_user["items"].as_array().context("no items")?;
    found.extend(
        shown
            .iter()
            .filter(|item| item["id"] == session)
            .map(|_| format!("session {session} is found by its user")),
    );
    Ok(found)
}

/// A manifest may be there to say that the recording is not.
fn says_deleted(text: &str) -> bool {
    let manifest = serde_json::from_str::<Value>(text).unwrap_or_default();
    manifest["state"] == "deleted" && manifest["streams"].as_array().is_some_and(Vec::is_empty)
}
