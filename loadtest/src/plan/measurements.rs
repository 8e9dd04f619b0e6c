//! What was measured: a file in the repository, each number with its unit and the command that makes it anew.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measurements {
    pub(super) machine: String,
    /// What a gateway takes as soon as anything comes: every few milliseconds it sends to Kafka, be it little or much.
    pub(super) gateway_base_cores: Measured,
    /// Processor time of a gateway for one batch, on top of that.
    pub(super) gateway_us_per_batch: Measured,
    /// Processor time of a stream-processor for one batch, until it is queryable; the store's driver included, the store not.
    pub(super) processor_us_per_batch: Measured,
    /// Processor time of compaction.
    pub(super) compaction_ms_per_raw_mib: Measured,
    pub(super) batches_per_session: Measured,
    pub(super) bytes_per_batch: Measured,
    pub(super) raw_kib_per_session: Measured,
    /// What the log keeps of a batch, one replica.
    pub(super) log_bytes_per_batch: Measured,
    /// What the store keeps of a session once it is compacted, one replica.
    pub(super) store_bytes_per_session: Measured,
    /// Rows that a batch writes until its session is compacted.
    pub(super) rows_per_batch: Measured,
    /// What object storage keeps of a session once it is compacted.
    pub(super) blob_bytes_per_session: Measured,
    /// Bytes that one processor's partition takes in a second, at most.
    pub(super) partition_batches_per_s: Measured,
    /// Runs that were not used for the numbers above.
    #[serde(default)]
    pub(super) runs: Vec<Run>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) value: f64,
    pub(super) unit: String,
    /// The command, or where the number is from.
    pub(super) source: String,
}

/// A run, and what it took.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) batches_per_s: f64,
    pub(super) sessions_per_s: f64,
    /// Raw bytes that were compacted in a second.
    pub(super) compacted_raw_mib_per_s: f64,
    /// Cores that its gateway used.
    pub(super) gateway_cores: f64,
    /// Cores that its stream-processor used.
    pub(super) processor_cores: f64,
}

impl Measurements {
    pub(super) fn named(&self) -> [(&'static str, &Measured); 12] {
        [
            ("gateway_base_cores", &self.gateway_base_cores),
            ("gateway_us_per_batch", &self.gateway_us_per_batch),
            ("processor_us_per_batch", &self.processor_us_per_batch),
            ("compaction_ms_per_raw_mib", &self.compaction_ms_per_raw_mib),
            ("batches_per_session", &self.batches_per_session),
            ("bytes_per_batch", &self.bytes_per_batch),
            ("raw_kib_per_session", &self.raw_kib_per_session),
            ("log_bytes_per_batch", &self.log_bytes_per_batch),
            ("store_bytes_per_session", &self.store_bytes_per_session),
            ("rows_per_batch", &self.rows_per_batch),
            ("blob_bytes_per_session", &self.blob_bytes_per_session),
            ("partition_batches_per_s", &self.partition_batches_per_s),
        ]
    }
}
