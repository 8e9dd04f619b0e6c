use std::io::Write;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use playhead_domain::id::SessionId;
use playhead_domain::row::{Block, BlockFrame, BlockSegment, Frame};
use playhead_domain::seal::{BlockCompressor, DataKey, Effort};
use playhead_domain::session::key;
use playhead_domain::table;
use serde_json::Value;

use crate::app::{App, NOON, Project, STREAM, summary};

const START: i64 = NOON - 600_000;

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A frame that declares what `text` is.
fn declared(text: &str, at_ms: i64) -> Frame {
    Frame {
        raw_bytes: u32::try_from(text.len()).unwrap(),
        encoding: "deflate".to_owned(),
        key_frame: at_ms == 0,
        events: 1,
        from_ms: START + at_ms,
        to_ms: START + at_ms + 9,
        ..Frame::default()
    }
}

async fn session(app: &App) -> (Project, SessionId, DataKey) {
    let project = app.project("shop").await;
    let id = app.session(&project, summary(1, START)).await;
    let key = app.data_key(&project, id).await;
    (project, id, key)
}

async fn add(app: &App, at: &(Project, SessionId, DataKey), seq: u64, text: &str) {
    let frame = declared(text, i64::try_from(seq).unwrap() * 10);
    app.frame(&at.0, at.1, &at.2, seq, &deflate(text), frame).await;
}

async fn manifest(app: &App, at: &(Project, SessionId, DataKey)) -> Value {
    app.read(&at.0, &format!("/sessions/{}/replay", at.1)).await
}

