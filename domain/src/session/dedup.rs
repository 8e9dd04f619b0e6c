//! De-duplication of batches by `(stream, seq)`: everything below `contiguous` was seen, but for the ranges of `missing`, and a
//! bounded set beyond it.

use crate::row::{SeqRange, StreamState};

/// What a `seq` is to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    New,
    /// Seen before.
    Duplicate,
    /// So old that nobody knows any more whether it was seen: more was missing than is remembered.
    Forgotten,
}

/// How much of a stream is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Numbers beyond the first missing one.
    pub window: u64,
    /// Ranges of what is missing before them.
    pub ranges: usize,
}

/// Takes a `seq` into the stream's state. When more than `window` numbers would have to be remembered beyond the first missing one,
/// what is missing before them becomes a range, which is good for as long as it is among the newest ones.
pub fn admit(stream: &mut StreamState, seq: u64, memory: Memory) -> Admission {
    if seq < stream.contiguous {
        return admit_late(stream, seq, memory);
    }
    match stream.beyond.binary_search(&seq) {
        Ok(_) => return Admission::Duplicate,
        Err(at) => stream.beyond.insert(at, seq),
    }
    let newest = stream.beyond.last().copied().unwrap_or(seq);
    let first = (newest + 1).saturating_sub(memory.window.max(1));
    advance(stream, first);
    forget(stream, memory);
    Admission::New
}

/// Moves `contiguous` to `first` at least, and over everything that was seen behind it.
fn advance(stream: &mut StreamState, first: u64) {
    let mut done = 0;
    for &seq in &stream.beyond {
        if seq > stream.contiguous {
            if stream.contiguous >= first {
                break;
            }
            let to = seq.min(first);
            miss(&mut stream.missing, stream.contiguous, to);
            stream.contiguous = to;
            if seq > to {
                break;
            }
        }
        stream.contiguous = seq + 1;
        done += 1;
    }
    stream.beyond.drain(..done);
}

/// Adds a range behind all others.
fn miss(missing: &mut Vec<SeqRange>, from: u64, to: u64) {
    match missing.last_mut() {
        Some(last) if last.to == from => last.to = to,
        _ => missing.push(SeqRange { from, to }),
    }
}

fn admit_late(stream: &mut StreamState, seq: u64, memory: Memory) -> Admission {
    let at = stream.missing.partition_point(|range| range.to <= seq);
    let Some(&SeqRange { from, to }) = stream.missing.get(at).filter(|range| range.from <= seq) else {
        return if seq < stream.missing_from { Admission::Forgotten } else { Admission::Duplicate };
    };
    let halves = [SeqRange { from, to: seq }, SeqRange { from: seq + 1, to }];
    stream.missing.splice(at..=at, halves.into_iter().filter(|half| half.from < half.to));
    forget(stream, memory);
    Admission::New
}

/// The oldest ranges go.
fn forget(stream: &mut StreamState, memory: Memory) {
    let excess = stream.missing.len().saturating_sub(memory.ranges);
    for range in stream.missing.drain(..excess) {
        stream.missing_from = range.to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const AMPLE: Memory = Memory { window: 4_096, ranges: 128 };

    proptest! {
        #[test]
        fn each_is_new_once_in_any_order(order in proptest::collection::vec(0u64..50, 0..200)) {
            let mut stream = StreamState::default();
            let mut seen = BTreeSet::new();
            for seq in order {
                let expected = if seen.insert(seq) { Admission::New } else { Admission::Duplicate };
                prop_assert_eq!(admit(&mut stream, seq, AMPLE), expected);
                let missing = (0..).find(|n| !seen.contains(n)).unwrap();
                prop_assert_eq!(stream.contiguous, missing);
                prop_assert_eq!(stream.beyond.len(), seen.range(missing..).count());
            }
        }

        #[test]
        fn each_is_new_once_however_late(order in proptest::collection::vec(0u64..60, 0..300), window in 1u64..9) {
            let mut stream = StreamState::default();
            let mut seen = BTreeSet::new();
            for seq in order {
                let expected = if seen.insert(seq) { Admission::New } else { Admission::Duplicate };
                prop_assert_eq!(admit(&mut stream, seq, Memory { window, ..AMPLE }), expected);
                prop_assert!(stream.beyond.len() < window as usize);
            }
        }

        #[test]
        fn what_is_remembered_is_bounded_and_what_is_forgotten_is_said(
            order in proptest::collection::vec(prop_oneof![0u64..100, 0u64..1 << 32], 0..300),
        ) {
            let mut stream = StreamState::default();
            let mut seen = BTreeSet::new();
            for seq in order {
                let admitted = admit(&mut stream, seq, Memory { window: 16, ranges: 3 });
                prop_assert!(stream.beyond.len() <= 16 && stream.missing.len() <= 3);
                match admitted {
                    Admission::New => prop_assert!(seen.insert(seq)),
                    Admission::Duplicate => prop_assert!(seen.contains(&seq)),
                    Admission::Forgotten => prop_assert!(seq < stream.missing_from),
                }
            }
        }
    }

    #[test]
    fn what_stays_missing_side_by_side_is_one_range() {
        let mut stream = StreamState::default();
        for seq in 0..1_000 {
            if !(100..200).contains(&seq) {
                admit(&mut stream, seq, Memory { window: 16, ranges: 3 });
            }
        }
        assert_eq!(stream.missing, [SeqRange { from: 100, to: 200 }]);
        assert_eq!((stream.contiguous, stream.missing_from), (1_000, 0));
        assert_eq!(admit(&mut stream, 150, AMPLE), Admission::New);
        assert_eq!(stream.missing, [SeqRange { from: 100, to: 150 }, SeqRange { from: 151, to: 200 }]);
    }
}
