//! A log, a store, blobs and a clock to try the processor on, and what a reader would see of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::log::{EventLog, Record, TopicSpec};
use playhead_domain::performance::name;
use playhead_domain::project::{self, ProjectDirectory};
use playhead_domain::row::{
    Block, EventChunk, Frame, IntakeCounts, PartitionControl, Project, SessionKey, SessionState,
    SessionSummary,
};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{DataKey, KeyWrapper, Purpose, WRAPPING_PURPOSE};
use playhead_domain::session::{facet, key, state};
use playhead_domain::store::{ClusteringRange, Key, Order, Row, Store, Value};
use playhead_domain::table::{self, Table};
use playhead_domain::testkit::projection::{Place, Projection};
use playhead_domain::topic;
use playhead_proto::frame::{Encoding, inflate};
use playhead_proto::key::InstallationKey;
use playhead_proto::record::RecordMeta;
use playhead_stream_processor::{Config, CountryLookup, Error, Hooks, Parts, Processor};
use prost::Message;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Far ahead of the system's clock, which object stores use: every object is old by this one.
pub(crate) const START_MS: i64 = 4_000_000_000_000;
pub(crate) const TENANT: u64 = 7;
pub(crate) const PROJECT: u64 = 42;
pub(crate) const PARTITIONS: u32 = 2;
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

pub(crate) fn scope() -> Scope {
    Scope::of_log_record(TenantId(TENANT), ProjectId(PROJECT))
}

pub(crate) fn session(id: u8) -> SessionId {
    SessionId([id; 16])
}

pub(crate) fn stream(id: u8) -> StreamId {
    StreamId([id; 8])
}

/// A batch to send. Times are the browser's.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) session: SessionId,
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    pub(crate) signals: Vec<u8>,
    pub(crate) dom: Vec<u8>,
    pub(crate) key_frame: bool,
    pub(crate) part: Option<(u32, u32)>,
    pub(crate) end: bool,
    pub(crate) from: i64,
    /// The browser's clock minus the server's.
    pub(crate) skew_ms: i64,
    /// Replace what the header says of the frames' inflated lengths.
    pub(crate) signals_raw: Option<usize>,
    pub(crate) dom_raw: Option<usize>,
    pub(crate) signal_rate: f64,
}

impl Batch {
    pub(crate) fn new(session_id: u8, stream_id: u8, seq: u64) -> Self {
        Self {
            session: session(session_id),
            stream: stream(stream_id),
            seq,
            signals: Vec::new(),
            dom: Vec::new(),
            key_frame: false,
            part: None,
            end: false,
            from: START_MS + 1_000 * i64::try_from(seq).unwrap(),
            skew_ms: 0,
            signals_raw: None,
            dom_raw: None,
            signal_rate: 1.0,
        }
    }

    pub(crate) fn signal(mut self, signal: serde_json::Value) -> Self {
        let mut signal = signal;
        if signal.get("t").is_none() {
            signal["t"] = json!(self.from + self.skew_ms);
        }
        serde_json::to_writer(&mut self.signals, &signal).unwrap();
        self.signals.push(b'\n');
        self
    }

    pub(crate) fn page(self, url: &str) -> Self {
        self.signal(json!({"k": "page", "url": url, "screen": [1920, 1080], "viewport": [1280, 720],
            "language": "pt-PT", "time_zone": "Europe/Lisbon", "release": "shop@1", "environment": "test", "sdk": "0.1.0"}))
    }

    pub(crate) fn dom_event(mut self, kind: u8, text: &str) -> Self {
        let event = json!({"type": kind, "data": {"text": text}, "timestamp": self.from + self.skew_ms});
        serde_json::to_writer(&mut self.dom, &event).unwrap();
        self.dom.push(b'\n');
        self
    }

    pub(crate) fn key_frame(mut self, text: &str) -> Self {
        self.key_frame = true;
        self.dom_event(4, "meta").dom_event(2, text)
    }

