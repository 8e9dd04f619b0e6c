//! Whether a rule's condition is met for an issue, by what is counted.

use std::collections::BTreeMap;

use super::rule::{Condition, Measure, Seen};
use super::window::{Grain, Window};
use crate::issue::forecast;
use crate::row::{AlertState, IssueTotals};
use crate::session::weight::Sessions;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// What comes later than that after its window's end triggers nothing.
pub const LATE_MS: i64 = 900_000;
/// A new or regressed issue that is quiet for so long is not alarming any more.
const QUIET_MS: i64 = DAY_MS;
/// An issue that did not happen since so long before [`Moment::decided_ms`] and [`Moment::at_ms`], of which nothing is remembered and which does not
/// count as regressed, meets no condition.
pub const LOOKS_BACK_MS: i64 = DAY_MS + HOUR_MS;

/// Where an issue stands, as far as alerts ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    Regressed,
    /// Resolved or archived.
    Settled,
}

/// An issue as it is counted and decided about.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    pub totals: &'a IssueTotals,
    pub standing: Standing,
    /// When people last decided about its state; 0: never.
    pub decided_ms: i64,
    /// It is what the rule is about: filter and priority.
    pub matches: bool,
}

/// When something is judged, in the stream's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// All that the log took before is counted.
    pub at_ms: i64,
    /// What is counted up to here may trigger already: later than `at_ms` while a part of the log is far behind.
    pub until_ms: i64,
    /// What ended before is decided.
    pub decided_ms: i64,
    /// Since when the rule asks.
    pub from_ms: i64,
    /// An issue triggers once within so long.
    pub throttle_ms: i64,
}

/// What some conditions ask besides.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// All users of the issue.
    pub users: u64,
    /// Sessions of the project that began in a window, by its begin and end.
    pub traffic: BTreeMap<(i64, i64), Sessions>,
}

/// A condition that is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Which occasion it is: when a new issue was first seen, when a regressed one had been resolved, where the window that was passed
    /// ends, when something was last received. An occasion triggers once.
    pub mark: i64,
    /// Since when.
    pub since_ms: i64,
    /// In a sentence.
    pub why: String,
}

/// What an issue is to a rule now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Met(Met),
    /// What triggered goes on.
    Holds,
    /// Not met, or over, and why.
    Over(&'static str),
}

/// Windows for which [`Reach`] must be known before [`issue`] is asked.
#[must_use]
pub fn windows_asked(
    condition: Condition,
    issue: &Issue<'_>,
    memory: Option<&AlertState>,
    moment: Moment,
) -> Vec<Window> {
    let Condition::Seen(seen) = condition else { return Vec::new() };
    if matches!(seen.measure, Measure::Events | Measure::Sessions) || !is_alarming(issue) && !holds(memory) {
        return Vec::new();
    }
    let mut windows = candidates(&seen, issue.totals, memory, moment);
    windows.retain(|window| window.sessions.seen > 0);
    if holds(memory) {
        windows.push(Grain::of(seen.window_minutes).whole(issue.totals, moment.at_ms));
    }
    windows
}

/// Judges an issue.
#[must_use]
pub fn issue(
    condition: Condition,
    issue: &Issue<'_>,
    memory: Option<&AlertState>,
    moment: Moment,
    reach: &Reach,
) -> Verdict {
    if issue.standing == Standing::Settled {
        return Verdict::Over("the issue was resolved or archived");
    }
    match condition {
        Condition::NewIssue => new_issue(issue, memory, moment),
        Condition::Regressed => regressed(issue, memory, moment),
        Condition::Escalating => escalating(issue, memory, moment),
        Condition::Seen(seen) => judge_seen(&seen, issue, memory, moment, reach),
        Condition::Silent { .. } | Condition::Performance(_) => Verdict::Over("it is not about issues"),
    }
}

fn holds(memory: Option<&AlertState>) -> bool {
    memory.is_some_and(|memory| memory.holds)
}

