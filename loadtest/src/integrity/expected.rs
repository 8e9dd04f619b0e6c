//! What the read model must show of a session, given what the server acknowledged.

use crate::corpus::{Batch, Corpus, Counts};
use crate::ledger::Account;
use crate::visitor::Visitor;

#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub(super) counts: Counts,
    /// Marks of acknowledged batches.
    pub(super) marks: Vec<String>,
    /// Marks of batches that may be there.
    pub(super) unknown: Vec<String>,
    /// Whether the session's last batch, which ends it, was acknowledged.
    pub(super) is_ended: bool,
    /// Whether every stream's acknowledged batches are those from the first on, without a hole.
    pub(super) is_whole: bool,
    pub(super) has_dom: bool,
}

impl Expected {
    pub(super) fn of(visitor: &Visitor, account: &Account, corpus: &Corpus) -> Self {
        let recording = &corpus.recordings[visitor.recording];
        let mut expected = Self { is_whole: true, ..Self::default() };
        let mut ends = vec![false; recording.streams];
        let mut open_events = vec![false; recording.streams];
        for (index, batch) in recording.batches.iter().enumerate() {
            if account.is_unknown(index) {
                expected.unknown.push(visitor.mark(batch));
            }
            if !account.is_acknowledged(index) {
                ends[batch.stream] = true;
                continue;
            }
            expected.is_whole &= !ends[batch.stream];
            open_events[batch.stream] = batch.part.is_some_and(|(part, count)| part + 1 < count);
            expected.is_ended = visitor.ends && index + 1 == recording.batches.len();
            expected.has_dom |= !batch.dom.is_empty();
            expected.add(visitor, batch, index);
        }
        // An event that was cut off by the end of the run cannot be played.
        expected.is_whole &= !open_events.contains(&true);
        expected
    }

    fn add(&mut self, visitor: &Visitor, batch: &Batch, index: usize) {
        self.counts += batch.counts;
        // The mark is a signal, and so is telling who it is.
        self.counts.custom_events += 1;
        self.counts.events += 1 + u64::from(index == 0);
        self.marks.push(visitor.mark(batch));
    }

    /// Whether everything that was sent has an answer: then the counts must be exactly these.
    pub(super) fn is_certain(&self) -> bool {
        self.unknown.is_empty()
    }
}
