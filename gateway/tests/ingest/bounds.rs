//! Sizes, rates, budget and quota.

use std::time::Duration;

use playhead_gateway::{Config, Quota};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::app::{App, answer, eventually, head};
use crate::batch::{batch, good, of_size};

const UNDER_WAY: &str = "playhead_gateway_bytes_under_way";

/// Declares `length` bytes and sends none.
async fn hold(app: &App, length: usize, forwarded_for: &str) -> TcpStream {
    let before = app.metric(UNDER_WAY, None);
    let mut stream = app.connect().await;
    let length_text = length.to_string();
    let headers = [("content-length", length_text.as_str()), ("x-forwarded-for", forwarded_for)];
    stream.write_all(head("POST", "/v1/batches", &headers).as_bytes()).await.unwrap();
    eventually(|| app.metric(UNDER_WAY, None) == before + length as u64).await;
    stream
}

fn small(config: &mut Config) {
    config.body_budget_bytes = 2 << 20;
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.retry_after_s = 7;
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_unread() {
    let app = App::start().await;
    let mut stream = app.connect().await;
    let headers = [("content-length", "1048577"), ("expect", "100-continue")];
    stream.write_all(head("POST", "/v1/batches", &headers).as_bytes()).await.unwrap();
    let refused = answer(&mut stream).await;
    assert_eq!(refused.problem(), (413, "too-large".into()));
}

#[tokio::test]
async fn a_sender_in_full_flow_can_read_the_refusal() {
    let app = App::start().await;
    let refused = app.post("/v1/batches", &vec![b'x'; (1 << 20) + (300 << 10)]).await;
    assert_eq!(refused.problem(), (413, "too-large".into()));
    let session = app.post("/v1/sessions", &vec![b'x'; 5 << 10]).await;
    assert_eq!(session.problem(), (413, "too-large".into()));
}

#[tokio::test]
async fn a_chunked_body_is_charged_as_it_comes_and_stopped_at_the_limit() {
    let app = App::start().await;
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let start = head("POST", "/v1/batches", &[("transfer-encoding", "chunked")]);

    let body = of_size(200_000);
    let mut stream = app.connect().await;
    stream.write_all(start.as_bytes()).await.unwrap();
    stream.write_all(&chunk(&body[..150_000])).await.unwrap();
    eventually(|| app.metric(UNDER_WAY, None) == 150_000).await;
    stream.write_all(&[chunk(&body[150_000..]), chunk(b"")].concat()).await.unwrap();
    assert_eq!(answer(&mut stream).await.status, 202);
    assert_eq!(&app.stored().await[0].value[..], &body[..]);

    let mut stream = app.connect().await;
    stream.write_all(start.as_bytes()).await.unwrap();
    for _ in 0..5 {
        let _ = stream.write_all(&chunk(&[b'x'; 256 << 10])).await;
    }
    let _ = stream.write_all(&chunk(b"")).await;
    assert_eq!(answer(&mut stream).await.problem(), (413, "too-large".into()));
    assert_eq!(app.metric(UNDER_WAY, None), 0);
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let app = App::with(|config| config.slow_body_grace_ms = 100).await;
    let mut stream = hold(&app, 1_000, "").await;
    assert_eq!(answer(&mut stream).await.problem(), (408, "too-slow".into()));
    assert_eq!(app.metric(UNDER_WAY, None), 0);
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let app = App::with(|config| {
        config.slow_body_grace_ms = 100;
        config.min_body_rate_bytes_per_s = 1_000_000;
    })
    .await;
    let mut stream = hold(&app, 1_000_000, "").await;
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut first = [0; 12];
    tokio::select! {
        () = trickle => {}
        read = tokio::io::AsyncReadExt::read_exact(&mut reader, &mut first) => { read.unwrap(); }
    }
    assert_eq!(&first, b"HTTP/1.1 408");
}

#[tokio::test]
async fn the_deadline_ends_even_a_steady_body() {
    let app = App::with(|config| {
        config.slow_body_grace_ms = 60_000;
        config.body_deadline_ms = 100;
    })
    .await;
    let mut stream = hold(&app, 1_000, "").await;
    assert_eq!(answer(&mut stream).await.problem(), (408, "too-slow".into()));
}

#[tokio::test]
async fn the_budget_is_charged_before_a_byte_is_read() {
    let app = App::with(small).await;
    let held = [hold(&app, 1 << 20, "198.51.100.1").await, hold(&app, (1 << 20) - 10, "198.51.100.2").await];
    let refused = app.post_with("/v1/batches", &good(), &[("x-forwarded-for", "198.51.100.3")]).await;
    assert_eq!(refused.problem(), (429, "too-busy".into()));
    assert_eq!(refused.header("retry-after"), Some("7"));
    assert_eq!(app.metric("playhead_gateway_budget_refused_total", Some("total")), 1);
    drop(held);
    eventually(|| app.metric(UNDER_WAY, None) == 0).await;
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
}

#[tokio::test]
async fn one_client_cannot_take_the_whole_budget() {
    let app = App::with(small).await;
    let _held = hold(&app, 1 << 20, "198.51.100.1").await;
    let refused = app.post_with("/v1/batches", &good(), &[("x-forwarded-for", "198.51.100.1")]).await;
    assert_eq!(refused.problem(), (429, "too-busy".into()));
    assert_eq!(app.metric("playhead_gateway_budget_refused_total", Some("client")), 1);
    let other = app.post_with("/v1/batches", &good(), &[("x-forwarded-for", "198.51.100.2")]).await;
    assert_eq!(other.status, 202);
}

#[tokio::test]
async fn a_project_over_its_quota_waits() {
    let app = App::with(|config| {
        config.quota = Quota {
            rate_requests_per_s: 1,
            burst_requests: 2,
            rate_bytes_per_s: 1 << 20,
            burst_bytes: 1 << 20,
            ..Quota::default()
        };
    })
    .await;
    for _ in 0..2 {
        assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    }
    let refused = app.post("/v1/batches", &good()).await;
    assert_eq!(refused.problem(), (429, "over-quota".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    app.advance(1);
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    app.advance(1);
    assert_eq!(app.post("/v1/batches", &of_size(900_000)).await.status, 202);
    app.advance(1);
    assert_eq!(app.post("/v1/batches", &of_size(1 << 20)).await.status, 202, "the bucket is full again");
}

#[tokio::test]
async fn a_session_over_its_quota_waits_and_the_others_do_not() {
    let app = App::with(|config| {
        config.quota.session_rate_bytes_per_s = 100_000;
        config.quota.session_burst_bytes = 1 << 20;
    })
    .await;
    for _ in 0..5 {
        assert_eq!(app.post("/v1/batches", &of_size(200_000)).await.status, 202);
    }
    let refused = app.post("/v1/batches", &of_size(200_000)).await;
    assert_eq!(refused.problem(), (429, "session-over-quota".into()));
    assert_eq!(refused.header("retry-after"), Some("2"), "151,424 bytes at 100,000 a second");
    assert_eq!(refused.header("access-control-expose-headers"), Some("retry-after"));
    let other = batch(serde_json::json!({"session": "ffeeddccbbaa99887766554433221100"}));
    assert_eq!(app.post("/v1/batches", &other).await.status, 202);
    app.advance(2);
    assert_eq!(app.post("/v1/batches", &of_size(200_000)).await.status, 202);
    assert_eq!(app.metric("playhead_gateway_refused_total", Some("session-over-quota")), 1);
}

#[test]
fn settings_that_cannot_work_are_named() {
    type Change = fn(&mut Config);
    let bad: [(&str, Change); 6] = [
        ("body_budget_bytes", |config| config.body_budget_bytes = 1_000),
        ("retry_after_s", |config| config.retry_after_s = 0),
        ("token_key_rotation_s", |config| config.token_key_rotation_s = 10),
        ("quota.burst_bytes", |config| config.quota.burst_bytes = 10),
        ("quota.session_burst_bytes", |config| config.quota.session_burst_bytes = 10),
        ("append_stall_ms", |config| config.append_stall_ms = 0),
    ];
    for (field, change) in bad {
        let mut config = Config::default();
        change(&mut config);
        assert_eq!(config.validate().unwrap_err().field, field);
    }
    assert!(serde_json::from_str::<Config>(r#"{"body_buget_bytes":1}"#).is_err(), "a misspelt name");
    assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
    assert_eq!(Config::default().validate(), Ok(()));
}
