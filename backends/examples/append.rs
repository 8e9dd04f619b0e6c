//! Prints how fast the embedded log appends, against a bare preallocated file, as JSON.
//!
//! `cargo run --release -p playhead-backends --example append [FOLDER]`

#![allow(clippy::unwrap_used, reason = "a tool for developers: it may end with a panic")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::clock::Clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::log::measure::{Load, measure_file, measure_log};
use playhead_domain::log::{EventLog, Retention, TopicSpec};

const TOPIC: TopicSpec = TopicSpec {
    name: "measured",
    partitions: 8,
    retention: Retention::Time(Duration::from_secs(86_400)),
    max_record_bytes: 1 << 20,
};

#[tokio::main]
async fn main() {
    let parent = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let mut results = Vec::new();
    for (record_bytes, writers) in [(4 << 10, 64), (16 << 10, 32), (64 << 10, 16)] {
        let load = Load { record_bytes, writers, total_bytes: 512 << 20 };
        let folder = tempfile::tempdir_in(&parent).unwrap();
        let ceiling = measure_file(&folder.path().join("file"), load).unwrap();
        let log =
            EmbeddedLog::open(&folder.path().join("log"), LogConfig::default(), Clock::system()).unwrap();
        log.ensure_topic(&TOPIC).await.unwrap();
        let log = measure_log(Arc::new(log), TOPIC.name, load).await.unwrap();
        let ratio = log.mb_per_s / ceiling.mb_per_s;
        results.push(serde_json::json!({ "load": load, "log": log, "file": ceiling, "ratio": ratio }));
    }
    println!("{}", serde_json::to_string_pretty(&results).unwrap());
}
