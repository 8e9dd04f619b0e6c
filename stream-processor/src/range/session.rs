//! Folding the batches of one session.

use std::collections::BTreeMap;

use playhead_domain::row::{EventChunk, Frame, Gap, IntakeCounts, Project, SessionState};
use playhead_domain::scope::Scope;
use playhead_domain::seal::{self, Purpose};
use playhead_domain::session::dedup::Admission;
use playhead_domain::session::fact::{self, What};
use playhead_domain::session::{facet, fold};
use playhead_domain::store::MAX_VALUE_BYTES;
use playhead_proto::frame::inflate;
use playhead_proto::limits;

use super::Settings;
use super::issues::{Before, SessionIssues};
use super::measured;
use crate::batch::Batch;
use crate::effect::{Effects, PendingFrame, SessionWork};
use crate::normalize::{Normalized, Reading, normalize};
use crate::occurrence::InForce;
use crate::partition::{begin_state, set_expiry};

/// Requests of a project without a setting are slow from here on, milliseconds.
const SLOW_REQUEST_MS: u32 = 3_000;
/// What a row's value may take of the store's limit, the rest of the message aside.
const MAX_CHUNK_BYTES: usize = MAX_VALUE_BYTES - (4 << 10);

/// A session under work, and what its batches change beside it.
pub(super) struct SessionFold {
    pub(super) work: SessionWork,
    pub(super) side: Effects,
}

/// Where a session's fold was, to go back to.
pub(super) struct Mark {
    state: SessionState,
    /// Whether it is changed, begins and is visited.
    flags: [bool; 3],
    added: [usize; 7],
    intake: BTreeMap<(Scope, i64), IntakeCounts>,
    issues: SessionIssues,
}

impl SessionFold {
    pub(super) fn new(work: SessionWork) -> Self {
        Self { work, side: Effects::default() }
    }

    pub(super) fn mark(&self) -> Mark {
        let (work, side) = (&self.work, &self.side);
        Mark {
            state: work.state.clone(),
            flags: [work.is_changed, work.begins, work.is_visited],
            added: [
                work.chunks.len(),
                work.frames.len(),
                work.sealed.len(),
                work.facets.len(),
                side.dead_letters.len(),
                side.resolved.len(),
                work.measured.len(),
            ],
            intake: side.intake.clone(),
            issues: work.issues.clone(),
        }
    }

    /// Forgets what was taken since, as if it had never come.
    pub(super) fn back_to(&mut self, mark: Mark) {
        let [chunks, frames, sealed, facets, letters, resolved, measured] = mark.added;
        let (work, side) = (&mut self.work, &mut self.side);
        (work.state, side.intake) = (mark.state, mark.intake);
        [work.is_changed, work.begins, work.is_visited] = mark.flags;
        work.issues = mark.issues;
        work.chunks.truncate(chunks);
        work.frames.truncate(frames);
        work.sealed.truncate(sealed);
        work.facets.truncate(facets);
        work.measured.truncate(measured);
        side.dead_letters.truncate(letters);
        side.resolved.truncate(resolved);
    }

    /// Folds a batch, unless it was seen before.
    pub(super) fn take(
        &mut self,
        settings: &Settings,
        project: &Project,
        batch: &Batch,
    ) -> Result<(), seal::Error> {
        if let Some(on_batch) = &settings.on_batch {
            on_batch(batch.session, batch.seq);
        }
        self.side.count(batch);
        if batch.meta.backend {
            return self.take_spans(settings, project, batch);
        }
        let is_first = !self.work.state.has_begun();
        if is_first {
            begin_state(&mut self.work.state, batch, project, settings.countries.as_deref());
        }
        let limits = (settings.max_streams, limits::MAX_SEQ_GAP);
        let offset_ms = batch.clock_offset_ms();
        match fold::admit(&mut self.work.state, batch.stream, batch.seq, offset_ms, limits) {
            Err(error) => {
                self.side.bury(&settings.topic, batch, "too_many_streams", error.to_string());
                Ok(())
            }
            Ok(Admission::New) => self.fold_new(settings, project, batch, is_first),
            Ok(Admission::Duplicate) if fold::awaits_signals(&self.work.state, batch.stream, batch.seq) => {
                self.complete(settings, project, batch)
            }
            Ok(Admission::Duplicate | Admission::Forgotten) if batch.replay_of.is_none() => {
                self.note_duplicate(batch);
                Ok(())
            }
            Ok(admission) => {
                self.resolve_or_keep(settings, batch, admission);
                Ok(())
            }
        }
    }

