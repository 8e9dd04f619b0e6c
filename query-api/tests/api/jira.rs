//! Jira, against a double that checks every request against Jira's own description.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, Mac};
use playhead_domain::store::{ClusteringRange, Order};
use playhead_domain::{session, table};
use playhead_query_api::Config;
use playhead_query_api::jira::Worker;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{ADMIN, Answer, App, NOON, Project};
use crate::issues::{change, id, put, sample, three, totals};
use crate::jira_double::{Jira, user};

const SECOND: i64 = 1_000;

/// A project with issues, connected to a Jira.
pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) project: Project,
    pub(crate) jira: Jira,
    pub(crate) worker: Worker,
    hook: (String, String),
}

fn draft(jira: &Jira, kind: &str) -> Value {
    json!({"site": jira.url, "kind": kind, "email": "bot@acme.example", "token": "t0k3n-SECRET", "sync_state": true,
        "sync_assignee": true, "comments": true, "defaults": {"project": "SHOP", "issue_type": "2", "fields": {}}})
}

impl Shop {
    pub(crate) async fn open(kind: &str) -> Self {
        let jira = Jira::start().await;
        let config = Config { outbound_allow: vec!["127.0.0.1".to_owned()], ..Config::default() };
        let app = App::with(config).await;
        let project = app.project("shop").await;
        three(&app, &project).await;
        let worker = Worker::new(app.api.clone());
        let mut shop = Self { app, project, jira, worker, hook: Default::default() };
        let saved = shop.ask("PUT", "/jira", Some(draft(&shop.jira, kind))).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
        let hook = &saved.json()["hook"];
        let text = |name: &str| hook[name].as_str().unwrap().to_owned();
        shop.hook = (text("url").replace("http://play.test", ""), text("secret"));
        shop
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.app.call(method, &format!("/api/v1/projects/{}{path}", self.project.id), ADMIN, body).await
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) fn path(number: u8) -> String {
        format!("/issues/{}/jira", id(number))
    }

    async fn create(&self, number: u8) -> Answer {
        self.ask("POST", &Self::path(number), Some(json!({}))).await
    }

    /// Creates the Jira issue of issue 1; returns Jira's number.
    pub(crate) async fn created(&self) -> String {
        let answer = self.create(1).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        self.jira.take_requests();
        self.jira.issue().0
    }

    pub(crate) async fn linked(&self) -> Value {
        self.read(&Self::path(1)).await["issue"].clone()
    }

