//! What was erased is gone and stays gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use playhead_domain::erasure::{Erasure, USER_HASH_PURPOSE};
use playhead_domain::session::{facet, key};
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::{self, Table};
use playhead_stream_processor::Step;
use serde_json::json;

use crate::steps::{hold_at, stop_at};
use crate::world::{Batch, START_MS, World, embedded, installation, scope, session};

fn shopper(id: u8, seq: u64, user: &str) -> Batch {
    let batch = Batch::new(id, id, seq).page("https://a.example/").key_frame("page");
    batch.signal(json!({"k": "identify", "id": user, "email": format!("{user}@example.org")}))
}

async fn assert_gone(world: &World, id: u8) {
    let id = session(id);
    assert!(world.summary(id).await.is_none() && world.data_key(id).await.is_none());
    for table in
        [&table::SESSION_STATE, &table::SESSION_EVENTS, &table::SESSION_FRAMES, &table::SESSION_BLOCKS]
    {
        assert!(world.session_rows(table, id).await.is_empty(), "{}", table.name);
    }
    assert!(world.names().await.iter().all(|(witness, _)| *witness != id));
    let day = key::day(START_MS);
    let listed =
        world.rows(&table::SESSIONS_BY_START, key::by_start_partition(scope(), day, key::shard(id))).await;
    assert!(listed.iter().all(|row| key::start_of(&row.key.clustering).unwrap().1 != id));
    for (name, value) in [(facet::USER, "ana"), (facet::EMAIL, "ana@example.org"), (facet::PAGE, "/")] {
        let partition = key::facet_partition(scope(), name, value, day, key::shard(id));
        let rows = world.rows(&table::SESSION_FACETS, partition).await;
        assert!(rows.iter().all(|row| key::start_of(&row.key.clustering).unwrap().1 != id), "{name}");
    }
}

#[tokio::test]
async fn a_session_that_is_still_sending_stays_erased() {
    let world = World::new().await;
    let running = world.start().await;
    world.send(&shopper(1, 0, "ana")).await;
    world.send(&shopper(2, 0, "ben")).await;
    world.catch_up().await;
    assert!(world.summary(session(1)).await.is_some());
    world.erasure().erase_session(scope(), session(1), world.now_ms()).await.unwrap();
    assert_gone(&world, 1).await;
    for seq in 1..4 {
        world.send(&shopper(1, seq, "ana")).await;
        world.catch_up().await;
        assert_gone(&world, 1).await;
    }
    assert!(world.erasure().is_session_erased(scope(), session(1)).await.unwrap());
    assert!(world.summary(session(2)).await.is_some(), "others stay");
    assert_eq!(world.intake().await.suppressed, 3);
    assert_eq!(world.names().await, [(session(2), "/".to_owned())], "what is left stands for the name");
    running.stop().await;
    // A new process knows it, too.
    world.send(&shopper(1, 4, "ana")).await;
    world.process().await;
    assert_gone(&world, 1).await;
}

#[tokio::test]
async fn a_user_is_erased_in_what_was_and_in_what_began_before() {
    let world = World::new().await;
    let running = world.start().await;
    world.send(&shopper(1, 0, "ana")).await;
    world.send(&shopper(2, 0, "ben")).await;
    // Begins before the request and says only later who it is.
    world.send(&Batch::new(3, 3, 0).page("https://a.example/")).await;
    world.catch_up().await;
    world.pass(5_000);
    assert_eq!(world.erasure().erase_user(scope(), "Ana@Example.org", world.now_ms()).await.unwrap(), 1);
    assert_gone(&world, 1).await;
    world.send(&shopper(3, 1, "ana")).await;
    world.catch_up().await;
    assert_gone(&world, 3).await;
    assert!(world.erasure().is_session_erased(scope(), session(3)).await.unwrap());
    // What begins after the request is a new matter.
    world.pass(10_000);
    let mut later = Batch::new(4, 4, 0);
    later.from = world.now_ms();
    let later = later.signal(json!({"k": "identify", "email": "ana@example.org"}));
    world.send(&later).await;
    world.catch_up().await;
    assert!(world.summary(session(4)).await.is_some());
    assert!(world.summary(session(2)).await.is_some());
    running.stop().await;
}

