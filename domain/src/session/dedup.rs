//! De-duplication of batches by `(stream, seq)`: everything below `contiguous` was seen, and a bounded set beyond it.

use crate::row::StreamState;

/// What a `seq` is to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    New,
    /// Seen before, or so far behind the newest that it counts as seen.
    Duplicate,
}

/// Takes a `seq` into the stream's state. At most `window` numbers are remembered beyond the first missing one: when more are
/// needed, the oldest missing ones are given up, and count as seen should they ever come.
pub fn admit(stream: &mut StreamState, seq: u64, window: u64) -> Admission {
    if seq < stream.contiguous {
        return Admission::Duplicate;
    }
    match stream.beyond.binary_search(&seq) {
        Ok(_) => return Admission::Duplicate,
        Err(at) => stream.beyond.insert(at, seq),
    }
    let newest = stream.beyond.last().copied().unwrap_or(seq);
    stream.contiguous = stream.contiguous.max((newest + 1).saturating_sub(window.max(1)));
    advance(stream);
    Admission::New
}

fn advance(stream: &mut StreamState) {
    let mut done = 0;
    for &seq in &stream.beyond {
        if seq > stream.contiguous {
            break;
        }
        stream.contiguous = stream.contiguous.max(seq + 1);
        done += 1;
    }
    stream.beyond.drain(..done);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_is_new_once_in_any_order(order in proptest::collection::vec(0u64..50, 0..200)) {
            let mut stream = StreamState::default();
            let mut seen = std::collections::BTreeSet::new();
            for seq in order {
                let expected = if seen.insert(seq) { Admission::New } else { Admission::Duplicate };
                prop_assert_eq!(admit(&mut stream, seq, 4_096), expected);
                let missing = (0..).find(|n| !seen.contains(n)).unwrap();
                prop_assert_eq!(stream.contiguous, missing);
                prop_assert_eq!(stream.beyond.len(), seen.range(missing..).count());
            }
        }

        #[test]
        fn what_is_remembered_is_bounded(order in proptest::collection::vec(0u64..1 << 32, 0..300)) {
            let mut stream = StreamState::default();
            for seq in order {
                admit(&mut stream, seq, 16);
                prop_assert!(stream.beyond.len() <= 16);
                prop_assert_eq!(admit(&mut stream, seq, 16), Admission::Duplicate);
            }
        }
    }
}
