use playhead_domain::id::StreamId;
use serde_json::{Value, json};

use crate::app::{App, NOON, Project, STREAM, summary};

const OTHER: StreamId = StreamId([2; 8]);
const START: i64 = NOON - 100_000;

fn event(at_ms: i64, kind: &str, data: Value) -> Value {
    json!({"id": format!("{kind}-{at_ms}"), "time": START + at_ms, "kind": kind, "data": data})
}

async fn filled(app: &App) -> (Project, String) {
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    let key = app.data_key(&project, id).await;
    let first = [event(0, "page", json!({"url": "/"})), event(40, "error", json!({"message": "Boom Größe"}))];
    let second = [
        event(20, "click", json!({"text": "Buy"})),
        event(30, "request", json!({"status": 502, "failed": true})),
    ];
    let third =
        [event(10, "console", json!({"args": ["hello"]})), event(50, "error", json!({"message": "late"}))];
    app.chunk(&project, id, &key, (STREAM, 0), &first).await;
    app.chunk(&project, id, &key, (STREAM, 1), &second).await;
    app.chunk(&project, id, &key, (OTHER, 0), &third).await;
    (project, format!("/sessions/{id}/events"))
}

fn at(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|event| event["at_ms"].as_f64().unwrap() as i64).collect()
}

#[tokio::test]
async fn events_of_all_streams_come_in_order_of_time() {
    let app = App::new().await;
    let (project, path) = filled(&app).await;
    let page = app.read(&project, &path).await;
    assert_eq!(at(&page), [0, 10, 20, 30, 40, 50]);
    assert_eq!(page["next"], Value::Null);
    insta::assert_json_snapshot!(page["items"][3]);
}

#[tokio::test]
async fn pages_join_without_loss_or_repetition() {
    let app = App::new().await;
    let (project, path) = filled(&app).await;
    for limit in 1..=7 {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.read(&project, &format!("{path}?limit={limit}{cursor}")).await;
            assert!(at(&page).len() <= limit);
            seen.extend(at(&page));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, [0, 10, 20, 30, 40, 50], "limit {limit}");
    }
}

#[tokio::test]
async fn kinds_and_text_filter() {
    let app = App::new().await;
    let (project, path) = filled(&app).await;
    for (query, expected) in [
        ("kinds=error", &[40i64, 50][..]),
        ("kinds=error,request", &[30, 40, 50]),
        ("kinds=nothing", &[]),
        ("q=boom", &[40]),
        ("q=GR%C3%96SSE", &[]),
        ("q=gr%C3%B6%C3%9F", &[40]),
        ("q=502", &[30]),
        ("q=message", &[]),
        ("kinds=error&q=late", &[50]),
    ] {
        assert_eq!(at(&app.read(&project, &format!("{path}?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_large_page_is_cut_and_goes_on() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    let key = app.data_key(&project, id).await;
    for seq in 0..12 {
        let text = "x".repeat(1 << 20);
        let large = event(i64::try_from(seq).unwrap(), "console", json!({"args": [text]}));
        app.chunk(&project, id, &key, (STREAM, seq), &[large]).await;
    }
    let path = format!("/sessions/{id}/events");
    let first = app.read(&project, &path).await;
    assert!(at(&first).len() < 9, "an answer is bounded in bytes");
    let rest = app.read(&project, &format!("{path}?cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!([at(&first), at(&rest)].concat(), (0..12).collect::<Vec<i64>>());
}

#[tokio::test]
async fn spans_come_when_they_are_asked_for_and_each_once() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    let key = app.data_key(&project, id).await;
    app.chunk(&project, id, &key, (STREAM, 0), &[event(0, "page", json!({"url": "/"}))]).await;
    let span = |at_ms: i64, number: u8| {
        let ids = json!({"trace_id": "a".repeat(32), "span_id": format!("{number:016x}"), "name": "GET"});
        event(at_ms, "span", ids)
    };
    // Two exports that overlap.
    app.chunk(&project, id, &key, (OTHER, 7), &[span(10, 1), span(10, 2), span(30, 3)]).await;
    app.chunk(&project, id, &key, (OTHER, 9), &[span(10, 2), span(30, 3), span(20, 4)]).await;
    let path = format!("/sessions/{id}/events");
    assert_eq!(at(&app.read(&project, &path).await), [0]);
    assert_eq!(at(&app.read(&project, &format!("{path}?kinds=page,span")).await), [0, 10, 10, 20, 30]);
    for limit in 1..=5 {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.read(&project, &format!("{path}?kinds=span&limit={limit}{cursor}")).await;
            for item in page["items"].as_array().unwrap() {
                assert_eq!(item["stream"], "");
                seen.push(item["data"]["span_id"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected = [1, 2, 4, 3].map(|number| format!("{number:016x}"));
        assert_eq!(seen, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_session_of_which_only_spans_have_come_is_none_yet() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, 0)).await;
    let answer = app.get(&format!("/api/v1/projects/{}/sessions/{id}", project.id), &project.secret).await;
    assert_eq!(answer.status, 404);
}
