//! Memory of processes, looked at all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks at resident memory until it is dropped.
pub(crate) struct Memory {
    peaks: Arc<Mutex<BTreeMap<String, f64>>>,
    task: JoinHandle<()>,
}

impl Memory {
    pub(crate) fn watch(processes: Vec<(String, u32)>) -> Self {
        let peaks = Arc::new(Mutex::new(BTreeMap::new()));
        let written = peaks.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            loop {
                ticks.tick().await;
                for (name, pid) in &processes {
                    let Some(bytes) = of_process(*pid, "VmRSS:") else { continue };
                    let mut peaks = written.lock().unwrap_or_else(PoisonError::into_inner);
                    let peak = peaks.entry(name.clone()).or_insert(bytes);
                    *peak = peak.max(bytes);
                }
            }
        });
        Self { peaks, task }
    }

    /// The most that each process had, in MiB.
    pub(crate) fn peaks_mib(&self) -> BTreeMap<String, f64> {
        let peaks = self.peaks.lock().unwrap_or_else(PoisonError::into_inner);
        peaks.iter().map(|(name, bytes)| (name.clone(), (bytes / f64::from(1 << 20)).round())).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A line of `/proc/PID/status` in bytes: `VmRSS:` now, `VmHWM:` the most since the start.
pub(crate) fn of_process(pid: u32, line: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|found| found.strip_prefix(line))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_process_has_memory() {
        let own = std::process::id();
        let memory = Memory::watch(vec![("own".to_owned(), own)]);
        while memory.peaks_mib().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(memory.peaks_mib()["own"] >= 1.0);
        assert!(of_process(own, "VmHWM:") >= of_process(own, "VmRSS:").map(|bytes| bytes / 2.0));
    }
}
