//! Evaluation: each firing once, whoever evaluates and whenever it is killed.

use std::collections::BTreeSet;
use std::sync::Arc;

use playhead_domain::store::Store;
use playhead_query_api::alert::{Courier, Worker};
use serde_json::{Value, json};

use crate::alerting::{
    FailingStore, MINUTE, Post, count, new_issue, receive, round, rule, three_in_five, without_defaults,
    worker,
};
use crate::app::{ADMIN, App, NOON, Project};
use crate::issues::{DAY, HOUR, change, id};

async fn firings(app: &App, project: &Project) -> Vec<Value> {
    app.read(project, "/alerts/firings").await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_new_project_has_rules_that_fire_and_tell_nobody() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    let rules = app.read(&project, "/alerts/rules").await;
    let names: Vec<_> = rules["items"].as_array().unwrap().iter().map(|rule| rule["name"].clone()).collect();
    assert_eq!(
        names,
        ["New issue of high priority", "Regressed issue", "Escalating issue", "Many failed requests"]
    );
    assert_eq!(rules["evaluated_to"], Value::Null);
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    app.advance(MINUTE);
    count(&app, &project, 1, &[NOON + MINUTE; 40]).await;
    count(&app, &project, 2, &[NOON + MINUTE]).await;
    round(&app, &project, &worker).await;
    let firings = firings(&app, &project).await;
    assert_eq!(firings.len(), 1, "issue 2 matters little: {firings:?}");
    assert_eq!((&firings[0]["status"], &firings[0]["priority"]), (&json!("open"), &json!("high")));
    assert_eq!(firings[0]["subject"], id(1).to_string());
    assert!(post.carried().is_empty());
    assert_eq!(app.read(&project, "/alerts/rules").await["evaluated_to"], NOON + MINUTE);
}

#[tokio::test]
async fn a_message_says_what_broke_for_how_many_and_where_to_look() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let rule = rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    count(&app, &project, 1, &[NOON, NOON]).await;
    round(&app, &project, &worker).await;
    let messages = post.messages.lock().clone();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.id, format!("{}-1-{}-1", rule["id"].as_str().unwrap(), id(1)));
    assert_eq!((message.project.as_str(), message.rule.as_str()), ("shop", "new"));
    assert_eq!(message.title, "TypeError: cart 1 is undefined");
    assert_eq!(message.why, "an issue was seen for the first time");
    assert_eq!(message.since_ms, NOON);
    assert!(message.facts.contains(&("Events".to_owned(), "2".to_owned())));
    let page = format!("http://play.test/p/{}", project.id);
    assert_eq!(message.links.subject, format!("{page}/issues/{}", id(1)));
    let session = "01".repeat(16);
    assert_eq!(message.links.replay, Some(format!("{page}/sessions/{session}?pane=errors&issue={}", id(1))));
}

#[tokio::test]
async fn a_round_leaves_alone_what_an_earlier_one_works_on() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    app.advance(MINUTE);
    count(&app, &project, 1, &[NOON + MINUTE]).await;
    receive(&app, &project).await;
    worker.evaluate().await;
    app.advance(2_000);
    worker.evaluate().await;
    post.pauses.store(true, std::sync::atomic::Ordering::SeqCst);
    tokio::join!(worker.deliver(), worker.deliver(), worker.deliver());
    assert_eq!(post.carried().len(), 1);
}

#[tokio::test]
async fn two_evaluators_at_once_fire_once() {
    for order in 0..8 {
        let (app, post) = (App::new().await, Arc::new(Post::default()));
        let project = app.project("shop").await;
        without_defaults(&app, &project).await;
        rule(&app, &project, new_issue(&["ops"])).await;
        let (one, two) = (worker(&app, &post), worker(&app, &post));
        assert_eq!(one.evaluate().await, 0);
        // The lease of the first is over, and it does not know: both evaluate.
        app.advance(16_000);
        let numbers: Vec<u8> = (1..=5).collect();
        for &number in &numbers {
            count(&app, &project, number, &[NOON + 10_000]).await;
        }
        receive(&app, &project).await;
        let (first, second) = if order % 2 == 0 { (&one, &two) } else { (&two, &one) };
        tokio::join!(first.evaluate(), second.evaluate());
        app.advance(2_000);
        receive(&app, &project).await;
        tokio::join!(second.evaluate(), first.evaluate());
        tokio::join!(one.deliver(), two.deliver());
        let ids: BTreeSet<_> = post.carried().into_iter().map(|carried| carried.id).collect();
        assert_eq!(ids.len(), numbers.len(), "{ids:?}");
        assert!(ids.iter().all(|id| id.ends_with("-1")), "{ids:?}");
    }
}

