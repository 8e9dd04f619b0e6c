//! How long the list of issues takes with 100,000 issues that happened 10 million times, by each order, with filters and a search. Rows as
//! processors of some log partitions write them, made up; on the embedded store, or on the cluster that `PLAYHEAD_TEST_CQL` names (in a keyspace that
//! stays). A second passes before each list, on the clock of the wall too, in which a log partition flushes twenty issues. Then how long an evaluation of
//! the rules takes that a new project has. Prints JSON.
//!
//! ```sh
//! cargo run --release -p playhead-query-api --example issues_bench
//! cargo run --release -p playhead-query-api --example issues_bench -- --issues 5000 --occurrences 500000 --turns 40 --partitions 64
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

mod bench_store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_domain::id::{SessionId, TenantId};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key as issue_key;
use playhead_domain::issue::totals::Hit;
use playhead_domain::log::EventLog;
use playhead_domain::row::{IssueChanges, IssueComponent, IssueSample, IssueState, IssueTotals};
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::session::key;
use playhead_domain::store::{Key, Mutation, Store};
use playhead_domain::table::{self, Table};
use playhead_domain::topic;
use playhead_proto::key::InstallationKey;
use playhead_query_api::alert::Worker;
use playhead_query_api::{Api, Config, Parts, router};
use prost::Message;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The product's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
/// Issues that happen while lists are asked: the most frequent, so many of them with each flush.
const LIVE: u64 = 200;
const FLUSHED: u64 = 20;

/// The time, which the bench moves on.
static CLOCK: AtomicI64 = AtomicI64::new(NOW_MS);

fn now_ms() -> i64 {
    CLOCK.load(Ordering::Relaxed)
}

