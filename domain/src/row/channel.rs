//! Where alerts go.

use bytes::Bytes;

/// A channel of a project.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AlertChannel {
    #[prost(string, tag = "1")]
    pub name: String,
    /// JSON with the kind and all that belongs to it, secrets among it, sealed: see [`crate::seal::SecretSealer`].
    #[prost(bytes = "bytes", tag = "2")]
    pub sealed: Bytes,
    #[prost(int64, tag = "3")]
    pub created_ms: i64,
    #[prost(int64, tag = "4")]
    pub changed_ms: i64,
    /// Grows with every change.
    #[prost(uint64, tag = "5")]
    pub version: u64,
}
