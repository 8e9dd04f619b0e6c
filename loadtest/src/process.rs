//! The product as a child process: started, killed without warning, started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// How to start `playhead up`.
pub(crate) struct Product {
    pub(crate) binary: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) listen: String,
    pub(crate) admin_token: String,
    /// Extra settings, as environment variables.
    pub(crate) environment: Vec<(String, String)>,
}

impl Product {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Starts it; its output goes to `playhead.log` beside the data.
    pub(crate) fn start(&self) -> anyhow::Result<Child> {
        std::fs::create_dir_all(&self.data)?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log_path(&self.data))?;
        Command::new(&self.binary)
            .args(["up", "--no-demo", "--listen", &self.listen, "--data"])
            .arg(&self.data)
            .env("PLAYHEAD_ADMIN_TOKEN", &self.admin_token)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))
    }

    /// Waits until it is ready; fails when it ends instead.
    pub(crate) async fn wait_until_ready(
        &self,
        client: &reqwest::Client,
        child: &mut Child,
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Some(status) = child.try_wait()? {
                bail!("playhead ended with {status}; see {}", log_path(&self.data).display());
            }
            let answer =
                client.get(format!("{}/readyz", self.url())).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("playhead was not ready within a minute; see {}", log_path(&self.data).display())
    }
}

/// The log file of a data folder.
pub(crate) fn log_path(data: &Path) -> PathBuf {
    data.with_extension("log")
}
