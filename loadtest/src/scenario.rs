//! Scenario files: what load, by whom, and what must come of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::schedule::{self, Arrivals, Phase};

/// A scenario. Every member has a default, so that a file says only what is special about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) about: String,
    /// Requests per second where a phase says 1.
    pub(crate) rate: f64,
    pub(crate) arrivals: Arrivals,
    pub(crate) phases: Vec<Phase>,
    pub(crate) corpus: PathBuf,
    pub(crate) visitors: Visitors,
    pub(crate) client: Client,
    pub(crate) outcomes: Outcomes,
    pub(crate) verify: Verify,
    /// Processes to watch.
    pub(crate) processes: Vec<Watched>,
    /// Commands to run at their moments: faults, for example.
    pub(crate) events: Vec<Event>,
}

/// Who comes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Visitors {
    /// Mean time between the batches of one visit.
    pub(crate) pace_ms: u64,
    /// Which recordings, how often.
    pub(crate) mix: Vec<Mix>,
    /// Recordings are played again and again until they are this long; 0: as they are.
    pub(crate) repeat_minutes: f64,
    /// Share of batches that are sent again although they were acknowledged.
    pub(crate) repeat_share: f64,
    /// Share of visits whose last batch says that the session is over; the others end when they are idle.
    pub(crate) end_share: f64,
    /// Share of visits that are erased while they run.
    pub(crate) erase_share: f64,
    /// Distinct users.
    pub(crate) users: u64,
    pub(crate) projects: usize,
    /// Share of visits that go to the first project; the rest is spread evenly over all or the others.
    pub(crate) hot_share: f64,
    /// Visits ask for a session token, as the SDK does, beside their first batch.
    pub(crate) open_sessions: bool,
    /// Every visit tells an address of its own in `X-Forwarded-For`; the server must trust the generator's.
    pub(crate) own_addresses: bool,
}

/// Recordings whose names start alike, and how likely they are together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mix {
    pub(crate) recordings: String,
    pub(crate) weight: f64,
}

/// The generator itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Client {
    /// Threads.
    pub(crate) workers: usize,
    /// Connections at most, all threads together.
    pub(crate) connections: usize,
    pub(crate) attempt_timeout_ms: u64,
    /// After the last arrival, how long unanswered batches are still tried.
    pub(crate) drain_s: u64,
}

/// What must come of it, beside that nothing is lost, doubled or incomplete.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Outcomes {
    /// Of these phases; of all when empty.
    pub(crate) phases: Vec<String>,
    pub(crate) acknowledge_p99_ms: Option<f64>,
    pub(crate) queryable_p99_ms: Option<f64>,
    pub(crate) min_acknowledged_per_s: Option<f64>,
    pub(crate) min_events_per_s: Option<f64>,
    /// Of every watched process whose name starts with `playhead`.
    pub(crate) max_memory_mib: Option<f64>,
    /// Refusals (429 and 503), as a share of attempts.
    pub(crate) max_refused_share: Option<f64>,
    /// Memory and file handles of watched processes do not grow over the second half of the run.
    pub(crate) flat: bool,
    /// The lag in records at the end of the phases is at most this.
    pub(crate) max_final_lag_records: Option<f64>,
    /// In this phase, refusals and slow answers are over after so many seconds.
    pub(crate) recovers: Option<Recovers>,
    /// Batches that were never acknowledged although they were tried until the end.
    pub(crate) max_unacknowledged: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recovers {
    pub(crate) phase: String,
    pub(crate) within_s: f64,
    /// Recovered: no refusal, and the 99th percentile of a second's attempts at most this.
    pub(crate) p99_ms: f64,
}

/// How the read model is compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Verify {
    /// Share of sessions whose events and recordings are read whole; every session's counts are compared in any case.
    pub(crate) sample: f64,
    /// How long the read model may take to catch up.
    pub(crate) settle_s: u64,
    /// Requests at once.
    pub(crate) at_once: usize,
}

/// A process to watch: by id, and by its metrics when it has some.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watched {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) pid: Option<u32>,
    #[serde(default)]
    pub(crate) pid_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) metrics: Option<String>,
}

