//! One run: what is sent, what is disturbed, and what must be there in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::log::generation::FromGeneration;
use playhead_domain::log::{EventLog, TopicSpec};
use playhead_domain::project::{self, ProjectDirectory};
use playhead_domain::row::{Block, Frame, PartitionControl, Project, SessionKey, SessionState};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{KeyWrapper, Purpose, WRAPPING_PURPOSE};
use playhead_domain::session::key;
use playhead_domain::store::{Mutation, Row, Store};
use playhead_domain::testkit::projection::Projection;
use playhead_domain::{table, topic};
use playhead_proto::key::InstallationKey;
use playhead_stream_processor::{Config, Hooks, Parts, Processor};
use prost::Message;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::blobs::{Objects, RemoteBlobs};
use crate::group::{Group, RemoteLog};
use crate::input::{self, Batch, PROJECT, TENANT};
use crate::network::{Counts, Network, Process, Service};
use crate::store::RemoteStore;

const START_US: i64 = 1_780_000_000_000_000;
const PARTITIONS: u32 = 3;
/// Requests are under way for so long at most, and one who gave one up does so sooner.
const QUIET: Duration = Duration::from_secs(90);

/// What a run met.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) trace: u64,
    pub(crate) requests: u64,
    pub(crate) lost: u64,
    pub(crate) late: u64,
    pub(crate) late_rows: u64,
    pub(crate) takeovers: u64,
    pub(crate) evictions: u64,
    pub(crate) crashes: u64,
    pub(crate) freezes: u64,
    pub(crate) erasures: u64,
    pub(crate) lost_partitions: u64,
    pub(crate) compactions: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.lost += other.lost;
        self.late += other.late;
        self.late_rows += other.late_rows;
        self.takeovers += other.takeovers;
        self.evictions += other.evictions;
        self.crashes += other.crashes;
        self.freezes += other.freezes;
        self.erasures += other.erasures;
        self.lost_partitions += other.lost_partitions;
        self.compactions += other.compactions;
    }
}

fn scope() -> Scope {
    Scope::of_log_record(TenantId(TENANT), ProjectId(PROJECT))
}

fn spec() -> TopicSpec {
    topic::batches(PARTITIONS, Duration::from_secs(7 * 86_400))
}

fn installation() -> InstallationKey {
    InstallationKey::new([5; 32])
}

fn keys() -> KeyWrapper {
    KeyWrapper::new(installation().derive(WRAPPING_PURPOSE))
}

