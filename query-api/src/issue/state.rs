//! The state of an issue: what people gave it, and what happened since.
//!
//! | state | when |
//! |---|---|
//! | archived | until what was agreed happens |
//! | resolved | until it happens again: at once, in a later release, or in the one in which it is resolved or a later one |
//! | regressed | resolved, and it happened again |
//! | new | first seen in the last 24 hours |
//! | escalating | above its forecast: [`playhead_domain::issue::forecast`] |
//! | ongoing | else |

use playhead_domain::issue::forecast::{self, Forecast};
use playhead_domain::issue::release;
use playhead_domain::row::{self, ArchivedUntil, IssueTotals, Seen};

use super::read::COUNTED_USERS;
use crate::model::issue::IssueState;

pub(crate) const RESOLVED: &str = "resolved";
pub(crate) const ARCHIVED: &str = "archived";
/// Neither of the others.
pub(crate) const ONGOING: &str = "ongoing";

const NEW_FOR_MS: i64 = 86_400_000;
const DAY_MS: i64 = 86_400_000;

/// What is to be thought of an issue now, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) state: IssueState,
    /// It happens more often than was to be expected.
    pub(crate) escalation: Option<Forecast>,
    /// Why it is not in the archive any more.
    pub(crate) returned: Option<String>,
}

/// The state now. `users`: how many it has; only archives that wait for users ask.
pub(crate) fn now(totals: &IssueTotals, given: Option<&row::IssueState>, users: u64, now_ms: i64) -> Judged {
    let judged = |state| Judged { state, escalation: None, returned: None };
    let returned = match given.map(|given| (given.state.as_str(), given)) {
        Some((ARCHIVED, given)) => match what_ended_archive(totals, given, users, now_ms) {
            None => return judged(IssueState::Archived),
            returned => returned,
        },
        Some((RESOLVED, given)) if is_regression(totals, given) => return judged(IssueState::Regressed),
        Some((RESOLVED, _)) => return judged(IssueState::Resolved),
        _ => None,
    };
    let forecast = forecast::at(totals, now_ms);
    let escalation = Some(forecast).filter(|forecast| forecast.is_passed());
    let state = match escalation {
        _ if now_ms - totals.first_seen_ms < NEW_FOR_MS && returned.is_none() => IssueState::New,
        Some(_) => IssueState::Escalating,
        None => IssueState::Ongoing,
    };
    Judged { state, escalation: escalation.filter(|_| state == IssueState::Escalating), returned }
}

/// Whether how many users there are decides.
pub(crate) fn waits_for_users(given: &row::IssueState) -> bool {
    given.state == ARCHIVED && given.archived_until.is_some_and(|until| until.users > 0)
}

fn what_ended_archive(
    totals: &IssueTotals,
    given: &row::IssueState,
    users: u64,
    now_ms: i64,
) -> Option<String> {
    let until = given.archived_until?;
    if until.escalating {
        return forecast::passed_since(totals, given.changed_ms, now_ms).map(Forecast::describe);
    }
    if until.users > 0 {
        let more = users.saturating_sub(until.users_before);
        // Merged since, it may have so many that nobody would see the agreed number.
        return (more >= until.users || users >= COUNTED_USERS).then(|| format!("{more} more users"));
    }
    if until.days > 0 {
        let most = most_within(totals, until, given.changed_ms);
        return (most >= until.events).then(|| match until.days {
            1 => format!("{most} events within a day"),
            days => format!("{most} events within {days} days"),
        });
    }
    let more = totals.events.saturating_sub(until.events_before);
    (more >= until.events).then(|| format!("{more} more events"))
}

/// The most events of so many days (UTC) that follow each other, since it was archived.
fn most_within(totals: &IssueTotals, until: ArchivedUntil, since_ms: i64) -> u64 {
    let first = since_ms.div_euclid(DAY_MS);
    let days = || totals.days.range(first..);
    let of =
        |day: i64, events: u64| events - if day == first { until.events_that_day.min(events) } else { 0 };
    let window = |start: i64| {
        let days = totals.days.range(start..start + i64::from(until.days));
        days.map(|(&day, count)| of(day, count.events)).sum()
    };
    days().map(|(&day, _)| window(day)).max().unwrap_or_default()
}

/// It happened after it was resolved, where it was not to happen any more.
fn is_regression(totals: &IssueTotals, given: &row::IssueState) -> bool {
    if totals.last_seen_ms <= given.changed_ms {
        return false;
    }
    if !given.in_next_release && !given.in_this_release {
        return true;
    }
    if totals.releases_seen.is_empty() {
        // Counted before releases were told apart.
        return last_release(totals) != given.resolved_release;
    }
    if had_later_release(totals, given) {
        return true;
    }
    let mut since = totals.releases_seen.iter().filter(|(_, seen)| seen.last_ms > given.changed_ms);
    since.any(|(name, _)| {
        let is_it = *name == given.resolved_release;
        if is_it { given.in_this_release } else { is_after(totals, name, given) }
    })
}