fn is_alarming(issue: &Issue<'_>) -> bool {
    issue.matches && issue.standing != Standing::Settled
}

fn new_issue(issue: &Issue<'_>, memory: Option<&AlertState>, moment: Moment) -> Verdict {
    let first_ms = issue.totals.first_seen_ms;
    let is_decided = memory.is_some_and(|memory| first_ms <= memory.changed_ms);
    let is_new = first_ms >= moment.from_ms && moment.at_ms - first_ms < DAY_MS;
    if is_alarming(issue) && is_new && !is_decided {
        let why = "an issue was seen for the first time".to_owned();
        return Verdict::Met(Met { mark: first_ms, since_ms: first_ms, why });
    }
    rest(issue, memory, moment)
}

fn regressed(issue: &Issue<'_>, memory: Option<&AlertState>, moment: Moment) -> Verdict {
    let mark = issue.decided_ms;
    let is_known = memory.is_some_and(|memory| memory.mark == mark);
    if is_alarming(issue) && issue.standing == Standing::Regressed && !is_known {
        let why = "it happened again after it was resolved".to_owned();
        return Verdict::Met(Met { mark, since_ms: issue.totals.last_seen_ms, why });
    }
    if issue.standing != Standing::Regressed {
        return Verdict::Over("it does not count as regressed any more");
    }
    rest(issue, memory, moment)
}

/// What happens once goes on until it is quiet.
fn rest(issue: &Issue<'_>, memory: Option<&AlertState>, moment: Moment) -> Verdict {
    if holds(memory) && moment.at_ms - issue.totals.last_seen_ms < QUIET_MS {
        return Verdict::Holds;
    }
    Verdict::Over("it did not happen for a day")
}

fn escalating(issue: &Issue<'_>, memory: Option<&AlertState>, moment: Moment) -> Verdict {
    let (totals, hour) = (issue.totals, moment.at_ms.div_euclid(HOUR_MS));
    let passes_now = forecast::at(totals, moment.at_ms).is_passed();
    if holds(memory) {
        return if passes_now { Verdict::Holds } else { Verdict::Over("it is within its forecast again") };
    }
    // What was over when it was last judged, and what the rule was not there for, is past.
    let past_ms = memory.map_or(0, |memory| memory.changed_ms).max(moment.from_ms).max(moment.decided_ms);
    // While it is new it has no history that a forecast could be of.
    let first = past_ms.max(totals.first_seen_ms + DAY_MS).div_euclid(HOUR_MS);
    match forecast::first_passed(totals, first, hour).filter(|_| is_alarming(issue) && first <= hour) {
        Some((hour, forecast)) => {
            let since_ms = (hour - forecast::SPAN_HOURS + 1) * HOUR_MS;
            Verdict::Met(Met { mark: 0, since_ms, why: forecast.describe() })
        }
        None => Verdict::Over("it is within its forecast"),
    }
}

fn judge_seen(
    seen: &Seen,
    issue: &Issue<'_>,
    memory: Option<&AlertState>,
    moment: Moment,
    reach: &Reach,
) -> Verdict {
    if let Some(memory) = memory.filter(|memory| memory.holds) {
        // Judged by whole windows alone, it does not matter when within a span somebody looks.
        let whole = Grain::of(seen.window_minutes).whole(issue.totals, moment.at_ms);
        let is_over = whole.to_ms >= memory.mark && !is_above(seen, &whole, reach);
        return if is_over { Verdict::Over("it is below its limit again") } else { Verdict::Holds };
    }
    let passed = candidates(seen, issue.totals, memory, moment)
        .into_iter()
        .find_map(|window| Some((window, passing(seen, &window, reach)?)));
    match passed.filter(|_| is_alarming(issue)) {
        Some((window, value)) => {
            let why = describe(seen, value);
            Verdict::Met(Met { mark: window.to_ms, since_ms: window.from_ms, why })
        }
        None => Verdict::Over("it is below its limit"),
    }
}

