//! What happened, second by second.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::processes::{ProcessSeries, Reading};
use crate::histogram::Histogram;
use crate::press::{News, Tally};
use crate::scenario::Scenario;

/// Anything worth noting.
pub(crate) enum Happening {
    News(News),
    /// A process was looked at.
    Looked {
        process: usize,
        name: String,
        reading: Reading,
    },
    /// How long a batch took from its acknowledgement until it showed; `None`: it did not within a minute.
    Shown {
        at_s: f64,
        took: Option<Duration>,
    },
    Erased {
        answered: bool,
    },
    Event(EventDone),
    /// The generators are done.
    Pressed,
}

/// A command that was run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventDone {
    pub(crate) name: String,
    pub(crate) at_s: f64,
    pub(crate) failure: Option<String>,
}

pub(crate) struct Chronicle {
    pub(crate) scenario: Scenario,
    pub(crate) seconds: BTreeMap<u64, Tally>,
    pub(crate) total: Tally,
    pub(crate) processes: Vec<ProcessSeries>,
    /// When a batch was acknowledged (seconds), and how long it took to show (milliseconds).
    pub(crate) shown: Vec<(f64, f64)>,
    pub(crate) queryable: Histogram,
    pub(crate) never_shown: u64,
    pub(crate) erased: u64,
    pub(crate) erasures_failed: u64,
    pub(crate) events: Vec<EventDone>,
    pub(crate) took: Duration,
}

impl Chronicle {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            seconds: BTreeMap::new(),
            total: Tally::default(),
            processes: Vec::new(),
            shown: Vec::new(),
            queryable: Histogram::new(),
            never_shown: 0,
            erased: 0,
            erasures_failed: 0,
            events: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, happening: Happening) {
        match happening {
            Happening::News(News::Counted { second, tally }) => {
                self.total.add(&tally);
                self.seconds.entry(second).or_default().add(&tally);
            }
            Happening::Looked { process, name, reading } => {
                if self.processes.len() <= process {
                    self.processes.resize_with(process + 1, ProcessSeries::default);
                }
                self.processes[process].add(name, reading);
            }
            Happening::Shown { at_s, took: Some(took) } => {
                self.queryable.record(took);
                self.shown.push((at_s, took.as_secs_f64() * 1e3));
            }
            Happening::Shown { took: None, .. } => self.never_shown += 1,
            Happening::Erased { answered: true } => self.erased += 1,
            Happening::Erased { answered: false } => self.erasures_failed += 1,
            Happening::Event(event) => self.events.push(event),
            Happening::News(_) | Happening::Pressed => {}
        }
    }

    /// What was counted between two moments, in whole seconds.
    pub(crate) fn within(&self, from_s: f64, to_s: f64) -> Tally {
        let mut sum = Tally::default();
        let (from, to) = (from_s.ceil() as u64, to_s.floor() as u64);
        // A phase shorter than a second still has one.
        self.seconds.range(from..to.max(from + 1)).for_each(|(_, tally)| sum.add(tally));
        sum
    }

    /// Latencies until queryable of batches acknowledged between two moments.
    pub(crate) fn queryable_within(&self, from_s: f64, to_s: f64) -> Histogram {
        let mut histogram = Histogram::new();
        let inside = self.shown.iter().filter(|(at, _)| (from_s..to_s).contains(at));
        inside.for_each(|(_, ms)| histogram.record(Duration::from_secs_f64(ms / 1e3)));
        histogram
    }

    /// The newest sum of a metric over all processes.
    pub(crate) fn newest(&self, metric: &str) -> Option<f64> {
        let values = self
            .processes
            .iter()
            .filter_map(|process| process.metrics.get(metric)?.last().copied().flatten());
        values.reduce(|a, b| a + b)
    }
}
