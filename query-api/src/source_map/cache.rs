//! Maps that were read, ready for the next stack: bounded in bytes, those that were not used for the longest time go first.

use std::collections::HashMap;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use parking_lot::Mutex;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::key::{self, ArtifactId};
use playhead_domain::source_map::map::SourceMap;
use playhead_domain::source_map::{Broken, artifact};
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::state::Api;

/// Maps that are read at once: one may take a second of processor time and some hundred megabytes.
const MAX_READERS: usize = 2;
/// What a map that cannot be read takes.
const BROKEN_BYTES: usize = 256;

/// A map, or why it is none.
pub(crate) type Read = Result<Arc<SourceMap>, Broken>;

/// The maps of all projects.
pub(crate) struct MapCache {
    held: Mutex<Held>,
    readers: Arc<Semaphore>,
}

struct Held {
    maps: HashMap<(Scope, ArtifactId), Entry>,
    bytes: usize,
    most_bytes: usize,
    /// Counts uses.
    turn: u64,
}

struct Entry {
    read: Read,
    bytes: usize,
    used: u64,
}

impl MapCache {
    pub(crate) fn new(most_bytes: usize) -> Self {
        let held = Held { maps: HashMap::new(), bytes: 0, most_bytes, turn: 0 };
        Self { held: Mutex::new(held), readers: Arc::new(Semaphore::new(MAX_READERS)) }
    }

    /// The map of that id; `None`: its object is gone.
    pub(crate) async fn get(
        &self,
        api: &Api,
        scope: Scope,
        id: ArtifactId,
    ) -> Result<Option<Read>, ApiError> {
        if let Some(known) = self.held.lock().get((scope, id)) {
            return Ok(Some(known));
        }
        let permit = Arc::clone(&self.readers).acquire_owned().await;
        let permit = permit.map_err(|error| ApiError::Internal(error.to_string()))?;
        // Another request may have read it in the meantime.
        if let Some(known) = self.held.lock().get((scope, id)) {
            return Ok(Some(known));
        }
        let object = api.0.blobs.get(&Path::from(key::object(scope, id))).await;
        let packed = match object {
            Ok(object) => object.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let reading = tokio::task::spawn_blocking(move || {
            // The permit goes with the work, which a client that goes away does not end.
            let _permit = permit;
            read(&packed)
        });
        // What makes a reader panic is a broken map, too.
        let read = reading.await.unwrap_or_else(|error| Err(Broken::Stored(error.to_string())));
        self.held.lock().put((scope, id), read.clone());
        Ok(Some(read))
    }

    pub(crate) fn forget(&self, scope: Scope, id: ArtifactId) {
        self.held.lock().remove((scope, id));
    }
}

fn read(packed: &[u8]) -> Read {
    let content = artifact::unpack(packed)?;
    SourceMap::read(&content.map, &content.code).map(Arc::new)
}

impl Held {
    fn get(&mut self, id: (Scope, ArtifactId)) -> Option<Read> {
        self.turn += 1;
        let entry = self.maps.get_mut(&id)?;
        entry.used = self.turn;
        Some(entry.read.clone())
    }

    fn put(&mut self, id: (Scope, ArtifactId), read: Read) {
        let bytes = read.as_ref().map_or(BROKEN_BYTES, |map| map.bytes() + BROKEN_BYTES);
        self.remove(id);
        if bytes > self.most_bytes {
            return;
        }
        while self.bytes + bytes > self.most_bytes {
            let oldest = self.maps.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            self.remove(oldest);
        }
        self.bytes += bytes;
        self.maps.insert(id, Entry { read, bytes, used: self.turn });
    }

    fn remove(&mut self, id: (Scope, ArtifactId)) {
        if let Some(entry) = self.maps.remove(&id) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::id::{ProjectId, TenantId};

    fn id(number: u8) -> (Scope, ArtifactId) {
        (Scope::of_log_record(TenantId(1), ProjectId(1)), ArtifactId([number; 16]))
    }

    fn broken() -> Read {
        Err(Broken::Empty)
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let mut held = Held { maps: HashMap::new(), bytes: 0, most_bytes: 3 * BROKEN_BYTES, turn: 0 };
        for number in 1..=3 {
            assert!(held.get(id(number)).is_none());
            held.put(id(number), broken());
        }
        assert!(held.get(id(1)).is_some());
        held.put(id(4), broken());
        assert_eq!((held.get(id(2)).is_some(), held.bytes), (false, 3 * BROKEN_BYTES));
        assert!([1, 3, 4].iter().all(|&number| held.get(id(number)).is_some()));
        held.put(id(4), broken());
        assert_eq!(held.bytes, 3 * BROKEN_BYTES, "counted once");
    }

    #[test]
    fn what_is_larger_than_all_is_not_kept() {
        let mut held = Held { maps: HashMap::new(), bytes: 0, most_bytes: BROKEN_BYTES, turn: 0 };
        held.put(id(1), broken());
        let map =
            SourceMap::read(r#"{"version":3,"sources":["a.js"],"names":[],"mappings":"AAAA"}"#, "").unwrap();
        held.put(id(2), Ok(Arc::new(map)));
        assert_eq!((held.get(id(2)).is_some(), held.get(id(1)).is_some()), (false, true));
    }
}
