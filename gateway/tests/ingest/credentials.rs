//! Keys, tokens, projects and origins.

use playhead_domain::id::ProjectId;
use playhead_domain::project;
use playhead_domain::row::Project;
use playhead_proto::key::{InstallationKey, PublicKeys};
use serde_json::json;

use crate::app::{App, eventually, installation, shop, shop_key};
use crate::batch::{SESSION, STREAM, batch, good};

async fn token(app: &App) -> String {
    let body = json!({"key": shop_key(), "session": SESSION, "stream": STREAM}).to_string();
    app.post("/v1/sessions", body.as_bytes()).await.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_that_are_not_ours_are_refused() {
    let app = App::start().await;
    let foreign = PublicKeys::new(&InstallationKey::new([1; 32])).issue(ProjectId(shop().project));
    let mut mistyped = shop_key();
    mistyped.pop();
    for key in [json!(null), json!(""), json!("phk_"), json!(mistyped), json!(foreign), json!("phs_0")] {
        let answer = app.post("/v1/batches", &batch(json!({"key": key}))).await;
        assert_eq!(answer.problem(), (401, "unknown-key".into()), "{key}");
    }
    assert_eq!(app.metric("playhead_gateway_refused_total", Some("unknown-key")), 6);
}

#[tokio::test]
async fn a_token_opens_its_session_until_it_expires() {
    let app = App::start().await;
    let token = token(&app).await;
    let body = batch(json!({"key": null, "token": token}));
    assert_eq!(app.post("/v1/batches", &body).await.status, 202);
    app.advance(899);
    assert_eq!(app.post("/v1/batches", &body).await.status, 202);
    app.advance(1);
    assert_eq!(app.post("/v1/batches", &body).await.problem(), (401, "expired-token".into()));
    app.advance(3 * 86_400);
    assert_eq!(app.post("/v1/batches", &body).await.problem(), (401, "bad-token".into()), "its key is gone");
}

#[tokio::test]
async fn a_token_survives_the_rotation_of_its_key() {
    let app = App::start().await;
    // Ten minutes before midnight, when the key changes.
    app.advance(86_400 - 600 - (crate::app::NOW_US / 1_000_000) % 86_400);
    let token = token(&app).await;
    app.advance(601);
    let body = batch(json!({"key": null, "token": token}));
    assert_eq!(app.post("/v1/batches", &body).await.status, 202);
}

#[tokio::test]
async fn tokens_of_others_are_refused() {
    let app = App::start().await;
    let token = token(&app).await;
    let other_session = "f".repeat(32);
    let answer =
        app.post("/v1/batches", &batch(json!({"key": null, "token": token, "session": other_session}))).await;
    assert_eq!(answer.problem(), (403, "wrong-session".into()));

    app.change(Project { project: 78, ..shop() }).await;
    let other_key = PublicKeys::new(&installation()).issue(ProjectId(78));
    let answer = app.post("/v1/batches", &batch(json!({"key": other_key, "token": token}))).await;
    assert_eq!(answer.problem(), (403, "wrong-project".into()));

    let forged = format!("{}{}", &token[..token.len() - 4], "AAAA");
    let answer = app.post("/v1/batches", &batch(json!({"key": null, "token": forged}))).await;
    assert_eq!(answer.problem(), (401, "bad-token".into()));
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn a_disabled_project_is_refused_as_soon_as_the_directory_knows() {
    let app = App::start().await;
    let token = token(&app).await;
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    app.change(Project { disabled: true, ..shop() }).await;
    assert_eq!(app.post("/v1/batches", &good()).await.problem(), (403, "project-disabled".into()));
    let by_token = app.post("/v1/batches", &batch(json!({"key": null, "token": token}))).await;
    assert_eq!(by_token.problem(), (403, "project-disabled".into()));
    let ask = json!({"key": shop_key(), "session": SESSION, "stream": STREAM}).to_string();
    assert_eq!(app.post("/v1/sessions", ask.as_bytes()).await.problem(), (403, "project-disabled".into()));
    app.change(shop()).await;
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
}

#[tokio::test]
async fn a_removed_project_is_unknown_and_a_new_one_is_asked_to_wait() {
    let app = App::start().await;
    let new_key = PublicKeys::new(&installation()).issue(ProjectId(99));
    let early = app.post("/v1/batches", &batch(json!({"key": new_key}))).await;
    assert_eq!(early.status, 503, "its record may be under way");
    assert!(early.header("retry-after").is_some());
    app.change(Project { project: 99, ..shop() }).await;
    assert_eq!(app.post("/v1/batches", &batch(json!({"key": new_key}))).await.status, 202);
    project::publish_removal(&*app.log, ProjectId(99)).await.unwrap();
    eventually(|| app.directory.get(ProjectId(99)).is_none()).await;
    let late = app.post("/v1/batches", &batch(json!({"key": new_key}))).await;
    assert_eq!(late.problem(), (401, "unknown-key".into()));
}

#[tokio::test]
async fn only_allowed_origins_may_send_once_they_are_set() {
    let app = App::start().await;
    let anywhere = app.post_with("/v1/batches", &good(), &[("origin", "https://anywhere.test")]).await;
    assert_eq!((anywhere.status, anywhere.header("access-control-allow-origin")), (202, Some("*")));

    let allowed_origins = vec!["https://shop.example.com".to_owned(), "https://*.wild.example".to_owned()];
    app.change(Project { allowed_origins, ..shop() }).await;
    for origin in ["https://shop.example.com", "https://a.wild.example"] {
        let answer = app.post_with("/v1/batches", &good(), &[("origin", origin)]).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (202, Some(origin)));
        assert_eq!(answer.header("vary"), Some("origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    for headers in [&[("origin", "https://evil.test")][..], &[("origin", "null")], &[]] {
        let answer = app.post_with("/v1/batches", &good(), headers).await;
        assert_eq!(answer.problem(), (403, "origin-not-allowed".into()), "{headers:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "a page that is not allowed reads nothing"
        );
    }
    assert_eq!(app.stored().await.len(), 3);
}

#[tokio::test]
async fn an_allowed_page_can_read_its_errors() {
    let app = App::start().await;
    let origin = "https://shop.example.com";
    app.change(Project { allowed_origins: vec![origin.to_owned()], disabled: true, ..shop() }).await;
    let answer = app.post_with("/v1/batches", &good(), &[("origin", origin)]).await;
    assert_eq!(answer.problem(), (403, "project-disabled".into()));
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
}
