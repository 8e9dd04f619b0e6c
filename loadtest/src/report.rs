//! The report: JSON for programs, one HTML page for people.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::histogram::Quantiles;
use crate::integrity::Verification;
use crate::outcome::Outcome;
use crate::press::Tally;
use crate::run::chronicle::{Chronicle, EventDone};
use crate::run::{GENERATOR, ProcessSeries, Record};
use crate::scenario::Scenario;
use crate::schedule::Schedule;

/// The page, with the report in place of a mark.
const PAGE: &str = include_str!("report.html");
const PAGE_MARK: &str = "\"the report\"";
/// Requests that are sent this much later than they were due tell that the generator cannot keep up.
const LATE_MS: f64 = 20.0;
/// Share of its threads' time that a generator may use before it is suspect.
const BUSY: f64 = 0.85;

#[derive(Serialize)]
pub(crate) struct Report {
    scenario: Scenario,
    machine: Machine,
    started_ms: f64,
    took_s: f64,
    totals: Totals,
    phases: Vec<PhaseReport>,
    outcomes: Vec<Outcome>,
    verification: Option<Verification>,
    warnings: Vec<String>,
    processes_mean: BTreeMap<String, ProcessMean>,
    seconds: Vec<Second>,
    /// Seconds from the start, milliseconds until queryable.
    shown: Vec<(f64, f64)>,
    events: Vec<EventDone>,
    processes: Vec<ProcessSeries>,
}

#[derive(Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: f64,
}

#[derive(Serialize)]
struct Totals {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<u16, u64>,
    mean_body_bytes: f64,
    acknowledge: Quantiles,
    attempt: Quantiles,
    lateness: Quantiles,
    queryable: Quantiles,
    not_queryable_within_a_minute: u64,
}

#[derive(Serialize)]
struct PhaseReport {
    name: String,
    from_s: f64,
    to_s: f64,
    due_per_s: f64,
    acknowledged_per_s: f64,
    events_per_s: f64,
    told_to_wait_per_s: f64,
    acknowledge: Quantiles,
    attempt: Quantiles,
    queryable: Quantiles,
    processes: BTreeMap<String, PhaseProcess>,
}

