//! Debug ids: what a bundle and its map have in common, whatever their names and wherever they are.
//! <https://github.com/tc39/ecma426/blob/main/proposals/debug-id.md>

use std::fmt;
use std::str::FromStr;

/// A UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DebugId(pub [u8; 16]);

/// The text is no debug id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a debug id is 32 hexadecimal digits, with or without hyphens")]
pub struct NotADebugId;

impl DebugId {
    /// The id of a content: the same content always has the same. Version 8 of RFC 9562, as it is a hash of our own choice.
    #[must_use]
    pub fn of_content(parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("playhead debug id v1");
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        id[6] = (id[6] & 0x0f) | 0x80;
        id[8] = (id[8] & 0x3f) | 0x80;
        Self(id)
    }
}

/// The id of a script among those that a page told by address. Queries and fragments are redacted at different places of a stack.
pub fn find<'a>(mut told: impl Iterator<Item = (&'a str, DebugId)>, file: &str) -> Option<DebugId> {
    let bare = |url: &str| url.find(['?', '#']).unwrap_or(url.len());
    let file = &file[..bare(file)];
    told.find(|(url, _)| &url[..bare(url)] == file).map(|(_, id)| id)
}

impl FromStr for DebugId {
    type Err = NotADebugId;

    fn from_str(text: &str) -> Result<Self, NotADebugId> {
        let mut id = [0; 16];
        let mut digits =
            text.trim().bytes().filter(|&byte| byte != b'-').map(|byte| (byte as char).to_digit(16));
        for byte in &mut id {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(NotADebugId);
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| NotADebugId)?;
        }
        if digits.next().is_some() { Err(NotADebugId) } else { Ok(Self(id)) }
    }
}

impl fmt::Display for DebugId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&index) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_with_and_without_hyphens() {
        let text = "85314830-023f-4cf1-a267-535f4e37bb17";
        let id: DebugId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(text.replace('-', "").to_uppercase().parse(), Ok(id));
        for wrong in [
            "",
            "85314830",
            "85314830-023f-4cf1-a267-535f4e37bb1",
            "85314830-023f-4cf1-a267-535f4e37bb170",
            "x",
        ] {
            assert_eq!(wrong.parse::<DebugId>(), Err(NotADebugId), "{wrong}");
        }
    }

    #[test]
    fn a_content_has_one_id() {
        let id = DebugId::of_content(&["a", "bc"]);
        assert_eq!(id, DebugId::of_content(&["a", "bc"]));
        assert_ne!(id, DebugId::of_content(&["ab", "c"]));
        assert_eq!((id.0[6] >> 4, id.0[8] >> 6), (8, 2));
    }
}