/// The services, and what every process shares.
#[derive(Clone)]
struct World {
    network: Network,
    group: Group,
    log: Arc<dyn EventLog>,
    store: Arc<MemoryStore>,
    objects: Objects,
    directory: Arc<ProjectDirectory>,
    began: Instant,
    names: Arc<AtomicU64>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let network = Network::new(seed);
        let began = Instant::now();
        let clock = Clock::from_fn(move || now_us(began));
        // Offsets that begin at nothing, and such that do not.
        let generation = u32::try_from(seed % 3).unwrap();
        let log = Arc::new(MemoryLog::new(clock.clone()));
        let log: Arc<dyn EventLog> = Arc::new(FromGeneration::new(log, topic::BATCHES, generation));
        log.ensure_topic(&spec()).await.unwrap();
        let directory = Arc::new(ProjectDirectory::new());
        let shop = Project { tenant: TENANT, project: PROJECT, retention_days: 30, ..Project::default() };
        project::publish(&*log, &shop).await.unwrap();
        let (following, source) = (Arc::clone(&directory), Arc::clone(&log));
        let follow = tokio::spawn(async move { following.follow(source).await });
        while directory.get(ProjectId(PROJECT)).is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        follow.abort();
        Self {
            group: Group::new(network.clone(), PARTITIONS),
            network,
            log,
            store: Arc::new(MemoryStore::new(clock)),
            objects: Objects::default(),
            directory,
            began,
            names: Arc::default(),
        }
    }

    /// The same log over an empty store that knows what was erased, without trouble.
    async fn anew(&self) -> Self {
        let began = self.began;
        let network = Network::new(0);
        let store = Arc::new(MemoryStore::new(Clock::from_fn(move || now_us(began))));
        for (_, row) in self.rows(table::SUPPRESSIONS.name) {
            let Row { key, value, version } = row;
            let table = &table::SUPPRESSIONS;
            store
                .write(vec![Mutation::Put { table, key, value, version, expires_at_ms: None }])
                .await
                .unwrap();
        }
        let group = Group::new(network.clone(), PARTITIONS);
        Self { network, group, store, objects: Objects::default(), ..self.clone() }
    }

    fn now_ms(&self) -> i64 {
        now_us(self.began) / 1_000
    }

    fn rows(&self, table: &str) -> Vec<(&'static str, Row)> {
        self.store.rows().into_iter().filter(|(name, _)| *name == table).collect()
    }

    /// A process of its own, whose clock is a little off.
    fn start(&self, id: u64) -> Running {
        let process = Process::new(id, self.network.clone());
        let began = self.began;
        let off_us =
            self.network.chance(|chance| i64::try_from(chance.below(4_000_000)).unwrap() - 2_000_000);
        let blobs = RemoteBlobs {
            objects: self.objects.clone(),
            process: process.clone(),
            now_ms: Arc::new(move || now_us(began) / 1_000),
        };
        let (inner, group) = (Arc::clone(&self.log), self.group.clone());
        let registry = prometheus::Registry::new();
        let parts = Parts {
            config: config(),
            topic: spec(),
            log: Arc::new(RemoteLog { inner, process: process.clone(), group }),
            store: Arc::new(RemoteStore { inner: Arc::clone(&self.store), process: process.clone() }),
            blobs: Arc::new(blobs),
            directory: Arc::clone(&self.directory),
            installation_key: installation(),
            countries: None,
            registry: registry.clone(),
            clock: Arc::new(move || now_us(began) + off_us),
        };
        let names = Arc::clone(&self.names);
        let rows = self.network.chance(|chance| 1 + chance.below(30));
        let hooks = Hooks {
            new_id: Some(Arc::new(move || u128::from(names.fetch_add(1, Ordering::Relaxed)))),
            chunk_rows: Some(usize::try_from(rows).unwrap()),
            ..Hooks::default()
        };
        let processor = Processor::with_hooks(parts, hooks).unwrap();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { processor.run(stop).await });
        self.network.note(("starts", id));
        Running { process, shutdown, task, registry }
    }

    async fn checkpoints(&self) -> Vec<PartitionControl> {
        let mut controls = Vec::new();
        for partition in 0..PARTITIONS {
            let key = key::control(topic::BATCHES, partition);
            let row = self.store.get_serial(&table::PARTITION_CONTROL, &key).await.unwrap();
            controls.push(row.map(|row| PartitionControl::decode(row).unwrap()).unwrap_or_default());
        }
        controls
    }

    async fn is_caught_up(&self) -> bool {
        for (partition, control) in (0..).zip(self.checkpoints().await) {
            let end = self.log.offsets(topic::BATCHES, partition).await.unwrap().end;
            if control.next_offset < end || control.intent.is_some() || control.epoch == 0 {
                return false;
            }
        }
        true
    }

    async fn catch_up(&self) -> Result<(), String> {
        for _ in 0..1_800 {
            if self.is_caught_up().await {
                return Ok(());
            }
            sleep(Duration::from_secs(1)).await;
        }
        Err(format!("it never catches up: {:?}", self.checkpoints().await))
    }

    /// What every run over the same log must say alike.
    fn projection(&self, has_erasures: bool) -> Projection {
        let is_compared = |name: &str| {
            // How far compaction is; and what was taken in before it was erased.
            let is_counted = [table::INTAKE_COUNTS, table::ISSUES, table::ISSUE_USERS, table::PERFORMANCE]
                .map(|table| table.name);
            name != table::OPEN_SESSIONS.name && !(has_erasures && is_counted.contains(&name))
        };
        let rows = self.store.rows().into_iter().filter(|(name, _)| is_compared(name)).collect();
        Projection::of_rows(&keys(), rows)
    }
}

