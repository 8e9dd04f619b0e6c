//! How fast a log appends, and how fast the disk under it could be at best.

use std::fs::OpenOptions;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhead_domain::log::{Error, EventLog, Record};
use serde::Serialize;

/// A load: `writers` tasks that each append the next record once the last one is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    pub record_bytes: usize,
    pub writers: usize,
    pub total_bytes: usize,
}

/// What was reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    pub records_per_s: f64,
    /// Millions of bytes of values.
    pub mb_per_s: f64,
    /// Of one append; of one group for the bare file.
    pub latency_p50_us: u64,
    pub latency_p99_us: u64,
}

/// Puts the load on a topic of a log. Records are incompressible.
///
/// # Errors
/// The first error that the log returned.
pub async fn measure_log(log: Arc<dyn EventLog>, topic: &str, load: Load) -> Result<Measured, Error> {
    let each = load.total_bytes / load.record_bytes / load.writers;
    let started = Instant::now();
    let mut tasks = Vec::with_capacity(load.writers);
    for writer in 0..load.writers {
        let (log, topic, value) = (Arc::clone(&log), topic.to_owned(), noise(load.record_bytes, writer));
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::with_capacity(each);
            for number in 0..each {
                let key = Bytes::from([writer.to_be_bytes(), number.to_be_bytes()].concat());
                let begun = Instant::now();
                let meta = Bytes::from_static(&[0; 64]);
                log.append(&topic, Record { key, value: value.clone(), meta }).await?;
                latencies.push(begun.elapsed());
            }
            Ok::<_, Error>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.map_err(|error| Error::Unavailable(error.to_string()))??);
    }
    let records = latencies.len();
    Ok(Measured::of(records, load.record_bytes, started.elapsed(), latencies))
}

/// The ceiling: the same bytes, appended to a preallocated file in groups of one record per writer, with one fdatasync per
/// group. Blocks.
///
/// # Errors
/// When the file cannot be written.
pub fn measure_file(path: &Path, load: Load) -> io::Result<Measured> {
    let group = noise(load.record_bytes * load.writers, 0);
    let groups = (load.total_bytes / group.len()).max(1);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    for _ in 0..groups {
        file.write_all(&group)?;
    }
    file.sync_all()?;
    file.rewind()?;
    let started = Instant::now();
    let mut latencies = Vec::with_capacity(groups);
    for _ in 0..groups {
        let begun = Instant::now();
        file.write_all(&group)?;
        file.sync_data()?;
        latencies.push(begun.elapsed());
    }
    let elapsed = started.elapsed();
    std::fs::remove_file(path)?;
    Ok(Measured::of(groups * load.writers, load.record_bytes, elapsed, latencies))
}

impl Measured {
    fn of(records: usize, record_bytes: usize, elapsed: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |per_cent: usize| {
            let index = latencies.len().saturating_sub(1) * per_cent / 100;
            latencies.get(index).map_or(0, |latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX))
        };
        let seconds = elapsed.as_secs_f64();
        Self {
            records_per_s: records as f64 / seconds,
            mb_per_s: (records * record_bytes) as f64 / 1e6 / seconds,
            latency_p50_us: at(50),
            latency_p99_us: at(99),
        }
    }
}

/// Bytes that no compression makes shorter.
fn noise(length: usize, seed: usize) -> Bytes {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
