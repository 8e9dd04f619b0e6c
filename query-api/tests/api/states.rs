//! What people decide of issues, and what happens then.

use axum::http::StatusCode;
use playhead_domain::issue::key;
use playhead_domain::row::{IssueTotals, SessionSummary};
use playhead_domain::table;
use serde_json::{Value, json};

use crate::app::{ADMIN, App, NOON, Project, summary};
use crate::issues::{DAY, HOUR, change, id, numbers, put, three, totals};

async fn shown(app: &App, project: &Project, number: u8) -> Value {
    app.read(project, &format!("/issues/{}", id(number))).await
}

/// Issue 2, to which `times` more happened, in the release.
fn more(times: &[i64], release: &str) -> IssueTotals {
    let all: Vec<i64> = [NOON - 9 * DAY, NOON - 3 * HOUR].iter().chain(times).copied().collect();
    totals(2, 20 + times.len() as u64, &all, release)
}

#[tokio::test]
async fn in_this_release_or_the_next_one() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let next = change(&app, &project, 2, json!({"state": "resolved", "resolved_in": "next_release"})).await;
    assert_eq!((&next["resolved_in"], &next["resolved_release"]), (&json!("next_release"), &json!("1.0")));
    app.advance(HOUR);
    put(&app, &project, 2, (1, 0), totals(2, 5, &[NOON + 1], "0.9")).await;
    assert_eq!(shown(&app, &project, 2).await["state"], "resolved", "0.9 came before 1.0");
    put(&app, &project, 2, (2, 0), totals(2, 5, &[NOON + 2], "1.1")).await;
    assert_eq!(shown(&app, &project, 2).await["state"], "regressed");
    let body = json!({"state": "resolved", "resolved_in": "this_release", "release": "1.2"});
    let this = change(&app, &project, 2, body).await;
    assert_eq!((&this["state"], &this["resolved_release"]), (&json!("resolved"), &json!("1.2")));
    assert_eq!(this["history"][0]["change"], "resolved in 1.2");
    app.advance(HOUR);
    put(&app, &project, 2, (2, 1), totals(2, 6, &[NOON + 2, NOON + HOUR + 1], "1.1")).await;
    assert_eq!(shown(&app, &project, 2).await["state"], "resolved");
    put(&app, &project, 2, (3, 0), totals(2, 6, &[NOON + HOUR + 2], "1.2")).await;
    assert_eq!(shown(&app, &project, 2).await["state"], "regressed");
}

#[tokio::test]
async fn an_archived_issue_comes_back_with_the_agreed_number_and_stays() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let body = json!({"state": "archived", "archived_until": {"events": 2}});
    let archived = change(&app, &project, 2, body).await;
    assert_eq!(
        archived["archived_until"],
        json!({"escalating": false, "events": 2, "users": null, "days": null})
    );
    put(&app, &project, 2, (0, 1), more(&[NOON], "1.0")).await;
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:archived").await), [2]);
    put(&app, &project, 2, (0, 0), more(&[NOON, NOON], "1.0")).await;
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:unresolved").await), [2, 1, 3]);
    let back = shown(&app, &project, 2).await;
    assert_eq!((&back["state"], &back["archived_until"]), (&json!("ongoing"), &Value::Null));
    assert_eq!(back["history"][0]["change"], "back from the archive: 2 more events");
    assert_eq!(back["history"].as_array().unwrap().len(), 2, "told once");
}

#[tokio::test]
async fn what_has_come_back_can_be_archived_again_before_anybody_looks() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let body = json!({"state": "archived", "archived_until": {"events": 2}});
    change(&app, &project, 2, body.clone()).await;
    put(&app, &project, 2, (0, 1), more(&[NOON, NOON], "1.0")).await;
    let again = change(&app, &project, 2, body.clone()).await;
    assert_eq!((&again["state"], again["history"].as_array().unwrap().len()), (&json!("archived"), 2));
    assert_eq!(change(&app, &project, 2, body).await["history"], again["history"], "nothing happened since");
}

#[tokio::test]
async fn an_archive_waits_for_no_more_users_than_are_counted() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(1));
    let archive = async |users: u64| {
        let body = json!({"state": "archived", "archived_until": {"users": users}});
        app.call("PATCH", &path, &project.secret, Some(body)).await
    };
    let refused = archive(8_998).await;
    assert_eq!(
        (refused.status, &refused.json()["field"]),
        (StatusCode::BAD_REQUEST, &json!("archived_until"))
    );
    assert!(refused.text().contains("this one has 3"), "{}", refused.text());
    assert_eq!(archive(8_997).await.status, StatusCode::OK);
}

