//! `kill -9` of a process that appends: what it said was acknowledged is there, exactly as written.
//!
//! The test starts itself as the process to kill. It prints every acknowledged append.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::clock::Clock;
use playhead_backends::log::embedded::{EmbeddedLog, LogConfig};
use playhead_backends::store::embedded::{EmbeddedStore, StoreConfig};
use playhead_domain::log::{EventLog, Record, Retention, StoredRecord, TopicSpec};
use playhead_domain::store::{Key, Mutation, Store};
use playhead_domain::table::{self, SESSION_KEYS};

const TOPIC: TopicSpec = TopicSpec {
    name: "events",
    partitions: 4,
    retention: Retention::Time(Duration::from_secs(86_400)),
    max_record_bytes: 1 << 20,
};
const FOLDER: &str = "PLAYHEAD_CRASH_TEST_FOLDER";
const ROUNDS: u64 = 12;

/// Small files and memtables, so that kills also fall into changes of files and flushes.
fn open_log(folder: &Path) -> EmbeddedLog {
    let config = LogConfig { file_bytes: 1 << 20, ..LogConfig::default() };
    EmbeddedLog::open(&folder.join("log"), config, Clock::system()).unwrap()
}

fn open_store(folder: &Path) -> EmbeddedStore {
    let config = StoreConfig { memtable_bytes: 256 << 10, ..StoreConfig::default() };
    EmbeddedStore::open(&folder.join("store"), table::ALL, config, Clock::system()).unwrap()
}

/// A value that its number determines: incompressible, of varying length.
fn value(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let length = 200 + (state >> 40) as usize % 20_000;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn session_key(number: u64) -> Key {
    let session = number.to_be_bytes().to_vec();
    Key { partition: vec![1.into(), 2.into(), session.into()], clustering: vec![] }
}

/// The process to kill: appends and writes from eight tasks until the end.
#[test]
fn append_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = Path::new(&folder);
        let (log, store) = (Arc::new(open_log(folder)), Arc::new(open_store(folder)));
        log.ensure_topic(&TOPIC).await.unwrap();
        let mut first = 0;
        for partition in 0..TOPIC.partitions {
            first += log.offsets(TOPIC.name, partition).await.unwrap().end;
        }
        let tasks = (0..8).map(|task| tokio::spawn(work(log.clone(), store.clone(), first * 1_000 + task)));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

async fn work(log: Arc<EmbeddedLog>, store: Arc<EmbeddedStore>, first: u64) {
    for number in (first..).step_by(8) {
        let key = number.to_be_bytes().to_vec();
        let record = Record { key: key.into(), value: value(number).into(), meta: "meta".into() };
        let position = log.append(TOPIC.name, record).await.unwrap();
        println!("log {number} {} {}", position.partition, position.offset);
        let row = value(number)[..200].to_vec().into();
        let put = Mutation::Put {
            table: &SESSION_KEYS,
            key: session_key(number),
            value: row,
            version: 1,
            expires_at_ms: Some(i64::MAX - 1),
        };
        store.write(vec![put]).await.unwrap();
        println!("row {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[derive(Default)]
struct Acknowledged {
    records: BTreeMap<u64, (u32, u64)>,
    rows: Vec<u64>,
}

/// Starts the process, kills it after `lines` acknowledgements, and notes all that it printed.
fn run_and_kill(folder: &Path, lines: usize, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["append_until_killed", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["log", number, partition, offset] => {
                let position = (partition.parse().unwrap(), offset.parse().unwrap());
                let again = acknowledged.records.insert(number.parse().unwrap(), position);
                assert_eq!(again, None, "one number, one place");
            }
            ["row", number] => acknowledged.rows.push(number.parse().unwrap()),
            _ => continue,
        }
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= lines, "the process ended by itself after {seen} acknowledgements");
}

async fn check(folder: &Path, acknowledged: &Acknowledged) {
    let (log, store) = (open_log(folder), open_store(folder));
    log.ensure_topic(&TOPIC).await.unwrap();
    let mut stored: BTreeMap<(u32, u64), StoredRecord> = BTreeMap::new();
    for partition in 0..TOPIC.partitions {
        let range = log.offsets(TOPIC.name, partition).await.unwrap();
        let mut next = range.start;
        while next < range.end {
            let read = log.read(TOPIC.name, partition, next, 8 << 20, Duration::ZERO).await.unwrap();
            for record in read {
                assert_eq!(record.position.offset, next, "no gaps");
                next += 1;
                stored.insert((partition, record.position.offset), record);
            }
        }
    }
    for (number, position) in &acknowledged.records {
        let record = stored.get(position).unwrap_or_else(|| panic!("record {number} is lost"));
        assert_eq!(&record.key[..], number.to_be_bytes());
        assert_eq!((&record.value[..], &record.meta[..]), (&value(*number)[..], &b"meta"[..]));
    }
    for number in &acknowledged.rows {
        let row = store.get(&SESSION_KEYS, &session_key(*number)).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("row {number} is lost"));
        assert_eq!(&row.value[..], &value(*number)[..200]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let lines = 1 + (round * 379) as usize % 1_500;
        run_and_kill(folder.path(), lines, &mut acknowledged);
        check(folder.path(), &acknowledged).await;
    }
    assert!(acknowledged.records.len() > 1_000);
}