/// The value of a window that triggers.
pub(super) fn passing(seen: &Seen, window: &Window, reach: &Reach) -> Option<f64> {
    measured(seen, window, reach).filter(|value| *value >= seen.at_least)
}

/// It has not fallen to where it is over.
pub(super) fn is_above(seen: &Seen, window: &Window, reach: &Reach) -> bool {
    measured(seen, window, reach).is_some_and(|value| value >= seen.resolve_below)
}

fn candidates(seen: &Seen, totals: &IssueTotals, memory: Option<&AlertState>, moment: Moment) -> Vec<Window> {
    let known = memory.map_or(0, |memory| memory.changed_ms.max(throttled_until_ms(memory, moment)));
    let past_ms = known.max(moment.from_ms);
    let until_ms = match seen.measure {
        // What was counted only grows.
        Measure::Events | Measure::Sessions | Measure::Users => moment.until_ms,
        // Of a part of all sessions no share can be told.
        Measure::Share => moment.at_ms,
    };
    Grain::of(seen.window_minutes).windows(totals, past_ms.max(moment.decided_ms - LATE_MS), until_ms)
}

/// What was passed within the throttle and is over after it is not told.
pub(super) fn throttled_until_ms(memory: &AlertState, moment: Moment) -> i64 {
    if memory.number > 0 { memory.opened_ms + moment.throttle_ms } else { 0 }
}

/// `None`: there is too little to tell a share of.
fn measured(seen: &Seen, window: &Window, reach: &Reach) -> Option<f64> {
    Some(match seen.measure {
        Measure::Events => window.events as f64,
        Measure::Sessions => window.sessions.seen as f64,
        Measure::Users => window.sessions.seen.min(reach.users) as f64,
        Measure::Share => {
            let traffic = *reach.traffic.get(&(window.from_ms, window.to_ms))?;
            window.sessions.share_of(traffic, seen.minimum_sessions)?
        }
    })
}

pub(super) fn describe(seen: &Seen, value: f64) -> String {
    let (what, limit) = match seen.measure {
        Measure::Events => (format!("{value} events"), format!("{}", seen.at_least)),
        Measure::Sessions => (format!("{value} sessions"), format!("{}", seen.at_least)),
        Measure::Users => (format!("{value} users"), format!("{}", seen.at_least)),
        Measure::Share => (format!("{value:.1} % of sessions"), format!("{} %", seen.at_least)),
    };
    format!("{what} within {}, limit {limit}", span(seen.window_minutes))
}

