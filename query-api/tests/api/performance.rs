//! Endpoints and pages: summed over heads, segments and roll-ups, each counted once.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::id::{ProjectId, SessionId, TenantId};
use playhead_domain::performance::key::{self, Kind, Level};
use playhead_domain::performance::name::{self, NAME_PURPOSE, NameKey};
use playhead_domain::performance::observation::{
    Class, Context, Measure, Measured, Observation, Sample, bucket,
};
use playhead_domain::performance::totals::{OTHER, Totals};
use playhead_domain::scope::Scope;
use playhead_domain::store::Mutation;
use playhead_domain::table;
use serde_json::Value;

use crate::app::{App, NOON, Project, installation};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

pub(crate) fn names() -> NameKey {
    NameKey::new(installation().derive(NAME_PURPOSE))
}

pub(crate) fn request(name: &str, time_ms: i64, duration_ms: f64, release: &str, status: u32) -> Observation {
    Observation {
        place: (0, 0),
        weight: 1,
        hour: time_ms.div_euclid(HOUR),
        // That of the project replaces it.
        name: names().id(Scope::of_log_record(TenantId(1), ProjectId(1)), name),
        context: Arc::new(Context { release: release.into(), country: "PT".into(), ..Context::default() }),
        measured: Measured {
            name: name.to_owned(),
            class: Class::of(status, "ok"),
            status,
            failed: status >= 400,
            sent_bytes: None,
            received_bytes: Some(1_000),
            measures: vec![(Measure::Total, duration_ms), (Measure::Backend, duration_ms / 2.0)],
            counts: true,
            bucket: Some(bucket(duration_ms)),
            index: 0,
            span: None,
        },
        sample: Sample { time_ms, session: [9; 16], event: format!("e-{time_ms}") },
    }
}

pub(crate) fn page(name: &str, time_ms: i64, vital: Option<(Measure, f64)>) -> Observation {
    let mut observation = request(name, time_ms, 0.0, "1", 0);
    let measured = &mut observation.measured;
    (measured.class, measured.bucket, measured.received_bytes) = (Class::Page, None, None);
    (measured.counts, measured.measures) = (vital.is_none(), vital.into_iter().collect());
    observation
}

pub(crate) async fn put(
    app: &App,
    project: &Project,
    place: (Level, u32, i64, i64),
    mut totals: Totals,
    next_offset: u64,
) {
    let (level, partition, hour, slot) = place;
    totals.next_offset = next_offset;
    let unit = match level {
        Level::Segment => i64::try_from(totals.sequence).unwrap(),
        _ => level.unit(hour),
    };
    let key = key::row(project.scope, level, hour, partition, unit, slot);
    let value: Bytes = totals.encode();
    let put = Mutation::Put {
        table: &table::PERFORMANCE,
        key,
        value,
        version: next_offset.max(1).cast_signed(),
        expires_at_ms: None,
    };
    app.store.write(vec![put]).await.unwrap();
}

async fn witness(app: &App, project: &Project, id: u8, name: &str) {
    let key = name::row(project.scope, names().id(project.scope, name), SessionId([id; 16]));
    let (table, value) = (&table::PERFORMANCE_NAMES, Bytes::copy_from_slice(name.as_bytes()));
    app.store
        .write(vec![Mutation::Put { table, key, value, version: 1, expires_at_ms: None }])
        .await
        .unwrap();
}

