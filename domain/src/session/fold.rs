//! Folding batches into a session's summary. Same batches in the same order, same summary; every list is bounded.

use crate::id::{SessionId, StreamId};
use crate::issue::sequel;
use crate::row::{Counts, PageVisit, SessionState, SessionSummary, StreamState, StreamSummary, User};
use crate::session::activity;
use crate::session::dedup::{self, Admission, Memory};
use crate::session::fact::{Batch, Fact, Occurrence, Page, What};
use crate::session::weight;

const MAX_PAGES: usize = 200;
const MAX_URL_BYTES: usize = 1_024;
/// Pages of a document that are remembered for what began on them.
const MAX_VISITS: usize = 3;
const MAX_STREAM_URL_BYTES: usize = 300;
const MAX_NAMES: usize = 100;
const MAX_NAME_BYTES: usize = 200;
const MAX_TRAITS_BYTES: usize = 4_096;
const MAX_ISSUES: usize = 50;
const MAX_PROBLEMS: usize = 16;
const MAX_GAPS_PER_STREAM: usize = 64;
const MAX_GAPS: usize = 1_000;
/// Numbers remembered for de-duplication, over all streams of a session.
const MAX_REMEMBERED: u64 = 16_384;
/// Ranges of missing ones, over all streams of a session and in one.
const MAX_MISSING: usize = 4_096;
const MAX_MISSING_IN_STREAM: usize = 256;
/// Batches of a stream whose signals may come later.
const MAX_WITHOUT_SIGNALS: usize = 128;

/// A session has more streams than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has more than {limit} streams")]
pub struct TooManyStreams {
    pub limit: usize,
}

/// The longest prefix of at most `limit` bytes that ends at a character's end.
#[must_use]
pub fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Fold state of a session that nothing is known about.
#[must_use]
pub fn empty(session: SessionId, expires_at_ms: i64) -> SessionState {
    let summary = SessionSummary {
        session: bytes::Bytes::copy_from_slice(&session.0),
        expires_at_ms,
        counts: Some(Counts::default()),
        ..SessionSummary::default()
    };
    SessionState { summary: Some(summary), ..SessionState::default() }
}

/// The stream's fold state, if the session knows it.
#[must_use]
pub fn find_stream(state: &SessionState, stream: StreamId) -> Option<&StreamState> {
    state.streams.iter().find(|known| known.stream[..] == stream.0)
}

/// Takes a batch's `seq`; a stream that is not known yet begins, with `clock_offset_ms` (server minus browser) for good.
///
/// # Errors
/// [`TooManyStreams`] when a new stream would be one more than `max_streams`.
pub fn admit(
    state: &mut SessionState,
    stream: StreamId,
    seq: u64,
    clock_offset_ms: f64,
    (max_streams, max_window): (usize, u64),
) -> Result<Admission, TooManyStreams> {
    let at = match state.streams.iter().position(|known| known.stream[..] == stream.0) {
        Some(at) => at,
        None if state.streams.len() >= max_streams => return Err(TooManyStreams { limit: max_streams }),
        None => {
            let stream = bytes::Bytes::copy_from_slice(&stream.0);
            state.streams.push(StreamState { stream, clock_offset_ms, ..StreamState::default() });
            state.streams.len() - 1
        }
    };
    let streams = state.streams.len();
    let window = (MAX_REMEMBERED / streams as u64).clamp(16, max_window);
    let ranges = (MAX_MISSING / streams).clamp(4, MAX_MISSING_IN_STREAM);
    Ok(dedup::admit(&mut state.streams[at], seq, Memory { window, ranges }))
}

/// Remembers that a batch was folded without its signals: another copy of it may bring them.
pub fn await_signals(state: &mut SessionState, stream: StreamId, seq: u64) {
    let known = state.streams.iter_mut().find(|known| known.stream[..] == stream.0);
    match known {
        Some(known) if known.without_signals.len() < MAX_WITHOUT_SIGNALS => known.without_signals.push(seq),
        Some(known) => known.signals_forgotten = true,
        None => {}
    }
}

/// Whether a batch was folded without its signals.
#[must_use]
pub fn awaits_signals(state: &SessionState, stream: StreamId, seq: u64) -> bool {
    find_stream(state, stream).is_some_and(|known| known.without_signals.contains(&seq))
}

/// Whether batches of the stream were folded without their signals of which that is not remembered.
#[must_use]
pub fn forgets_signals(state: &SessionState, stream: StreamId) -> bool {
    find_stream(state, stream).is_some_and(|known| known.signals_forgotten)
}

