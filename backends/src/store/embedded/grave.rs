//! What keeps lower versions of deleted rows from coming back: the version under a hash of the key, so that the key
//! itself is gone.

use bytes::Buf;
use playhead_domain::store::Error;
use playhead_domain::table::Table;

/// A hash of the key of a row, or of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GraveKey(pub(super) [u8; 16]);

/// A delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grave {
    pub(super) version: i64,
    /// Until when it counts, milliseconds of the Unix epoch.
    pub(super) until_ms: i64,
}

impl GraveKey {
    /// The place of a row's delete.
    pub(super) fn of_row(salt: &[u8; 32], table: &'static Table, key: &[u8]) -> Self {
        Self::of(salt, b"row", table, key)
    }

    /// The place of a partition's delete.
    pub(super) fn of_partition(salt: &[u8; 32], table: &'static Table, partition: &[u8]) -> Self {
        Self::of(salt, b"partition", table, partition)
    }

    fn of(salt: &[u8; 32], kind: &[u8], table: &'static Table, key: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(salt);
        for part in [kind, table.name.as_bytes()] {
            hasher.update(part).update(&[0]);
        }
        let hash = hasher.update(key).finalize();
        let mut out = [0; 16];
        out.copy_from_slice(&hash.as_bytes()[..16]);
        Self(out)
    }
}

impl Grave {
    pub(super) fn encode(self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.version.to_be_bytes());
        out[8..].copy_from_slice(&self.until_ms.to_be_bytes());
        out
    }

    pub(super) fn decode(mut stored: &[u8]) -> Result<Self, Error> {
        if stored.len() != 16 {
            return Err(Error::Corrupt("the record of a delete is cut off".to_owned()));
        }
        Ok(Self { version: stored.get_i64(), until_ms: stored.get_i64() })
    }
}
