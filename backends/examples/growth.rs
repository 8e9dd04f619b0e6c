//! Prints whether the embedded store stays as quick as it grows, as JSON: rows are written and, some thousand writes later, deleted, as flushes and
//! compaction do it with frames. Each delete is remembered for days, and looked for with each write.
//!
//! `cargo run --release -p playhead-backends --example growth [MILLIONS OF DELETES] [FOLDER]`

#![allow(clippy::unwrap_used, reason = "a tool for developers: it may end with a panic")]

use std::path::PathBuf;
use std::time::Instant;

use playhead_backends::clock::Clock;
use playhead_backends::store::embedded::{EmbeddedStore, StoreConfig};
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{Mutation, Store};
use playhead_domain::table;

/// The product's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const FRAMES: u64 = 10;
/// Sessions of one write, and how many writes later they are compacted.
const SESSIONS: u64 = 100;
const LATER: u64 = 200;
/// Of a row that says where a frame is.
const ROW_BYTES: usize = 120;
const PARTS: u64 = 10;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let millions: u64 = arguments.next().map_or(2, |number| number.parse().unwrap());
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(&parent).unwrap();
    let tables = [&table::SESSION_FRAMES];
    let store =
        EmbeddedStore::open(&folder.path().join("store"), &tables, StoreConfig::default(), Clock::system())
            .unwrap();
    let writes = millions * 1_000_000 / (FRAMES * SESSIONS);
    let mut parts = Vec::new();
    for part in 0..PARTS {
        let begun = Instant::now();
        for write in part * writes / PARTS..(part + 1) * writes / PARTS {
            store.write(rows(write, put)).await.unwrap();
            if let Some(over) = write.checked_sub(LATER) {
                store.write(rows(over, delete)).await.unwrap();
            }
        }
        let rows = (writes / PARTS * FRAMES * SESSIONS * 2) as f64;
        parts.push(serde_json::json!({"rows_per_s": (rows / begun.elapsed().as_secs_f64()).round()}));
    }
    let report = serde_json::json!({"benchmark": "growth", "millions_of_deletes": millions, "parts": parts});
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}

fn rows(write: u64, mutation: fn(playhead_domain::store::Key) -> Mutation) -> Vec<Mutation> {
    let scope = Scope::of_log_record(TenantId(1), ProjectId(1));
    let sessions = write * SESSIONS..(write + 1) * SESSIONS;
    let keys = sessions.flat_map(|number| {
        // Ids are random.
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        (0..FRAMES).map(move |seq| key::batch(scope, SessionId(id), StreamId([1; 8]), seq))
    });
    keys.map(mutation).collect()
}

fn put(key: playhead_domain::store::Key) -> Mutation {
    let value = vec![7; ROW_BYTES].into();
    Mutation::Put { table: &table::SESSION_FRAMES, key, value, version: 1, expires_at_ms: Some(i64::MAX / 2) }
}

fn delete(key: playhead_domain::store::Key) -> Mutation {
    Mutation::Delete { table: &table::SESSION_FRAMES, key, version: 1 }
}
