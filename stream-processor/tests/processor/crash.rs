//! Stopping at every step of a flush, as a crash would, changes nothing in any row; and neither does an old owner that goes on
//! from there when its successor is through.

use playhead_domain::testkit::projection::Projection;
use playhead_stream_processor::{Error, Step};
use serde_json::json;

use crate::spans::{send_to, span};
use crate::steps::{hold_at, stop_at};
use crate::world::{Batch, World, embedded, session};

const LAST: u8 = 4;

fn batches() -> Vec<Batch> {
    let mut batches = Vec::new();
    for seq in 0..6 {
        for id in 1..=3 {
            let mut batch = Batch::new(id, id, seq)
                .signal(json!({"k": "error", "message": format!("boom {seq}")}))
                .signal(json!({"k": "navigation", "url": format!("https://a.example/{seq}"), "how": "push"}))
                .signal(json!({"k": "request", "url": format!("https://a.example/api/{id}"), "method": "GET", "status": 200,
                    "outcome": "ok", "duration_ms": 10 * seq}))
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
    batches.push(Batch::new(LAST, LAST, 0).page("https://a.example/"));
    batches
}

async fn send_all(world: &World, batches: &[Batch]) {
    for batch in batches {
        // Before what they belong to, now and then again, and those of a session of whose browser nothing is heard until the end.
        let number = u8::try_from(batch.seq).unwrap();
        for id in [batch.session, session(LAST)] {
            send_to(world, id, &[span(number, 10), span(number / 2, 20)]).await;
        }
        world.send(batch).await;
    }
}

async fn undisturbed() -> Projection {
    let world = World::new().await;
    let batches = batches();
    for half in batches.chunks(batches.len() / 2) {
        send_all(&world, half).await;
        world.process().await;
    }
    world.canonical().await
}

fn assert_same(one: &Projection, other: &Projection, what: &str) {
    let differences = one.differences(other);
    assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
}

const STEPS: [Step; 10] = [
    Step::TakenOver,
    Step::IntentRecorded,
    Step::Folded,
    Step::ObjectWritten,
    Step::RowsWritten(0),
    Step::RowsWritten(1),
    Step::RowsWritten(4),
    Step::RowsWritten(9),
    Step::LookedBack,
    Step::Checkpointed,
];

fn everywhere() -> impl Iterator<Item = (Step, usize)> + Clone {
    STEPS.into_iter().flat_map(|step| [(step, 0), (step, 1)])
}

/// Each time another processor goes on, and is stopped at the same step: the first does the range, the second redoes it.
async fn crash_everywhere(world: &World, step: Step, n: usize) -> usize {
    let batches = batches();
    let mut crashes = 0;
    for half in batches.chunks(batches.len() / 2) {
        send_all(world, half).await;
        for _ in 0..2 {
            match world.process_with(stop_at(step, n)).await {
                Err(Error::Stopped(at)) => {
                    assert_eq!(at, step);
                    crashes += 1;
                }
                other => other.unwrap(),
            }
        }
        world.process().await;
    }
    crashes
}

#[tokio::test]
async fn a_crash_at_any_step_changes_nothing_in_memory() {
    let expected = undisturbed().await;
    assert!(expected.text().contains("boom 5") && expected.text().contains("frame_too_long"));
    for (step, n) in everywhere() {
        let world = World::new().await;
        let crashes = crash_everywhere(&world, step, n).await;
        assert!(crashes > 0 || n > 0, "{step:?} was not reached");
        assert_same(&world.canonical().await, &expected, &format!("{step:?} {n}"));
    }
}

#[tokio::test]
async fn a_crash_at_any_step_changes_nothing_on_disk() {
    let expected = undisturbed().await;
    for (step, n) in everywhere().filter(|(_, n)| *n == 0) {
        let folder = tempfile::tempdir().unwrap();
        let world = embedded(folder.path()).await;
        assert!(crash_everywhere(&world, step, n).await > 0, "{step:?} was not reached");
        assert_same(&world.canonical().await, &expected, &format!("{step:?} {n}"));
    }
}

#[tokio::test]
async fn a_store_that_is_built_anew_from_the_log_says_the_same() {
    let world = World::new().await;
    for (part, (step, n)) in batches().chunks(5).zip(everywhere().cycle()) {
        send_all(&world, part).await;
        let _ = world.process_with(stop_at(step, n)).await;
        world.process().await;
    }
    let anew = world.emptied();
    anew.process().await;
    assert_same(&anew.canonical().await, &world.canonical().await, "anew");
}

#[tokio::test]
async fn an_old_owner_that_goes_on_from_any_step_writes_nothing_that_counts() {
    let expected = undisturbed().await;
    let batches = batches();
    let (first, second) = batches.split_at(batches.len() / 2);
    for step in STEPS {
        for has_states in [true, false] {
            let world = World::new().await;
            send_all(&world, first).await;
            if has_states {
                world.process().await;
            }
            send_all(&world, second).await;
            let (hooks, gate) = hold_at(step, 0);
            let old = world.spawn(hooks);
            gate.reached().await;
            let new = world.start().await;
            gate.let_go();
            old.stop().await;
            world.catch_up().await;
            new.stop().await;
            assert_same(&world.canonical().await, &expected, &format!("{step:?} {has_states}"));
        }
    }
}