#[tokio::test]
async fn an_interrupted_erasure_is_finished() {
    let world = World::new().await;
    world.send(&shopper(1, 0, "ana")).await;
    world.process().await;
    // All that had happened was that the request was persisted.
    let entry = playhead_domain::row::Suppression {
        requested_ms: world.now_ms(),
        stage: "keys".to_owned(),
        ..Default::default()
    };
    let id = session(1).0;
    let put = |(kind, id): (&str, &[u8])| playhead_domain::store::Mutation::Put {
        table: &table::SUPPRESSIONS,
        key: key::suppression(scope(), kind, id),
        value: prost::Message::encode_to_vec(&entry).into(),
        version: world.now_ms() * 1_000,
        expires_at_ms: None,
    };
    let entries = [("any", &[][..]), ("pending", &id), ("session", &id)];
    world.store.write(entries.map(put).to_vec()).await.unwrap();
    world.pass(1);
    assert_eq!(world.erasure().resume(scope(), world.now_ms()).await.unwrap(), 1);
    assert_gone(&world, 1).await;
    assert_eq!(world.erasure().resume(scope(), world.now_ms()).await.unwrap(), 0);
}

/// Takes some writes, then no more: as when the process ends there.
struct EndsAfter {
    store: Arc<dyn Store>,
    writes_left: AtomicUsize,
    reclaims: AtomicUsize,
}

impl EndsAfter {
    fn new(world: &World, writes: usize) -> Arc<Self> {
        let (store, writes_left) = (Arc::clone(&world.store), AtomicUsize::new(writes));
        Arc::new(Self { store, writes_left, reclaims: AtomicUsize::new(0) })
    }

    fn erasure(self: &Arc<Self>) -> Erasure {
        Erasure::new(Arc::clone(self) as Arc<dyn Store>, installation().derive(USER_HASH_PURPOSE))
    }
}

#[async_trait]
impl Store for EndsAfter {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        self.store.get(table, key).await
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        self.store.scan(table, partition, range, order, limit).await
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        let take = |left: usize| left.checked_sub(1);
        match self.writes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => self.store.write(mutations).await,
            Err(_) => Err(Error::Unavailable("ended".to_owned())),
        }
    }

    async fn compare_and_set(
        &self,
        _: &'static Table,
        _: &Key,
        _: Option<&[u8]>,
        _: Option<Bytes>,
        _: Option<i64>,
    ) -> Result<Swap, Error> {
        unreachable!("an erasure swaps nothing")
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        self.store.get_serial(table, key).await
    }

    async fn reclaim(&self) -> Result<(), Error> {
        if self.writes_left.load(Ordering::Relaxed) == 0 {
            return Err(Error::Unavailable("ended".to_owned()));
        }
        self.reclaims.fetch_add(1, Ordering::Relaxed);
        self.store.reclaim().await
    }
}

#[tokio::test]
async fn an_erasure_of_a_user_that_was_interrupted_is_finished() {
    // Wherever it ends once the request is on record: before the user's sessions are found, before, within and after each, and before the
    // request's own record, which had the name, is gone from the files.
    for writes in 1.. {
        let world = World::new().await;
        for id in 1..4 {
            world.send(&shopper(id, 0, "ana")).await;
        }
        world.process().await;
        let interrupted = EndsAfter::new(&world, writes).erasure();
        if interrupted.erase_user(scope(), "ana", world.now_ms()).await.is_ok() {
            assert!(writes > 12, "that are too few for three sessions");
            break;
        }
        world.pass(10_000);
        let again = EndsAfter::new(&world, usize::MAX);
        again.erasure().resume(scope(), world.now_ms()).await.unwrap();
        assert!(again.reclaims.load(Ordering::Relaxed) > 0, "{writes}: its bytes go, too");
        for id in 1..4 {
            assert_gone(&world, id).await;
        }
        // What begins after the request is a new matter.
        let mut later = Batch::new(4, 4, 0);
        later.from = world.now_ms();
        world.send(&later.signal(json!({"k": "identify", "id": "ana"}))).await;
        world.process().await;
        assert!(world.summary(session(4)).await.is_some(), "{writes}");
        assert_eq!(world.erasure().resume(scope(), world.now_ms()).await.unwrap(), 0, "all is done");
    }
}

