//! What one session may send: a bucket of bytes each, in a table whose size never changes.

use std::hash::BuildHasher;

use parking_lot::Mutex;
use playhead_domain::id::{ProjectId, SessionId};

use crate::config::Quota;

/// A bucket takes part in one set only; 4096 sets of 16 take a MiB. A bucket is kept while it is not full, which for a page that
/// sends 64 KiB every five seconds is a sixteenth of a second: 65,536 are enough for a million requests a second.
const SETS: usize = 4_096;
const WAYS: usize = 16;

/// The buckets of the sessions that are below their full burst.
#[derive(Debug)]
pub(crate) struct SessionQuotas {
    sets: Box<[Mutex<[Bucket; WAYS]>]>,
    hasher: std::hash::RandomState,
    us_per_byte: f64,
    burst_us: i64,
}

/// A bucket, told by when it is full again if nothing is taken any more ("generic cell rate algorithm", ITU-T I.371).
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// The hash of project and session; two that share one share a bucket, which among 2^64 is not seen.
    session: u64,
    full_at_us: i64,
}

impl SessionQuotas {
    pub(crate) fn new(quota: &Quota) -> Self {
        let us_per_byte = 1e6 / quota.session_rate_bytes_per_s as f64;
        Self {
            sets: (0..SETS).map(|_| Mutex::default()).collect(),
            hasher: std::hash::RandomState::new(),
            us_per_byte,
            burst_us: time_us(us_per_byte, quota.session_burst_bytes),
        }
    }

    /// Takes `bytes`, or says after how many seconds there is room for them.
    pub(crate) fn take(
        &self,
        project: ProjectId,
        session: SessionId,
        bytes: usize,
        now_us: i64,
    ) -> Result<(), u32> {
        let (hash, mut set) = self.set(project, session);
        let bucket = bucket(&mut set, hash);
        // A clock that is set back must not starve anyone.
        let full_at_us = bucket.full_at_us.clamp(now_us, now_us.saturating_add(self.burst_us));
        let after_us = full_at_us + time_us(self.us_per_byte, bytes as u64);
        let missing_us = after_us - now_us - self.burst_us;
        let full_at_us = if missing_us <= 0 { after_us } else { full_at_us };
        *bucket = Bucket { session: hash, full_at_us };
        if missing_us <= 0 {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let seconds = (missing_us as f64 / 1e6).ceil().clamp(1.0, 3_600.0) as u32;
        Err(seconds)
    }

    /// Undoes a take of a batch that was refused for another reason.
    pub(crate) fn give_back(&self, project: ProjectId, session: SessionId, bytes: usize) {
        let (hash, mut set) = self.set(project, session);
        if let Some(bucket) = set.iter_mut().find(|bucket| bucket.session == hash) {
            bucket.full_at_us -= time_us(self.us_per_byte, bytes as u64);
        }
    }

    fn set(
        &self,
        project: ProjectId,
        session: SessionId,
    ) -> (u64, parking_lot::MutexGuard<'_, [Bucket; WAYS]>) {
        let hash = self.hasher.hash_one((project, session));
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let index = hash as usize % SETS;
        (hash, self.sets[index].lock())
    }
}

/// The session's bucket, or the one of its set that is the first to be full: a full one is the same as none, and of what is not full
/// the least is forgotten, so that nobody gets rid of a debt by opening many sessions.
fn bucket(set: &mut [Bucket; WAYS], session: u64) -> &mut Bucket {
    let mut chosen = 0;
    for (index, bucket) in set.iter().enumerate() {
        if bucket.session == session {
            return &mut set[index];
        }
        if bucket.full_at_us < set[chosen].full_at_us {
            chosen = index;
        }
    }
    set[chosen] = Bucket::default();
    &mut set[chosen]
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, at 300,000 years")]
fn time_us(us_per_byte: f64, bytes: u64) -> i64 {
    (us_per_byte * bytes as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;
    const NOW_US: i64 = 1_000 * SECOND_US;
    const PROJECT: ProjectId = ProjectId(1);

    fn quotas() -> SessionQuotas {
        let (session_rate_bytes_per_s, session_burst_bytes) = (100, 1_000);
        SessionQuotas::new(&Quota { session_rate_bytes_per_s, session_burst_bytes, ..Quota::default() })
    }

    fn session(number: u64) -> SessionId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        SessionId(id)
    }

    #[test]
    fn a_burst_runs_out_and_comes_back_at_the_rate() {
        let quotas = quotas();
        assert_eq!(quotas.take(PROJECT, session(1), 1_000, NOW_US), Ok(()));
        assert_eq!(quotas.take(PROJECT, session(1), 300, NOW_US), Err(3));
        assert_eq!(quotas.take(PROJECT, session(2), 1_000, NOW_US), Ok(()), "another session has its own");
        let other = ProjectId(2);
        assert_eq!(quotas.take(other, session(1), 1_000, NOW_US), Ok(()), "and so has another project's");
        assert_eq!(quotas.take(PROJECT, session(1), 300, NOW_US + 3 * SECOND_US), Ok(()));
        assert_eq!(quotas.take(PROJECT, session(1), 1, NOW_US + 3 * SECOND_US), Err(1));
        assert_eq!(quotas.take(PROJECT, session(1), 1_000, NOW_US + 60 * SECOND_US), Ok(()), "and no more");
        assert_eq!(quotas.take(PROJECT, session(1), 1, NOW_US + 60 * SECOND_US), Err(1));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let quotas = quotas();
        assert_eq!(quotas.take(PROJECT, session(1), 1_000, NOW_US), Ok(()));
        quotas.give_back(PROJECT, session(1), 400);
        assert_eq!(quotas.take(PROJECT, session(1), 401, NOW_US), Err(1));
        assert_eq!(quotas.take(PROJECT, session(1), 400, NOW_US), Ok(()));
    }

    #[test]
    fn a_clock_set_back_does_not_starve_a_session() {
        let quotas = quotas();
        assert_eq!(quotas.take(PROJECT, session(1), 1_000, NOW_US), Ok(()));
        assert_eq!(quotas.take(PROJECT, session(1), 100, 0), Err(1));
        assert_eq!(quotas.take(PROJECT, session(1), 100, SECOND_US), Ok(()));
    }

    #[test]
    fn many_small_senders_do_not_wash_a_debt_away() {
        let quotas = quotas();
        assert_eq!(quotas.take(PROJECT, session(0), 1_000, NOW_US), Ok(()));
        for number in 1..4 * (SETS * WAYS) as u64 {
            assert_eq!(quotas.take(PROJECT, session(number), 10, NOW_US), Ok(()), "{number}");
        }
        assert_eq!(quotas.take(PROJECT, session(0), 100, NOW_US), Err(1));
    }
}