/// What a processor leaves: each hour of `times` rolled up but for the last segment of two, and a head.
pub(crate) async fn fill(app: &App, project: &Project, partition: u32, all: &[Observation]) {
    let mut all = all.to_vec();
    for observation in &mut all {
        observation.name = names().id(project.scope, &observation.measured.name);
        witness(app, project, 9, &observation.measured.name).await;
    }
    let mut head = Totals::default();
    let mut hours: std::collections::BTreeMap<i64, Vec<&Observation>> = std::collections::BTreeMap::new();
    all.iter().for_each(|observation| hours.entry(observation.hour).or_default().push(observation));
    let last = *hours.keys().next_back().unwrap();
    let mut days: std::collections::BTreeMap<i64, Vec<Totals>> = std::collections::BTreeMap::new();
    for (hour, observations) in hours {
        head.hour = hour;
        observations.iter().for_each(|observation| head.add(observation));
        if hour == last {
            break;
        }
        let sealed = head.seal();
        put(app, project, (Level::Segment, partition, hour, 0), sealed.clone(), 1).await;
        (head.rolled, head.rolled_hour) = (head.sequence, hour);
        for kind in Kind::ALL {
            let mut rolled = Totals::default();
            rolled.sequence = head.sequence;
            rolled.roll(&sealed, 60, kind);
            put(app, project, (Level::Hour(kind), partition, hour, 1), rolled, 1).await;
        }
        days.entry(hour.div_euclid(24)).or_default().push(sealed);
        let day = hour.div_euclid(24);
        for kind in Kind::ALL {
            let mut rolled = Totals::default();
            rolled.sequence = head.sequence;
            days[&day].iter().for_each(|sealed| rolled.roll(sealed, 1_440, kind));
            put(app, project, (Level::Day(kind), partition, hour, 0), rolled, head.sequence).await;
        }
    }
    put(app, project, (Level::Head, partition, 0, 0), Totals::default(), 0).await;
    put(app, project, (Level::Head, partition, 0, 1), head, 1_000).await;
}

fn shop() -> Vec<Observation> {
    let mut all = Vec::new();
    for hours_ago in [0, 1, 2, 30, 24 * 7 + 1, 24 * 20] {
        for n in 0..100_i64 {
            let time_ms = NOON - hours_ago * HOUR - (n % 10) * MINUTE - 1;
            let release = if n % 2 == 0 { "1" } else { "2" };
            all.push(request("GET /api/orders/{id}", time_ms, 10.0 * (n + 1) as f64, release, 200));
            if n < 10 {
                all.push(request("POST /api/pay", time_ms, 2_000.0, release, if n < 5 { 502 } else { 200 }));
            }
        }
        all.push(page("/cart", NOON - hours_ago * HOUR - 1, None));
        all.push(page("/cart", NOON - hours_ago * HOUR - 1, Some((Measure::Lcp, 3_000.0))));
    }
    all
}

async fn opened() -> (App, Project) {
    let app = App::new().await;
    let project = app.project("shop").await;
    fill(&app, &project, 3, &shop()).await;
    fill(&app, &project, 11, &shop()).await;
    (app, project)
}

fn near(value: &Value, exact: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - exact).abs() <= exact * 0.0101, "{value} is not {exact}");
}

