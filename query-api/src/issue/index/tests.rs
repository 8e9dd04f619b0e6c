use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use playhead_backends::clock::Clock;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::totals::Hit;
use playhead_domain::row::{IssueChanges, IssueSample, IssueTotals};
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::session::key::day;
use playhead_domain::store::{self, ClusteringRange, Key, Mutation, Store};
use playhead_domain::table::{ISSUE_CHANGES, ISSUES, Table};
use proptest::prelude::*;
use prost::Message;

use super::follow::LOOK_EVERY_MS;
use super::{Entry, Index, Indexes, Look, TRY_AGAIN_MS};
use crate::issue::read;

const NOW: i64 = 20_454 * 86_400_000 + 23 * 3_600_000;
const PARTITIONS: u32 = 3;

/// What happens, one after the other.
#[derive(Debug, Clone)]
enum Step {
    /// A flush of a log partition, with occurrences of issues that are kept for so many minutes; of its rows as many are there before the list
    /// is looked at.
    Flush { partition: u32, issues: Vec<(u8, i64)>, seen: usize, rotated: usize },
    /// Minutes pass.
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let issues = proptest::collection::vec((0..6_u8, 1..90_i64), 1..4);
    prop_oneof![
        4 => (0..PARTITIONS, issues, 0..6_usize, 0..6_usize)
            .prop_map(|(partition, issues, seen, rotated)| Step::Flush { partition, issues, seen, rotated }),
        1 => (0..100_i64).prop_map(Step::Wait),
    ]
}

struct World {
    store: MemoryStore,
    now_ms: Arc<AtomicI64>,
    scope: Scope,
    totals: BTreeMap<(u32, u8), (IssueTotals, i64)>,
    offsets: [u64; PARTITIONS as usize],
}

impl World {
    fn new() -> Self {
        let now_ms = Arc::new(AtomicI64::new(NOW));
        let clock = Arc::clone(&now_ms);
        let store = MemoryStore::new(Clock::from_fn(move || clock.load(Ordering::Relaxed) * 1_000));
        let scope = Scope::open(Grant::Operator, TenantId(1), ProjectId(7)).unwrap();
        Self { store, now_ms, scope, totals: BTreeMap::new(), offsets: [0; PARTITIONS as usize] }
    }

