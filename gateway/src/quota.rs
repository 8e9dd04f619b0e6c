//! What one project may send: two token buckets, bytes and requests; and what one session of it may send.

mod session;

use std::collections::HashMap;
use std::hash::BuildHasher;

use parking_lot::Mutex;
use playhead_domain::id::{ProjectId, SessionId};
use playhead_domain::project::MAX_PROJECTS;

use crate::config::Quota;
use crate::error::ApiError;
use session::SessionQuotas;

const SHARDS: usize = 16;

/// The buckets of every project that has sent lately. Only known projects are asked for, so their number is bounded.
#[derive(Debug)]
pub(crate) struct Quotas {
    quota: Quota,
    sessions: SessionQuotas,
    shards: [Mutex<HashMap<ProjectId, Bucket>>; SHARDS],
    hasher: std::hash::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    bytes: f64,
    requests: f64,
    filled_us: i64,
}

impl Quotas {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            sessions: SessionQuotas::new(&quota),
            quota,
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Takes one batch of `bytes`. The session is asked first, so that one which is over its own quota uses nothing of the others'.
    pub(crate) fn take_batch(
        &self,
        project: ProjectId,
        session: SessionId,
        bytes: usize,
        now_us: i64,
    ) -> Result<(), ApiError> {
        let over = |retry_after_s| ApiError::SessionOverQuota { retry_after_s };
        self.sessions.take(project, session, bytes, now_us).map_err(over)?;
        self.take(project, bytes, now_us).map_err(|retry_after_s| {
            self.sessions.give_back(project, session, bytes);
            ApiError::OverQuota { retry_after_s }
        })
    }

    /// Takes `bytes` of one session's own quota, or says after how many seconds there is room for them.
    pub(crate) fn take_session(
        &self,
        project: ProjectId,
        session: SessionId,
        bytes: usize,
        now_us: i64,
    ) -> Result<(), u32> {
        self.sessions.take(project, session, bytes, now_us)
    }

    /// Takes one request of `bytes`, or says after how many seconds there is room for it.
    pub(crate) fn take(&self, project: ProjectId, bytes: usize, now_us: i64) -> Result<(), u32> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let index = self.hasher.hash_one(project) as usize % SHARDS;
        let mut shard = self.shards[index].lock();
        if shard.len() >= 2 * MAX_PROJECTS / SHARDS {
            // A full bucket is the same as none.
            shard.retain(|_, bucket| !self.is_full(&self.filled(*bucket, now_us)));
        }
        let full = Bucket {
            bytes: self.quota.burst_bytes as f64,
            requests: self.quota.burst_requests as f64,
            filled_us: now_us,
        };
        let mut bucket = self.filled(shard.get(&project).copied().unwrap_or(full), now_us);
        let missing_s = ((bytes as f64 - bucket.bytes) / self.quota.rate_bytes_per_s as f64)
            .max((1.0 - bucket.requests) / self.quota.rate_requests_per_s as f64);
        if missing_s <= 0.0 {
            bucket.bytes -= bytes as f64;
            bucket.requests -= 1.0;
        }
        shard.insert(project, bucket);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        if missing_s > 0.0 { Err(missing_s.ceil().clamp(1.0, 3_600.0) as u32) } else { Ok(()) }
    }

    fn filled(&self, bucket: Bucket, now_us: i64) -> Bucket {
        let passed_s = now_us.saturating_sub(bucket.filled_us).max(0) as f64 / 1e6;
        let bytes = passed_s.mul_add(self.quota.rate_bytes_per_s as f64, bucket.bytes);
        let requests = passed_s.mul_add(self.quota.rate_requests_per_s as f64, bucket.requests);
        Bucket {
            bytes: bytes.min(self.quota.burst_bytes as f64),
            requests: requests.min(self.quota.burst_requests as f64),
            // A clock that is set back must not starve anyone.
            filled_us: now_us,
        }
    }

    fn is_full(&self, bucket: &Bucket) -> bool {
        bucket.bytes >= self.quota.burst_bytes as f64 && bucket.requests >= self.quota.burst_requests as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn quotas() -> Quotas {
        Quotas::new(Quota {
            rate_bytes_per_s: 100,
            burst_bytes: 1_000,
            rate_requests_per_s: 2,
            burst_requests: 4,
            ..Quota::default()
        })
    }

    #[test]
    fn bytes_and_requests_run_out_and_come_back() {
        let quotas = quotas();
        let (one, two) = (ProjectId(1), ProjectId(2));
        assert_eq!(quotas.take(one, 900, 0), Ok(()));
        assert_eq!(quotas.take(one, 900, 0), Err(8), "800 bytes are missing at 100 a second");
        assert_eq!(quotas.take(two, 900, 0), Ok(()), "another project has its own");
        assert_eq!(quotas.take(one, 900, 8 * SECOND_US), Ok(()));
        for _ in 0..4 {
            assert_eq!(quotas.take(ProjectId(3), 0, 0), Ok(()));
        }
        assert_eq!(quotas.take(ProjectId(3), 0, 0), Err(1));
        assert_eq!(quotas.take(ProjectId(3), 0, SECOND_US), Ok(()));
    }

    #[test]
    fn a_session_over_its_quota_uses_nothing_of_its_project_and_the_other_way_round() {
        let quota = Quota { session_rate_bytes_per_s: 100, session_burst_bytes: 500, ..quotas().quota };
        let quotas = Quotas::new(quota);
        let (project, hot, calm) = (ProjectId(1), SessionId([1; 16]), SessionId([2; 16]));
        assert_eq!(quotas.take_batch(project, hot, 500, 0), Ok(()));
        for _ in 0..10 {
            let refused = quotas.take_batch(project, hot, 300, 0);
            assert_eq!(refused, Err(ApiError::SessionOverQuota { retry_after_s: 3 }));
        }
        assert_eq!(quotas.take_batch(project, calm, 400, 0), Ok(()), "100 bytes of the project are left");
        for _ in 0..10 {
            let refused = quotas.take_batch(project, SessionId([3; 16]), 200, 0);
            assert_eq!(refused, Err(ApiError::OverQuota { retry_after_s: 1 }));
        }
        assert_eq!(quotas.take_batch(project, SessionId([3; 16]), 100, 0), Ok(()));
        assert_eq!(quotas.take_batch(project, SessionId([3; 16]), 400, 4 * SECOND_US), Ok(()), "given back");
    }

    #[test]
    fn a_clock_set_back_does_not_starve_a_project() {
        let quotas = quotas();
        assert_eq!(quotas.take(ProjectId(1), 1_000, 1_000 * SECOND_US), Ok(()));
        assert_eq!(quotas.take(ProjectId(1), 100, 0), Err(1));
        assert_eq!(quotas.take(ProjectId(1), 100, SECOND_US), Ok(()));
    }

    #[test]
    fn idle_projects_leave_no_memory() {
        let quotas = quotas();
        for id in 0..4 * MAX_PROJECTS as u64 {
            let now = i64::try_from(id).unwrap() * SECOND_US;
            assert_eq!(quotas.take(ProjectId(id), 100, now), Ok(()));
        }
        let held: usize = quotas.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(held <= 2 * MAX_PROJECTS, "{held} of {}", 4 * MAX_PROJECTS);
    }
}
