//! Reading the rows of a window: heads, segments that are not rolled up, and the roll-ups; all as of one moment of each log partition. What no
//! flush adds to any more is kept ([`past`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use playhead_domain::performance::filter::Filter;
use playhead_domain::performance::key::{self, Kind, Level};
use playhead_domain::row::PerformanceHead;
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange, Value};
use playhead_domain::table::PERFORMANCE;
use prost::Message;

use super::past::{self, Place};
use super::question::Question;
use crate::error::ApiError;
use crate::state::Api;

/// Rows of a shard that one request reads.
const MAX_SHARD_ROWS: usize = 4_000;
const TRIES: usize = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(40);

/// What was read.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) rows: Vec<Bytes>,
    /// Of these, all passes the filter that was given.
    pub(crate) reduced_rows: Vec<Bytes>,
    /// Of these only the examples count.
    pub(crate) sample_rows: Vec<Bytes>,
    /// Not all could be read.
    pub(crate) partial: bool,
}

/// A row, of which no more is read yet than how it relates to others.
struct Found {
    head: PerformanceHead,
    row: Bytes,
}

/// By log partition and unit.
type Newest = BTreeMap<(i64, i64), Found>;

/// The rows of what the log took in the window and so long after it that nothing of it comes any more. They may hold other spans too, and what the
/// filter does not want, of which no more is read than `filter` lets pass where that is kept.
pub(crate) async fn gather(
    api: &Api,
    scope: Scope,
    question: &Question,
    kind: Kind,
    filter: &Filter,
) -> Result<Gathered, ApiError> {
    for attempt in 1.. {
        let mut gathered = Gathered::default();
        let heads = read(api, scope, Level::Head, [0].into(), &mut gathered.partial).await?;
        let level = question.level(kind);
        let hours = question.hours(api.now_ms());
        let mut buckets: BTreeSet<i64> =
            (level.bucket(*hours.start())..=level.bucket(*hours.end())).collect();
        let partitions: Vec<i64> = heads.keys().map(|(partition, _)| *partition).collect();
        let place = |bucket| Place { project: scope.project(), level, bucket, filter: filter.clone() };
        // Of a head that was read before its roll-up was kept, the roll-up is read too: it would count twice.
        let first_open = heads.values().map(|found| level.unit(found.head.hour)).min().unwrap_or(i64::MIN);
        buckets.retain(|bucket| {
            let is_over = *level.units(*bucket).end() < first_open;
            let kept = is_over.then(|| api.0.past.get(&place(*bucket), &partitions)).flatten();
            let is_kept = kept.is_some();
            let rows = if filter.is_empty() { &mut gathered.rows } else { &mut gathered.reduced_rows };
            rows.extend(kept);
            !is_kept
        });
        let mut rows =
            read(api, scope, level, buckets.iter().copied().collect(), &mut gathered.partial).await?;
        let is_settled = match level {
            Level::Segment => {
                // Of a head that is newer than the one that was read.
                rows.retain(|(partition, number), _| is_before(heads.get(&(*partition, 0)), *number));
                true
            }
            _ => {
                let open = open_segments(api, scope, &heads).await?;
                let is_whole =
                    open.len() as u64 == heads.values().map(|found| open_count(&found.head)).sum::<u64>();
                gathered.rows.extend(open);
                is_whole && heads.iter().all(|(of, found)| agrees(level, of.0, &found.head, &rows, &buckets))
            }
        };
        if is_settled && !gathered.partial && is_kept_of(kind) {
            let over = over(level, &heads, &rows, buckets).into_iter().map(|bucket| {
                let of_bucket = rows.iter().filter(|((_, unit), _)| level.units(bucket).contains(unit));
                (place(bucket), of_bucket.map(|(_, found)| found.row.clone()).collect())
            });
            past::keep(api, partitions, over.collect());
        }
        if level != Level::Segment {
            let units = level.unit(*hours.start())..=level.unit(*hours.end());
            rows.retain(|(_, unit), _| units.contains(unit));
        }
        gathered.rows.extend(rows.into_values().chain(heads.into_values()).map(|found| found.row));
        if is_settled || attempt == TRIES {
            gathered.partial |= !is_settled;
            return Ok(gathered);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Ok(Gathered::default())
}

/// Examples are not kept: they are many, and few of them are shown.
const fn is_kept_of(kind: Kind) -> bool {
    !matches!(kind, Kind::Samples)
}

/// Of the buckets those to which no flush adds any more. Flushes add to the hour in which their log partition's head began, and to later ones; a
/// flush that rolls up may be under way still, unless the head is of one after it.
fn over(level: Level, heads: &Newest, rows: &Newest, buckets: BTreeSet<i64>) -> Vec<i64> {
    if level == Level::Segment || heads.is_empty() {
        return Vec::new();
    }
    let mut first_open = i64::MAX;
    for ((partition, _), Found { head, .. }) in heads {
        first_open = first_open.min(level.unit(head.hour));
        match rows.get(&(*partition, level.unit(head.rolled_hour))) {
            Some(rolled) if rolled.head.next_offset >= head.next_offset => return Vec::new(),
            Some(_) => {}
            // It was not read: a flush spans far less than two days of the log.
            None => first_open = first_open.min(level.unit(head.rolled_hour - 48)),
        }
    }
    buckets.into_iter().filter(|bucket| *level.units(*bucket).end() < first_open).collect()
}

fn is_before(head: Option<&Found>, number: i64) -> bool {
    head.is_some_and(|found| u64::try_from(number).is_ok_and(|number| number < found.head.sequence))
}

const fn open_count(head: &PerformanceHead) -> u64 {
    head.sequence.saturating_sub(head.rolled)
}

/// Whether the roll-up that was written last is as far as its head says. Written by one flush, they are not read at one moment.
fn agrees(
    level: Level,
    partition: i64,
    head: &PerformanceHead,
    rows: &Newest,
    buckets: &BTreeSet<i64>,
) -> bool {
    let unit = level.unit(head.rolled_hour);
    if head.rolled == 0 || !buckets.contains(&level.bucket(head.rolled_hour)) {
        return true;
    }
    rows.get(&(partition, unit)).is_some_and(|found| found.head.sequence == head.rolled)
}

async fn open_segments(api: &Api, scope: Scope, heads: &Newest) -> Result<Vec<Bytes>, ApiError> {
    let heads = heads.iter().map(|((partition, _), found)| (partition, &found.head));
    let open = heads.filter(|(_, head)| open_count(head) > 0);
    let reads = open.map(|(partition, head)| async move {
        let columns = key::partition(
            scope,
            Level::Segment,
            Level::Segment.bucket(head.hour),
            partition.rem_euclid(key::SHARDS),
        );
        let bound = |number: u64| {
            Bound::Included(vec![
                Value::Int(*partition),
                Value::Int(i64::try_from(number).unwrap_or(i64::MAX)),
            ])
        };
        let range = ClusteringRange { from: bound(head.rolled), to: bound(head.sequence - 1) };
        store::scan_all(api.store(), &PERFORMANCE, &columns, range).await
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().map(|row| row.value).collect())
}

/// The newest row of each log partition and unit.
async fn read(
    api: &Api,
    scope: Scope,
    level: Level,
    buckets: Vec<i64>,
    partial: &mut bool,
) -> Result<Newest, ApiError> {
    let places = buckets.into_iter().flat_map(|bucket| (0..key::SHARDS).map(move |shard| (bucket, shard)));
    let reads = places.map(|(bucket, shard)| async move {
        let columns = key::partition(scope, level, bucket, shard);
        store::scan_until(api.store(), &PERFORMANCE, &columns, ClusteringRange::ALL, MAX_SHARD_ROWS).await
    });
    let mut newest = Newest::new();
    for page in try_join_all(reads).await? {
        *partial |= page.more;
        for row in page.rows {
            let Some(of) = key::of(&row.key.clustering) else { continue };
            let head = PerformanceHead::decode(&*row.value).map_err(|e| corrupt(&e))?;
            if newest.get(&of).is_none_or(|known| head.next_offset >= known.head.next_offset) {
                newest.insert(of, Found { head, row: row.value });
            }
        }
    }
    Ok(newest)
}

pub(super) fn corrupt(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::Corrupt(format!("statistics of requests: {error}"))
}