    fn fold_new(
        &mut self,
        settings: &Settings,
        project: &Project,
        batch: &Batch,
        is_first: bool,
    ) -> Result<(), seal::Error> {
        let (mut normalized, fault) = self.unpack(settings, project, batch);
        let work = &mut self.work;
        (work.is_changed, work.is_visited) = (true, true);
        work.begins |= is_first;
        work.take_signals(batch, &mut normalized)?;
        let facts = facts(batch, work.clock_offset_ms(batch), normalized, fault.is_some());
        work.take_dom(batch, (facts.from_ms, facts.to_ms))?;
        self.fold(settings, batch, facts, is_first);
        self.side.counts(batch.scope, batch.received_ms).new_sessions += u64::from(is_first);
        match fault {
            Some((reason, detail)) => {
                fold::await_signals(&mut self.work.state, batch.stream, batch.seq);
                self.side.bury(&settings.topic, batch, reason, detail);
            }
            None => self.resolve(batch),
        }
        Ok(())
    }

    /// Another copy of a batch whose signals could not be read: if they can be now, they are all that is new.
    fn complete(&mut self, settings: &Settings, project: &Project, batch: &Batch) -> Result<(), seal::Error> {
        let (mut normalized, fault) = self.unpack(settings, project, batch);
        match fault {
            Some((reason, detail)) if batch.replay_of.is_some() => {
                self.side.bury(&settings.topic, batch, reason, detail);
            }
            Some(_) => self.note_duplicate(batch),
            None => {
                (self.work.is_changed, self.work.is_visited) = (true, true);
                self.work.take_signals(batch, &mut normalized)?;
                let facts = facts(batch, self.work.clock_offset_ms(batch), normalized, false);
                let facts =
                    fact::Batch { completes: true, dom_bytes: 0, dom_events: 0, signal_bytes: 0, ..facts };
                self.fold(settings, batch, facts, false);
                self.resolve(batch);
            }
        }
        Ok(())
    }

    /// Spans of the session's backend join its events and change nothing else of it: they begin no session, keep none open and are no
    /// page of it. The same ones, sent again, come under the same name and replace themselves.
    fn take_spans(
        &mut self,
        settings: &Settings,
        project: &Project,
        batch: &Batch,
    ) -> Result<(), seal::Error> {
        let (mut normalized, fault) = self.unpack(settings, project, batch);
        let work = &mut self.work;
        let is_known =
            work.chunks.iter().any(|(stream, seq, _)| (*stream, *seq) == (batch.stream, batch.seq));
        let bytes = work.state.span_bytes + normalized.lines.len() as u64;
        if let Some((reason, detail)) = fault {
            self.side.bury(&settings.topic, batch, reason, detail);
        } else if bytes > limits::MAX_SESSION_SPAN_BYTES {
            // No dead letter: sending it through again would not help, and letters are for what can be mended.
            let counts = self.side.counts(batch.scope, batch.received_ms);
            counts.dropped_signals += normalized.facts.len() as u64 + normalized.dropped;
            self.resolve(batch);
        } else {
            work.is_changed = true;
            set_expiry(&mut work.state, batch, project);
            // Also of what is known: that another flush brought it before would not be seen.
            work.state.span_bytes = bytes;
            if !is_known {
                work.take_signals(batch, &mut normalized)?;
                if settings.statistics.is_some() {
                    work.measured.extend(measured::answer(batch, &mut work.state, &normalized.facts));
                }
            }
            let counts = self.side.counts(batch.scope, batch.received_ms);
            counts.signals += normalized.facts.len() as u64;
            counts.dropped_signals += normalized.dropped;
            self.resolve(batch);
        }
        Ok(())
    }

