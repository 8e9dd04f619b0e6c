//! A virtual browser: one session, one stream, batches whose content says which batch it came from.

use std::io::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::{Compression, write::ZlibEncoder};
use rand::Rng;
use serde_json::{Value, json};

/// Dom events in every batch after the key frame.
const DOM_EVENTS_PER_BATCH: u64 = 6;
/// Every so many batches carry an error, and every so many a failed request.
const ERROR_EVERY: u64 = 5;
const FAILED_REQUEST_EVERY: u64 = 3;
/// Every so many batches start with a key frame.
const KEY_FRAME_EVERY: u64 = 8;

/// One session as its browser knows it.
pub(crate) struct Browser {
    pub(crate) session: String,
    pub(crate) stream: String,
    next_seq: u64,
    started_ms: f64,
    /// How far this browser's clock is ahead of ours.
    clock_ahead_ms: f64,
    /// Bytes that hardly compress in every batch, for browsers that send much.
    padding_bytes: usize,
}

/// A batch ready to send; the header is made anew for every attempt.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) seq: u64,
    header: Value,
    // Shared by copies, as bodies may be large.
    signals: Arc<[u8]>,
    dom: Arc<[u8]>,
    clock_ahead_ms: f64,
}

/// What the read model must show of a session: one entry for each batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) errors: u64,
    pub(crate) failed_requests: u64,
}

impl Expected {
    /// What the batches `0..batches` contain.
    pub(crate) const fn of(batches: u64) -> Self {
        Self {
            errors: batches.div_ceil(ERROR_EVERY),
            failed_requests: batches.div_ceil(FAILED_REQUEST_EVERY),
        }
    }
}

/// The marks that dom events of batch `seq` carry.
pub(crate) fn dom_marks(seq: u64) -> impl Iterator<Item = String> {
    (0..DOM_EVENTS_PER_BATCH).map(move |n| format!("mark-{seq}-{n}"))
}

/// Who the page of a session says its user is: everyone has a session of their own.
pub(crate) fn user_of(session: &str) -> String {
    format!("user-{}", &session[..12])
}

pub(crate) fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
}

impl Browser {
    /// Ids are never repeated; what it does follows from `random`.
    pub(crate) fn new(random: &mut impl Rng, padding_bytes: usize) -> Self {
        let clock_ahead_ms = if random.random_bool(0.2) { random.random_range(-7e6..7e6) } else { 0.0 };
        Self {
            session: hex(&rand::rng().random::<[u8; 16]>()),
            stream: hex(&rand::rng().random::<[u8; 8]>()),
            next_seq: 0,
            started_ms: now_ms() + clock_ahead_ms,
            clock_ahead_ms,
            padding_bytes,
        }
    }

    /// How many batches it has made.
    pub(crate) const fn batches(&self) -> u64 {
        self.next_seq
    }

    /// The next batch: what happened since the last one.
    pub(crate) fn next_batch(&mut self) -> anyhow::Result<Batch> {
        let seq = self.next_seq;
        self.next_seq += 1;
        let to = now_ms() + self.clock_ahead_ms;
        let from = (to - 900.0).max(self.started_ms);
        let (signals, dom) = (signals(seq, from, &self.session), dom(seq, from, self.padding_bytes));
        let (signals_raw, dom_raw, key) = (signals.len(), dom.len(), seq.is_multiple_of(KEY_FRAME_EVERY));
        let (signals, dom): (Arc<[u8]>, Arc<[u8]>) = (deflate(&signals)?.into(), deflate(&dom)?.into());
        let header = json!({
            "v": 1, "session": self.session, "stream": self.stream, "seq": seq, "tab": 1, "from": from, "to": to,
            "signals": {"len": signals.len(), "raw": signals_raw, "enc": "deflate"},
            "dom": {"len": dom.len(), "raw": dom_raw, "enc": "deflate", "key": key, "events": DOM_EVENTS_PER_BATCH},
            "rates": {"dom": 1, "dom_on_error": 1, "signals": 1}, "sampled": true,
        });
        Ok(Batch { seq, header, signals, dom, clock_ahead_ms: self.clock_ahead_ms })
    }
}

