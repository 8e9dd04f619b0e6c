use axum::http::StatusCode;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::totals::{Hit, OVERFLOW};
use playhead_domain::row::{IssueComponent, IssueSample, IssueTotals};
use playhead_domain::table;
use serde_json::{Value, json};

use crate::app::{ADMIN, App, NOON, Project, summary};

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn id(number: u8) -> Fingerprint {
    Fingerprint([number; 16])
}

pub(crate) fn hit(time_ms: i64, release: &str) -> Hit {
    Hit {
        time_ms,
        is_new_session: true,
        unseen: 0,
        release: release.into(),
        browser: "Chrome".into(),
        system: "Linux".into(),
        country: "PT".into(),
        environment: "production".into(),
        page: "/cart".to_owned(),
        expires_at_ms: time_ms + 30 * DAY,
    }
}

pub(crate) fn sample(number: u8, time_ms: i64, release: &str) -> IssueSample {
    IssueSample {
        session: vec![number; 16].into(),
        event: "0101010101010101-0-1".to_owned(),
        time_ms,
        title: format!("TypeError: cart {number} is undefined"),
        culprit: format!("pay{number} (/cart.js)"),
        kind: "TypeError".to_owned(),
        mechanism: "uncaught".to_owned(),
        release: release.to_owned(),
        grouping_version: 1,
        basis: "stack".to_owned(),
        components: vec![IssueComponent {
            name: "function".to_owned(),
            values: vec![format!("pay{number}")],
            counted: true,
            why: "it threw".to_owned(),
        }],
        ..IssueSample::default()
    }
}

/// What a log partition tells of an issue that happened then.
pub(crate) fn totals(number: u8, next_offset: u64, times: &[i64], release: &str) -> IssueTotals {
    let mut totals = IssueTotals { next_offset, ..IssueTotals::default() };
    for &time_ms in times {
        totals.add(&hit(time_ms, release));
        totals.show(sample(number, time_ms, release));
    }
    totals
}

pub(crate) async fn put(app: &App, project: &Project, number: u8, place: (u32, i64), totals: IssueTotals) {
    app.put(&table::ISSUES, key::issue(project.scope, id(number), place.0, place.1), totals).await;
}

/// Issues 1 to 3: 1 is new and happens most, 2 is old and goes on, 3 is long over.
pub(crate) async fn three(app: &App, project: &Project) {
    put(app, project, 1, (0, 0), totals(1, 9, &[NOON - HOUR, NOON - HOUR / 2, NOON - 1], "2.0")).await;
    put(app, project, 1, (0, 1), totals(1, 5, &[NOON - HOUR], "2.0")).await;
    put(app, project, 1, (7, 0), totals(1, 3, &[NOON - 2 * HOUR], "1.0")).await;
    put(app, project, 2, (0, 0), totals(2, 9, &[NOON - 9 * DAY, NOON - 3 * HOUR], "1.0")).await;
    put(app, project, 3, (0, 0), totals(3, 9, &[NOON - 9 * DAY], "1.0")).await;
    for user in 0..3 {
        app.put(&table::ISSUE_USERS, key::user(project.scope, id(1), [user; 16]), ()).await;
    }
}

pub(crate) fn numbers(page: &Value) -> Vec<u8> {
    let issues = page["issues"].as_array().unwrap().iter();
    issues.map(|issue| u8::from_str_radix(&issue["id"].as_str().unwrap()[..2], 16).unwrap()).collect()
}

pub(crate) async fn change(app: &App, project: &Project, number: u8, patch: Value) -> Value {
    let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(number));
    let answer = app.call("PATCH", &path, &project.secret, Some(patch)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn an_issue_is_what_all_log_partitions_say() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    app.session(&project, summary(1, NOON - HOUR)).await;
    let shown = app.read(&project, &format!("/issues/{}", id(1))).await;
    insta::assert_json_snapshot!(shown);
}

#[tokio::test]
async fn every_order_and_every_page() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    for (sort, expected) in [
        ("last_seen", [1, 2, 3]),
        ("first_seen", [1, 3, 2]),
        ("events", [1, 2, 3]),
        ("sessions", [1, 2, 3]),
        ("users", [1, 3, 2]),
        ("priority", [1, 2, 3]),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.read(&project, &format!("/issues?sort={sort}&limit=1{cursor}")).await;
            assert_eq!((&page["partial"], &page["overflow"]), (&json!(false), &Value::Null));
            seen.extend(numbers(&page));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let first = app.read(&project, "/issues?limit=1").await;
    let path = format!(
        "/api/v1/projects/{}/issues?sort=events&cursor={}",
        project.id,
        first["next"].as_str().unwrap()
    );
    assert_eq!(app.get(&path, &project.secret).await.status, StatusCode::BAD_REQUEST, "of another order");
}

