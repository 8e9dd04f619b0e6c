//! Rules as people write them.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::alerting::{MINUTE, Post, count, new_issue, round, rule, three_in_five, without_defaults, worker};
use crate::app::{ADMIN, App, NOON, summary};
use crate::issues::HOUR;

#[tokio::test]
async fn a_rule_is_changed_as_it_was_read_or_not_at_all() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let made = rule(&app, &project, three_in_five(5)).await;
    let at = format!("/api/v1/projects/{}/alerts/rules/{}", project.id, made["id"].as_str().unwrap());
    let mut draft = three_in_five(9);
    assert_eq!(app.call("PUT", &at, ADMIN, Some(draft.clone())).await.json()["field"], "version");
    draft["version"] = json!(1);
    let changed = app.call("PUT", &at, ADMIN, Some(draft.clone())).await;
    assert_eq!((changed.status, &changed.json()["version"]), (StatusCode::OK, &json!(2)));
    assert_eq!(app.call("PUT", &at, ADMIN, Some(draft)).await.status, StatusCode::CONFLICT);
    assert_eq!(app.get(&at, &project.secret).await.json()["throttle_minutes"], 9);
    assert_eq!(app.call("PUT", &at, &project.secret, Some(json!({}))).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.call("DELETE", &at, ADMIN, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&at, ADMIN).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.read(&project, "/alerts/rules").await["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let path = format!("/api/v1/projects/{}/alerts/rules", project.id);
    let seen = |patch: serde_json::Value| {
        let mut draft = three_in_five(0);
        patch.as_object().unwrap().iter().for_each(|(name, value)| draft["condition"][name] = value.clone());
        draft
    };
    let limit = |patch: serde_json::Value| {
        let mut draft = json!({"name": "x", "condition": {"kind": "endpoint", "window_minutes": 5,
            "limit": {"measure": "error_share", "trigger_at": 10}}});
        patch
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(name, value)| draft["condition"]["limit"][name] = value.clone());
        draft
    };
    let with = |name: &str, value: serde_json::Value| {
        let mut draft = new_issue(&[]);
        draft[name] = value;
        draft
    };
    for (draft, field) in [
        (seen(json!({"window_minutes": 7})), "condition"),
        (seen(json!({"at_least": 0})), "condition"),
        (seen(json!({"resolve_below": 4})), "condition"),
        (seen(json!({"measure": null})), "condition"),
        (seen(json!({"measure": "share", "at_least": 101})), "condition"),
        (json!({"name": "x", "condition": {"kind": "silent", "window_minutes": 1}}), "condition"),
        (json!({"name": "x", "condition": {"kind": "new_issue", "at_least": 1}}), "condition"),
        (json!({"name": "x", "filter": "a", "condition": {"kind": "silent", "window_minutes": 5}}), "filter"),
        (json!({"name": "x", "condition": {"kind": "endpoint", "window_minutes": 5}}), "condition"),
        (seen(json!({"limit": {"measure": "p95", "trigger_at": 1}})), "condition"),
        (limit(json!({"measure": "lcp"})), "condition"),
        (limit(json!({"below": true})), "condition"),
        (limit(json!({"resolve_at": 11})), "condition"),
        (limit(json!({"trigger_at": 101})), "condition"),
        (with("name", json!(" ")), "name"),
        (with("filter", json!("nosuch:x")), "filter"),
        (with("throttle_minutes", json!(10_081)), "throttle_minutes"),
        (with("channels", json!(["a b"])), "channels"),
        (with("channels", json!((0..11).map(|n| n.to_string()).collect::<Vec<_>>())), "channels"),
        (with("condition", json!({"kind": "nothing"})), "body"),
    ] {
        let answer = app.call("POST", &path, ADMIN, Some(draft.clone())).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{draft}"
        );
    }
    for _ in 4..50 {
        rule(&app, &project, new_issue(&[])).await;
    }
    let answer = app.call("POST", &path, ADMIN, Some(new_issue(&[]))).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::CONFLICT, "over-quota"));
}

#[tokio::test]
async fn filters_shares_and_users_decide() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    for number in 0..40 {
        app.session(&project, summary(number, NOON - MINUTE)).await;
    }
    let seen = |name: &str, filter: &str, measure: &str, at_least: u32| {
        json!({"name": name, "filter": filter, "channels": ["ops"], "condition": {
            "kind": "seen", "measure": measure, "at_least": at_least, "window_minutes": 60}})
    };
    for draft in [
        seen("other", "type:RangeError", "events", 1),
        seen("cart 1", "\"cart 1\"", "events", 1),
        seen("ten per cent", "", "share", 10),
        seen("two users", "", "users", 2),
        seen("four sessions", "", "sessions", 4),
    ] {
        rule(&app, &project, draft).await;
    }
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON; 3]).await;
    count(&app, &project, 2, &[NOON; 4]).await;
    round(&app, &project, &worker).await;
    let mut told: Vec<_> =
        post.messages.lock().iter().map(|message| (message.rule.clone(), message.title.clone())).collect();
    told.sort();
    let title = |number: u8| format!("TypeError: cart {number} is undefined");
    let expected = [("cart 1", 1), ("four sessions", 2), ("ten per cent", 2)]
        .map(|(rule, number)| (rule.to_owned(), title(number)));
    assert_eq!(told, expected, "3 of 40 sessions are 7.5 %; nobody is known as a user");
}

#[tokio::test]
async fn a_rule_that_asks_something_else_ends_what_it_fired() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let made = rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    let at = format!("/api/v1/projects/{}/alerts/rules/{}", project.id, made["id"].as_str().unwrap());
    app.advance(HOUR);
    let mut draft = new_issue(&["ops"]);
    (draft["version"], draft["name"]) = (json!(1), json!("renamed"));
    assert_eq!(app.call("PUT", &at, ADMIN, Some(draft.clone())).await.status, StatusCode::OK);
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered"], "a name is not what it asks");
    (draft["version"], draft["filter"]) = (json!(2), json!("cart"));
    assert_eq!(app.call("PUT", &at, ADMIN, Some(draft)).await.status, StatusCode::OK);
    for _ in 0..2 {
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered", "resolved"]);
    assert_eq!(post.carried()[1].why, "the rule asks something else now");
    app.call("DELETE", &at, ADMIN, None).await;
    round(&app, &project, &worker).await;
    assert_eq!(app.read(&project, "/alerts/firings").await["items"], json!([]));
}