    /// Sends what Jira sends; signed with `secret`.
    async fn hook(&self, body: &Value, secret: Option<&str>) -> Answer {
        let body = body.to_string();
        let mut request = Request::builder().method("POST").uri(&self.hook.0);
        if let Some(secret) = secret {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(body.as_bytes());
            let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            request = request.header("x-hub-signature", format!("sha256={hex}"));
        }
        self.app.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Ana changed it in Jira.
    async fn changed_there(&self, id: &str) {
        let body = json!({"webhookEvent": "jira:issue_updated", "issue": {"id": id, "key": "SHOP-1"}, "user": {"displayName": "Ana Lima"}});
        let answer = self.hook(&body, Some(&self.hook.1)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        self.round().await;
    }

    pub(crate) async fn round(&self) {
        assert_eq!(self.worker.round().await.unwrap(), 0);
    }

    pub(crate) async fn issue_state(&self) -> String {
        self.issue().await["state"].as_str().unwrap().to_owned()
    }

    async fn issue(&self) -> Value {
        self.read(&format!("/issues/{}", id(1))).await
    }

    /// Requests that changed something.
    fn changes(&self) -> Vec<String> {
        self.jira.take_requests().into_iter().filter(|request| !request.starts_with("GET")).collect()
    }
}

#[tokio::test]
async fn a_connection_is_sealed_and_shown_without_its_secrets() {
    let shop = Shop::open("cloud").await;
    let (columns, range) = (session::key::scope_columns(shop.project.scope), ClusteringRange::ALL);
    let page = shop.app.store.scan(&table::JIRA, &columns, &range, Order::Ascending, 9).await.unwrap();
    let rows = page.rows;
    let stored = format!(
        "{:?}",
        rows.iter().map(|row| String::from_utf8_lossy(&row.value).into_owned()).collect::<Vec<_>>()
    );
    let shown = shop.ask("GET", "/jira", None).await;
    for secret in ["t0k3n-SECRET", shop.hook.1.as_str(), shop.hook.0.rsplit('/').next().unwrap()] {
        assert!(!stored.contains(secret) && !shown.text().contains(secret), "{secret}");
    }
    let connection = &shown.json()["connection"];
    assert_eq!((&connection["token_hint"], &connection["kind"]), (&json!("…CRET"), &json!("cloud")));
    let stale = json!({"version": 9, "site": shop.jira.url, "kind": "cloud", "email": "bot@acme.example"});
    assert_eq!(shop.ask("PUT", "/jira", Some(stale)).await.status, StatusCode::CONFLICT);
    let kept = json!({"version": 1, "site": shop.jira.url, "kind": "cloud", "email": "bot@acme.example"});
    let saved = shop.ask("PUT", "/jira", Some(kept)).await.json();
    assert_eq!((&saved["connection"]["version"], &saved["hook"]), (&json!(2), &Value::Null));
    assert_eq!(shop.ask("DELETE", "/jira", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.read("/jira").await["connection"], Value::Null);
    assert_eq!(shop.create(1).await.problem(), "jira-not-connected");
}

#[tokio::test]
async fn a_test_says_who_we_are_and_expired_credentials_are_shown() {
    let shop = Shop::open("cloud").await;
    let test = shop.ask("POST", "/jira/test", None).await.json();
    assert_eq!(test, json!({"works": true, "detail": "Jira knows us as Playhead bot", "retryable": false}));
    // What `printf 'bot@acme.example:t0k3n-SECRET' | base64` says.
    assert_eq!(shop.jira.credentials(), ["Basic Ym90QGFjbWUuZXhhbXBsZTp0MGszbi1TRUNSRVQ="]);
    shop.jira.fail("GET", "/myself", 401, &[], "Basic authentication failed");
    let test = shop.ask("POST", "/jira/test", None).await.json();
    assert_eq!((&test["works"], &test["retryable"]), (&json!(false), &json!(false)));
    assert!(shop.read("/jira").await["connection"]["fault"].as_str().unwrap().contains("set new ones"));
    assert!(shop.read(&Shop::path(1)).await["fault"].as_str().unwrap().contains("401"));
    shop.ask("POST", "/jira/test", None).await;
    assert_eq!(shop.read("/jira").await["connection"]["fault"], Value::Null, "it works again");
    shop.jira.fail("GET", "/myself", 302, &[("location", "http://127.0.0.1:1/")], "");
    let test = shop.ask("POST", "/jira/test", None).await.json();
    assert!(test["detail"].as_str().unwrap().contains("redirect"), "{test}");
    shop.jira.fail("GET", "/myself", 200, &[], "<html>welcome</html>");
    let test = shop.ask("POST", "/jira/test", None).await.json();
    assert_eq!(test["works"], false, "{test}");
    shop.jira.fail("GET", "/myself", 200, &[], &"x".repeat(3 << 20));
    let test = shop.ask("POST", "/jira/test", None).await.json();
    assert!(test["detail"].as_str().unwrap().contains("over 1048576 bytes"), "{test}");
    assert!(test["detail"].as_str().unwrap().contains("cannot be read"), "{test}");
    shop.jira.assert_right();
}

#[tokio::test]
async fn what_jira_requires_is_found_and_asked_for() {
    let shop = Shop::open("cloud").await;
    assert_eq!(shop.read("/jira/projects?query=sh").await["items"], json!([{"id": "SHOP", "name": "Shop"}]));
    let types = shop.read("/jira/types?project=SHOP").await;
    assert_eq!(types["items"][0], json!({"id": "1", "name": "Bug", "subtask": false}));
    let fields = shop.read("/jira/fields?project=SHOP&issue_type=1").await;
    let asked: Vec<_> = fields["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["name"].as_str().unwrap(), field["kind"].as_str().unwrap()))
        .collect();
    let expected = [
        ("Team", "option"),
        ("Found on", "date"),
        ("Owner", "user"),
        ("Cost", "number"),
        ("Parts", "options"),
        ("Note", "long_text"),
    ];
    assert_eq!(asked, expected);
    assert_eq!(fields["items"][0]["options"][1], json!({"id": "12", "name": "Search"}));
    let users = shop.read("/jira/users?project=SHOP&query=ana").await;
    assert_eq!(users["items"], json!([{"id": "acc-ana", "name": "Ana Lima"}]));
    let given = json!({"issue_type": "1", "fields": {"customfield_1": "11", "customfield_2": "soon"}});
    let refused = shop.ask("POST", &Shop::path(1), Some(given)).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "jira-refused")
    );
    let wrong = refused.json()["fields"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(wrong, ["customfield_2", "customfield_3", "customfield_4", "customfield_5", "customfield_6"]);
    assert!(shop.jira.issues().is_empty());
    let given = json!({"issue_type": "1", "fields": {"customfield_1": "11", "customfield_2": "2026-01-31", "customfield_3": "acc-bo",
        "customfield_4": 7, "customfield_5": ["51", "52"], "customfield_6": "one\ntwo"}});
    let created = shop.ask("POST", &Shop::path(1), Some(given)).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.text());
    let fields = shop.jira.issue().1.fields;
    assert_eq!(
        (&fields["customfield_1"], &fields["customfield_3"]),
        (&json!({"id": "11"}), &json!({"accountId": "acc-bo"}))
    );
    assert_eq!((&fields["customfield_4"], &fields["customfield_6"]["type"]), (&json!(7.0), &json!("doc")));
    shop.jira.assert_right();
}

#[tokio::test]
async fn an_issue_is_created_once_and_linked_both_ways() {
    let shop = Shop::open("cloud").await;
    assert_eq!(
        shop.read(&Shop::path(1)).await,
        json!({"connected": true, "fault": null, "issue": null, "unsure": false})
    );
    let state = shop.create(1).await.json();
    let number = shop.jira.issue().0;
    assert_eq!(
        (&state["issue"]["key"], &state["issue"]["status"], &state["issue"]["category"]),
        (&json!("SHOP-1"), &json!("To Do"), &json!("to_do"))
    );
    assert_eq!(state["issue"]["url"], format!("{}/browse/SHOP-1", shop.jira.url));
    assert_eq!(
        (&state["issue"]["pending"], &state["issue"]["created_by"]),
        (&json!(false), &json!("administrator"))
    );
    let (_, there) = shop.jira.issue();
    let page = format!("http://play.test/p/{}", shop.project.id);
    let links: Vec<_> =
        there.links.values().map(|link| link["object"]["url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(links, [format!("{page}/issues/{}", id(1))]);
    assert_eq!(there.fields["summary"], "TypeError: cart 1 is undefined");
    let description = there.fields["description"].to_string();
    let replay = format!("{page}/sessions/{}?pane=errors&issue={}", "01".repeat(16), id(1));
    for part in [replay.as_str(), "Breaks in pay1 (/cart.js)", "Events: 4", "Users: 3", "Release: 2.0"] {
        assert!(description.contains(part), "{part}: {description}");
    }
    assert_eq!(shop.create(1).await.json()["issue"]["key"], "SHOP-1");
    assert_eq!(shop.jira.issue().0, number, "it is there already");
    let history = shop.issue().await["history"].to_string();
    assert!(history.contains("created the Jira issue SHOP-1"), "{history}");
    shop.jira.assert_right();
}

#[tokio::test]
async fn whatever_is_lost_in_between_nothing_is_created_twice() {
    for (is_created, status) in [(true, 500), (true, 502), (false, 500), (false, 504)] {
        let shop = Shop::open("cloud").await;
        match is_created {
            true => shop.jira.do_and_fail("POST", "/issue", status),
            false => shop.jira.fail("POST", "/issue", status, &[], ""),
        }
        let answer = shop.create(1).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_GATEWAY, "jira-unreachable"));
        assert_eq!(shop.read(&Shop::path(1)).await["unsure"], true);
        let again = shop.create(1).await;
        assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "jira-under-way"));
        assert_eq!(again.headers["retry-after"], "45");
        // Nobody knows whether it is there as long as Jira does not say so.
        shop.app.advance(46 * SECOND);
        shop.jira.fail("GET", "/search/jql", 503, &[], "");
        assert_eq!(shop.create(1).await.problem(), "jira-unreachable");
        shop.app.advance(46 * SECOND);
        let state = shop.create(1).await.json();
        assert_eq!(state["issue"]["key"], "SHOP-1", "{state}");
        assert_eq!((shop.jira.issue().1.links.len(), &state["unsure"]), (1, &json!(false)));
        shop.jira.assert_right();
    }
}

