//! A log that is full, and a processor over it; everything in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::log::{EventLog, Record, StoredRecord, TopicSpec};
use playhead_domain::project::{self, ProjectDirectory};
use playhead_domain::row::{PartitionControl, Project};
use playhead_domain::session::key;
use playhead_domain::store::Store;
use playhead_domain::{table, topic};
use playhead_proto::key::InstallationKey;
use playhead_proto::record::RecordMeta;
use playhead_stream_processor::{Config, Parts, Processor};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::corpus::Recording;
use crate::processor_time;

const PARTITIONS: u32 = 4;
const TENANT: u64 = 1;
const PROJECT: u64 = 2;
const READ_BYTES: usize = 64 << 20;
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

pub(crate) struct World {
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    processor: Processor,
    now_us: Arc<AtomicI64>,
    follow: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
}

fn spec() -> TopicSpec {
    topic::batches(PARTITIONS, Duration::from_secs(86_400))
}

impl World {
    /// A world whose log holds every batch of so many sessions, as if they had all been there at the same time.
    pub(crate) async fn filled(corpus: &[Recording], sessions: usize) -> Self {
        let now_us = Arc::new(AtomicI64::new(Clock::system().now_us()));
        let read = Arc::clone(&now_us);
        let clock = Clock::from_fn(move || read.load(Ordering::Relaxed));
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(clock.clone()));
        log.ensure_topic(&spec()).await.unwrap();
        let shop = Project { tenant: TENANT, project: PROJECT, retention_days: 30, ..Project::default() };
        project::publish(&*log, &shop).await.unwrap();
        let directory = Arc::new(ProjectDirectory::new());
        let (following, source) = (Arc::clone(&directory), Arc::clone(&log));
        let follow = tokio::spawn(async move { following.follow(source).await.unwrap() });
        let blobs: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let hour_ms = 3_600_000;
        let processor = Processor::new(Parts {
            config: Config {
                compaction_interval_ms: hour_ms,
                collection_interval_ms: 24 * hour_ms,
                ..Config::default()
            },
            topic: spec(),
            log: log.clone(),
            store: store.clone(),
            blobs: blobs.clone(),
            directory,
            installation_key: InstallationKey::new([3; 32]),
            countries: None,
            registry: prometheus::Registry::new(),
            clock: Arc::new(move || clock.now_us()),
        })
        .unwrap();
        let (stop, running) = (CancellationToken::new(), None);
        let world = Self { log, store, blobs, processor, now_us, follow, stop, running };
        world.fill(corpus, sessions).await;
        world
    }

    /// Sessions take turns, as visitors do who are there at the same time.
    async fn fill(&self, corpus: &[Recording], sessions: usize) {
        let longest = corpus.iter().map(|recording| recording.batches.len()).max().unwrap();
        for at in 0..longest {
            for visitor in 0..sessions {
                let recording = &corpus[visitor % corpus.len()];
                let Some(batch) = recording.batches.get(at) else { continue };
                let mut session = [0xab; 16];
                session[..8].copy_from_slice(&(visitor as u64).to_le_bytes());
                let value = batch.body(visitor, session, recording.last_ms);
                let meta = RecordMeta {
                    tenant_id: TENANT,
                    project_id: PROJECT,
                    received_us: self.now_us.load(Ordering::Relaxed),
                    client_ip: vec![192, 0, 2, 1].into(),
                    user_agent: USER_AGENT.to_owned(),
                    ..RecordMeta::default()
                };
                let key = Bytes::copy_from_slice(&session);
                let record = Record { key, value, meta: meta.encode_to_vec().into() };
                self.log.append(topic::BATCHES, record).await.unwrap();
            }
        }
    }

    /// Everything in the log.
    pub(crate) async fn records(&self) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        for partition in 0..PARTITIONS {
            let mut next = 0;
            loop {
                let read =
                    self.log.read(topic::BATCHES, partition, next, READ_BYTES, Duration::ZERO).await.unwrap();
                let Some(last) = read.last() else { break };
                next = last.position.offset + 1;
                records.extend(read);
            }
        }
        records
    }

    /// Processes all that is in the log; the processor time that this took. The processor goes on to own the partitions.
    pub(crate) async fn process(&mut self) -> Duration {
        let before = processor_time::used();
        let (processor, stopped) = (self.processor.clone(), self.stop.clone());
        self.running = Some(tokio::spawn(async move { processor.run(stopped).await.unwrap() }));
        while !self.is_all_committed().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        processor_time::used() - before
    }

    async fn is_all_committed(&self) -> bool {
        let mut waiting = 0;
        for partition in 0..PARTITIONS {
            let end = self.log.offsets(topic::BATCHES, partition).await.unwrap().end;
            let key = key::control(topic::BATCHES, partition);
            let row = self.store.get_serial(&table::PARTITION_CONTROL, &key).await.unwrap();
            let done = row.map_or(0, |row| PartitionControl::decode(row).unwrap().next_offset);
            waiting += end - done;
        }
        waiting == 0
    }

    /// Compacts every session, long after its end. Processor time, and how many sessions.
    pub(crate) async fn compact(&self) -> (Duration, usize) {
        self.now_us.fetch_add(3_600_000_000, Ordering::Relaxed);
        let before = processor_time::used();
        let compacted = self.processor.compact_now().await.unwrap();
        (processor_time::used() - before, compacted)
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Some(running) = self.running {
            running.await.unwrap();
        }
        self.follow.abort();
        drop(self.follow.await);
    }
}
