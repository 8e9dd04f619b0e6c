//! Issues that people make one, and take apart again.

use axum::http::StatusCode;
use playhead_domain::issue::key;
use playhead_domain::issue::visitor::{VISITOR_PURPOSE, Visitor, VisitorKey};
use playhead_domain::row::SessionSummary;
use playhead_domain::store::Mutation;
use playhead_domain::table;
use serde_json::{Value, json};

use crate::app::{App, NOON, Project, installation, summary};
use crate::issues::{DAY, HOUR, change, id, numbers, put, three, totals};

/// The row that the processor writes for a visitor of an issue.
async fn visit(app: &App, project: &Project, number: u8, user: &str) {
    let key = VisitorKey::new(installation().derive(VISITOR_PURPOSE));
    let row = key.pseudonym(project.scope, id(number), &Visitor::User(user.to_owned()));
    let put = Mutation::Put {
        table: &table::ISSUE_USERS,
        key: key::user(project.scope, id(number), row.hash),
        value: row.sealed.to_vec().into(),
        version: 1,
        expires_at_ms: None,
    };
    app.store.write(vec![put]).await.unwrap();
}

async fn post(app: &App, project: &Project, path: &str, body: Option<Value>) -> crate::app::Answer {
    app.call("POST", &format!("/api/v1/projects/{}/issues{path}", project.id), &project.secret, body).await
}

