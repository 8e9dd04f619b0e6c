//! A processor frozen in the middle of a flush: its dependency hangs, it is stopped, another takes its partitions over and redoes
//! the flush, and then it wakes up with its old writes in hand.

use std::time::{Duration, Instant};

use anyhow::bail;
use rand::Rng;

use super::canonical;
use super::scene::{SETTLE, Scene};
use crate::load::Load;
use crate::verify::settle;

const FLUSHES: &str = "playhead_processor_flush_seconds_count";
/// Flushes are due every second; after this long without one, all hang.
const STALLED_FOR: Duration = Duration::from_secs(3);
const STALLED_LIMIT: Duration = Duration::from_secs(30);
const OWNED_LIMIT: Duration = Duration::from_secs(120);
/// Less time than this is for one round.
const BOTH_TAKE: Duration = Duration::from_secs(30);
/// Idle time of a session, a look for such, and a flush.
const COMPACTED_AFTER: Duration = Duration::from_secs(12);
/// How long a zombie may act: longer than its calls are tried again.
const AWAKE_FOR: Duration = Duration::from_secs(15);

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut round = 0_u64;
    // Both parts, or where there is little time the one that the seed decides.
    let rounds = if scene.time < BOTH_TAKE { 1 } else { 2 };
    while round < rounds || begun.elapsed() < scene.time {
        // In turn: the object hangs, then the intent or the rows do.
        let part = if (scene.verdict.seed % 2 + round).is_multiple_of(2) { "s3" } else { "cassandra" };
        play_round(scene, part).await?;
        round += 1;
    }
    scene.verdict.figure("rounds", round);
    Ok(())
}

async fn play_round(scene: &mut Scene, part: &str) -> anyhow::Result<()> {
    // A project of its own, so that the comparison is of this round alone.
    scene.project = Scene::new_project(&scene.client, &scene.fleet).await?;
    let load = Load::start(scene.plan());
    tokio::time::sleep(Duration::from_millis(scene.random.random_range(3_000..5_000))).await;
    scene.services.call("pause", &[part]).await?;
    scene.verdict.inject(format!("pause {part}"));
    wait_until_stalled(scene).await?;
    let index = scene.random.random_range(0..scene.fleet.processors.len());
    let zombie = &mut scene.fleet.processors[index];
    let name = zombie.name().to_owned();
    zombie.freeze()?;
    scene.verdict.inject(format!("SIGSTOP {name}, which is in a flush"));
    scene.services.call("continue", &[part]).await?;
    scene.verdict.inject(format!("continue {part}"));
    let took = scene.fleet.wait_until_owned(OWNED_LIMIT).await?;
    scene.verdict.inject(format!("others own all partitions after {:.1} s", took.as_secs_f64()));

    // The others redo its flush and go on; nothing is sent any more, so that the rows stand still.
    let delivered = load.finish().await?;
    let reader = scene.reader();
    settle(&reader, &delivered, SETTLE).await;
    // What ends by time ends now, so that the read model stands still.
    tokio::time::sleep(COMPACTED_AFTER).await;
    let before = canonical::read(&reader).await?;
    scene.fleet.processors[index].thaw()?;
    scene.verdict.inject(format!("SIGCONT {name}"));
    tokio::time::sleep(AWAKE_FOR).await;
    scene.fleet.wait_until_owned(OWNED_LIMIT).await?;
    let after = canonical::read(&reader).await?;
    let differences = canonical::differences(&before, &after);
    scene.verdict.check_none(&format!("the zombie with a {part} flush changes nothing"), &differences);
    scene.check_delivered(&delivered).await
}

/// Waits until no processor finishes a flush any more although batches come.
async fn wait_until_stalled(scene: &mut Scene) -> anyhow::Result<()> {
    let begun = Instant::now();
    let (mut flushes, mut since) = (f64::NAN, Instant::now());
    while begun.elapsed() < STALLED_LIMIT {
        let told = scene.fleet.processor_metrics().await;
        let now: f64 = told.iter().map(|(_, metrics)| metrics.get(FLUSHES)).sum();
        if now != flushes {
            (flushes, since) = (now, Instant::now());
        }
        if since.elapsed() > STALLED_FOR {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("flushes go on although what they need is paused")
}