    pub(crate) fn body(&self, now_ms: i64) -> Bytes {
        let (signals, dom) = (deflate(&self.signals), deflate(&self.dom));
        let events = self.dom.iter().filter(|&&byte| byte == b'\n').count();
        let mut header = json!({
            "v": 1, "key": "phk_x", "session": self.session, "stream": self.stream, "seq": self.seq, "tab": 1,
            "sent": now_ms + self.skew_ms, "from": self.from + self.skew_ms, "to": self.from + 900 + self.skew_ms,
            "signals": {"len": signals.len(), "raw": self.signals_raw.unwrap_or(self.signals.len()), "enc": "deflate"},
            "dom": {"len": dom.len(), "raw": self.dom_raw.unwrap_or(self.dom.len()), "enc": "deflate",
                "key": self.key_frame, "events": events},
            "rates": {"dom": 1, "dom_on_error": 1, "signals": self.signal_rate}, "end": self.end,
        });
        if let Some((index, count)) = self.part {
            header["part"] = json!([index, count]);
        }
        let mut body = header.to_string().into_bytes();
        body.push(b'\n');
        body.extend(signals);
        body.extend(dom);
        body.into()
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Portugal;

impl CountryLookup for Portugal {
    fn country(&self, address: std::net::IpAddr) -> Option<String> {
        (address.to_string() == "192.0.2.1").then(|| "PT".to_owned())
    }
}

pub(crate) struct Running {
    pub(crate) processor: Processor,
    registry: prometheus::Registry,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Running {
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let value = |metric: &prometheus::proto::Metric| {
            metric.get_counter().get_value() + metric.get_gauge().get_value()
        };
        family.get_metric().iter().map(value).sum()
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) topic: TopicSpec,
    pub(crate) store: Arc<dyn Store>,
    /// The same, if it is one in memory.
    pub(crate) memory: Option<Arc<MemoryStore>>,
    pub(crate) blobs: Arc<dyn ObjectStore>,
    pub(crate) directory: Arc<ProjectDirectory>,
    pub(crate) config: Config,
    now_us: Arc<AtomicI64>,
    follow: Arc<tokio::task::JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        if Arc::strong_count(&self.follow) == 1 {
            self.follow.abort();
        }
    }
}

pub(crate) fn spec() -> TopicSpec {
    topic::batches(PARTITIONS, Duration::from_secs(7 * 86_400))
}

pub(crate) fn installation() -> InstallationKey {
    InstallationKey::new([5; 32])
}

pub(crate) fn settable_clock() -> (Arc<AtomicI64>, Clock) {
    let now_us = Arc::new(AtomicI64::new(START_MS * 1_000));
    let read = Arc::clone(&now_us);
    (now_us, Clock::from_fn(move || read.load(Ordering::Relaxed)))
}

impl World {
    /// Everything in memory.
    pub(crate) async fn new() -> Self {
        let (now_us, clock) = settable_clock();
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let mut world = Self::on(Arc::new(MemoryLog::new(clock)), Arc::clone(&store) as _, now_us).await;
        world.memory = Some(store);
        world
    }

    /// The same log with an empty store and no blobs.
    pub(crate) fn emptied(&self) -> Self {
        let store = Arc::new(MemoryStore::new(self.clock()));
        let memory = Some(Arc::clone(&store));
        let mut emptied = self.clone();
        (emptied.store, emptied.memory, emptied.blobs) = (store, memory, Arc::new(InMemory::new()));
        emptied
    }

