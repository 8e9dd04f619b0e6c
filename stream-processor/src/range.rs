//! Folding a range of a log partition: pure work on what was loaded before, so that the same range always gives the same effects.
//!
//! Sessions are folded apart, so that one whose batches cannot be folded does not hold up the others: a batch at which folding
//! panics twice becomes a dead letter and leaves no other trace.

pub(crate) mod issues;
mod measured;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use playhead_domain::issue::rule::Rules;
use playhead_domain::issue::visitor::VisitorKey;
use playhead_domain::performance::name::NameKey;
use playhead_domain::row::{DeadLetter, IntakeCounts, Project};
use playhead_domain::scope::Scope;
use playhead_domain::seal;
use playhead_domain::session::key;
use playhead_domain::store::MAX_VALUE_BYTES;
use prost::Message;

use crate::batch::{Batch, Unreadable};
use crate::cache::SessionRef;
use crate::client::CountryLookup;
use crate::compute::isolate;
use crate::effect::{Effects, Letter, SessionWork};
use crate::hooks::OnBatch;
use crate::naming::Names;
use session::SessionFold;

/// The largest state of a session: its row's value, less what may be added to it.
const MAX_STATE_BYTES: usize = MAX_VALUE_BYTES - (16 << 10);

/// What is known of a session before the range.
pub(crate) enum Loaded {
    Work(Box<SessionWork>),
    /// Why its state cannot be worked on, now or later.
    Unreadable(String),
}

/// What a range is folded with.
pub(crate) struct Input {
    pub(crate) settings: Settings,
    pub(crate) to: u64,
    pub(crate) batches: Vec<Batch>,
    pub(crate) unreadable: Vec<(u64, usize, Unreadable)>,
    /// Of projects that nobody has told of.
    pub(crate) unknown: Vec<Batch>,
    /// Absent: suppressed.
    pub(crate) sessions: BTreeMap<SessionRef, Loaded>,
}

/// What is the same for every batch.
pub(crate) struct Settings {
    pub(crate) topic: String,
    pub(crate) max_streams: usize,
    /// Requests and page loads are summed, under the ids that this gives their names.
    pub(crate) statistics: Option<NameKey>,
    pub(crate) projects: HashMap<Scope, Arc<Project>>,
    /// The projects' rules of grouping that some batch obeys, by the time from which they count.
    pub(crate) rules: HashMap<(Scope, i64), Arc<Rules>>,
    /// How frames were written.
    pub(crate) names: Names,
    pub(crate) countries: Option<Arc<dyn CountryLookup>>,
    pub(crate) visitors: VisitorKey,
    pub(crate) on_batch: Option<OnBatch>,
}

/// Folds the range.
///
/// # Errors
/// Sealing failed: there are no random bytes.
pub(crate) fn fold_range(input: Input) -> Result<Effects, seal::Error> {
    let Input { settings, to, batches, unreadable, unknown, mut sessions } = input;
    let mut effects = Effects::default();
    for (offset, bytes, unreadable) in unreadable {
        effects.refuse_header(&settings.topic, offset, bytes, unreadable);
    }
    for batch in &unknown {
        effects.count(batch);
        effects.bury(&settings.topic, batch, "unknown_project", "nobody has told of the project".to_owned());
    }
    let mut by_session: BTreeMap<SessionRef, Vec<&Batch>> = BTreeMap::new();
    for batch in &batches {
        by_session.entry((batch.scope, batch.session)).or_default().push(batch);
    }
    for (session, batches) in by_session {
        match sessions.remove(&session) {
            None => effects.suppress(&batches),
            Some(Loaded::Unreadable(detail)) => {
                for batch in batches {
                    effects.count(batch);
                    effects.bury(&settings.topic, batch, "state_unreadable", detail.clone());
                }
            }
            Some(Loaded::Work(work)) => {
                let Some(project) = settings.projects.get(&session.0) else { continue };
                effects.merge(session, fold_session(&settings, project, *work, &batches)?);
            }
        }
    }
    for work in effects.sessions.values_mut().filter(|work| work.is_changed) {
        work.state.next_offset = to;
    }
    effects.dead_letters.sort_by_key(|letter| (letter.scope, letter.offset));
    Ok(effects)
}

