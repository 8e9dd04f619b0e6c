//! Object storage, opened from its address. What is written to a local folder is fsynced, file and folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use serde::{Deserialize, Serialize};

/// Where blobs are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobsConfig {
    /// `file:///folder`; empty: the data folder's own.
    pub url: String,
    /// Where S3 is, when it is not Amazon's.
    pub endpoint: String,
}

/// Why blobs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("blobs cannot be kept at {0}: use file:///folder")]
    UnknownAddress(String),
    #[error("blobs cannot be kept in {path}: {source}", path = path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("blobs cannot be kept there: {0}")]
    Store(#[from] object_store::Error),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Opens the storage that the configuration names, or `default_folder`.
///
/// # Errors
/// When the address is of a kind that is not known, or its folder cannot be created.
pub async fn open(
    config: &BlobsConfig,
    default_folder: Option<&Path>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    if let Some(rest) = config.url.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if !config.endpoint.is_empty() {
            builder = builder
                .with_endpoint(&config.endpoint)
                .with_allow_http(config.endpoint.starts_with("http://"));
        }
        let s3 = builder.build()?;
        return Ok(if prefix.is_empty() { Arc::new(s3) } else { Arc::new(PrefixStore::new(s3, prefix)) });
    }
    let folder = match (config.url.as_str(), default_folder) {
        ("", Some(folder)) => folder,
        (url, _) => match url.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => Path::new(path),
            _ => return Err(Error::UnknownAddress(url.to_owned())),
        },
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
    let local = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
    Ok(Arc::new(local))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::{ObjectStoreExt, PutPayload, path::Path as BlobPath};

    #[tokio::test]
    async fn an_object_is_read_back_by_range_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = open(&BlobsConfig::default(), Some(&folder.path().join("blobs"))).await.unwrap();
        let name = BlobPath::from("flush/2026-11-22/a");
        blobs.put(&name, PutPayload::from_static(b"0123456789")).await.unwrap();
        assert_eq!(&blobs.get_range(&name, 3..6).await.unwrap()[..], b"345");
        blobs.delete(&name).await.unwrap();
        assert!(matches!(blobs.get(&name).await, Err(object_store::Error::NotFound { .. })));
    }

    #[tokio::test]
    async fn an_address_of_another_kind_is_refused() {
        let config = BlobsConfig { url: "ftp://host/x".to_owned(), ..BlobsConfig::default() };
        assert!(matches!(open(&config, None).await, Err(Error::UnknownAddress(_))));
    }
}
