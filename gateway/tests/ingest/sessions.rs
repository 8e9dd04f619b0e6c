//! `POST /v1/sessions`.

use serde_json::json;

use crate::app::{App, shop_key};
use crate::batch::{SESSION, STREAM};

#[tokio::test]
async fn a_token_comes_with_the_recording_settings() {
    let app = App::with(|config| config.session_idle_ms = 5_000).await;
    let body = json!({"key": shop_key(), "session": SESSION, "stream": STREAM}).to_string();
    let answer = app.post("/v1/sessions", body.as_bytes()).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json(), {".token" => "[token]"}, @r#"
    {
      "expires_in_s": 900,
      "settings": {
        "mask": "inputs",
        "max_idle_ms": 5000,
        "network_bodies": [
          "https://api.example.com/*"
        ],
        "on_error_sample_rate": 1.0,
        "sample_rate": 0.5,
        "signal_sample_rate": 1.0
      },
      "token": "[token]"
    }
    "#);
}

#[tokio::test]
async fn a_bad_request_names_the_field() {
    let app = App::start().await;
    let cases = [
        ("x".to_owned(), "body"),
        (json!({"key": shop_key(), "session": "1", "stream": STREAM}).to_string(), "session"),
        (json!({"key": shop_key(), "session": SESSION}).to_string(), "stream"),
        (json!({"key": 5, "session": SESSION, "stream": STREAM}).to_string(), "key"),
    ];
    for (body, field) in cases {
        let answer = app.post("/v1/sessions", body.as_bytes()).await;
        assert_eq!(answer.problem(), (400, "bad-header".into()), "{body}");
        assert_eq!(answer.json()["field"], field, "{body}");
    }
    let stranger = json!({"key": "phk_x", "session": SESSION, "stream": STREAM}).to_string();
    assert_eq!(app.post("/v1/sessions", stranger.as_bytes()).await.problem(), (401, "unknown-key".into()));
}
