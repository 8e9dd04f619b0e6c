//! How often a project may try its channels: each try is a message to somebody.

use std::collections::HashMap;

use parking_lot::Mutex;
use playhead_domain::id::ProjectId;

use crate::error::ApiError;

const WINDOW_MS: i64 = 60_000;
/// Tries of a project within a window.
const MAX_TESTS: u32 = 10;

/// Tries within the running minute.
#[derive(Debug, Default)]
pub(crate) struct TestsSent(Mutex<HashMap<ProjectId, (i64, u32)>>);

impl TestsSent {
    /// Counts one.
    ///
    /// # Errors
    /// [`ApiError::TooManyChanges`] when the project has had its share.
    pub(crate) fn count(&self, project: ProjectId, now_ms: i64) -> Result<(), ApiError> {
        let mut seen = self.0.lock();
        // Only projects that exist come here, so what is left is bounded by their number.
        seen.retain(|_, (start_ms, _)| now_ms < *start_ms + WINDOW_MS);
        let (start_ms, tests) = seen.entry(project).or_insert((now_ms, 0));
        if *tests >= MAX_TESTS {
            let wait_ms = (*start_ms + WINDOW_MS - now_ms).max(0).unsigned_abs();
            return Err(ApiError::TooManyChanges {
                detail: format!("a project's channels are tried at most {MAX_TESTS} times a minute"),
                retry_after_s: wait_ms.div_ceil(1_000),
            });
        }
        *tests += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_tries_ten_times_a_minute_and_others_do_not_wait_for_it() {
        let (tests, one, other) = (TestsSent::default(), ProjectId(1), ProjectId(2));
        for _ in 0..MAX_TESTS {
            tests.count(one, 1_000).unwrap();
        }
        assert!(matches!(tests.count(one, 31_000), Err(ApiError::TooManyChanges { retry_after_s: 30, .. })));
        assert!(tests.count(other, 31_000).is_ok());
        assert!(tests.count(one, 61_000).is_ok(), "the minute is over");
    }
}
