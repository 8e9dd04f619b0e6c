//! What cannot be processed does not hold up what can; it becomes a dead letter, and has its effect once it is sent through again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use playhead_domain::log::{Position, Record, StoredRecord};
use playhead_domain::row::DeadLetter;
use playhead_domain::session::key;
use playhead_domain::store::{Mutation, Value};
use playhead_domain::{table, topic};
use playhead_proto::record::RecordMeta;
use playhead_stream_processor::Hooks;
use prost::Message;
use serde_json::json;

use crate::world::{Batch, World, scope, session, stream};

/// A dead letter, and where its record is in the log.
#[derive(Debug, PartialEq)]
struct Listed {
    position: Position,
    letter: DeadLetter,
}

async fn letters(world: &World) -> Vec<Listed> {
    let rows = world.rows(&table::DEAD_LETTERS, key::scope_columns(scope())).await;
    let listed = rows.into_iter().map(|row| {
        let [Value::Int(partition), Value::Int(offset)] = row.key.clustering[..] else { panic!("{row:?}") };
        let position =
            Position { partition: partition.try_into().unwrap(), offset: offset.try_into().unwrap() };
        Listed { position, letter: DeadLetter::decode(row.value).unwrap() }
    });
    listed.collect()
}

async fn reasons(world: &World) -> Vec<(String, u64)> {
    letters(world).await.into_iter().map(|listed| (listed.letter.reason, listed.letter.seq)).collect()
}

/// Sends the record through once more, as the API does.
async fn replay(world: &World, at: Position) -> Position {
    let read = world.log.read(topic::BATCHES, at.partition, at.offset, 1, Duration::ZERO).await.unwrap();
    let StoredRecord { key, value, meta, .. } = read.into_iter().next().unwrap();
    let mut meta = RecordMeta::decode(meta).unwrap();
    meta.replay_of = Some(at.offset);
    let copy = Record { key, value, meta: meta.encode_to_vec().into() };
    world.log.append(topic::BATCHES, copy).await.unwrap()
}

/// Folding panics at these batches. Counts how often.
fn panic_at(poisoned: &'static [(u8, u64)]) -> (Hooks, Arc<AtomicUsize>) {
    let panics = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&panics);
    let on_batch = move |id: playhead_domain::id::SessionId, seq| {
        if poisoned.contains(&(id.0[0], seq)) {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("poisoned {seq}");
        }
    };
    (Hooks { on_batch: Some(Arc::new(on_batch)), ..Hooks::default() }, panics)
}

fn batch(id: u8, seq: u64) -> Batch {
    let batch = Batch::new(id, id, seq)
        .signal(json!({"k": "click", "selector": format!("b{seq}")}))
        .signal(json!({"k": "navigation", "url": format!("https://a.example/{seq}"), "how": "push"}))
        .dom_event(3, "change");
    if seq == 0 { batch.page("https://a.example/").key_frame("page") } else { batch }
}

async fn send_all(world: &World) {
    for seq in 0..5 {
        for id in 1..=3 {
            world.send(&batch(id, seq)).await;
        }
    }
}

#[tokio::test]
async fn a_batch_at_which_folding_panics_is_a_dead_letter_and_all_others_pass() {
    let world = World::new().await;
    send_all(&world).await;
    let (hooks, panics) = panic_at(&[(1, 0), (1, 2), (2, 4)]);
    world.process_with(hooks).await.unwrap();
    assert_eq!(
        panics.load(Ordering::Relaxed),
        5,
        "each is tried again once, but for what follows the first of its session"
    );
    let mut reasons = reasons(&world).await;
    reasons.sort();
    assert_eq!(reasons, [0, 2, 4].map(|seq| ("panicked".to_owned(), seq)));
    let first = &letters(&world).await[0].letter;
    assert!(
        first.detail.contains("poisoned") && first.traceparent.contains("0af7651916cd43dd8448eb211c80319c")
    );
    for (id, seen) in [(1, 3), (2, 4), (3, 5)] {
        let summary = world.summary(session(id)).await.unwrap();
        assert_eq!(summary.streams[0].seen, seen, "{id}");
        assert_eq!(world.frames(session(id)).await.len() as u64, seen);
    }
    let intake = world.intake().await;
    assert_eq!((intake.batches, intake.dead_letters["panicked"]), (15, 3));
}