#[tokio::test]
async fn erasing_reaches_compacted_sessions_and_their_objects() {
    let world = World::new().await;
    let running = world.start().await;
    world.send(&shopper(1, 0, "ana")).await;
    world.catch_up().await;
    world.pass(61_000);
    assert_eq!(running.processor.compact_now().await.unwrap(), 1);
    world.erasure().erase_session(scope(), session(1), world.now_ms()).await.unwrap();
    assert_gone(&world, 1).await;
    running.processor.collect_now().await.unwrap();
    assert!(world.objects().await.is_empty());
    running.stop().await;
}

/// Whether any file below `folder` holds `bytes`.
fn holds(folder: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        // Files that are rewritten go.
        std::fs::read(path).is_ok_and(|read| read.windows(bytes.len()).any(|window| window == bytes))
    })
}

#[tokio::test]
async fn nothing_of_an_erased_user_is_left_in_the_store_s_files() {
    let folder = tempfile::tempdir().unwrap();
    let world = embedded(folder.path()).await;
    let id = [0xe5_u8; 16];
    for seq in 0..3 {
        world.send(&shopper(0xe5, seq, "planted-person")).await;
        world.process().await;
    }
    world.send(&shopper(2, 0, "other-person")).await;
    world.process().await;
    let store = folder.path().join("store");
    assert!(holds(&store, b"planted-person") && holds(&store, b"other-person"));
    assert_eq!(world.erasure().erase_user(scope(), "planted-person", world.now_ms()).await.unwrap(), 1);
    assert_gone(&world, 0xe5).await;
    let is_left = || holds(&store, b"planted-person");
    for _ in 0..600 {
        if !is_left() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!is_left(), "neither the id nor the address is left");
    assert!(holds(&store, b"other-person"));
    assert!(holds(&store, &id), "the suppression entry stays");
}

#[tokio::test]
async fn an_erasure_that_overtakes_a_flush_at_any_step_leaves_nothing_in_any_list() {
    for step in [Step::Folded, Step::ObjectWritten, Step::RowsWritten(0), Step::RowsWritten(2)] {
        for is_killed in [false, true] {
            for has_begun in [false, true] {
                let world = World::new().await;
                if has_begun {
                    world.send(&Batch::new(1, 1, 0).page("https://a.example/first")).await;
                    world.process().await;
                    world.send(&shopper(1, 1, "ana")).await;
                } else {
                    world.send(&shopper(1, 0, "ana")).await;
                }
                erase_at(&world, step, is_killed).await;
                assert_gone(&world, 1).await;
                // That says, too, that no row is left that nobody would find.
                let told = world.canonical().await.text();
                assert!(!told.contains("ana"), "{step:?} {is_killed} {has_begun}: {told}");
            }
        }
    }
}

/// Erases the session while its flush is at the step; there the flush goes on, or it is killed and another process takes over.
async fn erase_at(world: &World, step: Step, is_killed: bool) {
    let erase = async || world.erasure().erase_session(scope(), session(1), world.now_ms()).await.unwrap();
    if is_killed {
        world.process_with(stop_at(step, 0)).await.unwrap_err();
        erase().await;
        return world.process().await;
    }
    let (hooks, gate) = hold_at(step, 0);
    let running = world.spawn(hooks);
    gate.reached().await;
    erase().await;
    gate.let_go();
    world.catch_up().await;
    running.stop().await;
}

#[tokio::test]
async fn a_log_whose_clock_is_ahead_does_not_outlive_an_erasure() {
    let world = World::new().await;
    world.send(&shopper(1, 0, "ana")).await;
    world.process().await;
    let slow_clock_ms = world.now_ms() - 5 * 3_600_000;
    world.erasure().erase_session(scope(), session(1), slow_clock_ms).await.unwrap();
    assert_gone(&world, 1).await;
}