#[tokio::test]
async fn what_jira_refuses_is_said_and_can_be_sent_again_at_once() {
    let shop = Shop::open("cloud").await;
    let refused = r#"{"errorMessages":[],"errors":{"customfield_9":"Sprint is required."}}"#;
    shop.jira.fail("POST", "/issue", 400, &[], refused);
    let answer = shop.create(1).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "jira-refused")
    );
    assert_eq!(
        (&answer.json()["field"], &answer.json()["fields"]["customfield_9"]),
        (&json!("customfield_9"), &json!("Sprint is required."))
    );
    shop.jira.fail("POST", "/issue", 429, &[("retry-after", "17")], "");
    let answer = shop.create(1).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "jira-busy"));
    assert_eq!(answer.headers["retry-after"], "17");
    let said = r#"{"errorMessages":["no"],"errors":{}}"#;
    for (status, code) in [(401, "jira-credentials"), (403, "jira-forbidden"), (404, "jira-not-found")] {
        shop.jira.fail("POST", "/issue", status, &[], said);
        let answer = shop.create(1).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, code));
    }
    assert_eq!(shop.create(1).await.status, StatusCode::OK);
    assert_eq!(shop.jira.issues().len(), 1);
    shop.jira.assert_right();
}

#[tokio::test]
async fn resolving_here_finishes_it_there_and_reopening_opens_it() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    assert_eq!(shop.linked().await["pending"], true);
    shop.round().await;
    assert_eq!(
        (shop.jira.issue().1.category.as_str(), shop.linked().await["status"].clone()),
        ("done", json!("Done"))
    );
    assert_eq!(shop.changes(), [format!("POST /rest/api/3/issue/{number}/transitions")]);
    // What Jira tells of it ends here.
    shop.changed_there(&number).await;
    shop.round().await;
    assert_eq!(shop.changes(), Vec::<String>::new());
    let resolved = shop.issue().await;
    assert_eq!(resolved["history"].to_string().matches("resolved").count(), 1, "{}", resolved["history"]);
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing"})).await;
    shop.round().await;
    assert_eq!(shop.jira.issue().1.category, "new");
    shop.round().await;
    assert_eq!(shop.changes().len(), 1, "told once");
    shop.jira.assert_right();
}

