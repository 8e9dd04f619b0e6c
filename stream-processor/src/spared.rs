//! Which sessions are known not to be erased, and as of which marks: see [`playhead_domain::erasure::Marks`].

use std::collections::HashMap;

use playhead_domain::erasure::Marks;
use tokio::time::Instant;

use crate::cache::SessionRef;

/// Sessions of one generation, some 60 bytes each. What was looked at lately is in the younger of two.
const MAX_SESSIONS: usize = 32_768;

/// What marks said of each session's shard when it was found not to be erased.
#[derive(Debug)]
pub(crate) struct Spared {
    young: HashMap<SessionRef, u64>,
    old: HashMap<SessionRef, u64>,
    /// When the younger generation began.
    since: Instant,
}

impl Default for Spared {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), since: Instant::now() }
    }
}

impl Spared {
    /// Leaves those sessions of which it is not known.
    pub(crate) fn retain_others(&mut self, marks: &Marks, sessions: &mut Vec<SessionRef>) {
        self.forget();
        sessions.retain(|session| {
            let mark = marks.of(session.1);
            if self.young.get(session) == Some(&mark) {
                return false;
            }
            let is_known = self.old.get(session) == Some(&mark);
            if is_known {
                self.old.remove(session);
                self.young.insert(*session, mark);
            }
            !is_known
        });
    }

    /// The session is not erased as of `marks`, which were read before it was looked at.
    pub(crate) fn insert(&mut self, session: SessionRef, marks: &Marks) {
        self.young.insert(session, marks.of(session.1));
    }

    /// Makes the younger generation the older one when it is full, or so old that equal marks could be others.
    fn forget(&mut self) {
        let age = self.since.elapsed();
        if self.young.len() >= MAX_SESSIONS || age >= Marks::REMEMBERED_FOR {
            self.old = std::mem::take(&mut self.young);
            self.since = Instant::now();
        }
        if age >= 2 * Marks::REMEMBERED_FOR {
            self.old.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use playhead_domain::erasure::Erasure;
    use playhead_domain::id::{ProjectId, SessionId, TenantId};
    use playhead_domain::scope::Scope;

    use super::*;

    fn session(number: u8) -> SessionRef {
        (Scope::of_log_record(TenantId(1), ProjectId(2)), SessionId([number; 16]))
    }

    fn others(spared: &mut Spared, marks: &Marks, session: SessionRef) -> usize {
        let mut sessions = vec![session];
        spared.retain_others(marks, &mut sessions);
        sessions.len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_looked_at_again_after_an_erasure_and_after_a_long_time() {
        let store = Arc::new(playhead_backends::store::memory::MemoryStore::new(
            playhead_backends::clock::Clock::system(),
        ));
        let erasure = Erasure::new(store, [7; 32]);
        let mut spared = Spared::default();
        let marks = erasure.marks(session(1).0).await.unwrap();
        spared.insert(session(1), &marks);
        assert_eq!(others(&mut spared, &marks, session(1)), 0);
        assert_eq!(others(&mut spared, &marks, session(2)), 1);
        // The sixteen bytes of an id cancel each other out: all of these are in one shard.
        erasure.erase_session(session(3).0, session(3).1, 4_000_000_000_000).await.unwrap();
        let marks = erasure.marks(session(1).0).await.unwrap();
        assert_eq!(others(&mut spared, &marks, session(1)), 1);
        spared.insert(session(1), &marks);
        tokio::time::advance(Marks::REMEMBERED_FOR).await;
        assert_eq!(others(&mut spared, &marks, session(1)), 0);
        tokio::time::advance(2 * Marks::REMEMBERED_FOR).await;
        assert_eq!(others(&mut spared, &marks, session(1)), 1);
    }
}
