//! What is counted of issues: exactly, however records fall into flushes and whatever is done twice.

use std::collections::BTreeMap;

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::setting::{DELAY_US, successor};
use playhead_domain::issue::totals::{OVERFLOW, OVERFLOW_TITLE};
use playhead_domain::row::{GroupingRule, IssueChanges, IssueSettings, IssueTotals, Project};
use playhead_domain::store::Value;
use playhead_domain::table;
use playhead_stream_processor::Step;
use prost::Message;
use serde_json::json;

use crate::steps::stop_at;
use crate::world::{Batch, World, scope, session};

/// Of all log partitions.
pub(crate) async fn issues(world: &World) -> BTreeMap<Fingerprint, IssueTotals> {
    let mut newest: BTreeMap<(Fingerprint, i64), IssueTotals> = BTreeMap::new();
    for shard in 0..key::SHARDS {
        for row in world.rows(&table::ISSUES, key::issues_partition(scope(), shard)).await {
            let (issue, partition, _) = key::issue_of(&row.key.clustering).unwrap();
            let totals = IssueTotals::decode(row.value).unwrap();
            let known = newest.entry((issue, partition)).or_default();
            if totals.next_offset > known.next_offset {
                *known = totals;
            }
        }
    }
    let mut merged: BTreeMap<Fingerprint, IssueTotals> = BTreeMap::new();
    for ((issue, _), totals) in newest {
        merged.entry(issue).or_default().merge(&totals);
    }
    merged.retain(|_, totals| totals.events > 0);
    merged
}

/// The issue of that title.
pub(crate) async fn issue(world: &World, title: &str) -> (Fingerprint, IssueTotals) {
    let all = issues(world).await;
    let is_it = |totals: &IssueTotals| totals.latest.as_ref().unwrap().title == title;
    let mut found = all.into_iter().filter(|(_, totals)| is_it(totals));
    let one = found.next().unwrap_or_else(|| panic!("no issue {title}"));
    assert!(found.next().is_none(), "{title} is one issue");
    one
}

async fn users(world: &World, issue: Fingerprint) -> usize {
    let mut users = 0;
    for shard in 0..key::SHARDS {
        users += world.rows(&table::ISSUE_USERS, key::users_partition(scope(), issue, shard)).await.len();
    }
    users
}

pub(crate) fn error(batch: Batch, kind: &str) -> Batch {
    batch.signal(json!({"k": "error", "type": kind, "message": "it broke", "mechanism": "uncaught",
        "url": "https://shop.example/products/7?id=1"}))
}

fn identify(batch: Batch, user: &str) -> Batch {
    batch.signal(json!({"k": "identify", "id": user}))
}

/// Six sessions of five visitors; each batch but the first repeats an error, some come twice.
fn visits() -> Vec<Batch> {
    let mut batches = Vec::new();
    for seq in 0..4 {
        for id in 1..=6 {
            let mut batch = Batch::new(id, id, seq);
            if seq == 0 {
                batch = batch.page("https://shop.example/products/7");
            } else {
                batch = error(error(batch, "CartError"), if id % 2 == 0 { "EvenError" } else { "OddError" });
            }
            // Two share a name, two have none; all are named after their first error.
            if seq == 2 && id > 2 {
                batch = identify(batch, ["ana", "ana", "bo", "cy"][usize::from(id) - 3]);
            }
            batches.push(batch.clone());
            if (u64::from(id) + seq) % 3 == 0 {
                batches.push(batch);
            }
        }
    }
    batches
}

