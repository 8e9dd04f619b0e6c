//! Source maps: from a place in a bundle to the place in the source that it was built from. Pure, and bounded in what a map may hold.
//!
//! A map is looked through once, when it comes ([`shape`]): what is kept of it cannot make a reader use more memory than its size
//! allows. Sources are never opened: only what the map itself has of them (`sourcesContent`) counts.
//!
//! Which map a script has is kept with the time from which it counts ([`repository`]), as the fold must find the same one however often
//! it is tried.
//!
//! Deliberately absent: reading objects (each service has its own way to wait for object storage).

pub mod artifact;
pub mod cache;
pub mod debug_id;
pub mod key;
pub mod map;
pub mod reference;
pub mod repository;
pub mod scope;
pub mod shape;

/// The largest upload once inflated: a bundle and its map.
pub const MAX_UPLOAD_BYTES: usize = 64 << 20;
/// Mappings of one map; a bundle of 10 MB has some hundred thousand.
pub const MAX_MAPPINGS: usize = 4_000_000;
/// Names and sources of a map that is made of sections.
pub const MAX_JOINED: usize = 50_000;
/// JSON values of one map beside the texts of mappings and sources.
pub const MAX_VALUES: usize = 2_000_000;

/// Why a source map cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the source map is not the JSON that is expected: {0}")]
    Json(String),
    #[error("the source map has version {0}; version 3 is understood")]
    Version(String),
    #[error("the source map has neither mappings nor sections; upload what the bundler wrote")]
    Empty,
    #[error(
        "section {0} of the source map has no map of its own; addresses are not followed, put the map itself there"
    )]
    SectionWithoutMap(usize),
    #[error("the source map has more than {limit} {what}; split the bundle")]
    TooMany { what: &'static str, limit: usize },
    #[error("the source map contradicts itself: {0}")]
    Inconsistent(String),
    #[error("the inline source map is not base64 of a source map: {0}")]
    Inline(String),
    #[error("the stored source map cannot be read: {0}")]
    Stored(String),
}

impl Broken {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        false
    }
}
