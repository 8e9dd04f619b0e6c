//! Compaction keeps every byte of the recording, late batches included.

use std::sync::Arc;

use playhead_domain::session::key;
use playhead_domain::store::Value;
use playhead_domain::table;
use playhead_domain::topic::BATCHES;
use serde_json::json;

use crate::blobs::Door;
use crate::world::{Batch, PARTITIONS, World, session, stream};

fn recording(seq: u64) -> Batch {
    let text = format!("change {seq} ").repeat(200);
    let batch = Batch::new(1, 1, seq);
    if seq.is_multiple_of(10) { batch.key_frame(&"page ".repeat(2_000)) } else { batch.dom_event(3, &text) }
}

fn raw(seqs: impl Iterator<Item = u64>) -> Vec<u8> {
    seqs.flat_map(|seq| recording(seq).dom).collect()
}

async fn open_sessions(world: &World) -> usize {
    let mut open = 0;
    for partition in 0..PARTITIONS {
        for slice in world.rows(&table::OPEN_SLICES, key::log_partition(BATCHES, partition)).await {
            let [Value::Int(slice)] = slice.key.clustering[..] else { panic!("{slice:?}") };
            let sessions = key::open_partition(BATCHES, partition, slice);
            open += world.rows(&table::OPEN_SESSIONS, sessions).await.len();
        }
    }
    open
}

async fn compact(world: &World) -> usize {
    let running = world.start().await;
    let compacted = running.processor.compact_now().await.unwrap();
    running.stop().await;
    compacted
}

async fn small_blocks() -> World {
    let mut world = World::new().await;
    world.config.block_raw_bytes = 64 << 10;
    world
}

#[tokio::test]
async fn blocks_hold_what_the_frames_held() {
    let world = small_blocks().await;
    for seq in 0..80 {
        world.send(&recording(seq)).await;
    }
    world.process().await;
    assert_eq!(compact(&world).await, 0, "not idle yet");
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    assert_eq!(world.compacted(session(1)).await[&stream(1)], raw(0..80));
    assert!(world.frames(session(1)).await.is_empty());
    assert_eq!(open_sessions(&world).await, 0);

    let blocks = world.blocks(session(1)).await;
    assert!(blocks.len() > 2);
    for (_, block) in &blocks {
        assert!(block.segments[0].key_frame, "each block starts with a key frame here");
        assert!(block.object.starts_with("blocks/2096-"), "{}", block.object);
        let covered: u32 = block.segments.iter().map(|segment| segment.raw_bytes).sum();
        assert_eq!(covered, block.raw_bytes);
        assert!(block.bytes * 5 < block.raw_bytes, "repetition costs little");
    }
    assert_eq!(compact(&world).await, 0, "nothing is left to do");
}

#[tokio::test]
async fn a_session_that_said_it_ended_is_compacted_sooner() {
    let world = small_blocks().await;
    world.send(&recording(0)).await;
    let mut last = recording(1);
    last.end = true;
    world.send(&last).await;
    world.process().await;
    world.pass(11_000);
    assert_eq!(compact(&world).await, 1);
}

#[tokio::test]
async fn late_batches_find_their_place() {
    let world = small_blocks().await;
    let late = [3, 40, 79, 81];
    for seq in (0..80).filter(|seq| !late.contains(seq)) {
        world.send(&recording(seq)).await;
    }
    world.process().await;
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    let before = world.blocks(session(1)).await;
    for seq in late {
        world.send(&recording(seq)).await;
    }
    world.process().await;
    assert_eq!(world.frames(session(1)).await.len(), late.len(), "visible as frames at once");
    assert_eq!(open_sessions(&world).await, 1);
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    assert_eq!(world.compacted(session(1)).await[&stream(1)], raw((0..80).chain([81])));
    assert!(world.frames(session(1)).await.is_empty());
    // Only what is behind the first late batch was written anew: here everything.
    assert_ne!(world.blocks(session(1)).await[0].1.object, before[0].1.object);
    world.send(&recording(82)).await;
    world.process().await;
    world.pass(61_000);
    let before = world.blocks(session(1)).await;
    assert_eq!(compact(&world).await, 1);
    let after = world.blocks(session(1)).await;
    assert_eq!(after[..before.len()], before[..], "blocks before a new batch stay as they are");
}

