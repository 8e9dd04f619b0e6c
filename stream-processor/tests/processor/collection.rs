//! Objects that nothing needs go; what is needed stays.

use crate::world::{Batch, World, scope, session, stream};

const DAY_MS: i64 = 86_400_000;

async fn kinds(world: &World) -> (usize, usize) {
    let objects = world.objects().await;
    let flushes = objects.iter().filter(|name| name.starts_with("flush/")).count();
    (flushes, objects.len() - flushes)
}

#[tokio::test]
async fn a_flush_object_lives_until_all_its_sessions_are_compacted() {
    let world = World::new().await;
    let running = world.start().await;
    world.send(&Batch::new(1, 1, 0).key_frame("one")).await;
    world.catch_up().await;
    world.pass(50_000);
    world.send(&Batch::new(2, 1, 0).key_frame("two")).await;
    world.catch_up().await;
    assert_eq!(running.processor.collect_now().await.unwrap(), 0);
    world.pass(20_000);
    assert_eq!(running.processor.compact_now().await.unwrap(), 1);
    assert_eq!(running.processor.collect_now().await.unwrap(), 1, "the first session's");
    assert_eq!(kinds(&world).await, (1, 1));
    assert_eq!(world.frames(session(2)).await.len(), 1, "the second is still read from its frames");
    assert_eq!(world.compacted(session(1)).await[&stream(1)], Batch::new(1, 1, 0).key_frame("one").dom);
    running.stop().await;
}

#[tokio::test]
async fn an_object_without_rows_is_collected() {
    use object_store::ObjectStoreExt;
    let world = World::new().await;
    let running = world.start().await;
    let name = object_store::path::Path::from("flush/2096-10-02/orphan");
    world.blobs.put(&name, "left behind".into()).await.unwrap();
    world.blobs.put(&object_store::path::Path::from("other/file"), "not ours".into()).await.unwrap();
    assert_eq!(running.processor.collect_now().await.unwrap(), 1);
    assert_eq!(world.objects().await.into_iter().collect::<Vec<_>>(), ["other/file"]);
    running.stop().await;
}

#[tokio::test]
async fn what_is_over_its_retention_is_gone_from_rows_and_blobs() {
    let world = World::new().await;
    world.project(|project| project.retention_days = 3).await;
    let running = world.start().await;
    world.send(&Batch::new(1, 1, 0).page("https://a.example/").key_frame("one")).await;
    world.catch_up().await;
    world.pass(61_000);
    assert_eq!(running.processor.compact_now().await.unwrap(), 1);
    world.send(&Batch::new(2, 1, 0).page("https://a.example/").key_frame("never compacted")).await;
    world.catch_up().await;
    world.pass(2 * DAY_MS);
    running.processor.collect_now().await.unwrap();
    assert_eq!(kinds(&world).await, (1, 1), "kept while it may be");
    world.pass(2 * DAY_MS);
    running.processor.collect_now().await.unwrap();
    assert_eq!(kinds(&world).await, (0, 0));
    for id in [session(1), session(2)] {
        assert!(world.summary(id).await.is_none());
        assert!(world.data_key(id).await.is_none());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_source_map_without_its_row_is_collected() {
    use object_store::{ObjectStoreExt, path::Path};
    use playhead_domain::row::SourceMapArtifact;
    use playhead_domain::source_map::key;
    use playhead_domain::store::Mutation;
    use prost::Message;
    let world = World::new().await;
    let running = world.start().await;
    let [kept, orphan] = [1, 2].map(|number| key::ArtifactId([number; 16]));
    for id in [kept, orphan] {
        world.blobs.put(&Path::from(key::object(scope(), id)), "a map".into()).await.unwrap();
    }
    let row = Mutation::Put {
        table: &playhead_domain::table::SOURCE_MAPS,
        key: key::artifact(scope(), kept),
        value: SourceMapArtifact::default().encode_to_vec().into(),
        version: 1,
        expires_at_ms: None,
    };
    world.store.write(vec![row]).await.unwrap();
    assert_eq!(running.processor.collect_now().await.unwrap(), 1);
    assert_eq!(world.objects().await.into_iter().collect::<Vec<_>>(), [key::object(scope(), kept)]);
    running.stop().await;
}
