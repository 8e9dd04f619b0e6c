//! Commands of the scenario, at their moments: faults, restarts, settings.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::chronicle::{EventDone, Happening};
use super::stage::Record;
use crate::scenario::Event;

/// Runs each event's command when it is due; a command that takes long does not hold up the next.
pub(super) async fn run(
    record: Record,
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
        tokio::spawn(async move {
            let failure = execute(&event, &url, &out).await.err().map(|error| format!("{error:#}"));
            let _ = sender.send(Happening::Event(EventDone { name: event.name, at_s: event.at_s, failure }));
        });
    }
    // The sender must live as long as commands may be under way; the run aborts this task at its end.
    std::future::pending::<()>().await;
}

async fn execute(event: &Event, url: &str, out: &std::path::Path) -> anyhow::Result<()> {
    let (program, arguments) = event.run.split_first().ok_or_else(|| anyhow::anyhow!("no command"))?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
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
