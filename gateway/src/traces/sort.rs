//! An export, read span by span and sorted by session. Nothing of it is held but the bytes that came and the lines that are kept.

use std::collections::BTreeMap;
use std::io::Read;

use playhead_domain::id::SessionId;
use playhead_proto::limits;
use playhead_proto::span::{Lines, session_of};

use super::answer::Encoding;
use super::source::Source;
use super::{json, protobuf, shape};
use crate::body::Charged;
use crate::budget::Permit;
use crate::error::ApiError;

const CHUNK_BYTES: usize = 256 << 10;

/// What became of an export's spans.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) kept: u64,
    /// Their trace's state names no session.
    pub(crate) without_session: u64,
    pub(crate) malformed: u64,
    pub(crate) too_large: u64,
    /// Beyond as many as are looked at.
    pub(crate) over_limit: u64,
    pub(crate) session_over_quota: u64,
}

impl Outcome {
    /// Those that were refused. A span without a session is none of them: nothing is wrong with it.
    pub(crate) const fn rejected(&self) -> u64 {
        self.malformed + self.too_large + self.over_limit + self.session_over_quota
    }

    /// By a name for the metrics.
    pub(crate) const fn by_name(&self) -> [(&'static str, u64); 6] {
        [
            ("kept", self.kept),
            ("without_session", self.without_session),
            ("malformed", self.malformed),
            ("too_large", self.too_large),
            ("over_limit", self.over_limit),
            ("session_over_quota", self.session_over_quota),
        ]
    }

    /// What was not kept, and why.
    pub(super) fn message(&self) -> Option<String> {
        let reasons = [
            (
                self.without_session,
                "carry no session (tracestate playhead=…), so there is no replay to show them in".to_owned(),
            ),
            (self.malformed, "cannot be read: check ids, name and times".to_owned()),
            (self.too_large, format!("are over {} bytes", limits::MAX_SPAN_BYTES)),
            (self.over_limit, format!("are beyond the {} of one export", limits::MAX_SPANS_PER_EXPORT)),
            (self.session_over_quota, "are of a session that sends more than one may".to_owned()),
        ];
        let told = reasons.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = told.map(|(count, reason)| format!("{count} spans {reason}")).collect();
        (!told.is_empty()).then(|| format!("not kept: {}", told.join("; ")))
    }
}

/// Spans by session, each session's in pieces that make a batch.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) outcome: Outcome,
    pub(crate) sessions: Vec<(SessionId, Lines)>,
}

/// A span of an export, not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    Protobuf(&'a [u8]),
    Json(&'a str),
}

impl Raw<'_> {
    const fn len(&self) -> usize {
        match self {
            Self::Protobuf(bytes) => bytes.len(),
            Self::Json(text) => text.len(),
        }
    }

    fn read(&self) -> Option<protobuf::Span> {
        match self {
            Self::Protobuf(bytes) => protobuf::read_span(bytes),
            Self::Json(text) => json::read_span(text),
        }
    }
}

#[derive(Debug, Default)]
struct Sorter {
    outcome: Outcome,
    seen: usize,
    under_way: BTreeMap<SessionId, Lines>,
    done: Vec<(SessionId, Lines)>,
}

impl Sorter {
    fn take(&mut self, source: &Source, raw: Raw<'_>) {
        self.seen += 1;
        if self.seen > limits::MAX_SPANS_PER_EXPORT {
            self.outcome.over_limit += 1;
        } else if raw.len() > limits::MAX_SPAN_BYTES {
            self.outcome.too_large += 1;
        } else if let Some(span) = raw.read() {
            self.add(source, &span);
        } else {
            self.outcome.malformed += 1;
        }
    }

    fn add(&mut self, source: &Source, given: &protobuf::Span) {
        let Some(span) = shape::shape(source, given) else {
            self.outcome.malformed += 1;
            return;
        };
        let Some(session) = session_of(&given.trace_state) else {
            self.outcome.without_session += 1;
            return;
        };
        let lines = self.under_way.entry(session).or_default();
        match lines.push(&span) {
            Ok(false) => {}
            Ok(true) => self.done.extend(self.under_way.remove(&session).map(|lines| (session, lines))),
            Err(_) => self.outcome.malformed += 1,
        }
    }
}

