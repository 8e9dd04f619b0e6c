//! Finding sessions: day by day, several partitions of a day merged by start, within a budget.

use std::ops::Bound;

use futures::future::try_join_all;
use playhead_domain::id::SessionId;
use playhead_domain::row::SessionSummary;
use playhead_domain::scope::Scope;
use playhead_domain::session::{facet, key};
use playhead_domain::store::{ClusteringRange, Order, Row, Value};
use playhead_domain::table::{self, Table};

use super::filter::SessionParams;
use super::rows;
use crate::cursor;
use crate::error::ApiError;
use crate::state::Api;

/// What was found, and where to go on.
pub(crate) struct Found {
    pub(crate) sessions: Vec<SessionSummary>,
    pub(crate) next: Option<String>,
    pub(crate) partial: bool,
}

/// A place in the list: the session that was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start_ms: i64,
    session: SessionId,
}

/// Which partitions hold the candidates of a day. The rows are keys only.
enum Source {
    /// All sessions.
    All,
    /// Those with a value of a facet.
    Facets(Vec<(&'static str, String)>),
}

const DAY_MS: i64 = 86_400_000;
/// Rows that one read of a partition brings.
const PAGE_ROWS: usize = 64;
/// A read of a partition that finds nothing costs as much as some rows. The shards of a day are read at once.
const READ_COST: usize = 2;
/// Sessions that are looked at together, at least and at most.
const CHUNK_ROWS: std::ops::RangeInclusive<usize> = 8..=64;

/// Walks the list from the cursor on until `limit` sessions match or the budget is used up.
pub(crate) async fn find(
    api: &Api,
    scope: Scope,
    retention_days: u32,
    params: &SessionParams,
    limit: usize,
) -> Result<Found, ApiError> {
    let question = question(scope, params)?;
    let after = params.cursor.as_deref().map(|cursor| read_place(&question, cursor)).transpose()?;
    let mut walk = Walk {
        api,
        scope,
        source: source(params),
        order: if params.is_ascending() { Order::Ascending } else { Order::Descending },
        after,
        budget: api.0.config.scan_budget_rows,
    };
    let mut sessions = Vec::new();
    for day in days(api, retention_days, params, after) {
        let mut partitions = walk.open_day(day);
        loop {
            let wanted = (limit - sessions.len()).clamp(*CHUNK_ROWS.start(), *CHUNK_ROWS.end());
            let places = walk.chunk(&mut partitions, wanted).await?;
            if places.is_empty() {
                break;
            }
            let ids: Vec<_> = places.iter().map(|place| place.session).collect();
            let summaries = rows::summaries(api, scope, &ids).await?;
            for (place, summary) in places.into_iter().zip(summaries) {
                walk.after = Some(place);
                sessions.extend(summary.filter(|summary| params.matches(summary)));
                if sessions.len() == limit {
                    let next = Some(write_place(&question, place));
                    return Ok(Found { sessions, next, partial: false });
                }
            }
            if walk.budget == 0 {
                let next = walk.after.map(|place| write_place(&question, place));
                return Ok(Found { sessions, next, partial: true });
            }
        }
        if walk.budget == 0 {
            // No row marks the place: the end of the day does.
            let next = Some(write_place(&question, end_of_day(day, walk.order)));
            return Ok(Found { sessions, next, partial: true });
        }
    }
    Ok(Found { sessions, next: None, partial: false })
}

/// The days to walk, in order. A day earlier and later than asked for costs little and covers skew.
fn days(api: &Api, retention_days: u32, params: &SessionParams, after: Option<Place>) -> Vec<i64> {
    let today = key::day(api.now_ms());
    let oldest = today - i64::from(retention_days) - 1;
    let mut first = params.from.map_or(oldest, |from| key::day(from).max(oldest));
    let mut last = params.to.map_or(today + 1, |to| key::day(to).min(today + 1));
    match after {
        Some(place) if params.is_ascending() => first = first.max(key::day(place.start_ms)),
        Some(place) => last = last.min(key::day(place.start_ms)),
        None => {}
    }
    if params.is_ascending() { (first..=last).collect() } else { (first..=last).rev().collect() }
}

/// The past of a day's last session, so that the next page starts with the following day.
fn end_of_day(day: i64, order: Order) -> Place {
    match order {
        Order::Ascending => Place { start_ms: (day + 1) * DAY_MS - 1, session: SessionId([0xff; 16]) },
        Order::Descending => Place { start_ms: day * DAY_MS, session: SessionId([0; 16]) },
    }
}

fn source(params: &SessionParams) -> Source {
    let by = |name: &'static str, value: &str| (name, facet::cut(value).to_owned());
    if let Some(user) = &params.user {
        let user = &facet::user_name(user);
        return Source::Facets(vec![by(facet::USER, user), by(facet::EMAIL, user)]);
    }
    let exact_page = params.page.as_deref().filter(|page| !page.contains('*'));
    let one =
        |name: &'static str, value: Option<&str>| value.map(|value| Source::Facets(vec![by(name, value)]));
    let merged = || params.issues.iter().map(|issue| by(facet::ISSUE, issue)).collect();
    (!params.issues.is_empty())
        .then(|| Source::Facets(merged()))
        .or_else(|| one(facet::ISSUE, params.issue.as_deref()))
        .or_else(|| one(facet::IP, params.ip.as_deref()))
        .or_else(|| one(facet::PAGE, exact_page))
        .or_else(|| one(facet::RELEASE, params.release.as_deref()))
        .unwrap_or(Source::All)
}

/// One partition of a day, read page by page.
struct Partition {
    table: &'static Table,
    key: Vec<Value>,
    buffered: std::collections::VecDeque<Row>,
    more: bool,
    last: Option<Vec<Value>>,
}

struct Walk<'a> {
    api: &'a Api,
    scope: Scope,
    source: Source,
    order: Order,
    after: Option<Place>,
    budget: usize,
}

impl Walk<'_> {
    fn open_day(&self, day: i64) -> Vec<Partition> {
        let last = self.after.filter(|place| key::day(place.start_ms) == day).map(clustering);
        let open = |table, key: Vec<Value>| Partition {
            table,
            key,
            buffered: std::collections::VecDeque::new(),
            more: true,
            last: last.clone(),
        };
        match &self.source {
            Source::All => (0..key::SHARDS)
                .map(|shard| open(&table::SESSIONS_BY_START, key::by_start_partition(self.scope, day, shard)))
                .collect(),
            Source::Facets(facets) => facets
                .iter()
                .flat_map(|(name, value)| {
                    let scope = self.scope;
                    (0..key::SHARDS).map(move |shard| key::facet_partition(scope, name, value, day, shard))
                })
                .map(|key| open(&table::SESSION_FACETS, key))
                .collect(),
        }
    }

