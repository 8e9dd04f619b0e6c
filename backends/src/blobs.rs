//! Object storage, opened from its address. What is written to a local folder is fsynced, file and folder.

mod config;
mod s3;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path as BlobPath;
use object_store::{ObjectStore, ObjectStoreExt};

pub use config::{BlobsConfig, ConfigError};

use config::Place;

/// An object that is never written: asking for it tells whether the storage answers.
const ABSENT: &str = "no-such-object";

/// Why blobs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("blobs.{0}")]
    Config(#[from] ConfigError),
    #[error("there is no data folder to keep blobs in: set blobs.url")]
    NoFolder,
    #[error("blobs cannot be kept in {path}: {source}", path = path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("there is no bucket for {0}: create it, or correct blobs.url, blobs.endpoint and blobs.region")]
    NoBucket(String),
    #[error(
        "{url} refuses access: give the key the rights to list, read, write and delete objects: {source}"
    )]
    Refused { url: String, source: object_store::Error },
    #[error("{url} does not answer as it should: {source}")]
    Unavailable { url: String, source: object_store::Error },
    #[error("blobs cannot be opened: {0}")]
    Store(#[from] object_store::Error),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Opens the storage that the configuration names, or `default_folder`, and makes sure that it is there.
///
/// # Errors
/// When the configuration is not valid, a folder cannot be created, or as [`check`] says.
pub async fn open(
    config: &BlobsConfig,
    default_folder: Option<&Path>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    config.validate()?;
    match config.place() {
        Some(Place::Bucket { name, prefix }) => {
            let blobs = s3::open(config, &name, &prefix)?;
            check(&*blobs, config).await?;
            Ok(blobs)
        }
        Some(Place::Folder(folder)) => open_folder(&folder),
        Some(Place::Own) | None => open_folder(default_folder.ok_or(Error::NoFolder)?),
    }
}

/// Asks the storage for something, to learn whether it is there and grants access. One request, for no object's bytes.
///
/// # Errors
/// [`Error::NoBucket`], [`Error::Refused`], or the retryable [`Error::Unavailable`].
pub async fn check(blobs: &dyn ObjectStore, config: &BlobsConfig) -> Result<(), Error> {
    let url = config.url.clone();
    match blobs.get(&BlobPath::from(ABSENT)).await {
        // The answers to a missing object and to a missing bucket differ by S3's name for the error only.
        Err(object_store::Error::NotFound { source, .. }) if source.to_string().contains("NoSuchBucket") => {
            Err(Error::NoBucket(url))
        }
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(
            source @ (object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }),
        ) => Err(Error::Refused { url, source }),
        Err(source) => Err(Error::Unavailable { url, source }),
    }
}

fn open_folder(folder: &Path) -> Result<Arc<dyn ObjectStore>, Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
    let local = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
    Ok(Arc::new(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_an_address_a_folder_must_be_given() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("blobs");
        let blobs = open(&BlobsConfig::default(), Some(&own)).await.unwrap();
        check(&*blobs, &BlobsConfig::default()).await.unwrap();
        assert!(own.is_dir());
        assert!(matches!(open(&BlobsConfig::default(), None).await, Err(Error::NoFolder)));
    }

    #[tokio::test]
    async fn an_address_of_another_kind_is_refused() {
        let config = BlobsConfig { url: "ftp://host/x".to_owned(), ..BlobsConfig::default() };
        let error = open(&config, None).await.unwrap_err();
        assert!(error.to_string().starts_with("blobs.url must be s3://"), "{error}");
        assert!(!error.is_retryable());
    }
}
