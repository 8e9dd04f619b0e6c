//! OTLP's messages in protobuf, as far as they are kept: field numbers of `opentelemetry/proto/trace/v1/trace.proto`.
//!
//! Resources and scopes are walked through in place, and spans decoded one at a time. Decoded whole, an export of empty messages (two
//! bytes each) would take a hundred times its size in memory.

use playhead_proto::limits;
use prost::{Message, Oneof};

use super::sort::Raw;
use crate::error::ApiError;

/// A span, without its links, its events and what of it is lost.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(int32, tag = "6")]
    pub(super) kind: i32,
    #[prost(fixed64, tag = "7")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    pub(super) status: Option<Status>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Status {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
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

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

/// The name of the service among a resource's attributes.
pub(super) fn service_of(attributes: &[KeyValue]) -> &str {
    let service = attributes.iter().find(|attribute| attribute.key == "service.name");
    match service.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Scalar::Text(name)) => name,
        _ => "",
    }
}

pub(super) fn read_span(bytes: &[u8]) -> Option<Span> {
    Span::decode(bytes).ok()
}

/// Tells `take` of every span, with the name of its service.
///
/// # Errors
/// [`ApiError::BadExport`].
pub(super) fn for_each_span(export: &[u8], take: &mut impl FnMut(&str, Raw<'_>)) -> Result<(), ApiError> {
    for resource_spans in fields(export, 1) {
        let resource_spans = resource_spans?;
        let resource = fields(resource_spans, 1).last().transpose()?.unwrap_or_default();
        let resource = if resource.len() > limits::MAX_SPAN_BYTES { &[] } else { resource };
        let resource = Resource::decode(resource).map_err(|_| malformed())?;
        let service = service_of(&resource.attributes);
        for scope_spans in fields(resource_spans, 2) {
            for span in fields(scope_spans?, 2) {
                take(service, Raw::Protobuf(span?));
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