/// What a process used within a phase.
#[derive(Serialize)]
struct PhaseProcess {
    cores: Option<f64>,
    peak_memory_mib: Option<f64>,
    /// How much each metric grew per second.
    growth_per_s: BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct ProcessMean {
    cores: Option<f64>,
    peak_memory_mib: Option<f64>,
}

#[derive(Serialize)]
struct Second {
    at: u64,
    wanted: f64,
    due: u64,
    acknowledged: u64,
    told_to_wait: u64,
    broken: u64,
    p50_ms: Option<f64>,
    p90_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    late_p99_ms: Option<f64>,
}

impl Report {
    pub(crate) fn new(
        record: &Record,
        chronicle: &Chronicle,
        outcomes: Vec<Outcome>,
        verification: Option<Verification>,
    ) -> Self {
        let scenario = record.job.scenario.clone();
        let mean = |process: &ProcessSeries| ProcessMean {
            cores: process.mean_cpu(),
            peak_memory_mib: process.peak_memory_mib(),
        };
        Self {
            machine: Machine::here(),
            started_ms: record.started_ms,
            took_s: chronicle.took.as_secs_f64(),
            totals: totals(chronicle),
            phases: phases(&scenario, chronicle),
            outcomes,
            verification,
            warnings: warnings(&scenario, chronicle),
            processes_mean: chronicle
                .processes
                .iter()
                .map(|process| (process.name.clone(), mean(process)))
                .collect(),
            seconds: seconds(&scenario, chronicle),
            shown: chronicle.shown.clone(),
            events: chronicle.events.clone(),
            processes: chronicle.processes.clone(),
            scenario,
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        std::fs::write(folder.join("report.json"), &json).context("cannot write the report")?;
        // Inside a script element nothing may look like its end.
        let inside = serde_json::to_string(self)?.replace('<', "\\u003c");
        Ok(std::fs::write(folder.join("report.html"), PAGE.replace(PAGE_MARK, &inside))?)
    }

    /// Without what is told second by second.
    pub(crate) fn summary(&self) -> anyhow::Result<String> {
        let mut value = serde_json::to_value(self)?;
        if let Some(members) = value.as_object_mut() {
            for member in ["seconds", "shown", "processes"] {
                members.remove(member);
            }
        }
        Ok(serde_json::to_string_pretty(&value)?)
    }

    pub(crate) fn unmet(&self) -> Vec<String> {
        let unmet = self.outcomes.iter().filter(|outcome| !outcome.met);
        unmet
            .map(|outcome| format!("{} ({}, wanted {})", outcome.name, outcome.got, outcome.wanted))
            .collect()
    }
}

impl Machine {
    fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let member = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let memory_kib =
            member(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
        Self {
            cpu: member(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: (memory_kib / f64::from(1 << 20) * 10.0_f64).round() / 10.0,
        }
    }
}

fn totals(chronicle: &Chronicle) -> Totals {
    let total = &chronicle.total;
    let counts = [
        ("due", total.due),
        ("attempts", total.attempts),
        ("acknowledged", total.acknowledged),
        ("acknowledged_bytes", total.acknowledged_bytes),
        ("events", total.events),
        ("dom_events", total.dom_events),
        ("broken", total.broken),
        ("visits", total.visits),
        ("sessions_opened", total.sessions_opened),
        ("repeated", total.repeated),
        ("rejected", total.rejected),
        ("unacknowledged", total.unacknowledged),
        ("erased", chronicle.erased),
    ];
    Totals {
        counts: BTreeMap::from(counts),
        refusals: total.refusals.clone(),
        mean_body_bytes: total.acknowledged_bytes as f64 / total.acknowledged.max(1) as f64,
        acknowledge: total.latency.quantiles(),
        attempt: total.attempt.quantiles(),
        lateness: total.lateness.quantiles(),
        queryable: chronicle.queryable.quantiles(),
        not_queryable_within_a_minute: chronicle.never_shown,
    }
}

fn phases(scenario: &Scenario, chronicle: &Chronicle) -> Vec<PhaseReport> {
    let phase = |(phase, from, to): (&crate::schedule::Phase, f64, f64)| {
        let tally = chronicle.within(from, to);
        let per_s = |count: u64| count as f64 / (to.floor() - from.ceil()).max(1.0);
        PhaseReport {
            name: phase.name.clone(),
            from_s: from,
            to_s: to,
            due_per_s: per_s(tally.due),
            acknowledged_per_s: per_s(tally.acknowledged),
            events_per_s: per_s(tally.events),
            told_to_wait_per_s: per_s(tally.told_to_wait()),
            acknowledge: tally.latency.quantiles(),
            attempt: tally.attempt.quantiles(),
            queryable: chronicle.queryable_within(from, to).quantiles(),
            processes: chronicle
                .processes
                .iter()
                .map(|process| (process.name.clone(), within(process, from, to)))
                .collect(),
        }
    };
    scenario.spans().into_iter().map(phase).collect()
}

fn within(process: &ProcessSeries, from: f64, to: f64) -> PhaseProcess {
    let looks: Vec<usize> =
        (0..process.at_s.len()).filter(|look| (from..to).contains(&process.at_s[*look])).collect();
    // The first look tells of the time before the phase.
    let cpu: Vec<f64> = looks.iter().skip(1).filter_map(|look| process.cpu[*look]).collect();
    let growth = |values: &Vec<Option<f64>>| {
        let (first, last) = (*looks.first()?, *looks.last()?);
        Some((values[last]? - values[first]?) / (process.at_s[last] - process.at_s[first]).max(1e-3))
    };
    PhaseProcess {
        cores: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
        peak_memory_mib: looks.iter().filter_map(|look| process.memory_mib[*look]).reduce(f64::max),
        growth_per_s: process
            .metrics
            .iter()
            .filter_map(|(name, values)| Some((name.clone(), growth(values)?)))
            .collect(),
    }
}

fn seconds(scenario: &Scenario, chronicle: &Chronicle) -> Vec<Second> {
    let schedule = Schedule::new(&scenario.phases, scenario.rate, scenario.arrivals);
    let second = |(at, tally): (&u64, &Tally)| Second {
        at: *at,
        wanted: schedule.rate_at(*at as f64 + 0.5),
        due: tally.due,
        acknowledged: tally.acknowledged,
        told_to_wait: tally.told_to_wait(),
        broken: tally.broken,
        p50_ms: tally.latency.quantile_ms(0.5),
        p90_ms: tally.latency.quantile_ms(0.9),
        p99_ms: tally.latency.quantile_ms(0.99),
        max_ms: tally.latency.max_ms(),
        late_p99_ms: tally.lateness.quantile_ms(0.99),
    };
    chronicle.seconds.iter().map(second).collect()
}

fn warnings(scenario: &Scenario, chronicle: &Chronicle) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(late) = chronicle.total.lateness.quantile_ms(0.99).filter(|late| *late > LATE_MS) {
        warnings.push(format!(
            "the generator was the bottleneck: it got to one request in a hundred {late:.0} ms or more after it was due; give it more workers, cores or agents"
        ));
    }
    let generator = chronicle.processes.iter().find(|process| process.name == GENERATOR);
    let workers = scenario.client.workers as f64;
    let busiest = generator.and_then(|process| process.cpu.iter().flatten().copied().reduce(f64::max));
    if let Some(busiest) = busiest.filter(|busiest| *busiest > BUSY * workers) {
        warnings.push(format!("the generator used up to {busiest:.2} cores with {workers} workers; it may have been the bottleneck"));
    }
    warnings.extend(chronicle.total.complaints.iter().cloned());
    warnings
}
