//! Implementations of [`playhead_domain::log::EventLog`].

pub mod embedded;
pub mod measure;
pub mod memory;

mod group;

use bytes::Bytes;

/// The partition of a key: CRC-32 modulo the number of partitions, as librdkafka's `consistent` partitioner does it.
fn partition_of(key: &Bytes, partitions: u32) -> u32 {
    crc32fast::hash(key) % partitions.max(1)
}
