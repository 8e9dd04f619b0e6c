//! A batch: one header line, then the signals frame, then the dom frame. Splitting one copies nothing and inflates nothing.

use std::borrow::Cow;

use bytes::Bytes;
use playhead_domain::id::{SessionId, StreamId};
use serde::Deserialize;

use crate::frame::Encoding;
use crate::limits;

/// The version of the format.
pub const VERSION: u64 = 1;

/// Length, inflated length and encoding of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct FrameInfo {
    /// Bytes in the body.
    pub len: usize,
    /// Bytes once inflated.
    pub raw: usize,
    #[serde(default)]
    pub enc: Encoding,
    /// Starts with a key frame (dom only).
    #[serde(default)]
    pub key: bool,
    /// Lines inside (dom only).
    #[serde(default)]
    pub events: u32,
}

/// The sampling rates that were in force, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Rates {
    pub dom: f64,
    #[serde(default)]
    pub dom_on_error: f64,
    #[serde(default = "one")]
    pub signals: f64,
}

const fn one() -> f64 {
    1.0
}

const fn yes() -> bool {
    true
}

const fn first_tab() -> u32 {
    1
}

impl Default for Rates {
    fn default() -> Self {
        Self { dom: 1.0, dom_on_error: 0.0, signals: 1.0 }
    }
}

/// The header line. Borrows from the body.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Header<'a> {
    pub v: u64,
    #[serde(borrow, default)]
    pub key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub token: Option<Cow<'a, str>>,
    pub session: SessionId,
    pub stream: StreamId,
    pub seq: u64,
    #[serde(default = "first_tab")]
    pub tab: u32,
    /// Browser clock, milliseconds.
    pub sent: f64,
    pub from: f64,
    pub to: f64,
    #[serde(default)]
    pub signals: FrameInfo,
    #[serde(default)]
    pub dom: FrameInfo,
    #[serde(default)]
    pub rates: Rates,
    #[serde(default = "yes")]
    pub sampled: bool,
    /// Index and count of a split dom event.
    #[serde(default)]
    pub part: Option<(u32, u32)>,
    #[serde(default)]
    pub end: bool,
}

/// Which rule a header breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    Malformed,
    UnknownVersion,
    WrongLength,
}

/// A header that cannot be accepted, with the field to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header field `{field}`: {detail}")]
pub struct HeaderError {
    pub fault: HeaderFault,
    pub field: &'static str,
    pub detail: String,
}

impl HeaderError {
    fn malformed(field: &'static str, detail: impl Into<String>) -> Self {
        Self { fault: HeaderFault::Malformed, field, detail: detail.into() }
    }
}

/// The length of the header line in `body`, without its newline.
///
/// # Errors
/// When there is no newline within [`limits::MAX_HEADER_BYTES`].
pub fn header_len(body: &[u8]) -> Result<usize, HeaderError> {
    let window = &body[..body.len().min(limits::MAX_HEADER_BYTES + 1)];
    window.iter().position(|&byte| byte == b'\n').ok_or_else(|| {
        HeaderError::malformed(
            "header",
            format!(
                "no line break within {} bytes; the header is one line of JSON",
                limits::MAX_HEADER_BYTES
            ),
        )
    })
}

/// Reads and checks the header of a body of `body_len` bytes.
///
/// # Errors
/// [`HeaderError`], naming the field.
pub fn parse_header(line: &[u8], body_len: usize) -> Result<Header<'_>, HeaderError> {
    let header: Header<'_> = serde_json::from_slice(line).map_err(|error| blame(line, &error))?;
    check(&header, line.len(), body_len)?;
    Ok(header)
}

