//! The maps of all projects that were read, for whoever asks next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parking_lot::Mutex;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::cache::{self, Cache, Read};
use playhead_domain::source_map::key::ArtifactId;
use playhead_domain::source_map::{Broken, repository};
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::state::Api;
use crate::turn;

/// Maps that are read at once: one may take a second of processor time and some hundred megabytes.
const MAX_READERS: usize = 2;
/// How long one waits for others that read.
const TURN_LIMIT: Duration = Duration::from_secs(20);
/// How long an object may take to come.
const OBJECT_LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct MapCache {
    held: Mutex<Cache>,
    readers: Arc<Semaphore>,
}

impl MapCache {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { held: Mutex::new(Cache::new(most_bytes)), readers: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    /// The map of that id; `None`: its object is gone.
    pub(crate) async fn get(
        &self,
        api: &Api,
        scope: Scope,
        id: ArtifactId,
    ) -> Result<Option<Read>, ApiError> {
        if let Some(known) = self.held.lock().get(scope, id) {
            return Ok(Some(known));
        }
        let permit = Arc::clone(&self.readers).acquire_owned();
        let permit = turn::within(TURN_LIMIT, permit, ApiError::Busy).await?;
        // Another request may have read it in the meantime.
        if let Some(known) = self.held.lock().get(scope, id) {
            return Ok(Some(known));
        }
        let packed = repository::packed(api.store(), scope, id, |name| object(api, name));
        let packed = tokio::time::timeout(OBJECT_LIMIT, packed);
        let Some(packed) = packed.await.map_err(|_| ApiError::Busy)?? else { return Ok(None) };
        let reading = tokio::task::spawn_blocking(move || {
            // The permit goes with the work, which a client that goes away does not end.
            let _permit = permit;
            cache::read(&packed, true)
        });
        // What makes a reader panic is a broken map, too.
        let read = reading.await.unwrap_or_else(|error| Err(Broken::Stored(error.to_string())));
        self.held.lock().put(scope, id, read.clone());
        Ok(Some(read))
    }

    pub(crate) fn forget(&self, scope: Scope, id: ArtifactId) {
        self.held.lock().forget(scope, id);
    }
}

async fn object(api: &Api, name: String) -> Result<Option<Bytes>, ApiError> {
    match api.0.blobs.get(&Path::from(name)).await {
        Ok(object) => Ok(Some(object.bytes().await?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
