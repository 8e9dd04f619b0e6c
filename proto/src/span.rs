//! Spans that a session's backend exported, as batches of signals.
//!
//! Such a batch is named by its content: an export that is sent again gives the same batch, whose rows replace those of the first.

use std::borrow::Cow;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use playhead_domain::id::{SessionId, StreamId};
use serde::Serialize;
use serde_json::json;

use crate::batch::VERSION;
use crate::limits;

/// Its kind as a signal.
pub const KIND: &str = "span";
/// The member of a trace's state ("tracestate") that names the session.
pub const TRACE_STATE_KEY: &str = "playhead";

/// A span as a signal. Absent means unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "k", rename = "span")]
pub struct Span<'a> {
    /// When it began by the backend's clock, milliseconds of the Unix epoch.
    pub t: f64,
    pub trace_id: String,
    pub span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    pub name: Cow<'a, str>,
    /// `internal`, `server`, `client`, `producer`, `consumer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub service: Cow<'a, str>,
    /// Which of the service's processes: see [`instance`].
    #[serde(skip_serializing_if = "str::is_empty")]
    pub instance: Cow<'a, str>,
    pub duration_ms: f64,
    /// `ok` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub status_message: Cow<'a, str>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// The session that a trace's state names: the member `playhead`.
#[must_use]
pub fn session_of(trace_state: &str) -> Option<SessionId> {
    let members = trace_state.split(',').filter_map(|member| member.trim().split_once('='));
    members.filter(|(key, _)| *key == TRACE_STATE_KEY).find_map(|(_, id)| id.trim().parse().ok())
}

/// A name for a process by what it says of itself, which tells nothing of its host; empty when it says nothing.
pub fn instance(told: impl IntoIterator<Item = String>) -> String {
    let told: Vec<String> = told.into_iter().collect();
    if told.is_empty() {
        return String::new();
    }
    blake3::hash(told.join("\n").as_bytes()).to_hex()[..16].to_owned()
}

/// Lines of one session's spans, collected until they are a batch.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    from_ms: f64,
    to_ms: f64,
    pub count: usize,
}

impl Lines {
    /// Adds a span. Returns whether that is enough for a batch.
    ///
    /// # Errors
    /// A number that JSON does not know.
    pub fn push(&mut self, span: &Span<'_>) -> Result<bool, serde_json::Error> {
        let start = self.bytes.len();
        if let Err(error) = serde_json::to_writer(&mut self.bytes, span) {
            self.bytes.truncate(start);
            return Err(error);
        }
        self.bytes.push(b'\n');
        let end_ms = span.t + span.duration_ms;
        let is_first = self.count == 0;
        self.from_ms = if is_first { span.t } else { self.from_ms.min(span.t) };
        self.to_ms = if is_first { end_ms } else { self.to_ms.max(end_ms) };
        self.count += 1;
        Ok(self.bytes.len() >= limits::SPAN_BATCH_BYTES || self.count >= limits::MAX_SIGNALS_PER_BATCH)
    }

    /// The body of a batch with these lines.
    ///
    /// # Errors
    /// Those of writing into memory.
    pub fn into_body(self, session: SessionId, received_ms: i64) -> std::io::Result<Bytes> {
        let (stream, seq) = name_of(&self.bytes);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.bytes)?;
        let deflated = encoder.finish()?;
        let header = json!({
            "v": VERSION, "session": session, "stream": stream, "seq": seq, "sent": received_ms,
            "from": self.from_ms.max(0.0), "to": self.to_ms.max(0.0),
            "signals": {"len": deflated.len(), "raw": self.bytes.len(), "enc": "deflate"},
        });
        let mut body = header.to_string().into_bytes();
        body.push(b'\n');
        body.extend(deflated);
        Ok(body.into())
    }
}

fn name_of(lines: &[u8]) -> (StreamId, u64) {
    let hash = blake3::hash(lines);
    let mut stream = [0; 8];
    stream.copy_from_slice(&hash.as_bytes()[..8]);
    let mut seq = [0; 4];
    seq.copy_from_slice(&hash.as_bytes()[8..12]);
    (StreamId(stream), u32::from_be_bytes(seq).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{frames, header_len, parse_header};
    use crate::frame::inflate;
    use crate::signal::Signal;

    const SESSION: &str = "00112233445566778899aabbccddeeff";

    fn span(name: &str) -> Span<'_> {
        Span {
            t: 1_767_225_600_000.25,
            trace_id: "a".repeat(32),
            span_id: "b".repeat(16),
            name: name.into(),
            duration_ms: 12.5,
            ..Span::default()
        }
    }

    #[test]
    fn a_state_names_the_session_or_none() {
        let id: SessionId = SESSION.parse().unwrap();
        assert_eq!(session_of(&format!("playhead={SESSION}")), Some(id));
        assert_eq!(session_of(&format!("dd=s:1,\t playhead={SESSION} ,x=y")), Some(id));
        for other in
            ["", "playhead", "playhead=", "playhead=XYZ", "notplayhead=00112233445566778899aabbccddeeff"]
        {
            assert_eq!(session_of(other), None, "{other}");
        }
    }

    #[test]
    fn spans_are_a_batch_that_reads_back() {
        let mut lines = Lines::default();
        lines.push(&span("GET /\n\"</script>")).unwrap();
        lines.push(&span("SELECT")).unwrap();
        let body = lines.into_body(SESSION.parse().unwrap(), 1_767_225_601_000).unwrap();
        let length = header_len(&body).unwrap();
        let header = parse_header(&body[..length], body.len()).unwrap();
        let raw = inflate(&frames(&body, length, &header).0, header.signals.enc, header.signals.raw).unwrap();
        let read: Vec<Signal> = raw
            .split(|&b| b == b'\n')
            .filter(|line| !line.is_empty())
            .map(|l| Signal::parse(l).unwrap())
            .collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].kind.as_str(), read[0].text("name")), (KIND, "GET /\n\"</script>"));
        assert!(!read[0].data.contains_key("parent_id") && !read[0].data.contains_key("attributes"));
    }

    #[test]
    fn the_same_spans_have_the_same_name_whenever_they_come() {
        let named = |name: &str, received_ms| {
            let mut lines = Lines::default();
            lines.push(&span(name)).unwrap();
            let body = lines.into_body(SESSION.parse().unwrap(), received_ms).unwrap();
            let header = parse_header(&body[..header_len(&body).unwrap()], body.len()).unwrap();
            (header.stream, header.seq)
        };
        assert_eq!(named("one", 1), named("one", 2));
        assert_ne!(named("one", 1), named("two", 1));
    }
}