/// All at once, and only if that does not go well each on its own.
fn fold_session(
    settings: &Settings,
    project: &Project,
    work: SessionWork,
    batches: &[&Batch],
) -> Result<SessionFold, seal::Error> {
    let before = work.clone();
    let folded = isolate(|| {
        let mut fold = SessionFold::new(work);
        // At once, so that it need not grow.
        fold.work
            .sealed
            .reserve_exact(batches.iter().map(|batch| batch.dom.len() + seal::OVERHEAD_BYTES).sum());
        for batch in batches {
            fold.take(settings, project, batch)?;
        }
        Ok::<_, seal::Error>(fold)
    });
    match folded {
        Ok(Ok(fold)) if fits(&fold) => Ok(fold),
        Ok(Err(error)) if error.is_retryable() => Err(error),
        _ => fold_singly(settings, project, before, batches),
    }
}

fn fits(fold: &SessionFold) -> bool {
    fold.work.state.encoded_len() <= MAX_STATE_BYTES
}

fn fold_singly(
    settings: &Settings,
    project: &Project,
    work: SessionWork,
    batches: &[&Batch],
) -> Result<SessionFold, seal::Error> {
    let mut fold = SessionFold::new(work);
    for batch in batches {
        let before = fold.mark();
        let taken = isolate(|| fold.take(settings, project, batch));
        let (reason, detail) = match taken {
            Ok(Ok(())) if fits(&fold) => continue,
            Ok(Ok(())) => ("session_too_large", format!("its state is over {MAX_STATE_BYTES} bytes")),
            Ok(Err(error)) if error.is_retryable() => return Err(error),
            Ok(Err(error)) => ("not_sealed", error.to_string()),
            Err(panic) => ("panicked", panic.0),
        };
        fold.back_to(before);
        fold.side.count(batch);
        fold.side.bury(&settings.topic, batch, reason, detail);
    }
    Ok(fold)
}

impl Effects {
    fn counts(&mut self, scope: Scope, received_ms: i64) -> &mut IntakeCounts {
        self.intake.entry((scope, key::day(received_ms))).or_default()
    }

    /// A copy of a dead letter's record was counted when the record itself came.
    fn count(&mut self, batch: &Batch) {
        if batch.replay_of.is_none() {
            let counts = self.counts(batch.scope, batch.received_ms);
            counts.batches += 1;
            counts.bytes += batch.body_bytes as u64;
        }
    }

    fn suppress(&mut self, batches: &[&Batch]) {
        for batch in batches {
            self.count(batch);
            self.counts(batch.scope, batch.received_ms).suppressed += 1;
        }
    }

    fn refuse_header(&mut self, topic: &str, offset: u64, bytes: usize, unreadable: Unreadable) {
        let Unreadable::Header { scope, detail, received_us, traceparent, replay_of } = unreadable else {
            return;
        };
        let row = DeadLetter {
            reason: "bad_header".to_owned(),
            detail,
            received_us,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            traceparent,
            topic: topic.to_owned(),
            ..DeadLetter::default()
        };
        self.add_letter(Letter {
            scope,
            offset: replay_of.unwrap_or(offset),
            is_replay: replay_of.is_some(),
            row,
        });
    }

    fn bury(&mut self, topic: &str, batch: &Batch, reason: &str, detail: String) {
        let row = DeadLetter {
            reason: reason.to_owned(),
            detail,
            session: bytes::Bytes::copy_from_slice(&batch.session.0),
            stream: bytes::Bytes::copy_from_slice(&batch.stream.0),
            seq: batch.seq,
            received_us: batch.meta.received_us,
            bytes: u32::try_from(batch.body_bytes).unwrap_or(u32::MAX),
            traceparent: batch.meta.traceparent.clone(),
            topic: topic.to_owned(),
        };
        self.add_letter(Letter {
            scope: batch.scope,
            offset: batch.replay_of.unwrap_or(batch.offset),
            is_replay: batch.replay_of.is_some(),
            row,
        });
    }

    fn add_letter(&mut self, letter: Letter) {
        if !letter.is_replay {
            let counts = self.counts(letter.scope, letter.row.received_us.div_euclid(1_000));
            *counts.dead_letters.entry(letter.row.reason.clone()).or_default() += 1;
        }
        self.dead_letters.push(letter);
    }

    fn merge(&mut self, session: SessionRef, fold: SessionFold) {
        self.sessions.insert(session, fold.work);
        self.dead_letters.extend(fold.side.dead_letters);
        self.resolved.extend(fold.side.resolved);
        for (day, counts) in fold.side.intake {
            self.intake.entry(day).or_default().add(&counts);
        }
    }
}
