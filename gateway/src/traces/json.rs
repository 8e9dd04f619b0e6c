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
use crate::error::ApiError;

/// Tells `take` of every span, with the name of its service.
///
/// # Errors
/// [`ApiError::BadExport`].
pub(super) fn for_each_span(export: &[u8], take: &mut impl FnMut(&str, Raw<'_>)) -> Result<(), ApiError> {
    let text = std::str::from_utf8(export).map_err(|_| malformed("not UTF-8"))?;
    let export: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    let mut walk = || {
        for_each(member(export, "resourceSpans")?, &mut |resource_spans| {
            let resource = member(resource_spans, "resource")?;
            let service = resource.filter(|raw| raw.get().len() <= limits::MAX_SPAN_BYTES).map(service);
            let service = service.transpose()?.unwrap_or_default();
            for_each(member(resource_spans, "scopeSpans")?, &mut |scope_spans| {
                for_each(member(scope_spans, "spans")?, &mut |span| {
                    take(&service, Raw::Json(span.get()));
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

fn service(resource: &RawValue) -> serde_json::Result<String> {
    #[derive(Deserialize)]
    struct Resource {
        #[serde(default)]
        attributes: Vec<JsonKeyValue>,
    }
    let resource: Resource = serde_json::from_str(resource.get())?;
    let attributes: Vec<KeyValue> = resource.attributes.into_iter().map(KeyValue::from).collect();
    Ok(protobuf::service_of(&attributes).to_owned())
}

pub(super) fn read_span(text: &str) -> Option<protobuf::Span> {
    serde_json::from_str::<JsonSpan>(text).ok()?.read()
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct JsonSpan<'a> {
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    #[serde(borrow)]
    span_id: Cow<'a, str>,
    #[serde(borrow)]
    parent_span_id: Cow<'a, str>,
    trace_state: String,
    name: String,
    kind: i32,
    start_time_unix_nano: Integer<u64>,
    end_time_unix_nano: Integer<u64>,
    attributes: Vec<JsonKeyValue>,
    status: Option<JsonStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonStatus {
    message: String,
    code: i32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonKeyValue {
    key: String,
    value: Option<JsonValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonValue {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Integer<i64>>,
    double_value: Option<f64>,
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

impl<T: std::str::FromStr + Default> Integer<T> {
    fn read(self) -> Option<T> {
        match self {
            Self::Number(value) => Some(value),
            Self::Text(text) => text.parse().ok(),
            Self::Absent => Some(T::default()),
        }
    }
}

impl JsonSpan<'_> {
    fn read(self) -> Option<protobuf::Span> {
        let status = self.status.map(|JsonStatus { message, code }| protobuf::Status { message, code });
        Some(protobuf::Span {
            trace_id: hex(&self.trace_id)?,
            span_id: hex(&self.span_id)?,
            parent_span_id: hex(&self.parent_span_id)?,
            trace_state: self.trace_state,
            name: self.name,
            kind: self.kind,
            start_time_unix_nano: self.start_time_unix_nano.read()?,
            end_time_unix_nano: self.end_time_unix_nano.read()?,
            attributes: self.attributes.into_iter().map(KeyValue::from).collect(),
            status,
        })
    }
}

impl From<JsonKeyValue> for KeyValue {
    fn from(JsonKeyValue { key, value }: JsonKeyValue) -> Self {
        let scalar = value.and_then(|value| {
            let text = value.string_value.map(Scalar::Text);
            let flag = || value.bool_value.map(Scalar::Flag);
            text.or_else(flag)
                .or_else(|| value.int_value.and_then(Integer::read).map(Scalar::Integer))
                .or_else(|| value.double_value.map(Scalar::Number))
        });
        Self { key, value: Some(AnyValue { value: scalar }) }
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