pub(super) fn span(minutes: u32) -> String {
    match minutes {
        60 => "an hour".to_owned(),
        minutes if minutes % 60 == 0 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

/// Judges silence: `last_ms` is when the project last received something; 0: never.
#[must_use]
pub fn silence(minutes: u32, last_ms: i64, moment: Moment) -> Verdict {
    let quiet_ms = moment.at_ms - last_ms.max(moment.from_ms);
    if last_ms == 0 || quiet_ms < i64::from(minutes) * 60_000 {
        return Verdict::Over("the project receives again");
    }
    let why = format!("nothing was received for {}", span(minutes));
    Verdict::Met(Met { mark: last_ms, since_ms: last_ms, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::totals::{FIVE_MS, Hit};

    const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn totals(times: &[i64]) -> IssueTotals {
        let mut totals = IssueTotals::default();
        for &time_ms in times {
            totals.add(&Hit {
                time_ms,
                is_new_session: true,
                unseen: 0,
                release: "".into(),
                browser: "".into(),
                system: "".into(),
                country: "".into(),
                environment: "".into(),
                page: String::new(),
                expires_at_ms: time_ms,
            });
        }
        totals
    }

    fn open(totals: &IssueTotals) -> Issue<'_> {
        Issue { totals, standing: Standing::Open, decided_ms: 0, matches: true }
    }

    fn at(at_ms: i64) -> Moment {
        Moment { at_ms, until_ms: at_ms, decided_ms: at_ms - 2_000, from_ms: NOON - DAY_MS, throttle_ms: 0 }
    }

    fn seen(measure: Measure, window_minutes: u32) -> Condition {
        let (at_least, resolve_below) = (3.0, 2.0);
        Condition::Seen(Seen { measure, at_least, resolve_below, window_minutes, minimum_sessions: 0 })
    }

    fn is_met(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Met(_))
    }

    fn holding(changed_ms: i64, mark: i64) -> AlertState {
        AlertState { holds: true, changed_ms, mark, number: 1, ..AlertState::default() }
    }

    proptest::proptest! {
        #[test]
        fn what_happened_long_ago_meets_no_condition(
            ages in proptest::collection::vec(0..400 * 60_i64, 1..40),
            at in 0..3_000_i64,
            decided in -2_000..3_000_i64,
            until in 0..300_i64,
            from in -50_000..50_000_i64,
            throttle in 0..2_000_i64,
            window in proptest::sample::select(vec![5_u32, 15, 60, 180, 360, 1_440]),
            kind in 0..7_usize,
        ) {
            let minute = |minutes: i64| NOON + minutes * 60_000;
            let moment = Moment {
                at_ms: minute(at),
                until_ms: minute(at + until),
                decided_ms: minute(decided),
                from_ms: minute(from),
                throttle_ms: throttle * 60_000,
            };
            let last_ms = moment.at_ms.min(moment.decided_ms) - LOOKS_BACK_MS - 1;
            let mut times: Vec<i64> = ages.iter().map(|minutes| last_ms - minutes * 60_000).collect();
            times.sort_unstable();
            let totals = totals(&times);
            let condition = match kind {
                0 => Condition::NewIssue,
                1 => Condition::Escalating,
                2 => seen(Measure::Events, window),
                3 => seen(Measure::Sessions, window),
                4 => seen(Measure::Users, window),
                5 => Condition::Regressed,
                _ => seen(Measure::Share, window),
            };
            let asked = windows_asked(condition, &open(&totals), None, moment);
            let traffic = Sessions { seen: 1, unseen: 0 };
            let traffic = asked.iter().map(|window| ((window.from_ms, window.to_ms), traffic)).collect();
            let verdict = issue(condition, &open(&totals), None, moment, &Reach { users: 50, traffic });
            proptest::prop_assert!(matches!(verdict, Verdict::Over(_)), "{verdict:?}");
        }
    }

    #[test]
    fn a_new_issue_is_new_once() {
        let totals = totals(&[NOON]);
        let judged = |memory: Option<&AlertState>, moment| {
            issue(Condition::NewIssue, &open(&totals), memory, moment, &Reach::default())
        };
        assert!(is_met(&judged(None, at(NOON + 5))));
        assert!(!is_met(&judged(None, at(NOON + DAY_MS))), "a day later it is not new");
        let began_later = Moment { from_ms: NOON + 1, ..at(NOON + 5) };
        assert!(!is_met(&judged(None, began_later)));
        let memory = holding(NOON + 5, NOON);
        assert_eq!(judged(Some(&memory), at(NOON + 9)), Verdict::Holds);
        assert!(matches!(judged(Some(&memory), at(NOON + DAY_MS)), Verdict::Over(_)));
        let expired_before = AlertState { holds: false, ..holding(NOON - 1, NOON - DAY_MS) };
        assert!(is_met(&judged(Some(&expired_before), at(NOON + 5))), "it expired and came again");
    }

    #[test]
    fn a_regression_triggers_once_for_each_time_it_was_resolved() {
        let totals = totals(&[NOON - DAY_MS, NOON]);
        let regressed = Issue { standing: Standing::Regressed, decided_ms: NOON - 9, ..open(&totals) };
        let judged = |memory: &AlertState| {
            issue(Condition::Regressed, &regressed, Some(memory), at(NOON + 1), &Reach::default())
        };
        assert!(is_met(&judged(&AlertState::default())));
        assert_eq!(judged(&holding(NOON, NOON - 9)), Verdict::Holds);
        assert!(is_met(&judged(&holding(NOON - 50, NOON - 99))), "resolved again meanwhile");
    }

    #[test]
    fn a_window_is_passed_whenever_somebody_looks() {
        let totals = totals(&[NOON + 1, NOON + 2, NOON + 3 * FIVE_MS - 1, NOON + 12 * FIVE_MS]);
        let judged = |window, moment| {
            issue(seen(Measure::Events, window), &open(&totals), None, moment, &Reach::default())
        };
        assert!(!is_met(&judged(10, at(NOON + 3 * FIVE_MS))));
        assert!(is_met(&judged(15, at(NOON + 3 * FIVE_MS))));
        let behind = Moment { decided_ms: NOON, ..at(NOON + 12 * FIVE_MS) };
        assert!(is_met(&judged(15, behind)), "nobody looked for an hour");
        assert!(!is_met(&judged(15, at(NOON + 12 * FIVE_MS))), "decided windows do not reopen");
    }

    #[test]
    fn it_is_over_when_a_whole_window_is_below_the_lower_limit() {
        let totals = totals(&[NOON, NOON + 1, NOON + 2, NOON + FIVE_MS, NOON + FIVE_MS + 1]);
        let memory = holding(NOON + 2, 0);
        let judged = |at_ms| {
            issue(seen(Measure::Events, 5), &open(&totals), Some(&memory), at(at_ms), &Reach::default())
        };
        assert_eq!(judged(NOON + FIVE_MS), Verdict::Holds, "the span has just begun");
        assert_eq!(judged(NOON + 2 * FIVE_MS), Verdict::Holds, "two are not below two");
        assert!(matches!(judged(NOON + 3 * FIVE_MS), Verdict::Over(_)));
    }

    #[test]
    fn users_and_shares_are_told_of_sessions() {
        let totals = totals(&[NOON, NOON + 1, NOON + 2]);
        let judged =
            |measure, reach: &Reach| issue(seen(measure, 5), &open(&totals), None, at(NOON + 3), reach);
        assert!(!is_met(&judged(Measure::Users, &Reach { users: 1, ..Reach::default() })));
        assert!(is_met(&judged(Measure::Users, &Reach { users: 3, ..Reach::default() })));
        let traffic = |seen| Reach {
            users: 0,
            traffic: [((NOON, NOON + FIVE_MS), Sessions { seen, unseen: 0 })].into(),
        };
        assert!(is_met(&judged(Measure::Share, &traffic(100))));
        assert!(!is_met(&judged(Measure::Share, &traffic(101))));
        assert!(!is_met(&judged(Measure::Share, &Reach::default())), "not known");
    }

    #[test]
    fn what_was_settled_is_over() {
        let totals = totals(&[NOON]);
        let settled = Issue { standing: Standing::Settled, ..open(&totals) };
        for condition in
            [Condition::NewIssue, Condition::Regressed, Condition::Escalating, seen(Measure::Events, 5)]
        {
            let verdict =
                issue(condition, &settled, Some(&holding(NOON, 0)), at(NOON + 1), &Reach::default());
            assert!(matches!(verdict, Verdict::Over(_)), "{condition:?}");
        }
    }

    #[test]
    fn silence_is_told_in_the_time_of_the_stream() {
        assert!(!is_met(&silence(5, 0, at(NOON))), "nothing ever came");
        assert!(!is_met(&silence(5, NOON - 299_999, at(NOON))));
        assert!(is_met(&silence(5, NOON - 300_000, at(NOON))));
    }
}
