//! An API with a clock of its own, and rows as the processor would write them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::id::{SessionId, StreamId, TenantId};
use playhead_domain::log::{EventLog, TopicSpec};
use playhead_domain::row::{self, Counts, EventChunk, Frame, SessionState, SessionSummary, StreamSummary};
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::seal::{DataKey, KeyWrapper, Purpose, WRAPPING_PURPOSE};
use playhead_domain::session::{facet, key};
use playhead_domain::store::{Key, Mutation, Store};
use playhead_domain::table::{self, Table};
use playhead_domain::topic;
use playhead_proto::key::InstallationKey;
use playhead_query_api::{Api, Config, Parts, router};
use prost::Message;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const ADMIN: &str = "an-admin-token-of-tests";
pub(crate) const STREAM: StreamId = StreamId([1; 8]);
/// 2026-01-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_767_268_800_000;

pub(crate) struct App {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) api: Api,
    pub(crate) registry: prometheus::Registry,
    router: Router,
    blobs: Arc<InMemory>,
    now_ms: Arc<AtomicI64>,
    config: Config,
}

/// A project with its credentials.
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) scope: Scope,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The code of a problem.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        self.json()["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }
}

pub(crate) fn installation() -> InstallationKey {
    InstallationKey::new([7; 32])
}

/// The topic of batches.
pub(crate) fn batches() -> TopicSpec {
    topic::batches(1, std::time::Duration::from_secs(86_400))
}

fn api(
    config: Config,
    (store, log, blobs): (&Arc<dyn Store>, &Arc<dyn EventLog>, &Arc<InMemory>),
    now_ms: &Arc<AtomicI64>,
    registry: &prometheus::Registry,
) -> Api {
    let time = now_ms.clone();
    Api::new(Parts {
        config,
        session_idle_ms: 60_000,
        store: store.clone(),
        log: log.clone(),
        batches: batches(),
        blobs: blobs.clone() as Arc<dyn ObjectStore>,
        installation_key: installation(),
        admin_token: ADMIN.to_owned().into(),
        public_url: "http://play.test".to_owned(),
        ingest_url: "http://play.test".to_owned(),
        demo_url: Some("/demo".to_owned()),
        script_stub: "<script>__ORIGIN__ __KEY__</script>".to_owned(),
        clock: Arc::new(move || time.load(Ordering::Relaxed)),
        registry: registry.clone(),
    })
    .unwrap()
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let now_ms = Arc::new(AtomicI64::new(NOON));
        let time = now_ms.clone();
        let clock = Clock::from_fn(move || time.load(Ordering::Relaxed) * 1_000);
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(clock.clone()));
        log.ensure_topic(&topic::PROJECTS).await.unwrap();
        log.ensure_topic(&batches()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock));
        let blobs = Arc::new(InMemory::new());
        let registry = prometheus::Registry::new();
        let api = api(config.clone(), (&store, &log, &blobs), &now_ms, &registry);
        Self { log, store, router: router(api.clone()), api, registry, blobs, now_ms, config }
    }

    /// Another process's API on a store of its own making over the same log.
    pub(crate) fn api_on(&self, store: Arc<dyn Store>) -> Api {
        let registry = prometheus::Registry::new();
        api(self.config.clone(), (&store, &self.log, &self.blobs), &self.now_ms, &registry)
    }

    /// Another process's, on the same store.
    pub(crate) fn beside(&self) -> Self {
        self.on(self.store.clone())
    }

    /// Another process's, on a store over the same rows.
    pub(crate) fn on(&self, store: Arc<dyn Store>) -> Self {
        let (log, blobs) = (self.log.clone(), self.blobs.clone());
        let (api, registry) = (self.api_on(store.clone()), prometheus::Registry::new());
        let (now_ms, config) = (self.now_ms.clone(), self.config.clone());
        Self { log, store, router: router(api.clone()), api, registry, blobs, now_ms, config }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, token, None).await
    }

    /// Reads JSON under a project.
    pub(crate) async fn read(&self, project: &Project, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/projects/{}{path}", project.id), &project.secret).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn project(&self, name: &str) -> Project {
        let answer = self.call("POST", "/api/v1/projects", ADMIN, Some(json!({ "name": name }))).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let created = answer.json();
        let id = created["project_id"].as_str().unwrap().to_owned();
        let scope = Scope::open(Grant::Operator, TenantId(1), id.parse().unwrap()).unwrap();
        Project { id, secret: created["secret_key"].as_str().unwrap().to_owned(), scope }
    }

    pub(crate) async fn put(&self, table: &'static Table, key: Key, value: impl Message) {
        let value = value.encode_to_vec().into();
        self.store
            .write(vec![Mutation::Put { table, key, value, version: 1, expires_at_ms: None }])
            .await
            .unwrap();
    }

    /// Writes a session under all its keys, as a flush does.
    pub(crate) async fn session(&self, project: &Project, summary: SessionSummary) -> SessionId {
        let id = SessionId(summary.session.as_ref().try_into().unwrap());
        let start_ms = summary.list_start_ms;
        for (name, value) in facet::of(&summary) {
            self.put(&table::SESSION_FACETS, key::facet(project.scope, name, &value, start_ms, id), ()).await;
        }
        let listed = row::ListedSession { unseen: summary.unseen };
        self.put(&table::SESSIONS_BY_START, key::by_start(project.scope, id, start_ms), listed).await;
        let wrapped_key = Bytes::from_static(b"wrapped");
        let state = SessionState { summary: Some(summary), wrapped_key, ..SessionState::default() };
        self.put(&table::SESSION_STATE, key::state(project.scope, id, 0), state).await;
        id
    }

    /// Makes and stores the session's data key.
    pub(crate) async fn data_key(&self, project: &Project, session: SessionId) -> DataKey {
        let (data_key, wrapped) =
            KeyWrapper::new(installation().derive(WRAPPING_PURPOSE)).create(session).unwrap();
        self.put(&table::SESSION_KEYS, key::session(project.scope, session), row::SessionKey { wrapped })
            .await;
        data_key
    }

    pub(crate) async fn chunk(
        &self,
        project: &Project,
        session: SessionId,
        data_key: &DataKey,
        (stream, seq): (StreamId, u64),
        events: &[Value],
    ) {
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        let times: Vec<i64> = events.iter().map(|event| event["time"].as_f64().unwrap() as i64).collect();
        let chunk = EventChunk {
            sealed: data_key.seal_events(session, lines.as_bytes()).unwrap().into(),
            raw_bytes: u32::try_from(lines.len()).unwrap(),
            events: u32::try_from(events.len()).unwrap(),
            from_ms: *times.iter().min().unwrap(),
            to_ms: *times.iter().max().unwrap(),
            spans: events.iter().any(|event| event["kind"] == "span"),
        };
        self.put(&table::SESSION_EVENTS, key::batch(project.scope, session, stream, seq), chunk).await;
    }

    /// Stores a dom frame, sealed, in an object of its own; `raw_bytes` is what the batch declared.
    pub(crate) async fn frame(
        &self,
        project: &Project,
        session: SessionId,
        data_key: &DataKey,
        seq: u64,
        packed: &[u8],
        frame: Frame,
    ) {
        let sealed = data_key.seal(session, Purpose::Frame, packed).unwrap();
        let object = format!("flush/2026-01-01/{session}-{seq}");
        let bytes = u32::try_from(sealed.len()).unwrap();
        self.blobs.put(&Path::from(object.as_str()), sealed.into()).await.unwrap();
        let frame = Frame { object, bytes, ..frame };
        self.put(&table::SESSION_FRAMES, key::batch(project.scope, session, STREAM, seq), frame).await;
    }

    /// How many objects are in a folder.
    pub(crate) async fn objects(&self, folder: &str) -> usize {
        use futures::StreamExt;
        self.blobs.list(Some(&Path::from(folder))).count().await
    }

    pub(crate) async fn object(&self, name: &str, bytes: Vec<u8>) {
        self.blobs.put(&Path::from(name), bytes.into()).await.unwrap();
    }
}