    /// Up to `wanted` of the next places in list order, as far as the budget goes.
    async fn chunk(&mut self, partitions: &mut [Partition], wanted: usize) -> Result<Vec<Place>, ApiError> {
        let mut places = Vec::new();
        while places.len() < wanted && (places.is_empty() || self.budget > 0) {
            match self.next(partitions).await? {
                Some(place) => places.push(place),
                None => break,
            }
        }
        Ok(places)
    }

    /// The next place in list order over all partitions; a session that two of them hold comes once.
    async fn next(&mut self, partitions: &mut [Partition]) -> Result<Option<Place>, ApiError> {
        let (api, order) = (self.api, self.order);
        let empty = partitions.iter_mut().filter(|partition| partition.buffered.is_empty() && partition.more);
        let filled = try_join_all(empty.map(|partition| fill(api, order, partition))).await?;
        self.budget = self.budget.saturating_sub(filled.len() * READ_COST);
        let mut best: Option<Place> = None;
        for partition in partitions.iter() {
            let Some(place) = partition.buffered.front().map(place).transpose()? else { continue };
            if best.is_none_or(|best| self.precedes(place, best)) {
                best = Some(place);
            }
        }
        let Some(best) = best else { return Ok(None) };
        for partition in partitions.iter_mut() {
            if partition.buffered.front().map(place).transpose()? == Some(best) {
                partition.buffered.pop_front();
            }
        }
        self.budget = self.budget.saturating_sub(1);
        Ok(Some(best))
    }

    fn precedes(&self, one: Place, other: Place) -> bool {
        let (one, other) = ((one.start_ms, one.session), (other.start_ms, other.session));
        match self.order {
            Order::Ascending => one < other,
            Order::Descending => one > other,
        }
    }
}

async fn fill(api: &Api, order: Order, partition: &mut Partition) -> Result<(), ApiError> {
    let mut range = ClusteringRange::ALL;
    match (&partition.last, order) {
        (Some(last), Order::Ascending) => range.from = Bound::Excluded(last.clone()),
        (Some(last), Order::Descending) => range.to = Bound::Excluded(last.clone()),
        (None, _) => {}
    }
    let page = api.store().scan(partition.table, &partition.key, &range, order, PAGE_ROWS).await?;
    partition.more = page.more;
    partition.last = page.rows.last().map(|row| row.key.clustering.clone());
    partition.buffered = page.rows.into();
    Ok(())
}

fn clustering(place: Place) -> Vec<Value> {
    vec![Value::Int(place.start_ms), place.session.0.into()]
}

fn place(row: &Row) -> Result<Place, ApiError> {
    key::start_of(&row.key.clustering)
        .map(|(start_ms, session)| Place { start_ms, session })
        .ok_or_else(|| ApiError::Corrupt("key of a list row".to_owned()))
}

/// The project and the filters: everything but limit and cursor.
fn question(scope: Scope, params: &SessionParams) -> Result<Vec<u8>, ApiError> {
    let filters = SessionParams { limit: None, cursor: None, ..params.clone() };
    serde_json::to_vec(&(scope.project().to_string(), filters)).map_err(|e| ApiError::Internal(e.to_string()))
}

fn write_place(question: &[u8], place: Place) -> String {
    cursor::write_place(question, place.start_ms.to_be_bytes(), place.session.0)
}

fn read_place(question: &[u8], text: &str) -> Result<Place, ApiError> {
    let (start_ms, session) = cursor::read_place(question, text)?;
    Ok(Place { start_ms: i64::from_be_bytes(start_ms), session: SessionId(session) })
}
