//! Spans of a session's backend: they join it, and neither begin nor prolong it.

use playhead_domain::id::SessionId;
use playhead_domain::session::key;
use playhead_domain::table;
use playhead_proto::limits;
use playhead_proto::span::{Lines, Span};
use serde_json::{Value, json};

use crate::world::{Batch, START_MS, World, scope, session, stream};

pub(crate) fn span(id: u8, at_ms: i64) -> Span<'static> {
    Span {
        t: (START_MS + at_ms) as f64,
        trace_id: "a".repeat(32),
        span_id: format!("{id:016x}"),
        name: "GET /orders".into(),
        duration_ms: 12.5,
        ..Span::default()
    }
}

pub(crate) async fn send_to(world: &World, session: SessionId, spans: &[Span<'_>]) {
    let mut lines = Lines::default();
    for span in spans {
        lines.push(span).unwrap();
    }
    world.send_spans(session, lines.into_body(session, world.now_ms()).unwrap()).await;
}

async fn send(world: &World, spans: &[Span<'_>]) {
    send_to(world, session(1), spans).await;
}

fn page() -> Batch {
    Batch::new(1, 1, 0).page("https://shop.example/").key_frame("page")
}

async fn kinds(world: &World) -> Vec<String> {
    let events = world.events(session(1)).await;
    let mut kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn spans_join_the_session_and_change_nothing_else_of_it() {
    let world = World::new().await;
    world.send(&page()).await;
    world.process().await;
    let before = world.summary(session(1)).await.unwrap();
    let open = world.canonical().await;
    world.pass(120_000);
    send(&world, &[span(1, 10), span(2, 20)]).await;
    world.process().await;
    assert_eq!(world.summary(session(1)).await.unwrap(), before, "no tab, no event, no longer than it was");
    assert_eq!(kinds(&world).await, ["page", "span", "span"]);
    let events = world.events(session(1)).await;
    let told = events.iter().find(|event| event["kind"] == "span").unwrap();
    assert_eq!((&told["data"]["duration_ms"], &told["data"]["name"]), (&json!(12.5), &json!("GET /orders")));
    let changed = open.differences(&world.canonical().await);
    assert!(changed.iter().all(|line| !line.contains("open_sessions")), "{changed:?}");
}

/// Their times by themselves may be of tomorrow; how far apart they are is not lost.
#[tokio::test]
async fn spans_keep_the_times_that_a_wrong_clock_told() {
    let world = World::new().await;
    world.send(&page()).await;
    send(&world, &[span(1, 3_600_000), span(2, 3_600_020)]).await;
    world.process().await;
    let events = world.events(session(1)).await;
    let starts: Vec<_> = events.iter().filter_map(|event| event["data"]["start_ms"].as_f64()).collect();
    assert_eq!(starts, [(START_MS + 3_600_000) as f64, (START_MS + 3_600_020) as f64]);
}

#[tokio::test]
async fn spans_that_come_first_wait_for_the_session() {
    let world = World::new().await;
    send(&world, &[span(1, 10)]).await;
    world.process().await;
    assert_eq!(world.summary(session(1)).await, None, "no session by themselves");
    assert_eq!(world.intake().await.new_sessions, 0);
    world.pass(5_000);
    world.send(&page()).await;
    world.process().await;
    let summary = world.summary(session(1)).await.unwrap();
    let listed = key::by_start(scope(), session(1), summary.list_start_ms);
    assert!(world.store.get(&table::SESSIONS_BY_START, &listed).await.unwrap().is_some());
    assert_eq!(kinds(&world).await, ["page", "span"]);
    assert_eq!((summary.streams.len(), world.intake().await.new_sessions), (1, 1));
    let client = summary.client.unwrap();
    assert_eq!((client.country.as_str(), client.browser.as_str()), ("PT", "Chrome"), "of the browser");
    // The same in one go.
    let at_once = world.emptied();
    at_once.process().await;
    assert_eq!(world.canonical().await.differences(&at_once.canonical().await), Vec::<String>::new());
}

#[tokio::test]
async fn spans_sent_again_are_there_once() {
    let world = World::new().await;
    world.send(&page()).await;
    for _ in 0..2 {
        send(&world, &[span(1, 10), span(2, 20)]).await;
        send(&world, &[span(1, 10), span(2, 20)]).await;
        world.process().await;
    }
    assert_eq!(kinds(&world).await, ["page", "span", "span"]);
    let at_once = world.emptied();
    at_once.process().await;
    assert_eq!(world.canonical().await.differences(&at_once.canonical().await), Vec::<String>::new());
}

#[tokio::test]
async fn an_erased_session_gets_no_spans_whenever_they_come() {
    let world = World::new().await;
    world.send(&page()).await;
    send(&world, &[span(1, 10)]).await;
    world.process().await;
    world.erasure().erase_session(scope(), session(1), world.now_ms()).await.unwrap();
    send(&world, &[span(2, 20)]).await;
    world.process().await;
    assert!(world.session_rows(&table::SESSION_EVENTS, session(1)).await.is_empty());
    assert!(world.data_key(session(1)).await.is_none());
    assert_eq!(world.intake().await.suppressed, 1);
    // Erased before its browser has said anything.
    let early = World::new().await;
    send(&early, &[span(1, 10)]).await;
    early.process().await;
    early.erasure().erase_session(scope(), session(1), early.now_ms()).await.unwrap();
    early.send(&page()).await;
    early.process().await;
    assert_eq!(early.summary(session(1)).await, None);
    assert!(early.session_rows(&table::SESSION_EVENTS, session(1)).await.is_empty());
}

#[tokio::test]
async fn neither_side_speaks_for_the_other() {
    let world = World::new().await;
    let forged = json!({"k": "span", "trace_id": "a", "span_id": "b", "name": "n", "duration_ms": 1});
    world.send(&page().signal(forged)).await;
    let mut smuggled = Batch::new(1, 9, 7).signal(json!({"k": "error", "message": "made up"}));
    smuggled.end = true;
    world.send_spans(session(1), smuggled.body(world.now_ms())).await;
    world.process().await;
    assert_eq!(kinds(&world).await, ["page"]);
    let summary = world.summary(session(1)).await.unwrap();
    assert_eq!((summary.counts.unwrap().errors, summary.ended_reason.as_str()), (0, ""));
    assert!(summary.streams.iter().all(|known| known.stream[..] == stream(1).0));
    assert_eq!(world.intake().await.dropped_signals, 2);
}

#[tokio::test]
async fn more_spans_than_a_session_keeps_are_dropped_and_counted() {
    let world = World::new().await;
    world.send(&page()).await;
    let filler: Vec<Value> = (0..60).map(|number| json!(format!("{number}{}", "x".repeat(500)))).collect();
    let large = |batch: u64| {
        let mut lines = Lines::default();
        for number in 0..100 {
            let attributes = (0..60).map(|at| (format!("a{at}"), filler[at].clone())).collect();
            let id = format!("{:016x}", batch * 1_000 + number);
            let span = Span { span_id: id, attributes, ..span(1, 10) };
            lines.push(&span).unwrap();
        }
        lines.into_body(session(1), START_MS).unwrap()
    };
    for batch in 0..7 {
        world.send_spans(session(1), large(batch)).await;
    }
    world.process().await;
    let letters = world.rows(&table::DEAD_LETTERS, key::scope_columns(scope())).await;
    assert_eq!(letters.len(), 0, "letters are for what can be mended");
    let dropped = world.intake().await.dropped_signals;
    assert!(dropped >= 100 && dropped % 100 == 0, "{dropped}");
    let kept = kinds(&world).await.len() as u64;
    assert!(kept > 100 && kept * 31_000 < limits::MAX_SESSION_SPAN_BYTES, "{kept}");
}
