//! How much an issue matters now: a sum of what can be said in one line. The same counts and the same moment give the same score.
//!
//! | what | points |
//! |---|---|
//! | sessions that had it first in the last 24 hours | 12 × log2(1 + n), at most 48 |
//! | events in the last 24 hours | 2 × log2(1 + n), at most 12 |
//! | events against the 24 hours before | twice as many (at least 4): 12; half as many again: 6; escalating: 12 |
//! | first seen in the last 24 hours | 14 |
//! | unhandled, and it happened in the last 24 hours | 14 |
//! | share of the sessions since the last full hour began, of at least 20 that were seen (weighted where not all are sent) | from 1 %: 4; 3 %: 8; 10 %: 12; 25 %: 16 |
//! | it happens on a page that the project marks as critical | 12 |
//! | it ends the session, of at least 3 sessions | from 20 %: 5; 50 %: 10 |
//! | rage or dead clicks around it, likewise | from 20 %: 5; 50 %: 10 |
//!
//! At most 100; half of it for what happens in no production. What follows an issue ([`playhead_domain::issue::sequel`]) is asked of the
//! sessions of the last 24 hours but those of the five minutes under way and the five before: of them it is not known yet. What is resolved or archived has none. A priority that people pin keeps within that level.

use playhead_domain::issue::totals::{FIVE_MS, HOURS};
use playhead_domain::row::{IssueCount, IssueTotals};
use playhead_domain::session::weight::Sessions;

use super::state::Judged;
use crate::model::issue::{IssueState, Priority, PriorityLevel};
use crate::session::filter::matches_pattern;

const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;
const MOST: u32 = 100;
const HIGH: u32 = 60;
const MEDIUM: u32 = 30;
/// Of fewer sessions no share is told.
const LEAST_TRAFFIC: u64 = 20;
/// Of fewer it is not told what follows.
const LEAST_FOLLOWED: u64 = 3;
/// From here on an issue is said to end the session, per cent.
const ENDS_SESSION: u64 = 75;
/// Environments that are no production, in lower case. Whoever names none, or another one, is taken to be in production.
const NO_PRODUCTION: [&str; 13] = [
    "ci",
    "dev",
    "development",
    "e2e",
    "local",
    "preview",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "test",
    "testing",
    "uat",
];

/// What is the same for all issues of a project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) now_ms: i64,
    /// Sessions since the beginning of the last full hour.
    pub(crate) traffic: Sessions,
    pub(crate) critical_pages: &'a [String],
}

pub(crate) fn of(totals: &IssueTotals, judged: &Judged, pinned: &str, context: Context<'_>) -> Priority {
    match judged.state {
        IssueState::Resolved => nothing("resolved"),
        IssueState::Archived => nothing("archived"),
        _ => pin(weigh(totals, judged, context), pinned),
    }
}

fn nothing(reason: &str) -> Priority {
    Priority { score: 0, level: PriorityLevel::Low, reason: reason.to_owned(), pinned: false }
}

fn bounds(pinned: &str) -> Option<(u32, u32)> {
    match pinned {
        "high" => Some((HIGH, MOST)),
        "medium" => Some((MEDIUM, HIGH - 1)),
        "low" => Some((0, MEDIUM - 1)),
        _ => None,
    }
}

fn pin(priority: Priority, pinned: &str) -> Priority {
    let Some((least, most)) = bounds(pinned) else { return priority };
    let score = priority.score.clamp(least, most);
    let reason = format!("pinned {pinned}, {}", priority.reason);
    Priority { score, level: level(score), reason, pinned: true }
}

const fn level(score: u32) -> PriorityLevel {
    match score {
        HIGH.. => PriorityLevel::High,
        MEDIUM.. => PriorityLevel::Medium,
        _ => PriorityLevel::Low,
    }
}

/// What the counts say, whatever the traffic and what people pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    points: u32,
    /// Since the beginning of the last full hour.
    sessions: Sessions,
    is_outside: bool,
    is_over: bool,
}

impl Weight {
    pub(crate) fn of(totals: &IssueTotals, judged: &Judged, context: Context<'_>) -> Self {
        let is_over = matches!(judged.state, IssueState::Resolved | IssueState::Archived);
        if is_over {
            return Self { points: 0, sessions: Sessions::default(), is_outside: false, is_over };
        }
        Facts::of(totals, judged, context).weight()
    }

    fn weighed(self, traffic: Sessions) -> u32 {
        let points = self.points + share(self.sessions, traffic).map_or(0, share_points);
        points.min(MOST) / if self.is_outside { 2 } else { 1 }
    }