async fn assert_exact(world: &World, what: &str) {
    let (cart, totals) = issue(world, "CartError: it broke").await;
    assert_eq!((totals.events, totals.sessions), (18, 6), "{what}");
    assert_eq!(users(world, cart).await, 5, "{what}: two without a name, ana, bo and cy");
    let (odd, totals) = issue(world, "OddError: it broke").await;
    assert_eq!((totals.events, totals.sessions, users(world, odd).await), (9, 3, 3), "{what}");
    let latest = totals.latest.unwrap();
    assert_eq!(latest.session[..], session(5).0, "{what}: the newest one");
    assert_eq!(latest.event, "0505050505050505-3-1", "{what}");
    assert_eq!(totals.pages.unwrap().values, BTreeMap::from([("/products/{id}".to_owned(), 9)]), "{what}");
    assert_eq!(totals.releases.unwrap().values, BTreeMap::from([("shop@1".to_owned(), 9)]), "{what}");
    assert_eq!(totals.browsers.unwrap().values, BTreeMap::from([("Chrome".to_owned(), 9)]), "{what}");
    assert_eq!(totals.countries.unwrap().values, BTreeMap::from([("PT".to_owned(), 9)]), "{what}");
    assert_eq!(totals.hours.values().map(|count| (count.events, count.sessions)).sum_of(), (9, 3), "{what}");
    assert_eq!(totals.days.values().map(|count| (count.events, count.sessions)).sum_of(), (9, 3), "{what}");
}

trait SumOf {
    fn sum_of(self) -> (u64, u64);
}

impl<I: Iterator<Item = (u64, u64)>> SumOf for I {
    fn sum_of(self) -> (u64, u64) {
        self.fold((0, 0), |(events, sessions), (more, new)| (events + more, sessions + new))
    }
}

#[tokio::test]
async fn counts_are_exact_wherever_a_flush_ends_and_wherever_it_crashes() {
    let whole = World::new().await;
    for batch in visits() {
        whole.send(&batch).await;
    }
    whole.process().await;
    assert_exact(&whole, "at once").await;
    let expected = whole.canonical().await;
    assert!(expected.text().contains("CartError"));
    let steps = [
        Step::IntentRecorded,
        Step::Folded,
        Step::RowsWritten(0),
        Step::RowsWritten(3),
        Step::RowsWritten(7),
        Step::RowsWritten(11),
        Step::LookedBack,
        Step::Checkpointed,
    ];
    for step in steps {
        let world = World::new().await;
        for part in visits().chunks(5) {
            for batch in part {
                world.send(batch).await;
            }
            for _ in 0..2 {
                let _ = world.process_with(stop_at(step, 0)).await;
            }
            world.process().await;
        }
        assert_exact(&world, &format!("{step:?}")).await;
        let differences = expected.differences(&world.canonical().await);
        assert!(differences.is_empty(), "{step:?}:\n{}", differences.join("\n"));
    }
}

