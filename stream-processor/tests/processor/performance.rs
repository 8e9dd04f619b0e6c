//! Statistics of requests and pages: exactly once, whatever is redone, rolled up and late.

use std::collections::BTreeMap;

use playhead_domain::performance::key::{self, Kind, Level};
use playhead_domain::performance::name::{NAME_PURPOSE, NameKey};
use playhead_domain::performance::observation::Measure;
use playhead_domain::performance::totals::Totals;
use playhead_domain::row::{IssueCount, ListedSession};
use playhead_domain::session::key as session_key;
use playhead_domain::table;
use playhead_proto::span::Span;
use playhead_stream_processor::Step;
use prost::Message;
use serde_json::json;

use crate::issues::{error, issue};
use crate::spans::{send_to, span};
use crate::steps::stop_at;
use crate::world::{Batch, World, installation, scope, session};

const HOUR_MS: i64 = 3_600_000;

/// The newest rows of a level that hold what the log took in these hours, by log partition and unit.
async fn rows(world: &World, level: Level, hours: std::ops::Range<i64>) -> BTreeMap<(i64, i64), Totals> {
    let mut newest: BTreeMap<(i64, i64), Totals> = BTreeMap::new();
    let buckets: std::collections::BTreeSet<_> = hours.map(|hour| level.bucket(hour)).collect();
    for bucket in buckets {
        for shard in 0..key::SHARDS {
            for row in world.rows(&table::PERFORMANCE, key::partition(scope(), level, bucket, shard)).await {
                let totals = Totals::decode(row.value).unwrap();
                let known = newest.entry(key::of(&row.key.clustering).unwrap()).or_default();
                if totals.next_offset >= known.next_offset {
                    *known = totals;
                }
            }
        }
    }
    newest
}

fn count(rows: &BTreeMap<(i64, i64), Totals>) -> u64 {
    rows.values()
        .flat_map(|totals| totals.series().map(|(_, _, series)| series.count).collect::<Vec<_>>())
        .sum()
}

fn request(path: &str, duration_ms: u32) -> serde_json::Value {
    json!({"k": "request", "url": format!("https://shop.example{path}"), "method": "GET", "status": 200, "outcome": "ok",
        "duration_ms": duration_ms, "server_timing": [{"name": "total", "duration_ms": duration_ms / 2}]})
}

#[tokio::test]
async fn a_request_is_counted_where_and_when_it_was() {
    let world = World::new().await;
    let batch =
        Batch::new(1, 1, 0).page("https://shop.example/cart/7").signal(request("/api/orders/17", 100));
    world
        .send(
            &batch.signal(
                json!({"k": "vital", "name": "LCP", "value": 800, "url": "https://shop.example/cart/7"}),
            ),
        )
        .await;
    world.process().await;
    let heads = rows(&world, Level::Head, 0..1).await;
    let head = heads.values().next().unwrap();
    let series: BTreeMap<_, _> =
        head.series().map(|(_, key, series)| (key.name.to_string(), (key, series))).collect();
    let id = |name: &str| NameKey::new(installation().derive(NAME_PURPOSE)).id(scope(), name).to_string();
    let (key, orders) = series[&id("GET /api/orders/{id}")];
    assert_eq!((orders.count, orders.failed, orders.statuses[&200]), (1, 0, 1));
    assert_eq!(Totals::values(orders, Measure::Backend).map(|values| values.sum), Some(50_000));
    assert_eq!(Totals::values(orders, Measure::Frontend), None);
    assert_eq!(&*key.context.country, "PT");
    let (_, page) = series[&id("/cart/{id}")];
    assert_eq!((page.count, Totals::values(page, Measure::Lcp).unwrap().count), (1, 1));
}

/// A request that went out as this span, from a quarter of all sessions.
fn traced(seq: u64, span: &str, more: serde_json::Value) -> Batch {
    let mut signal = json!({"k": "request", "url": "https://shop.example/api/orders", "method": "GET", "status": 200,
        "outcome": "ok", "duration_ms": 100, "trace_id": "a".repeat(32), "span_id": span});
    signal.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Batch { signal_rate: 0.25, ..Batch::new(1, 1, seq) }.signal(signal)
}

