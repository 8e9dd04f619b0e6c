//! Stopping at every step of a flush, as a crash would, changes nothing that a reader sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhead_domain::id::SessionId;
use playhead_stream_processor::{Error, Probe, Step};
use serde_json::json;

use crate::world::{Batch, World, embedded, session};

fn batches() -> Vec<Batch> {
    let mut batches = Vec::new();
    for seq in 0..6 {
        for id in 1..=3 {
            let mut batch = Batch::new(id, id, seq)
                .signal(json!({"k": "error", "message": format!("boom {seq}")}))
                .signal(json!({"k": "navigation", "url": format!("https://a.example/{seq}"), "how": "push"}))
                .signal(json!({"k": "identify", "id": format!("user-{id}")}))
                .dom_event(3, "change");
            if seq == 0 {
                batch = batch.page("https://a.example/").key_frame("page");
            }
            if seq == 4 {
                batch.signals_raw = Some(3);
            }
            batches.push(batch.clone());
            if seq % 2 == 1 {
                batches.push(batch);
            }
        }
    }
    batches
}

fn sessions() -> Vec<SessionId> {
    (1..=3).map(session).collect()
}

async fn send_all(world: &World, batches: &[Batch]) {
    for batch in batches {
        world.send(batch).await;
    }
}

/// Stops at the `n`th time that `step` is reached.
fn stop_at(step: Step, n: usize) -> Probe {
    let reached = Arc::new(AtomicUsize::new(0));
    Arc::new(move |at| at == step && reached.fetch_add(1, Ordering::Relaxed) == n)
}

async fn undisturbed() -> String {
    let world = World::new().await;
    let batches = batches();
    for half in batches.chunks(batches.len() / 2) {
        send_all(&world, half).await;
        world.process(None).await.unwrap();
    }
    world.projection(&sessions()).await
}

async fn crash_everywhere(world: &World, step: Step, n: usize) -> usize {
    let batches = batches();
    let mut crashes = 0;
    for half in batches.chunks(batches.len() / 2) {
        send_all(world, half).await;
        // Twice: the redo is stopped at the same step, too.
        for _ in 0..2 {
            match world.process(Some(stop_at(step, n))).await {
                Err(Error::Stopped(at)) => {
                    assert_eq!(at, step);
                    crashes += 1;
                }
                other => other.unwrap(),
            }
        }
        world.process(None).await.unwrap();
    }
    crashes
}

const STEPS: [(Step, usize); 6] = [
    (Step::IntentRecorded, 0),
    (Step::IntentRecorded, 1),
    (Step::ObjectWritten, 0),
    (Step::RowsWritten(0), 0),
    (Step::Checkpointed, 0),
    (Step::Checkpointed, 1),
];

#[tokio::test]
async fn a_crash_at_any_step_changes_nothing_in_memory() {
    let expected = undisturbed().await;
    assert!(expected.contains("boom 5") && expected.contains("frame_too_long"));
    for (step, n) in STEPS {
        let world = World::new().await;
        assert!(crash_everywhere(&world, step, n).await > 0, "{step:?} was not reached");
        assert_eq!(world.projection(&sessions()).await, expected, "{step:?} {n}");
    }
}

#[tokio::test]
async fn a_crash_at_any_step_changes_nothing_on_disk() {
    let expected = undisturbed().await;
    for (step, n) in STEPS {
        let folder = tempfile::tempdir().unwrap();
        let world = embedded(folder.path()).await;
        assert!(crash_everywhere(&world, step, n).await > 0, "{step:?} was not reached");
        assert_eq!(world.projection(&sessions()).await, expected, "{step:?} {n}");
    }
}

#[tokio::test]
async fn a_process_that_lost_its_partitions_writes_nothing_that_counts() {
    let expected = undisturbed().await;
    let world = World::new().await;
    let batches = batches();
    let (first, second) = batches.split_at(batches.len() / 2);
    send_all(&world, first).await;
    // The old owner begins a flush and is taken over while it has written its object.
    let zombie = world.process(Some(stop_at(Step::ObjectWritten, 0))).await;
    assert!(matches!(zombie, Err(Error::Stopped(_))));
    world.process(None).await.unwrap();
    let running = world.start().await;
    send_all(&world, second).await;
    let newer = world.start().await;
    world.catch_up().await;
    running.stop().await;
    newer.stop().await;
    assert_eq!(world.projection(&sessions()).await, expected);
}
