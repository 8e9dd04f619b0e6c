//! Partitions that change hands at a bad moment.

use std::sync::Arc;
use std::time::Duration;

use playhead_backends::log::memory::MemoryLog;
use playhead_domain::log::EventLog;
use playhead_domain::log::generation::FromGeneration;
use playhead_domain::row::{FlushIntent, PartitionControl};
use playhead_domain::session::key;
use playhead_domain::store::{Row, Swap};
use playhead_domain::{table, topic};
use playhead_stream_processor::{Error, Step};
use prost::Message;

use crate::steps::{hold_at, stop_at};
use crate::world::{Batch, PARTITIONS, World, session, settable_clock, spec};

const DAY_MS: i64 = 86_400_000;

fn batch(id: u8, seq: u64) -> Batch {
    Batch::new(id, id, seq).page(&format!("https://a.example/{seq}")).key_frame("page")
}

/// Takes every partition over as a process would that does not know yet that it does not own them any more.
async fn steal(world: &World) {
    for partition in 0..PARTITIONS {
        let key = key::control(topic::BATCHES, partition);
        loop {
            let now = world.store.get_serial(&table::PARTITION_CONTROL, &key).await.unwrap().unwrap();
            let old = PartitionControl::decode(now.clone()).unwrap();
            let next = PartitionControl { epoch: old.epoch + 1, owner: "somebody".to_owned(), ..old };
            let next = Some(next.encode_to_vec().into());
            let swap = world.store.compare_and_set(&table::PARTITION_CONTROL, &key, Some(&now), next, None);
            if swap.await.unwrap() == Swap::Applied {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_partition_that_a_straggler_took_is_taken_back_by_whom_the_group_says() {
    let world = World::new().await;
    let running = world.start().await;
    for seq in 0..3 {
        for id in 1..=4 {
            world.send(&batch(id, seq)).await;
        }
        steal(&world).await;
        world.send(&batch(5, seq)).await;
        world.catch_up().await;
    }
    running.stop().await;
    for id in 1..=5 {
        assert_eq!(world.frames(session(id)).await.len(), 3, "{id}");
    }
}

/// As if the control rows came from an older backup than the others.
async fn set_back(world: &World, partition: u32, to: u64) {
    let key = key::control(topic::BATCHES, partition);
    let now = world.store.get_serial(&table::PARTITION_CONTROL, &key).await.unwrap().unwrap();
    let old = PartitionControl::decode(now.clone()).unwrap();
    let intent = Some(FlushIntent { from: 0, to, write_us: old.last_write_us + 1 });
    let next = PartitionControl { next_offset: 0, intent, ..old };
    let next = Some(next.encode_to_vec().into());
    let swap = world.store.compare_and_set(&table::PARTITION_CONTROL, &key, Some(&now), next, None);
    assert_eq!(swap.await.unwrap(), Swap::Applied);
}

#[tokio::test]
async fn a_partition_whose_sessions_are_ahead_of_its_progress_stands_still_and_writes_nothing() {
    let world = World::new().await;
    for seq in 0..3 {
        world.send(&batch(1, seq)).await;
        world.process().await;
    }
    let partition = world.checkpoints().await.iter().position(|(next, _)| *next == 3).unwrap();
    set_back(&world, u32::try_from(partition).unwrap(), 1).await;
    let rows = world.memory.as_ref().unwrap().rows();
    let effects = |rows: &[(&str, Row)]| {
        let others = rows.iter().filter(|(table, _)| *table != table::PARTITION_CONTROL.name);
        others.map(|(table, row)| format!("{table} {row:?}")).collect::<Vec<_>>()
    };
    let running = world.spawn(Default::default());
    // It owns it, so that it is not a straggler that gives up for good: it tries again.
    while running.metric("playhead_processor_lost_partitions_total") < 2.0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(running.processor.owned_partitions(), PARTITIONS as usize - 1);
    running.stop().await;
    assert_eq!(world.checkpoints().await[partition], (0, Some((0, 1))));
    assert_eq!(effects(&world.memory.as_ref().unwrap().rows()), effects(&rows));
}

#[tokio::test]
async fn an_intent_whose_records_expired_is_finished_and_what_is_lost_is_told() {
    let world = World::new().await;
    world.send(&batch(1, 0)).await;
    let stopped = world.process_with(stop_at(Step::IntentRecorded, 0)).await;
    assert!(matches!(stopped, Err(Error::Stopped(_))));
    world.pass(8 * DAY_MS);
    let mut late = batch(2, 0);
    late.from = world.now_ms();
    world.send(&late).await;
    let running = world.start().await;
    assert_eq!(running.metric("playhead_processor_expired_records_total"), 1.0);
    running.stop().await;
    assert!(world.summary(session(1)).await.is_none());
    assert!(world.summary(session(2)).await.is_some());
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_not_taken_for_an_empty_one() {
    let mut world = World::new().await;
    for id in 1..=8 {
        world.send(&batch(id, 0)).await;
    }
    world.process().await;
    world.send(&batch(1, 1)).await;
    let stopped = world.process_with(stop_at(Step::IntentRecorded, 0)).await;
    assert!(matches!(stopped, Err(Error::Stopped(_))));
    let before = world.checkpoints().await;
    // The whole log is gone and starts from nothing.
    let (_, clock) = settable_clock();
    let empty = MemoryLog::new(clock);
    empty.ensure_topic(&spec()).await.unwrap();
    world.log = Arc::new(empty);
    let epochs = world.epochs().await;
    let running = world.spawn(Default::default());
    world.taken_over_since(&epochs).await;
    world.send(&batch(9, 0)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running.processor.owned_partitions(), 0);
    running.stop().await;
    assert_eq!(world.checkpoints().await, before, "neither the checkpoint nor the intent moved");
}

/// Another log, of a later generation with one more partition, so that sessions move.
async fn next_generation(world: &mut World, generation: u32) {
    let log = Arc::new(MemoryLog::new(world.clock()));
    let kept = Duration::from_secs(7 * 86_400);
    world.topic = topic::batches_of(generation, world.topic.partitions + 1, kept);
    log.ensure_topic(&world.topic).await.unwrap();
    world.log = Arc::new(FromGeneration::new(log, world.topic.name, generation));
}

#[tokio::test]
async fn a_new_generation_goes_on_where_a_lost_log_stopped() {
    let mut world = World::new().await;
    for generation in 0..3_u64 {
        for seq in 2 * generation..2 * generation + 2 {
            for id in 1..=8 {
                world.send(&batch(id, seq)).await;
            }
            // With and without states in memory.
            world.process().await;
        }
        if generation > 0 {
            // What a browser sends again because the answer got lost with the log.
            world.send(&batch(1, 2 * generation - 1)).await;
            world.process().await;
        }
        let intake = world.intake().await;
        assert_eq!((intake.batches, intake.new_sessions), (16 * (generation + 1) + generation, 8));
        assert_eq!(intake.duplicates, generation);
        for id in 1..=8 {
            let summary = world.summary(session(id)).await.unwrap();
            assert_eq!(summary.streams[0].seen, 2 * generation + 2, "{id}");
            assert_eq!(world.frames(session(id)).await.len() as u64, 2 * generation + 2);
        }
        // It stops within a flush, which nobody can redo.
        world.send(&batch(9, generation)).await;
        let stopped = world.process_with(stop_at(Step::IntentRecorded, 0)).await;
        assert!(matches!(stopped, Err(Error::Stopped(_))));
        next_generation(&mut world, u32::try_from(generation).unwrap() + 1).await;
    }
    let lost = world.start().await;
    assert_eq!(lost.metric("playhead_processor_expired_records_total"), 0.0);
    lost.stop().await;
}

#[tokio::test]
async fn rows_that_come_too_late_for_their_object_are_written_again_with_another() {
    let world = World::new().await;
    world.send(&batch(1, 0)).await;
    let (hooks, gate) = hold_at(Step::ObjectWritten, 0);
    let sleeper = world.spawn(hooks);
    gate.reached().await;
    // A machine sleeps, or a process is stopped; meanwhile another one collects what no row refers to.
    world.pass(20 * 60_000);
    assert_eq!(world.processor(Default::default()).collect_now().await.unwrap(), 1);
    gate.let_go();
    world.catch_up().await;
    sleeper.stop().await;
    assert_eq!(world.frames(session(1)).await.len(), 1);
    assert_eq!(world.objects().await.len(), 1);
}