/// The sum of the backend's parts, of the network's, and of how many requests they are known; the last: how many requests there are.
async fn parts(world: &World) -> (u64, u64, u64, u64) {
    let mut all = (0, 0, 0, 0);
    for totals in rows(world, Level::Head, 0..1).await.values() {
        for (_, _, series) in totals.series() {
            let sum = |what| Totals::values(series, what).map_or(0, |values| values.sum);
            let known = Totals::values(series, Measure::Backend).map_or(0, |values| values.count);
            all.0 += sum(Measure::Backend);
            all.1 += sum(Measure::Network);
            all.2 += known;
            all.3 += series.count;
        }
    }
    all
}

#[tokio::test]
async fn the_backends_part_of_a_request_is_its_servers_span_whichever_comes_first() {
    let worlds = [World::new().await, World::new().await, World::new().await];
    let server = |id: u8, parent: &str, duration_ms: f64| Span {
        parent_id: Some(parent.to_owned()),
        role: Some("server"),
        duration_ms,
        ..span(id, 0)
    };
    let [one, two, three] = ["1111111111111111", "2222222222222222", "3333333333333333"];
    let first = traced(0, one, json!({}));
    let second = traced(1, two, json!({}));
    let third = traced(2, three, json!({"server_timing": [{"name": "total", "duration_ms": 7}]}));
    let spans = [server(1, one, 40.0), server(2, two, 130.0), server(3, three, 60.0)];
    // All requests before the spans, in between, and after them: with a flush after each, and a crash in it.
    for (world, spans_at) in worlds.iter().zip([3, 1, 0]) {
        world.send(&Batch { signal_rate: 0.25, ..Batch::new(1, 2, 0) }.page("https://shop.example/")).await;
        for at in 0..=3 {
            if at == spans_at {
                send_to(world, session(1), &spans).await;
                let _ = world.process_with(stop_at(Step::RowsWritten(0), 0)).await;
                world.process().await;
            }
            if let Some(batch) = [&first, &second, &third].get(at) {
                world.send(batch).await;
                let _ = world.process_with(stop_at(Step::LookedBack, 0)).await;
                world.process().await;
            }
        }
        // 40, all of 100, and the 7 that the answer told; each stands for four. The page is counted, too.
        assert_eq!(parts(world).await, (147_000 * 4, 153_000 * 4, 12, 16), "spans at {spans_at}");
        // Told again, and told of a request that was answered: nothing more.
        send_to(world, session(1), &spans).await;
        send_to(world, session(1), &[server(9, one, 90.0)]).await;
        world.process().await;
        assert_eq!(parts(world).await, (147_000 * 4, 153_000 * 4, 12, 16), "again");
    }
    assert_eq!(worlds[0].names().await.len(), 2, "names are told with requests alone");
}

