use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, NOON, STREAM, summary};

const START: i64 = NOON - 600_000;

#[tokio::test]
async fn an_erased_session_is_gone_from_everything() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    app.session(&project, summary(2, START)).await;
    let key = app.data_key(&project, id).await;
    let event = json!({"id": "x", "time": START, "kind": "page", "data": {}});
    app.chunk(&project, id, &key, (STREAM, 0), &[event]).await;
    let base = format!("/api/v1/projects/{}/sessions", project.id);
    for _ in 0..2 {
        let erased = app.call("DELETE", &format!("{base}/{id}"), &project.secret, None).await;
        assert_eq!(erased.status, StatusCode::NO_CONTENT, "again is fine");
    }
    for path in ["", "/events", "/segments/f-0101010101010101-0-0-000000000000"] {
        let gone = app.get(&format!("{base}/{id}{path}"), &project.secret).await;
        assert_eq!((gone.status, gone.problem().as_str()), (StatusCode::GONE, "deleted"), "{path}");
    }
    let replay = app.read(&project, &format!("/sessions/{id}/replay")).await;
    assert_eq!(
        (&replay["state"], &replay["streams"]),
        (&json!("deleted"), &json!([])),
        "a link says what became of it"
    );
    for query in ["", "?user=user-1", "?session_id=01010101010101010101010101010101"] {
        let listed = app.get(&format!("{base}{query}"), &project.secret).await;
        assert!(!listed.text().contains(&id.to_string()), "{query}");
    }
    assert_eq!(app.read(&project, "/sessions").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_user_is_erased_by_id_or_address() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for number in 1..=3 {
        app.session(&project, summary(number, START)).await;
    }
    let base = format!("/api/v1/projects/{}/users", project.id);
    let by_id = app.call("DELETE", &format!("{base}/user-1"), &project.secret, None).await;
    assert_eq!((by_id.status, by_id.json()), (StatusCode::ACCEPTED, json!({"sessions": 1})));
    let by_address = app.call("DELETE", &format!("{base}/U2%40Shop.Example"), &project.secret, None).await;
    assert_eq!(by_address.json(), json!({"sessions": 1}));
    let left = app.read(&project, "/sessions").await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(left["items"][0]["user"]["id"], "user-3");
}

#[tokio::test]
async fn what_was_erased_does_not_come_back_with_a_late_flush() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    let path = format!("/api/v1/projects/{}/sessions/{id}", project.id);
    app.call("DELETE", &path, &project.secret, None).await;
    app.session(&project, summary(1, START)).await;
    assert_eq!(app.get(&path, &project.secret).await.status, StatusCode::GONE);
    assert!(app.read(&project, "/sessions").await["items"].as_array().unwrap().is_empty());
}
