//! OTLP's messages in protobuf, as far as they are kept: field numbers of `opentelemetry/proto/trace/v1/trace.proto`.
//!
//! Resources and scopes are walked through in place, and spans decoded one at a time. Decoded whole, an export of empty messages (two
//! bytes each) would take a hundred times its size in memory.

use playhead_proto::limits;
use prost::{Message, Oneof};

use super::sort::Raw;
use super::source::Source;
use crate::error::ApiError;

/// A span, without its links, its events and what of it is lost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Span {
    pub(super) trace_id: Vec<u8>,
    pub(super) span_id: Vec<u8>,
    pub(super) parent_span_id: Vec<u8>,
    pub(super) trace_state: String,
    pub(super) name: String,
    pub(super) kind: i32,
    pub(super) start_time_unix_nano: u64,
    pub(super) end_time_unix_nano: u64,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) status: Option<Status>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) message: String,
    pub(super) code: i32,
}

/// As it comes. Texts need not be UTF-8, and attributes nothing that is known: what is odd about one is no reason to lose the span.
#[derive(Clone, PartialEq, Eq, Message)]
struct WireSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    trace_state: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    name: Vec<u8>,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(bytes = "vec", repeated, tag = "9")]
    attributes: Vec<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "15")]
    status: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct WireStatus {
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

/// Lists, maps and bytes are not read: nothing that is kept has such a value, and so there is nothing to nest.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyValue {
    #[prost(oneof = "Scalar", tags = "1, 2, 3, 4")]
    pub(super) value: Option<Scalar>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Scalar {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Flag(bool),
    #[prost(int64, tag = "3")]
    Integer(i64),
    #[prost(double, tag = "4")]
    Number(f64),
}

pub(super) fn read_span(bytes: &[u8]) -> Option<Span> {
    let wire = WireSpan::decode(bytes).ok()?;
    let status = wire.status.and_then(|status| WireStatus::decode(&status[..]).ok());
    Some(Span {
        trace_id: wire.trace_id,
        span_id: wire.span_id,
        parent_span_id: wire.parent_span_id,
        trace_state: text(&wire.trace_state),
        name: text(&wire.name),
        kind: wire.kind,
        start_time_unix_nano: wire.start_time_unix_nano,
        end_time_unix_nano: wire.end_time_unix_nano,
        attributes: readable(wire.attributes.iter().map(Vec::as_slice)),
        status: status.map(|WireStatus { message, code }| Status { message: text(&message), code }),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Those that can be read.
fn readable<'a>(attributes: impl Iterator<Item = &'a [u8]>) -> Vec<KeyValue> {
    attributes.filter_map(|attribute| KeyValue::decode(attribute).ok()).collect()
}

fn source(resource: &[u8]) -> Source {
    if resource.len() > limits::MAX_SPAN_BYTES {
        return Source::default();
    }
    // What comes after a field that cannot be told apart is not read.
    Source::of(&readable(fields(resource, 1).map_while(Result::ok)))
}

/// Tells `take` of every span, with whose it is.
///
/// # Errors
/// [`ApiError::BadExport`].
pub(super) fn for_each_span(export: &[u8], take: &mut impl FnMut(&Source, Raw<'_>)) -> Result<(), ApiError> {
    for resource_spans in fields(export, 1) {
        let resource_spans = resource_spans?;
        let resource = fields(resource_spans, 1).last().transpose()?.unwrap_or_default();
        let source = source(resource);
        for scope_spans in fields(resource_spans, 2) {
            for span in fields(scope_spans?, 2) {
                take(&source, Raw::Protobuf(span?));
            }
        }
    }
    Ok(())
}

fn malformed() -> ApiError {
    ApiError::BadExport("not an ExportTraceServiceRequest in protobuf".to_owned())
}

/// The length-delimited fields of that number in a message, in place.
fn fields(message: &[u8], number: u64) -> impl Iterator<Item = Result<&[u8], ApiError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            match next_field(&mut rest) {
                Some((found, Some(content))) if found == number => return Some(Ok(content)),
                Some(_) => {}
                None => {
                    rest = &[];
                    return Some(Err(malformed()));
                }
            }
        }
        None
    })
}

/// A field's number, and its content if it is length-delimited.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let content = match key & 7 {
        0 => {
            varint(rest)?;
            None
        }
        1 => {
            rest.split_off(..8)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Some(rest.split_off(..length)?)
        }
        5 => {
            rest.split_off(..4)?;
            None
        }
        // Groups are long gone.
        _ => return None,
    };
    Some((key >> 3, content))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 127) << (7 * place).min(63);
        if byte < 128 {
            return Some(value);
        }
    }
    None
}
