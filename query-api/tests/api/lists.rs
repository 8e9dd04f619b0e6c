use axum::http::StatusCode;
use playhead_domain::row::{Counts, SessionSummary};
use playhead_query_api::Config;
use serde_json::Value;

use crate::app::{App, NOON, Project, summary};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn ids(page: &Value) -> Vec<u8> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| u8::from_str_radix(&item["id"].as_str().unwrap()[..2], 16).unwrap())
        .collect()
}

/// Every page of a list, and in how many requests.
async fn all(app: &App, project: &Project, query: &str) -> (Vec<u8>, usize) {
    let (mut seen, mut cursor, mut requests) = (Vec::new(), String::new(), 0);
    loop {
        let page = app.read(project, &format!("/sessions?{query}{cursor}")).await;
        seen.extend(ids(&page));
        requests += 1;
        assert!(requests < 500, "the list does not end");
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (seen, requests),
        }
    }
}

#[tokio::test]
async fn a_session_is_shown_whole() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, NOON - HOUR)).await;
    let shown = app.read(&project, &format!("/sessions/{id}")).await;
    insta::assert_json_snapshot!(shown, { ".project_id" => "[project]" });
    assert_eq!(app.read(&project, "/sessions").await["items"][0], shown);
}

#[tokio::test]
async fn pages_join_without_loss_or_repetition_across_days_and_shards() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for number in 1..=40u8 {
        app.session(&project, summary(number, NOON - i64::from(number) * 7 * HOUR)).await;
    }
    let newest_first: Vec<u8> = (1..=40).collect();
    for limit in [1, 3, 7, 200] {
        assert_eq!(all(&app, &project, &format!("limit={limit}")).await.0, newest_first, "limit {limit}");
    }
    let oldest_first: Vec<u8> = (1..=40).rev().collect();
    assert_eq!(all(&app, &project, "limit=9&sort=started_at").await.0, oldest_first);
    let (from, to) = (NOON - 10 * 7 * HOUR, NOON - 5 * 7 * HOUR);
    assert_eq!(all(&app, &project, &format!("from={from}&to={to}")).await.0, [6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let app = App::new().await;
    let project = app.project("shop").await;
    app.session(&project, summary(1, NOON - HOUR)).await;
    let errors = Counts { errors: 2, failed_requests: 1, ..Counts::default() };
    app.session(&project, SessionSummary { counts: Some(errors), ..summary(2, NOON - 2 * HOUR) }).await;
    let mut other = summary(3, NOON - 3 * DAY);
    other.client.as_mut().unwrap().browser = "Firefox".to_owned();
    other.client.as_mut().unwrap().ip = "192.0.2.7".to_owned();
    other.custom_event_names = vec!["paid".to_owned()];
    other.issues = vec!["31fada7a70c0d63d7e2679db1ee82e26".to_owned()];
    other.end_ms = other.start_ms + 5_000;
    app.session(&project, other).await;
    for (query, expected) in [
        ("has_errors=true", &[2u8][..]),
        ("has_errors=false", &[1, 3]),
        ("has_failed_requests=true", &[2]),
        ("browser=firefox", &[3]),
        ("os=LINUX&country=pt", &[1, 2, 3]),
        ("ip=192.0.2.7", &[3]),
        ("user=user-2", &[2]),
        ("user=u2@shop.example", &[2]),
        ("user=U2@Shop.Example", &[2]),
        ("user=USER-2", &[]),
        ("page=/products/1", &[1]),
        ("page=https://shop.example/products/3", &[3]),
        ("page=*products*", &[1, 2, 3]),
        ("page=/nowhere", &[]),
        ("release=1.0", &[1, 2, 3]),
        ("release=1.0&browser=firefox", &[3]),
        ("custom_event=paid", &[3]),
        ("issue=31fada7a70c0d63d7e2679db1ee82e26", &[3]),
        ("issue=31fada7a70c0d63d7e2679db1ee82e27", &[]),
        ("max_duration_ms=10000", &[3]),
        ("min_duration_ms=10000", &[1, 2]),
        ("q=U2@SHOP", &[2]),
        ("q=products/3", &[3]),
        ("q=0202", &[2]),
        ("session_id=02020202020202020202020202020202", &[2]),
        ("session_id=02020202020202020202020202020202&has_errors=false", &[]),
        ("session_id=09090909090909090909090909090909", &[]),
    ] {
        assert_eq!(all(&app, &project, query).await.0, expected, "{query}");
    }
}

#[tokio::test]
async fn a_search_that_finds_little_ends_within_its_budget_and_says_so() {
    let app = App::with(Config { scan_budget_rows: 100, ..Config::default() }).await;
    let project = app.project("shop").await;
    for number in 1..=250u8 {
        app.session(&project, summary(number, NOON - i64::from(number) * HOUR)).await;
    }
    let first = app.read(&project, "/sessions?q=user-250").await;
    assert_eq!((first["partial"].as_bool(), ids(&first).len()), (Some(true), 0));
    let (found, requests) = all(&app, &project, "q=user-250").await;
    assert_eq!(found, [250]);
    assert!(requests > 2);
    assert!(!app.read(&project, "/sessions?limit=5").await["partial"].as_bool().unwrap());
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "query"),
        ("sort=duration", "sort"),
        ("cursor=zz", "cursor"),
        ("session_id=1", "session_id"),
        ("from=5&to=4", "from"),
        ("has_errors=maybe", "query"),
        ("no_such=1", "query"),
    ] {
        let answer =
            app.get(&format!("/api/v1/projects/{}/sessions?{query}", project.id), &project.secret).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_filters_and_project() {
    let app = App::new().await;
    let (project, other) = (app.project("shop").await, app.project("other").await);
    for number in 1..=3 {
        app.session(&project, summary(number, NOON - HOUR)).await;
    }
    let next = app.read(&project, "/sessions?limit=1").await["next"].as_str().unwrap().to_owned();
    for (project, query) in [(&project, "browser=Chrome&"), (&other, "")] {
        let path = format!("/api/v1/projects/{}/sessions?{query}cursor={next}", project.id);
        assert_eq!(app.get(&path, &project.secret).await.json()["field"], "cursor");
    }
}

#[tokio::test]
async fn a_session_is_live_until_it_idles() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, NOON - 70_000)).await;
    let path = format!("/sessions/{id}");
    let live = app.read(&project, &path).await;
    assert_eq!((live["state"].as_str(), live["replay"].as_str()), (Some("live"), Some("live")));
    app.advance(60_000);
    let ended = app.read(&project, &path).await;
    assert_eq!((ended["state"].as_str(), ended["replay"].as_str()), (Some("ended"), Some("complete")));
    app.advance(31 * DAY);
    let gone = app.get(&format!("/api/v1/projects/{}{path}", project.id), &project.secret).await;
    assert_eq!((gone.status, gone.problem().as_str()), (StatusCode::GONE, "expired"));
}
