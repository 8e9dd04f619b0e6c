//! Fold states of recently seen sessions of one partition, bounded in bytes; the least recently used one goes first.

use std::collections::{BTreeMap, HashMap};

use playhead_domain::id::SessionId;
use playhead_domain::row::SessionState;
use playhead_domain::scope::Scope;
use prost::Message;

/// A session within a scope.
pub(crate) type SessionRef = (Scope, SessionId);

/// A saved state and the slot that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) state: SessionState,
    pub(crate) slot: i64,
}

struct Entry {
    saved: Saved,
    bytes: usize,
    used: u64,
}

/// In memory a decoded message takes more than on the wire: texts and lists have headers of their own.
const MEMORY_FACTOR: usize = 3;
const ENTRY_BYTES: usize = 512;

#[derive(Default)]
pub(crate) struct Cache {
    entries: HashMap<SessionRef, Entry>,
    by_use: BTreeMap<u64, SessionRef>,
    bytes: usize,
    clock: u64,
}

impl Cache {
    /// Takes a state out: it comes back by [`Cache::insert`] once the flush that changes it is through.
    pub(crate) fn take(&mut self, session: &SessionRef) -> Option<Saved> {
        let entry = self.entries.remove(session)?;
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry.saved)
    }

    /// What all entries take in memory, about.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn insert(&mut self, session: SessionRef, saved: Saved, limit_bytes: usize) {
        self.take(&session);
        self.clock += 1;
        let bytes = saved.state.encoded_len() * MEMORY_FACTOR + ENTRY_BYTES;
        self.bytes += bytes;
        self.by_use.insert(self.clock, session);
        self.entries.insert(session, Entry { saved, bytes, used: self.clock });
        while self.bytes > limit_bytes
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            let oldest = *oldest;
            self.take(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::id::{ProjectId, TenantId};

    fn session(id: u8) -> SessionRef {
        (Scope::of_log_record(TenantId(1), ProjectId(1)), SessionId([id; 16]))
    }

    fn saved() -> Saved {
        Saved { state: SessionState { facets: vec!["x".repeat(1_000)], ..SessionState::default() }, slot: 0 }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::default();
        let limit = 3 * (saved().state.encoded_len() * MEMORY_FACTOR + ENTRY_BYTES);
        for id in 0..3 {
            cache.insert(session(id), saved(), limit);
        }
        let first = cache.take(&session(0)).unwrap();
        cache.insert(session(0), first, limit);
        cache.insert(session(3), saved(), limit);
        assert!(cache.take(&session(1)).is_none());
        assert!(cache.take(&session(0)).is_some() && cache.take(&session(3)).is_some());
        cache.take(&session(2));
        assert_eq!((cache.bytes, cache.entries.len(), cache.by_use.len()), (0, 0, 0));
    }
}
