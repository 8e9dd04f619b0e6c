//! How long the lists of endpoints take over 30 days, 1,000 endpoints and four log partitions, with the 35 days before them for comparison; on the
//! embedded store, or on the cluster that `PLAYHEAD_TEST_CQL` names (in keyspaces that stay). Made-up durations, all rows as a processor writes them.
//! Prints JSON.
//!
//! ```sh
//! cargo run --release -p playhead-query-api --example performance_bench
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

mod bench_store;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use object_store::memory::InMemory;
use playhead_backends::clock::Clock;
use playhead_backends::log::memory::MemoryLog;
use playhead_domain::id::{SessionId, TenantId};
use playhead_domain::log::EventLog;
use playhead_domain::performance::key::{self, Kind, Level};
use playhead_domain::performance::name::{self, NameKey, WITNESSES};
use playhead_domain::performance::observation::{
    Class, Context, Measure, Measured, Observation, Sample, bucket,
};
use playhead_domain::performance::totals::Totals;
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::store::{Mutation, Store};
use playhead_domain::{table, topic};
use playhead_proto::key::InstallationKey;
use playhead_query_api::{Api, Config, Parts, router};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The product's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const TOKEN: &str = "a-token-of-the-benchmark";
const ENDPOINTS: usize = 1_000;
const PARTITIONS: u32 = 4;
const DAYS: i64 = 66;
const REQUESTS_PER_DAY: usize = 40;
const DAY_MS: i64 = 86_400_000;
const NOW_MS: i64 = 20_454 * DAY_MS + DAY_MS / 2;
const TURNS: usize = 40;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = std::env::temp_dir().join(format!("playhead-performance-bench-{}", std::process::id()));
    let registry = prometheus::Registry::new();
    let (router, store, backend) = open(&folder, &registry).await;
    let project = create(&router).await;
    let scope = Scope::open(Grant::Operator, TenantId(1), project.parse().unwrap()).unwrap();
    let stored = fill(&*store, scope).await;
    let from_ms = NOW_MS - 30 * DAY_MS;
    let mut queries = Vec::new();
    for (name, path) in [
        ("list, 30 days", format!("endpoints?from_ms={from_ms}")),
        ("list by p95, 30 days", format!("endpoints?from_ms={from_ms}&sort=p95")),
        ("list of one release, 30 days", format!("endpoints?from_ms={from_ms}&release=r1")),
        ("one endpoint, 30 days", format!("endpoints/GET%20%2Fapi%2Faek%2Fael?from_ms={from_ms}")),
    ] {
        queries.push(measure(&router, name, &format!("/api/v1/projects/{project}/{path}")).await);
    }
    let report = json!({"benchmark": "performance", "store": backend, "endpoints": ENDPOINTS, "log_partitions": PARTITIONS,
        "stored_mb": stored / 1_000_000, "kept_mb": kept_mb(&registry), "queries": queries});
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    drop((router, store));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// What the API keeps in memory then.
fn kept_mb(registry: &prometheus::Registry) -> f64 {
    let families = registry.gather();
    let kept = families.iter().find(|family| family.name() == "playhead_api_statistics_cache_bytes").unwrap();
    (kept.get_metric()[0].get_gauge().get_value() / 1e5).round() / 10.0
}