    fn now(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The rows of a flush, as a processor writes them.
    fn flush(&mut self, partition: u32, issues: &[(u8, i64)]) -> Vec<Mutation> {
        let now_ms = self.now();
        let offset = &mut self.offsets[partition as usize];
        *offset += 1;
        let next_offset = *offset;
        let mut changed = BTreeMap::new();
        for &(issue, minutes) in issues {
            let (totals, slot) = self.totals.entry((partition, issue)).or_default();
            totals.next_offset = next_offset;
            totals.add(&hit(now_ms, now_ms + minutes * 60_000));
            totals.show(sample(issue, now_ms));
            changed.entry(issue).or_insert_with(|| {
                *slot = 1 - *slot;
                *slot
            });
        }
        let mut rows: Vec<_> = changed
            .iter()
            .map(|(&issue, &slot)| {
                let totals = &self.totals[&(partition, issue)].0;
                let key = key::issue(self.scope, id(issue), partition, slot);
                put(&ISSUES, key, totals.encode_to_vec(), next_offset, totals.expires_at_ms)
            })
            .collect();
        let named = changed.keys().flat_map(|&issue| id(issue).0).collect();
        let changes = IssueChanges { issues: named, all: false };
        let key = key::changes(self.scope, partition, day(now_ms), next_offset);
        rows.push(put(
            &ISSUE_CHANGES,
            key,
            changes.encode_to_vec(),
            next_offset,
            now_ms + key::CHANGES_KEPT_MS,
        ));
        rows
    }

    async fn load(&self) -> Index {
        let now_ms = self.now();
        Index::load(&self.store, self.scope, PARTITIONS, || now_ms, usize::MAX).await.unwrap().unwrap()
    }

    async fn look(&self, index: &mut Index) {
        self.pass(LOOK_EVERY_MS);
        assert!(index.catch_up(&self.store, self.now()).await.unwrap());
    }

    /// What the index says, and what the rows say.
    async fn compare(&self, index: &mut Index) {
        self.look(index).await;
        let now_ms = self.now();
        let known = index.issues.iter().filter(|(_, kept)| kept.entry.expires_at_ms > now_ms);
        let known: BTreeMap<_, _> = known.map(|(issue, kept)| (*issue, kept.entry.clone())).collect();
        let plain = self.plain().await;
        let differ = |(issue, entry): &(&Fingerprint, &Entry)| plain.get(*issue) != Some(*entry);
        let wrong: Vec<_> = known.iter().filter(differ).map(|(issue, _)| issue.0[0] / 37).collect();
        assert!(
            wrong.is_empty() && known.len() == plain.len(),
            "{wrong:?}, {} of {}",
            known.len(),
            plain.len()
        );
        // What pages showed before is as new.
        let shown = index.show(&self.store, known.keys().copied(), now_ms).await.unwrap();
        let shown: BTreeMap<_, _> =
            shown.into_iter().map(|(issue, totals)| (issue, Entry::of((*totals).clone()))).collect();
        assert_eq!(shown, plain);
        let bytes: usize = index.issues.values().map(|kept| kept.entry.bytes()).sum();
        assert_eq!(index.bytes, bytes);
    }

    async fn plain(&self) -> BTreeMap<Fingerprint, Entry> {
        let mut issues = BTreeMap::new();
        for shard in 0..key::SHARDS {
            let partition = key::issues_partition(self.scope, shard);
            let rows = store::scan_all(&self.store, &ISSUES, &partition, ClusteringRange::ALL).await.unwrap();
            issues.extend(read::told(rows).unwrap());
        }
        let there = issues.into_iter().filter(|(_, told)| read::is_there(&told.totals, self.now()));
        there.map(|(issue, told)| (issue, Entry::of(told.totals))).collect()
    }
}

fn id(issue: u8) -> Fingerprint {
    Fingerprint([issue.wrapping_mul(37); 16])
}

fn put(table: &'static Table, key: Key, value: Vec<u8>, version: u64, expires_at_ms: i64) -> Mutation {
    let (value, version) = (value.into(), i64::try_from(version).unwrap());
    Mutation::Put { table, key, value, version, expires_at_ms: Some(expires_at_ms) }
}

fn hit(time_ms: i64, expires_at_ms: i64) -> Hit {
    Hit {
        time_ms,
        is_new_session: true,
        unseen: 0,
        release: "1.0".into(),
        browser: "Chrome".into(),
        system: "Linux".into(),
        country: "PT".into(),
        environment: "production".into(),
        page: "/".to_owned(),
        expires_at_ms,
    }
}

fn sample(issue: u8, time_ms: i64) -> IssueSample {
    let title = format!("TypeError: {issue} at {time_ms}");
    IssueSample { title, time_ms, ..IssueSample::default() }
}

async fn run(steps: &[Step], loaded_at: usize) {
    let mut world = World::new();
    let mut index = None;
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Wait(minutes) => world.pass(minutes * 60_000),
            Step::Flush { partition, issues, seen, rotated } => {
                let mut rows = world.flush(*partition, issues);
                let middle = rotated % rows.len();
                rows.rotate_left(middle);
                let rest = rows.split_off((*seen).min(rows.len()));
                world.store.write(rows).await.unwrap();
                if at == loaded_at {
                    index = Some(world.load().await);
                } else if let Some(index) = &mut index {
                    // Totals may be there before the row that names them.
                    world.look(index).await;
                }
                world.store.write(rest).await.unwrap();
            }
        }
        if let Some(index) = &mut index {
            world.compare(index).await;
        }
    }
    let mut index = match index {
        Some(index) => index,
        None => world.load().await,
    };
    world.compare(&mut index).await;
    // Later than any of them is kept.
    world.pass(3 * 3_600_000);
    world.compare(&mut index).await;
    assert!(index.issues.is_empty() && index.bytes == 0 && index.shown.bytes == 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn it_says_what_the_rows_say(steps in proptest::collection::vec(step(), 1..25), loaded_at in 0..25_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&steps, loaded_at));
    }
}

