//! A session of 200 MB is compacted with a fraction of its size in memory. In a process of its own: the peak is the process's.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "processor/world.rs"]
#[expect(dead_code, reason = "the other tests use the rest of it")]
mod world;

use std::sync::Arc;

use object_store::local::LocalFileSystem;
use world::{Batch, embedded, session, stream};

const BATCHES: u64 = 3_200;
const BATCH_BYTES: usize = 64 << 10;
/// The log's and the store's own buffers are in it, too; a copy of the whole recording would go past it.
const PEAK_BYTES: usize = 192 << 20;

fn recording(seq: u64) -> Batch {
    let text: String =
        (0..).map(|n| format!("node {} of {seq} ", n * 7 % 1_000)).take(BATCH_BYTES / 16).collect();
    let batch = Batch::new(1, 1, seq);
    if seq.is_multiple_of(100) { batch.key_frame(&text) } else { batch.dom_event(3, &text) }
}

fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test]
async fn a_large_session_is_compacted_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = embedded(folder.path()).await;
    // Blobs in memory would count, too.
    let blobs = folder.path().join("blobs");
    std::fs::create_dir(&blobs).unwrap();
    world.blobs = Arc::new(LocalFileSystem::new_with_prefix(blobs).unwrap());
    let running = world.start().await;
    let mut raw_bytes = 0;
    for seq in 0..BATCHES {
        let batch = recording(seq);
        raw_bytes += batch.dom.len();
        world.send(&batch).await;
    }
    world.catch_up().await;
    world.pass(61_000);
    assert_eq!(running.processor.compact_now().await.unwrap(), 1);
    running.stop().await;
    assert!(raw_bytes > 200 << 20, "{raw_bytes}");
    let blocks = world.blocks(session(1)).await;
    assert_eq!(blocks.iter().map(|(_, block)| block.raw_bytes as usize).sum::<usize>(), raw_bytes);
    assert!(blocks.iter().all(|(id, block)| *id == stream(1) && block.raw_bytes <= 12 << 20));
    let peak = peak_bytes();
    assert!(peak < PEAK_BYTES, "the peak was {} MiB", peak >> 20);
}
