//! Folding a range of a log partition: pure work on what was loaded before, so that the same range always gives the same effects.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use playhead_domain::row::{DeadLetter, EventChunk, Frame, Gap, IntakeCounts, Project};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{self, Purpose};
use playhead_domain::session::dedup::Admission;
use playhead_domain::session::fact::{self, What};
use playhead_domain::session::{facet, fold, key};
use playhead_domain::store::MAX_VALUE_BYTES;
use playhead_proto::frame::inflate;
use playhead_proto::limits;

use crate::batch::{Batch, Unreadable};
use crate::cache::SessionRef;
use crate::effect::{Effects, PendingFrame, SessionWork};
use crate::normalize::{Normalized, normalize};

/// Requests of a project without a setting are slow from here on, milliseconds.
const SLOW_REQUEST_MS: u32 = 3_000;
/// What a row's value may take of the store's limit, the rest of the message aside.
const MAX_CHUNK_BYTES: usize = MAX_VALUE_BYTES - (4 << 10);

/// What a range is folded with.
pub(crate) struct Input {
    pub(crate) topic: String,
    pub(crate) to: u64,
    pub(crate) max_streams: usize,
    pub(crate) batches: Vec<Batch>,
    pub(crate) unreadable: Vec<(u64, usize, Unreadable)>,
    pub(crate) projects: HashMap<Scope, Arc<Project>>,
    /// Absent: suppressed.
    pub(crate) sessions: BTreeMap<SessionRef, SessionWork>,
}

/// Folds the range.
///
/// # Errors
/// Sealing failed: there are no random bytes.
pub(crate) fn fold_range(input: Input) -> Result<Effects, seal::Error> {
    let mut effects = Effects { sessions: input.sessions, ..Effects::default() };
    for (offset, bytes, unreadable) in input.unreadable {
        effects.refuse_header(&input.topic, offset, bytes, unreadable);
    }
    for batch in &input.batches {
        let Some(project) = input.projects.get(&batch.scope) else { continue };
        effects.take(&input.topic, batch, project, input.max_streams)?;
    }
    for work in effects.sessions.values_mut().filter(|work| work.is_changed) {
        work.state.next_offset = input.to;
    }
    Ok(effects)
}

impl Effects {
    fn counts(&mut self, scope: Scope, received_ms: i64) -> &mut IntakeCounts {
        self.intake.entry((scope, key::day(received_ms))).or_default()
    }

    fn refuse_header(&mut self, topic: &str, offset: u64, bytes: usize, unreadable: Unreadable) {
        let Unreadable::Header { scope, detail, received_us, traceparent } = unreadable else { return };
        let letter = DeadLetter {
            reason: "bad_header".to_owned(),
            detail,
            received_us,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            traceparent,
            topic: topic.to_owned(),
            ..DeadLetter::default()
        };
        self.bury(scope, offset, letter);
    }

    fn bury(&mut self, scope: Scope, offset: u64, letter: DeadLetter) {
        let counts = self.counts(scope, letter.received_us.div_euclid(1_000));
        *counts.dead_letters.entry(letter.reason.clone()).or_default() += 1;
        self.dead_letters.push((scope, offset, letter));
    }