#[tokio::test]
async fn a_dead_letter_sent_through_again_has_its_effect_once_and_is_gone() {
    let expected = World::new().await;
    send_all(&expected).await;
    expected.process().await;
    let world = World::new().await;
    send_all(&world).await;
    world.process_with(panic_at(&[(1, 2), (2, 4)]).0).await.unwrap();
    for listed in letters(&world).await {
        // Whoever asks twice gets it once.
        for _ in 0..2 {
            let copy = replay(&world, listed.position).await;
            assert_eq!(copy.partition, listed.position.partition);
        }
    }
    world.process().await;
    assert_eq!(letters(&world).await, []);
    // But for the order of the batches, and that there were dead letters, it is as if nothing had been.
    for id in 1..=3 {
        let (now, wanted) = (world.summary(session(id)).await, expected.summary(session(id)).await);
        let (mut now, mut wanted) = (now.unwrap(), wanted.unwrap());
        now.pages.sort();
        wanted.pages.sort();
        assert_eq!(now, wanted);
        assert_eq!(world.events(session(id)).await, expected.events(session(id)).await);
        assert_eq!(world.frames(session(id)).await, expected.frames(session(id)).await);
    }
    let mut intake = world.intake().await;
    assert_eq!(intake.dead_letters.remove("panicked"), Some(2));
    assert_eq!(intake, expected.intake().await);
    // The log tells it all: built anew, with the fault still there when the batches came first, and gone when they came again.
    let anew = world.emptied();
    anew.process().await;
    let (now, then) = (world.canonical().await.text(), anew.canonical().await.text());
    assert_eq!(now.matches("recording ").count(), then.matches("recording ").count());
}

