//! `playhead migrate`.

use anyhow::{Context, bail};
use playhead_backends::store::scylla;

use crate::config::Config;
use crate::process;

/// Brings the schema up to date and says what it did.
///
/// # Errors
/// When no store is configured, or it does not answer.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    if !config.scylla.is_used() {
        bail!("there is no schema to migrate: set scylla.nodes");
    }
    let migrated = scylla::migrate(&config.scylla, |step| println!("{step}"));
    process::runtime(config)?
        .block_on(migrated)
        .context("the schema was not brought up to date; run it again")?;
    println!("the schema is up to date");
    Ok(())
}