fn now_us(began: Instant) -> i64 {
    START_US + i64::try_from(began.elapsed().as_micros()).unwrap()
}

fn config() -> Config {
    Config {
        flush_interval_ms: 300,
        session_idle_ms: 20_000,
        end_grace_ms: 2_000,
        compaction_interval_ms: 7_000,
        collection_interval_ms: 45_000,
        object_grace_ms: 600_000,
        ..Config::default()
    }
}

struct Running {
    process: Process,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), playhead_stream_processor::Error>>,
    registry: prometheus::Registry,
}

impl Running {
    fn kill(&self) {
        self.process.kill();
        self.task.abort();
    }

    fn metric(&self, name: &str) -> u64 {
        let name = format!("playhead_processor_{name}");
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum::<f64>() as u64
    }
}

/// Runs a seed. The error says what is wrong in the end.
pub(crate) async fn run(seed: u64) -> Result<Outcome, String> {
    let world = World::new(seed).await;
    let watch = tokio::spawn(world.group.clone().watch());
    let batches = world.network.chance(input::batches);
    let sender = tokio::spawn(send(world.clone(), batches.clone()));
    let mut chaos =
        Chaos { world: world.clone(), running: BTreeMap::new(), next: 0, outcome: Outcome::default() };
    chaos.disturb().await;
    sender.await.unwrap();
    let outcome = chaos.calm_down().await?;
    watch.abort();
    check(&world, &batches, &outcome).await?;
    Ok(outcome)
}

async fn send(world: World, batches: Vec<Batch>) {
    for batch in batches {
        let pause = world.network.chance(|chance| chance.millis(0, 1_500));
        sleep(pause).await;
        let position = world.log.append(topic::BATCHES, batch.record(world.now_ms())).await.unwrap();
        world.network.note(("sent", batch.session.0[0], batch.stream.0[0], batch.seq, position));
        world.group.announce();
    }
}

struct Chaos {
    world: World,
    running: BTreeMap<u64, Running>,
    next: u64,
    outcome: Outcome,
}

impl Chaos {
    fn start(&mut self) {
        self.next += 1;
        self.running.insert(self.next, self.world.start(self.next));
    }

    async fn disturb(&mut self) {
        let network = self.world.network.clone();
        network.set_trouble([10, 40, 200, u64::MAX][network.chance(|chance| chance.below(4) as usize)]);
        for _ in 0..1 + network.chance(|chance| chance.below(3)) {
            self.start();
        }
        for _ in 0..4 + network.chance(|chance| chance.below(8)) {
            sleep(network.chance(|chance| chance.millis(50, 4_000))).await;
            self.disturb_once().await;
        }
    }

    /// Any of those that run.
    fn any(&self) -> Option<&Running> {
        let count = self.running.len() as u64;
        let at = self.world.network.chance(|chance| chance.below(count.max(1)));
        self.running.values().nth(usize::try_from(at).unwrap())
    }

