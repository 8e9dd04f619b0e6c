//! Presses a running Playhead over HTTP, as browsers would, and checks through the public API that nothing acknowledged was
//! lost or doubled. A black box on purpose: it shares no code with the product.

mod agent;
mod api;
mod browser;
mod corpus;
mod delivery;
mod faults;
mod histogram;
mod installation;
mod integrity;
mod kill;
mod ledger;
mod load;
mod outcome;
mod plan;
mod press;
mod process;
mod record;
mod report;
mod run;
mod scenario;
mod schedule;
mod verify;
mod visitor;
mod witness;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "loadtest", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Drives real pages in Chromium and stores what the SDK sends as a corpus.
    Record(record::Options),
    /// Presses as a scenario says, watches, compares the read model with what was acknowledged, and reports.
    Run(Box<run::Options>),
    /// Compares the read model with what an earlier run was told.
    Verify(integrity::Options),
    /// Waits for a coordinator (`run --agents`) and presses with it.
    Agent(agent::Options),
    /// Sizes an installation from what was measured.
    Plan(plan::Options),
    /// Kills `playhead up` again and again under load, then checks every acknowledged batch and every recording.
    Kill(kill::Options),
    /// Injects faults into the scaled shape under load, and checks what must hold nevertheless.
    Faults(faults::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    match obey(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn obey(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Record(options) => record::run(options).await,
        Command::Run(options) => run::run(*options).await,
        Command::Verify(options) => integrity::run(options).await,
        Command::Agent(options) => agent::run(options).await,
        Command::Plan(options) => plan::run(&options),
        Command::Kill(options) => kill::run(options).await,
        Command::Faults(options) => faults::run(options).await,
    }
}

/// A line to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")
}
