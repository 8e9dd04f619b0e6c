//! When a rule tells, and whom when nobody takes it on.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::alerting::{MINUTE, Post, count, new_issue, round, rule, without_defaults, worker};
use crate::app::{ADMIN, App, NOON, Project};
use crate::issues::{HOUR, id};

async fn decide(app: &App, project: &Project, (rule, issue): (&Value, u8), status: &str) {
    let (rule, issue) = (rule["id"].as_str().unwrap(), id(issue));
    let path = format!("/api/v1/projects/{}/alerts/rules/{rule}/firings/{issue}", project.id);
    let answer = app.call("PATCH", &path, ADMIN, Some(json!({"status": status}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

fn escalating(channels: &[&str]) -> Value {
    let mut draft = new_issue(&["ops"]);
    draft["escalation"] = json!({"after_minutes": 15, "channels": channels});
    draft
}

#[tokio::test]
async fn what_nobody_acknowledges_is_told_to_others_once_and_they_hear_its_end() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let rule = rule(&app, &project, escalating(&["boss", "ops"])).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    count(&app, &project, 2, &[NOON]).await;
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "triggered"]);
    decide(&app, &project, (&rule, 2), "acknowledged").await;
    for _ in 0..20 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    let mut escalated = post.carried();
    escalated.retain(|carried| carried.transition == "escalated");
    let channels: Vec<_> = escalated.iter().map(|carried| carried.channel.as_str()).collect();
    assert_eq!(channels, ["boss", "ops"], "once, and only what nobody had acknowledged");
    assert!(escalated[0].why.starts_with("nobody acknowledged it for 15 minutes: "), "{}", escalated[0].why);
    assert_ne!(escalated[0].id, post.carried()[0].id);
    let firings = app.read(&project, "/alerts/firings").await;
    let of = |issue: u8| {
        let items = firings["items"].as_array().unwrap();
        items.iter().find(|firing| firing["subject"] == id(issue).to_string()).unwrap()["escalated"].clone()
    };
    assert_eq!((of(1), of(2)), (json!(true), json!(false)));
    decide(&app, &project, (&rule, 1), "resolved").await;
    round(&app, &project, &worker).await;
    let mut resolved = post.carried();
    resolved.retain(|carried| carried.transition == "resolved");
    let channels: Vec<_> = resolved.iter().map(|carried| carried.channel.as_str()).collect();
    assert_eq!(channels, ["boss", "ops"], "each once");
}

/// Noon of the tests is not among the hours; they begin three hours later.
fn at_three(days: &[&str]) -> Value {
    let mut draft = new_issue(&["ops"]);
    draft["hours"] = json!({"zone": "UTC", "days": days, "from": "15:00", "to": "18:00"});
    draft["escalation"] = json!({"after_minutes": 30, "channels": ["boss"]});
    draft
}

const ALL_DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

#[tokio::test]
async fn outside_the_hours_of_a_rule_its_messages_wait_and_what_is_over_by_then_is_not_told() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let rule = rule(&app, &project, at_three(&ALL_DAYS)).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    count(&app, &project, 2, &[NOON]).await;
    round(&app, &project, &worker).await;
    decide(&app, &project, (&rule, 2), "resolved").await;
    for _ in 0..17 {
        app.advance(10 * MINUTE);
        round(&app, &project, &worker).await;
        assert_eq!(post.told(), [""; 0], "the hours have not begun");
    }
    for _ in 0..3 {
        app.advance(10 * MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered"], "the other one was over");
    assert_eq!(not_sent(&app, &project).await, ["it was over before the rule's hours began"]);
    app.advance(20 * MINUTE);
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "escalated"], "half an hour after it was told");
}

/// It is over when its hours have begun, and before anybody tried to tell that it triggered.
#[tokio::test]
async fn the_end_of_what_nobody_was_told_is_not_told() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let rule = rule(&app, &project, at_three(&ALL_DAYS)).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    app.advance(3 * HOUR + MINUTE);
    decide(&app, &project, (&rule, 1), "resolved").await;
    for _ in 0..3 {
        round(&app, &project, &worker).await;
        app.advance(MINUTE);
    }
    assert_eq!(post.told(), [""; 0]);
    assert_eq!(not_sent(&app, &project).await, ["it was over before the rule's hours began"]);
}

