//! Presses a running Playhead over HTTP, as browsers would, and checks through the public API that nothing acknowledged was
//! lost or doubled. A black box on purpose: it shares no code with the product.

mod api;
mod browser;
mod delivery;
mod faults;
mod kill;
mod load;
mod process;
mod verify;
mod witness;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "loadtest", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kills `playhead up` again and again under load, then checks every acknowledged batch and every recording.
    Kill(kill::Options),
    /// Injects faults into the scaled shape under load, and checks what must hold nevertheless.
    Faults(faults::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Kill(options) => kill::run(options).await,
        Command::Faults(options) => faults::run(options).await,
    }
}
