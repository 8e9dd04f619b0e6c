//! What had to come of a run, and whether it did.

use serde::{Deserialize, Serialize};

use crate::integrity::Verification;
use crate::press::Tally;
use crate::run::ProcessSeries;
use crate::run::chronicle::Chronicle;
use crate::scenario::{Recovers, Scenario};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) wanted: String,
    pub(crate) got: String,
    pub(crate) met: bool,
}

fn at_most(name: &str, limit: f64, got: Option<f64>, unit: &str) -> Outcome {
    Outcome {
        name: name.to_owned(),
        wanted: format!("≤ {limit} {unit}").trim_end().to_owned(),
        got: got
            .map_or("nothing measured".to_owned(), |got| format!("{got:.3} {unit}").trim_end().to_owned()),
        met: got.is_some_and(|got| got <= limit),
    }
}

fn at_least(name: &str, limit: f64, got: f64, unit: &str) -> Outcome {
    Outcome {
        name: name.to_owned(),
        wanted: format!("≥ {limit} {unit}"),
        got: format!("{got:.1} {unit}"),
        met: got >= limit,
    }
}

/// Judges what the scenario wants; `integrity_only` leaves out times, rates and memory.
pub(crate) fn judge(scenario: &Scenario, chronicle: &Chronicle, integrity_only: bool) -> Vec<Outcome> {
    let total = &chronicle.total;
    let mut outcomes = vec![
        at_least("acknowledged at all", 1.0, total.acknowledged as f64, "batches"),
        at_most("refused for good", 0.0, Some(total.rejected as f64), ""),
        at_most(
            "never acknowledged",
            scenario.outcomes.max_unacknowledged as f64,
            Some(total.unacknowledged as f64),
            "",
        ),
        at_most("erasures without an answer", 0.0, Some(chronicle.erasures_failed as f64), ""),
    ];
    outcomes.extend(chronicle.events.iter().map(|event| Outcome {
        name: format!("event: {}", event.name),
        wanted: "done".to_owned(),
        got: event.failure.clone().unwrap_or_else(|| "done".to_owned()),
        met: event.failure.is_none(),
    }));
    let planned = scenario.events.len();
    if chronicle.events.len() != planned {
        outcomes.push(at_least("events done", planned as f64, chronicle.events.len() as f64, ""));
    }
    if !integrity_only {
        outcomes.extend(of_times(scenario, chronicle));
        outcomes.extend(of_resources(scenario, chronicle));
    }
    outcomes
}

fn of_times(scenario: &Scenario, chronicle: &Chronicle) -> Vec<Outcome> {
    let wanted = &scenario.outcomes;
    let mut outcomes = Vec::new();
    let judged = |name: &String| wanted.phases.is_empty() || wanted.phases.contains(name);
    for (phase, from, to) in scenario.spans().into_iter().filter(|(phase, _, _)| judged(&phase.name)) {
        let tally = chronicle.within(from, to);
        let seconds = (to - from).max(1.0);
        let name = |what: &str| format!("{}: {what}", phase.name);
        if let Some(limit) = wanted.acknowledge_p99_ms {
            outcomes.push(at_most(&name("acknowledge p99"), limit, tally.latency.quantile_ms(0.99), "ms"));
        }
        if let Some(limit) = wanted.queryable_p99_ms {
            let got = chronicle.queryable_within(from, to).quantile_ms(0.99);
            outcomes.push(at_most(&name("acknowledge to queryable p99"), limit, got, "ms"));
        }
        if let Some(limit) = wanted.min_acknowledged_per_s {
            outcomes.push(at_least(
                &name("acknowledged"),
                limit,
                tally.acknowledged as f64 / seconds,
                "batches/s",
            ));
        }
        if let Some(limit) = wanted.min_events_per_s {
            outcomes.push(at_least(&name("events"), limit, tally.events as f64 / seconds, "events/s"));
        }
        if let Some(limit) = wanted.max_refused_share {
            let share = tally.told_to_wait() as f64 / tally.attempts.max(1) as f64;
            outcomes.push(at_most(&name("told to wait"), limit, Some(share), "of attempts"));
        }
    }
    if wanted.queryable_p99_ms.is_some() {
        outcomes.push(at_most(
            "not queryable within a minute",
            0.0,
            Some(chronicle.never_shown as f64),
            "samples",
        ));
    }
    outcomes.extend(wanted.recovers.as_ref().map(|recovers| recovery(scenario, chronicle, recovers)));
    outcomes
}

