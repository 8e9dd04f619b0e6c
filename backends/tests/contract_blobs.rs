//! The contract of blobs, on a folder and on memory; and how S3 is met when it is away.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

#[path = "blobs/away.rs"]
mod away;
#[path = "blobs/contract.rs"]
mod contract;

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use playhead_backends::blobs::{BlobsConfig, open};

struct Place {
    blobs: Arc<dyn ObjectStore>,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    async fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = open(&BlobsConfig::default(), Some(&folder.path().join("blobs"))).await.unwrap();
        Self { blobs, _folder: Some(folder) }
    }

    async fn memory() -> Self {
        Self { blobs: Arc::new(InMemory::new()), _folder: None }
    }

    fn blobs(&self) -> &dyn ObjectStore {
        &*self.blobs
    }
}

mod in_a_folder {
    use super::Place;

    crate::blob_contract!(Place::folder());
}

mod in_memory {
    use super::Place;

    crate::blob_contract!(Place::memory());
}
