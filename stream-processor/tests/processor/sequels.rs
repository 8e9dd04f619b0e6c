//! What follows an issue in its sessions: known only later, and counted exactly all the same.

use playhead_domain::row::IssueCount;
use playhead_stream_processor::Step;
use serde_json::json;

use crate::issues::{error, issue};
use crate::steps::stop_at;
use crate::world::{Batch, World};

const MINUTE_MS: i64 = 60_000;

/// Three sessions have an error and are soon angry about it or not; a minute later two of them go on, and one of these has it once more.
async fn send(world: &World, each: impl AsyncFn(&World)) {
    let now = |id, seq| Batch { from: world.now_ms(), ..Batch::new(id, id, seq) };
    let click = |kind| json!({"k": kind, "id": "c", "x": 1, "y": 1, "selector": "button"});
    for id in 1..=3 {
        world.send(&error(now(id, 0), "CartError")).await;
        each(world).await;
    }
    world.pass(5_000);
    world.send(&now(1, 1).signal(click("rage_click"))).await;
    world.send(&now(2, 1).signal(click("click"))).await;
    each(world).await;
    world.pass(MINUTE_MS);
    world.send(&now(2, 2).signal(click("dead_click"))).await;
    each(world).await;
    world.send(&now(3, 1).signal(click("click"))).await;
    world.pass(5_000);
    world.send(&error(now(3, 2), "CartError")).await;
    each(world).await;
}

async fn assert_followed(world: &World, what: &str) {
    let (_, totals) = issue(world, "CartError: it broke").await;
    // 1 was angry and came no more, 2 went on, 3 had it again and then nothing.
    let all = IssueCount { events: 4, sessions: 3, frustrated: 1, ended: 2, unseen: 0 };
    let sum = |counts: &std::collections::BTreeMap<i64, IssueCount>| {
        counts.values().fold(IssueCount::default(), |sum, &count| sum.plus(count))
    };
    assert_eq!((sum(&totals.hours), sum(&totals.fives)), (all, all), "{what}");
}

#[tokio::test]
async fn what_follows_is_counted_once_wherever_a_flush_ends() {
    let whole = World::new().await;
    send(&whole, async |_| {}).await;
    whole.process().await;
    assert_followed(&whole, "at once").await;
    let single = World::new().await;
    send(&single, async |world| world.process().await).await;
    assert_followed(&single, "one by one").await;
    let differences = whole.canonical().await.differences(&single.canonical().await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let anew = single.emptied();
    anew.process().await;
    assert_followed(&anew, "built anew").await;
    let differences = single.canonical().await.differences(&anew.canonical().await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn what_follows_is_counted_once_wherever_a_flush_crashes() {
    let steps = [
        Step::IntentRecorded,
        Step::Folded,
        Step::RowsWritten(0),
        Step::RowsWritten(2),
        Step::RowsWritten(5),
        Step::RowsWritten(9),
        Step::LookedBack,
        Step::Checkpointed,
    ];
    for step in steps {
        let world = World::new().await;
        send(&world, async |world| {
            for _ in 0..2 {
                let _ = world.process_with(stop_at(step, 0)).await;
            }
            world.process().await;
        })
        .await;
        assert_followed(&world, &format!("{step:?}")).await;
    }
}

#[tokio::test]
async fn where_it_happens_is_counted() {
    let world = World::new().await;
    world.send(&error(Batch::new(1, 1, 0).page("https://shop.example/cart"), "CartError")).await;
    world.send(&error(Batch::new(2, 2, 0), "CartError")).await;
    world.process().await;
    let (_, totals) = issue(&world, "CartError: it broke").await;
    let environments = totals.environments.unwrap().values;
    assert_eq!(environments.into_iter().collect::<Vec<_>>(), [(String::new(), 1), ("test".to_owned(), 1)]);
}
