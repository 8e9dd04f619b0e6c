//! What is slow or away holds up nothing else, and is waited for in bounded memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhead_backends::log::memory::MemoryLog;
use playhead_domain::log::{EventLog, Record};
use playhead_domain::topic;
use playhead_stream_processor::Step;
use serde_json::json;
use tokio::time::Instant;

use crate::blobs::Door;
use crate::steps::hold_at;
use crate::world::{Batch, World, session, settable_clock, spec};

fn recording(id: u8, seq: u64) -> Batch {
    Batch::new(id, id, seq).page("https://a.example/").key_frame("page")
}

/// Two sessions that are in different partitions.
async fn apart() -> (u8, u8) {
    for id in 2.. {
        if partition_of(id).await != partition_of(1).await {
            return (1, id);
        }
    }
    unreachable!()
}

async fn partition_of(id: u8) -> u32 {
    let log = MemoryLog::new(settable_clock().1);
    log.ensure_topic(&spec()).await.unwrap();
    let key = Bytes::copy_from_slice(&session(id).0);
    let record = Record { key, value: Bytes::new(), meta: Bytes::new() };
    log.append(topic::BATCHES, record).await.unwrap().partition
}

async fn behind_a_door() -> (World, Arc<Door>) {
    let mut world = World::new().await;
    let door = Arc::new(Door::closed());
    world.blobs = Arc::clone(&door) as _;
    (world, door)
}

#[tokio::test]
async fn blobs_that_do_not_answer_hold_up_only_what_needs_them() {
    let (world, door) = behind_a_door().await;
    let running = world.start().await;
    let (held, free) = apart().await;
    world.send(&recording(held, 0)).await;
    world.send(&Batch::new(free, free, 0).signal(json!({"k": "click"}))).await;
    for seq in 0..5 {
        world.send(&Batch::new(free, free, seq + 1).page("https://a.example/")).await;
        while world.summary(session(free)).await.is_none_or(|summary| summary.streams[0].seen < seq + 2) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    assert!(world.summary(session(held)).await.is_none());
    door.open();
    world.catch_up().await;
    running.stop().await;
    assert_eq!(world.frames(session(held)).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_while_blobs_are_away_for_ten_minutes_and_then_all_is_caught_up() {
    let (mut world, door) = behind_a_door().await;
    world.config.flush_bytes = 1 << 20;
    let running = world.start().await;
    // Barely compressible, so that the log holds many times what may wait.
    let mut noise = 1_u64;
    let batches: Vec<Batch> = (0..60)
        .map(|seq| {
            let mut batch = recording(u8::try_from(seq % 4).unwrap(), seq / 4);
            for _ in 0..64_000 {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                batch.dom.extend_from_slice(&noise.to_be_bytes()[..4]);
            }
            batch.dom.push(b'\n');
            batch
        })
        .collect();
    for batch in &batches {
        world.send(batch).await;
    }
    let mut most = 0.0_f64;
    let end = Instant::now() + Duration::from_secs(600);
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_secs(1)).await;
        most = most.max(running.metric("playhead_processor_waiting_bytes"));
    }
    assert!(most > 1_000_000.0, "something waits: {most}");
    assert!(most <= 4.0 * f64::from(1 << 20) + 2.0 * 300_000.0, "{most}");
    door.open();
    world.catch_up().await;
    running.stop().await;
    for id in 0..4 {
        assert_eq!(world.frames(session(id)).await.len(), 15);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_what_does_not_answer() {
    let (world, door) = behind_a_door().await;
    let running = world.start().await;
    world.send(&recording(1, 0)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stopped = Instant::now();
    running.stop().await;
    assert!(stopped.elapsed() <= Duration::from_secs(3), "{:?}", stopped.elapsed());
    door.open();
    world.process().await;
    assert_eq!(world.frames(session(1)).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_flushes_what_was_read() {
    let mut world = World::new().await;
    world.config.flush_interval_ms = 3_000;
    let running = world.start().await;
    world.send(&recording(1, 0)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!world.is_caught_up().await, "it waits for its time");
    running.stop().await;
    assert!(world.is_caught_up().await);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_slow_to_begin_does_not_hold_up_one_that_is_due_with_it() {
    let mut world = World::new().await;
    world.config.flush_interval_ms = 3_000;
    let (one, other) = apart().await;
    for id in [one, other] {
        world.send(&recording(id, 0)).await;
    }
    // One of them stands behind its intent.
    let (hooks, gate) = hold_at(Step::IntentRecorded, 0);
    let running = world.spawn(hooks);
    gate.reached().await;
    let end = Instant::now() + Duration::from_secs(30);
    while world.frames(session(one)).await.len() + world.frames(session(other)).await.len() == 0 {
        assert!(Instant::now() < end, "the other one waits for it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gate.let_go();
    world.catch_up().await;
    running.stop().await;
    for id in [one, other] {
        assert_eq!(world.frames(session(id)).await.len(), 1);
    }
}
