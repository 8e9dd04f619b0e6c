//! Lists of issues that are made from memory.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::row::{IssueChanges, IssueState, IssueTotals};
use playhead_domain::session::key::day;
use playhead_domain::store::{self, ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap};
use playhead_domain::table::{ISSUE_CHANGES, ISSUE_STATES, ISSUES, Table};
use prost::Message;
use serde_json::{Value, json};

use crate::alerting::{MINUTE, Post, new_issue, round, rule, without_defaults, worker};
use crate::app::{App, NOON, Project, summary};
use crate::issues::{DAY, HOUR, change, id, numbers, put, three, totals};

/// More rows than a list reads each time.
async fn fill(app: &App, project: &Project) {
    three(app, project).await;
    for number in 0..1_200_u32 {
        let mut issue = [0xff; 16];
        issue[12..].copy_from_slice(&number.to_be_bytes());
        let totals: IssueTotals = totals(4, 1, &[NOON - 20 * DAY], "0.1");
        app.put(&ISSUES, key::issue(project.scope, Fingerprint(issue), 0, 0), totals).await;
    }
}

/// A store that lets others work before and after each conditional write.
struct Pausing(Arc<dyn Store>);

#[async_trait]
impl Store for Pausing {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        self.0.get(table, key).await
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[store::Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        self.0.scan(table, partition, range, order, limit).await
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        self.0.write(mutations).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        tokio::task::yield_now().await;
        let swap = self.0.compare_and_set(table, key, expected, new, expires_at_ms).await;
        tokio::task::yield_now().await;
        swap
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get_serial(table, key).await
    }

    async fn reclaim(&self) -> Result<(), Error> {
        self.0.reclaim().await
    }
}