    async fn disturb_once(&mut self) {
        let network = self.world.network.clone();
        match network.chance(|chance| chance.below(12)) {
            0 | 1 => self.start(),
            2 | 3 => {
                if let Some(id) = self.any().map(|running| running.process.id) {
                    network.note(("crashes", id));
                    self.outcome.crashes += 1;
                    self.end(id).kill();
                }
                self.start();
            }
            4..=6 => self.freeze(),
            7 | 8 => {
                if let Some(running) = self.any() {
                    let of = [Service::Store, Service::Blobs, Service::Log];
                    let service = of[network.chance(|chance| chance.below(3) as usize)];
                    let id = running.process.id;
                    network.note(("cut", id, service));
                    network.cut(id, service);
                    let pause = network.chance(|chance| chance.millis(200, 15_000));
                    tokio::spawn(async move {
                        sleep(pause).await;
                        network.mend(id, service);
                    });
                }
            }
            9 => self.world.group.assign(),
            10 => {
                if let Some(id) = self.any().map(|running| running.process.id) {
                    network.note(("stops", id));
                    let stopped = self.end(id);
                    stopped.shutdown.cancel();
                    // It ends by itself, while the others go on.
                    tokio::spawn(stopped.task);
                }
            }
            _ => self.erase().await,
        }
    }

    fn end(&mut self, id: u64) -> Running {
        let running = self.running.remove(&id).unwrap();
        self.outcome.lost_partitions += running.metric("lost_partitions_total");
        self.outcome.compactions += running.metric("compacted_sessions_total");
        running
    }

    fn freeze(&mut self) {
        let network = self.world.network.clone();
        let Some(running) = self.any() else { return };
        let process = running.process.clone();
        // Sometimes for longer than an object without rows is kept.
        let for_long = network.chance(|chance| chance.one_in(6));
        let pause = if for_long {
            network.chance(|chance| chance.millis(610_000, 1_000_000))
        } else {
            network.chance(|chance| chance.millis(200, 20_000))
        };
        network.note(("freezes", process.id, pause));
        process.freeze();
        self.outcome.freezes += 1;
        tokio::spawn(async move {
            sleep(pause).await;
            process.thaw();
        });
        // Somebody must go on.
        if self.running.len() == 1 {
            self.start();
        }
    }

    async fn erase(&mut self) {
        let (world, now_ms) = (&self.world, self.world.now_ms());
        let erasure = Erasure::new(Arc::clone(&world.store) as _, installation().derive(USER_HASH_PURPOSE));
        let which = world.network.chance(|chance| chance.below(6));
        world.network.note(("erases", which));
        self.outcome.erasures += 1;
        match which {
            4 | 5 => drop(erasure.erase_user(scope(), &format!("user-{}", which - 4), now_ms).await.unwrap()),
            id => {
                let session = SessionId([u8::try_from(id).unwrap() + 1; 16]);
                erasure.erase_session(scope(), session, now_ms).await.unwrap();
            }
        }
    }

    /// Ends all trouble, waits until everything has its effect, and until nobody does anything any more.
    async fn calm_down(mut self) -> Result<Outcome, String> {
        self.world.network.mend_all();
        self.start();
        self.world.catch_up().await?;
        // Frozen ones wake up, sessions are over and compacted, and what was under way arrives.
        let is_any_frozen = |running: &Running| running.process.is_frozen();
        while self.running.values().any(is_any_frozen) {
            sleep(Duration::from_secs(10)).await;
        }
        sleep(QUIET).await;
        self.world.catch_up().await?;
        for id in self.running.keys().copied().collect::<Vec<_>>() {
            let running = self.end(id);
            running.shutdown.cancel();
            running.task.await.unwrap().map_err(|error| format!("process {id}: {error}"))?;
        }
        sleep(QUIET).await;
        let Counts { requests, lost, late, late_rows } = self.world.network.counts();
        let outcome = &mut self.outcome;
        (outcome.requests, outcome.lost, outcome.late, outcome.late_rows) = (requests, lost, late, late_rows);
        outcome.takeovers = self.world.checkpoints().await.iter().map(|control| control.epoch).sum();
        outcome.evictions = self.world.group.evictions();
        outcome.trace = self.world.network.trace();
        Ok(self.outcome)
    }
}

