//! Implementations of [`playhead_domain::log::EventLog`].

pub mod embedded;
pub mod kafka;
pub mod measure;
pub mod memory;

mod group;

use bytes::Bytes;
use playhead_domain::log::{Error, Record};

/// The largest key and the largest `meta` of a record, in every log.
const MAX_KEY_BYTES: usize = 4 << 10;
const MAX_META_BYTES: usize = 64 << 10;

/// The partition of a key: CRC-32 modulo the number of partitions, as librdkafka's `consistent` partitioner does it.
fn partition_of(key: &Bytes, partitions: u32) -> u32 {
    crc32fast::hash(key) % partitions.max(1)
}

/// Refuses a record whose key or `meta` is too large.
fn check_key_and_meta(record: &Record) -> Result<(), Error> {
    for (bytes, limit) in [(record.key.len(), MAX_KEY_BYTES), (record.meta.len(), MAX_META_BYTES)] {
        if bytes > limit {
            return Err(Error::TooLarge { bytes, limit });
        }
    }
    Ok(())
}
