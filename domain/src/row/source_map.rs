//! Rows of source maps.

use bytes::Bytes;

/// A source map that somebody uploaded.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SourceMapArtifact {
    /// Empty: it is found by its debug id alone.
    #[prost(string, tag = "1")]
    pub release: String,
    /// Of the bundle, as it is deployed: `assets/index.js`.
    #[prost(string, tag = "2")]
    pub path: String,
    /// 16 bytes, or none.
    #[prost(bytes = "bytes", tag = "3")]
    pub debug_id: Bytes,
    /// Of the first upload of this very content.
    #[prost(int64, tag = "4")]
    pub uploaded_us: i64,
    /// As stored, compressed.
    #[prost(uint64, tag = "5")]
    pub stored_bytes: u64,
    #[prost(uint64, tag = "6")]
    pub raw_bytes: u64,
    #[prost(uint64, tag = "7")]
    pub mappings: u64,
    #[prost(uint64, tag = "8")]
    pub sources: u64,
    /// How many sources have their content in the map.
    #[prost(uint64, tag = "9")]
    pub contents: u64,
    #[prost(int64, tag = "10")]
    pub expires_at_ms: i64,
    /// Nobody is shown it from then on; 0: it is not deleted.
    #[prost(int64, tag = "11")]
    pub deleted_us: i64,
    /// The object that holds it, one for each upload; empty: the one of its id alone.
    #[prost(string, tag = "12")]
    pub object: String,
}

/// Which map belongs to a debug id, or to a path of a release, from the time on that its key tells.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SourceMapRef {
    /// Of the artifact: 16 bytes; empty: none any more.
    #[prost(bytes = "bytes", tag = "1")]
    pub artifact: Bytes,
    #[prost(int64, tag = "2")]
    pub uploaded_us: i64,
    #[prost(int64, tag = "3")]
    pub expires_at_ms: i64,
}

/// What object storage holds of a map, compressed as a whole.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SourceMapContent {
    /// The bundle; empty when only the map was uploaded.
    #[prost(string, tag = "1")]
    pub code: String,
    /// JSON with the members that count.
    #[prost(string, tag = "2")]
    pub map: String,
}
