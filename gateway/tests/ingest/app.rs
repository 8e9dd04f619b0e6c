//! A gateway on a port of its own, over a log in memory that can be told to fail, with a clock that tests set.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use playhead_backends::log::memory::MemoryLog;
use playhead_domain::id::ProjectId;
use playhead_domain::log::{Consumer, Error, EventLog, Position, Record, StoredRecord, TopicSpec};
use playhead_domain::project::{self, ProjectDirectory};
use playhead_domain::row::Project;
use playhead_domain::topic;
use playhead_gateway::{Clock, Config, Gateway};
use playhead_proto::key::{InstallationKey, PublicKeys, secret_key, secret_key_hash};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub(crate) const NOW_US: i64 = 1_767_225_600_000_000;

/// What the log does when asked to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    Well,
    Busy,
    Unavailable,
    /// Never answers.
    Hanging,
    /// Copies the record and lets the original go, as a producer does; panics when that frees nothing.
    Copying,
    Panicking,
}

pub(crate) struct MoodyLog {
    memory: MemoryLog,
    mood: AtomicU8,
}

impl MoodyLog {
    fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventLog for MoodyLog {
    async fn ensure_topic(&self, topic: &TopicSpec) -> Result<(), Error> {
        self.memory.ensure_topic(topic).await
    }

    async fn append(&self, topic: &str, record: Record) -> Result<Position, Error> {
        while self.is(Mood::Hanging) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!self.is(Mood::Panicking), "told to panic");
        if self.is(Mood::Busy) {
            return Err(Error::Busy("told so".into()));
        }
        if self.is(Mood::Unavailable) {
            return Err(Error::Unavailable("told so".into()));
        }
        if self.is(Mood::Copying) {
            let Record { key, value, meta } = record;
            assert!(value.is_unique(), "the gateway keeps a copy of {} bytes", value.len());
            let value = bytes::Bytes::copy_from_slice(&value);
            return self.memory.append(topic, Record { key, value, meta }).await;
        }
        self.memory.append(topic, record).await
    }

    async fn offsets(&self, topic: &str, partition: u32) -> Result<Range<u64>, Error> {
        self.memory.offsets(topic, partition).await
    }

    async fn consume(&self, topic: &str, group: &str) -> Result<Box<dyn Consumer>, Error> {
        self.memory.consume(topic, group).await
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error> {
        self.memory.read(topic, partition, offset, max_bytes, wait).await
    }
}

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
    pub(crate) log: Arc<MoodyLog>,
    pub(crate) registry: prometheus::Registry,
    pub(crate) directory: Arc<ProjectDirectory>,
    now_us: Arc<AtomicI64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for App {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The project that every app knows.
pub(crate) fn shop() -> Project {
    Project {
        tenant: 5,
        project: 77,
        name: "Shop".into(),
        sample_rate: 0.5,
        on_error_sample_rate: 1.0,
        signal_sample_rate: 1.0,
        network_bodies: vec!["https://api.example.com/*".into()],
        secret_keys: vec![secret_key_hash(&shop_secret()).unwrap().to_vec().into()],
        ..Project::default()
    }
}

/// The secret key of [`shop`].
pub(crate) fn shop_secret() -> String {
    secret_key([9; 32])
}

pub(crate) fn installation() -> InstallationKey {
    InstallationKey::new([42; 32])
}

pub(crate) fn shop_key() -> String {
    PublicKeys::new(&installation()).issue(ProjectId(shop().project))
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let log = Arc::new(MoodyLog {
            memory: MemoryLog::new(playhead_backends::clock::Clock::system()),
            mood: AtomicU8::new(Mood::Well as u8),
        });
        log.ensure_topic(&topic::batches(2, topic::BATCHES_RETENTION)).await.unwrap();
        project::publish(&*log, &shop()).await.unwrap();
        let directory = Arc::new(ProjectDirectory::new());
        let now_us = Arc::new(AtomicI64::new(NOW_US));
        let clock = Clock::new({
            let now_us = Arc::clone(&now_us);
            move || now_us.load(Ordering::SeqCst)
        });
        let registry = prometheus::Registry::new();
        let gateway =
            Gateway::new(config, log.clone(), directory.clone(), &installation(), &registry, clock).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // The product merges it with routers that have a fallback of their own.
        let router = gateway.router().merge(axum::Router::new().fallback(|| async { "the dashboard" }));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serve = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let follow = tokio::spawn({
            let (directory, log) = (directory.clone(), log.clone());
            async move { directory.follow(log).await.unwrap() }
        });
        let app = Self { address, gateway, log, registry, directory, now_us, tasks: vec![serve, follow] };
        eventually(|| app.gateway.ready()).await;
        app
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.now_us.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Publishes a changed project and waits until the gateway knows it.
    pub(crate) async fn change(&self, project: Project) {
        project::publish(&*self.log, &project).await.unwrap();
        let id = ProjectId(project.project);
        eventually(|| self.directory.get(id).as_deref() == Some(&project)).await;
    }

    /// Every record of the batches topic.
    pub(crate) async fn stored(&self) -> Vec<StoredRecord> {
        let mut all = Vec::new();
        for partition in 0..2 {
            all.extend(
                self.log.read(topic::BATCHES, partition, 0, usize::MAX, Duration::ZERO).await.unwrap(),
            );
        }
        all
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.post_with(path, body, &[]).await
    }

    pub(crate) async fn post_with(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.send("POST", path, body, headers).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut stream = self.connect().await;
        let length = body.len().to_string();
        let mut all = vec![("content-length", length.as_str())];
        if headers.iter().all(|(name, _)| *name != "content-type") {
            all.push(("content-type", "text/plain"));
        }
        all.extend(headers);
        stream.write_all(head(method, path, &all).as_bytes()).await.unwrap();
        // A refusal may come before everything is sent.
        let _ = stream.write_all(body).await;
        answer(&mut stream).await
    }

    /// The sum of a counter or gauge over its labels, or of one label's value.
    pub(crate) fn metric(&self, name: &str, label: Option<&str>) -> u64 {
        let families = self.registry.gather();
        let metrics =
            families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
        let chosen = metrics.filter(|metric| {
            label.is_none_or(|label| metric.get_label().iter().any(|pair| pair.value() == label))
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        chosen.map(|m| (m.get_counter().get_value() + m.get_gauge().get_value()) as u64).sum()
    }
}

pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{lines}\r\n")
}

/// Waits until `holds`; the test harness's own limit is the limit.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and problem code.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        let code = problem["type"].as_str().unwrap().strip_prefix("urn:playhead:problem:").unwrap();
        (self.status, code.to_owned())
    }
}

/// Reads one answer from a connection that closes after it.
pub(crate) async fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..n]);
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no whole answer: {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let bytes = bytes.split_off(end + 4);
    Answer { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}
