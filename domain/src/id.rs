//! Identifiers. Binary inside, text at the edges; parsing is strict so that one id has one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct ParseIdError {
    expected: &'static str,
}

const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 64 bits as 13 characters of lower-case Crockford base32, most significant first.
fn write_base32(f: &mut fmt::Formatter<'_>, value: u64) -> fmt::Result {
    let mut text = [0u8; 13];
    let mut rest = value;
    for slot in text.iter_mut().rev() {
        *slot = CROCKFORD[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

fn read_base32(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    // 13 characters hold 65 bits: the first may only be 0 to f.
    if bytes.len() != 13 || digit(bytes[0])? > 15 {
        return None;
    }
    bytes.iter().try_fold(0u64, |value, &byte| Some((value << 5) | u64::from(digit(byte)?)))
}

fn digit(byte: u8) -> Option<u8> {
    CROCKFORD.iter().position(|&c| c == byte).and_then(|p| u8::try_from(p).ok())
}

fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return None;
    }
    let mut out = [0u8; N];
    for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *slot = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(out)
}

const fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

macro_rules! text_id {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! base32_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);
        text_id!($name);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_base32(f, self.0)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                read_base32(text).map(Self).ok_or(ParseIdError { expected: "13 characters of lower-case base32" })
            }
        }
    };
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);
        text_id!($name);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                read_hex(text).map(Self).ok_or(ParseIdError { expected: $expected })
            }
        }
    };
}

base32_id!(
    /// Who pays and whose data it is: the first part of every row key.
    TenantId
);
base32_id!(
    /// One observed web app of a tenant.
    ProjectId
);
hex_id!(
    /// One visit of one visitor, across tabs and page loads.
    SessionId, 16, "32 lower-case hex digits"
);
hex_id!(
    /// One way to reach people of a project: a chat's webhook, a list of mail boxes.
    ChannelId, 8, "16 lower-case hex digits"
);
hex_id!(
    /// One document load within a session.
    StreamId, 8, "16 lower-case hex digits"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_project_id_reads_back(value: u64) {
            prop_assert_eq!(ProjectId(value).to_string().parse::<ProjectId>(), Ok(ProjectId(value)));
        }

        #[test]
        fn every_session_id_reads_back(value: [u8; 16]) {
            prop_assert_eq!(SessionId(value).to_string().parse::<SessionId>(), Ok(SessionId(value)));
        }
    }

    #[test]
    fn one_id_has_one_spelling() {
        assert!("0123456789ABC".parse::<ProjectId>().is_err(), "upper case");
        assert!("g000000000000".parse::<ProjectId>().is_err(), "a 65th bit");
        assert!("0123456789ABCDEF".parse::<StreamId>().is_err(), "upper case");
        assert!("0123".parse::<SessionId>().is_err(), "too short");
    }
}