async fn check(world: &World, batches: &[Batch], outcome: &Outcome) -> Result<(), String> {
    check_sent(world, batches)?;
    check_readable(world).await?;
    let anew = world.anew().await;
    let watch = tokio::spawn(anew.group.clone().watch());
    let running = anew.start(1);
    anew.catch_up().await?;
    running.shutdown.cancel();
    running.task.await.unwrap().map_err(|error| error.to_string())?;
    watch.abort();
    let has_erasures = outcome.erasures > 0;
    let differences = world.projection(has_erasures).differences(&anew.projection(has_erasures));
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("it is not what the log says:\n{}", differences.join("\n")))
}

/// Everything that was sent is there, and once; or nothing of its session is.
fn check_sent(world: &World, batches: &[Batch]) -> Result<(), String> {
    let mut sent: BTreeMap<SessionId, BTreeSet<(StreamId, u64)>> = BTreeMap::new();
    for batch in batches {
        sent.entry(batch.session).or_default().insert((batch.stream, batch.seq));
    }
    let suppressed: BTreeSet<Vec<u8>> = world
        .rows(table::SUPPRESSIONS.name)
        .into_iter()
        .filter_map(|(_, row)| match row.key.clustering.into_iter().nth(1) {
            Some(playhead_domain::store::Value::Bytes(id)) => Some(id.to_vec()),
            _ => None,
        })
        .collect();
    let mut newest: BTreeMap<SessionId, Row> = BTreeMap::new();
    for (_, row) in world.rows(table::SESSION_STATE.name) {
        let known = newest.entry(session_of(&row)).or_insert_with(|| row.clone());
        if row.version > known.version {
            *known = row;
        }
    }
    for (id, row) in newest {
        let summary = SessionState::decode(row.value).unwrap().summary.unwrap();
        let sent = sent.remove(&id).ok_or_else(|| format!("session {id} was never sent"))?;
        let seen: u64 = summary.streams.iter().map(|stream| stream.seen).sum();
        if seen != sent.len() as u64 || summary.dom_events != seen {
            return Err(format!("session {id}: {} batches were sent, {seen} have had effect", sent.len()));
        }
    }
    match sent.keys().find(|id| !suppressed.contains(&id.0[..])) {
        Some(lost) => Err(format!("session {lost} is lost")),
        None => Ok(()),
    }
}

/// What rows refer to is there and opens.
async fn check_readable(world: &World) -> Result<(), String> {
    let mut data_keys = BTreeMap::new();
    for (_, row) in world.rows(table::SESSION_KEYS.name) {
        let id = session_of(&row);
        let wrapped = SessionKey::decode(row.value).unwrap().wrapped;
        data_keys.insert(id, keys().unwrap(id, &wrapped).unwrap());
    }
    let frames = world.rows(table::SESSION_FRAMES.name).into_iter().map(|(_, row)| {
        let frame = Frame::decode(row.value.clone()).unwrap();
        (session_of(&row), Purpose::Frame, frame.object, frame.offset, frame.bytes)
    });
    let blocks = world.rows(table::SESSION_BLOCKS.name).into_iter().map(|(_, row)| {
        let block = Block::decode(row.value.clone()).unwrap();
        (session_of(&row), Purpose::Block, block.object, block.offset, block.bytes)
    });
    for (id, purpose, object, offset, bytes) in frames.chain(blocks) {
        let range = offset..offset + u64::from(bytes);
        let sealed = world.objects.inner.get_range(&Path::from(object.as_str()), range).await;
        let sealed = sealed.map_err(|error| format!("session {id}: {error}"))?;
        let key = data_keys.get(&id).ok_or_else(|| format!("session {id} has no key"))?;
        key.open(id, purpose, &sealed).map_err(|error| format!("session {id}, {object}: {error}"))?;
    }
    Ok(())
}

fn session_of(row: &Row) -> SessionId {
    match &row.key.partition[..] {
        [_, _, playhead_domain::store::Value::Bytes(id), ..] => SessionId(id.as_ref().try_into().unwrap()),
        other => panic!("not a session's: {other:?}"),
    }
}
