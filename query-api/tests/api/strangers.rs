//! Every route of the OpenAPI document, with credentials that do not open it.

use axum::http::StatusCode;
use serde_json::Value;

use crate::app::{App, NOON, summary};

/// Jira's web hook is opened by its own address.
const OPEN: [&str; 2] = ["/api/v1/sign-in", "/api/v1/projects/{project}/jira/hook/{token}"];

fn operations() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&playhead_query_api::openapi_json().unwrap()).unwrap();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if ["get", "post", "patch", "put", "delete"].contains(&method.as_str()) {
                found.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(found.len() >= 18, "{found:?}");
    found
}

fn fill(path: &str, project: &str, session: &str) -> String {
    path.replace("{project}", project)
        .replace("{session}", session)
        .replace("{segment}", "f-0101010101010101-0-0-000000000000")
        .replace("{key}", "0000000000000000")
        .replace("{issue}", "0123456789abcdef0123456789abcdef")
        .replace("{endpoint}", "GET%20%2Fapi%2Forders")
        .replace("{user}", "user-1")
        .replace("{event}", "0101010101010101-0-0")
        .replace("{rule}", "0000000000000001")
        .replace("{subject}", "0123456789abcdef0123456789abcdef")
        .replace("{channel}", "0123456789abcdef")
        .replace("{token}", "0123456789abcdef0123456789abcdef")
        .replace("{map}", "0123456789abcdef0123456789abcdef")
        .replace("{partition}", "0")
        .replace("{offset}", "0")
}

#[tokio::test]
async fn without_a_credential_nothing_opens() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let session = app.session(&project, summary(1, NOON - 1_000_000)).await.to_string();
    for (method, path) in operations().iter().filter(|(_, path)| !OPEN.contains(&path.as_str())) {
        let answer = app.call(method, &fill(path, &project.id, &session), "", None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(answer.problem(), "signed-out", "{method} {path}");
    }
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_another_project() {
    let app = App::new().await;
    let (ours, stranger) = (app.project("shop").await, app.project("other").await);
    let session = app.session(&ours, summary(1, NOON - 1_000_000)).await.to_string();
    let closed = |path: &str| path.contains("{project}") && !OPEN.contains(&path);
    for (method, path) in operations().iter().filter(|(_, path)| closed(path)) {
        let answer = app.call(method, &fill(path, &ours.id, &session), &stranger.secret, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
        // What does not exist at all looks the same.
        let nowhere = app.call(method, &fill(path, "0000000000000", &session), &stranger.secret, None).await;
        assert_eq!((nowhere.status, nowhere.body), (answer.status, answer.body), "{method} {path}");
        // And under the stranger's own project there is nothing of ours.
        if path.contains("{session}") && method == "GET" {
            let own = app.call(method, &fill(path, &stranger.id, &session), &stranger.secret, None).await;
            assert_eq!(own.status, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    let listed = app.get("/api/v1/projects", &stranger.secret).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["id"], stranger.id.as_str());
    assert_eq!(app.read(&ours, &format!("/sessions/{session}")).await["id"], session.as_str(), "untouched");
}

#[tokio::test]
async fn a_secret_key_does_not_administer() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let base = format!("/api/v1/projects/{}", project.id);
    let changes = [
        ("POST", "/api/v1/projects".to_owned()),
        ("PATCH", base.clone()),
        ("POST", format!("{base}/secret-keys")),
        ("GET", format!("{base}/secret-keys")),
        ("DELETE", format!("{base}/secret-keys/0000000000000000")),
        ("GET", format!("{base}/alerts/channels")),
        ("POST", format!("{base}/alerts/channels")),
        ("PATCH", format!("{base}/alerts/channels/0123456789abcdef")),
        ("DELETE", format!("{base}/alerts/channels/0123456789abcdef")),
        ("POST", format!("{base}/alerts/channels/0123456789abcdef/test")),
        ("GET", format!("{base}/jira")),
        ("PUT", format!("{base}/jira")),
        ("DELETE", format!("{base}/jira")),
        ("POST", format!("{base}/jira/test")),
        ("POST", format!("{base}/jira/hook")),
        ("GET", format!("{base}/jira/projects")),
        ("GET", format!("{base}/jira/types?project=X")),
        ("GET", format!("{base}/jira/fields?project=X&issue_type=1")),
        ("GET", format!("{base}/jira/users?project=X")),
        ("POST", format!("{base}/issues/0123456789abcdef0123456789abcdef/jira")),
    ];
    for (method, path) in changes {
        let answer = app.call(method, &path, &project.secret, Some(serde_json::json!({"name": "x"}))).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::FORBIDDEN, "forbidden"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn malformed_ids_are_refused_everywhere() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for nonsense in ["x", "%00", "..%2f..", "0123456789ABC", "%F0%9F%92%A9", "'%20OR%201=1"] {
        for (method, path) in operations().iter().filter(|(_, path)| path.contains('{')) {
            let path = fill(path, nonsense, nonsense);
            let status = app.call(method, &path, &project.secret, None).await.status;
            assert!(
                [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status),
                "{method} {path}: {status}"
            );
        }
        for (method, path) in operations().iter().filter(|(_, path)| path.contains("{session}")) {
            let path = fill(path, &project.id, nonsense);
            let status = app.call(method, &path, &project.secret, None).await.status;
            assert!(
                [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status),
                "{method} {path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_too() {
    let app = App::new().await;
    let answer = app.get("/api/v1/nothing", "").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    let answer = app.call("PUT", "/api/v1/projects", "", None).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "wrong-method"));
}