#[tokio::test]
async fn finishing_there_resolves_it_here_and_nothing_goes_back() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    shop.app.advance(SECOND);
    shop.jira.change(&number, |issue| issue.category = "indeterminate".to_owned());
    shop.changed_there(&number).await;
    assert_eq!(
        (&shop.linked().await["category"], &shop.issue().await["state"]),
        (&json!("in_progress"), &json!("new"))
    );
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    shop.changed_there(&number).await;
    shop.changed_there(&number).await;
    let issue = shop.issue().await;
    assert_eq!(issue["state"], "resolved");
    let last = &issue["history"][0];
    assert_eq!((&last["change"], &last["actor"]), (&json!("resolved"), &json!("Ana Lima in Jira")));
    shop.jira.change(&number, |issue| issue.category = "new".to_owned());
    shop.changed_there(&number).await;
    assert_ne!(shop.issue().await["state"], "resolved");
    shop.jira.change(&number, |issue| issue.assignee = user("acc-bo", "Bo Li"));
    shop.changed_there(&number).await;
    assert_eq!(shop.issue().await["assignee"], "Bo Li");
    shop.round().await;
    assert_eq!(shop.changes(), Vec::<String>::new());
    shop.jira.assert_right();
}

#[tokio::test]
async fn who_it_is_assigned_to_is_told_when_it_is_one_user() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    let assign = |name: &'static str| change(&shop.app, &shop.project, 1, json!({"assignee": name}));
    assign("ana lima").await;
    shop.round().await;
    assert_eq!(shop.jira.issue().1.assignee["accountId"], "acc-ana");
    shop.changed_there(&number).await;
    assert_eq!(shop.issue().await["assignee"], "ana lima", "what came back changes nothing");
    for (name, said) in [("nobody at all", "no users"), ("sam twin", "several users")] {
        assign(name).await;
        shop.round().await;
        let linked = shop.linked().await;
        assert!(linked["fault"].as_str().unwrap().contains(said), "{linked}");
        assert_eq!(linked["pending"], false, "nobody tries again what cannot be done");
        assert_eq!(shop.jira.issue().1.assignee["accountId"], "acc-ana");
    }
    assign("").await;
    shop.round().await;
    assert_eq!((&shop.jira.issue().1.assignee, &shop.linked().await["fault"]), (&Value::Null, &Value::Null));
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_transition_that_is_not_there_is_said() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    let to = |id: &str, name: &str, category: &str, fields: Value| json!({"id": id, "name": name, "fields": fields, "to": {"name": name, "statusCategory": {"key": category}}});
    let sprint = json!({"customfield_9": {"required": true, "key": "customfield_9", "name": "Sprint", "operations": ["set"], "schema": {"type": "string"}}});
    shop.jira.set_transitions(json!([
        to("1", "Review", "indeterminate", json!({})),
        to("2", "Ship", "done", sprint)
    ]));
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    let linked = shop.linked().await;
    let fault = linked["fault"].as_str().unwrap();
    assert!(fault.contains("Review, Ship") && fault.contains("To Do") && fault.contains("SHOP-1"), "{fault}");
    assert_eq!((&linked["pending"], shop.jira.issue().1.category.as_str()), (&json!(false), "new"));
    let option = |id: &str, name: &str| json!({"id": id, "name": name});
    let resolution = json!({"resolution": {"required": true, "key": "resolution", "name": "Resolution", "operations": ["set"],
        "schema": {"type": "resolution"}, "allowedValues": [option("1", "Won't do"), option("2", "Fixed")]}});
    shop.jira.set_transitions(json!([to("3", "Close", "done", resolution)]));
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    assert_eq!(
        (shop.jira.issue().1.category.as_str(), &shop.linked().await["fault"]),
        ("done", &Value::Null)
    );
    shop.jira.assert_right();
}

