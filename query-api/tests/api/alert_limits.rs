//! Rules about endpoints and pages: what they fire, what they tell, and what a preview says of them.

use std::sync::Arc;

use playhead_domain::performance::key::Level;
use playhead_domain::performance::observation::{Measure, Observation};
use playhead_domain::performance::totals::Totals;
use serde_json::{Value, json};

use crate::alerting::{MINUTE, Post, round, rule, without_defaults, worker};
use crate::app::{ADMIN, App, NOON, Project};
use crate::issues::{DAY, HOUR};
use crate::performance::{names, page, put, request};

const PAY: &str = "POST /api/pay";
const CART: &str = "GET /api/cart";

/// All that was measured so far.
async fn measure(app: &App, project: &Project, all: &[Observation]) {
    let mut head = Totals::default();
    for observation in all {
        let name = names().id(project.scope, &observation.measured.name);
        head.add(&Observation { name, ..observation.clone() });
    }
    put(app, project, (Level::Head, 0, 0, 0), head, all.len() as u64).await;
}

/// So many requests at a time, of which so many fail.
fn requests(name: &str, time_ms: i64, (all, failed): (usize, usize)) -> Vec<Observation> {
    let status = |n: usize| if n < failed { 503 } else { 200 };
    (0..all).map(|n| request(name, time_ms, 100.0, if n % 2 == 0 { "1" } else { "2" }, status(n))).collect()
}

fn limit(kind: &str, window_minutes: u32, limit: Value) -> Value {
    json!({"name": "limit", "channels": ["ops"], "throttle_minutes": 0,
        "condition": {"kind": kind, "window_minutes": window_minutes, "limit": limit}})
}

async fn preview(app: &App, project: &Project, draft: Value) -> Value {
    let path = format!("/api/v1/projects/{}/alerts/preview", project.id);
    let answer = app.call("POST", &path, ADMIN, Some(draft)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn an_endpoint_that_fails_is_told_once_and_its_end_too() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let draft = limit(
        "endpoint",
        5,
        json!({"measure": "error_share", "name": PAY, "trigger_at": 20, "resolve_at": 10}),
    );
    rule(&app, &project, draft).await;
    let (one, two) = (worker(&app, &post), worker(&app, &post));
    let mut all = Vec::new();
    let mut told = Vec::new();
    for minute in 0..20 {
        // It breaks in minute 2 and is mended in minute 6; another endpoint fails all the time.
        let failed = if (2..6).contains(&minute) { 30 } else { 0 };
        all.extend(requests(PAY, app.now_ms(), (40, failed)));
        all.extend(requests(CART, app.now_ms(), (10, 10)));
        measure(&app, &project, &all).await;
        round(&app, &project, &one).await;
        if minute % 3 == 0 {
            // It is somebody else's turn.
            one.release().await;
            round(&app, &project, &two).await;
            two.release().await;
        }
        let now = post.told().len();
        (told.len()..now).for_each(|_| told.push(minute));
        app.advance(MINUTE);
    }
    assert_eq!(post.told(), ["triggered", "resolved"]);
    assert_eq!(told, [2, 11], "over when five whole minutes have less than ten per cent");
    let messages = post.messages.lock().clone();
    let message = &messages[0];
    assert_eq!(message.title, format!("High error share of {PAY}"));
    assert_eq!(message.why, "error share 25.0 % within 5 minutes, limit 20.0 %");
    assert!(message.facts.contains(&("Failed".to_owned(), "30".to_owned())), "{:?}", message.facts);
    let place = format!("http://play.test/p/{}", project.id);
    assert_eq!(message.links.subject, format!("{place}/endpoints/POST%20%2Fapi%2Fpay"));
    let (session, at) = ("09".repeat(16), NOON + 2 * MINUTE);
    assert_eq!(message.links.replay, Some(format!("{place}/sessions/{session}?pane=network&at={at}")));
    assert_eq!(messages[1].why, "it is within its limit again");
    let firings = app.read(&project, "/alerts/firings").await;
    let firing = &firings["items"][0];
    assert_eq!(
        (&firing["kind"], &firing["name"], &firing["subject"]),
        (&json!("endpoint"), &json!(PAY), &json!("project"))
    );
}

#[tokio::test]
async fn releases_minimum_and_last_week_decide() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let mut all = requests(PAY, NOON - 7 * DAY, (40, 0));
    // Even ones are of release 1: these fail.
    all.extend((0..40).map(|n| {
        let (release, status) = if n % 2 == 0 { ("1", 503) } else { ("2", 200) };
        request(PAY, NOON, if n % 2 == 0 { 100.0 } else { 250.0 }, release, status)
    }));
    measure(&app, &project, &all).await;
    let share = |name: &str, patch: Value| {
        let mut limit = limit("endpoint", 10, json!({"measure": "error_share", "trigger_at": 60}));
        limit["name"] = json!(name);
        patch
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(of, value)| limit["condition"]["limit"][of] = value.clone());
        limit
    };
    for draft in [
        share("all", json!({})),
        share("of 1", json!({"release": "1"})),
        share("of 2", json!({"release": "2"})),
        share("elsewhere", json!({"environment": "staging"})),
        share("of few", json!({"release": "1", "minimum": 21})),
        share("points", json!({"last_week": true, "trigger_at": 50})),
        share("more points", json!({"last_week": true, "trigger_at": 51})),
        share("slower", json!({"measure": "p95", "last_week": true, "trigger_at": 140})),
        share("much slower", json!({"measure": "p95", "last_week": true, "trigger_at": 160})),
        share("other", json!({"name": CART})),
        share("many", json!({"measure": "throughput", "trigger_at": 4})),
        share("very many", json!({"measure": "throughput", "trigger_at": 4.1})),
        share("bad apdex", json!({"measure": "apdex", "trigger_at": 0.5})),
    ] {
        rule(&app, &project, draft.clone()).await;
        let would_fire = preview(&app, &project, draft.clone()).await["total"].as_u64().unwrap();
        let name = draft["name"].as_str().unwrap();
        let fires = ["of 1", "points", "slower", "many", "bad apdex"].contains(&name);
        assert_eq!(would_fire, u64::from(fires), "{name}");
    }
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    let mut told: Vec<_> = post.messages.lock().iter().map(|message| message.rule.clone()).collect();
    told.sort();
    assert_eq!(told, ["bad apdex", "many", "of 1", "points", "slower"]);
}

