//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides};
use crate::{health, reference, up};

/// Session replay debugging: records what users of a web app saw and what went wrong, and replays the exact moment.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Every setting can also come from a file (--config) or from PLAYHEAD_* variables; \
    `playhead config` lists them. PLAYHEAD_ADMIN_TOKEN sets the administrator's bearer token."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in this process, on a data folder.
    Up(Up),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Print every setting with its default, as the reference in docs/configuration.md.
    Config,
    /// Ask a running installation whether it is ready; exit 0 if so.
    Health(Health),
}

#[derive(Debug, Args)]
struct Up {
    /// Folder that holds everything; created when missing.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Leave out the demo shop at /demo.
    #[arg(long)]
    no_demo: bool,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "PLAYHEAD_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Health {
    /// Address and port of the installation.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7700")]
    address: SocketAddr,
}

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Up(up) => {
            let overrides = Overrides { data: up.data, listen: up.listen, demo: up.no_demo.then_some(false) };
            up::run(Config::load(up.config.as_deref(), &overrides)?)
        }
        Command::Openapi => {
            print!(
                "{}",
                playhead_query_api::openapi_json().context("the OpenAPI document cannot be written")?
            );
            Ok(())
        }
        Command::Config => {
            print!("{}", reference::markdown()?);
            Ok(())
        }
        Command::Health(health) => health::ask(health.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