#[tokio::test]
async fn what_jira_does_not_take_now_is_told_later() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    shop.jira.fail("POST", "/transitions", 429, &[("retry-after", "120")], "");
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    let linked = shop.linked().await;
    assert!(linked["fault"].as_str().unwrap().contains("120 s"), "{linked}");
    assert_eq!(linked["pending"], true);
    shop.app.advance(119 * SECOND);
    shop.jira.take_requests();
    shop.round().await;
    assert_eq!(shop.jira.take_requests(), Vec::<String>::new(), "not before Jira says");
    shop.app.advance(2 * SECOND);
    shop.round().await;
    assert_eq!(
        (shop.jira.issue().1.category.as_str(), &shop.linked().await["fault"]),
        ("done", &Value::Null)
    );
    // Expired credentials wait for new ones, for a day.
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing"})).await;
    for _ in 0..3 {
        shop.jira.fail("GET", "/issue/10001", 401, &[], "");
        shop.round().await;
        shop.app.advance(16 * 60 * SECOND);
    }
    assert!(shop.read("/jira").await["connection"]["fault"].as_str().unwrap().contains("401"));
    shop.round().await;
    assert_eq!(shop.jira.issue().1.category, "new");
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_deleted_jira_issue_is_said_and_another_can_be_created() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    shop.jira.delete(&number);
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    let linked = shop.linked().await;
    assert_eq!((&linked["gone"], &linked["pending"]), (&json!(true), &json!(false)));
    assert!(linked["fault"].as_str().unwrap().contains("was deleted"), "{linked}");
    assert_eq!(shop.create(1).await.problem(), "jira-gone");
    assert_eq!(shop.ask("DELETE", &Shop::path(1), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(shop.create(1).await.json()["issue"]["gone"], false);
    assert_eq!(shop.jira.issues().len(), 1);
    let body = json!({"webhookEvent": "jira:issue_deleted", "issue": {"id": shop.jira.issue().0}});
    shop.jira.delete(&shop.jira.issue().0);
    assert_eq!(shop.hook(&body, Some(&shop.hook.1)).await.status, StatusCode::NO_CONTENT);
    shop.round().await;
    assert_eq!(shop.linked().await["gone"], true);
    shop.jira.assert_right();
}

#[tokio::test]
async fn only_who_knows_the_address_and_the_secret_is_heard() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    let body = json!({"issue": {"id": number}});
    for secret in [None, Some(""), Some("wrong")] {
        let answer = shop.hook(&body, secret).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNAUTHORIZED, "bad-credential"));
    }
    let address = shop.hook.0.clone();
    let elsewhere = [
        address[..address.len() - 1].to_owned(),
        format!("{address}0"),
        address.replace(&shop.project.id, "0000000000000"),
    ];
    for path in elsewhere {
        let answer = shop.app.call("POST", &path, "", Some(body.clone())).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::NOT_FOUND, "not-found"),
            "{path}"
        );
    }
    assert_eq!(shop.jira.take_requests(), Vec::<String>::new());
    assert_ne!(shop.issue().await["state"], "resolved");
    let other = json!({"issue": {"id": "4711"}});
    assert_eq!(shop.hook(&other, Some(&shop.hook.1)).await.status, StatusCode::NO_CONTENT);
    let large = json!({"issue": {"id": number}, "text": "x".repeat(2 << 20)});
    assert_eq!(shop.hook(&large, Some(&shop.hook.1)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let new = shop.ask("POST", "/jira/hook", None).await.json();
    assert_eq!(
        shop.hook(&body, Some(&shop.hook.1)).await.status,
        StatusCode::NOT_FOUND,
        "the old one is over"
    );
    assert_eq!(new["secret"].as_str().unwrap().len(), 48);
    shop.jira.assert_right();
}

#[tokio::test]
async fn data_center_is_spoken_to_in_its_own_way() {
    let shop = Shop::open("data_center").await;
    assert_eq!(
        shop.read("/jira/projects?query=oper").await["items"],
        json!([{"id": "OPS", "name": "Operations"}])
    );
    assert_eq!(shop.read("/jira/types?project=SHOP").await["items"][1]["name"], "Task");
    assert_eq!(shop.read("/jira/users?project=SHOP").await["items"].as_array().unwrap().len(), 4);
    let mut hostile = totals(1, 99, &[NOON - 1], "2.0");
    hostile.show(playhead_domain::row::IssueSample {
        title: "{code}[x|https://evil.example]!y!".to_owned(),
        time_ms: NOON,
        ..sample(1, NOON, "2.0")
    });
    put(&shop.app, &shop.project, 1, (9, 0), hostile).await;
    shop.jira.do_and_fail("POST", "/issue", 500);
    assert_eq!(shop.create(1).await.status, StatusCode::BAD_GATEWAY);
    shop.app.advance(46 * SECOND);
    assert_eq!(shop.create(1).await.json()["issue"]["key"], "SHOP-1");
    let (number, there) = shop.jira.issue();
    let description = there.fields["description"].as_str().unwrap();
    assert!(
        description.contains("&#123;code&#125;&#91;x&#124;https&#58;//evil.example&#93;&#33;y&#33;"),
        "{description}"
    );
    change(&shop.app, &shop.project, 1, json!({"assignee": "Bo Li", "state": "resolved"})).await;
    shop.round().await;
    let (_, there) = shop.jira.issue();
    assert_eq!((there.category.as_str(), &there.assignee["accountId"]), ("done", &json!("acc-bo")));
    let unsigned = shop.hook(&json!({"issue": {"id": number}}), None).await;
    assert_eq!(unsigned.status, StatusCode::NO_CONTENT);
    assert_eq!(
        shop.hook(&json!({"issue": {"id": number}}), Some("wrong")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(shop.jira.credentials().iter().all(|credential| credential == "Bearer t0k3n-SECRET"));
    assert!(shop.jira.take_requests().iter().all(|request| request.contains("/rest/api/2/")));
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_web_hook_is_kept_while_jira_cannot_be_asked() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    for status in [503, 401] {
        shop.jira.fail("GET", &format!("/issue/{number}"), status, &[], "");
        shop.changed_there(&number).await;
        let linked = shop.linked().await;
        assert_eq!((&linked["pending"], &linked["category"]), (&json!(true), &json!("to_do")), "{linked}");
        assert!(linked["fault"].is_string(), "{linked}");
        shop.app.advance(20 * SECOND);
    }
    shop.app.advance(16 * 60 * SECOND);
    shop.round().await;
    let issue = shop.issue().await;
    let last = &issue["history"][0];
    assert_eq!((&last["change"], &last["actor"]), (&json!("resolved"), &json!("Ana Lima in Jira")));
    assert_eq!(shop.linked().await["fault"], Value::Null);
    shop.jira.assert_right();
}

#[tokio::test]
async fn links_belong_to_the_site_in_which_they_were_made() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    // Another company's Jira has an issue of the same number.
    let other = Shop::open("cloud").await;
    assert_eq!(other.created().await, number);
    assert_eq!(shop.ask("PUT", "/jira", Some(draft(&other.jira, "cloud"))).await.status, StatusCode::OK);
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    other.jira.change(&number, |issue| issue.category = "indeterminate".to_owned());
    shop.changed_there(&number).await;
    let refreshed = shop.ask("POST", &format!("{}/refresh", Shop::path(1)), None).await;
    assert_eq!(
        (refreshed.status, refreshed.problem().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "jira-other-site")
    );
    assert_eq!(shop.create(1).await.problem(), "jira-other-site");
    assert_eq!((other.jira.take_requests(), shop.jira.take_requests()), (vec![], vec![]));
    let linked = shop.linked().await;
    assert_eq!(linked["url"], format!("{}/browse/SHOP-1", shop.jira.url));
    assert!(linked["fault"].as_str().unwrap().contains("unlink"), "{linked}");
    // Back at its own site all is as before.
    assert_eq!(shop.ask("PUT", "/jira", Some(draft(&shop.jira, "cloud"))).await.status, StatusCode::OK);
    assert_eq!(shop.linked().await["fault"], Value::Null);
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing"})).await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.round().await;
    assert_eq!(shop.jira.issue().1.category, "done");
}

#[tokio::test]
async fn what_waits_when_the_site_changes_waits_for_it() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    let mut wrong = draft(&shop.jira, "cloud");
    wrong["site"] = format!("{}/wrong", shop.jira.url).into();
    assert_eq!(shop.ask("PUT", "/jira", Some(wrong)).await.status, StatusCode::OK);
    shop.round().await;
    assert_eq!(
        (&shop.linked().await["gone"], &shop.linked().await["pending"]),
        (&json!(false), &json!(true))
    );
    shop.ask("PUT", "/jira", Some(draft(&shop.jira, "cloud"))).await;
    shop.app.advance(10 * SECOND);
    shop.round().await;
    assert_eq!(
        (shop.jira.issue().1.category.as_str(), &shop.linked().await["fault"]),
        ("done", &Value::Null)
    );
    // A page that is not Jira's says nothing about the issue.
    shop.jira.fail("GET", "/issue/10001", 404, &[], "<html>nothing here</html>");
    let refreshed = shop.ask("POST", &format!("{}/refresh", Shop::path(1)), None).await;
    assert_eq!(refreshed.problem(), "jira-unreachable");
    assert_eq!(shop.linked().await["gone"], false);
    // Nor does a part of it that is missing.
    let said = r#"{"errorMessages":["no transitions here"],"errors":{}}"#;
    shop.jira.fail("GET", "/transitions", 404, &[], said);
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing"})).await;
    shop.round().await;
    let linked = shop.linked().await;
    assert_eq!((&linked["gone"], &linked["pending"]), (&json!(false), &json!(false)), "{linked}");
    assert!(linked["fault"].as_str().unwrap().contains("no transitions here"), "{linked}");
}

#[tokio::test]
async fn a_push_takes_over_only_what_it_changed() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    // Done in Jira, and its web hook was lost; then somebody assigns it here.
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    change(&shop.app, &shop.project, 1, json!({"assignee": "ana lima"})).await;
    shop.round().await;
    assert_eq!(shop.jira.issue().1.assignee["accountId"], "acc-ana");
    assert_eq!(
        (shop.issue_state().await.as_str(), &shop.issue().await["assignee"]),
        ("resolved", &json!("ana lima"))
    );
    // One thing that cannot be done is not forgotten because another one was.
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing", "assignee": "nobody at all"})).await;
    let none = r#"{"transitions":[]}"#;
    shop.jira.fail("GET", "/transitions", 200, &[], none);
    shop.round().await;
    let fault = shop.linked().await["fault"].as_str().unwrap().to_owned();
    assert!(fault.contains("no transition") && fault.contains("no users"), "{fault}");
    shop.jira.fail("GET", "/transitions", 200, &[], none);
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    change(&shop.app, &shop.project, 1, json!({"state": "ongoing", "assignee": "bo li"})).await;
    shop.round().await;
    let linked = shop.linked().await;
    assert!(linked["fault"].as_str().unwrap().contains("no transition"), "{linked}");
    assert_eq!(linked["assignee"], "Bo Li");
    shop.jira.assert_right();
}

