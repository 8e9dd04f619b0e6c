//! `loadtest record`: drives real pages with the real SDK and packs what they sent.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::corpus::pack::pack;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The file to write.
    #[arg(long, default_value = "loadtest/corpus/pages.corpus")]
    out: PathBuf,
    /// The folder with the browser's drivers.
    #[arg(long, default_value = "e2e")]
    e2e: PathBuf,
    /// The release binary.
    #[arg(long, default_value = "target/release/playhead")]
    binary: PathBuf,
    /// Packs this capture, which `npm run record` wrote, instead of recording.
    #[arg(long)]
    capture: Option<PathBuf>,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let capture = match &options.capture {
        Some(capture) => capture.clone(),
        None => record(&options, temporary.path().join("capture")).await?,
    };
    if let Some(folder) = options.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let told = pack(&capture, &options.out)?;
    crate::print(&serde_json::to_string_pretty(&told)?)
}

async fn record(options: &Options, capture: PathBuf) -> anyhow::Result<PathBuf> {
    let binary = std::path::absolute(&options.binary)?;
    let status = Command::new("npm")
        .args(["run", "--silent", "record", "--"])
        .arg(&capture)
        .current_dir(&options.e2e)
        .env("PLAYHEAD_BINARY", binary)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot start npm")?;
    if !status.success() {
        bail!("recording ended with {status}");
    }
    Ok(capture)
}
