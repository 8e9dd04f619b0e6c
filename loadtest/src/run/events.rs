//! What the scenario does at its moments: commands (faults of services, settings) and kills of the installation's processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;

use super::chronicle::{EventDone, Happening};
use super::stage::{Installation, Record};

/// Does what each event says when it is due; one that takes long does not hold up the next.
pub(super) async fn run(
    record: Record,
    installation: Option<Installation>,
    out: PathBuf,
    start: Instant,
    sender: mpsc::UnboundedSender<Happening>,
) {
    let mut events = record.job.scenario.events.clone();
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    for event in events {
        let due = start + Duration::from_secs_f64(event.at_s.max(0.0));
        tokio::time::sleep_until(due.into()).await;
        let (sender, url, out) = (sender.clone(), record.url.clone(), out.clone());
        let installation = installation.clone();
        tokio::spawn(async move {
            let done = match &event.kill {
                Some(process) => kill(installation.as_ref(), process).await,
                None => execute(&event.run, &url, &out, installation.as_ref()).await,
            };
            let failure = done.err().map(|error| format!("{error:#}"));
            let _ = sender.send(Happening::Event(EventDone { name: event.name, at_s: event.at_s, failure }));
        });
    }
    // The sender must live as long as commands may be under way; the run aborts this task at its end.
    std::future::pending::<()>().await;
}

async fn kill(installation: Option<&Installation>, process: &str) -> anyhow::Result<()> {
    let installation =
        installation.context("only processes that --start and --services started are killed")?;
    installation.fleet.lock().await.kill_and_start(process).await
}

async fn execute(
    command: &[String],
    url: &str,
    out: &Path,
    installation: Option<&Installation>,
) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .envs(installation.map(|installation| ("LOADTEST_SERVICES", installation.services.script())))
        .env("LOADTEST_URL", url)
        .env("LOADTEST_OUT", out)
        .stdin(Stdio::null())
        .output()
        .await?;
    anyhow::ensure!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
