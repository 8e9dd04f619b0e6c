//! `loadtest run`: presses, watches, compares, reports.

pub(crate) mod chronicle;
mod erase;
mod events;
mod freshness;
mod options;
mod processes;
mod progress;
mod stage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::mpsc;

use crate::agent;
use crate::corpus::{Corpus, Reading};
use crate::integrity;
use crate::outcome;
use crate::press::{self, News};
use crate::report::Report;
use chronicle::{Chronicle, Happening};
pub(crate) use options::Options;
pub(crate) use processes::{GENERATOR, ProcessSeries};
pub(crate) use stage::Record;
use stage::Stage;

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let scenario = options.scenario()?;
    let reading = Reading { keep_raw: false, repeat_minutes: scenario.visitors.repeat_minutes };
    let corpus = Arc::new(Corpus::read(&scenario.corpus, reading, |name| scenario.wants(name))?);
    let mut stage = Stage::prepare(&options, scenario, &corpus).await?;
    let pressed = press_and_compare(&options, &stage, &corpus).await;
    stage.finish(options.keep).await?;
    let report = pressed?;
    report.write(&options.out)?;
    crate::print(&report.summary()?)?;
    let unmet = report.unmet();
    if !unmet.is_empty() {
        bail!("not met: {}; see {}", unmet.join(", "), options.out.join("report.html").display());
    }
    Ok(())
}

async fn press_and_compare(options: &Options, stage: &Stage, corpus: &Arc<Corpus>) -> anyhow::Result<Report> {
    let chronicle = press_and_watch(options, stage, corpus).await?;
    let verification = match options.no_verify {
        true => None,
        false => Some(integrity::verify(&options.out, None, None).await?),
    };
    let mut outcomes = outcome::judge(&stage.record.job.scenario, &chronicle, options.integrity_only);
    outcomes.extend(verification.as_ref().map(outcome::of_verification));
    Ok(Report::new(&stage.record, &chronicle, outcomes, verification))
}

/// Runs the schedule to its end and keeps what happened.
async fn press_and_watch(
    options: &Options,
    stage: &Stage,
    corpus: &Arc<Corpus>,
) -> anyhow::Result<Chronicle> {
    let (sender, mut happenings) = mpsc::unbounded_channel();
    let start = Instant::now();
    let begun = |sender: &mpsc::UnboundedSender<Happening>| sender.clone();
    let pressing = tokio::spawn(relay(
        options.agents(),
        stage.record.job.clone(),
        corpus.clone(),
        options.out.clone(),
        begun(&sender),
    ));
    let helpers = [
        tokio::spawn(processes::watch(stage.watched.clone(), start, begun(&sender))),
        tokio::spawn(events::run(
            stage.record.clone(),
            stage.installation(),
            options.out.clone(),
            start,
            begun(&sender),
        )),
    ];
    let mut freshness = freshness::Prober::new(stage.readers(), start, begun(&sender));
    let mut eraser = erase::Eraser::new(stage, corpus, &options.out, begun(&sender))?;
    drop(sender);
    let mut chronicle = Chronicle::new(stage.record.job.scenario.clone());
    let mut progress = progress::Line::new();
    while let Some(happening) = happenings.recv().await {
        match happening {
            Happening::News(News::Sample(sample)) => freshness.probe(sample),
            Happening::News(News::Erase(visit)) => eraser.erase(visit),
            Happening::Pressed => break,
            other => chronicle.add(other),
        }
        progress.show(&chronicle, start.elapsed());
    }
    progress.end();
    freshness.finish().await;
    eraser.finish().await?;
    helpers.iter().for_each(|helper| helper.abort());
    while let Ok(happening) = happenings.try_recv() {
        chronicle.add(happening);
    }
    pressing.await??;
    chronicle.took = start.elapsed();
    Ok(chronicle)
}

/// Passes on what the generators tell: this process's threads, or agents.
async fn relay(
    agents: Option<agent::Agents>,
    job: press::Job,
    corpus: Arc<Corpus>,
    out: std::path::PathBuf,
    sender: mpsc::UnboundedSender<Happening>,
) -> anyhow::Result<()> {
    let pressed = match agents {
        Some(agents) => agent::coordinate(&agents, job, &out, &sender).await,
        None => press_here(&job, &corpus, &out, &sender).await,
    };
    // Whatever came of it, the run goes on to its end.
    let _ = sender.send(Happening::Pressed);
    pressed
}

async fn press_here(
    job: &press::Job,
    corpus: &Arc<Corpus>,
    out: &std::path::Path,
    sender: &mpsc::UnboundedSender<Happening>,
) -> anyhow::Result<()> {
    let mut running = press::start(job, corpus, out)?;
    while let Some(news) = running.news.recv().await {
        let _ = sender.send(Happening::News(news));
    }
    tokio::time::timeout(Duration::from_secs(10), tokio::task::spawn_blocking(|| running.finish())).await??
}
