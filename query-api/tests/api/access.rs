use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use playhead_query_api::Config;
use serde_json::json;

use crate::app::{ADMIN, App};

async fn sign_in(app: &App) -> String {
    let link = app.api.sign_in_link();
    let token = link.split_once("token=").unwrap().1;
    let answer = app.call("POST", "/api/v1/sign-in", "", Some(json!({ "token": token }))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn with_cookie(
    method: &str,
    path: &str,
    cookie: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::HOST, "play.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_link_becomes_a_cookie_that_reads_and_changes_from_our_pages_only() {
    let app = App::new().await;
    let cookie = sign_in(&app).await;
    let me = app.send(with_cookie("GET", "/api/v1/me", &cookie, &[], "")).await;
    assert_eq!(me.json()["name"], "Administrator");
    assert_eq!(me.json()["installation"]["ingest_url"], "http://play.test");
    let body = r#"{"name":"x"}"#;
    let ours = [("x-playhead-csrf", "1"), ("origin", "http://play.test")];
    for headers in
        [&[][..], &ours[..1], &ours[1..], &[("x-playhead-csrf", "1"), ("origin", "http://evil.test")]]
    {
        let refused = app.send(with_cookie("POST", "/api/v1/projects", &cookie, headers, body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let created = app.send(with_cookie("POST", "/api/v1/projects", &cookie, &ours, body)).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let out = app.send(with_cookie("POST", "/api/v1/sign-out", &cookie, &ours, "")).await;
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_cookie_ends() {
    let app = App::new().await;
    let cookie = sign_in(&app).await;
    app.advance(31 * 86_400_000);
    let answer = app.send(with_cookie("GET", "/api/v1/me", &cookie, &[], "")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::UNAUTHORIZED, "signed-out"));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let app = App::with(Config { failed_sign_ins_per_minute: 3, ..Config::default() }).await;
    for _ in 0..3 {
        let wrong = app.call("POST", "/api/v1/sign-in", "", Some(json!({"token": "wrong"}))).await;
        assert_eq!((wrong.status, wrong.problem().as_str()), (StatusCode::UNAUTHORIZED, "bad-credential"));
    }
    let slowed = app.call("POST", "/api/v1/sign-in", "", Some(json!({"token": ADMIN}))).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.headers[header::RETRY_AFTER], "60");
    app.advance(60_000);
    let later = app.call("POST", "/api/v1/sign-in", "", Some(json!({"token": ADMIN}))).await;
    assert_eq!(later.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_bearer_is_the_admin_token_or_a_secret_key() {
    let app = App::new().await;
    let project = app.project("shop").await;
    assert_eq!(app.get("/api/v1/me", ADMIN).await.json()["name"], "Administrator");
    assert_eq!(app.get("/api/v1/me", &project.secret).await.json()["name"], "Secret key");
    let mut typo = project.secret.clone();
    let last = if typo.pop() == Some('0') { '1' } else { '0' };
    typo.push(last);
    let unknown = playhead_proto::key::secret_key([9; 32]);
    for token in ["wrong", typo.as_str(), unknown.as_str()] {
        let answer = app.get("/api/v1/me", token).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::UNAUTHORIZED, "bad-credential"),
            "{token}"
        );
    }
    let basic = Request::builder()
        .uri("/api/v1/me")
        .header(header::AUTHORIZATION, "Basic eDp5")
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.send(basic).await.status, StatusCode::UNAUTHORIZED);
}
