//! How long the list of issues takes with 100,000 issues that happened 10 million times, by each order, with filters and a search. Rows as
//! a processor writes them, made up; on the embedded store, or on the cluster that `PLAYHEAD_TEST_CQL` names (in a keyspace that stays).
//! Prints JSON.
//!
//! ```sh
//! cargo run --release -p playhead-query-api --example issues_bench
//! cargo run --release -p playhead-query-api --example issues_bench -- --issues 5000 --occurrences 500000 --turns 40
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_backends::store::embedded::EmbeddedStore;
use playhead_backends::store::scylla::{ScyllaConfig, ScyllaStore, migrate};
use playhead_domain::id::{SessionId, TenantId};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key as issue_key;
use playhead_domain::issue::totals::Hit;
use playhead_domain::log::EventLog;
use playhead_domain::row::{IssueComponent, IssueSample, IssueState, IssueTotals};
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::session::key;
use playhead_domain::store::{Key, Mutation, Store};
use playhead_domain::table::{self, Table};
use playhead_domain::topic;
use playhead_proto::key::InstallationKey;
use playhead_query_api::{Api, Config, Parts, router};
use prost::Message;
use serde_json::{Value, json};
use tower::ServiceExt;

const TOKEN: &str = "a-token-of-the-benchmark";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const NOW_MS: i64 = 20_454 * DAY_MS + DAY_MS / 2;
/// Occurrences of a session, on average.
const PER_SESSION: u64 = 3;
/// Sessions of the last two hours.
const TRAFFIC: u64 = 20_000;
const ROWS_PER_WRITE: usize = 2_000;
/// Some issues happen most often: the first has a hundred times as many occurrences as the thousandth.
const FLATTENING: f64 = 10.0;

/// What is asked on the command line.
struct Size {
    issues: u64,
    occurrences: u64,
    turns: usize,
}

