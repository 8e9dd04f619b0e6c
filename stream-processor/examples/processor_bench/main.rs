//! What the processor costs: folding and flushing against a floor that reads the same records, inflates their signals and parses
//! them with the same parser; compaction against inflating and compressing alone; what is stored, against the same data as JSON
//! lines under Snappy and as the frames that came in; and how many frames of errors are read and grouped. Real recordings, in
//! memory, so that only the processor's own work counts.
//! Contestants take turns. Prints JSON; rates are per second of processor time, which hardly depends on what else the machine does.
//!
//! ```sh
//! cargo run --release -p playhead-stream-processor --example processor_bench -- --sessions 400
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

mod corpus;
mod errors;
mod floor;
mod processor_time;
mod storage;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use crate::world::World;

/// The product's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Debug, Parser)]
struct Options {
    /// Recordings, as `loadtest record` makes them.
    #[arg(long, default_value = "loadtest/corpus/pages.corpus")]
    corpus: PathBuf,
    /// Sessions per turn; each plays one of the recordings.
    #[arg(long, default_value_t = 200)]
    sessions: usize,
    #[arg(long, default_value_t = 5)]
    turns: usize,
}

/// One turn's processor time of each contestant.
struct Turn {
    processing: Duration,
    parsing: Duration,
    compaction: Duration,
    recompression: Duration,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let corpus = corpus::read(&options.corpus);
    let (mut turns, mut stored) = (Vec::new(), None);
    for turn in 0..=options.turns {
        let mut world = World::filled(&corpus, options.sessions).await;
        let parsing = floor::parse(&world).await;
        let processing = world.process().await;
        let recompression = floor::recompress(&world).await;
        let (compaction, compacted) = world.compact().await;
        assert_eq!(compacted, options.sessions, "every session is compacted");
        // The first turn warms up.
        if turn > 0 {
            turns.push(Turn { processing, parsing, compaction, recompression });
        }
        stored = Some(storage::measure(&world).await);
        world.stop().await;
    }
    let stored = stored.unwrap();
    let (packed, raw) = (stored.frame_bytes as f64 / 1e6, stored.dom_raw_bytes as f64 / 1e6);
    let rate = |megabytes: f64, time: fn(&Turn) -> Duration| {
        median(turns.iter().map(|turn| megabytes / time(turn).as_secs_f64()).collect())
    };
    let ratio = |ours: fn(&Turn) -> Duration, theirs: fn(&Turn) -> Duration| {
        median(turns.iter().map(|turn| theirs(turn).as_secs_f64() / ours(turn).as_secs_f64()).collect())
    };
    let report = json!({
        "benchmark": "processor", "sessions": options.sessions, "turns": options.turns,
        "batches": stored.batches, "batch_mb": round(packed), "dom_raw_mb": round(raw),
        "processing": {
            "mb_per_cpu_s": rate(packed, |turn| turn.processing),
            "floor_mb_per_cpu_s": rate(packed, |turn| turn.parsing),
            "ratio": ratio(|turn| turn.processing, |turn| turn.parsing),
            "us_per_batch": median(turns.iter()
                .map(|turn| turn.processing.as_secs_f64() * 1e6 / stored.batches as f64).collect()),
        },
        "compaction": {
            "raw_mb_per_cpu_s": rate(raw, |turn| turn.compaction),
            "floor_raw_mb_per_cpu_s": rate(raw, |turn| turn.recompression),
            "ratio": ratio(|turn| turn.compaction, |turn| turn.recompression),
        },
        "storage": stored.report(options.sessions),
        "errors": errors::measure(),
    });
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    round(values[values.len() / 2])
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