/// What is done at a moment of the schedule: a command, or a kill.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) at_s: f64,
    #[serde(default)]
    pub(crate) run: Vec<String>,
    /// The process that gets `kill -9` and is started again: `processor-1`, `gateway-1` or `query-api` of the scaled shape.
    #[serde(default)]
    pub(crate) kill: Option<String>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "unnamed".to_owned(),
            about: String::new(),
            rate: 1_000.0,
            arrivals: Arrivals::default(),
            phases: Vec::new(),
            corpus: PathBuf::from("loadtest/corpus/pages.corpus"),
            visitors: Visitors::default(),
            client: Client::default(),
            outcomes: Outcomes::default(),
            verify: Verify::default(),
            processes: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl Default for Visitors {
    fn default() -> Self {
        Self {
            pace_ms: 2_000,
            mix: ["shop", "swagger", "rapidoc"]
                .into_iter()
                .zip([6.0, 1.0, 1.0])
                .map(|(name, weight)| Mix { recordings: name.to_owned(), weight })
                .collect(),
            repeat_minutes: 0.0,
            repeat_share: 0.01,
            end_share: 1.0,
            erase_share: 0.0,
            users: 10_000,
            projects: 1,
            hot_share: 0.0,
            open_sessions: true,
            own_addresses: false,
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self { workers: 1, connections: 512, attempt_timeout_ms: 30_000, drain_s: 60 }
    }
}

impl Default for Verify {
    fn default() -> Self {
        Self { sample: 1.0, settle_s: 120, at_once: 16 }
    }
}

impl Scenario {
    /// Reads a file; `rate` and `duration` in seconds replace the file's, phases keeping their proportions.
    pub(crate) fn read(path: &Path, rate: Option<f64>, duration: Option<f64>) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut scenario: Self =
            toml::from_str(&text).with_context(|| format!("{} is not a scenario", path.display()))?;
        if let Some(rate) = rate {
            scenario.rate = rate;
        }
        if let Some(duration) = duration {
            scenario.stretch(duration / schedule::seconds(&scenario.phases).max(f64::MIN_POSITIVE));
        }
        scenario.check()?;
        Ok(scenario)
    }

    fn stretch(&mut self, factor: f64) {
        self.phases.iter_mut().for_each(|phase| phase.seconds *= factor);
        self.events.iter_mut().for_each(|event| event.at_s *= factor);
    }

    fn check(&self) -> anyhow::Result<()> {
        if schedule::seconds(&self.phases) <= 0.0 || !self.rate.is_finite() || self.rate <= 0.0 {
            bail!("the scenario has no phases or no rate");
        }
        if self
            .phases
            .iter()
            .any(|phase| phase.seconds < 0.0 || phase.from < 0.0 || phase.to.unwrap_or(0.0) < 0.0)
        {
            bail!("a phase's seconds and rates cannot be negative");
        }
        if self.visitors.mix.is_empty() || self.visitors.projects == 0 {
            bail!("the scenario needs recordings and a project");
        }
        if self.client.workers == 0 || self.client.connections < self.client.workers {
            bail!("client.workers must be at least 1, client.connections at least as many");
        }
        if let Some(event) = self.events.iter().find(|event| event.run.is_empty() == event.kill.is_none()) {
            bail!("the event {} needs either a command to run or a process to kill", event.name);
        }
        let known = |name: &String| self.phases.iter().any(|phase| phase.name == *name);
        let recovers = self.outcomes.recovers.as_ref().map(|recovers| &recovers.phase);
        if let Some(name) = self.outcomes.phases.iter().chain(recovers).find(|name| !known(name)) {
            bail!("an outcome names the phase {name}, which is not there");
        }
        Ok(())
    }

    /// Start and end of each phase, in seconds.
    pub(crate) fn spans(&self) -> Vec<(&Phase, f64, f64)> {
        let (mut start, mut spans) = (0.0, Vec::new());
        for phase in &self.phases {
            spans.push((phase, start, start + phase.seconds));
            start += phase.seconds;
        }
        spans
    }

    /// Whether the corpus needs the recordings of that name.
    pub(crate) fn wants(&self, recording: &str) -> bool {
        self.visitors.mix.iter().any(|mix| recording.starts_with(&mix.recordings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_is_one() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut names = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let scenario = Scenario::read(&path, Some(10.0), Some(5.0)).unwrap();
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), scenario.name);
            assert!((schedule::seconds(&scenario.phases) - 5.0).abs() < 1e-6);
            names.push(scenario.name);
        }
        assert!(names.len() >= 8, "{names:?}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in [
            "rate = 5",
            "rat = 5",
            "[[phases]]\nname = 'a'\nseconds = 1\nfrom = -1",
            "[[phases]]\nname = 'a'\nseconds = 1\nfrom = 1\n[outcomes]\nphases = ['b']",
            "[[phases]]\nname = 'a'\nseconds = 1\nfrom = 1\n[[events]]\nname = 'nothing'\nat_s = 1",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("scenario.toml");
            std::fs::write(&path, text).unwrap();
            assert!(Scenario::read(&path, None, None).is_err(), "{text}");
        }
    }
}