#[tokio::test]
async fn after_a_long_time_nobody_relies_on_it() {
    let mut world = World::new();
    let rows = world.flush(0, &[(1, 10_000)]);
    world.store.write(rows).await.unwrap();
    let mut index = world.load().await;
    world.pass(key::CHANGES_KEPT_MS / 2 + 1);
    assert!(!index.catch_up(&world.store, world.now()).await.unwrap());
}

#[tokio::test]
async fn a_flush_that_names_none_of_its_issues_ends_it() {
    let mut world = World::new();
    let mut index = world.load().await;
    let changes = IssueChanges { all: true, ..IssueChanges::default() };
    let key = key::changes(world.scope, 1, day(NOW), 5);
    let row = put(&ISSUE_CHANGES, key, changes.encode_to_vec(), 5, NOW + key::CHANGES_KEPT_MS);
    world.store.write(vec![row]).await.unwrap();
    world.pass(LOOK_EVERY_MS);
    assert!(!index.catch_up(&world.store, world.now()).await.unwrap());
    let rows = world.flush(0, &[(1, 10_000)]);
    world.store.write(rows).await.unwrap();
    assert!(Index::load(&world.store, world.scope, PARTITIONS, || NOW, usize::MAX).await.is_err());
}

#[tokio::test]
async fn what_does_not_fit_is_not_kept() {
    let mut world = World::new();
    let rows = world.flush(0, &[(1, 10_000), (2, 10_000)]);
    world.store.write(rows).await.unwrap();
    let loaded = Index::load(&world.store, world.scope, PARTITIONS, || NOW, 600).await.unwrap();
    assert!(loaded.is_none());
}

#[test]
fn projects_that_do_not_fit_together_do_not_take_turns() {
    let scope = |project| Scope::open(Grant::Operator, TenantId(1), ProjectId(project)).unwrap();
    let index = |project| {
        let (issues, parts, cursors, pending) = Default::default();
        Arc::new(tokio::sync::Mutex::new(Index {
            scope: scope(project),
            issues,
            parts,
            cursors,
            pending,
            decisions: super::Decisions::default(),
            traffic: super::Traffic::default(),
            shown: super::Shown::default(),
            looked_ms: 0,
            built_ms: 0,
            is_lost: false,
            bytes: 0,
            bytes_of_parts: 0,
        }))
    };
    let indexes = Indexes::new(100);
    let lately = |now_ms| (Look::Lately, now_ms);
    assert!(indexes.put(scope(1), 60, index(1), lately(NOW)));
    assert!(!indexes.put(scope(2), 60, index(2), lately(NOW)) && !indexes.may_try(scope(2), lately(NOW)));
    assert!(indexes.has(scope(1)) && !indexes.has(scope(2)));
    assert!(indexes.put(scope(1), 90, index(1), lately(NOW + 1)), "one takes its own place");
    let later = NOW + TRY_AGAIN_MS + 2;
    assert!(indexes.may_try(scope(2), lately(later)) && indexes.put(scope(2), 60, index(2), lately(later)));
    assert!(!indexes.has(scope(1)), "nobody asked for it");
    assert!(
        !indexes.put(scope(3), 60, index(3), (Look::Again, later)),
        "rules do not push out what lists show"
    );
    assert!(indexes.put(scope(4), 10, index(4), (Look::Again, later)));
    assert!(!indexes.put(scope(3), 40, index(3), (Look::Again, later + 1)), "nor each other");
    assert!(!indexes.may_build(scope(3), later + 2) && indexes.may_try(scope(3), lately(later + 2)));
    assert!(indexes.put(scope(3), 30, index(3), lately(later + 1)));
    assert!(
        indexes.put(scope(3), 40, index(3), (Look::Again, later + 2)),
        "what a list shows has its room, whoever asks"
    );
    assert!(indexes.has(scope(2)) && !indexes.has(scope(4)));
    let other = index(2);
    indexes.remove(scope(2), &other);
    assert!(indexes.has(scope(2)), "another one has taken its place");
}
