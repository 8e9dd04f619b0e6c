//! The outbox: at least once with one id, tried again, given up visibly, held back, muted.

use std::sync::Arc;

use axum::http::StatusCode;
use playhead_query_api::alert::Undelivered;
use serde_json::{Value, json};

use crate::alerting::{MINUTE, Post, count, new_issue, round, rule, without_defaults, worker};
use crate::app::{ADMIN, App, NOON, Project};
use crate::issues::{HOUR, id};

fn failure(is_retryable: bool, after_ms: Option<i64>) -> Option<Undelivered> {
    Some(Undelivered {
        is_retryable,
        after_ms,
        sentence: "the channel answered 503".to_owned(),
        taken: Vec::new(),
    })
}

async fn deliveries(app: &App, project: &Project) -> Vec<Value> {
    app.read(project, "/alerts/deliveries?limit=200").await["items"].as_array().unwrap().clone()
}

fn outcomes(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().rev().map(|delivery| delivery["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_not_before_the_channel_said() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops", "boss"])).await;
    let worker = worker(&app, &post);
    post.fail("ops", failure(true, Some(5 * MINUTE)));
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    assert_eq!(post.carried().len(), 1, "the other channel has it");
    post.fail("ops", None);
    for _ in 0..4 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.carried().len(), 1, "it said five minutes");
    app.advance(MINUTE);
    round(&app, &project, &worker).await;
    let carried = post.carried();
    assert_eq!((carried.len(), &carried[0].id), (2, &carried[1].id));
    let mut tries = deliveries(&app, &project).await;
    tries.retain(|delivery| delivery["channel"] == "ops");
    assert_eq!(outcomes(&tries), ["failed", "sent"]);
    assert_eq!(
        (&tries[0]["attempt"], &tries[1]["sentence"]),
        (&json!(2), &json!("the channel answered 503"))
    );
    assert_eq!(tries[0]["message"], tries[1]["message"]);
}

#[tokio::test]
async fn after_a_day_or_a_refusal_nobody_tries_any_more() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops", "gone"])).await;
    let worker = worker(&app, &post);
    post.fail("ops", failure(true, None));
    post.fail("gone", failure(false, None));
    count(&app, &project, 1, &[NOON]).await;
    for _ in 0..26 * 6 {
        round(&app, &project, &worker).await;
        app.advance(10 * MINUTE);
    }
    let all = deliveries(&app, &project).await;
    let of = |channel: &str| {
        all.iter().filter(|delivery| delivery["channel"] == channel).cloned().collect::<Vec<_>>()
    };
    // That it triggered, and a day later that it was quiet.
    assert_eq!(outcomes(&of("gone")), ["gave_up", "gave_up"]);
    let mut tries = of("ops");
    tries.retain(|delivery| delivery["transition"] == "triggered");
    assert_eq!(tries[0]["outcome"], "gave_up");
    assert!((20..60).contains(&tries.len()), "{}", tries.len());
    assert!(tries[1..].iter().all(|delivery| delivery["outcome"] == "failed"));
    assert!(tries.iter().all(|delivery| delivery["message"] == tries[0]["message"]));
    assert!(tries[0]["time_ms"].as_i64().unwrap() <= NOON + 25 * HOUR);
}

#[tokio::test]
async fn what_is_over_the_hours_messages_is_told_in_one() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let path = format!("/api/v1/projects/{}/alerts/settings", project.id);
    let settings = json!({"version": 1, "maintenance": [], "messages_per_hour": 2});
    let answer = app.call("PUT", &path, ADMIN, Some(settings.clone())).await;
    assert_eq!((answer.status, &answer.json()["version"]), (StatusCode::OK, &json!(2)));
    assert_eq!(app.call("PUT", &path, ADMIN, Some(settings)).await.status, StatusCode::CONFLICT);
    rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    for number in 1..=5 {
        count(&app, &project, number, &[NOON]).await;
    }
    for _ in 0..3 {
        round(&app, &project, &worker).await;
        app.advance(MINUTE);
    }
    assert_eq!(post.carried().len(), 2);
    app.advance(HOUR);
    for _ in 0..2 {
        round(&app, &project, &worker).await;
    }
    let carried = post.carried();
    assert_eq!((carried.len(), carried[2].title.as_str()), (3, "3 more alerts"));
    assert!(carried[2].id.starts_with("digest-"));
    let told: Vec<_> = post.messages.lock()[2].facts.iter().map(|(_, title)| title.clone()).collect();
    assert_eq!(told, [3, 4, 5].map(|number| format!("TypeError: cart {number} is undefined")));
    let all = deliveries(&app, &project).await;
    assert_eq!(all.iter().filter(|delivery| delivery["outcome"] == "held").count(), 3);
}

#[tokio::test]
async fn muted_rules_and_maintenance_fire_and_tell_nobody() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let mut draft = new_issue(&["ops"]);
    draft["muted_until_ms"] = json!(NOON + MINUTE);
    rule(&app, &project, draft).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    app.advance(2 * MINUTE);
    let path = format!("/api/v1/projects/{}/alerts/settings", project.id);
    let span = json!({"from_ms": NOON + MINUTE, "to_ms": NOON + 3 * MINUTE});
    let settings = json!({"version": 1, "maintenance": [span], "messages_per_hour": 60});
    assert_eq!(app.call("PUT", &path, ADMIN, Some(settings)).await.status, StatusCode::OK);
    count(&app, &project, 2, &[NOON + MINUTE]).await;
    round(&app, &project, &worker).await;
    app.advance(2 * MINUTE);
    count(&app, &project, 3, &[NOON + 3 * MINUTE]).await;
    round(&app, &project, &worker).await;
    let firings = app.read(&project, "/alerts/firings").await;
    let muted: Vec<_> =
        firings["items"].as_array().unwrap().iter().map(|firing| firing["muted"].clone()).collect();
    assert_eq!(muted, [json!(false), json!(true), json!(true)]);
    assert_eq!(post.carried().len(), 1);
    assert!(post.carried()[0].title.contains("cart 3"));
}

#[tokio::test]
async fn people_acknowledge_and_resolve_and_those_who_were_told_hear_of_it() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let rule = rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    let path = format!(
        "/api/v1/projects/{}/alerts/rules/{}/firings/{}",
        project.id,
        rule["id"].as_str().unwrap(),
        id(1)
    );
    let set =
        async |status: &str| app.call("PATCH", &path, &project.secret, Some(json!({"status": status}))).await;
    let acknowledged = set("acknowledged").await.json();
    assert_eq!(acknowledged["status"], "acknowledged");
    assert!(acknowledged["by"].as_str().unwrap().starts_with("secret key"));
    assert_eq!(set("acknowledged").await.json()["pending"], 1, "told once");
    round(&app, &project, &worker).await;
    assert_eq!(set("resolved").await.json()["status"], "resolved");
    for _ in 0..3 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered", "acknowledged", "resolved"]);
    assert_eq!(set("open").await.status, StatusCode::BAD_REQUEST);
    let other = path.replace(&id(1).to_string(), &id(2).to_string());
    let missing = app.call("PATCH", &other, &project.secret, Some(json!({"status": "resolved"}))).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.read(&project, "/alerts/firings?status=resolved").await["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(app.read(&project, "/alerts/firings?status=open").await["items"], json!([]));
}
