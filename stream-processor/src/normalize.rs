//! Signals of a batch, read once: into the lines that are stored and the facts that are folded.

use playhead_domain::row::{Gap, PageVisit, User};
use playhead_domain::session::fact::{Fact, Page, What};
use playhead_domain::session::fold::{self, cut};
use playhead_domain::session::span::Told;
use playhead_proto::signal::Signal;
use playhead_proto::{limits, span};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::batch::Batch;
use crate::client;
use crate::measured;
use crate::occurrence::{self, InForce};

const MAX_TEXT_BYTES: usize = 512;

/// What came out of a batch's signals.
#[derive(Debug, Default)]
pub(crate) struct Normalized {
    /// NDJSON of [`Line`]s.
    pub(crate) lines: Vec<u8>,
    pub(crate) events: u32,
    /// One per line.
    pub(crate) facts: Vec<Fact>,
    /// What had to be left out.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) dropped: u64,
    pub(crate) impossible_times: bool,
    /// Where the visitor was, in the order of the lines.
    pub(crate) visits: Vec<PageVisit>,
    /// Of the document.
    pub(crate) release: String,
}

/// A stored event.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    time: i64,
    kind: &'a str,
    data: &'a Map<String, Value>,
}

/// What a project and a stream say of how signals are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The stream's clock offset.
    pub(crate) offset_ms: f64,
    /// Requests that take as long or longer are slow.
    pub(crate) slow_request_ms: f64,
    /// What decides about issues.
    pub(crate) in_force: &'a InForce<'a>,
    /// Of the document, as far as it is known before the batch.
    pub(crate) release: &'a str,
    /// Where the visitor was in the document before the batch.
    pub(crate) visits: &'a [PageVisit],
    /// Where a visitor of whom that is not known was last.
    pub(crate) page_url: &'a str,
}

/// Reads inflated signals.
pub(crate) fn normalize(batch: &Batch, raw: &[u8], reading: Reading<'_>) -> Normalized {
    let (visits, release) = (reading.visits.to_vec(), reading.release.to_owned());
    let mut normalized = Normalized { visits, release, ..Normalized::default() };
    let lines = raw.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    for (index, line) in lines.enumerate() {
        if index >= limits::MAX_SIGNALS_PER_BATCH {
            normalized.dropped += 1;
            continue;
        }
        match Signal::parse(line) {
            // Spans are told by backends, and nothing else is.
            Ok(signal) if (signal.kind == span::KIND) != batch.meta.backend => normalized.dropped += 1,
            Ok(signal) => normalized.add(batch, index, signal, reading),
            Err(_) => normalized.dropped += 1,
        }
    }
    normalized
}

impl Normalized {
    /// Where the visitor was then: a request that failed is told when it is over, which may be on another page.
    fn page_at(&self, time_ms: i64) -> Option<&str> {
        let before = self.visits.iter().filter(|visit| visit.time_ms <= time_ms);
        let visit = before.max_by_key(|visit| visit.time_ms).or_else(|| self.visits.first());
        visit.map(|visit| visit.url.as_str())
    }

    fn add(&mut self, batch: &Batch, index: usize, mut signal: Signal, reading: Reading<'_>) {
        let (time, is_possible) = batch.server_time(signal.time, reading.offset_ms);
        // However wrong the clock of a backend is: by it, its spans are as far apart as they were.
        if signal.kind == span::KIND {
            signal.data.insert("start_ms".to_owned(), json!(signal.time));
        }
        let is_whole = mend_durations(&mut signal.data);
        if !is_possible || !is_whole {
            self.impossible_times = true;
            signal.data.insert("clamped".to_owned(), Value::Bool(true));
        }
        if matches!(signal.kind.as_str(), "page" | "navigation") {
            self.visits.push(PageVisit { time_ms: time, url: without_query(signal.text("url")).to_owned() });
        }
        if signal.kind == "page" && !signal.text("release").is_empty() {
            fold::release_name(signal.text("release")).clone_into(&mut self.release);
        }
        let page_url = self.page_at(time).unwrap_or(reading.page_url);
        let reading = Reading { page_url, release: &self.release, ..reading };
        let mut what = detect(batch, &mut signal, reading);
        let measured = measured::measured(&signal, page_url, index);
        if let Some(occurrence) = what.occurrence_mut() {
            occurrence.index = u32::try_from(index).unwrap_or(u32::MAX);
        }
        let line = Line {
            id: format!("{}-{}-{index}", batch.stream, batch.seq),
            time,
            kind: &signal.kind,
            data: &signal.data,
        };
        // Writing JSON of JSON into memory does not fail; if it did, the line would be one that was dropped.
        let start = self.lines.len();
        if serde_json::to_writer(&mut self.lines, &line).is_err() {
            self.lines.truncate(start);
            self.dropped += 1;
            return;
        }
        self.lines.push(b'\n');
        self.events += 1;
        self.facts.push(Fact { time_ms: time, what, measured });
    }
}

