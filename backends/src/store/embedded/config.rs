//! The bounds of an embedded store.

use serde::{Deserialize, Serialize};

/// The bounds of an embedded store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Bytes that may wait for the disk; writers wait beyond that.
    pub waiting_bytes: usize,
    /// Bytes of one group commit, at most (but at least one write).
    pub group_bytes: usize,
    /// Newest rows of a table held in memory before they go from the journal to a file.
    pub memtable_bytes: u64,
    /// Cache of what was read from files.
    pub cache_bytes: u64,
    /// Bound of all journals together; at least 64 MiB.
    pub journals_bytes: u64,
    /// How long a delete keeps lower versions from coming back.
    pub delete_grace_ms: i64,
    /// How often expired rows are looked for.
    pub sweep_interval_ms: u64,
    /// Expired rows of a table, in bytes, after which its files are rewritten without them.
    pub rewrite_after_bytes: u64,
    /// With less room than this on the disk only deletes are taken.
    pub min_free_bytes: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            waiting_bytes: 16 << 20,
            group_bytes: 4 << 20,
            memtable_bytes: 4 << 20,
            cache_bytes: 16 << 20,
            journals_bytes: 64 << 20,
            delete_grace_ms: 10 * 24 * 3_600_000,
            sweep_interval_ms: 60_000,
            rewrite_after_bytes: 64 << 20,
            min_free_bytes: 64 << 20,
        }
    }
}
