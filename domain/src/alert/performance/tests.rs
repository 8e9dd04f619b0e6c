use super::super::rehearsal::Past;
use super::*;
use crate::performance::sketch::Sketch;
use crate::row::{AlertCondition, AlertLimit};

const NOON: i64 = 20_000 * 24 * HOUR_MS + 12 * HOUR_MS;

fn counts(requests: u64, failed: u64, duration_ms: f64) -> Counts {
    let mut sketch = Sketch::default();
    (0..requests - failed).for_each(|_| sketch.add(duration_ms, 1));
    let mut counts = Counts { requests, failed, ..Counts::default() };
    counts.values.add(&sketch.encode());
    counts
}

fn limit(measure: Measure, trigger_at: f64, resolve_at: f64) -> Limit {
    let is_below = measure == Measure::Apdex;
    let (is_of_last_week, window_minutes, minimum, apdex_ms) = (false, 5, 10, 500);
    Limit { measure, is_below, is_of_last_week, trigger_at, resolve_at, window_minutes, minimum, apdex_ms }
}

fn at(at_ms: i64) -> Moment {
    Moment { at_ms, until_ms: at_ms, decided_ms: at_ms - 2_000, from_ms: NOON - HOUR_MS, throttle_ms: 0 }
}

/// Minutes from noon on.
fn minutes(counts: &[Counts]) -> Series {
    let now = (0..).zip(counts).map(|(minute, counts)| (NOON + minute * MINUTE_MS, counts.clone()));
    Series { now: now.collect(), before: BTreeMap::new() }
}

fn is_met(limit: &Limit, series: &Series, moment: Moment) -> bool {
    matches!(judge(limit, series, None, moment).0, Verdict::Met(_))
}

fn holding(mark: i64) -> AlertState {
    AlertState { holds: true, mark, changed_ms: mark, number: 1, ..AlertState::default() }
}

#[test]
fn an_error_share_triggers_from_its_limit_on_and_is_over_below_the_other() {
    let share = limit(Measure::ErrorShare, 10.0, 5.0);
    let good = minutes(&[counts(100, 9, 1.0)]);
    assert!(!is_met(&share, &good, at(NOON + 30_000)));
    let bad = minutes(&[counts(100, 10, 1.0)]);
    let (verdict, measured) = judge(&share, &bad, None, at(NOON + 30_000));
    let Verdict::Met(met) = verdict else { panic!("{verdict:?}") };
    assert_eq!((met.mark, met.since_ms), (NOON + MINUTE_MS, NOON - 4 * MINUTE_MS));
    assert_eq!(met.why, "error share 10.0 % within 5 minutes, limit 10.0 %");
    assert_eq!(measured.map(|measured| measured.counts.failed), Some(10));
    // It falls to 7 %, then to 4 %.
    let mut spans = vec![counts(100, 10, 1.0); 5];
    spans.extend(vec![counts(100, 7, 1.0); 5]);
    spans.extend(vec![counts(100, 4, 1.0); 5]);
    let series = minutes(&spans);
    let memory = holding(NOON + MINUTE_MS);
    let judged = |minute: i64| judge(&share, &series, Some(&memory), at(NOON + minute * MINUTE_MS)).0;
    assert_eq!(judged(11), Verdict::Holds, "seven are between the limits");
    assert!(matches!(judged(15), Verdict::Over(_)));
}

#[test]
fn with_fewer_than_the_minimum_nothing_is_told_and_what_fired_is_over() {
    let share = limit(Measure::ErrorShare, 10.0, 5.0);
    assert!(!is_met(&share, &minutes(&[counts(9, 9, 1.0)]), at(NOON)));
    assert!(is_met(&share, &minutes(&[counts(10, 9, 1.0)]), at(NOON)));
    let mostly_aborted = Counts { aborted: 5, ..counts(12, 7, 1.0) };
    assert!(!is_met(&share, &minutes(&[mostly_aborted]), at(NOON)), "what the page gave up says nothing");
    let verdict = judge(&share, &Series::default(), Some(&holding(NOON)), at(NOON + 5 * MINUTE_MS)).0;
    assert!(matches!(verdict, Verdict::Over(_)));
}