    pub(crate) async fn on(log: Arc<dyn EventLog>, store: Arc<dyn Store>, now_us: Arc<AtomicI64>) -> Self {
        let directory = Arc::new(ProjectDirectory::new());
        log.ensure_topic(&spec()).await.unwrap();
        let (following, source) = (Arc::clone(&directory), Arc::clone(&log));
        let follow = tokio::spawn(async move { following.follow(source).await.unwrap() });
        let config = Config {
            request_statistics: true,
            flush_interval_ms: 10,
            session_idle_ms: 60_000,
            compaction_interval_ms: 3_600_000,
            collection_interval_ms: 86_400_000,
            unknown_project_wait_ms: 50,
            ..Config::default()
        };
        let blobs = Arc::new(InMemory::new());
        let (topic, follow) = (spec(), Arc::new(follow));
        let world = Self { log, topic, store, memory: None, blobs, directory, config, now_us, follow };
        world.project(|_| {}).await;
        world
    }

    pub(crate) async fn project(&self, change: impl FnOnce(&mut Project)) {
        let mut project = Project {
            tenant: TENANT,
            project: PROJECT,
            retention_days: 30,
            slow_request_ms: 1_000,
            store_ip: true,
            ..Project::default()
        };
        change(&mut project);
        project::publish(&*self.log, &project).await.unwrap();
        while self.directory.get(ProjectId(PROJECT)).as_deref() != Some(&project) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let now_us = Arc::clone(&self.now_us);
        Clock::from_fn(move || now_us.load(Ordering::Relaxed))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_us.load(Ordering::Relaxed) / 1_000
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now_us.fetch_add(ms * 1_000, Ordering::Relaxed);
    }

    pub(crate) async fn send(&self, batch: &Batch) {
        self.pass(1);
        self.send_body(batch.session, batch.body(self.now_ms())).await;
    }

    pub(crate) async fn send_body(&self, session: SessionId, value: Bytes) {
        self.append(PROJECT, session, value).await;
    }

    /// To another project of the tenant.
    pub(crate) async fn send_as(&self, project: u64, batch: &Batch) {
        self.append(project, batch.session, batch.body(self.now_ms())).await;
    }

    /// As the gateway writes spans of the session's backend.
    pub(crate) async fn send_spans(&self, session: SessionId, body: Bytes) {
        self.pass(1);
        let meta = RecordMeta {
            tenant_id: TENANT,
            project_id: PROJECT,
            received_us: self.now_ms() * 1_000,
            backend: true,
            ..RecordMeta::default()
        };
        self.append_with(meta, session, body).await;
    }

    async fn append(&self, project_id: u64, session: SessionId, value: Bytes) {
        let meta = RecordMeta {
            tenant_id: TENANT,
            project_id,
            received_us: self.now_ms() * 1_000,
            client_ip: vec![192, 0, 2, 1].into(),
            user_agent: USER_AGENT.to_owned(),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            awaits_spans: true,
            ..RecordMeta::default()
        };
        self.append_with(meta, session, value).await;
    }

    async fn append_with(&self, meta: RecordMeta, session: SessionId, value: Bytes) {
        let meta = meta.encode_to_vec().into();
        let key = Bytes::copy_from_slice(&session.0);
        self.log.append(self.topic.name, Record { key, value, meta }).await.unwrap();
    }

    pub(crate) fn processor(&self, hooks: Hooks) -> Processor {
        self.processor_with(hooks, prometheus::Registry::new())
    }

    fn processor_with(&self, hooks: Hooks, registry: prometheus::Registry) -> Processor {
        let clock = Arc::clone(&self.now_us);
        let parts = Parts {
            config: self.config.clone(),
            topic: self.topic.clone(),
            log: Arc::clone(&self.log),
            store: Arc::clone(&self.store),
            blobs: Arc::clone(&self.blobs),
            directory: Arc::clone(&self.directory),
            installation_key: installation(),
            countries: Some(Arc::new(Portugal)),
            registry,
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        };
        Processor::with_hooks(parts, hooks).unwrap()
    }

    /// Runs a processor until everything in the log has its effect.
    pub(crate) async fn process(&self) {
        self.process_with(Hooks::default()).await.unwrap();
    }

