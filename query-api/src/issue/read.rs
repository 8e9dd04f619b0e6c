//! Reading what is counted of issues: two slots per log partition, of which the newer one tells all, and the log partitions merged;
//! then the issues that people made one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::try_join_all;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueMerges, IssueState, IssueTotals, ListedSession, Project};
use playhead_domain::scope::Scope;
use playhead_domain::session;
use playhead_domain::session::key::scope_columns;
use playhead_domain::session::weight::Sessions;
use playhead_domain::store::{self, ClusteringRange, Order, Page, Row, Value};
use playhead_domain::table;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

/// Rows of a shard of issues that one request reads; a project has eight shards.
const MAX_SHARD_ROWS: usize = 25_000;
/// Users of a shard that are counted; an issue has eight shards.
const MAX_SHARD_USERS: usize = 1_250;
/// Starts of sessions of a shard that are counted.
const MAX_SHARD_STARTS: usize = 250;
const HOUR_MS: i64 = 3_600_000;
/// Users that are counted of issues that people made one.
const MAX_USERS_OF_MERGED: usize = 10_000;
/// Up to so many users of an issue are surely counted exactly: shards are not so uneven that one of them has more than is read.
pub(crate) const COUNTED_USERS: u64 = 9_000;

/// The issues of a project that have not expired.
pub(crate) struct All {
    pub(crate) issues: BTreeMap<Fingerprint, IssueTotals>,
    /// There are more rows than one request reads.
    pub(crate) partial: bool,
    pub(crate) rows: usize,
}

pub(crate) async fn all(api: &Api, scope: Scope) -> Result<All, ApiError> {
    let shards = (0..key::SHARDS).map(|shard| shard_rows(api, scope, shard));
    let mut read = All { issues: BTreeMap::new(), partial: false, rows: 0 };
    for page in try_join_all(shards).await? {
        read.partial |= page.more;
        read.rows += page.rows.len();
        read.issues.extend(merged(api, page.rows)?);
    }
    Ok(read)
}

async fn shard_rows(api: &Api, scope: Scope, shard: i64) -> Result<Page, store::Error> {
    let partition = key::issues_partition(scope, shard);
    store::scan_until(api.store(), &table::ISSUES, &partition, ClusteringRange::ALL, MAX_SHARD_ROWS).await
}

/// One issue, if it is there.
pub(crate) async fn one(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
) -> Result<Option<IssueTotals>, ApiError> {
    let partition = key::issue_partition(scope, issue);
    let range = ClusteringRange::prefix(vec![Value::from(issue.0)]);
    let rows = store::scan_all(api.store(), &table::ISSUES, &partition, range).await?;
    Ok(merged(api, rows)?.remove(&issue))
}

/// An issue with what was merged into it, as a list shows it.
pub(crate) async fn joined(
    api: &Api,
    scope: Scope,
    project: &Project,
    (id, merges): (Fingerprint, &Merges),
) -> Result<Option<IssueTotals>, ApiError> {
    let whole = merges.whole(id);
    let found = try_join_all(whole.iter().map(|&issue| one(api, scope, issue))).await?;
    // Whoever discarded a part at the time at which it was merged did not know that.
    let kept = whole.iter().zip(found).filter(|(issue, _)| project.discard_of(**issue).is_none());
    let mut issues = kept.filter_map(|(&issue, totals)| Some((issue, totals?))).collect();
    join(&mut issues, merges);
    Ok(issues.remove(&id))
}

/// All that decides which of two slots is read: most of the work of a list is in reading totals.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Head {
    /// [`IssueTotals::next_offset`].
    #[prost(uint64, tag = "1")]
    next_offset: u64,
}

/// What the rows of an issue tell, expired or not.
pub(super) struct Told {
    pub(super) totals: IssueTotals,
    /// How far each log partition's row is.
    pub(super) offsets: BTreeMap<i64, u64>,
    /// When the first of the rows goes.
    pub(super) until_ms: i64,
}

/// What rows tell by issue; none of its rows is missing.
pub(super) fn told(rows: Vec<Row>) -> Result<BTreeMap<Fingerprint, Told>, ApiError> {
    let corrupt = |e: prost::DecodeError| ApiError::Corrupt(format!("totals of an issue: {e}"));
    let mut newest: BTreeMap<(Fingerprint, i64), (u64, bytes::Bytes)> = BTreeMap::new();
    for row in rows {
        let Some((issue, partition, _)) = key::issue_of(&row.key.clustering) else { continue };
        let Head { next_offset } = Head::decode(row.value.clone()).map_err(corrupt)?;
        let known = newest.entry((issue, partition)).or_default();
        if next_offset > known.0 {
            *known = (next_offset, row.value);
        }
    }
    let mut issues: BTreeMap<Fingerprint, Told> = BTreeMap::new();
    for ((issue, partition), (offset, value)) in newest {
        let totals = IssueTotals::decode(value).map_err(corrupt)?;
        let until_ms = totals.expires_at_ms;
        match issues.entry(issue) {
            Entry::Vacant(place) => {
                place.insert(Told { totals, offsets: [(partition, offset)].into(), until_ms });
            }
            Entry::Occupied(mut place) => {
                let told = place.get_mut();
                told.totals.merge(&totals);
                told.offsets.insert(partition, offset);
                told.until_ms = told.until_ms.min(until_ms);
            }
        }
    }
    Ok(issues)
}

