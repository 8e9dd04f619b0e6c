//! Issues that are dropped, and what a project decides about them.

use axum::http::StatusCode;
use playhead_domain::id::ProjectId;
use playhead_domain::issue::key;
use playhead_domain::issue::merge::Merges;
use playhead_domain::issue::setting::{DELAY_US, MAX_VERSIONS, successor};
use playhead_domain::log::StoredRecord;
use playhead_domain::{row, table};
use prost::Message;
use serde_json::{Value, json};

use crate::app::{ADMIN, App, NOON, Project, STREAM, summary};
use crate::issues::{HOUR, id, numbers, put, three, totals};

const DELAY_MS: i64 = DELAY_US / 1_000;

async fn call(
    app: &App,
    project: &Project,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> crate::app::Answer {
    app.call(method, &format!("/api/v1/projects/{}{path}", project.id), ADMIN, body).await
}

/// What processors are told.
async fn published(app: &App, project: &Project) -> row::Project {
    let records = app.log.read("projects", 0, 0, 1 << 20, std::time::Duration::ZERO).await.unwrap();
    let decode = |record: StoredRecord| row::Project::decode(record.value).unwrap();
    let id: ProjectId = project.id.parse().unwrap();
    records.into_iter().map(decode).rfind(|row| row.project == id.0).unwrap()
}

#[tokio::test]
async fn what_is_discarded_is_gone_and_what_comes_later_is_another_issue() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let merge = json!({"ids": [id(3).to_string()], "into": id(2).to_string()});
    assert_eq!(call(&app, &project, "POST", "/issues/merge", Some(merge)).await.status, StatusCode::OK);
    let ids = [2, 9].map(|number| id(number).to_string());
    let answer = call(&app, &project, "POST", "/issues/discard", Some(json!({"ids": ids}))).await;
    assert_eq!(answer.json(), json!({"changed": [ids[0]], "missing": [ids[1]]}));
    assert_eq!(numbers(&app.read(&project, "/issues").await), [1]);
    for number in [2, 3] {
        let gone = call(&app, &project, "GET", &format!("/issues/{}", id(number)), None).await;
        assert_eq!((gone.status, gone.problem().as_str()), (StatusCode::GONE, "discarded"));
    }
    let list = app.read(&project, "/issues/discarded").await;
    let titles: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["title"].clone()).collect();
    assert_eq!(titles, ["TypeError: cart 3 is undefined", "TypeError: cart 2 is undefined"]);
    assert_eq!(
        (&list["items"][0]["from_ms"], &list["items"][0]["to_ms"]),
        (&json!(NOON + DELAY_MS), &Value::Null)
    );
    let known = published(&app, &project).await;
    assert_eq!(known.issue_at(id(2), (NOON + DELAY_MS) * 1_000), None);

    app.advance(2 * DELAY_MS);
    let restore = format!("/issues/{}/restore", id(2));
    let list = call(&app, &project, "POST", &restore, None).await.json();
    assert_eq!(list["items"][1]["to_ms"], NOON + 3 * DELAY_MS);
    assert_eq!(call(&app, &project, "POST", &restore, None).await.status, StatusCode::NOT_FOUND);
    let known = published(&app, &project).await;
    assert_eq!(known.issue_at(id(2), (NOON + 3 * DELAY_MS) * 1_000), Some(successor(id(2))));
    assert_eq!(numbers(&app.read(&project, "/issues").await), [1], "what was there stays dropped");
}

#[tokio::test]
async fn what_is_discarded_while_it_is_merged_is_gone_and_the_rest_can_be_split_off() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let ids = [id(2).to_string(), id(2).to_string()];
    let answer = call(&app, &project, "POST", "/issues/discard", Some(json!({"ids": ids}))).await;
    assert_eq!(answer.json(), json!({"changed": [ids[0]], "missing": []}));
    // As whoever merged at the same time left it.
    let mut merges = Merges::default();
    merges.merge(&[id(3)], id(2), (NOON, "ana")).unwrap();
    app.put(&table::ISSUE_STATES, key::merges(project.scope), merges.to_row()).await;
    assert_eq!(numbers(&app.read(&project, "/issues").await), [1]);
    let split = call(&app, &project, "POST", &format!("/issues/{}/split", id(3)), None).await;
    assert_eq!((split.status, &split.json()["id"]), (StatusCode::OK, &json!(id(3).to_string())));
    assert_eq!(numbers(&app.read(&project, "/issues").await), [1, 3]);
}

#[tokio::test]
async fn a_part_that_is_discarded_does_not_count() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    call(&app, &project, "POST", "/issues/discard", Some(json!({"ids": [id(2).to_string()]}))).await;
    let mut merges = Merges::default();
    merges.merge(&[id(2)], id(1), (NOON, "ana")).unwrap();
    app.put(&table::ISSUE_STATES, key::merges(project.scope), merges.to_row()).await;
    let listed = app.read(&project, "/issues").await;
    let shown = app.read(&project, &format!("/issues/{}", id(1))).await;
    assert_eq!((&shown["events"], &listed["issues"][0]["events"]), (&json!(4), &json!(4)));
}