#[tokio::test]
async fn the_first_change_after_creation_is_followed_and_who_is_assigned_is_told() {
    let shop = Shop::open("cloud").await;
    change(&shop.app, &shop.project, 1, json!({"assignee": "ana lima"})).await;
    // The link back is refused for good, and its status is read all the same.
    shop.jira.fail("POST", "/remotelink", 403, &[], r#"{"errorMessages":["no links"],"errors":{}}"#);
    let state = shop.create(1).await.json();
    assert_eq!((&state["issue"]["status"], &state["issue"]["pending"]), (&json!("To Do"), &json!(false)));
    assert!(state["issue"]["fault"].as_str().unwrap().contains("no links"), "{state}");
    let (number, there) = shop.jira.issue();
    assert_eq!(there.assignee["accountId"], "acc-ana");
    assert_eq!(shop.ask("DELETE", &Shop::path(1), None).await.status, StatusCode::NO_CONTENT);
    shop.jira.delete(&number);
    // It is done before it was read for the first time.
    shop.jira.fail("POST", "/remotelink", 503, &[("retry-after", "30")], "");
    assert_eq!(shop.create(1).await.json()["issue"]["category"], "unknown");
    let number = shop.jira.issue().0;
    shop.jira.change(&number, |issue| issue.category = "done".to_owned());
    shop.app.advance(31 * SECOND);
    shop.round().await;
    assert_eq!((shop.issue_state().await.as_str(), shop.jira.issue().1.links.len()), ("resolved", 1));
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_try_under_way_is_not_taken_away() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
    shop.jira.hold("/transitions");
    let other = Worker::new(shop.app.api.clone());
    let first = async {
        shop.jira.held().await;
        // Somebody changes it again while Jira is told: who is at it stays at it.
        change(&shop.app, &shop.project, 1, json!({"assignee": "bo li"})).await;
        shop.jira.take_requests();
        other.round().await.unwrap();
        assert_eq!(shop.jira.take_requests(), Vec::<String>::new());
        shop.jira.release();
    };
    futures::join!(shop.round(), first);
    shop.round().await;
    let (_, there) = shop.jira.issue();
    assert_eq!((there.category.as_str(), &there.assignee["accountId"]), ("done", &json!("acc-bo")));
    assert_eq!(shop.linked().await["pending"], false);
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_site_that_is_busy_is_left_alone() {
    let shop = Shop::open("cloud").await;
    for number in 1..=3 {
        assert_eq!(shop.create(number).await.status, StatusCode::OK);
        change(&shop.app, &shop.project, number, json!({"state": "resolved"})).await;
    }
    shop.jira.take_requests();
    shop.jira.fail_all(429, &[("retry-after", "60")]);
    shop.round().await;
    shop.app.advance(50 * SECOND);
    shop.round().await;
    assert_eq!(shop.jira.take_requests().len(), 1);
    shop.jira.answer_again();
    shop.app.advance(11 * SECOND);
    shop.round().await;
    assert!(shop.jira.issues().iter().all(|(_, issue)| issue.category == "done"));
    shop.jira.assert_right();
}

#[tokio::test]
async fn what_others_do_in_jira_while_it_is_told_is_followed() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    change(&shop.app, &shop.project, 1, json!({"state": "resolved", "assignee": "bo li"})).await;
    // Between our telling and our reading an automation opens it again, and assigns it to somebody else.
    shop.jira.hold("/assignee");
    let automation = async {
        shop.jira.held().await;
        shop.jira.change(&number, |issue| issue.category = "new".to_owned());
        shop.jira.release();
    };
    futures::join!(shop.round(), automation);
    let issue = shop.issue().await;
    assert_ne!(issue["state"], "resolved");
    assert_eq!((&issue["assignee"], &shop.linked().await["category"]), (&json!("bo li"), &json!("to_do")));
    shop.jira.assert_right();
}

#[tokio::test]
async fn an_older_answer_does_not_undo_a_newer_one() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    shop.jira.hold_answer("/issue/10001");
    let path = format!("{}/refresh", Shop::path(1));
    let meanwhile = async {
        shop.jira.held().await;
        change(&shop.app, &shop.project, 1, json!({"state": "resolved"})).await;
        shop.round().await;
        shop.jira.release();
    };
    let (refreshed, ()) = futures::join!(shop.ask("POST", &path, None), meanwhile);
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text());
    assert_eq!(
        (shop.issue_state().await.as_str(), shop.jira.issue().1.category.as_str()),
        ("resolved", "done")
    );
    assert_eq!(shop.linked().await["category"], "done");
    shop.jira.assert_right();
}

