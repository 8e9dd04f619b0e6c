//! Rules while the stream is behind.

use std::sync::Arc;

use playhead_domain::log::Record;
use playhead_domain::row::PartitionControl;
use playhead_domain::session::key;
use playhead_domain::table;
use prost::Message;
use serde_json::json;

use crate::alerting::{MINUTE, Post, count, round, rule, three_in_five, without_defaults, worker};
use crate::app::{App, NOON, batches};

/// A partition that does not get on holds up no rule that counts: what is there triggers, and says so. It is over when the stream is there.
#[tokio::test]
async fn a_part_of_the_log_that_is_behind_does_not_stop_the_counting() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, three_in_five(0)).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    let record = Record { key: vec![1; 16].into(), value: vec![1].into(), meta: vec![].into() };
    let position = app.log.append(batches().name, record).await.unwrap();
    for _ in 0..20 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    let happened = NOON + 20 * MINUTE;
    count(&app, &project, 1, &[happened, happened + 1, happened + 2]).await;
    for _ in 0..20 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered"], "once, and not over while it is not known what else came");
    assert!(post.carried()[0].why.contains("counted so far"), "{}", post.carried()[0].why);
    let control = PartitionControl { next_offset: position.offset + 1, ..PartitionControl::default() };
    let place = key::control(batches().name, position.partition);
    let value = Some(control.encode_to_vec().into());
    app.store.compare_and_set(&table::PARTITION_CONTROL, &place, None, value, None).await.unwrap();
    for _ in 0..3 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered", "resolved"]);
}

/// Where the last evaluation was does not tell a new process how far the stream is: it is as patient as with any delay.
#[tokio::test]
async fn a_process_that_begins_after_a_pause_does_not_take_the_stream_for_behind() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    rule(&app, &project, three_in_five(0)).await;
    let before = worker(&app, &post);
    round(&app, &project, &before).await;
    before.release().await;
    app.advance(20 * MINUTE);
    let record = Record { key: vec![1; 16].into(), value: vec![1].into(), meta: vec![].into() };
    app.log.append(batches().name, record).await.unwrap();
    let happened = NOON + 20 * MINUTE;
    count(&app, &project, 1, &[happened, happened + 1, happened + 2]).await;
    let worker = worker(&app, &post);
    for _ in 0..2 {
        round(&app, &project, &worker).await;
        assert_eq!(post.told(), [""; 0], "it has not seen the stream yet");
        app.advance(MINUTE);
    }
    for _ in 0..20 {
        app.advance(MINUTE);
        round(&app, &project, &worker).await;
    }
    assert_eq!(post.told(), ["triggered"], "it has waited long enough");
}

#[tokio::test]
async fn silence_is_that_nothing_came_not_that_the_processor_is_behind() {
    let (app, post) = (App::new().await, Arc::new(Post::default()));
    let project = app.project("shop").await;
    without_defaults(&app, &project).await;
    let draft = json!({"name": "silent", "condition": {"kind": "silent", "window_minutes": 5}, "channels": ["ops"], "throttle_minutes": 0});
    rule(&app, &project, draft).await;
    let worker = worker(&app, &post);
    round(&app, &project, &worker).await;
    // A batch is in the log, and the processor does not get to it.
    let record = Record { key: vec![1; 16].into(), value: vec![1].into(), meta: vec![].into() };
    let position = app.log.append(batches().name, record).await.unwrap();
    for _ in 0..10 {
        app.advance(2 * MINUTE);
        worker.evaluate().await;
    }
    assert_eq!(worker.deliver().await, 0);
    assert_eq!(post.told(), [""; 0]);
    let control = PartitionControl { next_offset: position.offset + 1, ..PartitionControl::default() };
    let place = key::control(batches().name, position.partition);
    let value = Some(control.encode_to_vec().into());
    app.store.compare_and_set(&table::PARTITION_CONTROL, &place, None, value, None).await.unwrap();
    // That brought the project nothing: what the stream says now is true.
    for _ in 0..3 {
        app.advance(MINUTE);
        worker.evaluate().await;
        worker.deliver().await;
    }
    assert_eq!(post.told(), ["triggered"]);
    assert_eq!(post.carried()[0].title, "shop receives nothing");
    round(&app, &project, &worker).await;
    assert_eq!(post.told(), ["triggered", "resolved"]);
}