fn hrefs(manifest: &Value) -> Vec<String> {
    let segments = manifest["streams"][0]["segments"].as_array().unwrap();
    segments.iter().map(|segment| segment["href"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_manifest_names_segments_that_play() {
    let app = App::new().await;
    let at = session(&app).await;
    add(&app, &at, 0, "{\"type\":4}\n{\"type\":2}\n").await;
    add(&app, &at, 1, "{\"type\":3}\n").await;
    let shown = manifest(&app, &at).await;
    insta::assert_json_snapshot!(shown, {
        ".streams[].segments[].id" => "[id]", ".streams[].segments[].href" => "[href]", ".streams[].segments[].range" => "[range]",
        ".streams[].segments[].bytes" => "[bytes]"
    });
    let mut lines = String::new();
    for href in hrefs(&shown) {
        let segment = app.get(&href, &at.0.secret).await;
        assert_eq!(segment.status, StatusCode::OK);
        assert_eq!(segment.headers[header::CONTENT_TYPE], "application/x-ndjson");
        assert!(segment.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert!(segment.headers.get("x-playhead-gap").is_none());
        lines.push_str(segment.text());
    }
    assert_eq!(lines, "{\"type\":4}\n{\"type\":2}\n{\"type\":3}\n");
}

#[tokio::test]
async fn a_known_manifest_is_not_sent_again_until_there_is_more() {
    let app = App::new().await;
    let at = session(&app).await;
    add(&app, &at, 0, "{}\n").await;
    let path = format!("/api/v1/projects/{}/sessions/{}/replay", at.0.id, at.1);
    let tag = app.get(&path, &at.0.secret).await.headers[header::ETAG].clone();
    let again = |tag: header::HeaderValue| {
        let request = Request::builder().uri(&path).header(header::IF_NONE_MATCH, tag);
        request.header(header::AUTHORIZATION, format!("Bearer {}", at.0.secret)).body(Body::empty()).unwrap()
    };
    let same = app.send(again(tag.clone())).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    add(&app, &at, 1, "{}\n").await;
    assert_eq!(app.send(again(tag)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_parts_of_a_split_event_are_joined() {
    let app = App::new().await;
    let at = session(&app).await;
    let line = format!("{{\"data\":\"{}\"}}\n", "x".repeat(1_000));
    for (seq, part) in [&line[..400], &line[400..800], &line[800..]].into_iter().enumerate() {
        let index = u32::try_from(seq).unwrap();
        let frame = Frame { part_index: index, part_count: 3, ..declared(part, 0) };
        app.frame(&at.0, at.1, &at.2, seq as u64, &deflate(part), frame).await;
    }
    let shown = manifest(&app, &at).await;
    assert_eq!(hrefs(&shown).len(), 1);
    assert_eq!(app.get(&hrefs(&shown)[0], &at.0.secret).await.text(), line);
}

#[tokio::test]
async fn a_hostile_frame_stops_at_what_it_declared_and_says_why() {
    let app = App::new().await;
    let at = session(&app).await;
    let bomb = format!("{{\"a\":1}}\n{}", " ".repeat(20 << 20));
    let frame = Frame { raw_bytes: 100, ..declared("", 0) };
    app.frame(&at.0, at.1, &at.2, 0, &deflate(&bomb), frame).await;
    let torn = deflate("{\"a\":1}\n{\"b\":2}\n");
    app.frame(&at.0, at.1, &at.2, 1, &torn[..torn.len() - 6], declared("{\"a\":1}\n{\"b\":2}\n", 10)).await;
    let nonsense = Frame { raw_bytes: u32::MAX, ..declared("", 20) };
    app.frame(&at.0, at.1, &at.2, 2, b"nonsense", nonsense).await;
    let links = hrefs(&manifest(&app, &at).await);
    for (href, reason) in links.iter().zip(["frame_too_long", "frame_corrupt", "frame_corrupt"]) {
        let segment = app.get(href, &at.0.secret).await;
        assert_eq!(segment.status, StatusCode::OK);
        assert_eq!(segment.headers["x-playhead-gap"], reason, "{href}");
        assert!(segment.text().is_empty() || segment.text().ends_with('\n'), "whole lines only");
        assert!(segment.body.len() <= 100);
    }
}

#[tokio::test]
async fn a_block_is_cut_into_its_segments() {
    let app = App::new().await;
    let at = session(&app).await;
    let raw = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";
    let sealed =
        at.2.seal_block(at.1, raw.as_bytes(), &mut BlockCompressor::new(Effort::Quick).unwrap()).unwrap();
    let cut = |raw_offset, raw_bytes, first_seq, last_seq| BlockSegment {
        raw_offset,
        raw_bytes,
        first_seq,
        last_seq,
        from_ms: START,
        to_ms: START,
        key_frame: raw_offset == 0,
    };
    let block = Block {
        object: "blocks/2026-02-01/x".to_owned(),
        bytes: u32::try_from(sealed.len()).unwrap(),
        raw_bytes: 24,
        last_seq: 2,
        frames: (0..3).map(|seq| BlockFrame { seq, ..BlockFrame::default() }).collect(),
        segments: vec![cut(0, 16, 0, 1), cut(16, 8, 2, 2)],
        ..Block::default()
    };
    app.object(&block.object, sealed).await;
    app.put(&table::SESSION_BLOCKS, key::batch(at.0.scope, at.1, STREAM, 0), block).await;
    // A frame that compaction has not removed yet is not shown twice.
    add(&app, &at, 1, "{\"b\":2}\n").await;
    let links = hrefs(&manifest(&app, &at).await);
    let mut texts = Vec::new();
    for href in &links {
        texts.push(app.get(href, &at.0.secret).await.text().to_owned());
    }
    assert_eq!(texts, ["{\"a\":1}\n{\"b\":2}\n", "{\"c\":3}\n"]);
}

#[tokio::test]
async fn times_count_from_the_start_of_the_session() {
    let app = App::new().await;
    let at = session(&app).await;
    app.frame(&at.0, at.1, &at.2, 0, &deflate("{}\n"), declared("{}\n", 40)).await;
    let shown = manifest(&app, &at).await;
    assert_eq!(shown["started_at"], START);
    let stream = &shown["streams"][0];
    assert_eq!(stream["segments"][0]["from_ms"], 40);
    assert!(stream["from_ms"].as_i64().unwrap() < 1_000_000 && stream["to_ms"].as_i64().unwrap() < 1_000_000);
}

#[tokio::test]
async fn a_segment_that_moved_is_not_found_under_its_old_name() {
    let app = App::new().await;
    let at = session(&app).await;
    add(&app, &at, 0, "{}\n").await;
    let href = hrefs(&manifest(&app, &at).await)[0].clone();
    let moved = format!("{}0000", &href[..href.len() - 4]);
    let answer = app.get(&moved, &at.0.secret).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
}