    /// As [`of`] says.
    pub(crate) fn score(self, pinned: &str, traffic: Sessions) -> u32 {
        if self.is_over {
            return 0;
        }
        let score = self.weighed(traffic);
        bounds(pinned).map_or(score, |(least, most)| score.clamp(least, most))
    }
}

/// What is weighed.
struct Facts<'a> {
    events: u64,
    sessions: u64,
    events_before: u64,
    /// Since the beginning of the last full hour.
    sessions_now: Sessions,
    is_new: bool,
    is_unhandled: bool,
    grows: u32,
    critical: Option<&'a str>,
    follows: Follows,
    outside: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(totals: &'a IssueTotals, judged: &Judged, context: Context<'_>) -> Self {
        let now_ms = context.now_ms;
        let hour = now_ms.div_euclid(HOUR_MS);
        let IssueCount { events, sessions, .. } = sum(totals, hour - DAY_HOURS + 1, hour);
        let events_before = sum(totals, hour - HOURS + 1, hour - DAY_HOURS).events;
        Self {
            events,
            sessions,
            events_before,
            sessions_now: sum(totals, hour - 1, hour).reached(),
            is_new: now_ms - totals.first_seen_ms < DAY_HOURS * HOUR_MS,
            is_unhandled: events > 0 && totals.latest.as_ref().is_some_and(|latest| !latest.handled),
            grows: if judged.escalation.is_some() { 12 } else { growth(events, events_before) },
            critical: critical_page(totals, context.critical_pages).filter(|_| events > 0),
            follows: Follows::of(totals, now_ms),
            outside: outside_production(totals),
        }
    }

    fn weight(&self) -> Weight {
        let points = logarithm(self.sessions, 12.0, 48)
            + logarithm(self.events, 2.0, 12)
            + self.grows
            + if self.is_new { 14 } else { 0 }
            + if self.is_unhandled { 14 } else { 0 }
            + if self.critical.is_some() { 12 } else { 0 }
            + self.follows.points();
        Weight { points, sessions: self.sessions_now, is_outside: self.outside.is_some(), is_over: false }
    }
}

fn weigh(totals: &IssueTotals, judged: &Judged, context: Context<'_>) -> Priority {
    let facts = Facts::of(totals, judged, context);
    let Facts { events, events_before: before, is_new, grows, .. } = facts;
    let mut reasons = vec![reach(events, facts.sessions, share(facts.sessions_now, context.traffic))];
    if judged.state == IssueState::Regressed {
        reasons.push("back after it was resolved".to_owned());
    }
    if let Some(forecast) = judged.escalation {
        reasons.push(forecast.describe());
    }
    if is_new {
        let release = &totals.first_release;
        reasons.push(if release.is_empty() { "new".to_owned() } else { format!("new in {release}") });
    } else if grows > 0 && judged.escalation.is_none() {
        reasons.push(format!("{events} events after {before} the day before"));
    }
    if facts.is_unhandled {
        reasons.push("unhandled".to_owned());
    }
    reasons.extend(facts.critical.map(|page| format!("on {page}, which is critical")));
    reasons.extend(facts.follows.describe());
    reasons.extend(facts.outside.map(|environment| format!("only in {environment}")));
    let score = facts.weight().weighed(context.traffic);
    Priority { score, level: level(score), reason: reasons.join(", "), pinned: false }
}

/// Per cent.
fn share(sessions: Sessions, traffic: Sessions) -> Option<u64> {
    let per_cent = sessions.share_of(traffic, LEAST_TRAFFIC).filter(|_| sessions.seen > 0)?;
    Some(per_cent as u64)
}

const fn share_points(per_cent: u64) -> u32 {
    match per_cent {
        25.. => 16,
        10.. => 12,
        3.. => 8,
        1.. => 4,
        0 => 0,
    }
}

/// The critical page on which it happens most.
fn critical_page<'a>(totals: &'a IssueTotals, patterns: &[String]) -> Option<&'a str> {
    let pages = totals.pages.iter().flat_map(|pages| &pages.values);
    let critical = pages.filter(|(page, _)| patterns.iter().any(|pattern| matches_pattern(pattern, page)));
    critical.max_by_key(|(page, events)| (**events, std::cmp::Reverse(*page))).map(|(page, _)| page.as_str())
}

/// What follows in how many of a hundred sessions.
#[derive(Debug, Clone, Copy)]
struct Follows {
    ended: u64,
    frustrated: u64,
}