fn check(header: &Header<'_>, header_len: usize, body_len: usize) -> Result<(), HeaderError> {
    if header.v != VERSION {
        return Err(HeaderError {
            fault: HeaderFault::UnknownVersion,
            field: "v",
            detail: format!("version {} is unknown; this server reads version {VERSION}", header.v),
        });
    }
    if header.seq > limits::MAX_SEQ {
        return Err(HeaderError::malformed("seq", format!("must be at most {}", limits::MAX_SEQ)));
    }
    for (field, value) in [("sent", header.sent), ("from", header.from), ("to", header.to)] {
        // Outside the years 1970 to 5138 a time is a mistake, and arithmetic on it could overflow.
        if !(0.0..1e14).contains(&value) {
            return Err(HeaderError::malformed(field, "must be milliseconds since 1970"));
        }
    }
    for (field, rate) in [
        ("rates.dom", header.rates.dom),
        ("rates.dom_on_error", header.rates.dom_on_error),
        ("rates.signals", header.rates.signals),
    ] {
        if !(0.0..=1.0).contains(&rate) {
            return Err(HeaderError::malformed(field, "must be between 0 and 1"));
        }
    }
    if let Some((index, count)) = header.part
        && (count == 0 || count > limits::MAX_PARTS || index >= count)
    {
        return Err(HeaderError::malformed(
            "part",
            format!("must be [index, count], count at most {}", limits::MAX_PARTS),
        ));
    }
    check_lengths(header, header_len, body_len)
}

fn check_lengths(header: &Header<'_>, header_len: usize, body_len: usize) -> Result<(), HeaderError> {
    let wrong = |field, detail| Err(HeaderError { fault: HeaderFault::WrongLength, field, detail });
    for (field, info, limit) in [
        ("signals", header.signals, limits::MAX_SIGNALS_RAW_BYTES),
        ("dom", header.dom, limits::MAX_DOM_RAW_BYTES),
    ] {
        if info.raw > limit {
            return wrong(field, format!("raw is {}, the limit is {limit}", info.raw));
        }
        if (info.len == 0) != (info.raw == 0) || (info.enc == Encoding::None && info.len != info.raw) {
            return wrong(field, format!("len {} and raw {} do not fit together", info.len, info.raw));
        }
    }
    let told = (header_len + 1).saturating_add(header.signals.len).saturating_add(header.dom.len);
    if told != body_len {
        let field = if header.signals.len > body_len { "signals" } else { "dom" };
        return wrong(field, format!("header and frames make {told} bytes, the body has {body_len}"));
    }
    if told == header_len + 1 && !header.end {
        return wrong("dom", "both frames are empty".to_owned());
    }
    Ok(())
}

/// Finds the field for which serde's error has no name. Only runs on bad input.
fn blame(line: &[u8], error: &serde_json::Error) -> HeaderError {
    let Ok(serde_json::Value::Object(map)) = serde_json::from_slice(line) else {
        return HeaderError::malformed("header", format!("not a JSON object: {error}"));
    };
    fn bad<T: serde::de::DeserializeOwned>(
        map: &serde_json::Map<String, serde_json::Value>,
        field: &'static str,
        required: bool,
    ) -> Option<HeaderError> {
        match map.get(field) {
            None if required => Some(HeaderError::malformed(field, "is missing")),
            None => None,
            Some(value) => T::deserialize(value).err().map(|e| HeaderError::malformed(field, e.to_string())),
        }
    }
    bad::<u64>(&map, "v", true)
        .or_else(|| bad::<SessionId>(&map, "session", true))
        .or_else(|| bad::<StreamId>(&map, "stream", true))
        .or_else(|| bad::<u64>(&map, "seq", true))
        .or_else(|| bad::<u32>(&map, "tab", false))
        .or_else(|| bad::<f64>(&map, "sent", true))
        .or_else(|| bad::<f64>(&map, "from", true))
        .or_else(|| bad::<f64>(&map, "to", true))
        .or_else(|| bad::<FrameInfo>(&map, "signals", false))
        .or_else(|| bad::<FrameInfo>(&map, "dom", false))
        .or_else(|| bad::<Rates>(&map, "rates", false))
        .or_else(|| bad::<bool>(&map, "sampled", false))
        .or_else(|| bad::<Option<(u32, u32)>>(&map, "part", false))
        .or_else(|| bad::<bool>(&map, "end", false))
        .or_else(|| bad::<Option<String>>(&map, "key", false))
        .or_else(|| bad::<Option<String>>(&map, "token", false))
        .unwrap_or_else(|| HeaderError::malformed("header", error.to_string()))
}

