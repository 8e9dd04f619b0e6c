//! Recordings: the manifest that says what there is, and the segments that it names.

pub(crate) mod manifest;
pub(crate) mod segment;
pub(crate) mod source;
pub(crate) mod stream;

/// What reading one segment may hold at once, in bytes: the sealed range and what comes out of it.
pub const LARGEST_SEGMENT_BYTES: usize = 160 << 20;