impl Batch {
    /// The same content as the first batch of another session.
    pub(crate) fn for_another_session(&self) -> (String, String, Self) {
        let session = hex(&rand::rng().random::<[u8; 16]>());
        let stream = hex(&rand::rng().random::<[u8; 8]>());
        let mut header = self.header.clone();
        (header["session"], header["stream"]) = (session.clone().into(), stream.clone().into());
        (session, stream, Self { header, ..self.clone() })
    }

    /// The body of one attempt.
    pub(crate) fn body(&self, public_key: &str) -> anyhow::Result<Vec<u8>> {
        let mut header = self.header.clone();
        header["key"] = public_key.into();
        header["sent"] = (now_ms() + self.clock_ahead_ms).into();
        let mut body = serde_json::to_vec(&header)?;
        body.push(b'\n');
        body.extend_from_slice(&self.signals);
        body.extend_from_slice(&self.dom);
        Ok(body)
    }
}

/// The signals of batch `seq`, as lines.
pub(crate) fn signals(seq: u64, at: f64, session: &str) -> Vec<u8> {
    let mut lines = Vec::new();
    if seq == 0 {
        lines.push(json!({"k": "page", "t": at, "url": "http://shop.example/checkout?step=1", "title": "Checkout", "screen": [1440, 900],
            "viewport": [1280, 720], "dpr": 2, "language": "en", "time_zone": "Europe/Lisbon", "sdk": "loadtest", "visibility": "visible",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"}));
        lines.push(json!({"k": "identify", "t": at, "id": user_of(session)}));
    }
    lines.push(json!({"k": "custom", "t": at + 1.0, "name": "batch", "properties": {"seq": seq}}));
    if seq.is_multiple_of(ERROR_EVERY) {
        lines.push(json!({"k": "error", "t": at + 2.0, "id": format!("{seq:016x}"), "type": "TypeError", "mechanism": "uncaught",
            "message": format!("order {seq} is undefined"), "handled": false,
            "stack": "TypeError: order is undefined\n    at pay (http://shop.example/app.js:10:5)"}));
    }
    if seq.is_multiple_of(FAILED_REQUEST_EVERY) {
        lines.push(json!({"k": "request", "t": at + 3.0, "id": format!("{seq:016x}"), "api": "fetch", "method": "POST", "outcome": "http_error",
            "url": "http://shop.example/api/orders", "status": 502, "duration_ms": 41.5}));
    }
    ndjson(&lines)
}

/// The dom events of batch `seq`, as lines.
pub(crate) fn dom(seq: u64, at: f64, padding_bytes: usize) -> Vec<u8> {
    let mut lines = Vec::new();
    if seq.is_multiple_of(KEY_FRAME_EVERY) {
        lines.push(json!({"type": 4, "timestamp": at, "data": {"href": "http://shop.example/checkout", "width": 1280, "height": 720}}));
        lines.push(json!({"type": 2, "timestamp": at, "data": {"initialOffset": {"top": 0, "left": 0}, "node":
            {"type": 0, "id": 1, "childNodes": [{"type": 2, "id": 2, "tagName": "html", "attributes": {}, "childNodes":
                [{"type": 2, "id": 3, "tagName": "body", "attributes": {}, "childNodes": [{"type": 3, "id": 4, "textContent": "shop"}]}]}]}}}));
    }
    for (n, mark) in dom_marks(seq).enumerate() {
        lines.push(json!({"type": 3, "timestamp": at + 10.0 + n as f64, "data": {"source": 0, "texts": [{"id": 4, "value": mark}],
            "attributes": [], "removes": [], "adds": []}}));
    }
    if padding_bytes > 0 {
        let payload = hex(&(0..padding_bytes).map(|_| rand::rng().random()).collect::<Vec<u8>>());
        lines
            .push(json!({"type": 5, "timestamp": at + 20.0, "data": {"tag": "padding", "payload": payload}}));
    }
    ndjson(&lines)
}

fn ndjson(lines: &[Value]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

pub(crate) fn deflate(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