/// What a batch tells weighs by its rate, and the session in lists by that of its first, wherever a flush ends.
#[tokio::test]
async fn a_session_counts_for_those_that_were_not_sent() {
    let whole = World::new().await;
    let single = World::new().await;
    for (world, flushes) in [(&whole, false), (&single, true)] {
        for (seq, signal_rate) in [(0, 0.25), (1, 0.5), (2, 1.0)] {
            let batch = error(Batch { signal_rate, ..Batch::new(1, 1, seq) }, "CartError");
            world.send(&batch.signal(request("/api/orders", 100))).await;
            if flushes {
                world.process().await;
            }
        }
        world.send(&error(Batch::new(2, 2, 0), "CartError").signal(request("/api/orders", 900))).await;
        // It is not of those that send signals, and sent these before it knew.
        let early = Batch { signal_rate: 0.25, ..Batch::new(0xf0, 3, 0) }.signal(request("/api/orders", 5));
        world.send(&early.key_frame("page")).await;
        world.process().await;
        let (_, issue) = issue(world, "CartError: it broke").await;
        let counted = issue.hours.values().fold(IssueCount::default(), |sum, &count| sum.plus(count));
        assert_eq!(counted, IssueCount { events: 4, sessions: 2, unseen: 3, ended: 2, ..counted });
        let mut listed = Vec::new();
        for id in [1, 2, 0xf0] {
            let summary = world.summary(session(id)).await.unwrap();
            let key = session_key::by_start(scope(), session(id), summary.list_start_ms);
            let row = world.store.get(&table::SESSIONS_BY_START, &key).await.unwrap().unwrap();
            listed.push(ListedSession::decode(row.value).unwrap().unseen);
        }
        assert_eq!(listed, [3, 0, -1]);
        let heads = rows(world, Level::Head, 0..1).await;
        assert_eq!(count(&heads), 4 + 2 + 1 + 1, "requests of four sessions, of two, and two of one");
    }
    let differences = whole.canonical().await.differences(&single.canonical().await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn three_sessions_stand_for_a_name_whatever_is_redone() {
    let world = World::new().await;
    for id in 1..=5_u8 {
        world
            .send(&Batch::new(id, id, 0).signal(request("/api/orders", 5)).signal(request("/api/orders", 6)))
            .await;
        if id % 2 == 0 {
            let _ = world.process_with(stop_at(Step::RowsWritten(0), 0)).await;
        }
        world.process().await;
    }
    let names = world.names().await;
    let expected = [1, 2, 3].map(|id| (session(id), "GET shop.example/api/orders".to_owned()));
    assert_eq!(names, expected);
    world.erasure().erase_session(scope(), session(2), world.now_ms()).await.unwrap();
    world.pass(HOUR_MS);
    world.send(&Batch::new(6, 6, 0).signal(request("/api/orders", 5))).await;
    world.process().await;
    let names = world.names().await;
    assert_eq!(names.iter().map(|(witness, _)| *witness).collect::<Vec<_>>(), [1, 3, 6].map(session));
}

#[tokio::test]
async fn an_hour_and_a_day_are_what_their_segments_are_through_crashes() {
    let world = World::new().await;
    let first = world.now_ms().div_euclid(HOUR_MS);
    for hour in 0..4_u64 {
        for path in 0..120_u64 {
            let batch = Batch::new(1, 1, hour * 120 + path);
            let signals = 0..8_u32;
            let batch =
                signals.fold(batch, |batch, n| batch.signal(request(&format!("/api/p{path}/q{n}"), 10 + n)));
            world.send(&batch).await;
            if path % 40 == 39 {
                for step in [Step::Folded, Step::RowsWritten(0), Step::LookedBack] {
                    let _ = world.process_with(stop_at(step, 0)).await;
                }
                world.process().await;
            }
        }
        world.pass(HOUR_MS);
    }
    let hours = first..first + 5;
    let heads = rows(&world, Level::Head, hours.clone()).await;
    let segments = rows(&world, Level::Segment, hours.clone()).await;
    assert!(segments.len() >= 8, "{}", segments.len());
    assert_eq!(count(&heads) + count(&segments), 3_840);
    let head = heads.values().next().unwrap();
    let open: u64 = segments
        .iter()
        .filter(|((_, unit), _)| *unit >= head.rolled as i64)
        .map(|(_, totals)| totals.series().map(|(_, _, series)| series.count).sum::<u64>())
        .sum();
    assert!(head.rolled > 0);
    for kind in [Kind::Plain, Kind::Detail] {
        for level in [Level::Hour(kind), Level::Day(kind)] {
            let rolled = rows(&world, level, hours.clone()).await;
            assert_eq!(count(&rolled) + open + count(&heads), 3_840, "{level:?}");
            let newest =
                rolled.iter().find(|((_, unit), _)| *unit == level.unit(head.rolled_hour)).unwrap().1;
            assert_eq!(newest.sequence, head.rolled, "{level:?}");
        }
    }
}

#[tokio::test]
async fn what_is_late_is_in_the_minute_in_which_it_happened() {
    let world = World::new().await;
    let then = world.now_ms();
    let late = Batch::new(1, 1, 0).signal(request("/api/late", 5));
    let happened = late.from.div_euclid(60_000);
    assert!(then - late.from < HOUR_MS);
    world.pass(3 * HOUR_MS);
    world.send(&late).await;
    world.process().await;
    let heads = rows(&world, Level::Head, 0..1).await;
    let head = heads.values().next().unwrap();
    assert_eq!(head.series().map(|(minute, ..)| minute).collect::<Vec<_>>(), [happened]);
    assert_eq!(head.hour, world.now_ms().div_euclid(HOUR_MS));
}
