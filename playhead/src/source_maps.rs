//! `playhead sourcemaps`: debug ids for bundles, and their source maps to a running installation.

mod folder;
mod inject;
mod upload;

use std::path::PathBuf;

use clap::Subcommand;

use crate::remote::Of;

#[derive(Debug, Subcommand)]
pub(crate) enum SourceMaps {
    /// Give every bundle with a source map a debug id, so that its map is found without a release. Run it after the build and before
    /// the bundles are deployed: it changes bundles and maps.
    Inject {
        /// Folder with bundles.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Upload the source maps of bundles. Repeating it changes nothing.
    Upload {
        #[command(flatten)]
        of: Of,
        /// The release, as the page tells it to the SDK. Not needed for bundles with debug ids.
        #[arg(long, value_name = "NAME", default_value = "")]
        release: String,
        /// Folder with bundles, as it is deployed.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Does what the command line says.
///
/// # Errors
/// The folder cannot be read or written, or the API does not answer or refuses.
pub(crate) fn run(command: SourceMaps) -> anyhow::Result<()> {
    match command {
        SourceMaps::Inject { folder } => inject::run(&folder),
        SourceMaps::Upload { of, release, folder } => upload::run(of, &release, &folder),
    }
}