/// Makes a negative duration 0 and removes negative parts of a timing. Returns whether there was none.
fn mend_durations(data: &mut Map<String, Value>) -> bool {
    let mut is_whole = true;
    let is_negative = |value: &Value| value.as_f64().is_some_and(|number| number < 0.0);
    if let Some(duration) = data.get_mut("duration_ms")
        && is_negative(duration)
    {
        *duration = json!(0);
        is_whole = false;
    }
    if let Some(Value::Object(timing)) = data.get_mut("timing") {
        let before = timing.len();
        timing.retain(|_, value| !is_negative(value));
        is_whole &= timing.len() == before;
    }
    is_whole
}

fn detect(batch: &Batch, signal: &mut Signal, reading: Reading<'_>) -> What {
    match signal.kind.as_str() {
        "page" => What::Page(Box::new(page(signal, &batch.meta.user_agent))),
        "navigation" => What::Navigation { url: without_query(signal.text("url")).to_owned() },
        "error" => {
            let told = (batch.meta.user_agent.as_str(), reading.release);
            What::Error(Box::new(occurrence::detect(told, signal, reading.in_force)))
        }
        "request" => request(&batch.meta.user_agent, signal, reading),
        "console" => What::Console { error: signal.text("level") == "error" },
        "click" => What::Click,
        "rage_click" => What::RageClick,
        "dead_click" => What::DeadClick,
        "custom" => What::Custom { name: text(signal, "name") },
        "identify" => What::Identify(user(signal)),
        "gap" => What::Gap(gap(batch, signal, reading.offset_ms)),
        span::KIND => told(signal).map_or(What::Other, What::Span),
        "degraded" => What::Degraded { reason: text(signal, "reason") },
        "end" => What::End {
            reason: match signal.text("reason") {
                "" => "stop".to_owned(),
                reason => cut(reason, MAX_TEXT_BYTES).to_owned(),
            },
        },
        _ => What::Other,
    }
}

fn told(signal: &Signal) -> Option<Told> {
    let id = |name| playhead_domain::session::span::id(signal.text("trace_id"), signal.text(name));
    Some(Told {
        id: id("span_id")?,
        parent: id("parent_id"),
        is_server: signal.text("role") == "server",
        duration_ms: signal.number("duration_ms")?,
    })
}

fn text(signal: &Signal, name: &str) -> String {
    cut(signal.text(name), MAX_TEXT_BYTES).to_owned()
}

fn request(user_agent: &str, signal: &mut Signal, reading: Reading<'_>) -> What {
    // What is found here, whatever the page sent under these names.
    signal.data.remove("issue");
    signal.data.remove("filtered");
    let failed = measured::failed(signal);
    let slow = signal.number("duration_ms").is_some_and(|duration| duration >= reading.slow_request_ms);
    signal.data.insert("failed".to_owned(), Value::Bool(failed));
    signal.data.insert("slow".to_owned(), Value::Bool(slow));
    let endpoint = measured::name(signal, reading.page_url);
    signal.data.insert("endpoint".to_owned(), Value::String(endpoint));
    let issue = failed
        .then(|| occurrence::detect_request((user_agent, reading.page_url), signal, reading.in_force))
        .flatten();
    What::Request { failed, slow, issue: issue.map(Box::new) }
}

fn page(signal: &Signal, connection_user_agent: &str) -> Page {
    let (viewport_width, viewport_height) = signal.sizes("viewport");
    Page {
        url: without_query(signal.text("url")).to_owned(),
        viewport_width,
        viewport_height,
        release: text(signal, "release"),
        environment: text(signal, "environment"),
        client: client::of_page(signal, connection_user_agent),
    }
}

fn user(signal: &Signal) -> User {
    let traits = signal.data.get("traits").filter(|traits| traits.is_object());
    User {
        id: text(signal, "id"),
        email: text(signal, "email"),
        traits: traits.map(Value::to_string).unwrap_or_default(),
    }
}

fn gap(batch: &Batch, signal: &Signal, offset_ms: f64) -> Gap {
    let time = |name| batch.server_time(signal.number(name).unwrap_or(signal.time), offset_ms).0;
    let (from_ms, to_ms) = (time("from"), time("to"));
    Gap {
        from_ms: from_ms.min(to_ms),
        to_ms: from_ms.max(to_ms),
        reason: text(signal, "reason"),
        frame: match signal.text("frame") {
            "" => "both".to_owned(),
            frame => cut(frame, 16).to_owned(),
        },
    }
}

/// A URL up to its query or fragment.
pub(crate) fn without_query(url: &str) -> &str {
    url.find(['?', '#']).map_or(url, |at| &url[..at])
}
