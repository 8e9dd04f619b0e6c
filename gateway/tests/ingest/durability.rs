//! What is acknowledged is in the log, as it came.

use std::time::Duration;

use playhead_proto::record::RecordMeta;
use prost::Message;
use serde_json::json;

use crate::app::{App, Mood, NOW_US, shop};
use crate::batch::{SESSION, batch, good, of_size};

/// Nobody waits for it in vain.
const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_batch_is_in_the_log_untouched_when_it_is_acknowledged() {
    let app = App::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer =
        app.post_with("/v1/batches", &good(), &[("user-agent", "Tester/1"), ("traceparent", trace)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    let stored = app.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(&stored[0].value[..], &good()[..]);
    let session: Vec<u8> =
        (0..16).map(|i| u8::from_str_radix(&SESSION[2 * i..2 * i + 2], 16).unwrap()).collect();
    assert_eq!(&stored[0].key[..], &session[..]);
    let meta = RecordMeta::decode(&stored[0].meta[..]).unwrap();
    let expected = RecordMeta {
        tenant_id: shop().tenant,
        project_id: shop().project,
        received_us: NOW_US,
        client_ip: vec![127, 0, 0, 1].into(),
        user_agent: "Tester/1".into(),
        traceparent: trace.into(),
        awaits_spans: true,
        ..RecordMeta::default()
    };
    assert_eq!(meta, expected);
    assert_eq!(app.metric("playhead_gateway_batches_accepted_total", None), 1);
    assert_eq!(app.metric("playhead_gateway_accepted_bytes_total", None), good().len() as u64);
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
}

#[tokio::test]
async fn the_largest_batch_is_taken_whole() {
    let app = App::start().await;
    let body = of_size(1 << 20);
    assert_eq!(body.len(), 1 << 20);
    assert_eq!(app.post("/v1/batches", &body).await.status, 202);
    assert_eq!(&app.stored().await[0].value[..], &body[..]);
}

#[tokio::test]
async fn an_end_needs_no_frames() {
    let app = App::start().await;
    let body = batch(json!({"signals": null, "dom": null, "end": true}));
    assert_eq!(app.post("/v1/batches", &body[..body.len() - 5]).await.status, 202);
}

#[tokio::test]
async fn nothing_is_acknowledged_while_the_log_does_not_take_it() {
    let app = App::with(|config| config.append_timeout_ms = 50).await;
    for mood in [Mood::Busy, Mood::Unavailable, Mood::Hanging] {
        app.log.set(mood);
        let answer = app.post("/v1/batches", &good()).await;
        assert_eq!(answer.problem(), (503, "log-unavailable".into()), "{mood:?}");
        assert_eq!(answer.header("retry-after"), Some("2"), "{mood:?}");
    }
    app.log.set(Mood::Well);
    assert!(app.stored().await.is_empty());
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    assert_eq!(app.metric("playhead_gateway_refused_total", Some("log-unavailable")), 3);
    assert_eq!(app.metric("playhead_gateway_bytes_under_way", None), 0);
}

#[tokio::test]
async fn a_log_that_is_away_is_not_waited_for() {
    // Nothing but the stall ends the waiting.
    let app = App::with(|config| {
        config.append_timeout_ms = 3_600_000;
        config.append_stall_ms = 1;
    })
    .await;
    app.log.set(Mood::Hanging);
    let app = std::sync::Arc::new(app);
    let post = |app: std::sync::Arc<App>| tokio::spawn(async move { app.post("/v1/batches", &good()).await });
    let first = post(app.clone());
    crate::app::eventually(|| app.metric("playhead_gateway_requests_under_way", None) == 1).await;
    // Of any number of further ones a few try the log and wait, and the others are refused.
    let mut posts = Vec::new();
    while app.metric("playhead_gateway_refused_total", Some("log-unavailable")) <= 32 {
        posts.push(post(app.clone()));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    posts.push(first);
    app.log.set(Mood::Well);
    let mut accepted = 0;
    for post in posts {
        let answer = post.await.unwrap();
        accepted += usize::from(answer.status == 202);
        if answer.status != 202 {
            assert_eq!(answer.problem(), (503, "log-unavailable".into()));
        }
    }
    assert!(accepted >= 1, "those that waited are taken");
    assert_eq!(app.stored().await.len(), accepted);
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202, "it was heard of again");
}

/// What the budget of bytes rests on: a log that copies a record and lets the original go frees it, as nobody else has it. (A body
/// that comes in one read is a part of its connection's buffer, whose size is bounded apart.)
#[tokio::test]
async fn the_log_gets_the_only_copy_of_a_batch() {
    let app = App::start().await;
    app.log.set(Mood::Copying);
    assert_eq!(app.post("/v1/batches", &of_size(1 << 20)).await.status, 202);
    assert_eq!(app.stored().await.len(), 1);
}

#[tokio::test]
async fn with_notice_batches_are_taken_until_its_end() {
    let app = App::start().await;
    let gateway = app.gateway.clone();
    let notice = LONG;
    let stop = tokio::spawn(async move { gateway.stop(notice, LONG).await });
    crate::app::eventually(|| !app.gateway.ready()).await;
    assert_eq!(app.post("/v1/batches", &good()).await.status, 202);
    stop.abort();
    app.gateway.stop(Duration::ZERO, LONG).await;
    assert_eq!(app.post("/v1/batches", &good()).await.problem(), (503, "shutting-down".into()));
}

#[tokio::test]
async fn draining_answers_what_is_under_way_and_refuses_the_rest() {
    let app = App::start().await;
    app.log.set(Mood::Hanging);
    let body = good();
    let (first, ()) = tokio::join!(app.post("/v1/batches", &body), async {
        crate::app::eventually(|| app.metric("playhead_gateway_requests_under_way", None) == 1).await;
        let gateway = app.gateway.clone();
        let drain = tokio::spawn(async move { gateway.stop(Duration::ZERO, LONG).await });
        crate::app::eventually(|| !app.gateway.ready()).await;
        let late = app.post("/v1/batches", &body).await;
        assert_eq!(late.problem(), (503, "shutting-down".into()));
        assert!(late.header("retry-after").is_some());
        assert!(!drain.is_finished(), "the first batch is still under way");
        app.log.set(Mood::Well);
        drain.await.unwrap();
    });
    assert_eq!(first.status, 202);
    assert_eq!(app.stored().await.len(), 1);
}