/// Killed at its `n`th write, before or after it is done. Returns whether it lived that long.
async fn killed_at(n: i64, is_done: bool) -> bool {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops", "boss"])).await;
    rule(&app, &project, three_in_five(0)).await;
    let first = worker(&app, &post);
    round(&app, &project, &first).await;
    first.release().await;
    app.advance(MINUTE);
    let times = vec![NOON + MINUTE; 3];
    count(&app, &project, 1, &times).await;
    count(&app, &project, 2, &times[..1]).await;
    receive(&app, &project).await;
    let store = Arc::new(FailingStore::new(app.store.clone(), n, is_done));
    let dying = app.api_on(store.clone() as Arc<dyn Store>);
    let dying = Worker::new(dying, Some(post.clone() as Arc<dyn Courier>)).unwrap();
    for _ in 0..2 {
        dying.evaluate().await;
        dying.deliver().await;
    }
    let was_killed = store.has_failed();
    // The successor waits for the lease to end.
    app.advance(20_000);
    let successor = worker(&app, &post);
    for _ in 0..3 {
        round(&app, &project, &successor).await;
        app.advance(2_000);
    }
    let carried = post.carried();
    let told: BTreeSet<_> =
        carried.iter().map(|carried| (carried.id.clone(), carried.channel.clone())).collect();
    // Issue 1 is new and has three events, issue 2 is new: two channels for what is new, one for three.
    assert_eq!(told.len(), 5, "killed at {n}, done: {is_done}: {carried:?}");
    assert!(told.iter().all(|(id, _)| id.ends_with("-1")), "killed at {n}: {told:?}");
    assert!(carried.len() <= told.len() + 1, "at most the message under way comes twice: {carried:?}");
    let firings = firings(&app, &project).await;
    assert_eq!(firings.len(), 3);
    assert!(firings.iter().all(|firing| firing["pending"] == 0), "{firings:?}");
    was_killed
}

#[tokio::test]
async fn whenever_an_evaluator_is_killed_its_successor_neither_misses_nor_repeats() {
    for is_done in [false, true] {
        let mut n = 0;
        while killed_at(n, is_done).await {
            n += 1;
        }
        assert!(n > 12, "only {n} writes");
    }
}

#[tokio::test]
async fn a_successor_finds_what_was_over_before_it_began() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, three_in_five(0)).await;
    let first = worker(&app, &post);
    round(&app, &project, &first).await;
    app.advance(MINUTE);
    count(&app, &project, 1, &[NOON + MINUTE; 3]).await;
    // Nobody evaluates for an hour, and much else happened.
    app.advance(HOUR);
    count(&app, &project, 1, &[NOON + MINUTE, NOON + MINUTE, NOON + MINUTE, NOON + HOUR]).await;
    let successor = worker(&app, &post);
    for _ in 0..3 {
        round(&app, &project, &successor).await;
        app.advance(2_000);
    }
    assert_eq!(post.told(), ["triggered", "resolved"]);
    assert_eq!(post.carried()[0].why, "3 events within 5 minutes, limit 3");
}

#[tokio::test]
async fn it_is_over_below_the_lower_limit_and_triggers_again_after_its_throttle() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, three_in_five(30)).await;
    let worker = worker(&app, &post);
    let mut times = Vec::new();
    let mut told = Vec::new();
    for minute in 0..60 {
        // Three in the minutes 0, 20 and 40; in between two within five minutes, then none.
        times.extend(match minute % 20 {
            0 => vec![app.now_ms(); 3],
            5 => vec![app.now_ms(); 2],
            _ => vec![],
        });
        count(&app, &project, 1, &times).await;
        round(&app, &project, &worker).await;
        let now = post.told().len();
        if now > told.len() {
            told.push(minute);
        }
        app.advance(MINUTE);
    }
    assert_eq!(post.told(), ["triggered", "resolved", "triggered", "resolved"]);
    assert_eq!(told, [0, 15, 40, 55], "not over with two; not again within 30 minutes");
}