#[tokio::test]
async fn only_administrators_discard_and_nobody_discards_the_overflow() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    put(&app, &project, 0, (0, 0), totals(0, 4, &[NOON], "1.0")).await;
    let path = format!("/api/v1/projects/{}/issues/discard", project.id);
    let body = |number: u8| Some(json!({"ids": [id(number).to_string()]}));
    assert_eq!(app.call("POST", &path, &project.secret, body(1)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.call("POST", &path, ADMIN, body(0)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(numbers(&app.read(&project, "/issues").await), [0, 1, 2, 3]);
}

#[tokio::test]
async fn what_decides_about_issues_counts_from_a_minute_later() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let rule = json!({"path": "^/checkout/", "type": "", "message": "card \\d+", "fingerprint": "payments"});
    let patch = json!({"failed_requests": "server", "error_filters_off": ["bot"], "grouping_rules": [rule]});
    let settings = call(&app, &project, "PATCH", "", Some(patch.clone())).await.json()["settings"].clone();
    for (name, value) in patch.as_object().unwrap() {
        assert_eq!(settings[name], *value, "{name}");
    }
    assert_eq!(settings["grouping_counts_from"], NOON + DELAY_MS);
    let known = published(&app, &project).await;
    let requests = |ms: i64| known.issue_settings_at(ms * 1_000).unwrap().failed_requests.clone();
    assert_eq!(
        (requests(NOON + DELAY_MS - 1), requests(NOON + DELAY_MS)),
        (String::new(), "server".to_owned())
    );
    // What is said again, or is not about issues, begins nothing anew.
    app.advance(1_000);
    let again =
        call(&app, &project, "PATCH", "", Some(json!({"failed_requests": "server", "name": "x"}))).await;
    assert_eq!(again.json()["settings"]["grouping_counts_from"], NOON + DELAY_MS);
    for (rules, said) in [
        (json!([{"fingerprint": "x"}]), "rule 1: needs a path"),
        (json!([rule, {"message": "(", "fingerprint": "x"}]), "rule 2: message: "),
        (json!([{"message": "((a{1000}){1000}){1000}", "fingerprint": "x"}]), "size limit"),
        (json!(vec![rule.clone(); 51]), "at most 50"),
        (json!(vec![json!({"message": "x".repeat(190), "fingerprint": "x"}); 50]), "longer than 8192"),
    ] {
        let answer = call(&app, &project, "PATCH", "", Some(json!({"grouping_rules": rules}))).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (StatusCode::BAD_REQUEST, &json!("grouping_rules"))
        );
        assert!(answer.text().contains(said), "{}", answer.text());
    }
}

#[tokio::test]
async fn what_decides_about_issues_changes_so_often_in_an_hour() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let change = async |number: i64| {
        let rule = json!({"type": number.to_string(), "fingerprint": "x"});
        call(&app, &project, "PATCH", "", Some(json!({"grouping_rules": [rule]}))).await
    };
    for number in 1..MAX_VERSIONS as i64 {
        assert_eq!(change(number).await.status, StatusCode::OK);
    }
    app.advance(HOUR);
    let refused = change(100).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too-many-changes")
    );
    let wait_s: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((60..=61).contains(&wait_s), "{wait_s}");
    let known = published(&app, &project).await;
    assert_eq!(known.issue_settings_at(NOON * 1_000).unwrap().rules, [], "what was in force stays");
    app.advance(wait_s * 1_000);
    assert_eq!(change(100).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_dry_run_says_what_rules_would_have_joined() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    for number in [1u8, 2] {
        let session = app.session(&project, summary(number, NOON - HOUR)).await;
        let key = app.data_key(&project, session).await;
        let error = json!({"id": format!("{STREAM}-0-1"), "time": NOON - HOUR, "kind": "error", "data": {
            "type": "TypeError", "message": format!("cart {number} is undefined"), "url": "https://shop.example/cart"}});
        app.chunk(&project, session, &key, (STREAM, 0), &[error]).await;
    }
    let mut request = totals(4, 9, &[NOON], "1.0");
    request.latest.as_mut().unwrap().mechanism = "request".to_owned();
    put(&app, &project, 4, (0, 0), request).await;
    put(&app, &project, 5, (0, 0), totals(5, 9, &[NOON], "1.0")).await;
    call(&app, &project, "POST", "/issues/discard", Some(json!({"ids": [id(5).to_string()]}))).await;
    let run = async |rules: Value| {
        call(&app, &project, "POST", "/grouping-rules/dry-run", Some(json!({"rules": rules}))).await.json()
    };
    let rules = json!([
        {"type": "Range", "fingerprint": "never"},
        {"message": "^cart \\d+ is", "path": "^/cart$", "fingerprint": "carts"},
    ]);
    let result = run(rules).await;
    // The third happened longer than a week ago, the fourth is a request, the fifth is discarded.
    assert_eq!(
        (&result["issues"], &result["not_kept"], &result["partial"]),
        (&json!(2), &json!(0), &json!(false))
    );
    let groups = result["groups"].as_array().unwrap();
    assert_eq!(
        (groups.len(), &groups[0]["rule"], &groups[0]["fingerprint"]),
        (1, &json!(2), &json!("carts"))
    );
    let found: Vec<_> =
        groups[0]["issues"].as_array().unwrap().iter().map(|issue| issue["events"].clone()).collect();
    assert_eq!(found, [4, 1], "of the week");
    let none = run(json!([{"path": "/checkout", "fingerprint": "x"}])).await;
    assert_eq!(none["groups"], json!([]));
    let wrong = call(
        &app,
        &project,
        "POST",
        "/grouping-rules/dry-run",
        Some(json!({"rules": [{"fingerprint": "x"}]})),
    )
    .await;
    assert_eq!((wrong.status, &wrong.json()["field"]), (StatusCode::BAD_REQUEST, &json!("rules")));
    let path = format!("/api/v1/projects/{}/grouping-rules/dry-run", project.id);
    let denied = app.call("POST", &path, &project.secret, Some(json!({"rules": []}))).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN, "it keeps a core busy");
    assert_eq!(app.read(&project, "").await["settings"]["grouping_rules"], json!([]), "nothing changed");
}