impl Size {
    fn read() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str, otherwise: u64| {
            let at = arguments.iter().position(|argument| argument == name);
            at.map_or(otherwise, |at| arguments[at + 1].parse().unwrap())
        };
        Self {
            issues: number("--issues", 100_000),
            occurrences: number("--occurrences", 10_000_000),
            turns: number("--turns", 20) as usize,
        }
    }

    /// How often each issue happened, the most frequent first.
    fn shares(&self) -> Vec<u64> {
        let weight = |place: u64| 1.0 / (place as f64 + FLATTENING);
        let all: f64 = (0..self.issues).map(weight).sum();
        (0..self.issues)
            .map(|place| ((self.occurrences as f64 * weight(place) / all) as u64).max(1))
            .collect()
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let size = Size::read();
    let folder = std::env::temp_dir().join(format!("playhead-issues-bench-{}", std::process::id()));
    let (store, backend) = open_store(&folder).await;
    let router = serve(Arc::clone(&store)).await;
    let created = ask(&router, "POST", "/api/v1/projects", Some(json!({"name": "shop"}))).await;
    let project = created["project_id"].as_str().unwrap().to_owned();
    let scope = Scope::open(Grant::Operator, TenantId(1), project.parse().unwrap()).unwrap();
    let begun = Instant::now();
    let mut filling = Filling { store: &*store, rows: Vec::new(), bytes: 0, occurrences: 0, users: 0 };
    filling.fill(scope, &size).await;
    eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    let (stored_mb, occurrences, users) = (filling.bytes / 1_000_000, filling.occurrences, filling.users);
    let mut queries = Vec::new();
    for (name, query) in QUERIES {
        let path = format!("/api/v1/projects/{project}/issues?{query}");
        queries.push(measure(&router, name, &path, size.turns).await);
        eprintln!("{}", queries.last().unwrap());
    }
    let report = json!({"benchmark": "issues", "store": backend, "issues": size.issues, "occurrences": occurrences,
        "rows_of_users": users, "stored_mb_of_totals": stored_mb, "turns": size.turns, "goal_p95_ms": 100, "queries": queries});
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    drop((router, store));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

const QUERIES: [(&str, &str); 13] = [
    ("by last seen", "sort=last_seen"),
    ("by first seen", "sort=first_seen"),
    ("by events", "sort=events"),
    ("by sessions", "sort=sessions"),
    ("by users", "sort=users"),
    ("by priority", "sort=priority"),
    ("unresolved, by priority", "sort=priority&query=state:unresolved"),
    ("new", "query=state:new"),
    ("of a release", "query=release:2.4.1"),
    ("of a browser and a page", "query=browser:Firefox%20page:/checkout/7"),
    ("unhandled", "query=is:unhandled"),
    ("a word that many have", "query=undefined"),
    ("a word that few have", "query=pay4711%20"),
];

async fn open_store(folder: &Path) -> (Arc<dyn Store>, &'static str) {
    let clock = Clock::from_fn(|| NOW_MS * 1_000);
    let Ok(nodes) = std::env::var("PLAYHEAD_TEST_CQL") else {
        let store = EmbeddedStore::open(&folder.join("store"), table::ALL, Default::default(), clock);
        return (Arc::new(store.unwrap()), "embedded");
    };
    let keyspace = format!("playhead_bench_{}", std::process::id());
    let control_keyspace = format!("{keyspace}_c");
    let (replication, request_timeout_ms) = (1, 60_000);
    let config = ScyllaConfig {
        nodes,
        keyspace,
        control_keyspace,
        replication,
        request_timeout_ms,
        ..ScyllaConfig::default()
    };
    migrate(&config, |_| {}).await.unwrap();
    (Arc::new(ScyllaStore::connect(&config, clock).await.unwrap()), "cql")
}

async fn serve(store: Arc<dyn Store>) -> Router {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(Clock::from_fn(|| NOW_MS * 1_000)));
    log.ensure_topic(&topic::PROJECTS).await.unwrap();
    let api = Api::new(Parts {
        config: Config::default(),
        session_idle_ms: 60_000,
        store,
        log,
        batches: topic::batches(1, std::time::Duration::from_secs(60)),
        blobs: Arc::new(InMemory::new()),
        installation_key: InstallationKey::new([7; 32]),
        admin_token: TOKEN.to_owned().into(),
        public_url: "http://play.test".to_owned(),
        ingest_url: "http://play.test".to_owned(),
        demo_url: None,
        script_stub: String::new(),
        clock: Arc::new(|| NOW_MS),
        registry: prometheus::Registry::new(),
    });
    router(api.unwrap())
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> Value {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

async fn measure(router: &Router, name: &str, path: &str, turns: usize) -> Value {
    let (mut times, mut answer) = (Vec::with_capacity(turns), Value::Null);
    for _ in 0..turns {
        let begun = Instant::now();
        answer = ask(router, "GET", path, None).await;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    let rounded = |at: usize| (times[at] * 10.0).round() / 10.0;
    json!({"query": name, "p50_ms": rounded(turns / 2), "p95_ms": rounded(turns * 95 / 100),
        "shown": answer["issues"].as_array().unwrap().len(), "partial": answer["partial"]})
}

/// Spread evenly, and the same in every run.
fn scatter(one: u64, other: u64) -> u64 {
    let mixed = one.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ other.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn id(number: u64) -> [u8; 16] {
    let (one, other) = (scatter(number, 1), scatter(number, 2));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&one.to_be_bytes());
    id[8..].copy_from_slice(&other.to_be_bytes());
    id
}

struct Filling<'a> {
    store: &'a dyn Store,
    rows: Vec<Mutation>,
    bytes: usize,
    occurrences: u64,
    users: u64,
}

impl Filling<'_> {
    async fn fill(&mut self, scope: Scope, size: &Size) {
        for session in 0..TRAFFIC {
            let start_ms = NOW_MS - (scatter(session, 3) % 7_200_000) as i64;
            let key = key::by_start(scope, SessionId(id(session)), start_ms);
            self.put(&table::SESSIONS_BY_START, key, Vec::new()).await;
        }
        for (number, events) in (0..).zip(size.shares()) {
            self.issue(scope, number, events).await;
        }
        self.write().await;
    }

    async fn issue(&mut self, scope: Scope, number: u64, events: u64) {
        let issue = Fingerprint(id(number));
        let mut totals = IssueTotals::default();
        // Where it began: some today, most within five weeks.
        let span_ms = 35 * DAY_MS * (1 + (scatter(number, 4) % 1_000) as i64) / 1_000;
        for nth in 0..events {
            let time_ms = NOW_MS - span_ms + span_ms * nth as i64 / events as i64;
            totals.add(&hit(number, nth, time_ms));
        }
        totals.show(sample(number, totals.last_seen_ms));
        // Two slots: the flush before the last one, which had all but the last occurrence, is still there.
        for (slot, next_offset) in [(0, 1), (1, 2)] {
            let value = IssueTotals { next_offset, ..totals.clone() }.encode_to_vec();
            self.bytes += value.len();
            self.put(&table::ISSUES, issue_key::issue(scope, issue, 0, slot), value).await;
        }
        for user in 0..totals.sessions {
            let key = issue_key::user(scope, issue, id(number << 20 | user));
            self.put(&table::ISSUE_USERS, key, vec![0; 16]).await;
        }
        (self.occurrences, self.users) = (self.occurrences + events, self.users + totals.sessions);
        if number.is_multiple_of(20) {
            let state = ["resolved", "archived", "ongoing"][(number / 20 % 3) as usize].to_owned();
            let decided = IssueState { state, changed_ms: NOW_MS - HOUR_MS, ..IssueState::default() };
            let key = issue_key::state(scope, issue);
            let value = Some(decided.encode_to_vec().into());
            self.store.compare_and_set(&table::ISSUE_STATES, &key, None, value, None).await.unwrap();
        }
    }

    async fn put(&mut self, table: &'static Table, key: Key, value: Vec<u8>) {
        let value = value.into();
        self.rows.push(Mutation::Put { table, key, value, version: 1, expires_at_ms: None });
        if self.rows.len() >= ROWS_PER_WRITE {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        self.store.write(std::mem::take(&mut self.rows)).await.unwrap();
    }
}

fn hit(number: u64, nth: u64, time_ms: i64) -> Hit {
    let one_of = |values: &[&str], of: u64| values[(scatter(nth, of) % values.len() as u64) as usize].into();
    Hit {
        time_ms,
        is_new_session: nth.is_multiple_of(PER_SESSION),
        release: one_of(&["2.3.0", "2.4.0", "2.4.1", "2.5.0"], number),
        browser: one_of(&["Chrome", "Safari", "Firefox", "Edge"], 5),
        system: one_of(&["Windows", "iOS", "Android", "macOS", "Linux"], 6),
        country: one_of(&["PT", "DE", "US", "BR", "JP", "FR"], 7),
        environment: "production".into(),
        page: format!("/checkout/{}", scatter(nth, number) % 12),
        expires_at_ms: NOW_MS + 30 * DAY_MS,
    }
}

fn sample(number: u64, time_ms: i64) -> IssueSample {
    let frame =
        |depth: u64| format!("step{} (https://shop.example/assets/app.js)", scatter(number, depth) % 5_000);
    IssueSample {
        session: id(number).to_vec().into(),
        event: "0101010101010101-0-1".to_owned(),
        time_ms,
        title: format!("TypeError: property of undefined: pay{number} "),
        culprit: format!("pay{number} (/assets/app.js)"),
        kind: "TypeError".to_owned(),
        mechanism: "uncaught".to_owned(),
        handled: number.is_multiple_of(4),
        release: "2.5.0".to_owned(),
        grouping_version: 1,
        basis: "stack".to_owned(),
        components: vec![IssueComponent {
            name: "frames".to_owned(),
            values: (0..7).map(frame).collect(),
            counted: true,
            why: "of the page".to_owned(),
        }],
    }
}