#[tokio::test]
async fn every_batch_in_a_flush_of_its_own_counts_the_same() {
    let world = World::new().await;
    for batch in visits() {
        world.send(&batch).await;
        world.process().await;
    }
    assert_exact(&world, "one by one").await;
    let anew = world.emptied();
    anew.process().await;
    let differences = world.canonical().await.differences(&anew.canonical().await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn a_flood_of_different_errors_is_one_issue_beyond_the_bound() {
    let mut world = World::new().await;
    world.config.max_issues = 2;
    // One session, so that one log partition has them all.
    for seq in 0..6 {
        world.send(&error(Batch::new(1, 1, seq), ["A", "B", "C", "D", "A", "C"][seq as usize])).await;
        if seq % 2 == 0 {
            world.process().await;
        }
    }
    world.process().await;
    let all = issues(&world).await;
    let counted: Vec<_> = all
        .values()
        .map(|totals| (totals.latest.as_ref().unwrap().title.as_str(), totals.events, totals.sessions))
        .collect();
    assert_eq!(counted.len(), 3);
    for expected in [(OVERFLOW_TITLE, 3, 0), ("A: it broke", 2, 1), ("B: it broke", 1, 1)] {
        assert!(counted.contains(&expected), "{expected:?} in {counted:?}");
    }
    assert_eq!(users(&world, OVERFLOW).await, 0, "nobody is counted of it");
    let anew = world.emptied();
    anew.process().await;
    let differences = world.canonical().await.differences(&anew.canonical().await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn room_is_made_by_issues_that_expire() {
    let mut world = World::new().await;
    world.config.max_issues = 1;
    world.project(|project: &mut Project| project.retention_days = 1).await;
    world.send(&error(Batch::new(1, 1, 0), "A")).await;
    world.process().await;
    world.pass(3 * 86_400_000);
    let later = Batch { from: world.now_ms(), ..Batch::new(2, 2, 0) };
    world.send(&error(later, "B")).await;
    world.process().await;
    let (_, totals) = issue(&world, "B: it broke").await;
    assert_eq!((totals.events, totals.sessions), (1, 1));
    assert_eq!(issues(&world).await.len(), 1, "the first one has expired");
}

#[tokio::test]
async fn what_is_filtered_is_no_issue() {
    let world = World::new().await;
    let local = Batch::new(1, 1, 0)
        .signal(json!({"k": "error", "type": "A", "message": "x", "url": "http://localhost:3000/"}));
    world.send(&local).await;
    world.process().await;
    assert!(issues(&world).await.is_empty());
    assert_eq!(world.intake().await.filtered_errors["localhost"], 1);
    world.project(|project| project.error_filters_off = vec!["localhost".to_owned()]).await;
    world.send(&Batch { seq: 1, ..local }).await;
    world.process().await;
    assert_eq!(issue(&world, "A: x").await.1.events, 1);
}

/// A change that the API made a minute before the time that counts from `from_ms` on.
fn decide(project: &mut Project, from_ms: i64, change: impl Fn(&mut IssueSettings)) {
    let mut next = project.newest_issue_settings();
    change(&mut next);
    project.decide_issue_settings(next, from_ms * 1_000 - DELAY_US).unwrap();
}

/// Two errors, of which the second comes when the filter is off, and a failed request that is an issue by then.
async fn send_while_settings_change(world: &World) -> i64 {
    let local = |seq| {
        let batch = Batch { from: world.now_ms(), ..Batch::new(1, 1, seq) };
        batch
            .signal(json!({"k": "error", "type": "A", "message": "x", "url": "http://localhost:3000/"}))
            .signal(
                json!({"k": "request", "method": "GET", "url": "https://a.example/carts/7", "status": 503,
                "outcome": "http_error"}),
            )
    };
    world.send(&local(0)).await;
    world.pass(60_000);
    let from_ms = world.now_ms();
    world.send(&local(1)).await;
    from_ms
}

#[tokio::test]
async fn a_setting_counts_for_records_from_its_time_on_whenever_they_are_processed() {
    let world = World::new().await;
    let from_ms = send_while_settings_change(&world).await;
    world.project(|project| project.error_filters_off = vec!["localhost".to_owned()]).await;
    let undisturbed = world;

    let world = World::new().await;
    let from_ms_again = send_while_settings_change(&world).await;
    assert_eq!(from_ms, from_ms_again);
    world
        .project(|project| {
            decide(project, from_ms, |settings| {
                settings.error_filters_off = vec!["localhost".to_owned()];
                settings.failed_requests = "server".to_owned();
            });
        })
        .await;
    world.process().await;
    let (_, totals) = issue(&world, "A: x").await;
    assert_eq!((totals.events, totals.sessions), (1, 1), "the first one was filtered");
    let (_, totals) = issue(&world, "GET /carts/{id}: answered 503").await;
    assert_eq!((totals.events, totals.sessions), (1, 1));
    assert_eq!(totals.latest.unwrap().event, "0101010101010101-1-1");
    assert_eq!(world.intake().await.filtered_errors["localhost"], 1);
    undisturbed.process().await;
    assert_eq!(
        issue(&undisturbed, "A: x").await.1.events,
        2,
        "what was set before there were versions counts for all"
    );
}

#[tokio::test]
async fn a_failed_request_is_of_the_page_on_which_it_began() {
    let world = World::new().await;
    let settings = IssueSettings { failed_requests: "server".to_owned(), ..IssueSettings::default() };
    world.project(|project| project.issue_settings = vec![settings]).await;
    let began_ms = Batch::new(1, 1, 0).from;
    let moves_on =
        json!({"k": "navigation", "t": began_ms + 500, "url": "https://shop.example/done", "how": "push"});
    let failed = |seq, time_ms| {
        Batch::new(1, 1, seq).signal(json!({"k": "request", "t": time_ms, "method": "GET",
            "url": "https://shop.example/pay", "status": 503, "outcome": "http_error"}))
    };
    for batch in [
        Batch::new(1, 1, 0).page("https://shop.example/cart").signal(moves_on),
        Batch::new(1, 2, 0).page("https://shop.example/another-tab"),
        failed(1, began_ms + 100),
        failed(2, began_ms + 900),
    ] {
        world.send(&batch).await;
        world.process().await;
    }
    let (_, totals) = issue(&world, "GET /pay: answered 503").await;
    let pages = BTreeMap::from([("/cart".to_owned(), 1), ("/done".to_owned(), 1)]);
    assert_eq!(totals.pages.unwrap().values, pages);
}

#[tokio::test]
async fn a_setting_that_changes_between_two_tries_leaves_no_row_of_the_first() {
    let turns_filter_on = |settings: &mut IssueSettings| settings.error_filters_off = Vec::new();
    let joins = |settings: &mut IssueSettings| {
        let fingerprint = "other".to_owned();
        settings.rules = vec![GroupingRule { kind: "A".to_owned(), fingerprint, ..GroupingRule::default() }];
    };
    let changes: [&dyn Fn(&mut IssueSettings); 2] = [&turns_filter_on, &joins];
    for (number, change) in changes.into_iter().enumerate() {
        for step in [Step::RowsWritten(0), Step::RowsWritten(7), Step::LookedBack] {
            let world = World::new().await;
            let local = Batch::new(1, 1, 0)
                .signal(json!({"k": "error", "type": "A", "message": "x", "url": "http://localhost:3000/"}));
            world.project(|project| project.error_filters_off = vec!["localhost".to_owned()]).await;
            world.send(&local).await;
            let _ = world.process_with(stop_at(step, 0)).await;
            let now_ms = world.now_ms();
            world
                .project(|project| {
                    project.error_filters_off = vec!["localhost".to_owned()];
                    decide(project, now_ms + 60_000, change);
                })
                .await;
            world.process().await;
            let all = issues(&world).await;
            let found: Vec<_> =
                all.values().map(|totals| (totals.events, totals.latest.clone().unwrap().basis)).collect();
            assert_eq!(found, [(1, "message".to_owned())], "{step:?} {number}");
            assert!(world.intake().await.filtered_errors.is_empty(), "{step:?} {number}");
        }
    }
}

#[tokio::test]
async fn rules_join_what_their_patterns_match() {
    let world = World::new().await;
    let rule =
        GroupingRule { message: "^it ".to_owned(), fingerprint: "all".to_owned(), ..GroupingRule::default() };
    let from_ms = world.now_ms() - 1;
    world.project(|project| decide(project, from_ms, |settings| settings.rules = vec![rule.clone()])).await;
    world.send(&error(error(Batch::new(1, 1, 0), "A"), "B")).await;
    world.send(&error(Batch::new(2, 2, 0), "C")).await;
    world.process().await;
    let all = issues(&world).await;
    assert_eq!(all.len(), 1);
    let totals = all.values().next().unwrap();
    assert_eq!((totals.events, totals.sessions), (3, 2));
    assert_eq!(totals.latest.as_ref().unwrap().basis, "rule");
}

#[tokio::test]
async fn a_discarded_issue_takes_nothing_and_begins_anew() {
    let world = World::new().await;
    let send = async |seq: u64| {
        let batch = Batch { from: world.now_ms(), ..Batch::new(1, 1, seq) };
        world.send(&error(batch, "A")).await;
        world.process().await;
    };
    send(0).await;
    let (first, _) = issue(&world, "A: it broke").await;
    let from_us = world.now_ms() * 1_000 - DELAY_US;
    world.project(|project| project.discard(first, "A".to_owned(), "ana", from_us).unwrap()).await;
    world.pass(1_000);
    send(1).await;
    assert_eq!(issue(&world, "A: it broke").await.1.events, 1);
    assert_eq!(world.intake().await.filtered_errors["discarded"], 1);
    let now_us = world.now_ms() * 1_000;
    world
        .project(|project| {
            project.discard(first, "A".to_owned(), "ana", from_us).unwrap();
            assert!(project.discard_no_more(first, now_us - DELAY_US));
        })
        .await;
    world.pass(1_000);
    send(2).await;
    let all = issues(&world).await;
    assert_eq!(all.len(), 2, "what there was before stays apart");
    let fresh = all.into_iter().find(|(issue, _)| *issue != first).unwrap();
    assert_eq!((fresh.0, fresh.1.events, fresh.1.sessions), (successor(first), 1, 1));
}

#[tokio::test]
async fn an_erased_session_brings_no_further_counts() {
    let world = World::new().await;
    world.send(&identify(error(Batch::new(1, 1, 0), "A"), "ana")).await;
    world.process().await;
    world.erasure().erase_session(scope(), session(1), world.now_ms()).await.unwrap();
    world.send(&error(Batch::new(1, 1, 1), "A")).await;
    world.process().await;
    let (_, totals) = issue(&world, "A: it broke").await;
    assert_eq!((totals.events, totals.sessions), (1, 1), "what was counted stays, nothing is added");
    let text = format!(
        "{:?}",
        world.rows(&table::ISSUES, key::issue_partition(scope(), issue(&world, "A: it broke").await.0)).await
    );
    assert!(!text.contains("ana"), "nobody is named");
}

/// Where flushes ended, by log partition, with the issues that they name.
async fn changes(world: &World) -> BTreeMap<(u32, u64), Vec<Fingerprint>> {
    let mut changes = BTreeMap::new();
    for partition in 0..world.topic.partitions {
        let day = playhead_domain::session::key::day(world.now_ms());
        for row in world.rows(&table::ISSUE_CHANGES, key::changes_partition(scope(), partition, day)).await {
            let [Value::Int(next_offset)] = row.key.clustering[..] else { panic!("{:?}", row.key) };
            let row = IssueChanges::decode(row.value).unwrap();
            assert!(!row.all && row.issues.len() % 16 == 0);
            let named = row.issues.chunks(16).map(|issue| Fingerprint(issue.try_into().unwrap()));
            changes.insert((partition, next_offset.try_into().unwrap()), named.collect());
        }
    }
    changes
}

#[tokio::test]
async fn a_flush_names_each_issue_that_it_changes() {
    let world = World::new().await;
    for seq in 0..3 {
        for id in 1..=4 {
            let kind = if id % 2 == 0 { "EvenError" } else { "OddError" };
            world.send(&error(Batch::new(id, id, seq), kind)).await;
        }
        world.process().await;
    }
    let changes = changes(&world).await;
    let mut rows = 0;
    for shard in 0..key::SHARDS {
        for row in world.rows(&table::ISSUES, key::issues_partition(scope(), shard)).await {
            let (issue, partition, _) = key::issue_of(&row.key.clustering).unwrap();
            let flush = (partition.try_into().unwrap(), IssueTotals::decode(row.value).unwrap().next_offset);
            assert!(changes[&flush].contains(&issue), "{issue} at {flush:?}");
            rows += 1;
        }
    }
    assert!(rows >= 3, "two issues and what does not fit");
}
