//! Every answer can be read by the page that asked.

use serde_json::json;

use crate::app::{Answer, App, Mood};
use crate::batch::{batch, good};

fn assert_readable(answer: &Answer, what: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{what}: {answer:?}");
    assert_eq!(answer.header("access-control-expose-headers"), Some("retry-after"), "{what}");
    assert_eq!(answer.header("vary"), Some("origin"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
}

#[tokio::test]
async fn answers_of_every_kind_have_cors_headers() {
    let app = App::with(|config| config.append_timeout_ms = 50).await;
    let mut answers = vec![
        (202, app.post("/v1/batches", &good()).await),
        (400, app.post("/v1/batches", b"x").await),
        (400, app.post("/v1/sessions", b"x").await),
        (401, app.post("/v1/batches", &batch(json!({"key": "phk_x"}))).await),
        (413, app.post("/v1/batches", &vec![0; (1 << 20) + 1]).await),
        (404, app.post("/v1/nothing", b"").await),
        (404, app.send("GET", "/v1/batches/more", b"", &[]).await),
        (405, app.send("GET", "/v1/batches", b"", &[]).await),
        (405, app.send("PUT", "/v1/sessions", b"", &[]).await),
        (204, app.send("OPTIONS", "/v1/batches", b"", &[]).await),
        (204, app.send("OPTIONS", "/v1/sessions", b"", &[]).await),
    ];
    app.log.set(Mood::Panicking);
    answers.push((500, app.post("/v1/batches", &good()).await));
    app.log.set(Mood::Unavailable);
    answers.push((503, app.post("/v1/batches", &good()).await));
    for (status, answer) in &answers {
        assert_eq!(answer.status, *status, "{answer:?}");
        assert_readable(answer, &status.to_string());
        if *status >= 400 {
            answer.problem();
        }
    }
}

#[tokio::test]
async fn a_panic_holds_no_bytes_and_stops_nothing() {
    let app = App::start().await;
    app.log.set(Mood::Panicking);
    assert_eq!(app.post("/v1/batches", &good()).await.problem(), (500, "internal".into()));
    app.log.set(Mood::Well);
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
    assert_eq!(app.metric("playhead_gateway_requests_under_way", None), 0);
}

#[tokio::test]
async fn a_preflight_is_answered() {
    let app = App::start().await;
    let headers = [("origin", "https://a.test"), ("access-control-request-method", "POST")];
    let answer = app.send("OPTIONS", "/v1/batches", b"", &headers).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("content-type"));
}

#[tokio::test]
async fn other_paths_are_left_to_the_rest_of_the_product() {
    let app = App::start().await;
    assert_eq!(app.send("GET", "/anything", b"", &[]).await.body, "the dashboard");
}