impl Follows {
    fn of(totals: &IssueTotals, now_ms: i64) -> Self {
        let hour = now_ms.div_euclid(HOUR_MS);
        let day = sum(totals, hour - DAY_HOURS + 1, hour);
        let under_way = totals.fives.range(now_ms.div_euclid(FIVE_MS) - 1..).map(|(_, count)| count);
        let under_way = under_way.fold(IssueCount::default(), |sum, &count| sum.plus(count));
        let sessions = day.sessions.saturating_sub(under_way.sessions);
        let of_hundred = |many: u64, undecided: u64| {
            let many = many.saturating_sub(undecided).min(sessions);
            if sessions >= LEAST_FOLLOWED { 100 * many / sessions } else { 0 }
        };
        Self {
            ended: of_hundred(day.ended, under_way.ended),
            frustrated: of_hundred(day.frustrated, under_way.frustrated),
        }
    }

    const fn points(self) -> u32 {
        follow_points(self.ended) + follow_points(self.frustrated)
    }

    fn describe(self) -> Vec<String> {
        let mut reasons = Vec::new();
        match self.ended {
            ENDS_SESSION.. => reasons.push("ends the session".to_owned()),
            per_cent if follow_points(per_cent) > 0 => {
                reasons.push(format!("ends {per_cent} % of its sessions"));
            }
            _ => {}
        }
        if follow_points(self.frustrated) > 0 {
            reasons.push(format!("rage or dead clicks in {} % of its sessions", self.frustrated));
        }
        reasons
    }
}

const fn follow_points(per_cent: u64) -> u32 {
    match per_cent {
        50.. => 10,
        20.. => 5,
        _ => 0,
    }
}

/// Where it happens most, if it is known that it happens in no production. What was counted before environments were does not tell.
fn outside_production(totals: &IssueTotals) -> Option<&str> {
    let known = totals.environments.as_ref()?;
    let is_outside = |name: &str| NO_PRODUCTION.iter().any(|outside| name.eq_ignore_ascii_case(outside));
    let all_outside = known.values.keys().all(|name| is_outside(name));
    let is_whole = known.values.values().sum::<u64>() == totals.events;
    let most = known.values.iter().max_by_key(|(name, events)| (**events, std::cmp::Reverse(*name)));
    most.filter(|_| all_outside && is_whole).map(|(name, _)| name.as_str())
}

fn reach(events: u64, sessions: u64, share: Option<u64>) -> String {
    if let Some(per_cent @ 1..) = share {
        return format!("{per_cent} % of sessions in the last 2 h");
    }
    match (events, sessions) {
        (0, _) => "nothing in the last 24 h".to_owned(),
        (_, 1) => "1 session in the last 24 h".to_owned(),
        (1, 0) => "1 event in the last 24 h".to_owned(),
        (events, 0) => format!("{events} events in the last 24 h"),
        (_, sessions) => format!("{sessions} sessions in the last 24 h"),
    }
}

fn sum(totals: &IssueTotals, from: i64, to: i64) -> IssueCount {
    let counts = totals.hours.range(from..=to).map(|(_, count)| count);
    counts.fold(IssueCount::default(), |sum, &count| sum.plus(count))
}

fn logarithm(count: u64, weight: f64, most: u32) -> u32 {
    (weight * (1.0 + count as f64).log2()).min(f64::from(most)).round() as u32
}