#[test]
fn a_window_that_was_over_when_somebody_came_triggers_once() {
    let share = limit(Measure::ErrorShare, 10.0, 10.0);
    let mut spans = vec![counts(100, 50, 1.0)];
    spans.extend(vec![counts(100, 0, 1.0); 40]);
    let series = minutes(&spans);
    let away = Moment { decided_ms: NOON - 1, ..at(NOON + 40 * MINUTE_MS) };
    let (verdict, _) = judge(&share, &series, None, away);
    let Verdict::Met(met) = verdict else { panic!("{verdict:?}") };
    assert_eq!(met.mark, NOON + MINUTE_MS);
    assert!(!is_met(&share, &series, at(NOON + 40 * MINUTE_MS)), "decided windows do not reopen");
    let told = AlertState { holds: false, ..holding(NOON + 40 * MINUTE_MS) };
    assert!(matches!(judge(&share, &series, Some(&told), away).0, Verdict::Over(_)));
}

#[test]
fn percentiles_and_apdex_are_those_of_the_window() {
    let series = minutes(&[counts(95, 0, 100.0), counts(5, 0, 3_000.0)]);
    let moment = at(NOON + MINUTE_MS);
    assert!(!is_met(&limit(Measure::P95, 2_000.0, 2_000.0), &series, moment));
    assert!(is_met(&limit(Measure::P99, 2_000.0, 2_000.0), &series, moment));
    assert!(!is_met(&limit(Measure::Apdex, 0.9, 0.95), &series, moment), "95 of 100 satisfy");
    assert!(is_met(&limit(Measure::Apdex, 0.95, 0.97), &series, moment));
}

#[test]
fn a_lack_of_requests_is_told_of_whole_windows_that_have_settled() {
    let lack = Limit { is_below: true, ..limit(Measure::Throughput, 10.0, 20.0) };
    let series = minutes(&vec![counts(30, 0, 1.0); 10]);
    let at_minute = |minute: i64| Moment { from_ms: NOON + 5 * MINUTE_MS, ..at(NOON + minute * MINUTE_MS) };
    assert!(!is_met(&lack, &series, at_minute(10)));
    // Windows of five minutes: at 13, three of them are empty (12 a minute), at 14 four (6).
    assert!(!is_met(&lack, &series, at_minute(14)), "the minute may still come");
    assert!(is_met(&lack, &series, at_minute(15)));
    let verdict = judge(&lack, &series, Some(&holding(NOON + 14 * MINUTE_MS)), at_minute(16)).0;
    assert_eq!(verdict, Verdict::Holds);
    let much = Limit { is_below: false, ..lack };
    assert!(!is_met(&much, &series, at(NOON)), "thirty within five minutes are six a minute");
    assert!(is_met(&much, &series, at(NOON + 4 * MINUTE_MS)));
    assert!(!is_met(&Limit { trigger_at: 31.0, ..much }, &series, at(NOON + 9 * MINUTE_MS)));
}

#[test]
fn changes_are_against_the_same_window_a_week_before() {
    let now = minutes(&vec![counts(100, 0, 300.0); 5]);
    let with = |before: &[Counts]| Series { before: minutes(before).now, ..now.clone() };
    let slower = Limit { is_of_last_week: true, ..limit(Measure::P95, 50.0, 20.0) };
    let moment = at(NOON + 4 * MINUTE_MS);
    assert!(is_met(&slower, &with(&vec![counts(100, 0, 150.0); 5]), moment));
    assert!(!is_met(&slower, &with(&vec![counts(100, 0, 250.0); 5]), moment));
    assert!(!is_met(&slower, &with(&[counts(9, 0, 1.0)]), moment), "too little to compare with");
    assert!(!is_met(&slower, &with(&[]), moment));
    let (verdict, _) = judge(&slower, &with(&vec![counts(100, 0, 150.0); 5]), None, moment);
    let Verdict::Met(met) = verdict else { panic!("{verdict:?}") };
    assert!(met.why.ends_with(" a week before, limit 50 % more"), "{}", met.why);
    let fewer = Limit { is_below: true, ..Limit { measure: Measure::Throughput, ..slower } };
    let settled = at(NOON + 6 * MINUTE_MS);
    assert!(is_met(&fewer, &with(&vec![counts(200, 0, 1.0); 5]), settled));
    assert!(!is_met(&fewer, &with(&vec![counts(190, 0, 1.0); 5]), settled));
    let points = Limit { measure: Measure::ErrorShare, trigger_at: 5.0, ..slower };
    let failing =
        Series { now: minutes(&[counts(100, 6, 1.0)]).now, before: minutes(&[counts(100, 2, 1.0)]).now };
    assert!(
        !is_met(&points, &failing, at(NOON))
            && is_met(&Limit { trigger_at: 4.0, ..points }, &failing, at(NOON))
    );
}