    fn fold(&mut self, settings: &Settings, batch: &Batch, mut facts: fact::Batch, is_first: bool) {
        let before = Before::of(&self.work.state);
        fold::fold(&mut self.work.state, &facts);
        if is_first || facts.facts.iter().any(|fact| names_facets(&fact.what)) {
            self.work.note_facets();
        }
        let counts = self.side.counts(batch.scope, batch.received_ms);
        counts.signals += facts.facts.len() as u64;
        counts.dropped_signals += facts.dropped_signals;
        for fact in &facts.facts {
            if let Some(filter) = fact.what.occurrence().and_then(|occurrence| occurrence.filtered) {
                *counts.filtered_errors.entry(filter.name().to_owned()).or_default() += 1;
            }
        }
        let work = &mut self.work;
        if let Some(names) = &settings.statistics {
            work.measured.extend(measured::observe(names, batch, &mut work.state, &mut facts.facts));
        }
        work.issues.take(&settings.visitors, batch, &work.state, &before, facts.facts);
    }

    /// A dead letter has no more to tell once a copy of its record came through, or proves to have been one of several.
    fn resolve(&mut self, batch: &Batch) {
        self.side.resolved.extend(batch.replay_of.map(|offset| (batch.scope, offset)));
    }

    fn note_duplicate(&mut self, batch: &Batch) {
        if batch.replay_of.is_none() {
            self.side.counts(batch.scope, batch.received_ms).duplicates += 1;
        }
        self.resolve(batch);
    }

    /// A replay of what was seen. The letter goes only if that is certain: what it tells of may be missing still.
    fn resolve_or_keep(&mut self, settings: &Settings, batch: &Batch, admission: Admission) {
        let detail = if admission == Admission::Forgotten {
            "more of this page is missing than is remembered, so nobody knows whether this batch had its effect"
        } else if fold::forgets_signals(&self.work.state, batch.stream) {
            "more batches of this page lack their signals than are remembered, so nobody knows whether this one does"
        } else {
            return self.resolve(batch);
        };
        self.side.bury(&settings.topic, batch, "too_late", detail.to_owned());
    }

    /// Inflates and reads the signals. A frame that is not what it declares gives nothing but the reason.
    fn unpack(
        &self,
        settings: &Settings,
        project: &Project,
        batch: &Batch,
    ) -> (Normalized, Option<(&'static str, String)>) {
        let rules = |from_us| settings.rules.get(&(batch.scope, from_us)).cloned();
        let in_force = InForce::at(project, batch.logged_us, rules).naming(batch.scope, &settings.names);
        let slow_ms = if project.slow_request_ms == 0 { SLOW_REQUEST_MS } else { project.slow_request_ms };
        let reading = Reading {
            offset_ms: self.work.clock_offset_ms(batch),
            slow_request_ms: f64::from(slow_ms),
            in_force: &in_force,
            release: fold::release_of(&self.work.state, batch.stream),
            visits: fold::find_stream(&self.work.state, batch.stream).map_or(&[], |stream| &stream.visits),
            page_url: self.work.state.summary.as_ref().map_or("", |summary| &summary.exit_page),
        };
        match inflate(&batch.signals, batch.signals_info.enc, batch.signals_info.raw) {
            Ok(raw) => (normalize(batch, &raw, reading), None),
            Err(error) => (Normalized::default(), Some((error.reason(), format!("signals: {error}")))),
        }
    }
}

const fn names_facets(what: &What) -> bool {
    matches!(
        what,
        What::Page(_)
            | What::Navigation { .. }
            | What::Identify(_)
            | What::Error(_)
            | What::Request { issue: Some(_), .. }
    )
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
        completes: false,
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

    /// Server time minus browser time of the batch's stream.
    fn clock_offset_ms(&self, batch: &Batch) -> f64 {
        fold::find_stream(&self.state, batch.stream).map_or(0.0, |stream| stream.clock_offset_ms)
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
            spans: batch.meta.backend,
        };
        self.chunks.push((batch.stream, batch.seq, chunk));
        Ok(())
    }

    fn take_dom(&mut self, batch: &Batch, (from_ms, to_ms): (i64, i64)) -> Result<(), seal::Error> {
        if batch.dom.is_empty() {
            return Ok(());
        }
        let offset = self.sealed.len();
        let (key, id) = (self.key.clone(), self.id());
        key.seal_onto(&mut self.sealed, id, Purpose::Frame, &batch.dom)?;
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
            offset: offset as u64,
            bytes: u32::try_from(self.sealed.len() - offset).unwrap_or(u32::MAX),
            ..Frame::default()
        };
        self.frames.push(PendingFrame { stream: batch.stream, seq: batch.seq, frame });
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
        let fact = |time_ms| Fact { time_ms, what: What::Click, measured: None };
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