/// Of releases that were counted before they were told apart nobody knows when they had it. If it was resolved before too, one with a later
/// version is a regression, as it was then.
fn had_later_release(totals: &IssueTotals, given: &row::IssueState) -> bool {
    let seen = &totals.releases_seen;
    if seen.values().any(|seen| seen.first_ms <= given.changed_ms) {
        return false;
    }
    let unseen = totals.releases.iter().flat_map(|releases| releases.values.keys());
    let mut unseen = unseen.filter(|name| !seen.contains_key(*name));
    unseen.any(|name| release::compare(name, &given.resolved_release).is_some_and(std::cmp::Ordering::is_gt))
}

/// Whether the release came after the one in which the issue was resolved: by their versions, else by when the issue first had them.
fn is_after(totals: &IssueTotals, name: &str, given: &row::IssueState) -> bool {
    if let Some(order) = release::compare(name, &given.resolved_release) {
        return order.is_gt() || order.is_eq() && given.in_this_release;
    }
    let first = |name: &str| totals.releases_seen.get(name).map(|seen| seen.first_ms);
    let resolved_ms =
        first(&given.resolved_release).map_or(given.changed_ms, |first| first.min(given.changed_ms));
    !name.is_empty() && first(name).is_some_and(|first| first > resolved_ms)
}

/// The release of the newest occurrence.
pub(crate) fn last_release(totals: &IssueTotals) -> &str {
    totals.latest.as_ref().map_or("", |latest| &latest.release)
}

/// The newest of the releases that had it.
pub(crate) fn newest_release(totals: &IssueTotals) -> &str {
    let newest = totals.releases_seen.iter().filter(|(name, _)| !name.is_empty());
    let newest = newest.reduce(|one, other| if comes_first(one, other) { other } else { one });
    newest.map_or_else(|| last_release(totals), |(name, _)| name)
}