/// What is asked on the command line.
struct Size {
    issues: u64,
    occurrences: u64,
    turns: usize,
    partitions: u32,
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
            partitions: number("--partitions", 8) as u32,
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
    let (store, backend) = bench_store::open(&folder, Clock::from_fn(|| now_ms() * 1_000)).await;
    let api = serve(Arc::clone(&store), size.partitions).await;
    let router = router(api.clone());
    let created = ask(&router, "POST", "/api/v1/projects", Some(json!({"name": "shop"}))).await;
    let project = created["project_id"].as_str().unwrap().to_owned();
    let scope = Scope::open(Grant::Operator, TenantId(1), project.parse().unwrap()).unwrap();
    let begun = Instant::now();
    let mut filling = Filling::new(&*store, scope);
    filling.fill(&size).await;
    eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    let (stored_mb, occurrences, users) = (filling.bytes / 1_000_000, filling.occurrences, filling.users);
    let (first_ms, whole_after_s) = warm(&router, &project).await;
    let mut queries = Vec::new();
    for (name, query) in QUERIES {
        let path = format!("/api/v1/projects/{project}/issues?{query}");
        queries.push(measure(&router, &mut filling, (name, &path), &size).await);
        eprintln!("{}", queries.last().unwrap());
    }
    let evaluation = evaluate(api, &mut filling, &size).await;
    CLOCK.fetch_add(HOUR_MS, Ordering::Relaxed);
    let path = format!("/api/v1/projects/{project}/issues?sort=priority");
    let after_an_hour_ms = timed(&router, &path).await.0;
    drop(filling);
    let report = json!({"benchmark": "issues", "store": backend, "issues": size.issues, "occurrences": occurrences,
        "log_partitions": size.partitions, "first_list_ms": first_ms,
        "whole_lists_after_s": whole_after_s, "first_list_after_a_full_hour_ms": after_an_hour_ms, "evaluation": evaluation, "rss_mib": rss_mib(),
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

async fn serve(store: Arc<dyn Store>, partitions: u32) -> Api {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(Clock::from_fn(|| now_ms() * 1_000)));
    let batches = topic::batches(partitions, std::time::Duration::from_secs(60));
    log.ensure_topic(&topic::PROJECTS).await.unwrap();
    log.ensure_topic(&batches).await.unwrap();
    let api = Api::new(Parts {
        config: Config::default(),
        session_idle_ms: 60_000,
        store,
        log,
        batches,
        blobs: Arc::new(InMemory::new()),
        installation_key: InstallationKey::new([7; 32]),
        admin_token: TOKEN.to_owned().into(),
        public_url: "http://play.test".to_owned(),
        ingest_url: "http://play.test".to_owned(),
        demo_url: None,
        script_stub: String::new(),
        clock: Arc::new(now_ms),
        registry: prometheus::Registry::new(),
    });
    api.unwrap()
}

/// Evaluations of the project's rules, each after a flush. The clock goes on a minute with each: they tell nobody.
async fn evaluate(api: Api, filling: &mut Filling<'_>, size: &Size) -> Value {
    let worker = Worker::new(api, None).unwrap();
    let mut times = Vec::new();
    for _ in 0..size.turns {
        filling.flush(size.partitions).await;
        CLOCK.fetch_add(60_000, Ordering::Relaxed);
        let begun = Instant::now();
        assert_eq!(worker.evaluate().await, 0);
        times.push((begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0);
    }
    worker.release().await;
    let first_ms = times[0];
    let (p50_ms, p95_ms) = percentiles(times);
    json!({"first_ms": first_ms, "p50_ms": p50_ms, "p95_ms": p95_ms})
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> Value {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// How long the first list takes, and after how many seconds lists are whole.
async fn warm(router: &Router, project: &str) -> (f64, f64) {
    let (begun, path) = (Instant::now(), format!("/api/v1/projects/{project}/issues"));
    let first_ms = timed(router, &path).await.0;
    let mut quick = 0;
    // It is built beside requests.
    while quick < 3 && begun.elapsed() < Duration::from_secs(1_800) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (ms, answer) = timed(router, &path).await;
        quick = if answer["partial"] == false && ms < first_ms / 2.0 { quick + 1 } else { 0 };
    }
    (first_ms, begun.elapsed().as_secs_f64().round())
}

async fn timed(router: &Router, path: &str) -> (f64, Value) {
    let begun = Instant::now();
    let answer = ask(router, "GET", path, None).await;
    ((begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0, answer)
}

async fn measure(
    router: &Router,
    filling: &mut Filling<'_>,
    (name, path): (&str, &str),
    size: &Size,
) -> Value {
    let (mut times, mut answer, turns) = (Vec::with_capacity(size.turns), Value::Null, size.turns);
    for _ in 0..turns {
        filling.flush(size.partitions).await;
        let ms;
        (ms, answer) = timed(router, path).await;
        times.push(ms);
    }
    let (p50_ms, p95_ms) = percentiles(times);
    json!({"query": name, "p50_ms": p50_ms, "p95_ms": p95_ms,
        "shown": answer["issues"].as_array().unwrap().len(), "partial": answer["partial"]})
}

/// The middle, and the nearest rank of 95 %.
fn percentiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[(times.len() * 95).div_ceil(100) - 1])
}

/// Of this process, with the store in it if that is embedded.
fn rss_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? >> 10)
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
    scope: Scope,
    rows: Vec<Mutation>,
    bytes: usize,
    occurrences: u64,
    users: u64,
    /// Totals of the most frequent issues, by log partition, with the slot that is the newer one.
    live: BTreeMap<(u64, u32), (IssueTotals, i64)>,
    flushes: u64,
    flushed: tokio::time::Instant,
}

impl<'a> Filling<'a> {
    fn new(store: &'a dyn Store, scope: Scope) -> Self {
        let (rows, live) = (Vec::new(), BTreeMap::new());
        let flushed = tokio::time::Instant::now();
        Self { store, scope, rows, bytes: 0, occurrences: 0, users: 0, live, flushes: 2, flushed }
    }

    async fn fill(&mut self, size: &Size) {
        for session in 0..TRAFFIC {
            let start_ms = NOW_MS - (scatter(session, 3) % 7_200_000) as i64;
            let key = key::by_start(self.scope, SessionId(id(session)), start_ms);
            self.put(&table::SESSIONS_BY_START, key, Vec::new()).await;
        }
        for (number, events) in (0..).zip(size.shares()) {
            self.issue(number, events, size.partitions).await;
        }
        self.write().await;
    }

