//! Hostile, broken and odd batches: the rest still passes, and what does not is told.

use bytes::Bytes;
use playhead_domain::row::DeadLetter;
use playhead_domain::session::key;
use playhead_domain::table;
use prost::Message;
use serde_json::json;

use crate::world::{Batch, START_MS, World, scope, session, stream};

async fn dead_letters(world: &World) -> Vec<DeadLetter> {
    let rows = world.rows(&table::DEAD_LETTERS, key::scope_columns(scope())).await;
    rows.into_iter().map(|row| DeadLetter::decode(row.value).unwrap()).collect()
}

#[tokio::test]
async fn a_bomb_is_a_dead_letter_and_its_dom_still_plays() {
    let world = World::new().await;
    let mut bomb = Batch::new(1, 1, 0).key_frame("page");
    bomb.signals = vec![b'a'; 3 << 20];
    bomb.signals_raw = Some(1_000);
    world.send(&bomb).await;
    let mut short = Batch::new(1, 1, 1).page("https://a.example/");
    short.signals_raw = Some(short.signals.len() + 1);
    world.send(&short).await;
    world.send(&Batch::new(1, 1, 2).page("https://a.example/ok")).await;
    world.process().await;

    let letters = dead_letters(&world).await;
    let told: Vec<_> = letters.iter().map(|letter| (letter.reason.as_str(), letter.seq)).collect();
    assert_eq!(told, [("frame_too_long", 0), ("frame_too_short", 1)]);
    assert_eq!(letters[0].session[..], session(1).0);
    assert_eq!(world.frames(session(1)).await[&(stream(1), 0)], bomb.dom);
    let summary = world.summary(session(1)).await.unwrap();
    assert_eq!((summary.counts.unwrap().dead_letters, summary.counts.unwrap().events), (2, 1));
    assert_eq!(world.intake().await.dead_letters.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn dead_letters_are_bounded_per_project_and_all_are_counted() {
    let mut world = World::new().await;
    world.config.max_dead_letters = 3;
    for seq in 0..20 {
        let mut batch = Batch::new(1, 1, seq).page("https://a.example/");
        batch.signals_raw = Some(1);
        world.send(&batch).await;
        if seq.is_multiple_of(4) {
            world.process().await;
        }
    }
    world.process().await;
    let letters = dead_letters(&world).await;
    assert_eq!(letters.iter().map(|letter| letter.seq).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(world.intake().await.dead_letters["frame_too_long"], 20);
}

#[tokio::test]
async fn one_bad_signal_is_dropped_and_the_others_pass() {
    let world = World::new().await;
    let mut batch = Batch::new(1, 1, 0).page("https://a.example/").signal(json!({"k": "click"}));
    batch.signals.extend_from_slice(b"not json\n{\"k\":\"request\",\"t\":1,\"url\":7}\n");
    let batch =
        batch.signal(json!({"k": "click", "selector": "button"})).signal(json!({"k": "unknown", "x": [1]}));
    world.send(&batch).await;
    world.process().await;
    let kinds: Vec<_> = world.events(session(1)).await.iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["page", "click", "unknown"]);
    let counts = world.summary(session(1)).await.unwrap().counts.unwrap();
    assert_eq!((counts.dropped_signals, counts.clicks), (3, 1));
}

#[tokio::test]
async fn records_that_are_no_batches_stop_nothing() {
    let world = World::new().await;
    world.send_body(session(1), Bytes::from_static(b"no header at all")).await;
    world.send_body(session(1), Bytes::from_static(b"{\"v\":9}\n")).await;
    world.send(&Batch::new(1, 1, 0).page("https://a.example/")).await;
    world.process().await;
    let reasons: Vec<_> = dead_letters(&world).await.into_iter().map(|letter| letter.reason).collect();
    assert_eq!(reasons, ["bad_header", "bad_header"]);
    assert!(world.summary(session(1)).await.is_some());
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_per_stream_and_flagged() {
    let world = World::new().await;
    let hour = 3_600_000;
    let mut early = Batch::new(1, 1, 0);
    (early.skew_ms, early.from) = (hour, START_MS - 2_000);
    world.send(&early.clone().page("https://a.example/").key_frame("x")).await;
    world.process().await;
    let summary = world.summary(session(1)).await.unwrap();
    assert!(summary.clock_skewed && summary.streams[0].clock_skewed);
    assert_eq!(summary.streams[0].clock_offset_ms, -hour as f64);
    assert_eq!(summary.start_ms, START_MS - 2_000);
    // A later batch with another difference does not move what was fixed.
    let mut later = Batch::new(1, 1, 1);
    later.skew_ms = hour;
    let mut later = later.signal(json!({"k": "click", "selector": "a"}));
    later.skew_ms = 0;
    world.send(&later).await;
    world.process().await;
    let events = world.events(session(1)).await;
    assert_eq!(events[1]["time"], json!(START_MS + 1_000));
    assert_eq!(world.summary(session(1)).await.unwrap().streams[0].clock_offset_ms, -hour as f64);
}

#[tokio::test]
async fn impossible_times_and_negative_durations_are_mended_and_flagged() {
    let world = World::new().await;
    let batch = Batch::new(1, 1, 0)
        .signal(json!({"k": "click", "selector": "a", "t": START_MS + 86_400_000_i64 * 365}))
        .signal(json!({"k": "click", "selector": "a", "t": 5}))
        .signal(json!({"k": "request", "url": "/", "method": "GET", "duration_ms": -5, "timing": {"dns_ms": -1, "wait_ms": 2}}));
    world.send(&batch).await;
    world.process().await;
    let events = world.events(session(1)).await;
    for event in &events {
        assert_eq!(event["data"]["clamped"], true);
        let time = event["time"].as_i64().unwrap();
        assert!((time - START_MS).abs() <= 1_000, "{time}");
    }
    assert_eq!(events[2]["data"]["duration_ms"], 0);
    assert_eq!(events[2]["data"]["timing"], json!({"wait_ms": 2}));
    assert!(world.summary(session(1)).await.unwrap().clock_skewed);
}

#[tokio::test]
async fn streams_of_a_session_are_bounded() {
    let mut world = World::new().await;
    world.config.max_streams = 2;
    for id in 1..=3 {
        world.send(&Batch::new(1, id, 0).page("https://a.example/")).await;
    }
    world.process().await;
    assert_eq!(world.summary(session(1)).await.unwrap().streams.len(), 2);
    assert_eq!(dead_letters(&world).await[0].reason, "too_many_streams");
}

#[tokio::test]
async fn a_batch_of_a_project_that_does_not_exist_has_no_effect() {
    let world = World::new().await;
    let body = Batch::new(1, 1, 0).page("https://a.example/").body(START_MS);
    let meta = playhead_proto::record::RecordMeta { tenant_id: 7, project_id: 999, ..Default::default() };
    let record = playhead_domain::log::Record {
        key: Bytes::copy_from_slice(&session(1).0),
        value: body,
        meta: meta.encode_to_vec().into(),
    };
    world.log.append(playhead_domain::topic::BATCHES, record).await.unwrap();
    world.send(&Batch::new(2, 1, 0).page("https://a.example/")).await;
    world.process().await;
    assert!(world.summary(session(1)).await.is_none());
    assert!(world.summary(session(2)).await.is_some());
}