/// Inflates, reads and sorts an export, and gives back the permit, which covers what was inflated, too.
///
/// # Errors
/// The export as a whole cannot be read, or there is no room for it.
pub(super) fn sort(
    charged: Charged,
    encoding: Encoding,
    is_gzip: bool,
    retry_after_s: u32,
) -> Result<(Sorted, Permit), ApiError> {
    let Charged { bytes, mut permit } = charged;
    let inflated;
    let body = if is_gzip {
        inflated = inflate(&bytes, &mut permit, retry_after_s)?;
        &inflated[..]
    } else {
        &bytes[..]
    };
    let mut sorter = Sorter::default();
    let take = &mut |source: &Source, raw: Raw<'_>| sorter.take(source, raw);
    match encoding {
        Encoding::Protobuf => protobuf::for_each_span(body, take)?,
        Encoding::Json => json::for_each_span(body, take)?,
    }
    let Sorter { outcome, under_way, mut done, .. } = sorter;
    // A session whose spans all failed to be written has none.
    done.extend(under_way.into_iter().filter(|(_, lines)| lines.count > 0));
    Ok((Sorted { outcome, sessions: done }, permit))
}

/// Never more than the limit, each piece charged before it is kept.
fn inflate(bytes: &[u8], permit: &mut Permit, retry_after_s: u32) -> Result<Vec<u8>, ApiError> {
    let limit = limits::MAX_EXPORT_RAW_BYTES;
    let mut decoder = flate2::bufread::MultiGzDecoder::new(bytes).take(limit as u64 + 1);
    let mut inflated = Vec::new();
    loop {
        permit.grow(CHUNK_BYTES).map_err(|_| ApiError::TooBusy { retry_after_s })?;
        let more = (&mut decoder).take(CHUNK_BYTES as u64).read_to_end(&mut inflated);
        let more = more.map_err(|error| ApiError::BadExport(format!("does not inflate as gzip: {error}")))?;
        if inflated.len() > limit {
            return Err(ApiError::TooLarge { limit_bytes: limit });
        }
        if more < CHUNK_BYTES {
            return Ok(inflated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use proptest::prelude::*;
    use prost::Message;

    /// What became of the spans, and how many are kept.
    fn read(body: &[u8], encoding: Encoding) -> Option<(Outcome, usize)> {
        let mut sorter = Sorter::default();
        let take = &mut |source: &Source, raw: Raw<'_>| sorter.take(source, raw);
        match encoding {
            Encoding::Protobuf => protobuf::for_each_span(body, take).ok()?,
            Encoding::Json => json::for_each_span(body, take).ok()?,
        }
        Some((sorter.outcome, sorter.under_way.values().map(|lines| lines.count).sum()))
    }

    fn good() -> Vec<u8> {
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            trace_state: "playhead=00112233445566778899aabbccddeeff".to_owned(),
            name: "GET".to_owned(),
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            ..Span::default()
        };
        let spans = vec![span.clone(), span];
        let resource_spans = vec![ResourceSpans {
            resource: Some(Resource::default()),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    const GOOD_JSON: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"x"}}]},
        "scopeSpans":[{"spans":[{"traceId":"01","name":"GET","kind":2,"startTimeUnixNano":"1","attributes":[]}]}]}]}"#;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_panic(bytes: Vec<u8>, text: String) {
            let _ = read(&bytes, Encoding::Protobuf);
            let _ = read(&bytes, Encoding::Json);
            let _ = read(text.as_bytes(), Encoding::Json);
        }

        #[test]
        fn a_damaged_export_is_read_or_refused_without_panic(at: prop::sample::Index, with: u8) {
            let (mut bytes, mut text) = (good(), GOOD_JSON.as_bytes().to_vec());
            prop_assert_eq!(read(&bytes, Encoding::Protobuf).map(|(_, spans)| spans), Some(2));
            prop_assert_eq!(read(&text, Encoding::Json).map(|(outcome, _)| outcome.malformed), Some(1));
            let (byte, character) = (at.index(bytes.len()), at.index(text.len()));
            (bytes[byte], text[character]) = (with, with);
            let _ = read(&bytes, Encoding::Protobuf);
            let _ = read(&text, Encoding::Json);
        }
    }
}