async fn open(folder: &Path, registry: &prometheus::Registry) -> (Router, Arc<dyn Store>, &'static str) {
    let clock = Clock::from_fn(|| NOW_MS * 1_000);
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(clock.clone()));
    log.ensure_topic(&topic::PROJECTS).await.unwrap();
    let (store, backend) = bench_store::open(folder, clock).await;
    let api = Api::new(Parts {
        config: Config::default(),
        session_idle_ms: 60_000,
        store: store.clone(),
        log,
        batches: playhead_domain::topic::batches(1, std::time::Duration::from_secs(60)),
        blobs: Arc::new(InMemory::new()),
        installation_key: InstallationKey::new([7; 32]),
        admin_token: TOKEN.to_owned().into(),
        public_url: "http://play.test".to_owned(),
        ingest_url: "http://play.test".to_owned(),
        demo_url: None,
        script_stub: String::new(),
        clock: Arc::new(|| NOW_MS),
        registry: registry.clone(),
    });
    (router(api.unwrap()), store, backend)
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> Value {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

async fn create(router: &Router) -> String {
    let created = ask(router, "POST", "/api/v1/projects", Some(json!({"name": "shop"}))).await;
    created["project_id"].as_str().unwrap().to_owned()
}

/// Forty kinds of things with twenty-five actions each: places with more values become a parameter.
fn endpoint_name(endpoint: usize) -> String {
    let word = |number: usize| {
        let letter = |at: usize| char::from(b'a' + at as u8);
        [letter(number / 8), 'e', letter(number % 8 + 10)].iter().collect::<String>()
    };
    format!("GET /api/{}/{}", word(endpoint / 25), word(endpoint % 25))
}

/// Durations spread over two decades around the endpoint's own.
fn observation(scope: Scope, day: i64, endpoint: usize, n: usize) -> Observation {
    let name = endpoint_name(endpoint);
    let spread = (endpoint * 7_919 + n * 104_729 + day as usize * 1_299_709) % 1_000;
    let duration_ms = (20.0 + endpoint as f64) * 10f64.powf(spread as f64 / 500.0 - 1.0);
    let status = if spread < 20 { 500 } else { 200 };
    let context = Context {
        release: format!("r{}", n % 3).into(),
        country: ["PT", "DE", "US", "BR"][spread % 4].into(),
        ..Context::default()
    };
    Observation {
        place: (0, 0),
        weight: 1,
        hour: day * 24,
        name: NameKey::new([7; 32]).id(scope, &name),
        context: Arc::new(context),
        measured: Measured {
            name,
            class: Class::of(status, "ok"),
            status,
            failed: status >= 400,
            sent_bytes: None,
            received_bytes: Some(1_000),
            measures: vec![
                (Measure::Total, duration_ms),
                (Measure::Backend, duration_ms * 0.6),
                (Measure::Network, duration_ms * 0.4),
                (Measure::Frontend, duration_ms * 0.1),
            ],
            counts: true,
            bucket: Some(bucket(duration_ms)),
            index: 0,
            span: None,
        },
        sample: Sample {
            time_ms: day * DAY_MS + 60_000,
            session: [1; 16],
            event: "0101010101010101-0-1".into(),
        },
    }
}

/// Rows as a processor leaves them: each day in one roll-up of each log partition. Returns how many bytes there are.
async fn fill(store: &dyn Store, scope: Scope) -> usize {
    let today = NOW_MS.div_euclid(DAY_MS);
    let mut bytes = 0;
    for endpoint in 0..ENDPOINTS {
        let name = observation(scope, today, endpoint, 0);
        let rows = (1..=WITNESSES as u8).map(|witness| Mutation::Put {
            table: &table::PERFORMANCE_NAMES,
            key: name::row(scope, name.name, SessionId([witness; 16])),
            value: name.measured.name.clone().into(),
            version: 1,
            expires_at_ms: None,
        });
        store.write(rows.collect()).await.unwrap();
    }
    for day in today - DAYS..=today {
        for partition in 0..PARTITIONS {
            let mut head = Totals::default();
            for endpoint in 0..ENDPOINTS {
                for n in 0..REQUESTS_PER_DAY {
                    head.add(&observation(scope, day, endpoint, n * 4 + partition as usize));
                }
            }
            let mut rows = Vec::new();
            for kind in Kind::ALL {
                let mut totals = Totals::default();
                (totals.next_offset, totals.sequence) = (1, 1);
                totals.roll(&head, 1_440, kind);
                let level = Level::Day(kind);
                let value = totals.encode();
                bytes += value.len();
                let key = key::row(scope, level, day * 24, partition, day, 0);
                let table = &table::PERFORMANCE;
                rows.push(Mutation::Put { table, key, value, version: 1, expires_at_ms: None });
            }
            store.write(rows).await.unwrap();
        }
    }
    for partition in 0..PARTITIONS {
        let mut head = Totals::default();
        (head.next_offset, head.sequence, head.rolled) = (2, 1, 1);
        (head.hour, head.rolled_hour) = (today * 24 + 12, today * 24 + 11);
        let key = key::row(scope, Level::Head, head.hour, partition, 0, 0);
        let put = Mutation::Put {
            table: &table::PERFORMANCE,
            key,
            value: head.encode(),
            version: 1,
            expires_at_ms: None,
        };
        store.write(vec![put]).await.unwrap();
    }
    bytes
}

async fn measure(router: &Router, name: &str, path: &str) -> Value {
    let mut times = Vec::with_capacity(TURNS);
    // What is over is read once.
    let begun = Instant::now();
    ask(router, "GET", path, None).await;
    let first_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..TURNS {
        let begun = Instant::now();
        let answer = ask(router, "GET", path, None).await;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!(answer["window"]["partial"], false, "{name}");
        assert!(
            answer["total"].as_u64().is_none_or(|total| total == ENDPOINTS as u64),
            "{name}: {}",
            answer["total"]
        );
    }
    times.sort_by(f64::total_cmp);
    let rounded = |ms: f64| (ms * 10.0).round() / 10.0;
    let (p50, p95) = (times[TURNS / 2], times[TURNS * 95 / 100]);
    json!({"query": name, "first_ms": rounded(first_ms), "p50_ms": rounded(p50), "p95_ms": rounded(p95)})
}