/// Folds a new batch (see [`admit`]), or the signals that one had lacked (see [`awaits_signals`]), into the summary.
pub fn fold(state: &mut SessionState, batch: &Batch) {
    let offset_ms = find_stream(state, batch.stream).map_or(0.0, |stream| stream.clock_offset_ms);
    if batch.completes {
        for known in state.streams.iter_mut().filter(|known| known.stream[..] == batch.stream.0) {
            known.without_signals.retain(|&seq| seq != batch.seq);
        }
    }
    note_document(state, batch);
    let summary = state.summary.get_or_insert_default();
    let known_issues = summary.issues.len();
    let first = summary.list_start_ms == 0;
    let earliest = batch.facts.iter().map(|fact| fact.time_ms).fold(batch.from_ms, i64::min);
    let latest = batch.facts.iter().map(|fact| fact.time_ms).fold(batch.to_ms, i64::max);
    if first {
        (summary.list_start_ms, summary.start_ms, summary.end_ms) = (earliest, earliest, latest);
        let session = SessionId(summary.session[..].try_into().unwrap_or_default());
        summary.unseen = weight::unseen(session, batch.signal_rate);
    }
    if earliest < summary.start_ms {
        activity::shift(summary, summary.start_ms - earliest);
        summary.start_ms = earliest;
    }
    summary.end_ms = summary.end_ms.max(latest);
    summary.last_append_us = summary.last_append_us.max(batch.append_us);
    (summary.dom_rate, summary.dom_on_error_rate) = (batch.dom_rate, batch.dom_on_error_rate);
    summary.signal_rate = batch.signal_rate;
    summary.sampled |= batch.sampled;
    summary.dom_bytes += batch.dom_bytes;
    summary.dom_events += batch.dom_events;
    summary.signal_bytes += batch.signal_bytes;
    let counts = summary.counts.get_or_insert_default();
    counts.dropped_signals += batch.dropped_signals;
    counts.dead_letters += batch.dead_letters;
    counts.dead_letters = counts.dead_letters.saturating_sub(u64::from(batch.completes));
    if batch.dom_events > 0 {
        activity::count(summary, batch.from_ms, u32::try_from(batch.dom_events).unwrap_or(u32::MAX));
    }
    if batch.end && summary.ended_reason.is_empty() {
        summary.ended_reason = "stop".to_owned();
    }
    fold_stream(summary, batch, offset_ms, (earliest, latest));
    for fact in &batch.facts {
        activity::count(summary, fact.time_ms, 1);
        fold_fact(summary, batch.stream, fact);
    }
    for gap in &batch.gaps {
        note_gap(summary, batch.stream, gap);
    }
    sequel::fold(state, known_issues, &batch.facts);
}

/// Of the document: a session may go on through a deployment, and in several tabs.
fn note_document(state: &mut SessionState, batch: &Batch) {
    let known = state.streams.iter_mut().find(|known| known.stream[..] == batch.stream.0);
    let Some(known) = known else { return };
    for fact in &batch.facts {
        let url = match &fact.what {
            What::Page(page) => {
                if !page.release.is_empty() {
                    release_name(&page.release).clone_into(&mut known.release);
                }
                &page.url
            }
            What::Navigation { url } => url,
            _ => continue,
        };
        let url = cut(url, MAX_STREAM_URL_BYTES).to_owned();
        let at = known.visits.partition_point(|visit| visit.time_ms <= fact.time_ms);
        known.visits.insert(at, PageVisit { time_ms: fact.time_ms, url });
        if known.visits.len() > MAX_VISITS {
            known.visits.remove(0);
        }
    }
}

/// What is kept of the name of a release.
#[must_use]
pub fn release_name(told: &str) -> &str {
    cut(told, MAX_NAME_BYTES)
}

/// The release of a document, as far as it is known; else the session's newest.
#[must_use]
pub fn release_of(state: &SessionState, stream: StreamId) -> &str {
    match find_stream(state, stream) {
        Some(known) if !known.release.is_empty() => &known.release,
        _ => state.summary.as_ref().map_or("", |summary| &summary.release),
    }
}

fn fold_stream(summary: &mut SessionSummary, batch: &Batch, offset_ms: f64, (earliest, latest): (i64, i64)) {
    let skewed = batch.impossible_times || offset_ms.abs() > 60_000.0;
    summary.clock_skewed |= skewed;
    if stream_mut(summary, batch.stream).is_none() {
        summary.streams.push(StreamSummary {
            stream: bytes::Bytes::copy_from_slice(&batch.stream.0),
            tab: batch.tab,
            start_ms: earliest,
            end_ms: latest,
            clock_offset_ms: offset_ms,
            ..StreamSummary::default()
        });
    }
    let Some(stream) = stream_mut(summary, batch.stream) else { return };
    stream.start_ms = stream.start_ms.min(earliest);
    stream.end_ms = stream.end_ms.max(latest);
    stream.next_seq = stream.next_seq.max(batch.seq + 1);
    stream.seen += u64::from(!batch.completes);
    stream.clock_skewed |= skewed;
}