/// A session of a minute that began at `start_ms` and whose id ends with `number`.
pub(crate) fn summary(number: u8, start_ms: i64) -> SessionSummary {
    let mut id = [number; 16];
    id[15] = number;
    SessionSummary {
        session: id.to_vec().into(),
        list_start_ms: start_ms,
        start_ms,
        end_ms: start_ms + 60_000,
        last_append_us: (start_ms + 60_000) * 1_000,
        counts: Some(Counts { events: 3, ..Counts::default() }),
        streams: vec![StreamSummary {
            stream: STREAM.0.to_vec().into(),
            tab: 1,
            url: "https://shop.example/".to_owned(),
            start_ms,
            end_ms: start_ms + 60_000,
            clock_offset_ms: 0.0,
            viewport_width: 1_280,
            viewport_height: 720,
            next_seq: 2,
            seen: 2,
            ..StreamSummary::default()
        }],
        client: Some(row::Client {
            browser: "Chrome".to_owned(),
            browser_version: "141".to_owned(),
            os: "Linux".to_owned(),
            country: "PT".to_owned(),
            ..row::Client::default()
        }),
        user: Some(row::User {
            id: format!("user-{number}"),
            email: format!("u{number}@shop.example"),
            traits: "{}".to_owned(),
        }),
        release: "1.0".to_owned(),
        pages: vec!["https://shop.example/".to_owned(), format!("https://shop.example/products/{number}")],
        page_count: 2,
        sampled: true,
        dom_rate: 1.0,
        signal_rate: 1.0,
        dom_events: 4,
        dom_bytes: 100,
        expires_at_ms: start_ms + 30 * 86_400_000,
        ..SessionSummary::default()
    }
}
