//! How many sessions one stands for. A page may send signals of a share of its sessions only (`signal_sample_rate`); of one in four, each
//! stands for four, so that shares and percentiles are those of all sessions also when the rate changes or pages have different ones.
//! Counts are of what was seen, unless they say otherwise.
//!
//! What a batch tells weighs by the batch's own rate: before a page knows the server's, all of its sessions send, and say so.

use blake3::Hasher;

use crate::id::SessionId;

/// The most that one stands for. Rates are told by browsers: one must not be able to outweigh all the others.
pub const MOST: i64 = 100;

/// Sessions beyond itself that a session stands for. Whole, so that sums do not depend on their order: of one in 2.5, half of the sessions
/// stand for two and half for three, as their ids decide. A session that is not of those that send signals, and is seen by its pictures or by what
/// it sent before the page knew that, stands for none: -1. A rate that is none is 1.
#[must_use]
pub fn unseen(session: SessionId, signal_rate: f64) -> i64 {
    if !(signal_rate > 0.0 && signal_rate < 1.0) {
        return 0;
    }
    if !sends_signals(session, signal_rate) {
        return -1;
    }
    let stands_for = (1.0 / signal_rate).min(MOST as f64);
    let whole = stands_for.floor();
    // Not the id itself: by that it was decided which sessions are seen at all.
    let mut hash = [0; 4];
    Hasher::new_derive_key("playhead session weight v1").update(&session.0).finalize_xof().fill(&mut hash);
    let place = f64::from(u32::from_le_bytes(hash)) / (f64::from(u32::MAX) + 1.0);
    whole as i64 - 1 + i64::from(place < stands_for - whole)
}

/// As the SDK decides it (`sdk/src/session/sampling.ts`).
fn sends_signals(session: SessionId, signal_rate: f64) -> bool {
    let [.., a, b, c, d, _, _, _, _] = session.0;
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0) < signal_rate
}

/// Sessions that were seen, with how many further ones they stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    pub seen: u64,
    pub unseen: i64,
}

impl Sessions {
    #[must_use]
    pub const fn all(self) -> u64 {
        self.seen.saturating_add_signed(self.unseen)
    }

    /// Per cent of `traffic`; `None` when fewer than `least` were seen of it. A session that began earlier may count only now, so that there
    /// may be more of these than of those.
    #[must_use]
    pub fn share_of(self, traffic: Self, least: u64) -> Option<f64> {
        let is_enough = traffic.seen >= least.max(1) && traffic.all() > 0;
        is_enough.then(|| (100.0 * self.all() as f64 / traffic.all() as f64).min(100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that sends signals at any rate above `place`.
    fn session(number: u64, place: f64) -> SessionId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id[8..12].copy_from_slice(&((place * f64::from(u32::MAX)) as u32).to_be_bytes());
        SessionId(id)
    }

    #[test]
    fn a_session_stands_for_as_many_as_its_rate_says() {
        for (rate, expected) in [(1.0, 0), (0.5, 1), (0.25, 3), (0.01, 99), (1e-9, MOST - 1)] {
            assert_eq!(unseen(session(1, 0.0), rate), expected, "{rate}");
        }
        for nonsense in [0.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(unseen(session(1, 0.0), nonsense), 0, "{nonsense}");
        }
    }

    #[test]
    fn a_session_that_sends_no_signals_stands_for_none() {
        assert_eq!(unseen(session(1, 0.3), 0.25), -1);
        assert_eq!(unseen(session(1, 0.3), 0.5), 1);
        let id: SessionId = "00000000ffffffff8000000000000000".parse().unwrap();
        assert_eq!((unseen(id, 0.5), unseen(id, 0.500_001)), (-1, 1), "0.5 exactly");
        let all: i64 = (0..1_000).map(|n| 1 + unseen(session(n, (n as f64 + 0.5) / 1_000.0), 0.25)).sum();
        assert_eq!(all, 1_000, "250 stand for all");
    }

    #[test]
    fn what_is_no_whole_number_is_right_on_the_average() {
        let all: i64 = (0..10_000).map(|number| 1 + unseen(session(number, 0.0), 0.4)).sum();
        assert!((24_700..25_300).contains(&all), "{all} for 10,000 sessions of one in 2.5");
        assert!((0..100).all(|number| matches!(unseen(session(number, 0.0), 0.4), 1 | 2)));
    }

    #[test]
    fn shares_are_of_all_sessions() {
        let sessions = |seen, unseen| Sessions { seen, unseen };
        // 100 sessions of which all are seen, 10 with the issue; then 100 of which ten are seen, and all have it.
        let (hit, traffic) = (sessions(10 + 10, 90), sessions(100 + 10, 90));
        assert_eq!(hit.share_of(traffic, 20), Some(55.0));
        assert_eq!(hit.share_of(traffic, 111), None, "too few were seen, whatever they stand for");
        assert_eq!(sessions(5, 0).share_of(sessions(4, 0), 0), Some(100.0));
        assert_eq!(sessions(0, 0).share_of(sessions(0, 0), 0), None);
        // 40 with pictures, of which a quarter sends signals, and four of these have the issue.
        assert_eq!(sessions(4, 12).share_of(sessions(40, 10 * 3 - 30), 20), Some(40.0));
        assert_eq!(sessions(0, 0).share_of(sessions(40, -40), 20), None, "of none that sends any");
    }
}
