//! Errors of minified code, grouped by what source maps tell of it.

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use playhead_domain::row::{IssueTotals, SourceMapArtifact, SourceMapContent};
use playhead_domain::source_map::key::{ArtifactId, object_of_upload};
use playhead_domain::source_map::{artifact, repository};
use playhead_stream_processor::{Hooks, Step};
use serde_json::json;

use crate::issues::issues;
use crate::steps::stop_at;
use crate::world::{Batch, World, scope};

/// What a bundler made of three lines: `export function pay(cart) {`, `  return cart.total;`, `}`.
const CODE: &str = "function a(t){return t.total}export{a as pay};";
const FILE: &str = "https://shop.example/assets/index.js";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// `a` is `pay` of line 7 in that file.
fn map(source: &str) -> String {
    json!({"version": 3, "sources": [source], "sourcesContent": ["//"], "names": ["pay", "cart"],
        "mappings": "AAMO,SAASA,EAAIC,GAClB,OAAOA,EAAK,KACd"})
    .to_string()
}

/// Uploads a map of the bundle in release `shop@1`.
async fn upload(world: &World, source: &str) -> ArtifactId {
    let content = SourceMapContent { code: CODE.to_owned(), map: map(source) };
    store(world, source, &artifact::pack(&content).unwrap()).await
}

async fn store(world: &World, source: &str, packed: &[u8]) -> ArtifactId {
    let (release, path) = ("shop@1", "assets/index.js");
    let id = ArtifactId::of(release, path, None, CODE, &map(source));
    let now_ms = world.now_ms();
    let object = object_of_upload(scope(), id, now_ms.to_be_bytes());
    world.blobs.put(&Path::from(object.as_str()), Bytes::copy_from_slice(packed).into()).await.unwrap();
    let row = SourceMapArtifact {
        release: release.to_owned(),
        path: path.to_owned(),
        uploaded_us: now_ms * 1_000,
        raw_bytes: 500,
        expires_at_ms: now_ms + 30 * DAY_MS,
        object,
        ..SourceMapArtifact::default()
    };
    repository::add(&*world.store, scope(), id, &row, now_ms * 1_000).await.unwrap();
    id
}

async fn delete(world: &World, id: ArtifactId) {
    repository::remove(&*world.store, scope(), id, world.now_ms() * 1_000).await.unwrap();
}

/// The `seq`th batch of a session, with an error of the minified function.
fn error(session: u8, seq: u64) -> Batch {
    let batch = Batch::new(session, session, seq);
    let batch = if seq == 0 { batch.page("https://shop.example/cart") } else { batch };
    batch.signal(json!({"k": "error", "type": "TypeError", "message": "t is undefined", "mechanism": "uncaught",
        "url": "https://shop.example/cart", "stack": format!("TypeError: t is undefined\n    at a ({FILE}:1:23)")}))
}

/// Version of the grouping, culprit and events of each issue.
async fn told(world: &World) -> Vec<(u32, String, u64)> {
    let version = |totals: &IssueTotals| totals.latest.as_ref().unwrap().grouping_version;
    let culprit = |totals: &IssueTotals| totals.latest.as_ref().unwrap().culprit.clone();
    let all = issues(world).await;
    let mut told: Vec<_> =
        all.values().map(|totals| (version(totals), culprit(totals), totals.events)).collect();
    told.sort_unstable();
    told
}

fn as_told(culprit: &str, version: u32, events: u64) -> (u32, String, u64) {
    (version, culprit.to_owned(), events)
}

const BEFORE: &str = "a (/assets/index.js)";
const NAMED: &str = "pay (/src/pay.ts)";

#[tokio::test]
async fn a_map_counts_from_a_minute_after_its_upload() {
    let world = World::new().await;
    world.send(&error(1, 0)).await;
    upload(&world, "../../src/pay.ts").await;
    world.send(&error(1, 1)).await;
    world.process().await;
    assert_eq!(told(&world).await, [as_told(BEFORE, 1, 2)]);
    world.pass(MINUTE_MS - 10);
    world.send(&error(1, 2)).await;
    world.process().await;
    assert_eq!(told(&world).await, [as_told(BEFORE, 1, 3)]);
    world.pass(MINUTE_MS);
    world.send(&error(1, 3)).await;
    world.send(&error(2, 0)).await;
    world.process().await;
    assert_eq!(told(&world).await, [as_told(BEFORE, 1, 3), as_told(NAMED, 2, 2)]);
}

/// In one range or in many, and however often it is tried, a record finds the map that counts for it.
#[tokio::test]
async fn a_redo_finds_what_the_first_try_found() {
    for step in [Step::Folded, Step::RowsWritten(0), Step::RowsWritten(3), Step::LookedBack] {
        let world = World::new().await;
        let first = upload(&world, "../../src/pay.ts").await;
        world.pass(2 * MINUTE_MS);
        world.send(&error(1, 0)).await;
        let _ = world.process_with(stop_at(step, 0)).await;
        // What changes between two tries counts for neither.
        delete(&world, first).await;
        world.pass(10);
        upload(&world, "../../src/second.ts").await;
        world.pass(30 * MINUTE_MS);
        world.process().await;
        assert_eq!(told(&world).await, [as_told(NAMED, 2, 1)], "{step:?}");
        world.send(&error(1, 1)).await;
        world.process().await;
        let all = [as_told(NAMED, 2, 1), as_told("pay (/src/second.ts)", 2, 1)];
        assert_eq!(told(&world).await, all, "{step:?}");
    }
}

#[tokio::test]
async fn a_deleted_map_counts_for_another_minute_and_its_object_goes_later() {
    let world = World::new().await;
    let id = upload(&world, "../../src/pay.ts").await;
    world.pass(2 * MINUTE_MS);
    delete(&world, id).await;
    assert_eq!(repository::one(&*world.store, scope(), id, world.now_ms() * 1_000).await.unwrap(), None);
    world.pass(MINUTE_MS - 10);
    world.send(&error(1, 0)).await;
    world.pass(MINUTE_MS);
    world.send(&error(1, 1)).await;
    world.pass(30 * MINUTE_MS);
    let running = world.start().await;
    world.catch_up().await;
    assert_eq!(told(&world).await, [as_told(BEFORE, 1, 1), as_told(NAMED, 2, 1)]);
    running.processor.collect_now().await.unwrap();
    assert!(world.objects().await.iter().any(|object| object.starts_with("maps/")));
    world.pass(40 * MINUTE_MS);
    running.processor.collect_now().await.unwrap();
    assert!(!world.objects().await.iter().any(|object| object.starts_with("maps/")));
    running.stop().await;
}

#[tokio::test]
async fn a_broken_map_names_nothing() {
    let world = World::new().await;
    store(&world, "../../src/pay.ts", b"no map").await;
    world.pass(2 * MINUTE_MS);
    world.send(&error(1, 0)).await;
    world.process_with(Hooks::default()).await.unwrap();
    assert_eq!(told(&world).await, [as_told(BEFORE, 1, 1)]);
}
