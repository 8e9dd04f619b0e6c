//! Secrets among settings, by `#[serde(with = "playhead_domain::secret")]`: read as text, and always written as empty.

use std::fmt;

use secrecy::SecretString;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Writes an empty text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("")
}

/// Reads a text.
///
/// # Errors
/// When it is something else; the message does not show it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    deserializer.deserialize_any(Text)
}

/// Takes text only. The visitor's own refusals would print the value: a number, where a variable's text looks like one.
struct Text;

fn refuse<T, E: Error>() -> Result<T, E> {
    Err(E::custom("a secret must be text: put it in double quotes, in a variable too"))
}

impl<'de> Visitor<'de> for Text {
    type Value = SecretString;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretString, E> {
        Ok(text.into())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretString, E> {
        refuse()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretString, E> {
        refuse()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<SecretString, E> {
        refuse()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretString, E> {
        refuse()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<SecretString, E> {
        refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretString, E> {
        refuse()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Settings {
        #[serde(with = "crate::secret")]
        key: SecretString,
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let settings: Settings = serde_json::from_str(r#"{"key": "hunter2"}"#).unwrap();
        assert_eq!(settings.key.expose_secret(), "hunter2");
        assert!(!format!("{settings:?} {}", serde_json::to_string(&settings).unwrap()).contains("hunter2"));
    }

    #[test]
    fn what_is_no_text_is_refused_without_showing_it() {
        for value in ["987654", "-987654", "98765.4", "987654987654987654987654987654", "true"] {
            let error = serde_json::from_str::<Settings>(&format!(r#"{{"key": {value}}}"#)).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("quotes") && !message.contains(value), "{message}");
        }
    }
}
