use serde::{Deserialize, Serialize};

/// How the processor works. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Effects of a batch are written at most this long after it was read; while writing takes more than half of that, after twice as
    /// long as it takes, at most 2,500.
    pub flush_interval_ms: u64,
    /// Effects are written earlier when this many bytes of batches wait.
    pub flush_bytes: usize,
    /// A session without batches for this long is over, and is compacted.
    pub session_idle_ms: u64,
    /// A session whose page ended it is over after this long.
    pub end_grace_ms: u64,
    /// How often sessions that are over are looked for.
    pub compaction_interval_ms: u64,
    /// Raw bytes of a compacted block.
    pub block_raw_bytes: usize,
    /// Sessions that are compacted together share objects of about this size.
    pub object_bytes: usize,
    /// Fold states of sessions kept in memory, all partitions together.
    pub session_cache_bytes: usize,
    /// How often dead flush objects are looked for.
    pub collection_interval_ms: u64,
    /// An object younger than this is never collected.
    pub object_grace_ms: u64,
    /// Streams of one session.
    pub max_streams: usize,
    /// Dead letters kept per project and log partition; further ones are only counted.
    pub max_dead_letters: usize,
    /// Issues kept per project and log partition; errors of further ones are counted as one.
    pub max_issues: usize,
    /// Source maps kept in memory to name frames of errors.
    pub source_map_cache_bytes: usize,
    /// Sums requests and page loads into the lists of endpoints and pages.
    pub request_statistics: bool,
    /// How long a batch of a project not yet heard of holds up its flush.
    pub unknown_project_wait_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            flush_interval_ms: 1_000,
            flush_bytes: 8 << 20,
            session_idle_ms: 30 * 60_000,
            end_grace_ms: 10_000,
            compaction_interval_ms: 10_000,
            block_raw_bytes: 8 << 20,
            object_bytes: 16 << 20,
            session_cache_bytes: 32 << 20,
            collection_interval_ms: 60_000,
            object_grace_ms: 15 * 60_000,
            max_streams: playhead_proto::limits::MAX_STREAMS,
            max_dead_letters: 100,
            max_issues: 5_000,
            source_map_cache_bytes: 64 << 20,
            request_statistics: true,
            unknown_project_wait_ms: 5_000,
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}; it must be {rule}")]
pub struct ConfigError {
    pub field: &'static str,
    pub value: u64,
    pub rule: &'static str,
}

impl Config {
    /// Checks every value.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let between = |field, value: u64, low: u64, high: u64, rule| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(ConfigError { field, value, rule }) }
        };
        between("flush_interval_ms", self.flush_interval_ms, 10, 3_000, "between 10 and 3000")?;
        between("flush_bytes", self.flush_bytes as u64, 1 << 20, 256 << 20, "between 1 MiB and 256 MiB")?;
        between("session_idle_ms", self.session_idle_ms, 1_000, 86_400_000, "between a second and a day")?;
        between("end_grace_ms", self.end_grace_ms, 100, 86_400_000, "between 100 and a day")?;
        between(
            "compaction_interval_ms",
            self.compaction_interval_ms,
            100,
            3_600_000,
            "between 100 and an hour",
        )?;
        between(
            "block_raw_bytes",
            self.block_raw_bytes as u64,
            64 << 10,
            32 << 20,
            "between 64 KiB and 32 MiB",
        )?;
        between("object_bytes", self.object_bytes as u64, 64 << 10, 256 << 20, "between 64 KiB and 256 MiB")?;
        between(
            "session_cache_bytes",
            self.session_cache_bytes as u64,
            1 << 20,
            4 << 30,
            "between 1 MiB and 4 GiB",
        )?;
        between(
            "collection_interval_ms",
            self.collection_interval_ms,
            1_000,
            86_400_000,
            "between a second and a day",
        )?;
        // A flush gives up writing rows to an object long before it may be collected.
        between(
            "object_grace_ms",
            self.object_grace_ms,
            600_000,
            7 * 86_400_000,
            "between ten minutes and a week",
        )?;
        between("max_streams", self.max_streams as u64, 1, 1_000, "between 1 and 1000")?;
        between("max_dead_letters", self.max_dead_letters as u64, 0, 10_000, "at most 10000")?;
        between("max_issues", self.max_issues as u64, 1, 100_000, "between 1 and 100000")?;
        between(
            "source_map_cache_bytes",
            self.source_map_cache_bytes as u64,
            1 << 20,
            4 << 30,
            "between 1 MiB and 4 GiB",
        )?;
        between("unknown_project_wait_ms", self.unknown_project_wait_ms, 0, 60_000, "at most a minute")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_a_refusal_names_its_setting() {
        assert_eq!(Config::default().validate(), Ok(()));
        let error = Config { flush_interval_ms: 60_000, ..Config::default() }.validate().unwrap_err();
        assert_eq!(error.to_string(), "flush_interval_ms is 60000; it must be between 10 and 3000");
    }
}
