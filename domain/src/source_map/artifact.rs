//! The stored form of a map with its bundle.

use std::io::Read;

use prost::Message;

use super::{Broken, MAX_UPLOAD_BYTES};
use crate::row::SourceMapContent;

/// Texts of programs shrink to a fifth at this level; higher ones cost more than they save.
const LEVEL: i32 = 6;
/// Members and lengths beside the texts.
const OVERHEAD_BYTES: usize = 1 << 10;

/// Packs a map.
///
/// # Errors
/// [`Broken::Stored`], which no input causes.
pub fn pack(content: &SourceMapContent) -> Result<Vec<u8>, Broken> {
    zstd::bulk::compress(&content.encode_to_vec(), LEVEL).map_err(|error| Broken::Stored(error.to_string()))
}

/// Unpacks a map.
///
/// # Errors
/// [`Broken::Stored`]; never uses more memory than the largest upload may have.
pub fn unpack(packed: &[u8]) -> Result<SourceMapContent, Broken> {
    let stored = |error: &dyn std::fmt::Display| Broken::Stored(error.to_string());
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|e| stored(&e))?;
    let most = MAX_UPLOAD_BYTES + OVERHEAD_BYTES;
    let mut bytes = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| stored(&e))?;
    if bytes.len() > most {
        return Err(stored(&"it inflates to more than the largest upload"));
    }
    SourceMapContent::decode(bytes.as_slice()).map_err(|e| stored(&e))
}
