//! How a row lies in the database: `version | expires_at_ms | value`, numbers big-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use playhead_domain::store::Error;
use playhead_domain::table::Table;

/// A row that never expires says so.
const NEVER_MS: i64 = i64::MAX;

/// A row without its key. Ordered as equal versions are decided: the greater one wins, so that the order of arrival does
/// not matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredRow {
    pub(super) version: i64,
    pub(super) value: Bytes,
    pub(super) expires_at_ms: Option<i64>,
}

impl StoredRow {
    pub(super) fn is_visible(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_none_or(|expires_at_ms| expires_at_ms > now_ms)
    }

    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(16 + self.value.len());
        out.put_i64(self.version);
        out.put_i64(self.expires_at_ms.unwrap_or(NEVER_MS));
        out.put_slice(&self.value);
        out.freeze()
    }

    pub(super) fn decode(table: &'static Table, mut stored: Bytes) -> Result<Self, Error> {
        if stored.len() < 16 {
            return Err(Error::Corrupt(format!("a row of table {} is cut off", table.name)));
        }
        let version = stored.get_i64();
        let expires_at_ms = Some(stored.get_i64()).filter(|&expires_at_ms| expires_at_ms != NEVER_MS);
        Ok(Self { version, value: stored, expires_at_ms })
    }
}
