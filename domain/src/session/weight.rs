//! How many sessions one stands for. A page may send signals of a share of its sessions only (`signal_sample_rate`); of one in four, each
//! stands for four, so that shares and percentiles are those of all sessions also when the rate changes or pages have different ones.
//! Counts are of what was seen, unless they say otherwise.

use blake3::Hasher;

use crate::id::SessionId;

/// The most that one stands for. Rates are told by browsers: one must not be able to outweigh all the others.
pub const MOST: u64 = 1_000;

/// Sessions beyond itself that a session stands for. Whole, so that sums do not depend on their order: of one in 2.5, half of the sessions
/// stand for two and half for three, as their ids decide. A rate that is none is 1.
#[must_use]
pub fn unseen(session: SessionId, signal_rate: f64) -> u64 {
    if !(signal_rate > 0.0 && signal_rate < 1.0) {
        return 0;
    }
    let stands_for = (1.0 / signal_rate).min(MOST as f64);
    let whole = stands_for.floor();
    // Not the id itself: by that it was decided which sessions are seen at all.
    let mut hash = [0; 4];
    Hasher::new_derive_key("playhead session weight v1").update(&session.0).finalize_xof().fill(&mut hash);
    let place = f64::from(u32::from_le_bytes(hash)) / (f64::from(u32::MAX) + 1.0);
    whole as u64 - 1 + u64::from(place < stands_for - whole)
}

/// Sessions that were seen, with how many further ones they stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    pub seen: u64,
    pub unseen: u64,
}

impl Sessions {
    #[must_use]
    pub const fn all(self) -> u64 {
        self.seen + self.unseen
    }

    /// Per cent of `traffic`; `None` when fewer than `least` were seen of it. A session that began earlier may count only now, so that there
    /// may be more of these than of those.
    #[must_use]
    pub fn share_of(self, traffic: Self, least: u64) -> Option<f64> {
        (traffic.seen >= least.max(1)).then(|| (100.0 * self.all() as f64 / traffic.all() as f64).min(100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u64) -> SessionId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        SessionId(id)
    }

    #[test]
    fn a_session_stands_for_as_many_as_its_rate_says() {
        for (rate, expected) in [(1.0, 0), (0.5, 1), (0.25, 3), (0.001, 999), (1e-9, MOST - 1)] {
            assert_eq!(unseen(session(1), rate), expected, "{rate}");
        }
        for nonsense in [0.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(unseen(session(1), nonsense), 0, "{nonsense}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_right_on_the_average() {
        let all: u64 = (0..10_000).map(|number| 1 + unseen(session(number), 0.4)).sum();
        assert!((24_700..25_300).contains(&all), "{all} for 10,000 sessions of one in 2.5");
        assert!((0..100).all(|number| matches!(unseen(session(number), 0.4), 1 | 2)));
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
    }
}