#[tokio::test]
async fn hooks_about_what_is_gone_end() {
    let shop = Shop::open("cloud").await;
    let number = shop.created().await;
    shop.jira.delete(&number);
    for _ in 0..3 {
        shop.changed_there(&number).await;
        let linked = shop.linked().await;
        assert_eq!((&linked["gone"], &linked["pending"]), (&json!(true), &json!(false)), "{linked}");
    }
    shop.jira.assert_right();
}

#[tokio::test]
async fn a_wish_is_not_lost_to_a_worker_that_found_nothing_to_do() {
    let shop = Shop::open("cloud").await;
    shop.created().await;
    let (columns, range) =
        (session::key::scope_columns(shop.project.scope), ClusteringRange::prefix(vec!["due".into()]));
    let notes = async || {
        let page = shop.app.store.scan(&table::JIRA, &columns, &range, Order::Ascending, 9).await.unwrap();
        page.rows.into_iter().map(|row| row.value).collect::<Vec<_>>()
    };
    let mut seen = std::collections::BTreeSet::new();
    for state in ["resolved", "ongoing", "resolved"] {
        change(&shop.app, &shop.project, 1, json!({"state": state})).await;
        let notes = notes().await;
        assert_eq!(notes.len(), 1);
        assert!(seen.insert(notes[0].clone()), "each wish has a note of its own");
    }
    shop.round().await;
    shop.round().await;
    assert!(notes().await.is_empty());
}
