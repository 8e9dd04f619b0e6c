//! Keys. A public key verifies itself: no look-up, about a microsecond. A secret key has a prefix (so that scanners find leaked ones)
//! and a checksum (so that a typing mistake is told apart from a revoked key); only its hash is stored.

use std::fmt;

use playhead_domain::id::ProjectId;
use subtle::ConstantTimeEq;

const PUBLIC_PREFIX: &str = "phk_";
const SECRET_PREFIX: &str = "phs_";
const MAC_BYTES: usize = 16;
const PUBLIC_BYTES: usize = 8 + MAC_BYTES + 1;
const SECRET_RANDOM_BYTES: usize = 32;

/// The root secret of an installation; every other key derives from it.
#[derive(Clone)]
pub struct InstallationKey([u8; 32]);

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationKey(…)")
    }
}

impl InstallationKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose. `purpose` is a constant with a version in it, such as `"playhead public keys v1"`.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

/// Why a key was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("not a Playhead key; copy it whole from the project's settings")]
    Malformed,
    #[error("the key is not of this installation")]
    Unknown,
}

/// Makes and verifies public keys.
#[derive(Clone)]
pub struct PublicKeys {
    mac_key: [u8; 32],
}

impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKeys(…)")
    }
}

impl PublicKeys {
    /// The public keys of an installation.
    #[must_use]
    pub fn new(installation: &InstallationKey) -> Self {
        Self { mac_key: installation.derive("playhead public keys v1") }
    }

    /// The public key of a project: always the same.
    #[must_use]
    pub fn issue(&self, project: ProjectId) -> String {
        let mut bytes = [0u8; PUBLIC_BYTES];
        bytes[..8].copy_from_slice(&project.0.to_be_bytes());
        bytes[8..8 + MAC_BYTES].copy_from_slice(&self.mac(project));
        bytes[PUBLIC_BYTES - 1] = check_byte(&bytes[..PUBLIC_BYTES - 1]);
        format!("{PUBLIC_PREFIX}{}", encode(&bytes))
    }

    /// The project of a public key, in constant time.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn verify(&self, key: &str) -> Result<ProjectId, KeyError> {
        let text = key.strip_prefix(PUBLIC_PREFIX).ok_or(KeyError::Malformed)?;
        let bytes: [u8; PUBLIC_BYTES] = decode(text).ok_or(KeyError::Malformed)?;
        if check_byte(&bytes[..PUBLIC_BYTES - 1]) != bytes[PUBLIC_BYTES - 1] {
            return Err(KeyError::Malformed);
        }
        let mut id = [0u8; 8];
        id.copy_from_slice(&bytes[..8]);
        let project = ProjectId(u64::from_be_bytes(id));
        let genuine: bool = self.mac(project).ct_eq(&bytes[8..8 + MAC_BYTES]).into();
        if genuine { Ok(project) } else { Err(KeyError::Unknown) }
    }

    fn mac(&self, project: ProjectId) -> [u8; MAC_BYTES] {
        let mut mac = [0u8; MAC_BYTES];
        mac.copy_from_slice(
            &blake3::keyed_hash(&self.mac_key, &project.0.to_be_bytes()).as_bytes()[..MAC_BYTES],
        );
        mac
    }
}

fn check_byte(bytes: &[u8]) -> u8 {
    crc32fast::hash(bytes).to_le_bytes()[0]
}

/// Writes 32 random bytes as a secret key.
#[must_use]
pub fn secret_key(random: [u8; SECRET_RANDOM_BYTES]) -> String {
    let body = format!("{SECRET_PREFIX}{}", encode(&random));
    let check = encode(&crc32fast::hash(body.as_bytes()).to_be_bytes());
    body + &check
}

/// Under what a secret key is stored. High entropy: a fast hash suffices.
///
/// # Errors
/// [`KeyError::Malformed`] for a text that is not a secret key: wrong prefix, length or checksum.
pub fn secret_key_hash(key: &str) -> Result<[u8; 32], KeyError> {
    let body_len = SECRET_PREFIX.len() + 52;
    if !key.starts_with(SECRET_PREFIX) || !key.is_ascii() || key.len() != body_len + 7 {
        return Err(KeyError::Malformed);
    }
    let (body, check) = key.split_at(body_len);
    if encode(&crc32fast::hash(body.as_bytes()).to_be_bytes()) != check {
        return Err(KeyError::Malformed);
    }
    Ok(*blake3::hash(key.as_bytes()).as_bytes())
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Crockford base32, lower case, most significant bit first, the last character padded with zero bits.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0u32, 0u32);
    for &byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    text
}

/// The reverse of [`encode`] for exactly `N` bytes whose bits fill whole characters.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() * 5 != N * 8 {
        return None;
    }
    let mut out = [0u8; N];
    let (mut bits, mut count, mut at) = (0u32, 0u32, 0);
    for byte in text.bytes() {
        let digit = DIGITS[usize::from(byte)];
        if digit == u8::MAX {
            return None;
        }
        bits = (bits << 5) | u32::from(digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            out[at] = u8::try_from(bits >> count & 255).ok()?;
            at += 1;
        }
        bits &= (1 << count) - 1;
    }
    Some(out)
}

const DIGITS: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut i = 0;
    while i < 32 {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(seed: u8) -> PublicKeys {
        PublicKeys::new(&InstallationKey::new([seed; 32]))
    }

    proptest! {
        #[test]
        fn a_public_key_names_its_project(id: u64) {
            let key = keys(1).issue(ProjectId(id));
            prop_assert_eq!(key.len(), 44);
            prop_assert_eq!(keys(1).verify(&key), Ok(ProjectId(id)));
            prop_assert_eq!(keys(2).verify(&key), Err(KeyError::Unknown));
        }

        #[test]
        fn a_changed_public_key_is_refused(id: u64, at in 4usize..44, with in 0usize..32) {
            let key = keys(1).issue(ProjectId(id));
            let mut changed = key.clone().into_bytes();
            changed[at] = ALPHABET[with];
            let changed = String::from_utf8(changed).unwrap();
            prop_assume!(changed != key);
            prop_assert!(keys(1).verify(&changed).is_err());
        }

        #[test]
        fn any_text_is_refused_without_panic(text: String) {
            prop_assert!(keys(1).verify(&text).is_err());
            prop_assert!(secret_key_hash(&text).is_err());
        }

        #[test]
        fn a_secret_key_has_a_checksum(random: [u8; 32], at in 4usize..63, with in 0usize..32) {
            let key = secret_key(random);
            prop_assert!(secret_key_hash(&key).is_ok());
            let mut changed = key.clone().into_bytes();
            changed[at] = ALPHABET[with];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert!(changed == key || secret_key_hash(&changed).is_err());
        }
    }
}