    fn bury_batch(&mut self, topic: &str, batch: &Batch, reason: &str, detail: String) {
        let letter = DeadLetter {
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
        self.bury(batch.scope, batch.offset, letter);
    }

    fn take(
        &mut self,
        topic: &str,
        batch: &Batch,
        project: &Project,
        max_streams: usize,
    ) -> Result<(), seal::Error> {
        let session = (batch.scope, batch.session);
        let counts = self.counts(batch.scope, batch.received_ms);
        counts.batches += 1;
        counts.bytes += batch.body_bytes as u64;
        let Some(work) = self.sessions.get_mut(&session) else {
            self.counts(batch.scope, batch.received_ms).suppressed += 1;
            return Ok(());
        };
        let limits = (max_streams, limits::MAX_SEQ_GAP);
        let offset_ms = batch.clock_offset_ms();
        match fold::admit(&mut work.state, batch.stream, batch.seq, offset_ms, limits) {
            Err(error) => {
                self.bury_batch(topic, batch, "too_many_streams", error.to_string());
                return Ok(());
            }
            Ok(Admission::Duplicate) => {
                self.counts(batch.scope, batch.received_ms).duplicates += 1;
                return Ok(());
            }
            Ok(Admission::New) => {}
        }
        let is_first = work.is_new && !work.is_changed;
        work.is_changed = true;
        let slow_ms = if project.slow_request_ms == 0 { SLOW_REQUEST_MS } else { project.slow_request_ms };
        let offset_ms =
            fold::find_stream(&work.state, batch.stream).map_or(0.0, |stream| stream.clock_offset_ms);
        let (mut normalized, fault) = unpack(batch, offset_ms, f64::from(slow_ms));
        work.take_signals(batch, &mut normalized)?;
        let facts = facts(batch, offset_ms, normalized, fault.is_some());
        let (signals, dropped) = (facts.facts.len() as u64, facts.dropped_signals);
        work.take_dom(batch, (facts.from_ms, facts.to_ms))?;
        let may_name_facets = is_first || facts.facts.iter().any(|fact| names_facets(&fact.what));
        fold::fold(&mut work.state, &facts);
        if may_name_facets {
            work.note_facets();
        }
        let counts = self.counts(batch.scope, batch.received_ms);
        counts.signals += signals;
        counts.dropped_signals += dropped;
        counts.new_sessions += u64::from(is_first);
        if let Some((reason, detail)) = fault {
            self.bury_batch(topic, batch, reason, detail);
        }
        Ok(())
    }
}

const fn names_facets(what: &What) -> bool {
    matches!(what, What::Page(_) | What::Navigation { .. } | What::Identify(_))
}

/// Inflates and reads the signals. A frame that is not what it declares gives nothing but the reason.
fn unpack(batch: &Batch, offset_ms: f64, slow_ms: f64) -> (Normalized, Option<(&'static str, String)>) {
    match inflate(&batch.signals, batch.signals_info.enc, batch.signals_info.raw) {
        Ok(raw) => (normalize(batch, &raw, offset_ms, slow_ms), None),
        Err(error) => (Normalized::default(), Some((error.reason(), format!("signals: {error}")))),
    }
}

fn facts(batch: &Batch, offset_ms: f64, normalized: Normalized, is_dead: bool) -> fact::Batch {
    let (from, from_is_possible) = batch.server_time(batch.from_ms, offset_ms);
    let (to, to_is_possible) = batch.server_time(batch.to_ms, offset_ms);
    fact::Batch {
        stream: batch.stream,
        seq: batch.seq,
        tab: batch.tab,
        append_us: batch.append_us,
        from_ms: from.min(to),
        to_ms: from.max(to),
        dom_bytes: batch.dom.len() as u64,
        dom_events: if batch.dom.is_empty() { 0 } else { u64::from(batch.dom_info.events) },
        signal_bytes: batch.signals.len() as u64,
        sampled: batch.sampled,
        dom_rate: batch.rates.dom,
        dom_on_error_rate: batch.rates.dom_on_error,
        signal_rate: batch.rates.signals,
        end: batch.end,
        dropped_signals: normalized.dropped,
        dead_letters: u64::from(is_dead),
        impossible_times: normalized.impossible_times || !from_is_possible || !to_is_possible || from > to,
        facts: normalized.facts,
        gaps: normalized.gaps,
    }
}

impl SessionWork {
    fn id(&self) -> playhead_domain::id::SessionId {
        let id = self.state.summary.as_ref().and_then(|summary| summary.session[..].try_into().ok());
        playhead_domain::id::SessionId(id.unwrap_or_default())
    }

    /// Seals the events. What does not fit into a row (it hardly compresses) is dropped from the end, counted, and told as a gap.
    fn take_signals(&mut self, batch: &Batch, normalized: &mut Normalized) -> Result<(), seal::Error> {
        if normalized.events == 0 {
            return Ok(());
        }
        let mut sealed = self.key.seal_events(self.id(), &normalized.lines)?;
        while sealed.len() > MAX_CHUNK_BYTES {
            drop_second_half(normalized);
            sealed = self.key.seal_events(self.id(), &normalized.lines)?;
        }
        let times = normalized.facts.iter().map(|fact| fact.time_ms);
        let chunk = EventChunk {
            sealed: sealed.into(),
            raw_bytes: u32::try_from(normalized.lines.len()).unwrap_or(u32::MAX),
            events: normalized.events,
            from_ms: times.clone().min().unwrap_or(batch.received_ms),
            to_ms: times.max().unwrap_or(batch.received_ms),
        };
        self.chunks.push((batch.stream, batch.seq, chunk));
        Ok(())
    }

    fn take_dom(&mut self, batch: &Batch, (from_ms, to_ms): (i64, i64)) -> Result<(), seal::Error> {
        if batch.dom.is_empty() {
            return Ok(());
        }
        let sealed = self.key.seal(self.id(), Purpose::Frame, &batch.dom)?;
        let (part_index, part_count) = batch.part.unwrap_or((0, 1));
        let frame = Frame {
            raw_bytes: u32::try_from(batch.dom_info.raw).unwrap_or(u32::MAX),
            encoding: batch.dom_info.enc.name().to_owned(),
            key_frame: batch.dom_info.key,
            events: batch.dom_info.events,
            from_ms,
            to_ms,
            part_index,
            part_count,
            ..Frame::default()
        };
        self.frames.push(PendingFrame { stream: batch.stream, seq: batch.seq, frame, sealed });
        Ok(())
    }

    fn note_facets(&mut self) {
        let Some(summary) = &self.state.summary else { return };
        for (name, value) in facet::of(summary) {
            let entry = facet::entry(name, &value);
            if self.state.facets.len() < facet::MAX_PER_SESSION && !self.state.facets.contains(&entry) {
                self.state.facets.push(entry);
                self.facets.push((name, value));
            }
        }
    }
}

fn drop_second_half(normalized: &mut Normalized) {
    let keep = normalized.events as usize / 2;
    let kept: usize =
        normalized.lines.split_inclusive(|&byte| byte == b'\n').take(keep).map(<[u8]>::len).sum();
    normalized.lines.truncate(kept);
    let lost = normalized.facts.split_off(keep.min(normalized.facts.len()));
    normalized.events = u32::try_from(normalized.facts.len()).unwrap_or(u32::MAX);
    normalized.dropped += lost.len() as u64;
    let (Some(first), Some(last)) = (lost.first(), lost.last()) else { return };
    let gap = Gap {
        from_ms: first.time_ms.min(last.time_ms),
        to_ms: first.time_ms.max(last.time_ms),
        reason: "too_large".to_owned(),
        frame: "signals".to_owned(),
    };
    normalized.gaps.push(gap);
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::session::fact::Fact;

    #[test]
    fn the_second_half_goes_and_is_told() {
        let fact = |time_ms| Fact { time_ms, what: What::Click };
        let mut normalized = Normalized {
            lines: b"a\nbb\nc\nd\ne\n".to_vec(),
            events: 5,
            facts: (0..5).map(fact).collect(),
            ..Normalized::default()
        };
        drop_second_half(&mut normalized);
        assert_eq!((&normalized.lines[..], normalized.events, normalized.dropped), (&b"a\nbb\n"[..], 2, 3));
        let gap = &normalized.gaps[0];
        assert_eq!((gap.from_ms, gap.to_ms, gap.reason.as_str()), (2, 4, "too_large"));
        drop_second_half(&mut normalized);
        drop_second_half(&mut normalized);
        assert_eq!((normalized.lines.len(), normalized.events, normalized.dropped), (0, 0, 5));
    }
}