fn stream_mut(summary: &mut SessionSummary, stream: StreamId) -> Option<&mut StreamSummary> {
    summary.streams.iter_mut().find(|known| known.stream[..] == stream.0)
}

fn fold_fact(summary: &mut SessionSummary, stream: StreamId, fact: &Fact) {
    let counts = summary.counts.get_or_insert_default();
    counts.events += 1;
    if let Some(issue) = fact.what.occurrence().and_then(Occurrence::issue) {
        note(&mut summary.issues, &issue.to_string(), MAX_ISSUES);
    }
    match &fact.what {
        What::Error(_) => counts.errors += 1,
        What::Request { failed, slow, .. } => {
            counts.requests += 1;
            counts.failed_requests += u64::from(*failed);
            counts.slow_requests += u64::from(*slow);
        }
        What::Console { error } => counts.console_errors += u64::from(*error),
        What::Click => counts.clicks += 1,
        What::RageClick => counts.rage_clicks += 1,
        What::DeadClick => counts.dead_clicks += 1,
        What::Custom { name } => {
            counts.custom_events += 1;
            note(&mut summary.custom_event_names, cut(name, MAX_NAME_BYTES), MAX_NAMES);
        }
        What::Navigation { url } => {
            counts.navigations += 1;
            visit(summary, url, fact.time_ms);
        }
        What::Page(page) => fold_page(summary, stream, page, fact.time_ms),
        What::Identify(user) => identify(summary, user),
        What::Gap(gap) => note_gap(summary, stream, gap),
        What::Degraded { reason } => {
            note(&mut summary.recorder_problems, cut(reason, MAX_NAME_BYTES), MAX_PROBLEMS)
        }
        What::End { reason } => cut(reason, MAX_NAME_BYTES).clone_into(&mut summary.ended_reason),
        What::Span(_) | What::Other => {}
    }
}

fn note(list: &mut Vec<String>, value: &str, limit: usize) {
    if !value.is_empty() && list.len() < limit && !list.iter().any(|known| known == value) {
        list.push(value.to_owned());
    }
}

fn visit(summary: &mut SessionSummary, url: &str, time_ms: i64) {
    let url = cut(url, MAX_URL_BYTES);
    if url.is_empty() {
        return;
    }
    // The page signal and the navigation that led to it tell of one visit.
    let again = summary.exit_page == url && (time_ms - summary.exit_page_ms).abs() < 1_000;
    summary.page_count += u64::from(!again);
    note(&mut summary.pages, url, MAX_PAGES);
    if time_ms >= summary.exit_page_ms {
        summary.exit_page_ms = time_ms;
        url.clone_into(&mut summary.exit_page);
    }
}

fn fold_page(summary: &mut SessionSummary, stream: StreamId, page: &Page, time_ms: i64) {
    visit(summary, &page.url, time_ms);
    if let Some(known) = stream_mut(summary, stream) {
        cut(&page.url, MAX_STREAM_URL_BYTES).clone_into(&mut known.url);
        (known.viewport_width, known.viewport_height) = (page.viewport_width, page.viewport_height);
    }
    if !page.release.is_empty() {
        cut(&page.release, MAX_NAME_BYTES).clone_into(&mut summary.release);
    }
    if !page.environment.is_empty() {
        cut(&page.environment, MAX_NAME_BYTES).clone_into(&mut summary.environment);
    }
    let known = summary.client.get_or_insert_default();
    // The first page that tells anything describes the browser; place and address came with the first batch.
    if known.sdk.is_empty() {
        let (country, ip) = (std::mem::take(&mut known.country), std::mem::take(&mut known.ip));
        *known = crate::row::Client { country, ip, ..page.client.clone() };
    }
}

fn identify(summary: &mut SessionSummary, user: &User) {
    let known = summary.user.get_or_insert_default();
    if !user.id.is_empty() {
        cut(&user.id, MAX_NAME_BYTES).clone_into(&mut known.id);
    }
    if !user.email.is_empty() {
        cut(&user.email, MAX_NAME_BYTES).clone_into(&mut known.email);
    }
    if !user.traits.is_empty() && user.traits.len() <= MAX_TRAITS_BYTES {
        known.traits.clone_from(&user.traits);
    }
}

fn note_gap(summary: &mut SessionSummary, stream: StreamId, gap: &crate::row::Gap) {
    let total: usize = summary.streams.iter().map(|known| known.gaps.len()).sum();
    if let Some(known) = stream_mut(summary, stream)
        && known.gaps.len() < MAX_GAPS_PER_STREAM
        && total < MAX_GAPS
    {
        known.gaps.push(gap.clone());
    }
}
