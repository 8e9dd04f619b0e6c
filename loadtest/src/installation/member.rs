//! One process of the fleet: started, asked, stopped, killed, frozen.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::metrics::Metrics;

/// A tenth of the share of the others, while they want all.
const NICENESS: &str = "10";

/// What a process is started as.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
    /// Others come first on busy cores.
    pub(crate) yields: bool,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Address and port that it listens on.
    pub(crate) listen: String,
    pub(crate) log: PathBuf,
    /// Holds its process id while it runs.
    pub(crate) pid_file: PathBuf,
}

/// A running process; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) recipe: Recipe,
    child: Child,
    pid: u32,
    pub(crate) frozen: bool,
}

/// The product without the settings that this process happens to have: those of the services and of tests are none of the
/// product's, and it refuses what it does not know.
pub(crate) fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("PLAYHEAD_")) {
        command.env_remove(name);
    }
    command
}

impl Recipe {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Adds settings; they win over earlier ones.
    pub(crate) fn set(&mut self, settings: &[(&str, String)]) {
        self.environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }

    fn command(&self) -> Command {
        if !self.yields {
            return command(&self.binary);
        }
        let mut nice = command(Path::new("nice"));
        nice.arg("-n").arg(NICENESS).arg(&self.binary);
        nice
    }

    pub(crate) fn start(self) -> anyhow::Result<Member> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let child = self
            .command()
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let pid = child.id().context("a process that ended at once")?;
        std::fs::write(&self.pid_file, pid.to_string())
            .with_context(|| format!("cannot write {}", self.pid_file.display()))?;
        Ok(Member { recipe: self, child, pid, frozen: false })
    }
}

impl Member {
    pub(crate) fn name(&self) -> &str {
        &self.recipe.name
    }

    pub(crate) fn url(&self) -> String {
        self.recipe.url()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).with_context(|| format!("cannot signal {}", self.name()))
    }

    /// SIGSTOP: it keeps its connections and its memory and does nothing.
    pub(crate) fn freeze(&mut self) -> anyhow::Result<()> {
        self.frozen = true;
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    pub(crate) fn thaw(&mut self) -> anyhow::Result<()> {
        self.frozen = false;
        self.signal(Signal::CONT)
    }

    /// SIGTERM, without waiting.
    pub(crate) fn ask_to_end(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.recipe.name))
    }

    /// SIGKILL, and the same again: same name, address and settings.
    pub(crate) async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.recipe.name))?;
        *self = self.recipe.clone().start()?;
        Ok(())
    }

    /// Waits for it to end by itself; fails if it does not, or ends badly.
    pub(crate) async fn wait_for_end(mut self, limit: Duration) -> anyhow::Result<Duration> {
        self.end(limit).await
    }

    /// SIGTERM, and then the same again with further settings: same name and address.
    pub(crate) async fn restart(
        &mut self,
        settings: &[(&str, String)],
        limit: Duration,
    ) -> anyhow::Result<()> {
        self.ask_to_end()?;
        self.end(limit).await?;
        let mut recipe = self.recipe.clone();
        recipe.set(settings);
        *self = recipe.start()?;
        Ok(())
    }

    async fn end(&mut self, limit: Duration) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let Ok(status) = tokio::time::timeout(limit, self.child.wait()).await else {
            bail!(
                "{} does not end within {limit:?} of SIGTERM; see {}",
                self.name(),
                self.recipe.log.display()
            );
        };
        let status = status?;
        if !status.success() {
            bail!("{} ended with {status}; see {}", self.name(), self.recipe.log.display());
        }
        Ok(begun.elapsed())
    }

    /// Whether it has ended by itself, and how.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| format!("{} ended with {status}", self.recipe.name)))
    }

    /// Waits until it is ready; fails when it ends instead.
    pub(crate) async fn wait_until_ready(
        &mut self,
        client: &reqwest::Client,
        limit: Duration,
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut last = "no answer".to_owned();
        while begun.elapsed() < limit {
            if let Some(ended) = self.ended()? {
                bail!("{ended}; see {}", self.recipe.log.display());
            }
            let request = client.get(format!("{}/readyz", self.url())).timeout(Duration::from_secs(2));
            match request.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(begun.elapsed()),
                Ok(answer) => last = answer.text().await.unwrap_or_default(),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!(
            "{} was not ready within {limit:?} ({}); see {}",
            self.name(),
            last.trim(),
            self.recipe.log.display()
        )
    }

    pub(crate) async fn metrics(&self, client: &reqwest::Client) -> anyhow::Result<Metrics> {
        let request = client.get(format!("{}/metrics", self.url())).timeout(Duration::from_secs(2));
        Ok(Metrics::read(&request.send().await?.error_for_status()?.text().await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &std::path::Path, script: &str) -> Member {
        let recipe = Recipe {
            yields: false,
            name: "shell".to_owned(),
            binary: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: vec![("WORD".to_owned(), "hello".to_owned())],
            listen: "127.0.0.1:9".to_owned(),
            log: folder.join("shell.log"),
            pid_file: folder.join("shell.pid"),
        };
        recipe.start().unwrap()
    }

    fn state(member: &Member) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", member.pid())).unwrap();
        status.lines().find_map(|line| line.strip_prefix("State:\t")).unwrap()[..1].to_owned()
    }

    async fn until(mut met: impl FnMut() -> bool) {
        while !met() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    const WAITS: &str = "trap 'exit 0' TERM; echo $WORD; while :; do sleep 0.05; done";

    #[tokio::test]
    async fn a_process_is_frozen_thawed_and_ends_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut member = shell(folder.path(), WAITS);
        until(|| std::fs::read_to_string(folder.path().join("shell.log")).unwrap() == "hello\n").await;
        member.freeze().unwrap();
        until(|| state(&member) == "T").await;
        member.thaw().unwrap();
        until(|| state(&member) != "T").await;
        assert!(member.ended().unwrap().is_none());
        member.ask_to_end().unwrap();
        member.wait_for_end(Duration::from_secs(60)).await.unwrap();
    }

    #[tokio::test]
    async fn a_frozen_process_can_be_killed_and_bad_ends_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut member = shell(folder.path(), WAITS);
        member.freeze().unwrap();
        member.kill().await.unwrap();
        let member = shell(folder.path(), "exit 3");
        let error = member.wait_for_end(Duration::from_secs(60)).await.unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[tokio::test]
    async fn what_ends_is_never_ready() {
        let folder = tempfile::tempdir().unwrap();
        let mut member = shell(folder.path(), "exit 1");
        let client = reqwest::Client::new();
        let error = member.wait_until_ready(&client, Duration::from_secs(60)).await.unwrap_err();
        assert!(error.to_string().contains("ended with"), "{error}");
    }
}
