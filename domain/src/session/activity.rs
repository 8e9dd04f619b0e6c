//! How much happened when: at most 64 buckets from the session's start on, whose width doubles when they run out.

use crate::row::SessionSummary;

/// The most buckets.
pub const MAX_BUCKETS: usize = 64;
const FIRST_BUCKET_MS: i64 = 1_000;
/// Beyond this the last bucket takes what is left: 64 such buckets are longer than any session may be.
const MAX_BUCKET_MS: i64 = 1 << 26;

/// Counts `amount` at `time_ms`, which is not before [`SessionSummary::start_ms`].
pub fn count(summary: &mut SessionSummary, time_ms: i64, amount: u32) {
    if summary.activity_bucket_ms == 0 {
        summary.activity_bucket_ms = FIRST_BUCKET_MS;
    }
    let since = time_ms.saturating_sub(summary.start_ms).max(0);
    make_room(summary, since);
    let at = usize::try_from(since / summary.activity_bucket_ms).unwrap_or(0).min(MAX_BUCKETS - 1);
    if summary.activity.len() <= at {
        summary.activity.resize(at + 1, 0);
    }
    summary.activity[at] = summary.activity[at].saturating_add(amount);
}

/// Moves what was counted when the start moves `by_ms` back (to the nearest bucket).
pub fn shift(summary: &mut SessionSummary, by_ms: i64) {
    if summary.activity.is_empty() || by_ms <= 0 {
        return;
    }
    let last_ms = summary.activity_bucket_ms.saturating_mul(summary.activity.len() as i64 - 1);
    make_room(summary, last_ms.saturating_add(by_ms).saturating_add(summary.activity_bucket_ms));
    let width = summary.activity_bucket_ms;
    let by = usize::try_from((by_ms + width / 2) / width).unwrap_or(0).min(MAX_BUCKETS);
    summary.activity.splice(0..0, std::iter::repeat_n(0, by));
    let tail: u32 = summary.activity.drain(MAX_BUCKETS.min(summary.activity.len())..).sum();
    if let Some(last) = summary.activity.last_mut() {
        *last = last.saturating_add(tail);
    }
}

fn make_room(summary: &mut SessionSummary, since_ms: i64) {
    while since_ms / summary.activity_bucket_ms >= MAX_BUCKETS as i64
        && summary.activity_bucket_ms < MAX_BUCKET_MS
    {
        let halved =
            summary.activity.chunks(2).map(|pair| pair.iter().fold(0u32, |a, &b| a.saturating_add(b)));
        summary.activity = halved.collect();
        summary.activity_bucket_ms *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_buckets_are_bounded(
            times in proptest::collection::vec(0i64..200_000_000, 1..100), back in 0i64..100_000_000,
        ) {
            let mut summary = SessionSummary::default();
            for &time in &times {
                count(&mut summary, time, 1);
            }
            summary.start_ms -= back;
            shift(&mut summary, back);
            prop_assert!(summary.activity.len() <= MAX_BUCKETS);
            prop_assert_eq!(summary.activity.iter().sum::<u32>() as usize, times.len());
        }
    }

    #[test]
    fn the_width_doubles() {
        let mut summary = SessionSummary::default();
        count(&mut summary, 0, 1);
        count(&mut summary, 1_000, 2);
        assert_eq!((summary.activity.clone(), summary.activity_bucket_ms), (vec![1, 2], 1_000));
        count(&mut summary, 64_000, 4);
        assert_eq!((summary.activity[0], summary.activity[32], summary.activity_bucket_ms), (3, 4, 2_000));
    }
}