#[tokio::test]
async fn a_search_finds_what_it_names() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    change(&app, &project, 3, json!({"state": "archived", "assignee": "Ana"})).await;
    for (query, expected) in [
        ("PAY2", &[2u8][..]),
        ("undefined%20cart", &[1, 2, 3]),
        ("type:typeerror", &[1, 2, 3]),
        ("type:RangeError", &[]),
        ("release:2.0", &[1]),
        ("browser:chrome%20page:/cart", &[1, 2, 3]),
        ("state:new", &[1]),
        ("state:ongoing", &[2]),
        ("state:archived", &[3]),
        ("state:unresolved", &[1, 2]),
        ("assignee:ana", &[3]),
        ("assignee:none", &[1, 2]),
        ("is:handled", &[]),
    ] {
        assert_eq!(
            numbers(&app.read(&project, &format!("/issues?query={query}")).await),
            expected,
            "{query}"
        );
    }
    for bad in ["query=colour:red", "sort=colour", "limit=0", "limit=101", "cursor=zz", "colour=red"] {
        let answer = app.get(&format!("/api/v1/projects/{}/issues?{bad}", project.id), &project.secret).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn what_is_resolved_comes_back_when_it_happens_again() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    assert_eq!(change(&app, &project, 2, json!({"state": "resolved"})).await["state"], "resolved");
    let later = change(&app, &project, 3, json!({"state": "resolved", "resolved_in": "next_release"})).await;
    assert_eq!(later["priority"]["reason"], "resolved");
    app.advance(HOUR);
    for number in [2, 3] {
        let times = [NOON - 9 * DAY, NOON + HOUR / 2];
        put(&app, &project, number, (0, 1), totals(number, 20, &times, "1.0")).await;
    }
    let state = async |number| app.read(&project, &format!("/issues/{}", id(number))).await["state"].clone();
    assert_eq!(
        (state(2).await, state(3).await),
        (json!("regressed"), json!("resolved")),
        "the old release may go on"
    );
    put(&app, &project, 3, (1, 0), totals(3, 1, &[NOON + HOUR / 2 + 1], "2.0")).await;
    assert_eq!(state(3).await, "regressed");
    let again = change(&app, &project, 3, json!({"state": "resolved"})).await;
    assert_eq!(again["state"], "resolved");
    let told: Vec<_> =
        again["history"].as_array().unwrap().iter().map(|change| change["change"].clone()).collect();
    assert_eq!(told, ["resolved", "resolved in the next release"], "the newest first");
    let actor = again["history"][0]["actor"].as_str().unwrap();
    assert!(project.secret.ends_with(actor.strip_prefix("secret key …").unwrap()), "{actor}");
}

#[tokio::test]
async fn many_are_changed_alike_and_what_is_wrong_changes_nothing() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let path = format!("/api/v1/projects/{}/issues/bulk", project.id);
    for (body, field) in [
        (json!({"ids": [], "state": "resolved"}), "ids"),
        (json!({"ids": vec![id(1).to_string(); 101], "state": "resolved"}), "ids"),
        (json!({"ids": ["x"], "state": "resolved"}), "ids"),
        (json!({"ids": [id(1).to_string()]}), "body"),
        (json!({"ids": [id(1).to_string()], "state": "regressed"}), "body"),
        (json!({"ids": [id(1).to_string()], "assignee": "a\nb"}), "assignee"),
        (json!({"ids": [id(1).to_string()], "assignee": "a", "resolved_in": "now"}), "resolved_in"),
    ] {
        let answer = app.call("POST", &path, ADMIN, Some(body.clone())).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{body}"
        );
    }
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:resolved").await), [0u8; 0]);
    let ids = [1, 2, 9].map(|number| id(number).to_string());
    let body = json!({"ids": ids, "state": "resolved", "assignee": "bo"});
    let result = app.call("POST", &path, ADMIN, Some(body)).await.json();
    assert_eq!(result, json!({"changed": ids[..2], "missing": ids[2..]}));
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:resolved%20assignee:bo").await), [1, 2]);
}

#[tokio::test]
async fn the_link_says_what_became_of_the_session() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let session = app.session(&project, summary(1, NOON - HOUR)).await;
    let replay = async |number| {
        app.read(&project, &format!("/issues/{}", id(number))).await["latest"]["replay"].clone()
    };
    assert_eq!((replay(1).await, replay(2).await), (json!("playable"), json!("expired")));
    let path = format!("/api/v1/projects/{}/sessions/{session}", project.id);
    assert_eq!(app.call("DELETE", &path, &project.secret, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(replay(1).await, "erased");
    assert_eq!(app.read(&project, "/issues").await["issues"][0]["events"], 4, "counts stay");
}

#[tokio::test]
async fn what_is_beyond_the_bound_is_said_and_what_has_expired_is_gone() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let kept = IssueTotals { next_offset: 4, expires_at_ms: NOON + DAY, ..IssueTotals::default() };
    put(&app, &project, 0, (0, 0), kept).await;
    assert_eq!(app.read(&project, "/issues").await["overflow"], Value::Null, "it only keeps count");
    put(&app, &project, 0, (1, 0), totals(0, 4, &[NOON], "1.0")).await;
    let page = app.read(&project, "/issues").await;
    assert_eq!((page["overflow"].clone(), numbers(&page)), (json!(OVERFLOW.to_string()), vec![0, 1, 2, 3]));
    app.advance(25 * DAY);
    assert_eq!(numbers(&app.read(&project, "/issues").await), [0, 1, 2]);
    let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(3));
    assert_eq!(app.get(&path, &project.secret).await.status, StatusCode::NOT_FOUND);
}