fn comes_first((one, seen): (&String, &Seen), (other, other_seen): (&String, &Seen)) -> bool {
    release::compare(one, other).map_or(seen.first_ms < other_seen.first_ms, std::cmp::Ordering::is_lt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::row::{IssueCount, IssueSample};

    const NOON: i64 = 100 * DAY_MS + DAY_MS / 2;

    fn totals(first_seen_ms: i64, last_seen_ms: i64, release: &str) -> IssueTotals {
        let latest = Some(IssueSample { release: release.to_owned(), ..IssueSample::default() });
        IssueTotals { first_seen_ms, last_seen_ms, latest, ..IssueTotals::default() }
    }

    fn given(state: &str) -> row::IssueState {
        row::IssueState { state: state.to_owned(), changed_ms: NOON, ..row::IssueState::default() }
    }

    fn state(totals: &IssueTotals, given: Option<&row::IssueState>) -> IssueState {
        now(totals, given, 0, NOON + DAY_MS).state
    }

    /// Releases with their first and last hour after it was resolved.
    fn releases(seen: &[(&str, i64, i64)]) -> IssueTotals {
        let hour = |hours: i64| NOON + hours * 3_600_000;
        let seen: std::collections::BTreeMap<_, _> = seen
            .iter()
            .map(|&(name, first, last)| {
                (name.to_owned(), Seen { first_ms: hour(first), last_ms: hour(last) })
            })
            .collect();
        let last_seen_ms = seen.values().map(|seen| seen.last_ms).max().unwrap_or_default();
        IssueTotals { last_seen_ms, releases_seen: seen, ..IssueTotals::default() }
    }

    #[test]
    fn what_happens_after_it_was_resolved_is_a_regression() {
        let at = |last_ms| state(&totals(0, last_ms, "1"), Some(&given(RESOLVED)));
        assert_eq!((at(NOON), at(NOON + 1)), (IssueState::Resolved, IssueState::Regressed));
    }

    #[test]
    fn in_the_next_release_only_later_ones_count() {
        let next = |release: &str| row::IssueState {
            in_next_release: true,
            resolved_release: release.to_owned(),
            ..given(RESOLVED)
        };
        let regresses = |resolved: &str, seen: &[(&str, i64, i64)]| {
            state(&releases(seen), Some(&next(resolved))) == IssueState::Regressed
        };
        assert!(!regresses("2.9.0", &[("2.9.0", -9, 2), ("2.8.0", -20, 3)]), "old ones may go on");
        assert!(regresses("2.9.0", &[("2.9.0", -9, 5), ("2.10.0", 2, 3)]), "2.10 comes after 2.9");
        assert!(!regresses("2.9.0", &[("2.9.0", -9, 5), ("2.8.7", 2, 3)]), "a later build of an older one");
        assert!(regresses("main-1", &[("main-1", -9, 5), ("main-0", 2, 3)]), "first seen later");
        assert!(!regresses("main-1", &[("main-1", -9, -5), ("main-0", -20, 3)]));
        assert!(!regresses("2.9.0", &[("", -9, 5)]), "nobody knows of which release it is");
    }

    #[test]
    fn what_regressed_before_releases_were_told_apart_stays_so() {
        let next = |resolved: &str| row::IssueState {
            in_next_release: true,
            resolved_release: resolved.to_owned(),
            ..given(RESOLVED)
        };
        let counted = |seen: &[(&str, i64, i64)], names: &[&str]| {
            let values = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
            let breakdown = row::Breakdown { values, other: 0 };
            IssueTotals { releases: Some(breakdown), ..releases(seen) }
        };
        let regresses = |totals: &IssueTotals| state(totals, Some(&next("1"))) == IssueState::Regressed;
        assert!(regresses(&counted(&[("1", 3, 3)], &["1", "2"])));
        assert!(!regresses(&counted(&[("1", 3, 3)], &["0", "1"])));
        assert!(
            !regresses(&counted(&[("1", -3, 3)], &["1", "2"])),
            "it is known that 2 did not have it since"
        );
    }

    #[test]
    fn in_this_release_it_counts_too() {
        let this = |release: &str| row::IssueState {
            in_this_release: true,
            resolved_release: release.to_owned(),
            ..given(RESOLVED)
        };
        let regresses = |resolved: &str, seen: &[(&str, i64, i64)]| {
            state(&releases(seen), Some(&this(resolved))) == IssueState::Regressed
        };
        assert!(!regresses("2.10.0", &[("2.9.0", -9, 5)]));
        assert!(regresses("2.10.0", &[("2.9.0", -9, 5), ("2.10.0", 1, 1)]));
        assert!(regresses("2.10.0", &[("2.11.0", 1, 1)]));
        assert!(regresses("fix", &[("fix", 3, 4)]));
        assert!(!regresses("fix", &[("old", -3, 4)]));
    }

    #[test]
    fn what_nobody_touched_is_new_for_a_day_and_then_may_escalate() {
        let at = |first_ms: i64| state(&totals(first_ms, 0, ""), None);
        assert_eq!((at(NOON + 1), at(NOON)), (IssueState::New, IssueState::Ongoing));
        let mut spike = totals(0, NOON + DAY_MS, "");
        let hour = (NOON + DAY_MS).div_euclid(3_600_000);
        spike.hours = [hour - 1, hour].map(|h| (h, IssueCount { events: 9, ..IssueCount::default() })).into();
        let judged = now(&spike, Some(&given(ONGOING)), 0, NOON + DAY_MS);
        assert_eq!(judged.state, IssueState::Escalating);
        assert_eq!(judged.escalation.unwrap().describe(), "18 events in 3 hours, forecast 10");
        assert_eq!(state(&spike, Some(&given(ARCHIVED))), IssueState::Archived);
        let until = ArchivedUntil { escalating: true, ..ArchivedUntil::default() };
        let until = row::IssueState { archived_until: Some(until), ..given(ARCHIVED) };
        let judged = now(&spike, Some(&until), 0, NOON + DAY_MS);
        assert_eq!((judged.state, judged.returned.is_some()), (IssueState::Escalating, true));
    }

    #[test]
    fn an_archive_ends_with_the_agreed_number() {
        let returned = |totals: &IssueTotals, until: ArchivedUntil, users: u64| {
            let given = row::IssueState { archived_until: Some(until), ..given(ARCHIVED) };
            now(totals, Some(&given), users, NOON + DAY_MS).returned
        };
        let mut counted = totals(0, NOON, "");
        counted.events = 110;
        let events = ArchivedUntil { events: 10, events_before: 100, ..ArchivedUntil::default() };
        assert_eq!(returned(&counted, events, 0).unwrap(), "10 more events");
        counted.events = 109;
        assert_eq!(returned(&counted, events, 0), None);
        let users = ArchivedUntil { users: 3, users_before: 7, ..ArchivedUntil::default() };
        assert_eq!(returned(&counted, users, 9), None);
        assert_eq!(returned(&counted, users, 10).unwrap(), "3 more users");
        let within = ArchivedUntil { events: 8, days: 2, events_that_day: 50, ..ArchivedUntil::default() };
        let day = |day: i64, events| (100 + day, IssueCount { events, ..IssueCount::default() });
        counted.days = [day(-1, 99), day(0, 54), day(1, 3), day(3, 6)].into();
        assert_eq!(returned(&counted, within, 0), None, "4 and 3, or 3, or 6");
        counted.days = [day(0, 54), day(1, 4)].into();
        assert_eq!(returned(&counted, within, 0).unwrap(), "8 events within 2 days");
    }

    #[test]
    fn the_newest_release_is_that_of_the_highest_version() {
        assert_eq!(newest_release(&releases(&[("2.9.0", 3, 4), ("2.10.0", 1, 2), ("", 5, 5)])), "2.10.0");
        assert_eq!(newest_release(&releases(&[("b", 1, 9), ("a", 2, 3)])), "a");
        assert_eq!(newest_release(&totals(0, 0, "7")), "7");
    }
}
