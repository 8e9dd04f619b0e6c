//! The bounds of an embedded log.

use serde::{Deserialize, Serialize};

/// The bounds of an embedded log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Appended bytes that may wait for the disk; more are refused as busy.
    pub waiting_bytes: usize,
    /// Bytes of one group commit, at most (but at least one record).
    pub group_bytes: usize,
    /// How long an append waits for the disk.
    pub append_timeout_ms: u64,
    /// A file of records is finished once it is this long; at most 2 GiB. After a crash the last one is read whole.
    pub file_bytes: u64,
    /// Newest rows of each small table (settings, and topics that keep one record per key) held in memory.
    pub index_memtable_bytes: u64,
    /// Cache of what was read from the small tables.
    pub cache_bytes: u64,
    /// Bound of the small tables' journals together; at least 64 MiB.
    pub journals_bytes: u64,
    /// A topic's retention is cut into at least this many files. More of them keep closer to the retention.
    pub segments: u32,
    /// Bytes of records that a topic keeps for its retention, 0: as many as come. Beyond, the oldest that all consumers are
    /// done with (by what they committed) go before their time: dead letters' records among them, and what a rebuild could bring
    /// back. What waits to be processed never does.
    pub kept_bytes: u64,
    /// How often old segments are looked for.
    pub sweep_interval_ms: u64,
    /// With less room than this on the disk nothing is appended.
    pub min_free_bytes: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            waiting_bytes: 32 << 20,
            group_bytes: 4 << 20,
            append_timeout_ms: 10_000,
            file_bytes: 128 << 20,
            index_memtable_bytes: 1 << 20,
            cache_bytes: 8 << 20,
            journals_bytes: 64 << 20,
            segments: 8,
            kept_bytes: 0,
            sweep_interval_ms: 10_000,
            min_free_bytes: 64 << 20,
        }
    }
}