#[tokio::test]
async fn a_replay_that_fails_again_keeps_its_one_letter() {
    let world = World::new().await;
    send_all(&world).await;
    for _ in 0..3 {
        world.process_with(panic_at(&[(1, 2)]).0).await.unwrap();
        let letters = letters(&world).await;
        assert_eq!(letters.len(), 1);
        replay(&world, letters[0].position).await;
    }
    world.process_with(panic_at(&[(1, 2)]).0).await.unwrap();
    let before = world.canonical().await;
    assert_eq!(world.intake().await.dead_letters["panicked"], 1);
    let anew = world.emptied();
    anew.process_with(panic_at(&[(1, 2)]).0).await.unwrap();
    assert_eq!(anew.canonical().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn signals_that_come_later_complete_a_batch_whose_dom_played() {
    let world = World::new().await;
    let whole = batch(1, 1);
    let mut broken = whole.clone();
    broken.signals_raw = Some(1);
    world.send(&batch(1, 0)).await;
    world.send(&broken).await;
    world.process().await;
    let letter = letters(&world).await.remove(0);
    let before = world.summary(session(1)).await.unwrap();
    assert_eq!(before.counts.unwrap().dead_letters, 1);
    // The same bytes are no better the second time.
    replay(&world, letter.position).await;
    world.process().await;
    assert_eq!(reasons(&world).await, [("frame_too_long".to_owned(), 1)]);
    assert_eq!(world.summary(session(1)).await.unwrap(), before);
    for _ in 0..2 {
        world.send(&whole).await;
        world.process().await;
    }
    let after = world.summary(session(1)).await.unwrap();
    let counts = after.counts.unwrap();
    assert_eq!((counts.dead_letters, counts.clicks, counts.navigations), (0, 2, 2));
    assert_eq!((after.dom_events, after.dom_bytes), (before.dom_events, before.dom_bytes));
    assert_eq!(after.streams[0].seen, 2);
    assert_eq!(world.events(session(1)).await.len(), 5);
    assert_eq!(world.frames(session(1)).await.len(), 2);
    replay(&world, letter.position).await;
    world.process().await;
    assert_eq!(letters(&world).await, [], "nothing of it is missing any more");
    assert_eq!(world.summary(session(1)).await.unwrap(), after);
}

#[tokio::test]
async fn what_a_limit_refused_passes_once_the_limit_is_raised() {
    let mut world = World::new().await;
    world.config.max_streams = 1;
    world.send(&Batch::new(1, 1, 0).page("https://a.example/")).await;
    world.send(&Batch::new(1, 2, 0).page("https://a.example/").key_frame("x")).await;
    world.process().await;
    world.config.max_streams = 2;
    replay(&world, letters(&world).await[0].position).await;
    world.process().await;
    assert_eq!(letters(&world).await, []);
    assert_eq!(world.frames(session(1)).await.keys().collect::<Vec<_>>(), [&(stream(2), 0)]);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_stops_its_session_alone() {
    let world = World::new().await;
    send_all(&world).await;
    world.process().await;
    let state = world.session_rows(&table::SESSION_STATE, session(1)).await.remove(0);
    let damage = Mutation::Put {
        table: &table::SESSION_STATE,
        key: state.key.clone(),
        value: vec![0xff; 20].into(),
        version: state.version + 1,
        expires_at_ms: None,
    };
    world.store.write(vec![damage]).await.unwrap();
    for id in 1..=3 {
        world.send(&batch(id, 5)).await;
    }
    world.process().await;
    assert_eq!(reasons(&world).await, [("state_unreadable".to_owned(), 5)]);
    assert_eq!(world.summary(session(3)).await.unwrap().streams[0].seen, 6);
    let mend = Mutation::Put {
        table: &table::SESSION_STATE,
        key: state.key,
        value: state.value,
        version: state.version + 2,
        expires_at_ms: None,
    };
    world.store.write(vec![mend]).await.unwrap();
    replay(&world, letters(&world).await[0].position).await;
    world.process().await;
    assert_eq!(letters(&world).await, []);
    assert_eq!(world.summary(session(1)).await.unwrap().streams[0].seen, 6);
}

#[tokio::test]
async fn a_session_whose_state_outgrows_a_row_stops_growing() {
    let world = World::new().await;
    let long = "x".repeat(1_000);
    for id in 0..1_000_u32 {
        let mut batch = Batch::new(1, 0, 0);
        batch.stream.0[..4].copy_from_slice(&id.to_be_bytes());
        let mut batch = batch.page(&format!("https://a.example/{id}/{long}"));
        let from = batch.from;
        for n in 0..2 {
            let reason = format!("{n}{long}");
            batch = batch.signal(json!({"k": "gap", "from": from, "to": from, "reason": reason}));
        }
        world.send(&batch).await;
    }
    world.send(&batch(2, 0)).await;
    world.process().await;
    let letters = letters(&world).await;
    assert!(letters.iter().all(|listed| listed.letter.reason == "session_too_large"));
    assert_eq!(letters.len(), 100, "bounded");
    let streams = world.summary(session(1)).await.unwrap().streams.len();
    assert!((300..1_000).contains(&streams), "{streams}");
    assert!(world.summary(session(2)).await.is_some());
}

#[tokio::test]
async fn batches_of_a_project_that_nobody_told_of_wait_as_dead_letters() {
    let world = World::new().await;
    world.send_as(43, &batch(1, 0)).await;
    world.send(&batch(2, 0)).await;
    world.process().await;
    let other = key::scope_columns(playhead_domain::scope::Scope::of_log_record(
        scope().tenant(),
        playhead_domain::id::ProjectId(43),
    ));
    assert_eq!(world.rows(&table::DEAD_LETTERS, other).await.len(), 1);
    assert!(world.summary(session(2)).await.is_some());
}

/// So many that the numbers around the letters' are not remembered one by one any more.
async fn go_on(world: &World, id: u8, from: u64) {
    for seq in from..from + 4_200 {
        world.send(&Batch::new(id, id, seq).signal(json!({"k": "click"}))).await;
    }
    world.process().await;
}

#[tokio::test]
async fn a_replay_has_its_effect_once_however_many_batches_came_since() {
    let world = World::new().await;
    send_all(&world).await;
    world.process_with(panic_at(&[(1, 1), (1, 3)]).0).await.unwrap();
    go_on(&world, 1, 5).await;
    let before = world.summary(session(1)).await.unwrap();
    assert_eq!(before.streams[0].seen, 4_203);
    for listed in letters(&world).await {
        for _ in 0..2 {
            replay(&world, listed.position).await;
        }
    }
    world.process().await;
    assert_eq!(letters(&world).await, []);
    let after = world.summary(session(1)).await.unwrap();
    assert_eq!(after.streams[0].seen, 4_205);
    assert_eq!(after.counts.unwrap().navigations, before.counts.unwrap().navigations + 2);
    assert_eq!(world.frames(session(1)).await.len(), 5);
}

#[tokio::test]
async fn a_replay_of_what_is_not_remembered_leaves_the_letter_and_says_why() {
    let world = World::new().await;
    send_all(&world).await;
    world.process_with(panic_at(&[(1, 1)]).0).await.unwrap();
    // As many gaps, each of one batch, as are remembered.
    for n in 0..300 {
        world.send(&Batch::new(1, 1, 6 + 2 * n).signal(json!({"k": "click"}))).await;
    }
    go_on(&world, 1, 700).await;
    let before = world.summary(session(1)).await.unwrap();
    let letter = letters(&world).await.remove(0);
    replay(&world, letter.position).await;
    world.process().await;
    let kept = letters(&world).await;
    assert_eq!((kept.len(), kept[0].position), (1, letter.position));
    assert_eq!(kept[0].letter.reason, "too_late");
    assert!(kept[0].letter.detail.contains("more of this page is missing than is remembered"));
    assert_eq!(world.summary(session(1)).await.unwrap(), before);
    assert_eq!(world.intake().await.dead_letters.len(), 1, "a replay is not counted");
}

#[tokio::test]
async fn a_replay_of_signals_that_are_not_remembered_to_be_missing_leaves_the_letter() {
    let world = World::new().await;
    let broken = |seq| {
        let mut batch = batch(1, seq);
        batch.signals_raw = Some(1);
        batch
    };
    for seq in 0..100 {
        world.send(&broken(seq)).await;
    }
    world.process().await;
    // Each letter but the first is out of the way, so that there is room for more of them than are remembered.
    let listed = letters(&world).await;
    let rows = world.rows(&table::DEAD_LETTERS, key::scope_columns(scope())).await;
    let deletes = rows.into_iter().skip(1).map(|row| Mutation::Delete {
        table: &table::DEAD_LETTERS,
        key: row.key,
        version: row.version,
    });
    world.store.write(deletes.collect()).await.unwrap();
    for seq in 100..150 {
        world.send(&broken(seq)).await;
    }
    world.process().await;
    let last = letters(&world).await.pop().unwrap();
    assert_eq!((listed[0].letter.seq, last.letter.seq), (0, 149));
    replay(&world, last.position).await;
    world.process().await;
    let kept = letters(&world).await.pop().unwrap();
    assert_eq!((kept.letter.seq, kept.letter.reason.as_str()), (149, "too_late"));
}

#[tokio::test]
async fn a_letter_is_kept_as_long_as_its_record_and_then_makes_room() {
    const DAY_MS: i64 = 86_400_000;
    let mut world = World::new().await;
    world.config.max_dead_letters = 1;
    send_all(&world).await;
    world.process_with(panic_at(&[(1, 1), (1, 2)]).0).await.unwrap();
    assert_eq!(reasons(&world).await.len(), 1, "there is no room for more");
    world.pass(7 * DAY_MS - 60_000);
    let position = letters(&world).await.remove(0).position;
    assert!(world.log.offsets(topic::BATCHES, position.partition).await.unwrap().contains(&position.offset));
    world.pass(60_000);
    assert_eq!(letters(&world).await, [], "nobody could send it through again");
    world.send(&batch(1, 6)).await;
    world.process_with(panic_at(&[(1, 6)]).0).await.unwrap();
    assert_eq!(reasons(&world).await, [("panicked".to_owned(), 6)]);
}
