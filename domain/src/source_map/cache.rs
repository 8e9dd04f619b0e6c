//! Maps that were read, ready for the next stack: bounded in bytes, those that were not used for the longest time go first.

use std::collections::HashMap;
use std::sync::Arc;

use super::key::ArtifactId;
use super::map::SourceMap;
use super::{Broken, artifact};
use crate::scope::Scope;

/// What an entry takes beside its map.
const ENTRY_BYTES: usize = 256;

/// A map, or why it is none.
pub type Read = Result<Arc<SourceMap>, Broken>;

/// Reads what object storage holds of a map; `shows_sources`: with the texts of the sources.
pub fn read(packed: &[u8], shows_sources: bool) -> Read {
    let content = artifact::unpack(packed)?;
    let map = SourceMap::read(&content.map, &content.code)?;
    Ok(Arc::new(if shows_sources { map } else { map.without_contents() }))
}

/// The maps of all projects.
#[derive(Debug)]
pub struct Cache {
    maps: HashMap<(Scope, ArtifactId), Entry>,
    bytes: usize,
    most_bytes: usize,
    /// Counts uses.
    turn: u64,
}

#[derive(Debug)]
struct Entry {
    read: Read,
    bytes: usize,
    used: u64,
}

impl Cache {
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self { maps: HashMap::new(), bytes: 0, most_bytes, turn: 0 }
    }

    pub fn get(&mut self, scope: Scope, id: ArtifactId) -> Option<Read> {
        self.turn += 1;
        let entry = self.maps.get_mut(&(scope, id))?;
        entry.used = self.turn;
        Some(entry.read.clone())
    }

    /// Keeps a map, unless it alone is more than all may be.
    pub fn put(&mut self, scope: Scope, id: ArtifactId, read: Read) {
        let bytes = read.as_ref().map_or(ENTRY_BYTES, |map| map.bytes() + ENTRY_BYTES);
        self.forget(scope, id);
        if bytes > self.most_bytes {
            return;
        }
        while self.bytes + bytes > self.most_bytes {
            let oldest = self.maps.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
            let Some((scope, id)) = oldest else { break };
            self.forget(scope, id);
        }
        self.bytes += bytes;
        self.maps.insert((scope, id), Entry { read, bytes, used: self.turn });
    }

    pub fn forget(&mut self, scope: Scope, id: ArtifactId) {
        if let Some(entry) = self.maps.remove(&(scope, id)) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ProjectId, TenantId};

    fn id(number: u8) -> (Scope, ArtifactId) {
        (Scope::of_log_record(TenantId(1), ProjectId(1)), ArtifactId([number; 16]))
    }

    fn has(cache: &mut Cache, number: u8) -> bool {
        let (scope, id) = id(number);
        cache.get(scope, id).is_some()
    }

    fn put(cache: &mut Cache, number: u8, read: Read) {
        let (scope, id) = id(number);
        cache.put(scope, id, read);
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let mut cache = Cache::new(3 * ENTRY_BYTES);
        for number in 1..=3 {
            assert!(!has(&mut cache, number));
            put(&mut cache, number, Err(Broken::Empty));
        }
        assert!(has(&mut cache, 1));
        put(&mut cache, 4, Err(Broken::Empty));
        assert_eq!((has(&mut cache, 2), cache.bytes), (false, 3 * ENTRY_BYTES));
        assert!([1, 3, 4].iter().all(|&number| has(&mut cache, number)));
        put(&mut cache, 4, Err(Broken::Empty));
        assert_eq!(cache.bytes, 3 * ENTRY_BYTES, "counted once");
    }

    #[test]
    fn what_is_larger_than_all_is_not_kept() {
        let mut cache = Cache::new(ENTRY_BYTES);
        put(&mut cache, 1, Err(Broken::Empty));
        let map = r#"{"version":3,"sources":["a.js"],"sourcesContent":["f()"],"names":[],"mappings":"AAAA"}"#;
        let map = SourceMap::read(map, "").unwrap();
        let bytes = map.bytes();
        let bare = map.without_contents();
        assert!(bare.bytes() < bytes && bare.original(1, 1).unwrap().excerpt(0).is_none());
        put(&mut cache, 2, Ok(Arc::new(bare)));
        assert_eq!((has(&mut cache, 2), has(&mut cache, 1)), (false, true));
    }
}