#[tokio::test]
async fn a_preview_shows_what_evaluation_did() {
    for (seed, window) in [(1u64, 5), (2, 15), (3, 30), (4, 10)] {
        let (app, post) = (App::new().await, Arc::new(Post::default()));
        let project = app.project("shop").await;
        without_defaults(&app, &project).await;
        let mut draft = three_in_five(20);
        draft["condition"]["window_minutes"] = json!(window);
        let made = rule(&app, &project, draft.clone()).await;
        let worker = worker(&app, &post);
        let (mut times, mut opened, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        let mut random = seed;
        for minute in 0..170 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Busy and quiet spans of 35 minutes.
            let events = if (minute / 35) % 2 == 0 { (random >> 60) / 5 } else { 0 };
            times.extend((0..events).map(|_| app.now_ms()));
            if !times.is_empty() {
                count(&app, &project, 1, &times).await;
            }
            let known = post.told().len();
            round(&app, &project, &worker).await;
            for transition in &post.told()[known..] {
                let span = app.now_ms() - app.now_ms() % (5 * MINUTE);
                if *transition == "triggered" { opened.push(span) } else { closed.push(span) }
            }
            app.advance(MINUTE);
        }
        app.advance(-MINUTE);
        let path = format!("/api/v1/projects/{}/alerts/preview", project.id);
        let answer = app.call("POST", &path, ADMIN, Some(draft)).await;
        let preview = answer.json();
        let items = preview["items"].as_array().unwrap().iter().rev();
        let (from, to): (Vec<_>, Vec<_>) =
            items.map(|item| (item["from_ms"].as_i64(), item["to_ms"].as_i64())).unzip();
        assert_eq!(from.into_iter().flatten().collect::<Vec<_>>(), opened, "{window}: {preview} {made}");
        assert_eq!(to.into_iter().flatten().collect::<Vec<_>>(), closed, "{window}: {preview}");
        assert!(opened.len() > 2, "{window}: {opened:?}");
    }
}

#[tokio::test]
async fn a_regression_is_told_once_for_each_time_it_was_resolved() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    // One that regressed before there was a rule.
    count(&app, &project, 9, &[NOON - 9 * DAY, NOON - 8 * DAY]).await;
    count(&app, &project, 1, &[NOON - 9 * DAY]).await;
    for number in [1, 9] {
        change(&app, &project, number, json!({"state": "resolved"})).await;
    }
    app.advance(MINUTE);
    count(&app, &project, 9, &[NOON - 9 * DAY, NOON - 8 * DAY, NOON + MINUTE]).await;
    let draft = json!({"name": "back", "condition": {"kind": "regressed"}, "channels": ["ops"], "throttle_minutes": 0});
    rule(&app, &project, draft).await;
    let worker = worker(&app, &post);
    let mut times = vec![NOON - 9 * DAY];
    for n in 1..=3 {
        round(&app, &project, &worker).await;
        app.advance(MINUTE);
        times.push(app.now_ms());
        count(&app, &project, 1, &times).await;
        for _ in 0..2 {
            round(&app, &project, &worker).await;
            app.advance(MINUTE);
        }
        let triggered = post.told().iter().filter(|told| **told == "triggered").count();
        assert_eq!(triggered, n);
        change(&app, &project, 1, json!({"state": "resolved"})).await;
        app.advance(MINUTE);
    }
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "resolved"].repeat(3));
    assert!(post.carried().iter().all(|carried| carried.title.contains("cart 1")), "9 regressed before");
}

#[tokio::test]
async fn escalation_is_told_and_is_over() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let draft = json!({"name": "much", "condition": {"kind": "escalating"}, "channels": ["ops"], "throttle_minutes": 0});
    rule(&app, &project, draft).await;
    let worker = worker(&app, &post);
    let mut times = vec![NOON - 9 * DAY];
    count(&app, &project, 1, &times).await;
    round(&app, &project, &worker).await;
    app.advance(MINUTE);
    times.extend([NOON + MINUTE; 11]);
    count(&app, &project, 1, &times).await;
    round(&app, &project, &worker).await;
    assert_eq!(post.carried()[0].why, "11 events in 3 hours, forecast 10");
    app.advance(4 * HOUR);
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "resolved"]);
}

#[tokio::test]
async fn a_project_is_one_evaluators_until_it_gives_it_back_or_is_gone() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops"])).await;
    let (one, two) = (worker(&app, &post), worker(&app, &post));
    round(&app, &project, &one).await;
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &two).await;
    assert!(firings(&app, &project).await.is_empty(), "it is not the second's");
    one.release().await;
    round(&app, &project, &two).await;
    assert_eq!(firings(&app, &project).await.len(), 1);
    count(&app, &project, 2, &[NOON]).await;
    round(&app, &project, &one).await;
    assert_eq!(firings(&app, &project).await.len(), 1);
    app.advance(15_001);
    round(&app, &project, &one).await;
    assert_eq!(firings(&app, &project).await.len(), 2, "the second is gone");
}