#[tokio::test]
async fn users_and_escalation_end_an_archive_too() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    change(&app, &project, 1, json!({"state": "archived", "archived_until": {"users": 2}})).await;
    change(&app, &project, 2, json!({"state": "archived", "archived_until": {"escalating": true}})).await;
    app.put(&table::ISSUE_USERS, key::user(project.scope, id(1), [7; 16]), ()).await;
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:archived").await), [1, 2]);
    app.put(&table::ISSUE_USERS, key::user(project.scope, id(1), [8; 16]), ()).await;
    app.advance(2 * HOUR);
    put(&app, &project, 2, (0, 1), more(&[NOON + 2 * HOUR - 1; 30], "1.0")).await;
    let page = app.read(&project, "/issues?query=state:archived").await;
    assert_eq!(numbers(&page), [0u8; 0]);
    let two = shown(&app, &project, 2).await;
    assert_eq!((&two["state"], &two["escalation"]["events"]), (&json!("escalating"), &json!(30)));
    assert_eq!(two["escalation"]["forecast"], 10);
    assert!(two["priority"]["reason"].as_str().unwrap().contains("30 events in 3 hours, forecast 10"));
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:escalating").await), [2]);
    // When it is over it goes on outside of the archive.
    app.advance(DAY);
    assert_eq!(shown(&app, &project, 2).await["state"], "ongoing");
    assert_eq!(shown(&app, &project, 1).await["history"][0]["change"], "back from the archive: 2 more users");
}

#[tokio::test]
async fn priority_tells_shares_and_critical_pages_and_can_be_pinned() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let path = format!("/api/v1/projects/{}", project.id);
    let pages = json!({"critical_pages": ["/cart", "/checkout/*"]});
    let changed = app.call("PATCH", &path, ADMIN, Some(pages.clone())).await;
    assert_eq!(changed.json()["settings"]["critical_pages"], pages["critical_pages"]);
    let wrong = app.call("PATCH", &path, ADMIN, Some(json!({"critical_pages": ["cart"]}))).await;
    assert_eq!((wrong.status, &wrong.json()["field"]), (StatusCode::BAD_REQUEST, &json!("critical_pages")));
    for number in 1..=40 {
        app.session(&project, summary(number, NOON - i64::from(number) * 60_000)).await;
    }
    let reason = async |number| shown(&app, &project, number).await["priority"]["reason"].clone();
    assert_eq!(
        reason(1).await,
        "7 % of sessions in the last 2 h, new in 1.0, unhandled, on /cart, which is critical"
    );
    assert_eq!(reason(3).await, "nothing in the last 24 h");
    // One with pictures alone counts for none, one that stands for ten counts for ten.
    for number in 41..=60 {
        let unseen = if number > 50 { 9 } else { -1 };
        app.session(&project, SessionSummary { unseen, ..summary(number, NOON - 60_000) }).await;
    }
    assert!(reason(1).await.as_str().unwrap().starts_with("2 % of sessions in the last 2 h"), "3 of 140");
    let pinned = change(&app, &project, 3, json!({"priority": "high"})).await;
    assert_eq!((&pinned["priority"]["level"], &pinned["priority"]["pinned"]), (&json!("high"), &json!(true)));
    assert_eq!(pinned["history"][0]["change"], "pinned the priority high");
    assert_eq!(numbers(&app.read(&project, "/issues?sort=priority").await), [1, 3, 2]);
    let free = change(&app, &project, 3, json!({"priority": "none"})).await;
    assert_eq!((&free["priority"]["pinned"], &free["priority"]["score"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn what_does_not_go_together_is_refused() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    put(&app, &project, 4, (0, 0), totals(4, 4, &[NOON], "")).await;
    for (body, field) in [
        (json!({"state": "resolved", "release": "1"}), "release"),
        (json!({"state": "resolved", "resolved_in": "this_release"}), "release"),
        (json!({"state": "resolved", "resolved_in": "this_release", "release": " "}), "release"),
        (json!({"state": "resolved", "archived_until": {"events": 1}}), "archived_until"),
        (json!({"state": "archived", "archived_until": {}}), "archived_until"),
        (json!({"state": "archived", "archived_until": {"events": 1, "users": 1}}), "archived_until"),
        (json!({"state": "archived", "archived_until": {"users": 1, "days": 1}}), "archived_until"),
        (json!({"state": "archived", "archived_until": {"events": 0}}), "archived_until"),
        (json!({"priority": "huge"}), "body"),
    ] {
        let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(4));
        let answer = app.call("PATCH", &path, &project.secret, Some(body.clone())).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{body}"
        );
    }
}
