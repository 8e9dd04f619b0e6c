//! The one binary: reads the configuration, opens what the services run on, starts them and stops them.
//!
//! Deliberately absent: anything that a service decides.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

mod backends;
mod cli;
mod config;
mod country;
mod dead_letters;
mod demo;
mod greeting;
mod health;
mod installation;
mod migrate;
mod priority;
mod process;
mod reference;
mod remote;
mod role;
mod server;
mod services;
mod site;
mod source_maps;
mod telemetry;
mod waiting;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Half-used huge pages hold a third of a busy stream-processor's memory and save no time: see docs/benchmarks.md. Best effort.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line: what is wrong, then what caused it.
            eprintln!("playhead: {error:#}");
            ExitCode::FAILURE
        }
    }
}
