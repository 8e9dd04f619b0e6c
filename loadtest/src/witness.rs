//! What the browsers of a run see: answers, sessions under way, acknowledgements to follow until they can be read.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::now_ms;
use crate::delivery::Delivered;

/// Refusals of which the latency is kept.
const MAX_REFUSALS: usize = 200_000;

/// The answer to one attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) begun_ms: f64,
    pub(crate) took: Duration,
    /// `None`: there was no answer, and the body says why.
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: bool,
    pub(crate) body: String,
}

/// A refusal, or no answer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) begun_ms: f64,
    pub(crate) took: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: bool,
}

/// One acknowledgement: from now on the session must show this many batches.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(crate) session: String,
    pub(crate) batches: u64,
    pub(crate) at_ms: f64,
}

#[derive(Default)]
struct Seen {
    answers: BTreeMap<String, u64>,
    refusals: Vec<Refusal>,
    /// Every session and how many of its batches are acknowledged; the flag says that it goes on.
    sessions: HashMap<String, (Delivered, bool)>,
    newest: Option<Acknowledged>,
    accepted_ms: Option<f64>,
    longest_silence_ms: f64,
}

/// Shared by all browsers of a run.
#[derive(Default)]
pub(crate) struct Witness {
    seen: Mutex<Seen>,
    over: AtomicBool,
}

impl Answer {
    /// The problem's code, or the status, or why there is none.
    pub(crate) fn in_words(&self) -> String {
        let Some(status) = self.status else { return self.body.clone() };
        let problem = serde_json::from_str::<Value>(&self.body).unwrap_or_default();
        match problem["type"].as_str().and_then(|kind| kind.rsplit(':').next()) {
            Some(code) => format!("{status} {code}"),
            None => status.to_string(),
        }
    }
}

impl Witness {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// No batch is made after this; what was made is still delivered.
    pub(crate) fn end_all(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn see(&self, answer: &Answer) {
        let mut seen = self.lock();
        *seen.answers.entry(answer.in_words()).or_default() += 1;
        if answer.status == Some(202) {
            let now_ms = now_ms();
            let before_ms = seen.accepted_ms.replace(now_ms).unwrap_or(now_ms);
            seen.longest_silence_ms = seen.longest_silence_ms.max(now_ms - before_ms);
        } else if seen.refusals.len() < MAX_REFUSALS {
            seen.refusals.push(Refusal {
                begun_ms: answer.begun_ms,
                took: answer.took,
                status: answer.status,
                retry_after: answer.retry_after,
            });
        }
    }

    pub(crate) fn acknowledge(&self, delivered: &Delivered) {
        let mut seen = self.lock();
        seen.sessions.insert(delivered.session.clone(), (delivered.clone(), true));
        seen.newest = Some(Acknowledged {
            session: delivered.session.clone(),
            batches: delivered.batches,
            at_ms: now_ms(),
        });
    }

    pub(crate) fn end(&self, session: &str) {
        if let Some((_, goes_on)) = self.lock().sessions.get_mut(session) {
            *goes_on = false;
        }
    }

    /// The newest acknowledgement that nobody has taken yet.
    pub(crate) fn take_newest(&self) -> Option<Acknowledged> {
        self.lock().newest.take()
    }

    /// Sessions that are still sending and have at least so many batches acknowledged.
    pub(crate) fn under_way(&self, batches: u64) -> Vec<Delivered> {
        let seen = self.lock();
        let found = seen.sessions.values().filter(|(told, goes_on)| *goes_on && told.batches >= batches);
        let mut found: Vec<Delivered> = found.map(|(told, _)| told.clone()).collect();
        found.sort_by(|a, b| a.session.cmp(&b.session));
        found
    }

    /// What is acknowledged so far.
    pub(crate) fn so_far(&self) -> Vec<Delivered> {
        self.lock().sessions.values().map(|(told, _)| told.clone()).collect()
    }

    pub(crate) fn refusals_between(&self, from_ms: f64, to_ms: f64) -> Vec<Refusal> {
        let seen = self.lock();
        let within = |refusal: &&Refusal| refusal.begun_ms >= from_ms && refusal.begun_ms < to_ms;
        seen.refusals.iter().filter(within).cloned().collect()
    }

    /// How often an answer was given whose words start like this.
    pub(crate) fn count(&self, words: &str) -> u64 {
        self.lock().answers.iter().filter(|(told, _)| told.starts_with(words)).map(|(_, times)| times).sum()
    }

    pub(crate) fn report(&self) -> Value {
        let seen = self.lock();
        json!({"answers": seen.answers, "longest_time_without_202_ms": seen.longest_silence_ms.round()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Option<u16>, body: &str) -> Answer {
        Answer { begun_ms: now_ms(), status, body: body.to_owned(), ..Answer::default() }
    }

    #[test]
    fn answers_are_counted_by_problem() {
        let witness = Witness::default();
        witness.see(&answer(Some(202), ""));
        witness.see(&answer(Some(429), r#"{"type":"urn:playhead:problem:over-quota"}"#));
        witness.see(&answer(Some(503), "<html>"));
        witness.see(&answer(None, "timeout"));
        let counts = ["202", "429 over-quota", "503", "timeout", "4"].map(|words| witness.count(words));
        assert_eq!(counts, [1, 1, 1, 1, 1]);
        assert_eq!(witness.refusals_between(0.0, f64::MAX).len(), 3);
    }

    #[test]
    fn sessions_under_way_are_those_that_have_not_ended() {
        let witness = Witness::default();
        for (session, batches) in [("a", 3), ("b", 1), ("c", 9)] {
            witness.acknowledge(&Delivered { session: session.to_owned(), batches, ..Delivered::default() });
        }
        witness.end("c");
        let names: Vec<String> = witness.under_way(2).into_iter().map(|told| told.session).collect();
        assert_eq!(names, ["a"]);
        assert_eq!(witness.so_far().len(), 3);
        assert_eq!(witness.take_newest().unwrap().session, "c");
        assert!(witness.take_newest().is_none());
    }
}
