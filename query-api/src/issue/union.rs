//! How many sessions issues have together that people made one: those that had several of them are counted once, as far as the rows tell
//! by which sessions are found by issue.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use playhead_domain::id::SessionId;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::IssueTotals;
use playhead_domain::scope::Scope;
use playhead_domain::session::{facet, key};
use playhead_domain::store::{self, ClusteringRange, Order};
use playhead_domain::table::SESSION_FACETS;

use crate::state::Api;

/// Partitions that are read for an issue at most: two issues of three months.
const MAX_READS: usize = 1_500;
const CONCURRENT_READS: usize = 32;
/// Sessions of a partition (an issue's of a day, an eighth) that are looked at, and of all.
const MAX_PARTITION_SESSIONS: usize = 1_250;
const MAX_SESSIONS: u64 = 10_000;

/// How many sessions `parts` have together, and whether each was counted once. If not, there are at most so many: a session that the rows
/// do not tell of (it has expired or was erased, or the rows are too many) may count for several.
pub(crate) async fn sessions(
    api: &Api,
    scope: Scope,
    parts: &BTreeMap<Fingerprint, &IssueTotals>,
) -> Result<(u64, bool), store::Error> {
    let counted: u64 = parts.values().map(|totals| totals.sessions).sum();
    let places: Vec<_> =
        parts.iter().flat_map(|(&issue, totals)| days(totals).map(move |day| (issue, day))).collect();
    if parts.len() <= 1 || counted > MAX_SESSIONS || places.len() * key::SHARDS as usize > MAX_READS {
        return Ok((counted, parts.len() <= 1));
    }
    let reads = places.into_iter().flat_map(|place| (0..key::SHARDS).map(move |shard| (place, shard)));
    let reads = reads.map(|((issue, day), shard)| listed(api, scope, issue, (day, shard)));
    let mut reads = futures::stream::iter(reads).buffer_unordered(CONCURRENT_READS);
    let mut found: BTreeMap<Fingerprint, BTreeSet<SessionId>> = BTreeMap::new();
    while let Some((issue, sessions)) = reads.try_next().await? {
        found.entry(issue).or_default().extend(sessions);
    }
    Ok(together(parts, &found))
}

/// A session may have begun on the day before it had the issue, and lists know it by the time of its first batch.
fn days(totals: &IssueTotals) -> std::ops::RangeInclusive<i64> {
    key::day(totals.first_seen_ms) - 1..=key::day(totals.last_seen_ms)
}

async fn listed(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    (day, shard): (i64, i64),
) -> Result<(Fingerprint, Vec<SessionId>), store::Error> {
    let partition = key::facet_partition(scope, facet::ISSUE, &issue.to_string(), day, shard);
    let (range, limit) = (ClusteringRange::ALL, MAX_PARTITION_SESSIONS);
    let page = api.store().scan(&SESSION_FACETS, &partition, &range, Order::Ascending, limit).await?;
    let sessions = page.rows.iter().filter_map(|row| Some(key::start_of(&row.key.clustering)?.1));
    Ok((issue, sessions.collect()))
}

/// Whatever the rows do not tell of is taken to be a session of its own.
fn together(
    parts: &BTreeMap<Fingerprint, &IssueTotals>,
    found: &BTreeMap<Fingerprint, BTreeSet<SessionId>>,
) -> (u64, bool) {
    let known = |issue| found.get(issue).map_or(0, |sessions| sessions.len() as u64);
    let union: BTreeSet<_> = found.values().flatten().collect();
    let untold = parts.iter().map(|(issue, totals)| totals.sessions.saturating_sub(known(issue)));
    let untold: u64 = untold.sum();
    (union.len() as u64 + untold, untold == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(parts: &[(u64, &[u8])]) -> (u64, bool) {
        let totals: Vec<_> =
            parts.iter().map(|&(sessions, _)| IssueTotals { sessions, ..IssueTotals::default() }).collect();
        let issues = (0..).map(|number: u8| Fingerprint([number; 16]));
        let found = issues.clone().zip(parts).map(|(issue, (_, sessions))| {
            (issue, sessions.iter().map(|&session| SessionId([session; 16])).collect())
        });
        together(&issues.zip(&totals).collect(), &found.collect())
    }

    #[test]
    fn a_session_of_several_counts_once_and_one_that_nothing_tells_of_for_each() {
        assert_eq!(count(&[(3, &[1, 2, 3]), (2, &[3, 4])]), (4, true));
        assert_eq!(count(&[(5, &[1, 2, 3]), (2, &[3, 4])]), (6, false), "two have expired");
        assert_eq!(count(&[(2, &[]), (1, &[])]), (3, false));
        assert_eq!(count(&[(1, &[1, 2]), (1, &[2])]), (2, true), "more than were counted");
    }
}
