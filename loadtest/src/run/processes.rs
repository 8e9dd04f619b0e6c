//! CPU, memory, file handles and metrics of the processes under load, and of this one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::chronicle::Happening;
use crate::scenario::Watched;

/// Kernel ticks per second in `/proc`, the same on every Linux that runs Rust.
const TICKS_PER_S: f64 = 100.0;
const INTERVAL: Duration = Duration::from_secs(1);
/// Which metrics are kept, summed over their labels.
const KEPT: &[&str] = &[
    "lag",
    "accepted",
    "refused",
    "dead_letter",
    "under_way",
    "open_sessions",
    "compact",
    "disk_bytes",
    "records_total",
    "buffer",
];

/// One look at a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    at_s: f64,
    /// Seconds of processor time since its start.
    cpu_s: Option<f64>,
    memory_bytes: Option<f64>,
    files: Option<f64>,
    metrics: BTreeMap<String, f64>,
}

/// Values by look; all lists are equally long.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ProcessSeries {
    pub(crate) name: String,
    pub(crate) at_s: Vec<f64>,
    /// Cores in use.
    pub(crate) cpu: Vec<Option<f64>>,
    pub(crate) memory_mib: Vec<Option<f64>>,
    pub(crate) files: Vec<Option<f64>>,
    pub(crate) metrics: BTreeMap<String, Vec<Option<f64>>>,
    #[serde(skip)]
    last_cpu: Option<(f64, f64)>,
}

/// The name under which the generator watches itself.
pub(crate) const GENERATOR: &str = "loadtest";

impl ProcessSeries {
    pub(super) fn add(&mut self, name: String, reading: Reading) {
        self.name = name;
        let looks = self.at_s.len();
        let cpu = match (self.last_cpu, reading.cpu_s) {
            (Some((at, before)), Some(now)) if now >= before => {
                Some((now - before) / (reading.at_s - at).max(1e-3))
            }
            _ => None,
        };
        self.last_cpu = reading.cpu_s.map(|cpu_s| (reading.at_s, cpu_s));
        self.at_s.push(reading.at_s);
        self.cpu.push(cpu);
        self.memory_mib.push(reading.memory_bytes.map(|bytes| bytes / f64::from(1 << 20)));
        self.files.push(reading.files);
        for (metric, value) in reading.metrics {
            let values = self.metrics.entry(metric).or_default();
            values.resize(looks, None);
            values.push(Some(value));
        }
        self.metrics.values_mut().for_each(|values| values.resize(looks + 1, None));
    }

    pub(crate) fn peak_memory_mib(&self) -> Option<f64> {
        self.memory_mib.iter().flatten().copied().reduce(f64::max)
    }

    /// Mean of the cores in use.
    pub(crate) fn mean_cpu(&self) -> Option<f64> {
        let known: Vec<f64> = self.cpu.iter().flatten().copied().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    pub(super) fn newest(&self) -> String {
        let last = |values: &[Option<f64>]| values.last().copied().flatten().unwrap_or(0.0);
        format!("{} {:.0} % {:.0} MiB", self.name, last(&self.cpu) * 100.0, last(&self.memory_mib))
    }
}

/// Looks at every process once a second, until it is aborted.
pub(super) async fn watch(watched: Vec<Watched>, start: Instant, sender: mpsc::UnboundedSender<Happening>) {
    let own =
        Watched { name: GENERATOR.to_owned(), pid: Some(std::process::id()), pid_file: None, metrics: None };
    let watched: Vec<Watched> = watched.into_iter().chain([own]).collect();
    let client = reqwest::Client::builder().timeout(INTERVAL).build().unwrap_or_default();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let readings = watched.iter().map(|process| look(process, &client, start));
        for (process, reading) in futures::future::join_all(readings).await.into_iter().enumerate() {
            let name = watched[process].name.clone();
            if sender.send(Happening::Looked { process, name, reading }).is_err() {
                return;
            }
        }
    }
}

async fn look(process: &Watched, client: &reqwest::Client, start: Instant) -> Reading {
    let mut reading = Reading { at_s: start.elapsed().as_secs_f64(), ..Reading::default() };
    if let Some(url) = &process.metrics
        && let Ok(answer) = client.get(url).send().await
        && let Ok(text) = answer.text().await
    {
        read_metrics(&text, &mut reading);
    }
    let from_file = || std::fs::read_to_string(process.pid_file.as_ref()?).ok()?.trim().parse().ok();
    if let Some(pid) = process.pid.or_else(from_file) {
        reading.cpu_s = cpu_s(pid).or(reading.cpu_s);
        reading.memory_bytes = memory_bytes(pid).or(reading.memory_bytes);
        reading.files = files(pid).or(reading.files);
    }
    reading
}

/// Prometheus text: sums over labels, and what the process says of itself.
fn read_metrics(text: &str, reading: &mut Reading) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        let name = name.split('{').next().unwrap_or(name);
        match name {
            "process_cpu_seconds_total" => reading.cpu_s = Some(value),
            "process_resident_memory_bytes" => reading.memory_bytes = Some(value),
            "process_open_fds" => reading.files = Some(value),
            _ if name.ends_with("_bucket") => {}
            _ if name.starts_with("playhead_") && KEPT.iter().any(|kept| name.contains(kept)) => {
                *reading.metrics.entry(name.to_owned()).or_default() += value;
            }
            _ => {}
        }
    }
}

/// Time in user mode and in the kernel: fields 14 and 15 of proc(5), counted behind the name, which may hold anything.
fn cpu_s(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_S)
}

fn memory_bytes(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// Open files but for sockets: of those there are as many as the generator opens, now more, now less. (What a process says of itself has them, too.)
fn files(pid: u32) -> Option<f64> {
    let handles = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let targets = handles.filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok());
    Some(targets.filter(|target| !target.to_string_lossy().starts_with("socket:")).count() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed_over_labels() {
        let text = "# HELP x\nplayhead_processor_lag_records{partition=\"0\"} 3\nplayhead_processor_lag_records{partition=\"1\"} 4\n\
            playhead_x_bucket{le=\"1\"} 9\nprocess_resident_memory_bytes 1048576\nprocess_cpu_seconds_total 2.5\nother 1\n";
        let mut reading = Reading::default();
        read_metrics(text, &mut reading);
        assert_eq!(reading.metrics, BTreeMap::from([("playhead_processor_lag_records".to_owned(), 7.0)]));
        assert_eq!((reading.cpu_s, reading.memory_bytes), (Some(2.5), Some(1_048_576.0)));
    }

    #[test]
    fn this_process_can_be_watched() {
        let pid = std::process::id();
        assert!(cpu_s(pid).is_some() && memory_bytes(pid).unwrap() > 1e5 && files(pid).unwrap() > 2.0);
    }

    #[test]
    fn cpu_is_the_difference_between_looks() {
        let mut series = ProcessSeries::default();
        for (at_s, cpu_s) in [(1.0, 10.0), (2.0, 10.5), (4.0, 13.5), (5.0, 0.1)] {
            series.add("a".to_owned(), Reading { at_s, cpu_s: Some(cpu_s), ..Reading::default() });
        }
        assert_eq!(
            series.cpu,
            [None, Some(0.5), Some(1.5), None],
            "a process that started anew is not negative"
        );
    }
}