async fn merge(app: &App, project: &Project, issues: &[u8], into: u8) -> Value {
    let ids: Vec<_> = issues.iter().map(|&number| id(number).to_string()).collect();
    let answer = post(app, project, "/merge", Some(json!({"ids": ids, "into": id(into).to_string()}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn split(app: &App, project: &Project, number: u8) -> Value {
    let answer = post(app, project, &format!("/{}/split", id(number)), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn members(issue: &Value) -> Vec<u8> {
    let members = issue["members"].as_array().unwrap().iter();
    members.map(|member| u8::from_str_radix(&member["id"].as_str().unwrap()[..2], 16).unwrap()).collect()
}

async fn shown(app: &App, project: &Project, number: u8) -> Value {
    app.read(project, &format!("/issues/{}", id(number))).await
}

#[tokio::test]
async fn what_is_merged_is_counted_as_one_and_what_is_split_off_by_itself() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    for user in ["cy", "dan"] {
        visit(&app, &project, 2, user).await;
    }
    for user in ["cy", "eve"] {
        visit(&app, &project, 3, user).await;
    }
    let before = (shown(&app, &project, 2).await, shown(&app, &project, 3).await);
    assert_eq!((&before.0["users"], &before.1["users"]), (&json!(2), &json!(2)));

    let whole = merge(&app, &project, &[2, 3], 2).await;
    assert_eq!((&whole["id"], &whole["title"]), (&before.0["id"], &before.0["title"]));
    assert_eq!((&whole["events"], &whole["users"]), (&json!(3), &json!(3)), "cy counts once");
    assert_eq!((&whole["users_exact"], &whole["sessions_exact"]), (&json!(true), &json!(false)));
    assert_eq!((members(&whole), &whole["merged"]), (vec![3], &json!(1)));
    assert_eq!(whole["members"][0]["title"], before.1["title"]);
    let listed = app.read(&project, "/issues").await;
    assert_eq!(numbers(&listed), [1, 2]);
    let row = &listed["issues"][1];
    assert_eq!((&row["users"], &row["merged"], &row["events"]), (&json!(3), &json!(1), &json!(3)));
    // Whoever knows the old id comes to the whole.
    assert_eq!(shown(&app, &project, 3).await["id"], whole["id"]);

    // What comes of a merged issue counts for the whole, which keeps its looks.
    put(&app, &project, 3, (0, 1), totals(3, 20, &[NOON - 9 * DAY, NOON - 1], "3.0")).await;
    let whole = shown(&app, &project, 2).await;
    assert_eq!((&whole["events"], &whole["last_seen_ms"]), (&json!(4), &json!(NOON - 1)));
    assert_eq!((&whole["title"], &whole["last_release"]), (&before.0["title"], &json!("3.0")));

    assert_eq!(split(&app, &project, 3).await["members"], json!([]));
    assert_eq!(numbers(&app.read(&project, "/issues").await), [3, 1, 2]);
    let after = (shown(&app, &project, 2).await, shown(&app, &project, 3).await);
    assert_eq!((&after.0["users"], &after.0["events"]), (&before.0["users"], &before.0["events"]));
    assert_eq!((&after.1["users"], &after.1["events"]), (&json!(2), &json!(2)));
    let told = |issue: &Value| -> Vec<String> {
        let history = issue["history"].as_array().unwrap().iter();
        history.map(|record| record["change"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        told(&after.0),
        ["split off TypeError: cart 3 is undefined", "merged with TypeError: cart 3 is undefined"]
    );
    assert_eq!(
        told(&after.1),
        ["split from TypeError: cart 2 is undefined", "merged into TypeError: cart 2 is undefined"]
    );
}

#[tokio::test]
async fn a_session_of_several_merged_issues_counts_once_where_rows_tell() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let had = |number, start_ms, issues: &[u8]| {
        let issues = issues.iter().map(|&issue| id(issue).to_string()).collect();
        SessionSummary { issues, ..summary(number, start_ms) }
    };
    app.session(&project, had(20, NOON - 9 * DAY - HOUR, &[2, 3])).await;
    let whole = merge(&app, &project, &[3], 2).await;
    let counted = |issue: &Value| (issue["sessions"].clone(), issue["sessions_exact"].clone());
    assert_eq!(counted(&whole), (json!(2), json!(false)), "of one of issue 2 no row tells");
    app.session(&project, had(21, NOON - 3 * HOUR, &[2])).await;
    assert_eq!(counted(&shown(&app, &project, 2).await), (json!(2), json!(true)));
    let listed = app.read(&project, "/issues").await;
    assert_eq!(counted(&listed["issues"][1]), (json!(3), json!(false)), "at most so many");
    split(&app, &project, 3).await;
    assert_eq!(counted(&shown(&app, &project, 2).await), (json!(2), json!(true)));
}

#[tokio::test]
async fn what_is_named_twice_is_merged_and_told_once() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    merge(&app, &project, &[1], 2).await;
    let whole = merge(&app, &project, &[2, 1, 2], 3).await;
    let history = whole["history"].as_array().unwrap().iter();
    let told = history.filter(|record| record["change"] == "merged with TypeError: cart 2 is undefined");
    assert_eq!((members(&whole), told.count()), (vec![1, 2], 1));
}

#[tokio::test]
async fn merging_and_splitting_end_no_archive() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let until = json!({"state": "archived", "archived_until": {"events": 2}});
    change(&app, &project, 2, until).await;
    assert_eq!(merge(&app, &project, &[1], 2).await["state"], "archived", "four events came by the merge");
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:archived").await), [2]);
    assert_eq!(split(&app, &project, 1).await["state"], "archived");
    put(&app, &project, 2, (1, 0), totals(2, 3, &[NOON], "1.0")).await;
    assert_eq!(shown(&app, &project, 2).await["state"], "archived", "one more");
    put(&app, &project, 2, (2, 0), totals(2, 3, &[NOON], "1.0")).await;
    let back = shown(&app, &project, 2).await;
    assert_eq!(back["history"][0]["change"], "back from the archive: 2 more events");
}

#[tokio::test]
async fn there_are_no_chains() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    merge(&app, &project, &[1], 2).await;
    let whole = merge(&app, &project, &[2], 3).await;
    assert_eq!((members(&whole), &whole["events"]), (vec![1, 2], &json!(7)));
    let same = merge(&app, &project, &[3], 1).await;
    assert_eq!((&same["id"], members(&same)), (&json!(id(3).to_string()), vec![1, 2]), "it is there already");
    // What people decide of a part, they decide of the whole.
    assert_eq!(change(&app, &project, 1, json!({"state": "resolved"})).await["id"], id(3).to_string());
    assert_eq!(numbers(&app.read(&project, "/issues?query=state:resolved").await), [3]);
    assert_eq!(members(&split(&app, &project, 1).await), [2]);
}

#[tokio::test]
async fn two_who_merge_at_once_both_succeed() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    let (one, other) = ([1u8], [2u8]);
    tokio::join!(merge(&app, &project, &one, 3), merge(&app, &project, &other, 3));
    assert_eq!(members(&shown(&app, &project, 3).await), [1, 2]);
}

#[tokio::test]
async fn sessions_of_all_are_listed_once() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    for (number, issues) in [(1, &[1u8][..]), (2, &[2, 3]), (3, &[3])] {
        let issues = issues.iter().map(|&issue| id(issue).to_string()).collect();
        let start_ms = NOON - i64::from(number) * HOUR;
        let session = playhead_domain::row::SessionSummary { issues, ..summary(number, start_ms) };
        app.session(&project, session).await;
    }
    let sessions = async |issue: u8| {
        let page = app.read(&project, &format!("/sessions?issue={}", id(issue))).await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((sessions(1).await, sessions(2).await, sessions(3).await), (1, 1, 2));
    merge(&app, &project, &[2], 3).await;
    assert_eq!((sessions(1).await, sessions(2).await, sessions(3).await), (1, 2, 2));
    merge(&app, &project, &[1], 3).await;
    assert_eq!(sessions(3).await, 3);
}

#[tokio::test]
async fn parts_that_have_expired_do_no_harm() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    merge(&app, &project, &[2], 3).await;
    app.advance(25 * DAY);
    let whole = shown(&app, &project, 3).await;
    assert_eq!(
        (&whole["id"], &whole["title"]),
        (&json!(id(3).to_string()), &json!("TypeError: cart 2 is undefined"))
    );
    assert_eq!(numbers(&app.read(&project, "/issues").await), [1, 3]);
    app.advance(30 * DAY);
    let path = format!("/api/v1/projects/{}/issues/{}", project.id, id(3));
    assert_eq!(app.get(&path, &project.secret).await.status, StatusCode::NOT_FOUND);
    assert_eq!(numbers(&app.read(&project, "/issues").await), [0u8; 0]);
    // Somebody throws it again: it still belongs there.
    put(&app, &project, 2, (0, 1), totals(2, 30, &[NOON + 55 * DAY], "1.0")).await;
    assert_eq!(shown(&app, &project, 2).await["id"], id(3).to_string());
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused() {
    let app = App::new().await;
    let project = app.project("shop").await;
    three(&app, &project).await;
    put(&app, &project, 0, (0, 0), totals(0, 4, &[NOON], "1.0")).await;
    let ids = |number: u8| json!([id(number).to_string()]);
    for (body, status) in [
        (json!({"ids": [], "into": id(1).to_string()}), StatusCode::BAD_REQUEST),
        (json!({"ids": ["x"], "into": id(1).to_string()}), StatusCode::BAD_REQUEST),
        (json!({"ids": ids(1), "into": "x"}), StatusCode::BAD_REQUEST),
        (json!({"ids": ids(0), "into": id(1).to_string()}), StatusCode::BAD_REQUEST),
        (json!({"ids": ids(1), "into": id(0).to_string()}), StatusCode::BAD_REQUEST),
        (json!({"ids": ids(9), "into": id(1).to_string()}), StatusCode::NOT_FOUND),
        (json!({"ids": ids(1), "into": id(9).to_string()}), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(post(&app, &project, "/merge", Some(body.clone())).await.status, status, "{body}");
    }
    let answer = post(&app, &project, &format!("/{}/split", id(1)), None).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(numbers(&app.read(&project, "/issues").await), [0, 1, 2, 3]);
}