/// Waits until lists are made from memory: what no flush names is not seen any more.
async fn remember(app: &App, project: &Project) {
    for number in 100..250 {
        put(app, project, number, (0, 0), totals(number, 1, &[NOON - 19 * DAY], "0.1")).await;
        let found = app.read(project, &format!("/issues?query=pay{number}")).await;
        if numbers(&found) != [number] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("lists are made from rows all the time");
}

async fn resolved(app: &App, project: &Project) -> Vec<u8> {
    numbers(&app.read(project, "/issues?query=state:resolved").await)
}

#[tokio::test]
async fn what_people_decide_is_in_the_next_list_of_every_process() {
    let app = App::new().await;
    let (project, other) = (app.project("shop").await, app.beside());
    fill(&app, &project).await;
    remember(&app, &project).await;
    remember(&other, &project).await;
    assert_eq!(resolved(&app, &project).await, [0u8; 0]);
    assert_eq!(resolved(&other, &project).await, [0u8; 0]);
    change(&other, &project, 2, json!({"state": "resolved"})).await;
    assert_eq!(resolved(&app, &project).await, [2]);
    assert_eq!(resolved(&other, &project).await, [2]);
    change(&app, &project, 3, json!({"state": "resolved"})).await;
    assert_eq!(resolved(&other, &project).await, [2, 3]);
    let post = async |path: &str, body: Option<Value>| {
        let path = format!("/api/v1/projects/{}/issues/{path}", project.id);
        let answer = app.call("POST", &path, &project.secret, body).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    };
    post("merge", Some(json!({"ids": [id(2).to_string()], "into": id(1).to_string()}))).await;
    assert_eq!(resolved(&other, &project).await, [3], "2 is a part of 1 now");
    post(&format!("{}/split", id(2)), None).await;
    assert_eq!(resolved(&other, &project).await, [2, 3]);
    let ids = [2, 3].map(|number| id(number).to_string());
    let bulk = json!({"ids": ids, "state": "ongoing"});
    post("bulk", Some(bulk)).await;
    assert_eq!(resolved(&other, &project).await, [0u8; 0]);
}

#[tokio::test]
async fn a_decision_whose_client_left_is_in_the_next_list() {
    let app = App::new().await;
    let project = app.project("shop").await;
    fill(&app, &project).await;
    let app = app.on(Arc::new(Pausing(app.store.clone())));
    remember(&app, &project).await;
    let mut left = 0;
    for polls in 1.. {
        assert_eq!(resolved(&app, &project).await, [0u8; 0]);
        // The request goes on no further after so many steps.
        let body = json!({"state": "resolved"}).to_string();
        let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(2));
        let request = Request::builder().method("PATCH").uri(path);
        let request = request.header("authorization", format!("Bearer {}", project.secret));
        let mut sent = Box::pin(app.send(request.body(Body::from(body)).unwrap()));
        let mut answered = false;
        for _ in 0..polls {
            answered |= futures::poll!(&mut sent).is_ready();
            if answered {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(sent);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let stored = app.store.get(&ISSUE_STATES, &key::state(project.scope, id(2))).await.unwrap();
        let is_resolved =
            stored.is_some_and(|row| IssueState::decode(row.value).unwrap().state == "resolved");
        assert_eq!(resolved(&app, &project).await, if is_resolved { vec![2] } else { vec![] }, "{polls}");
        if answered {
            break;
        }
        left += usize::from(is_resolved);
        change(&app, &project, 2, json!({"state": "ongoing"})).await;
    }
    assert!(left > 0, "a client left between the change and the mark");
}

#[tokio::test]
async fn a_decision_that_nobody_told_of_is_in_lists_a_minute_later() {
    let app = App::new().await;
    let project = app.project("shop").await;
    fill(&app, &project).await;
    remember(&app, &project).await;
    let state = IssueState { state: "resolved".to_owned(), changed_ms: NOON, ..IssueState::default() };
    let (key, value) = (key::state(project.scope, id(2)), state.encode_to_vec().into());
    let swap = app.store.compare_and_set(&ISSUE_STATES, &key, None, Some(value), None).await;
    assert_eq!(swap.unwrap(), Swap::Applied);
    assert_eq!(resolved(&app, &project).await, [0u8; 0]);
    app.advance(61_000);
    assert_eq!(resolved(&app, &project).await, [2]);
}

#[tokio::test]
async fn shares_follow_the_sessions_that_there_are() {
    let app = App::new().await;
    let project = app.project("shop").await;
    fill(&app, &project).await;
    for number in 1..31 {
        app.session(&project, summary(number, NOON - HOUR / 4)).await;
    }
    // Of the hour that begins.
    let times: Vec<i64> = (1..=10).map(|minute| NOON + minute * 60_000).collect();
    put(&app, &project, 1, (3, 0), totals(1, 9, &times, "2.0")).await;
    remember(&app, &project).await;
    let reason = async || {
        let page = app.read(&project, "/issues?sort=events&limit=1").await;
        page["issues"][0]["priority"]["reason"].as_str().unwrap().to_owned()
    };
    let before = reason().await;
    assert!(before.contains("% of sessions in the last 2 h"), "{before}");
    for number in 31..121 {
        app.session(&project, summary(number, NOON - HOUR / 4)).await;
    }
    assert_eq!(reason().await, before, "a few seconds do not matter");
    app.advance(11_000);
    // Counted beside a list, for the next ones.
    for _ in 0..500 {
        if reason().await != before {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let counted = reason().await;
    assert_ne!(counted, before);
    for number in 121..221 {
        app.session(&project, summary(number, NOON + HOUR - 6_000)).await;
    }
    app.advance(HOUR - 11_000 - 5_000);
    reason().await;
    app.advance(5_000);
    let next = reason().await;
    assert!(next.contains("10 % of sessions"), "the hour before the last one counts no more: {next}");
}

#[tokio::test]
async fn rules_judge_a_large_project_by_what_changes() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    fill(&app, &project).await;
    rule(&app, &project, new_issue(&["ops"])).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    remember(&app, &project).await;
    app.advance(MINUTE);
    let now_ms = app.now_ms();
    for (number, is_named) in [(251, true), (252, false)] {
        put(&app, &project, number, (0, 0), totals(number, u64::from(number), &[now_ms], "2.0")).await;
        let issues = if is_named { id(number).0.to_vec() } else { Vec::new() };
        let place = key::changes(project.scope, 0, day(now_ms), u64::from(number));
        app.put(&ISSUE_CHANGES, place, IssueChanges { issues: issues.into(), all: false }).await;
    }
    round(&app, &project, &worker).await;
    let carried = post.carried();
    let [told] = &carried[..] else { panic!("no flush names 252: {carried:?}") };
    assert_eq!((told.transition, told.title.as_str()), ("triggered", "TypeError: cart 251 is undefined"));
    // What is there when an evaluation begins is judged by it, also when a list has just looked.
    put(&app, &project, 253, (0, 0), totals(253, 253, &[now_ms], "2.0")).await;
    app.read(&project, "/issues").await;
    let changes = IssueChanges { issues: id(253).0.to_vec().into(), all: false };
    app.put(&ISSUE_CHANGES, key::changes(project.scope, 0, day(now_ms), 253), changes).await;
    app.read(&project, "/issues").await;
    round(&app, &project, &worker).await;
    assert_eq!(post.carried().last().unwrap().title, "TypeError: cart 253 is undefined");
    change(&app, &project, 251, json!({"state": "resolved"})).await;
    app.advance(MINUTE);
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "triggered", "resolved"]);
}

#[tokio::test]
async fn an_evaluation_of_a_part_decides_nothing_for_good() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, new_issue(&["ops"])).await;
    // More rows in one part than are read of it.
    let ids = (0..u32::MAX).map(|number| Fingerprint(std::array::from_fn(|at| number.to_be_bytes()[at % 4])));
    let first = key::issues_partition(project.scope, 0);
    let ids: Vec<_> =
        ids.filter(|issue| key::issue_partition(project.scope, *issue) == first).take(26_000).collect();
    let value: Bytes = totals(4, 1, &[NOON - 20 * DAY], "0.1").encode_to_vec().into();
    for some in ids.chunks(1_000) {
        let rows = some.iter().map(|issue| Mutation::Put {
            table: &ISSUES,
            key: key::issue(project.scope, *issue, 0, 0),
            value: value.clone(),
            version: 1,
            expires_at_ms: None,
        });
        app.store.write(rows.collect()).await.unwrap();
    }
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    let evaluated_to = async || app.read(&project, "/alerts/rules").await["evaluated_to"].clone();
    assert_eq!(evaluated_to().await, json!(null), "the rest is being read");
    for _ in 0..1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        round(&app, &project, &worker).await;
        if evaluated_to().await == NOON {
            return;
        }
    }
    panic!("{}", evaluated_to().await);
}