const fn growth(events: u64, before: u64) -> u32 {
    if before == 0 || events < 4 {
        0
    } else if events >= 2 * before {
        12
    } else if 2 * events >= 3 * before {
        6
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::row::{Breakdown, IssueSample};

    const NOW: i64 = 1_000 * HOUR_MS;

    /// By hours before now: events and sessions.
    fn totals(first_seen_h: i64, handled: bool, hours: &[(i64, u64, u64)]) -> IssueTotals {
        let count = |events, sessions| IssueCount { events, sessions, ..IssueCount::default() };
        let hours = hours.iter().map(|&(ago, events, sessions)| (1_000 - ago, count(events, sessions)));
        IssueTotals {
            first_seen_ms: NOW - first_seen_h * HOUR_MS,
            first_release: "2.4.1".to_owned(),
            hours: hours.collect(),
            latest: Some(IssueSample { handled, ..IssueSample::default() }),
            ..IssueTotals::default()
        }
    }

    const CONTEXT: Context<'_> =
        Context { now_ms: NOW, traffic: Sessions { seen: 0, unseen: 0 }, critical_pages: &[] };

    fn judged(state: IssueState) -> Judged {
        Judged { state, escalation: None, returned: None }
    }

    fn ongoing(totals: &IssueTotals) -> Priority {
        of(totals, &judged(IssueState::Ongoing), "", CONTEXT)
    }

    #[test]
    fn the_share_of_sessions_and_critical_pages_add_points() {
        let mut issue = totals(500, true, &[(1, 3, 3)]);
        let with = |issue: &IssueTotals, seen, critical_pages: &[String]| {
            let traffic = Sessions { seen, unseen: 0 };
            let priority =
                of(issue, &judged(IssueState::Ongoing), "", Context { traffic, critical_pages, ..CONTEXT });
            (priority.score, priority.reason)
        };
        let (plain, _) = with(&issue, 0, &[]);
        assert_eq!(
            with(&issue, 19, &[]),
            (plain, "3 sessions in the last 24 h".to_owned()),
            "too few to tell"
        );
        assert_eq!(with(&issue, 30, &[]), (plain + 12, "10 % of sessions in the last 2 h".to_owned()));
        assert_eq!(with(&issue, 400, &[]), (plain, "3 sessions in the last 24 h".to_owned()));
        let pages = [("/checkout/{id}".to_owned(), 2), ("/".to_owned(), 9)];
        issue.pages = Some(Breakdown { values: pages.into(), other: 0 });
        let critical = ["/checkout/*".to_owned()];
        assert_eq!(
            with(&issue, 0, &critical),
            (plain + 12, "3 sessions in the last 24 h, on /checkout/{id}, which is critical".to_owned())
        );
        assert_eq!(with(&issue, 0, &["/cart".to_owned()]).0, plain);
    }

    #[test]
    fn the_share_is_of_all_sessions_whichever_are_seen() {
        let mut issue = totals(500, true, &[(1, 3, 3)]);
        let reason = |issue: &IssueTotals, unseen| {
            let traffic = Sessions { seen: 30, unseen };
            of(issue, &judged(IssueState::Ongoing), "", Context { traffic, ..CONTEXT }).reason
        };
        assert_eq!(reason(&issue, 0), "10 % of sessions in the last 2 h");
        // Half of the 30 are of pages that send one in ten; so are all that have the issue.
        issue.hours.values_mut().for_each(|count| count.unseen = 27);
        assert_eq!(reason(&issue, 15 * 9), "18 % of sessions in the last 2 h");
    }

    /// Five sessions three hours ago, of which so many ended and were frustrated.
    fn followed(ended: u64, frustrated: u64) -> IssueTotals {
        let mut issue = totals(500, true, &[(3, 5, 5)]);
        issue.hours.insert(997, IssueCount { events: 5, sessions: 5, frustrated, ended, unseen: 0 });
        issue
    }

    #[test]
    fn what_follows_adds_points_and_is_told() {
        let plain = ongoing(&followed(0, 0));
        let of = |ended, frustrated| {
            let priority = ongoing(&followed(ended, frustrated));
            let reason = priority.reason.strip_prefix(&plain.reason).unwrap().to_owned();
            (priority.score - plain.score, reason)
        };
        assert_eq!(of(0, 0), (0, String::new()));
        assert_eq!(of(1, 0), (5, ", ends 20 % of its sessions".to_owned()));
        assert_eq!(of(3, 0), (10, ", ends 60 % of its sessions".to_owned()));
        assert_eq!(of(4, 0), (10, ", ends the session".to_owned()));
        assert_eq!(of(0, 2), (5, ", rage or dead clicks in 40 % of its sessions".to_owned()));
        let both = ", ends the session, rage or dead clicks in 60 % of its sessions";
        assert_eq!(of(5, 3), (20, both.to_owned()));
        assert_eq!(of(0, 9).0, 10, "never more than all");
    }

    #[test]
    fn of_few_or_fresh_sessions_it_is_not_told_what_follows() {
        let with = |sessions, fresh: i64| {
            let mut issue = totals(500, true, &[(0, sessions, sessions)]);
            let count = IssueCount { events: sessions, sessions, ended: sessions, ..IssueCount::default() };
            issue.hours.insert(1_000, count);
            issue.fives.insert(NOW.div_euclid(FIVE_MS) - fresh, count);
            ongoing(&issue).reason
        };
        assert_eq!(with(2, 2), "2 sessions in the last 24 h");
        assert_eq!(with(3, 2), "3 sessions in the last 24 h, ends the session");
        assert_eq!(with(3, 1), "3 sessions in the last 24 h", "they may still go on");
        assert_eq!(with(3, 0), "3 sessions in the last 24 h");
    }

    #[test]
    fn what_happens_in_no_production_matters_half() {
        let of = |environments: &[(&str, u64)]| {
            let mut issue = totals(2, false, &[(1, 20, 12)]);
            issue.events = 20;
            let values = environments.iter().map(|&(name, events)| (name.to_owned(), events));
            issue.environments = Some(Breakdown { values: values.collect(), other: 0 });
            let priority = ongoing(&issue);
            (priority.score, priority.reason.ends_with("unhandled, only in Staging"))
        };
        assert_eq!(of(&[("Staging", 15), ("dev", 5)]), (40, true));
        assert_eq!(of(&[("Staging", 15), ("production", 5)]), (81, false));
        assert_eq!(of(&[("Staging", 15), ("", 5)]), (81, false), "nobody said where");
        assert_eq!(of(&[("Staging", 15)]), (81, false), "of five nobody knows");
    }

    #[test]
    fn an_escalation_says_the_forecast_that_was_passed() {
        let forecast = playhead_domain::issue::forecast::Forecast { events: 31, expected: 12 };
        let judged = Judged { escalation: Some(forecast), ..judged(IssueState::Escalating) };
        let priority = of(&totals(500, true, &[(1, 31, 1)]), &judged, "", CONTEXT);
        assert_eq!(priority.reason, "1 session in the last 24 h, 31 events in 3 hours, forecast 12");
        assert_eq!(priority.score, 12 + 10 + 12);
    }

    #[test]
    fn a_pinned_priority_keeps_its_level() {
        let issue = totals(500, true, &[(1, 3, 3)]);
        let pinned = |pinned| of(&issue, &judged(IssueState::Ongoing), pinned, CONTEXT);
        let high = pinned("high");
        assert_eq!((high.score, high.level, high.pinned), (HIGH, PriorityLevel::High, true));
        assert_eq!(high.reason, "pinned high, 3 sessions in the last 24 h");
        assert_eq!((pinned("low").level, pinned("").pinned), (PriorityLevel::Low, false));
        assert_eq!(of(&issue, &judged(IssueState::Archived), "high", CONTEXT).score, 0);
    }

    #[test]
    fn a_new_unhandled_error_of_many_comes_first() {
        let priority = ongoing(&totals(2, false, &[(1, 20, 12)]));
        assert_eq!((priority.score, priority.level), (81, PriorityLevel::High));
        assert_eq!(priority.reason, "12 sessions in the last 24 h, new in 2.4.1, unhandled");
    }

    #[test]
    fn each_part_adds_its_points() {
        let plain = ongoing(&totals(500, true, &[(1, 3, 3), (30, 3, 3)]));
        assert_eq!((plain.score, plain.level), (24 + 4, PriorityLevel::Low));
        assert_eq!(plain.reason, "3 sessions in the last 24 h");
        assert_eq!(ongoing(&totals(500, false, &[(1, 3, 3), (30, 3, 3)])).score, 28 + 14);
        let grown = ongoing(&totals(500, true, &[(1, 7, 3), (30, 3, 3)]));
        assert_eq!(
            (grown.score, grown.reason.as_str()),
            (24 + 6 + 12, "3 sessions in the last 24 h, 7 events after 3 the day before")
        );
        assert_eq!(ongoing(&totals(500, true, &[(1, 5, 3), (30, 3, 3)])).score, 24 + 5 + 6);
    }

    #[test]
    fn more_of_anything_never_matters_less() {
        let scores: Vec<_> = (0..200).map(|n| ongoing(&totals(500, false, &[(0, n, n)])).score).collect();
        assert!(scores.is_sorted() && scores.iter().all(|&score| score <= 100));
    }

    #[test]
    fn what_is_over_has_none() {
        let old = ongoing(&totals(500, false, &[(40, 9, 9)]));
        assert_eq!((old.score, old.reason.as_str()), (0, "nothing in the last 24 h"));
        let resolved = of(&totals(2, false, &[(1, 20, 12)]), &judged(IssueState::Resolved), "", CONTEXT);
        assert_eq!((resolved.score, resolved.reason.as_str()), (0, "resolved"));
        let back = of(&totals(500, true, &[(1, 1, 1)]), &judged(IssueState::Regressed), "", CONTEXT);
        assert_eq!(back.reason, "1 session in the last 24 h, back after it was resolved");
    }
}
