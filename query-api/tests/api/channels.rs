//! Channels of alerts, against web hooks and a mail server on this machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac};
use playhead_domain::store::ClusteringRange;
use playhead_domain::table;
use playhead_query_api::Config;
use playhead_query_api::alert::{Channels, Courier, Worker};
use playhead_query_api::config::Smtp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::alerting::{self, MINUTE, count, new_issue, round, rule, without_defaults};
use crate::app::{ADMIN, Answer, App, NOON, Project};
use crate::mail_server::MailServer;

/// Status, headers and body of an answer, and whether a later try may succeed.
type Case = (u16, &'static [(&'static str, &'static str)], &'static str, bool);
type Scripted = (StatusCode, Vec<(&'static str, String)>, String);

/// A web hook that keeps what it got and answers as it was told to, then with 200.
#[derive(Clone, Default)]
struct Hook {
    got: Arc<Mutex<Vec<(Uri, HeaderMap, Bytes)>>>,
    answers: Arc<Mutex<VecDeque<Scripted>>>,
}

async fn take(State(hook): State<Hook>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    hook.got.lock().unwrap().push((uri, headers, body));
    let (status, headers, body) =
        hook.answers.lock().unwrap().pop_front().unwrap_or((StatusCode::OK, Vec::new(), "ok".to_owned()));
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

impl Hook {
    async fn start() -> (Self, String) {
        let hook = Self::default();
        let router = Router::new().fallback(take).with_state(hook.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (hook, format!("http://{address}"))
    }

    fn next(&self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        self.answers.lock().unwrap().push_back((status, headers, body.to_owned()));
    }

    fn got(&self) -> Vec<(Uri, HeaderMap, Bytes)> {
        self.got.lock().unwrap().clone()
    }
}

fn allowing() -> Config {
    Config { outbound_allow: vec!["127.0.0.1".to_owned()], ..Config::default() }
}

fn base(project: &Project) -> String {
    format!("/api/v1/projects/{}/alerts/channels", project.id)
}

async fn create(app: &App, project: &Project, name: &str, settings: Value) -> Answer {
    app.call("POST", &base(project), ADMIN, Some(json!({"name": name, "settings": settings}))).await
}

async fn created(app: &App, project: &Project, settings: Value) -> String {
    let answer = create(app, project, "on call", settings).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["channel"]["id"].as_str().unwrap().to_owned()
}

async fn test(app: &App, project: &Project, id: &str) -> Value {
    let answer = app.call("POST", &format!("{}/{id}/test", base(project)), ADMIN, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_web_hook_gets_a_signed_message() {
    let (hook, url) = Hook::start().await;
    let app = App::with(allowing()).await;
    let project = app.project("shop").await;
    let answer =
        create(&app, &project, "on call", json!({"kind": "webhook", "url": format!("{url}/in?k=1")}))
            .await
            .json();
    let secret = answer["signing_secret"].as_str().unwrap();
    let id = answer["channel"]["id"].as_str().unwrap();
    let outcome = test(&app, &project, id).await;
    assert_eq!(
        outcome,
        json!({"delivered": true, "detail": "the answer is 200: ok", "status": 200, "retryable": false})
    );
    let (uri, headers, body) = hook.got().remove(0);
    assert_eq!(
        (uri.to_string().as_str(), &headers["content-type"]),
        ("/in?k=1", &"application/json".parse().unwrap())
    );
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(headers["idempotency-key"], message["id"].as_str().unwrap());
    assert_eq!(
        (&message["transition"], &message["version"], &message["project"]),
        (&json!("test"), &json!(1), &json!("shop"))
    );
    let signature = headers["playhead-signature"].to_str().unwrap();
    let (time, signed) = signature.split_once(",v1=").unwrap();
    assert_eq!(time, format!("t={}", NOON / 1_000));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.", NOON / 1_000).as_bytes());
    mac.update(&body);
    let bytes: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&signed[2 * i..2 * i + 2], 16).unwrap()).collect();
    mac.verify_slice(&bytes).unwrap();
}

#[tokio::test]
async fn each_kind_sends_in_its_own_format() {
    let (hook, url) = Hook::start().await;
    let app = App::with(allowing()).await;
    let project = app.project("<b>shop & co</b>").await;
    for kind in ["slack", "teams", "discord"] {
        let id = created(&app, &project, json!({"kind": kind, "url": format!("{url}/{kind}")})).await;
        assert_eq!(test(&app, &project, &id).await["delivered"], true, "{kind}");
    }
    let pagerduty = json!({"kind": "pagerduty", "routing_key": "0123456789abcdef0123456789abcdef", "url": format!("{url}/v2/enqueue")});
    let id = created(&app, &project, pagerduty).await;
    hook.next(202, &[], r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#);
    hook.next(202, &[], r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#);
    assert_eq!(test(&app, &project, &id).await["status"], 202);
    let got: Vec<(String, Value)> = hook
        .got()
        .into_iter()
        .map(|(uri, _, body)| (uri.to_string(), serde_json::from_slice(&body).unwrap()))
        .collect();
    let paths: Vec<&str> = got.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/slack", "/teams", "/discord?wait=true", "/v2/enqueue", "/v2/enqueue"]);
    assert_eq!(got[0].1["blocks"][0]["type"], "header");
    assert!(got[0].1.to_string().contains("&lt;b&gt;shop &amp; co&lt;/b&gt;"), "{}", got[0].1);
    assert_eq!(got[1].1["attachments"][0]["content"]["type"], "AdaptiveCard");
    assert_eq!(got[2].1["allowed_mentions"], json!({"parse": []}));
    // What a test opened it closes.
    assert_eq!(
        (&got[3].1["event_action"], &got[4].1["event_action"]),
        (&json!("trigger"), &json!("resolve"))
    );
    assert_eq!(got[3].1["dedup_key"], got[4].1["dedup_key"]);
}

#[tokio::test]
async fn answers_that_tell_of_a_failure_say_whether_to_try_again() {
    let (hook, url) = Hook::start().await;
    let app = App::with(allowing()).await;
    let project = app.project("shop").await;
    let id = created(&app, &project, json!({"kind": "slack", "url": format!("{url}/s")})).await;
    let cases: [Case; 8] = [
        (429, &[("retry-after", "30")], "rate_limited", true),
        (500, &[], "", true),
        (503, &[], "", true),
        (408, &[], "", true),
        (400, &[], "invalid_payload", false),
        (403, &[], "action_prohibited", false),
        (404, &[], "no_service", false),
        (302, &[("location", "http://127.0.0.1:1/")], "", false),
    ];
    for (status, headers, body, retryable) in cases {
        hook.next(status, headers, body);
        let outcome = test(&app, &project, &id).await;
        assert_eq!(
            (&outcome["delivered"], &outcome["retryable"]),
            (&json!(false), &json!(retryable)),
            "{outcome}"
        );
        assert_eq!(outcome["status"], status);
        assert!(outcome["detail"].as_str().unwrap().contains(body), "{outcome}");
    }
    hook.next(400, &[], &format!("<script>\u{0}{}", "x".repeat(5_000_000)));
    let outcome = test(&app, &project, &id).await;
    assert!(outcome["detail"].as_str().unwrap().len() < 300, "{outcome}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_tried_again() {
    let app = App::with(allowing()).await;
    let project = app.project("shop").await;
    let id = created(&app, &project, json!({"kind": "teams", "url": "http://127.0.0.1:1/hook-S3CRET"})).await;
    let outcome = test(&app, &project, &id).await;
    assert_eq!(
        (&outcome["delivered"], &outcome["retryable"], &outcome["status"]),
        (&json!(false), &json!(true), &Value::Null)
    );
    assert!(!outcome.to_string().contains("S3CRET"), "{outcome}");
}

#[tokio::test]
async fn addresses_within_our_network_are_refused_when_they_are_set() {
    let app = App::new().await;
    let project = app.project("shop").await;
    for url in [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://2130706433/",
        "https://u:p@hooks.example.com/",
        "x",
    ] {
        let answer = create(&app, &project, "x", json!({"kind": "webhook", "url": url})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{url}"
        );
        assert_eq!(answer.json()["field"], "settings.url", "{url}");
    }
}

#[tokio::test]
async fn nonsense_is_refused_with_the_field_to_blame() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let cases = [
        (json!({"kind": "email", "recipients": []}), "settings.recipients"),
        (json!({"kind": "email", "recipients": ["a@b@c"]}), "settings.recipients"),
        (
            json!({"kind": "email", "recipients": ["a@example.com\r\nBcc: b@example.com"]}),
            "settings.recipients",
        ),
        (
            json!({"kind": "email", "recipients": (0..21).map(|i| format!("a{i}@example.com")).collect::<Vec<_>>()}),
            "settings.recipients",
        ),
        (json!({"kind": "pagerduty", "routing_key": "x y"}), "settings.routing_key"),
        (
            json!({"kind": "webhook", "url": "https://hooks.example.com/", "secret": "short"}),
            "settings.secret",
        ),
        (json!({"kind": "carrier_pigeon"}), "body"),
        (json!({"kind": "slack"}), "body"),
    ];
    for (settings, field) in cases {
        let answer = create(&app, &project, "x", settings.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{settings}");
        assert_eq!(answer.json()["field"], field, "{settings}");
    }
    let answer = create(&app, &project, " ", json!({"kind": "email", "recipients": ["a@example.com"]})).await;
    assert_eq!(answer.json()["field"], "name");
}

#[tokio::test]
async fn secrets_are_neither_shown_nor_stored_in_the_clear() {
    let app = App::new().await;
    let (project, other) = (app.project("shop").await, app.project("other").await);
    let url = "https://hooks.slack.com/services/T000/B000/TOPS3CRET1234";
    let id = created(&app, &project, json!({"kind": "slack", "url": url})).await;
    created(
        &app,
        &project,
        json!({"kind": "webhook", "url": "https://h.example/TOPS3CRET", "secret": "TOPS3CRET-0123456789"}),
    )
    .await;
    created(&app, &project, json!({"kind": "pagerduty", "routing_key": "T0PS3CRET0123456789"})).await;
    let listed = app.get(&base(&project), ADMIN).await;
    let listed_items = listed.json();
    let slack =
        listed_items["items"].as_array().unwrap().iter().find(|item| item["kind"] == "slack").unwrap();
    assert_eq!((&slack["target"], &slack["id"]), (&json!("hooks.slack.com/…1234"), &json!(id)));
    assert!(!listed.text().contains("S3CRET"), "{}", listed.text());
    let partition = |scope| playhead_domain::session::key::scope_columns(scope);
    let order = playhead_domain::store::Order::Ascending;
    let rows = app
        .store
        .scan(&table::ALERT_CHANNELS, &partition(project.scope), &ClusteringRange::ALL, order, 9)
        .await
        .unwrap();
    assert_eq!(rows.rows.len(), 3);
    for row in rows.rows {
        assert!(!String::from_utf8_lossy(&row.value).contains("S3CRET"));
        // Copied to another project, it does not open.
        let key =
            playhead_domain::store::Key { partition: partition(other.scope), clustering: row.key.clustering };
        app.store.compare_and_set(&table::ALERT_CHANNELS, &key, None, Some(row.value), None).await.unwrap();
    }
    assert_eq!(app.get(&base(&other), ADMIN).await.problem(), "corrupt");
    let stolen = app.call("POST", &format!("{}/{id}/test", base(&other)), ADMIN, None).await;
    assert_eq!(stolen.problem(), "corrupt");
}

#[tokio::test]
async fn a_change_is_refused_when_somebody_else_was_faster() {
    let app = App::new().await;
    let project = app.project("shop").await;
    let id = created(&app, &project, json!({"kind": "email", "recipients": ["a@example.com"]})).await;
    let path = format!("{}/{id}", base(&project));
    let change = |method: &str, version: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(header::IF_MATCH, version)
            .body(body.to_string().into())
            .unwrap();
        app.send(request)
    };
    let answer = change("PATCH", "1", json!({"name": "night shift"})).await.json();
    assert_eq!(
        (&answer["channel"]["version"], &answer["channel"]["name"]),
        (&json!(2), &json!("night shift"))
    );
    assert_eq!(answer["channel"]["recipients"], json!(["a@example.com"]), "stays");
    assert_eq!(change("PATCH", "\"1\"", json!({"name": "x"})).await.status, StatusCode::CONFLICT);
    assert_eq!(change("PATCH", "many", json!({"name": "x"})).await.status, StatusCode::BAD_REQUEST);
    let settings = json!({"settings": {"kind": "webhook", "url": "https://h.example/"}});
    let answer = change("PATCH", "2", settings).await.json();
    assert!(answer["signing_secret"].as_str().unwrap().starts_with("whsec_"), "{answer}");
    assert_eq!(change("DELETE", "2", json!(null)).await.status, StatusCode::CONFLICT);
    assert_eq!(change("DELETE", "3", json!(null)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&base(&project), ADMIN).await.json()["items"], json!([]));
    assert_eq!(app.call("DELETE", &path, ADMIN, None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn channels_and_tests_of_them_are_bounded_and_for_administrators() {
    let (_hook, url) = Hook::start().await;
    let app = App::with(allowing()).await;
    let project = app.project("shop").await;
    let mut id = String::new();
    for _ in 0..20 {
        id = created(&app, &project, json!({"kind": "slack", "url": url})).await;
    }
    let answer = create(&app, &project, "one more", json!({"kind": "slack", "url": url})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    for _ in 0..10 {
        test(&app, &project, &id).await;
    }
    let answer = app.call("POST", &format!("{}/{id}/test", base(&project)), ADMIN, None).await;
    assert_eq!(
        (answer.status, &answer.headers["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap())
    );
    app.advance(60_000);
    test(&app, &project, &id).await;
    for (method, path) in [
        ("GET", base(&project)),
        ("POST", base(&project)),
        ("DELETE", format!("{}/{id}", base(&project))),
        ("POST", format!("{}/{id}/test", base(&project))),
    ] {
        assert_eq!(
            app.call(method, &path, &project.secret, None).await.status,
            StatusCode::FORBIDDEN,
            "{method} {path}"
        );
    }
}

fn smtp(server: &MailServer, url: &str) -> Config {
    let url = url.replace("{port}", &server.port.to_string());
    let smtp =
        Smtp { url: url.into(), from: "Playhead <alerts@play.test>".to_owned(), ca_file: server.ca_file() };
    Config { smtp, ..Config::default() }
}

async fn mail(config: Config, recipients: &[&str]) -> Value {
    let app = App::with(config).await;
    let project = app.project("Müller & Söhne <b>").await;
    let id = created(&app, &project, json!({"kind": "email", "recipients": recipients})).await;
    test(&app, &project, &id).await
}

#[tokio::test]
async fn mail_goes_by_starttls_with_a_password() {
    let server = MailServer::start(false).await;
    let outcome = mail(
        smtp(&server, "smtp://play%40head:p%25ss@localhost:{port}"),
        &["a@example.com", "b@example.com"],
    )
    .await;
    assert_eq!(outcome["delivered"], true, "{outcome}");
    let got = server.got();
    assert_eq!(got.len(), 1);
    assert!(got[0].encrypted);
    assert_eq!(got[0].login, "\0play@head\0p%ss");
    assert_eq!(
        (got[0].from.as_str(), got[0].to.clone()),
        ("alerts@play.test", vec!["a@example.com".to_owned(), "b@example.com".to_owned()])
    );
    let data = &got[0].data;
    for part in [
        "From: Playhead <alerts@play.test>",
        "To: a@example.com, b@example.com",
        "Message-ID: <",
        "Auto-Submitted: auto-generated",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "Date: Thu, 01 Jan 2026 12:00:00 +0000",
    ] {
        assert!(data.contains(part), "{part} in {data}");
    }
    let page = data.split("text/html").nth(1).unwrap().replace("=\r\n", "");
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn mail_goes_by_tls_from_the_first_byte() {
    let server = MailServer::start(true).await;
    let outcome = mail(smtp(&server, "smtps://u:p@localhost:{port}"), &["a@example.com"]).await;
    assert_eq!((&outcome["delivered"], server.got().len()), (&json!(true), 1), "{outcome}");
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_nobody_vouches_for() {
    let server = MailServer::start(false).await;
    let mut config = smtp(&server, "smtp://u:p@localhost:{port}");
    config.smtp.ca_file.clear();
    let outcome = mail(config, &["a@example.com"]).await;
    assert_eq!((&outcome["delivered"], &outcome["retryable"]), (&json!(false), &json!(true)), "{outcome}");
    assert_eq!(server.got().len(), 0);
}

#[tokio::test]
async fn one_mail_box_that_does_not_exist_keeps_nobody_else_from_it() {
    let server = MailServer::start(false).await;
    let url = "smtp://u:p@localhost:{port}";
    let outcome = mail(smtp(&server, url), &["a@example.com", "nobody@example.com", "c@example.com"]).await;
    assert_eq!(outcome["delivered"], true, "{outcome}");
    let detail = outcome["detail"].as_str().unwrap();
    assert!(detail.contains("taken for 2 of 3 recipients; the others: n…@example.com: "), "{outcome}");
    assert!(!detail.contains("nobody@"), "who reads it need not know recipients: {outcome}");
    let got = server.got();
    assert_eq!(
        got.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(),
        ["a@example.com", "c@example.com"]
    );
    let id = |data: &str| data.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    assert_eq!(id(&got[0].data), id(&got[1].data), "one message, one id");
    for (recipient, retryable) in [("nobody@example.com", false), ("later@example.com", true)] {
        let outcome = mail(smtp(&server, url), &[recipient]).await;
        assert_eq!(
            (&outcome["delivered"], &outcome["retryable"]),
            (&json!(false), &json!(retryable)),
            "{outcome}"
        );
    }
    let outcome = mail(smtp(&server, "smtp://u:wrong@localhost:{port}"), &["a@example.com"]).await;
    assert_eq!(outcome["retryable"], true, "a password can be mended: {outcome}");
}

/// Whoever cannot take it now gets it later; nobody else waits, and nobody gets it twice.
#[tokio::test]
async fn one_mail_box_that_is_not_ready_delays_nobody_else() {
    let server = MailServer::start(false).await;
    let app = App::with(smtp(&server, "smtp://u:p@localhost:{port}")).await;
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let recipients = ["a@example.com", "third@example.com", "nobody@example.com", "c@example.com"];
    let id = created(&app, &project, json!({"kind": "email", "recipients": recipients})).await;
    rule(&app, &project, new_issue(&[&id])).await;
    let courier: Arc<dyn Courier> = Arc::new(Channels::new(app.api.clone()));
    let worker = Worker::new(app.api.clone(), Some(courier)).unwrap();
    count(&app, &project, 1, &[NOON]).await;
    round(&app, &project, &worker).await;
    let to = || server.got().iter().flat_map(|mail| mail.to.clone()).collect::<Vec<_>>();
    assert_eq!(to(), ["a@example.com", "c@example.com"]);
    for _ in 0..3 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(to(), ["a@example.com", "c@example.com", "third@example.com"]);
    let log = app.read(&project, "/alerts/deliveries").await;
    let said: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|each| (&each["outcome"], &each["sentence"]))
        .collect();
    assert_eq!(said.len(), 2, "{said:?}");
    let sentence = said[0].1.as_str().unwrap();
    assert_eq!(said[0].0, "failed");
    assert!(sentence.starts_with("taken for 2 of 4 recipients; the others: t…@example.com: "), "{sentence}");
    assert!(sentence.contains("n…@example.com: "), "{sentence}");
    assert_eq!(said[1].0, "sent");
    assert!(said[1].1.as_str().unwrap().contains("for 1 of 4 recipients"), "{said:?}");
    for recipient in recipients {
        assert!(!said.iter().any(|(_, sentence)| sentence.as_str().unwrap().contains(recipient)), "{said:?}");
    }
}

#[tokio::test]
async fn without_a_mail_server_it_says_so() {
    let outcome = mail(Config::default(), &["a@example.com"]).await;
    assert!(outcome["detail"].as_str().unwrap().contains("query_api.smtp"), "{outcome}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let smtp = |url: &str, from: &str, ca_file: &str| Config {
        smtp: Smtp { url: url.into(), from: from.to_owned(), ca_file: ca_file.to_owned() },
        ..Config::default()
    };
    let from = "a@example.com";
    for config in [
        smtp("mail.example", from, ""),
        smtp("https://mail.example", from, ""),
        smtp("smtp://S3CRET@mail.example", "nobody", ""),
        smtp("smtp://u:S3CRET@mail.example?tls=maybe", from, ""),
        smtp("smtps://mail.example", from, "/nowhere.pem"),
        Config { outbound_allow: vec!["0.0.0.0/0".to_owned()], ..Config::default() },
        Config { outbound_allow: vec!["http://x".to_owned()], ..Config::default() },
    ] {
        let refused = config.validate().unwrap_err();
        assert!(!refused.contains("S3CRET"), "{refused}");
    }
    smtp("smtp://u:p@mail.example:2525?tls=none", "Playhead <a@example.com>", "").validate().unwrap();
}

#[tokio::test]
async fn a_rule_tells_a_web_hook_once_it_takes_the_message() {
    let (hook, url) = Hook::start().await;
    let app = App::with(allowing()).await;
    let project = app.project("shop").await;
    let id = created(&app, &project, json!({"kind": "webhook", "url": url})).await;
    let gone = "0123456789abcdef";
    let rule = json!({"name": "new", "condition": {"kind": "new_issue"}, "channels": [id, gone]});
    let rule = alerting::rule(&app, &project, rule).await;
    let channels = Arc::new(playhead_query_api::alert::Channels::new(app.api.clone()));
    let worker = playhead_query_api::alert::Worker::new(app.api.clone(), Some(channels)).unwrap();
    hook.next(503, &[("retry-after", "60")], "busy");
    alerting::count(&app, &project, 1, &[NOON]).await;
    for _ in 0..3 {
        alerting::round(&app, &project, &worker).await;
        app.advance(59_000 / 2);
    }
    assert_eq!(hook.got().len(), 1, "it asked for a minute");
    app.advance(2_000);
    alerting::round(&app, &project, &worker).await;
    let got = hook.got();
    let keys: Vec<_> =
        got.iter().map(|(_, headers, _)| headers["idempotency-key"].to_str().unwrap()).collect();
    let issue = crate::issues::id(1);
    let expected = format!("{}-1-{issue}-1", rule["id"].as_str().unwrap());
    assert_eq!(keys, [&expected, &expected]);
    let message: Value = serde_json::from_slice(&got[1].2).unwrap();
    assert_eq!(
        (&message["title"], &message["transition"]),
        (&json!("TypeError: cart 1 is undefined"), &json!("triggered"))
    );
    let tries = app.read(&project, "/alerts/deliveries").await;
    let outcome = |channel: &str| {
        let tries = tries["items"].as_array().unwrap().iter().rev();
        tries.filter(|t| t["channel"] == channel).map(|t| t["outcome"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((outcome(&id), outcome(gone)), (vec![json!("failed"), json!("sent")], vec![json!("gave_up")]));
}
