//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides};
use crate::dead_letters::{self, DeadLetters};
use crate::role::Role;
use crate::source_maps::{self, SourceMaps};
use crate::{health, installation, migrate, process, reference};

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
    /// Take batches from browsers into Kafka. Any number of processes.
    Gateway(Service),
    /// Turn batches into sessions in ScyllaDB and S3. Any number of processes.
    StreamProcessor(Service),
    /// Serve the API and the dashboard. Any number of processes.
    QueryApi(Service),
    /// Bring ScyllaDB's schema up to date. One process at a time does it; others wait.
    Migrate(Configured),
    /// Look at what could not be processed, and send it through again.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Make the stacks of minified bundles readable: give bundles ids, and upload their source maps.
    #[command(subcommand, name = "sourcemaps")]
    SourceMaps(SourceMaps),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Print every setting with its default, as the reference in docs/configuration.md, or check those that a process would read.
    Config(Settings),
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

/// A process of the scaled shape.
#[derive(Debug, Args)]
struct Service {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    configured: Configured,
}

#[derive(Debug, Args)]
struct Configured {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "PLAYHEAD_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Settings {
    /// Check the settings of this process (up, gateway, stream-processor or query-api), from the file and the environment, and start nothing.
    #[arg(long, value_name = "COMMAND", value_parser = Role::parse)]
    check: Option<Role>,
    #[command(flatten)]
    configured: Configured,
}

#[derive(Debug, Args)]
struct Health {
    /// Host and port of the installation.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7700")]
    address: String,
}

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Up(up) => {
            let overrides = Overrides { data: up.data, listen: up.listen, demo: up.no_demo.then_some(false) };
            process::run(Config::load(up.config.as_deref(), &overrides)?, Role::All)
        }
        Command::Gateway(service) => serve(&service, Role::Gateway),
        Command::StreamProcessor(service) => serve(&service, Role::StreamProcessor),
        Command::QueryApi(service) => serve(&service, Role::QueryApi),
        Command::Migrate(configured) => {
            migrate::run(&Config::load(configured.config.as_deref(), &Overrides::default())?)
        }
        Command::DeadLetters(command) => dead_letters::run(command),
        Command::SourceMaps(command) => source_maps::run(command),
        Command::Openapi => {
            print!(
                "{}",
                playhead_query_api::openapi_json().context("the OpenAPI document cannot be written")?
            );
            Ok(())
        }
        Command::Config(Settings { check: Some(role), configured }) => check(role, &configured),
        Command::Config(Settings { check: None, .. }) => {
            print!("{}", reference::markdown()?);
            Ok(())
        }
        Command::Health(health) => health::ask(&health.address),
    }
}

fn check(role: Role, configured: &Configured) -> anyhow::Result<()> {
    Config::load(configured.config.as_deref(), &Overrides::default())?.validate_for(role)?;
    // `up` makes what is not set.
    let is_needed = |variable| role != Role::All || std::env::var_os(variable).is_some();
    if is_needed("PLAYHEAD_INSTALLATION_KEY") {
        installation::installation_key(None)?;
    }
    if role.answers_queries() && is_needed("PLAYHEAD_ADMIN_TOKEN") {
        installation::admin_token(None)?;
    }
    println!("playhead {} takes these settings.", role.name());
    Ok(())
}

fn serve(service: &Service, role: Role) -> anyhow::Result<()> {
    let overrides = Overrides { listen: service.listen, ..Overrides::default() };
    let config = Config::load(service.configured.config.as_deref(), &overrides)?;
    config.validate_for(role)?;
    process::run(config, role)
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