#[tokio::test]
async fn pages_have_their_vitals() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let vital = |measure: &str, trigger_at: f64| {
        let limit = json!({"measure": measure, "name": "/cart", "trigger_at": trigger_at, "minimum": 5});
        let mut draft = self::limit("page", 60, limit);
        draft["name"] = json!(format!("{measure} {trigger_at}"));
        draft
    };
    for draft in [vital("lcp", 2_500.0), vital("lcp", 4_500.0), vital("cls", 0.1), vital("inp", 1.0)] {
        rule(&app, &project, draft).await;
    }
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(page("/cart", NOON, None));
        all.push(page("/cart", NOON, Some((Measure::Lcp, 4_000.0))));
        all.push(page("/cart", NOON, Some((Measure::Cls, 150.0))));
        all.push(page("/", NOON, Some((Measure::Inp, 500.0))));
    }
    measure(&app, &project, &all).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    let mut told: Vec<_> = post.messages.lock().iter().map(|message| message.title.clone()).collect();
    told.sort();
    assert_eq!(told, ["High CLS of /cart", "Slow LCP of /cart"]);
    let messages = post.messages.lock().clone();
    assert!(messages[0].links.subject.ends_with("/pages?q=%2Fcart"), "{}", messages[0].links.subject);
}

#[tokio::test]
async fn a_new_project_watches_all_its_endpoints_and_a_preview_goes_back_seven_days() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    app.read(&project, "/alerts/rules").await;
    let mut all = Vec::new();
    for hour in 1..150 {
        let failed = if hour == 100 { 60 } else { 0 };
        all.extend(requests(PAY, NOON - hour * HOUR, (120, failed)));
    }
    measure(&app, &project, &all).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    assert!(app.read(&project, "/alerts/firings").await["items"].as_array().unwrap().is_empty());
    let of = |window_minutes: u32, trigger_at: u32| {
        limit(
            "endpoint",
            window_minutes,
            json!({"measure": "error_share", "trigger_at": trigger_at, "resolve_at": 5}),
        )
    };
    let short = preview(&app, &project, of(10, 10)).await;
    assert!(short["notes"][0].as_str().unwrap().contains("shorter peaks do not show"), "{short}");
    let expected = json!({"issue": null, "title": "High error share of all endpoints", "from_ms": NOON - 100 * HOUR,
        "to_ms": NOON - 98 * HOUR, "why": "error share 50.0 % within an hour, limit 10.0 %", "grain_ms": HOUR, "certain": false});
    assert_eq!(short["items"], json!([expected]));
    let long = preview(&app, &project, of(360, 8)).await;
    assert_eq!(long["items"][0]["certain"], true);
    assert_eq!(long["items"][0]["from_ms"], NOON - 100 * HOUR);
    app.advance(MINUTE);
    all.extend(requests(CART, NOON + MINUTE, (120, 20)));
    measure(&app, &project, &all).await;
    app.advance(MINUTE);
    round(&app, &project, &worker).await;
    let firings = app.read(&project, "/alerts/firings").await;
    assert_eq!(firings["items"][0]["rule_name"], "Many failed requests");
    assert!(post.carried().is_empty(), "it has no channel");
}