#[tokio::test]
async fn a_late_batch_that_races_with_compaction_is_kept() {
    let world = small_blocks().await;
    for seq in 0..40 {
        world.send(&recording(seq)).await;
    }
    world.process().await;
    world.pass(61_000);
    let running = world.start().await;
    let compacting = running.processor.clone();
    let compaction = tokio::spawn(async move { compacting.compact_now().await.unwrap() });
    for seq in 40..60 {
        world.send(&recording(seq)).await;
        tokio::task::yield_now().await;
    }
    world.catch_up().await;
    compaction.await.unwrap();
    running.stop().await;
    world.pass(61_000);
    compact(&world).await;
    assert_eq!(world.compacted(session(1)).await[&stream(1)], raw(0..60));
    assert_eq!(open_sessions(&world).await, 0);
}

#[tokio::test]
async fn two_compactions_at_once_lose_nothing() {
    let world = small_blocks().await;
    for seq in 0..40 {
        world.send(&recording(seq)).await;
    }
    world.process().await;
    world.pass(61_000);
    let running = world.start().await;
    let (one, other) = (running.processor.clone(), running.processor.clone());
    let (one, other) = tokio::join!(one.compact_now(), other.compact_now());
    assert!(one.unwrap() + other.unwrap() >= 1);
    running.stop().await;
    assert_eq!(world.compacted(session(1)).await[&stream(1)], raw(0..40));
}

#[tokio::test]
async fn parts_of_a_split_event_are_joined_or_wait() {
    let world = small_blocks().await;
    let line = format!("{}\n", json!({"type": 2, "data": "z".repeat(10_000), "timestamp": 1})).into_bytes();
    let part = |seq: u64, index: u32| {
        let at = index as usize * 4_000;
        let mut batch = Batch::new(1, 1, seq);
        batch.dom = line[at..line.len().min(at + 4_000)].to_vec();
        batch.key_frame = index == 0;
        batch.part = Some((index, 3));
        batch
    };
    world.send(&recording(0)).await;
    world.send(&part(1, 0)).await;
    world.send(&part(3, 2)).await;
    world.send(&recording(4)).await;
    world.process().await;
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    assert_eq!(world.compacted(session(1)).await[&stream(1)], raw([0, 4].into_iter()));
    assert_eq!(world.frames(session(1)).await.len(), 2, "two parts wait for the third");
    world.send(&part(2, 1)).await;
    world.process().await;
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    let expected = [recording(0).dom, line.clone(), recording(4).dom].concat();
    assert_eq!(world.compacted(session(1)).await[&stream(1)], expected);
    assert!(world.frames(session(1)).await.is_empty());
}

#[tokio::test]
async fn a_broken_frame_is_a_gap_and_the_rest_plays() {
    let world = small_blocks().await;
    world.send(&recording(0)).await;
    let mut bomb = recording(1);
    bomb.dom = [bomb.dom, vec![b'x'; 1 << 20]].concat();
    bomb.dom_raw = Some(recording(1).dom.len() + 100);
    world.send(&bomb).await;
    world.send(&recording(2)).await;
    world.process().await;
    world.pass(61_000);
    assert_eq!(compact(&world).await, 1);
    assert_eq!(
        world.compacted(session(1)).await[&stream(1)],
        raw(0..3),
        "whole lines up to the declared length"
    );
    let blocks = world.blocks(session(1)).await;
    assert_eq!(blocks[0].1.gaps[0].reason, "frame_too_long");
}

// On several threads sessions are worked on at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_was_not_written_takes_no_session_with_it() {
    let mut world = small_blocks().await;
    world.config.object_bytes = 64 << 10;
    world.blobs = Arc::new(Door::refusing(1));
    // Blocks that do not shrink: some are in an object that is full before their session is done.
    let noise = |id: u8, seq: u64| {
        let mut state = u64::from(id) << 32 | seq << 8 | 1;
        let text = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:016x}", state)
        });
        Batch::new(id, 1, seq).dom_event(3, &text.take(1_000).collect::<String>())
    };
    for id in 1..=9 {
        for seq in 0..16 {
            world.send(&noise(id, seq)).await;
        }
    }
    world.process().await;
    world.pass(61_000);
    let first = compact(&world).await;
    assert!(first < 9, "an object was refused");
    while open_sessions(&world).await > 0 {
        compact(&world).await;
    }
    for id in 1..=9 {
        let expected: Vec<u8> = (0..16).flat_map(|seq| noise(id, seq).dom).collect();
        assert!(world.compacted(session(id)).await[&stream(1)] == expected, "{id}");
    }
}

#[tokio::test]
async fn sessions_compacted_together_share_objects() {
    let world = small_blocks().await;
    for id in 1..=20 {
        world.send(&Batch::new(id, 1, 0).key_frame("small")).await;
    }
    world.process().await;
    world.pass(61_000);
    assert_eq!(compact(&world).await, 20);
    let blocks: Vec<_> =
        world.objects().await.into_iter().filter(|name| name.starts_with("blocks/")).collect();
    assert_eq!(blocks.len(), 1);
}