#[tokio::test]
async fn windows_of_every_length_count_each_request_once() {
    let (app, project) = opened().await;
    for (length, hours) in [(HOUR, 1), (3 * HOUR, 3), (DAY, 3), (2 * DAY, 4), (8 * DAY, 5), (30 * DAY, 6)] {
        let list = app.read(&project, &format!("/endpoints?from_ms={}&to_ms={NOON}", NOON - length)).await;
        let orders = &list["endpoints"][0];
        assert_eq!(orders["name"], "GET /api/orders/{id}", "{list}");
        assert_eq!(orders["requests"], hours * 200, "{length}");
        assert_eq!((list["total"].as_u64(), &list["window"]["partial"]), (Some(2), &Value::Bool(false)));
        near(&orders["durations"]["p50_ms"], 500.0);
        near(&orders["durations"]["p95_ms"], 950.0);
        near(&orders["parts"]["backend"]["mean_ms"], 252.5);
        assert_eq!(orders["parts"]["frontend"]["known"], 0);
        assert_eq!(orders["parts"]["frontend"]["mean_ms"], Value::Null);
        let trend = orders["trend"].as_array().unwrap();
        assert_eq!(trend.iter().map(|point| point["requests"].as_u64().unwrap()).sum::<u64>(), hours * 200);
    }
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_compared() {
    let (app, project) = opened().await;
    let all = app.read(&project, "/endpoints?sort=failure_share").await;
    let pay = &all["endpoints"][0];
    assert_eq!((pay["name"].as_str(), pay["failure_share"].as_f64()), (Some("POST /api/pay"), Some(0.5)));
    // Half of them failed, the others took 2 s: tolerated by 500 ms.
    near(&pay["apdex"], 0.25);
    assert_eq!((&pay["requests"], &pay["before"]["requests"]), (&Value::from(60), &Value::from(20)));
    let one = app.read(&project, "/endpoints?release=2&country=PT&query=ORDERS").await;
    assert_eq!((&one["total"], &one["endpoints"][0]["requests"]), (&Value::from(1), &Value::from(300)));
    assert_eq!(one["window"]["releases"], serde_json::json!(["2", "1"]));
    assert_eq!(app.read(&project, "/endpoints?release=3").await["total"], 0);
    for wrong in
        ["sort=colour", "limit=0", "from_ms=5&to_ms=4", "from_ms=0&to_ms=1767268800000", "colour=red"]
    {
        let path = format!("/api/v1/projects/{}/endpoints?{wrong}", project.id);
        assert_eq!(app.get(&path, &project.secret).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn an_endpoint_shows_where_its_time_goes_and_opens_sessions() {
    let (app, project) = opened().await;
    for window in ["", "?from_ms=1764590400000", "?from_ms=1767265200000"] {
        let detail = app.read(&project, &format!("/endpoints/POST%20%2Fapi%2Fpay{window}")).await;
        let buckets = detail["histogram"].as_array().unwrap();
        let total: u64 = buckets.iter().map(|bucket| bucket["requests"].as_u64().unwrap()).sum();
        assert_eq!(Some(total), detail["endpoint"]["requests"].as_u64(), "{detail}");
        let sampled = buckets.iter().find(|bucket| !bucket["sample"].is_null()).unwrap();
        assert_eq!(sampled["sample"]["session_id"], "09".repeat(16));
        assert_eq!(sampled["sample"]["event_id"], format!("e-{}", NOON - 1 - 5 * MINUTE + 5 * MINUTE));
        assert_eq!(detail["failed_sample"]["time_ms"], NOON - 1);
        let statuses = detail["statuses"].as_array().unwrap();
        assert_eq!(statuses.len(), 2);
        assert!(statuses.iter().any(|status| status["status"] == "502" && status["failed"] == true));
        assert_eq!(detail["releases"].as_array().unwrap().len(), 2);
    }
    let gone = format!("/api/v1/projects/{}/endpoints/GET%20%2Fnowhere", project.id);
    assert_eq!(app.get(&gone, &project.secret).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_whose_witnesses_were_erased_are_counted_with_the_others() {
    let (app, project) = opened().await;
    Erasure::new(app.store.clone(), installation().derive(USER_HASH_PURPOSE))
        .erase_session(project.scope, SessionId([9; 16]), NOON)
        .await
        .unwrap();
    witness(&app, &project, 8, "POST /api/pay").await;
    let list = app.read(&project, "/endpoints").await;
    let named: Vec<_> = list["endpoints"].as_array().unwrap().iter().collect();
    let requests = |name: &str| &named.iter().find(|endpoint| endpoint["name"] == name).unwrap()["requests"];
    assert_eq!(
        (named.len(), requests("POST /api/pay"), requests(OTHER)),
        (2, &Value::from(60), &Value::from(600))
    );
    let gone = format!("/api/v1/projects/{}/endpoints/GET%20%2Fapi%2Forders%2F%7Bid%7D", project.id);
    assert_eq!(app.get(&gone, &project.secret).await.status, StatusCode::NOT_FOUND);
    assert!(!list.to_string().contains("orders"));
}

#[tokio::test]
async fn pages_have_their_vitals() {
    let (app, project) = opened().await;
    let list = app.read(&project, "/pages").await;
    let cart = &list["pages"][0];
    assert_eq!(
        (cart["name"].as_str(), cart["loads"].as_u64(), list["total"].as_u64()),
        (Some("/cart"), Some(6), Some(1))
    );
    let lcp = &cart["vitals"][0];
    near(&lcp["p75"], 3_000.0);
    near(&lcp["before_p75"], 3_000.0);
    assert_eq!((&lcp["rating"], &lcp["known"]), (&Value::from("needs-improvement"), &Value::from(6)));
    assert_eq!((&cart["vitals"][1]["known"], &cart["vitals"][1]["p75"]), (&Value::from(0), &Value::Null));
}

#[tokio::test]
async fn what_is_not_of_one_moment_is_said() {
    let (app, project) = opened().await;
    // A head that was sealed and rolled up by a flush of which the roll-ups cannot be read.
    let mut head = Totals::default();
    (head.sequence, head.rolled) = (99, 99);
    (head.hour, head.rolled_hour) = (NOON.div_euclid(HOUR), NOON.div_euclid(HOUR));
    put(&app, &project, (Level::Head, 3, 0, 0), head, 2_000).await;
    assert_eq!(app.read(&project, "/endpoints").await["window"]["partial"], true);
}

fn kept_bytes(app: &App) -> f64 {
    let families = app.registry.gather();
    let kept = families.iter().find(|family| family.name() == "playhead_api_statistics_cache_bytes").unwrap();
    kept.get_metric()[0].get_gauge().get_value()
}

#[tokio::test]
async fn what_is_over_is_kept_and_answers_are_the_same() {
    let (app, project) = opened().await;
    let from_ms = NOON - 30 * 24 * HOUR;
    let week_ms = NOON - 7 * 24 * HOUR;
    let paths = [
        format!("/endpoints?from_ms={from_ms}"),
        format!("/endpoints?from_ms={from_ms}&release=1&sort=p95"),
        format!("/endpoints?from_ms={week_ms}"),
        format!("/endpoints?from_ms={week_ms}&country=pt&environment=production"),
        format!("/endpoints/POST%20%2Fapi%2Fpay?from_ms={from_ms}"),
        format!("/pages?from_ms={from_ms}&sort=LCP"),
    ];
    let ask = async || {
        let mut answers = Vec::new();
        for path in &paths {
            answers.push(app.read(&project, path).await);
        }
        answers
    };
    let before = ask().await;
    let mut kept = 0.0;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        if kept > 0.0 && kept == kept_bytes(&app) {
            break;
        }
        kept = kept_bytes(&app);
    }
    assert!(kept > 0.0);
    // What is kept needs no rows any more.
    let hours_ago = |hours: i64| (NOON - hours * HOUR).div_euclid(HOUR);
    for (kind, partition) in [(Kind::Plain, 3), (Kind::Detail, 3), (Kind::Plain, 11), (Kind::Detail, 11)] {
        for (level, hour) in [(Level::Day(kind), hours_ago(24 * 20)), (Level::Hour(kind), hours_ago(30))] {
            let partition = key::partition(project.scope, level, level.bucket(hour), partition % key::SHARDS);
            let delete = Mutation::DeletePartition { table: &table::PERFORMANCE, partition, version: 9_999 };
            app.store.write(vec![delete]).await.unwrap();
        }
    }
    assert_eq!(ask().await, before);
    // A log partition that comes later may have been behind.
    fill(&app, &project, 4, &shop()).await;
    let answer = app.read(&project, &paths[0]).await;
    let count = |answer: &Value| answer["endpoints"][0]["requests"].as_u64().unwrap();
    assert_eq!(count(&before[0]), 2 * 600);
    assert_eq!(count(&answer), 3 * 600 - 2 * 100, "{answer}");
}