/// The two frames of a body whose header was checked, as slices of it.
#[must_use]
pub fn frames(body: &Bytes, header_len: usize, header: &Header<'_>) -> (Bytes, Bytes) {
    let signals = header_len + 1;
    let dom = signals + header.signals.len;
    (body.slice(signals..dom), body.slice(dom..dom + header.dom.len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(header: &str, frames: &str) -> Bytes {
        Bytes::from(format!("{header}\n{frames}"))
    }

    fn parse(body: &Bytes) -> Result<(), HeaderError> {
        let len = header_len(body)?;
        parse_header(&body[..len], body.len()).map(|_| ())
    }

    const GOOD: &str = r#"{"v":1,"key":"phk_x","session":"00112233445566778899aabbccddeeff","stream":"0011223344556677","seq":3,"tab":1,"sent":1.5,"from":1,"to":2,"signals":{"len":3,"raw":3,"enc":"none"},"dom":{"len":2,"raw":2,"enc":"none","key":true,"events":1}}"#;

    #[test]
    fn frames_are_slices_of_the_body() {
        let body = body(GOOD, "abcde");
        let len = header_len(&body).unwrap();
        let header = parse_header(&body[..len], body.len()).unwrap();
        let (signals, dom) = frames(&body, len, &header);
        assert_eq!((&signals[..], &dom[..]), (&b"abc"[..], &b"de"[..]));
        assert!(header.dom.key && header.sampled && header.key.as_deref() == Some("phk_x"));
    }

    #[test]
    fn the_error_names_the_field() {
        let cases = [
            (GOOD.replace("\"v\":1", "\"v\":2"), "v", HeaderFault::UnknownVersion),
            (GOOD.replace("\"seq\":3,", ""), "seq", HeaderFault::Malformed),
            (GOOD.replace("\"seq\":3", "\"seq\":-3"), "seq", HeaderFault::Malformed),
            (GOOD.replace("00112233445566778899", "0011"), "session", HeaderFault::Malformed),
            (GOOD.replace("0011223344556677\"", "xx\""), "stream", HeaderFault::Malformed),
            (GOOD.replace("\"len\":3", "\"len\":4"), "signals", HeaderFault::WrongLength),
            (GOOD.replace("\"len\":2,\"raw\":2", "\"len\":9,\"raw\":9"), "dom", HeaderFault::WrongLength),
            (GOOD.replace("\"raw\":2", "\"raw\":99999999"), "dom", HeaderFault::WrongLength),
            (
                GOOD.replace("\"enc\":\"none\",\"key\"", "\"enc\":\"brotli\",\"key\""),
                "dom",
                HeaderFault::Malformed,
            ),
            (GOOD.replace("\"sent\":1.5", "\"sent\":-1"), "sent", HeaderFault::Malformed),
            (GOOD.replace("\"tab\":1", "\"part\":[3,3]"), "part", HeaderFault::Malformed),
            ("[]".to_owned(), "header", HeaderFault::Malformed),
            ("{".to_owned(), "header", HeaderFault::Malformed),
        ];
        for (header, field, fault) in cases {
            let error = parse(&body(&header, "abcde")).unwrap_err();
            assert_eq!((error.field, error.fault), (field, fault), "{header}: {error}");
        }
        let endless = Bytes::from(vec![b' '; limits::MAX_HEADER_BYTES + 10]);
        assert_eq!(parse(&endless).unwrap_err().field, "header");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            let _ = parse(&Bytes::from(bytes));
        }

        #[test]
        fn a_damaged_header_is_refused_or_consistent(at in 0..GOOD.len(), with: u8) {
            let mut bytes = body(GOOD, "abcde").to_vec();
            bytes[at] = with;
            let bytes = Bytes::from(bytes);
            if let Ok(len) = header_len(&bytes)
                && let Ok(header) = parse_header(&bytes[..len], bytes.len())
            {
                let (signals, dom) = frames(&bytes, len, &header);
                prop_assert_eq!(len + 1 + signals.len() + dom.len(), bytes.len());
            }
        }
    }
}