    async fn issue(&mut self, number: u64, events: u64, partitions: u32) {
        let (scope, issue) = (self.scope, Fingerprint(id(number)));
        let mut totals: BTreeMap<u32, IssueTotals> = BTreeMap::new();
        // Where it began: some today, most within five weeks.
        let span_ms = 35 * DAY_MS * (1 + (scatter(number, 4) % 1_000) as i64) / 1_000;
        for nth in 0..events {
            let time_ms = NOW_MS - span_ms + span_ms * nth as i64 / events as i64;
            let partition = scatter(number, nth / PER_SESSION) % u64::from(partitions);
            totals.entry(partition as u32).or_default().add(&hit(number, nth, time_ms));
        }
        let sessions: u64 = totals.values().map(|totals| totals.sessions).sum();
        for (partition, mut totals) in totals {
            totals.show(sample(number, totals.last_seen_ms));
            // Two slots: the flush before the last one, which had all but the last occurrence, is still there.
            for (slot, next_offset) in [(0, 1), (1, 2)] {
                totals.next_offset = next_offset;
                let value = totals.encode_to_vec();
                self.bytes += value.len();
                self.put(&table::ISSUES, issue_key::issue(scope, issue, partition, slot), value).await;
            }
            if number < LIVE {
                self.live.insert((number, partition), (totals, 1));
            }
        }
        for user in 0..sessions {
            let key = issue_key::user(scope, issue, id(number << 20 | user));
            self.put(&table::ISSUE_USERS, key, vec![0; 16]).await;
        }
        (self.occurrences, self.users) = (self.occurrences + events, self.users + sessions);
        if number.is_multiple_of(20) {
            let state = ["resolved", "archived", "ongoing"][(number / 20 % 3) as usize].to_owned();
            let decided = IssueState { state, changed_ms: NOW_MS - HOUR_MS, ..IssueState::default() };
            let key = issue_key::state(scope, issue);
            let value = Some(decided.encode_to_vec().into());
            self.store.compare_and_set(&table::ISSUE_STATES, &key, None, value, None).await.unwrap();
        }
    }

    /// A second passes, and a log partition flushes.
    async fn flush(&mut self, partitions: u32) {
        // What is counted beside lists has the time that it has in production.
        tokio::time::sleep_until(self.flushed + Duration::from_secs(1)).await;
        self.flushed = tokio::time::Instant::now();
        let now_ms = CLOCK.fetch_add(1_000, Ordering::Relaxed) + 1_000;
        self.flushes += 1;
        let (scope, next_offset) = (self.scope, self.flushes);
        let partition = (next_offset % u64::from(partitions)) as u32;
        let numbers = (0..FLUSHED).map(|nth| scatter(next_offset, nth) % LIVE);
        let changed: BTreeMap<u64, Fingerprint> = numbers
            .filter(|number| self.live.contains_key(&(*number, partition)))
            .map(|number| (number, Fingerprint(id(number))))
            .collect();
        for (&number, &issue) in &changed {
            let (totals, slot) = self.live.get_mut(&(number, partition)).unwrap();
            (totals.next_offset, *slot) = (next_offset, 1 - *slot);
            totals.add(&hit(number, next_offset, now_ms));
            totals.show(sample(number, now_ms));
            let (key, value) = (issue_key::issue(scope, issue, partition, *slot), totals.encode_to_vec());
            self.put_at(&table::ISSUES, key, value, next_offset).await;
        }
        let changes =
            IssueChanges { issues: changed.values().flat_map(|issue| issue.0).collect(), all: false };
        let key = issue_key::changes(scope, partition, key::day(now_ms), next_offset);
        self.put_at(&table::ISSUE_CHANGES, key, changes.encode_to_vec(), next_offset).await;
        self.write().await;
    }

    async fn put(&mut self, table: &'static Table, key: Key, value: Vec<u8>) {
        self.put_at(table, key, value, 1).await;
    }

    async fn put_at(&mut self, table: &'static Table, key: Key, value: Vec<u8>, version: u64) {
        let (value, version) = (value.into(), version as i64);
        self.rows.push(Mutation::Put { table, key, value, version, expires_at_ms: None });
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
        unseen: 0,
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