/// The minutes that an evaluator at each half minute finds are those that the rehearsal tells.
#[test]
fn a_rehearsal_tells_what_evaluation_did() {
    for seed in 1..6_u64 {
        let mut random = seed;
        let spans: Vec<Counts> = (0..150)
            .map(|minute| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let failed = if (minute / 25) % 2 == 0 { random >> 60 } else { 0 };
                counts(40, failed, 1.0)
            })
            .collect();
        let share = limit(Measure::ErrorShare, 15.0, 8.0);
        let throttle_ms = 10 * MINUTE_MS;
        let (mut memory, mut opened, mut closed) = (AlertState::default(), Vec::new(), Vec::new());
        for minute in 0..150_i64 {
            // At the end of each minute all of it is there, and nothing of the next one.
            let at_ms = NOON + (minute + 1) * MINUTE_MS - 1;
            let series = minutes(&spans[..=usize::try_from(minute).unwrap()]);
            let begin_ms = at_ms + 1 - MINUTE_MS;
            for _ in 0..2 {
                let moment = Moment { throttle_ms, decided_ms: at_ms - MINUTE_MS, ..at(at_ms) };
                match judge(&share, &series, Some(&memory), moment).0 {
                    Verdict::Met(met) if memory.number == 0 || begin_ms - memory.opened_ms >= throttle_ms => {
                        opened.push(begin_ms);
                        memory =
                            AlertState { opened_ms: begin_ms, changed_ms: begin_ms, ..holding(met.mark) };
                    }
                    Verdict::Over(_) if memory.holds => {
                        closed.push(begin_ms);
                        (memory.holds, memory.changed_ms) = (false, begin_ms);
                    }
                    _ => {}
                }
            }
        }
        let past = Past { from_ms: NOON, at_ms: NOON + 150 * MINUTE_MS - 1, throttle_ms };
        let found = firings(&share, MINUTE_MS, &minutes(&spans), past, true);
        assert_eq!(found.iter().map(|firing| firing.from_ms).collect::<Vec<_>>(), opened, "{seed}");
        assert_eq!(found.iter().filter_map(|firing| firing.to_ms).collect::<Vec<_>>(), closed, "{seed}");
        assert!(opened.len() > 2, "{seed}: {opened:?}");
    }
}

#[test]
fn coarser_spans_tell_what_may_have_fired() {
    let share = limit(Measure::ErrorShare, 10.0, 5.0);
    let hours = [(0, counts(100, 2, 1.0)), (1, counts(100, 30, 1.0)), (2, counts(100, 3, 1.0))];
    let now = hours.map(|(hour, counts)| (NOON + hour * HOUR_MS, counts)).into_iter().collect();
    let series = Series { now, before: BTreeMap::new() };
    let past = Past { from_ms: NOON, at_ms: NOON + 4 * HOUR_MS, throttle_ms: 0 };
    let found = firings(&share, HOUR_MS, &series, past, false);
    let [firing] = &found[..] else { panic!("{found:?}") };
    assert_eq!((firing.from_ms, firing.to_ms), (NOON + HOUR_MS, Some(NOON + 3 * HOUR_MS)));
    assert!(!firing.is_certain);
}

#[test]
fn limits_are_checked() {
    let row = |kind: &str, measure: &str, trigger_at: f64, resolve_at: f64| {
        let limit =
            AlertLimit { measure: measure.to_owned(), trigger_at, resolve_at, ..AlertLimit::default() };
        AlertCondition {
            kind: kind.to_owned(),
            window_minutes: 10,
            limit: Some(limit),
            ..AlertCondition::default()
        }
    };
    assert!(super::limit(&row("endpoint", "error_share", 10.0, 5.0)).is_ok());
    assert!(super::limit(&row("endpoint", "apdex", 0.7, 0.8)).is_ok());
    assert!(super::limit(&row("page", "cls", 0.1, 0.1)).is_ok());
    for (kind, measure, trigger_at, resolve_at) in [
        ("endpoint", "lcp", 100.0, 100.0),
        ("page", "p95", 100.0, 100.0),
        ("endpoint", "error_share", 101.0, 5.0),
        ("endpoint", "error_share", 10.0, 11.0),
        ("endpoint", "apdex", 0.7, 0.6),
        ("endpoint", "p95", f64::NAN, 1.0),
        ("endpoint", "p95", 10.0, f64::NAN),
    ] {
        assert!(super::limit(&row(kind, measure, trigger_at, resolve_at)).is_err(), "{kind} {measure}");
    }
    let mut below = row("endpoint", "p95", 100.0, 100.0);
    below.limit.as_mut().unwrap().below = true;
    assert!(super::limit(&below).is_err());
}