fn merged(api: &Api, rows: Vec<Row>) -> Result<BTreeMap<Fingerprint, IssueTotals>, ApiError> {
    let issues = told(rows)?.into_iter().filter(|(_, told)| is_there(&told.totals, api.now_ms()));
    Ok(issues.map(|(issue, told)| (issue, told.totals)).collect())
}

pub(super) fn is_there(totals: &IssueTotals, now_ms: i64) -> bool {
    totals.events > 0 && totals.expires_at_ms > now_ms
}

/// How many users these issues have together, and whether all were counted.
pub(crate) async fn users(api: &Api, scope: Scope, issues: &[Fingerprint]) -> Result<(u64, bool), ApiError> {
    let (mut users, mut is_exact) = (BTreeSet::new(), true);
    for &issue in issues {
        let pages = users_of(api, scope, issue).await?;
        is_exact &= !pages.iter().any(|page| page.more);
        let rows = pages.into_iter().flat_map(|page| page.rows);
        if let [_] = issues {
            return Ok((rows.count() as u64, is_exact));
        }
        for row in rows {
            let [Value::Bytes(hash)] = &row.key.clustering[..] else { continue };
            let Ok(hash) = <[u8; 16]>::try_from(hash.as_ref()) else { continue };
            users.insert(api.0.visitors.open(issue, hash, &row.value));
        }
        if users.len() >= MAX_USERS_OF_MERGED {
            return Ok((users.len() as u64, false));
        }
    }
    Ok((users.len() as u64, is_exact))
}

async fn users_of(api: &Api, scope: Scope, issue: Fingerprint) -> Result<Vec<Page>, store::Error> {
    let shards = (0..key::SHARDS).map(|shard| async move {
        let partition = key::users_partition(scope, issue, shard);
        let range = ClusteringRange::ALL;
        api.store().scan(&table::ISSUE_USERS, &partition, &range, Order::Ascending, MAX_SHARD_USERS).await
    });
    try_join_all(shards).await
}

/// Which issues people made one.
pub(crate) async fn merges(api: &Api, scope: Scope) -> Result<Merges, ApiError> {
    let row = api.store().get(&table::ISSUE_STATES, &key::merges(scope)).await?;
    row.map_or_else(|| Ok(Merges::default()), |row| decode_merges(row.value))
}

pub(crate) fn decode_merges(bytes: bytes::Bytes) -> Result<Merges, ApiError> {
    let row = IssueMerges::decode(bytes).map_err(|e| ApiError::Corrupt(format!("merges of issues: {e}")))?;
    Ok(Merges::of(row))
}

/// Each issue with what was merged into it. It looks like the one into which the others went, as long as that is kept.
pub(crate) fn join(issues: &mut BTreeMap<Fingerprint, IssueTotals>, merges: &Merges) {
    for (root, members) in merges.roots() {
        let mut whole = issues.remove(&root).unwrap_or_default();
        let face = whole.latest.clone();
        members.iter().filter_map(|member| issues.remove(member)).for_each(|totals| whole.merge(&totals));
        if let (Some(latest), Some(face)) = (&mut whole.latest, face) {
            latest.wear(&face);
        }
        if whole.events > 0 {
            issues.insert(root, whole);
        }
    }
}

/// An issue as it is shown.
pub(crate) struct Shown {
    pub(crate) id: Fingerprint,
    pub(crate) totals: IssueTotals,
    /// The merged ones that are kept, each by itself.
    pub(crate) members: BTreeMap<Fingerprint, IssueTotals>,
    /// The one into which they were merged, if that is kept.
    own: Option<IssueTotals>,
    pub(crate) merges: Merges,
}

impl Shown {
    /// Each issue of which it is made and that is kept.
    pub(crate) fn parts(&self) -> BTreeMap<Fingerprint, &IssueTotals> {
        if self.members.is_empty() {
            return BTreeMap::from([(self.id, &self.totals)]);
        }
        let own = self.own.as_ref().map(|totals| (self.id, totals));
        own.into_iter().chain(self.members.iter().map(|(issue, totals)| (*issue, totals))).collect()
    }
}

