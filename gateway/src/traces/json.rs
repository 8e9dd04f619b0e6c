//! OTLP in JSON: protobuf's JSON, but ids in hexadecimal and enums as numbers
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>). Read in place, one span at a time, as protobuf is.

use std::borrow::Cow;
use std::fmt;

use playhead_proto::limits;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::protobuf::{self, AnyValue, KeyValue, Scalar};
use super::sort::Raw;
use super::source::Source;
use crate::error::ApiError;

/// Tells `take` of every span, with whose it is.
///
/// # Errors
/// [`ApiError::BadExport`].
pub(super) fn for_each_span(export: &[u8], take: &mut impl FnMut(&Source, Raw<'_>)) -> Result<(), ApiError> {
    let text = std::str::from_utf8(export).map_err(|_| malformed("not UTF-8"))?;
    let export: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    let mut walk = || {
        for_each(member(export, "resourceSpans")?, &mut |resource_spans| {
            let resource = member(resource_spans, "resource")?;
            let source = resource.map(source).unwrap_or_default();
            for_each(member(resource_spans, "scopeSpans")?, &mut |scope_spans| {
                for_each(member(scope_spans, "spans")?, &mut |span| {
                    take(&source, Raw::Json(span.get()));
                    Ok(())
                })
            })
        })
    };
    walk().map_err(malformed)
}

fn malformed(error: impl fmt::Display) -> ApiError {
    ApiError::BadExport(format!("not an ExportTraceServiceRequest in JSON: {error}"))
}

fn source(resource: &RawValue) -> Source {
    #[derive(Default, Deserialize)]
    struct Resource {
        #[serde(default, deserialize_with = "attributes")]
        attributes: Vec<KeyValue>,
    }
    if resource.get().len() > limits::MAX_SPAN_BYTES {
        return Source::default();
    }
    let resource: Resource = serde_json::from_str(resource.get()).unwrap_or_default();
    Source::of(&resource.attributes)
}

pub(super) fn read_span(text: &str) -> Option<protobuf::Span> {
    serde_json::from_str::<JsonSpan>(text).ok()?.read()
}

/// `null` is what is absent, and so is what has another form than it should: it is no reason to lose the span.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonSpan {
    #[serde(deserialize_with = "readable")]
    trace_id: String,
    #[serde(deserialize_with = "readable")]
    span_id: String,
    #[serde(deserialize_with = "readable")]
    parent_span_id: String,
    #[serde(deserialize_with = "readable")]
    trace_state: String,
    #[serde(deserialize_with = "readable")]
    name: String,
    #[serde(deserialize_with = "readable")]
    kind: i32,
    #[serde(deserialize_with = "readable")]
    start_time_unix_nano: Integer<u64>,
    #[serde(deserialize_with = "readable")]
    end_time_unix_nano: Integer<u64>,
    #[serde(deserialize_with = "attributes")]
    attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "readable")]
    status: JsonStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonStatus {
    #[serde(deserialize_with = "readable")]
    message: String,
    #[serde(deserialize_with = "readable")]
    code: i32,
}

/// Without lists, maps and bytes: nothing that is kept has such a value.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonValue {
    #[serde(deserialize_with = "readable")]
    string_value: Option<String>,
    #[serde(deserialize_with = "readable")]
    bool_value: Option<bool>,
    #[serde(deserialize_with = "readable")]
    int_value: Integer<i64>,
    #[serde(deserialize_with = "readable")]
    double_value: Option<f64>,
}

/// The value, if it has the form that it should.
fn readable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    let raw = <&RawValue>::deserialize(from)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Those that can be read.
fn attributes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<KeyValue>, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Attribute {
        #[serde(deserialize_with = "readable")]
        key: String,
        #[serde(deserialize_with = "readable")]
        value: JsonValue,
    }
    let all: Vec<&RawValue> = readable(from)?;
    let attributes = all.into_iter().filter_map(|raw| serde_json::from_str(raw.get()).ok());
    let read = |Attribute { key, value }| {
        Some(KeyValue { key, value: Some(AnyValue { value: Some(value.read()?) }) })
    };
    Ok(attributes.filter_map(read).collect())
}

/// 64-bit integers are texts in protobuf's JSON; numbers are taken, too.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Integer<T> {
    Number(T),
    Text(String),
    #[default]
    Absent,
}

impl<T: std::str::FromStr> Integer<T> {
    fn read(self) -> Option<T> {
        match self {
            Self::Number(value) => Some(value),
            Self::Text(text) => text.parse().ok(),
            Self::Absent => None,
        }
    }
}

impl JsonValue {
    fn read(self) -> Option<Scalar> {
        let text = self.string_value.map(Scalar::Text);
        let flag = self.bool_value.map(Scalar::Flag);
        let integer = || self.int_value.read().map(Scalar::Integer);
        text.or(flag).or_else(integer).or_else(|| self.double_value.map(Scalar::Number))
    }
}

impl JsonSpan {
    fn read(self) -> Option<protobuf::Span> {
        let JsonStatus { message, code } = self.status;
        Some(protobuf::Span {
            trace_id: hex(&self.trace_id)?,
            span_id: hex(&self.span_id)?,
            parent_span_id: hex(&self.parent_span_id)?,
            trace_state: self.trace_state,
            name: self.name,
            kind: self.kind,
            start_time_unix_nano: self.start_time_unix_nano.read()?,
            end_time_unix_nano: self.end_time_unix_nano.read()?,
            attributes: self.attributes,
            status: Some(protobuf::Status { message, code }),
        })
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(pair[0])? << 4) | digit(*pair.get(1)?)?)).collect()
}

/// The member of an object, if it has one.
fn member<'a>(object: &'a RawValue, name: &'static str) -> serde_json::Result<Option<&'a RawValue>> {
    struct Member(&'static str);
    impl<'de> Visitor<'de> for Member {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                if key == self.0 {
                    found = map.next_value::<Option<&'de RawValue>>()?;
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    deserializer.deserialize_map(Member(name))
}

type Each<'f, 'de> = &'f mut dyn FnMut(&'de RawValue) -> serde_json::Result<()>;

/// Tells of each element of a list. An absent list has none.
fn for_each<'a>(list: Option<&'a RawValue>, take: Each<'_, 'a>) -> serde_json::Result<()> {
    struct Elements<'f, 'de>(Each<'f, 'de>);
    impl<'de> Visitor<'de> for Elements<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element::<&'de RawValue>()? {
                (self.0)(element).map_err(A::Error::custom)?;
            }
            Ok(())
        }
    }
    impl<'de> DeserializeSeed<'de> for Elements<'_, 'de> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }
    let Some(list) = list else { return Ok(()) };
    Elements(take).deserialize(&mut serde_json::Deserializer::from_str(list.get()))
}
