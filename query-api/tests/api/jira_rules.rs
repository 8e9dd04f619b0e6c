//! Jira issues by rule, and processes that die while they create one.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use playhead_query_api::alert::{Channels, Courier, Worker};
use playhead_query_api::router;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::alerting::{FailingStore, MINUTE, count, new_issue, round, rule, without_defaults};
use crate::app::{ADMIN, NOON};
use crate::issues::change;
use crate::jira::Shop;

async fn channel(shop: &Shop) -> String {
    let body = json!({"name": "tickets", "settings": {"kind": "jira"}});
    let answer = shop.ask("POST", "/alerts/channels", Some(body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let channel = answer.json()["channel"].clone();
    assert_eq!(channel["kind"], "jira");
    channel["id"].as_str().unwrap().to_owned()
}

fn evaluator(shop: &Shop) -> Worker {
    let channels = Arc::new(Channels::new(shop.app.api.clone())) as Arc<dyn Courier>;
    Worker::new(shop.app.api.clone(), Some(channels)).unwrap()
}

async fn outcomes(shop: &Shop) -> Vec<(String, String)> {
    let deliveries = shop.app.read(&shop.project, "/alerts/deliveries").await;
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = deliveries["items"].as_array().unwrap().iter().rev();
    items.map(|item| (text(item, "outcome"), text(item, "sentence"))).collect()
}

#[tokio::test]
async fn a_rule_creates_one_jira_issue_per_issue() {
    let shop = Shop::open("cloud").await;
    let channel = channel(&shop).await;
    let test = shop.ask("POST", &format!("/alerts/channels/{channel}/test"), None).await.json();
    assert_eq!((&test["delivered"], shop.jira.issues().len()), (&json!(true), 0), "{test}");
    without_defaults(&shop.app, &shop.project).await;
    rule(&shop.app, &shop.project, new_issue(&[&channel])).await;
    let evaluator = evaluator(&shop);
    round(&shop.app, &shop.project, &evaluator).await;
    shop.app.advance(MINUTE);
    count(&shop.app, &shop.project, 9, &[NOON + MINUTE]).await;
    // Its answer is lost: the outbox tries again, and finds what is there.
    shop.jira.do_and_fail("POST", "/issue", 500);
    round(&shop.app, &shop.project, &evaluator).await;
    for _ in 0..6 {
        shop.app.advance(20_000);
        round(&shop.app, &shop.project, &evaluator).await;
    }
    let (_, there) = shop.jira.issue();
    assert_eq!(there.fields["summary"], "TypeError: cart 9 is undefined");
    assert!(there.fields["description"].to_string().contains("an issue was seen for the first time"));
    let outcomes = outcomes(&shop).await;
    let named: Vec<_> = outcomes.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!((named.first(), named.last()), (Some(&"failed"), Some(&"sent")), "{outcomes:?}");
    shop.round().await;
    let linked = shop.app.read(&shop.project, &Shop::path(9)).await;
    assert_eq!(
        (&linked["issue"]["key"], &linked["issue"]["created_by"]),
        (&json!("SHOP-1"), &json!("rule new"))
    );
    assert_eq!(shop.jira.issue().1.links.len(), 1);
    shop.jira.assert_right();
}

#[tokio::test]
async fn what_triggers_again_is_commented_once_and_opened() {
    let shop = Shop::open("cloud").await;
    let channel = channel(&shop).await;
    without_defaults(&shop.app, &shop.project).await;
    let number = shop.created().await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    let mut regressed = new_issue(&[&channel]);
    regressed["condition"] = json!({"kind": "regressed"});
    rule(&shop.app, &shop.project, regressed).await;
    let evaluator = evaluator(&shop);
    round(&shop.app, &shop.project, &evaluator).await;
    shop.app.advance(MINUTE);
    count(&shop.app, &shop.project, 1, &[NOON + MINUTE; 12]).await;
    // It is commented, and that is lost: commented once all the same.
    shop.jira.do_and_fail("POST", "/comment", 500);
    for _ in 0..4 {
        round(&shop.app, &shop.project, &evaluator).await;
        shop.round().await;
        shop.app.advance(20_000);
    }
    let (_, there) = shop.jira.issue();
    assert_eq!((there.comments.len(), there.category.as_str()), (1, "new"), "{:?}", there.comments);
    assert!(there.comments[0].to_string().contains("?firing="), "{:?}", there.comments);
    assert_eq!(shop.linked().await["key"], "SHOP-1");
    assert_eq!(
        shop.issue_state().await,
        "regressed",
        "what Jira tells of our own transition changes nothing"
    );
    assert_eq!(outcomes(&shop).await.last().unwrap().0, "sent");
    assert_eq!(number, shop.jira.issue().0);
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_channel_that_cannot_create_says_why() {
    let shop = Shop::open("cloud").await;
    let channel = channel(&shop).await;
    let path = format!("/alerts/channels/{channel}/test");
    let draft = json!({"site": shop.jira.url, "kind": "cloud", "email": "bot@acme.example", "defaults": {"project": "SHOP", "issue_type": "1"}});
    assert_eq!(shop.ask("PUT", "/jira", Some(draft.clone())).await.status, StatusCode::OK);
    let test = shop.ask("POST", &path, None).await.json();
    assert_eq!((&test["delivered"], &test["retryable"]), (&json!(false), &json!(false)));
    assert!(test["detail"].as_str().unwrap().contains("Team: Jira requires it"), "{test}");
    let mut without = draft;
    without["defaults"] = Value::Null;
    assert_eq!(shop.ask("PUT", "/jira", Some(without)).await.status, StatusCode::OK);
    let test = shop.ask("POST", &path, None).await.json();
    assert!(test["detail"].as_str().unwrap().contains("choose them in the settings"), "{test}");
    shop.ask("DELETE", "/jira", None).await;
    let test = shop.ask("POST", &path, None).await.json();
    assert!(test["detail"].as_str().unwrap().contains("not connected"), "{test}");
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_process_that_dies_anywhere_while_it_creates_leaves_one() {
    let mut died = 0;
    for is_done in [true, false] {
        for after in 0..14 {
            let shop = Shop::open("cloud").await;
            let failing = Arc::new(FailingStore::new(shop.app.store.clone(), after, is_done));
            let dying = router(shop.app.api_on(failing.clone()));
            let path = format!("/api/v1/projects/{}{}", shop.project.id, Shop::path(1));
            let request = Request::builder()
                .method("POST")
                .uri(&path)
                .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
            let answer = dying.oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
            died += u32::from(failing.has_failed());
            assert!(failing.has_failed() || answer.status() == StatusCode::OK, "{after}");
            shop.app.advance(46_000);
            let again = shop.ask("POST", &Shop::path(1), Some(json!({}))).await;
            assert_eq!(again.status, StatusCode::OK, "{after}: {}", again.text());
            // As long as who died may have been at it.
            shop.app.advance(151_000);
            shop.round().await;
            let (_, there) = shop.jira.issue();
            assert_eq!(
                (there.links.len(), &shop.linked().await["pending"]),
                (1, &json!(false)),
                "{is_done} {after}"
            );
            // What Jira tells of it is heard.
            assert_eq!(shop.linked().await["key"], there.key);
            shop.jira.assert_right();
        }
    }
    assert!(died >= 12, "{died}");
}

#[tokio::test]
async fn what_was_done_in_jira_meanwhile_is_neither_undone_nor_followed_by_an_alert() {
    let shop = Shop::open("cloud").await;
    let channel = channel(&shop).await;
    without_defaults(&shop.app, &shop.project).await;
    let number = shop.created().await;
    let mut seen = new_issue(&[&channel]);
    seen["condition"] = json!({"kind": "seen", "measure": "events", "at_least": 5, "window_minutes": 5});
    rule(&shop.app, &shop.project, seen).await;
    let evaluator = evaluator(&shop);
    round(&shop.app, &shop.project, &evaluator).await;
    // Its web hook was lost.
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    shop.app.advance(MINUTE);
    count(&shop.app, &shop.project, 1, &[NOON + MINUTE; 12]).await;
    for _ in 0..4 {
        round(&shop.app, &shop.project, &evaluator).await;
        shop.round().await;
        shop.app.advance(20_000);
    }
    let (_, there) = shop.jira.issue();
    assert_eq!((there.comments.len(), there.category.as_str()), (1, "done"), "{:?}", there.comments);
    assert_ne!(shop.issue_state().await, "resolved", "it happened a moment ago");
    shop.jira.assert_right();
}