/// The issue of that id, or that into which it was merged, if anything of it is there.
///
/// # Errors
/// [`ApiError::Discarded`]; the store's.
pub(crate) async fn shown(
    api: &Api,
    scope: Scope,
    project: &Project,
    issue: Fingerprint,
) -> Result<Option<Shown>, ApiError> {
    let merges = merges(api, scope).await?;
    let id = merges.root(issue);
    if project.discard_of(id).is_some() {
        return Err(ApiError::Discarded);
    }
    let whole = merges.whole(id);
    let found = try_join_all(whole.iter().map(|&issue| one(api, scope, issue))).await?;
    // Whoever discarded a part at the time at which it was merged did not know that.
    let kept = whole.iter().zip(found).filter(|(issue, _)| project.discard_of(**issue).is_none());
    let kept = kept.filter_map(|(&issue, totals)| Some((issue, totals?)));
    let mut issues: BTreeMap<Fingerprint, IssueTotals> = kept.collect();
    let mut members = if whole.len() > 1 { issues.clone() } else { BTreeMap::new() };
    let own = members.remove(&id);
    join(&mut issues, &merges);
    Ok(issues.remove(&id).map(|totals| Shown { id, totals, members, own, merges }))
}

/// How many sessions began since the beginning of the last full hour. Beyond some hundred per shard it is an estimate.
pub(crate) async fn traffic(api: &Api, scope: Scope, now_ms: i64) -> Result<Sessions, ApiError> {
    traffic_within(api, scope, (now_ms.div_euclid(HOUR_MS) - 1) * HOUR_MS, now_ms).await
}

/// How many sessions began from `since_ms` up to `until_ms`, likewise.
pub(crate) async fn traffic_within(
    api: &Api,
    scope: Scope,
    since_ms: i64,
    until_ms: i64,
) -> Result<Sessions, ApiError> {
    let (first, last) = (session::key::day(since_ms), session::key::day(until_ms));
    let shards = (first..=last).flat_map(|day| (0..session::key::SHARDS).map(move |shard| (day, shard)));
    let reads = shards.map(|(day, shard)| async move {
        let partition = session::key::by_start_partition(scope, day, shard);
        let mut range = ClusteringRange::ALL;
        range.from = std::ops::Bound::Included(vec![Value::Int(since_ms)]);
        range.to = std::ops::Bound::Included(vec![Value::Int(until_ms)]);
        let order = Order::Descending;
        api.store().scan(&table::SESSIONS_BY_START, &partition, &range, order, MAX_SHARD_STARTS).await
    });
    let (mut seen, mut unseen) = (0.0, 0.0);
    for page in try_join_all(reads).await? {
        let oldest = page.rows.last().and_then(|row| Some(session::key::start_of(&row.key.clustering)?.0));
        // What is further back comes as densely as what was read.
        let factor = oldest
            .filter(|_| page.more)
            .map_or(1.0, |oldest| (until_ms - since_ms) as f64 / (until_ms - oldest).max(1) as f64);
        for row in page.rows {
            let listed = ListedSession::decode(row.value)
                .map_err(|error| ApiError::Corrupt(format!("a session in the list: {error}")))?;
            // One that sends no signals has no issue.
            if listed.unseen >= 0 {
                seen += factor;
                unseen += factor * listed.unseen as f64;
            }
        }
    }
    Ok(Sessions { seen: seen as u64, unseen: unseen.round() as i64 })
}

/// What people did with the issues of a project.
pub(crate) async fn states(api: &Api, scope: Scope) -> Result<HashMap<Fingerprint, IssueState>, ApiError> {
    let columns = scope_columns(scope);
    let rows = store::scan_all(api.store(), &table::ISSUE_STATES, &columns, ClusteringRange::ALL).await?;
    let mut states = HashMap::new();
    for row in rows {
        let [Value::Bytes(issue)] = &row.key.clustering[..] else { continue };
        let Ok(issue) = <[u8; 16]>::try_from(issue.as_ref()) else { continue };
        states.insert(Fingerprint(issue), decode_state(row.value)?);
    }
    Ok(states)
}

/// What people did with an issue, as far as every reader knows.
pub(crate) async fn state(api: &Api, scope: Scope, issue: Fingerprint) -> Result<IssueState, ApiError> {
    let row = api.store().get(&table::ISSUE_STATES, &key::state(scope, issue)).await?;
    row.map_or_else(|| Ok(IssueState::default()), |row| decode_state(row.value))
}

pub(crate) fn decode_state(bytes: bytes::Bytes) -> Result<IssueState, ApiError> {
    IssueState::decode(bytes).map_err(|e| ApiError::Corrupt(format!("state of an issue: {e}")))
}