    /// The same, unless a probe stops it.
    pub(crate) async fn process_with(&self, hooks: Hooks) -> Result<(), Error> {
        let processor = self.processor(hooks);
        let shutdown = CancellationToken::new();
        let run = processor.run(shutdown.clone());
        tokio::pin!(run);
        loop {
            tokio::select! {
                result = &mut run => return result,
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
            if self.is_caught_up().await {
                shutdown.cancel();
                return run.await;
            }
        }
    }

    /// Until every partition has another owner.
    pub(crate) async fn taken_over_since(&self, before: &[u64]) {
        while self.epochs().await.iter().zip(before).any(|(now, before)| now == before) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What is recorded of each partition's progress: checkpoint and range of the intent.
    pub(crate) async fn checkpoints(&self) -> Vec<(u64, Option<(u64, u64)>)> {
        let mut checkpoints = Vec::new();
        for partition in 0..self.topic.partitions {
            let control = self.control(partition).await;
            checkpoints.push((control.next_offset, control.intent.map(|intent| (intent.from, intent.to))));
        }
        checkpoints
    }

    pub(crate) async fn epochs(&self) -> Vec<u64> {
        let mut epochs = Vec::new();
        for partition in 0..self.topic.partitions {
            epochs.push(self.control(partition).await.epoch);
        }
        epochs
    }

    pub(crate) async fn control(&self, partition: u32) -> PartitionControl {
        let key = key::control(self.topic.name, partition);
        let row = self.store.get_serial(&table::PARTITION_CONTROL, &key).await.unwrap();
        row.map(|row| PartitionControl::decode(row).unwrap()).unwrap_or_default()
    }

    pub(crate) async fn is_caught_up(&self) -> bool {
        for partition in 0..self.topic.partitions {
            let end = self.log.offsets(self.topic.name, partition).await.unwrap().end;
            let control = self.control(partition).await;
            if control.next_offset < end || control.intent.is_some() || control.epoch == 0 {
                return false;
            }
        }
        true
    }

    /// A processor that has caught up and still runs, for [`Running::stop`].
    pub(crate) async fn start(&self) -> Running {
        let before = self.epochs().await;
        let running = self.spawn(Hooks::default());
        self.taken_over_since(&before).await;
        self.catch_up().await;
        while running.processor.owned_partitions() < self.topic.partitions as usize {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        running
    }

    /// A processor that runs.
    pub(crate) fn spawn(&self, hooks: Hooks) -> Running {
        let registry = prometheus::Registry::new();
        let processor = self.processor_with(hooks, registry.clone());
        let shutdown = CancellationToken::new();
        let (own, token) = (processor.clone(), shutdown.clone());
        let task = tokio::spawn(async move { own.run(token).await });
        Running { processor, registry, shutdown, task }
    }

    pub(crate) async fn catch_up(&self) {
        while !self.is_caught_up().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn erasure(&self) -> Erasure {
        Erasure::new(Arc::clone(&self.store), installation().derive(USER_HASH_PURPOSE))
    }

    pub(crate) async fn rows(&self, table: &'static Table, partition: Vec<Value>) -> Vec<Row> {
        self.store
            .scan(table, &partition, &ClusteringRange::ALL, Order::Ascending, 100_000)
            .await
            .unwrap()
            .rows
    }

    pub(crate) async fn session_rows(&self, table: &'static Table, id: SessionId) -> Vec<Row> {
        self.rows(table, key::session_partition(scope(), id)).await
    }

    async fn row<M: Message + Default>(&self, table: &'static Table, key: Key) -> Option<M> {
        self.store.get(table, &key).await.unwrap().map(|row| M::decode(row.value).unwrap())
    }

    /// Who stands for which name of an endpoint or page.
    pub(crate) async fn names(&self) -> Vec<(SessionId, String)> {
        let mut names = Vec::new();
        for shard in 0..name::SHARDS {
            for row in self.rows(&table::PERFORMANCE_NAMES, name::partition(scope(), shard)).await {
                let witness = name::of(&row.key.clustering).unwrap().1;
                names.push((witness, String::from_utf8(row.value.to_vec()).unwrap()));
            }
        }
        names
    }

    pub(crate) async fn summary(&self, id: SessionId) -> Option<SessionSummary> {
        state::newest(&*self.store, scope(), id).await.unwrap()?.summary
    }

    pub(crate) async fn data_key(&self, id: SessionId) -> Option<DataKey> {
        let row: SessionKey = self.row(&table::SESSION_KEYS, key::session(scope(), id)).await?;
        Some(KeyWrapper::new(installation().derive(WRAPPING_PURPOSE)).unwrap(id, &row.wrapped).unwrap())
    }

    /// The stored events of a session, in order of stream and `seq`.
    pub(crate) async fn events(&self, id: SessionId) -> Vec<serde_json::Value> {
        let Some(data_key) = self.data_key(id).await else { return Vec::new() };
        let mut events = Vec::new();
        for row in self.session_rows(&table::SESSION_EVENTS, id).await {
            let chunk = EventChunk::decode(row.value).unwrap();
            let lines = data_key.open_events(id, &chunk).unwrap();
            assert_eq!(lines.len(), chunk.raw_bytes as usize);
            let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            events.extend(lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap()));
        }
        events
    }

    async fn range(&self, object: &str, offset: u64, bytes: u32) -> Bytes {
        self.blobs.get_range(&Path::from(object), offset..offset + u64::from(bytes)).await.unwrap()
    }

    /// The raw dom of a stream, as far as it is in frames.
    pub(crate) async fn frames(&self, id: SessionId) -> BTreeMap<(StreamId, u64), Vec<u8>> {
        let Some(data_key) = self.data_key(id).await else { return BTreeMap::new() };
        let mut frames = BTreeMap::new();
        for row in self.session_rows(&table::SESSION_FRAMES, id).await {
            let frame = Frame::decode(row.value).unwrap();
            let sealed = self.range(&frame.object, frame.offset, frame.bytes).await;
            let packed = data_key.open(id, Purpose::Frame, &sealed).unwrap();
            let encoding = Encoding::from_name(&frame.encoding).unwrap();
            let raw = inflate(&packed, encoding, frame.raw_bytes as usize).unwrap_or_default();
            frames.insert(key::batch_of(&row.key.clustering).unwrap(), raw);
        }
        frames
    }

    pub(crate) async fn blocks(&self, id: SessionId) -> Vec<(StreamId, Block)> {
        let rows = self.session_rows(&table::SESSION_BLOCKS, id).await;
        let block =
            |row: Row| (key::batch_of(&row.key.clustering).unwrap().0, Block::decode(row.value).unwrap());
        rows.into_iter().map(block).collect()
    }

    /// The raw dom of each stream as compacted.
    pub(crate) async fn compacted(&self, id: SessionId) -> BTreeMap<StreamId, Vec<u8>> {
        let Some(data_key) = self.data_key(id).await else { return BTreeMap::new() };
        let mut streams: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
        for (stream, block) in self.blocks(id).await {
            let sealed = self.range(&block.object, block.offset, block.bytes).await;
            let raw = data_key.open_block(id, &block, &sealed, usize::MAX).unwrap();
            assert_eq!(raw.len(), block.raw_bytes as usize);
            streams.entry(stream).or_default().extend(raw);
        }
        streams
    }

    pub(crate) async fn objects(&self) -> BTreeSet<String> {
        use futures::TryStreamExt;
        let listed: Vec<_> = self.blobs.list(None).try_collect().await.unwrap();
        listed.into_iter().map(|object| object.location.to_string()).collect()
    }

    pub(crate) async fn intake(&self) -> IntakeCounts {
        let mut total = IntakeCounts::default();
        let today = key::day(self.now_ms());
        for day in today - 2..=today {
            let mut newest: BTreeMap<Value, IntakeCounts> = BTreeMap::new();
            for row in self.rows(&table::INTAKE_COUNTS, key::intake_partition(scope(), day)).await {
                let counts = IntakeCounts::decode(row.value).unwrap();
                let known = newest.entry(row.key.clustering[0].clone()).or_default();
                if counts.next_offset > known.next_offset {
                    *known = counts;
                }
            }
            newest.values().for_each(|counts| total.add(counts));
        }
        total
    }

    /// Every row that tells of what was processed; and that every frame can be read.
    pub(crate) async fn canonical(&self) -> Projection {
        let keys = KeyWrapper::new(installation().derive(WRAPPING_PURPOSE));
        let day = key::day(self.now_ms());
        let place = Place {
            scopes: vec![scope()],
            days: day - 2..=day,
            topic: self.topic.name.to_owned(),
            partitions: self.topic.partitions,
        };
        let read = Projection::read(&*self.store, &keys, &place).await;
        let Some(memory) = &self.memory else { return read };
        let rows = memory.rows();
        let sessions = rows.iter().filter(|(name, _)| *name == table::SESSION_STATE.name);
        for (_, row) in sessions {
            let state = SessionState::decode(row.value.clone()).unwrap();
            let id = SessionId(state.summary.unwrap().session[..].try_into().unwrap());
            self.frames(id).await;
            self.compacted(id).await;
        }
        let all = Projection::of_rows(&keys, rows);
        assert_eq!(read.differences(&all), Vec::<String>::new(), "rows that no list leads to");
        all
    }

    /// Everything a reader can see of these sessions, without what may differ between equal runs: object references, ciphertext,
    /// keys, write times, slots and the cuts between flushes.
    pub(crate) async fn projection(&self, sessions: &[SessionId]) -> String {
        let mut text = String::new();
        for &id in sessions {
            let summary = self.summary(id).await;
            text += &format!("{id} {summary:#?}\n");
            if let Some(summary) = &summary {
                let key = key::by_start(scope(), id, summary.list_start_ms);
                let listed = self.store.get(&table::SESSIONS_BY_START, &key).await.unwrap();
                assert!(listed.is_some(), "every session is in the list");
            }
            let states = self.session_rows(&table::SESSION_STATE, id).await;
            let states = states.into_iter().map(|row| SessionState::decode(row.value).unwrap());
            if let Some(mut state) = states.max_by_key(|state| state.next_offset) {
                for (name, value) in state.facets.iter().filter_map(|entry| facet::of_entry(entry)) {
                    let start_ms = summary.as_ref().unwrap().list_start_ms;
                    let key = key::facet(scope(), name, value, start_ms, id);
                    assert!(
                        self.store.get(&table::SESSION_FACETS, &key).await.unwrap().is_some(),
                        "{name} {value}"
                    );
                }
                (state.next_offset, state.wrapped_key) = (0, Bytes::new());
                text += &format!("{state:#?}\n");
            }
            text += &format!("{:#?}\n{:#?}\n", self.events(id).await, self.frames(id).await);
        }
        let letters = self.rows(&table::DEAD_LETTERS, key::scope_columns(scope())).await;
        text += &format!("{:#?}\n", letters.iter().map(|row| (&row.key, &row.value)).collect::<Vec<_>>());
        text + &format!("{:#?}", self.intake().await)
    }
}

/// The same on the embedded log and store in a folder.
pub(crate) async fn embedded(folder: &std::path::Path) -> World {
    let (now_us, clock) = settable_clock();
    let log = playhead_backends::log::embedded::EmbeddedLog::open(
        &folder.join("log"),
        Default::default(),
        clock.clone(),
    );
    let store = playhead_backends::store::embedded::EmbeddedStore::open(
        &folder.join("store"),
        table::ALL,
        Default::default(),
        clock,
    );
    World::on(Arc::new(log.unwrap()), Arc::new(store.unwrap()), now_us).await
}