/// Visitors whose batches had to wait press on after the load has gone: then more is acknowledged than is due.
const BACKLOG_FACTOR: f64 = 1.5;

/// Seconds until every later second is without refusals and fast, from the phase's start, or from when the visitors' own backlog was
/// gone.
fn recovery(scenario: &Scenario, chronicle: &Chronicle, recovers: &Recovers) -> Outcome {
    let span = scenario.spans().into_iter().find(|(phase, _, _)| phase.name == recovers.phase);
    let (from, to) = span.map_or((0.0, 0.0), |(_, from, to)| (from, to));
    let inside = || chronicle.seconds.range(from.ceil() as u64..to.floor() as u64);
    let has_backlog = |tally: &Tally| tally.acknowledged as f64 > BACKLOG_FACTOR * tally.due.max(1) as f64;
    let is_bad = |tally: &Tally| {
        tally.told_to_wait() > 0 || tally.attempt.quantile_ms(0.99).is_none_or(|p99| p99 > recovers.p99_ms)
    };
    let pressed = inside().filter(|(_, tally)| has_backlog(tally)).map(|(second, _)| *second as f64 + 1.0);
    let start = pressed.fold(from, f64::max);
    let bad = inside().filter(|(_, tally)| is_bad(tally)).map(|(second, _)| *second as f64 + 1.0);
    let seconds = (bad.fold(start, f64::max) - start).max(0.0);
    let has_ended = start < to.floor();
    let name = format!("{}: recovered after", recovers.phase);
    at_most(&name, recovers.within_s, has_ended.then_some(seconds), "s")
}

fn of_resources(scenario: &Scenario, chronicle: &Chronicle) -> Vec<Outcome> {
    let wanted = &scenario.outcomes;
    let mut outcomes = Vec::new();
    for process in chronicle.processes.iter().filter(|process| process.name.starts_with("playhead")) {
        if let Some(limit) = wanted.max_memory_mib {
            outcomes.push(at_most(
                &format!("memory of {}", process.name),
                limit,
                process.peak_memory_mib(),
                "MiB",
            ));
        }
        if wanted.flat {
            outcomes.push(flat(&format!("memory of {} stays flat", process.name), &process.memory_mib));
            outcomes.push(flat(&format!("file handles of {} stay flat", process.name), &process.files));
        }
    }
    if let Some(limit) = wanted.max_final_lag_records {
        let end: f64 = scenario.spans().last().map_or(0.0, |(_, _, to)| *to);
        outcomes.push(at_most("lag at the end", limit, lag_at(&chronicle.processes, end), "records"));
    }
    outcomes
}

/// Growth from the third eighth of the run to its last, as a share: start-up and the ramp are over by then.
fn flat(name: &str, values: &[Option<f64>]) -> Outcome {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let eighth = (known.len() / 8).max(1);
    let mean = |from: usize| {
        let part: Vec<f64> = known.iter().skip(from).take(eighth).copied().collect();
        part.iter().sum::<f64>() / part.len().max(1) as f64
    };
    let growth = (known.len() >= 8).then(|| mean(known.len() - eighth) / mean(2 * eighth).max(1.0) - 1.0);
    at_most(name, 0.15, growth, "growth")
}

fn lag_at(processes: &[ProcessSeries], moment: f64) -> Option<f64> {
    let lags = processes.iter().filter_map(|process| {
        let values = process.metrics.get("playhead_processor_lag_records")?;
        let index = process.at_s.iter().rposition(|at| *at <= moment)?;
        values.get(index).copied().flatten()
    });
    lags.reduce(|a, b| a + b)
}

/// Nothing lost, nothing doubled, everything complete.
pub(crate) fn of_verification(verification: &Verification) -> Outcome {
    Outcome {
        name: "read model equals what was acknowledged".to_owned(),
        wanted: "0 differences".to_owned(),
        got: format!("{} differences", verification.differences),
        met: verification.differences == 0 && verification.sessions > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_over_the_second_half_is_seen_and_the_ramp_is_not() {
        let ramp: Vec<Option<f64>> =
            (0..400).map(|n| Some(if n < 50 { f64::from(n) } else { 100.0 })).collect();
        assert!(flat("memory", &ramp).met);
        let leak: Vec<Option<f64>> = (0..400).map(|n| Some(100.0 + f64::from(n) / 4.0)).collect();
        assert!(!flat("memory", &leak).met);
        assert!(!flat("memory", &[None, Some(1.0)]).met, "nothing measured is nothing shown");
    }
}