async fn not_sent(app: &App, project: &Project) -> Vec<String> {
    let all = app.read(project, "/alerts/deliveries?limit=200").await["items"].as_array().unwrap().clone();
    let not_sent = all.iter().filter(|delivery| delivery["outcome"] == "not_sent");
    not_sent.map(|delivery| delivery["sentence"].as_str().unwrap().to_owned()).collect()
}

/// What becomes of a rule while its messages wait, and what the log says then.
#[tokio::test]
async fn what_waits_for_its_hours_is_looked_at_again_when_it_is_due() {
    for (change, expected) in [
        (json!({"muted_until_ms": NOON + 24 * HOUR}), "the rule was muted before its hours began"),
        (json!({"disabled": true}), "the rule was turned off before its hours began"),
        (Value::Null, "the rule was deleted"),
    ] {
        let (app, post) = (App::new().await, Arc::new(Post::default()));
        let project = app.project("shop").await;
        without_defaults(&app, &project).await;
        let rule = rule(&app, &project, at_three(&ALL_DAYS)).await;
        let worker = worker(&app, &post);
        count(&app, &project, 1, &[NOON]).await;
        round(&app, &project, &worker).await;
        let path = format!("/api/v1/projects/{}/alerts/rules/{}", project.id, rule["id"].as_str().unwrap());
        let answer = match change.as_object() {
            None => app.call("DELETE", &path, ADMIN, None).await,
            Some(change) => {
                let mut draft = at_three(&ALL_DAYS);
                draft.as_object_mut().unwrap().extend(change.clone());
                draft["version"] = rule["version"].clone();
                app.call("PUT", &path, ADMIN, Some(draft)).await
            }
        };
        assert!(answer.status.is_success(), "{expected}: {}", answer.text());
        for _ in 0..30 {
            app.advance(10 * MINUTE);
            round(&app, &project, &worker).await;
        }
        assert_eq!(post.told(), [""; 0], "{expected}");
        let said = not_sent(&app, &project).await;
        assert!(said.len() == 1 && said[0].starts_with(expected), "{expected}: {said:?}");
        let firings = app.read(&project, "/alerts/firings").await;
        for firing in firings["items"].as_array().unwrap() {
            assert_eq!((&firing["pending"], &firing["escalated"]), (&json!(0), &json!(false)), "{expected}");
        }
    }
}

#[tokio::test]
async fn hours_and_escalations_that_cannot_be_are_refused() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let path = format!("/api/v1/projects/{}/alerts/rules", project.id);
    for (member, value, expected) in [
        ("hours", json!({"zone": "Lisbon", "days": ["monday"], "from": "09:00", "to": "18:00"}), "zone"),
        ("hours", json!({"zone": "UTC", "days": [], "from": "09:00", "to": "18:00"}), "days"),
        ("hours", json!({"zone": "UTC", "days": ["monday"], "from": "9", "to": "18:00"}), "from"),
        ("hours", json!({"zone": "UTC", "days": ["monday"], "from": "24:00", "to": "18:00"}), "from"),
        ("escalation", json!({"after_minutes": 4, "channels": ["boss"]}), "after_minutes"),
        ("escalation", json!({"after_minutes": 5, "channels": []}), "channels"),
        ("escalation", json!({"after_minutes": 5, "channels": ["a b"]}), "ids of channels"),
    ] {
        let mut draft = new_issue(&[]);
        draft[member] = value;
        let answer = app.call("POST", &path, ADMIN, Some(draft)).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["field"]),
            (StatusCode::BAD_REQUEST, &json!(member)),
            "{problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{problem}");
    }
    let draft = at_three(&["monday", "sunday"]);
    let made = rule(&app, &project, draft.clone()).await;
    assert_eq!((&made["hours"], &made["escalation"]), (&draft["hours"], &draft["escalation"]));
}
