//! How records lie in the database.
//!
//! Key: partition and offset, big-endian. Value: `crc32 | append_us | key length | meta length | key | meta | value`,
//! numbers little-endian, the checksum over all that follows it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use playhead_domain::log::{Error, Position, Record, StoredRecord};

const HEADER_BYTES: usize = 4 + 8 + 4 + 4;
/// Keys and metadata are small by contract; this keeps index rows within what the database takes.
const MAX_KEY_BYTES: usize = 4 << 10;
const MAX_META_BYTES: usize = 64 << 10;

/// Refuses keys and metadata that are not small.
pub(super) fn check_key(record: &Record) -> Result<(), Error> {
    for (bytes, limit) in [(record.key.len(), MAX_KEY_BYTES), (record.meta.len(), MAX_META_BYTES)] {
        if bytes > limit {
            return Err(Error::TooLarge { bytes, limit });
        }
    }
    Ok(())
}

/// The length of [`encode`]'s result.
pub(super) fn encoded_len(record: &Record) -> usize {
    HEADER_BYTES + record.key.len() + record.meta.len() + record.value.len()
}

pub(super) fn encode_position(position: Position) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&position.partition.to_be_bytes());
    key[4..].copy_from_slice(&position.offset.to_be_bytes());
    key
}

pub(super) fn decode_position(mut key: &[u8]) -> Result<Position, Error> {
    if key.len() != 12 {
        return Err(Error::Corrupt(format!("a record's key has {} bytes", key.len())));
    }
    Ok(Position { partition: key.get_u32(), offset: key.get_u64() })
}

pub(super) fn encode(record: &Record, append_us: i64) -> Result<Bytes, Error> {
    let length = |part: &Bytes| {
        u32::try_from(part.len()).map_err(|_| Error::TooLarge { bytes: part.len(), limit: MAX_META_BYTES })
    };
    let mut out = BytesMut::with_capacity(encoded_len(record));
    out.put_u32_le(0);
    out.put_i64_le(append_us);
    out.put_u32_le(length(&record.key)?);
    out.put_u32_le(length(&record.meta)?);
    out.put_slice(&record.key);
    out.put_slice(&record.meta);
    out.put_slice(&record.value);
    let checksum = crc32fast::hash(&out[4..]);
    out[..4].copy_from_slice(&checksum.to_le_bytes());
    Ok(out.freeze())
}

pub(super) fn decode(position: Position, mut stored: Bytes) -> Result<StoredRecord, Error> {
    let corrupt =
        |what: &str| Error::Corrupt(format!("record {} of {}: {what}", position.offset, position.partition));
    if stored.len() < HEADER_BYTES {
        return Err(corrupt("cut off"));
    }
    let checksum = stored.get_u32_le();
    if crc32fast::hash(&stored) != checksum {
        return Err(corrupt("the checksum does not match"));
    }
    let append_us = stored.get_i64_le();
    let (key_len, meta_len) = (stored.get_u32_le() as usize, stored.get_u32_le() as usize);
    if stored.len() < key_len.saturating_add(meta_len) {
        return Err(corrupt("lengths do not match"));
    }
    let key = stored.split_to(key_len);
    let meta = stored.split_to(meta_len);
    Ok(StoredRecord { position, append_us, key, value: stored, meta })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(key: Vec<u8>, meta: Vec<u8>, value: Vec<u8>, append_us: i64) {
            let record = Record { key: key.into(), value: value.into(), meta: meta.into() };
            let position = Position { partition: 3, offset: 9 };
            let stored = encode(&record, append_us).unwrap();
            prop_assert_eq!(stored.len(), encoded_len(&record));
            let read = decode(position, stored).unwrap();
            prop_assert_eq!((read.key, read.meta, read.value), (record.key, record.meta, record.value));
            prop_assert_eq!(read.append_us, append_us);
        }

        #[test]
        fn a_changed_byte_is_noticed(value: Vec<u8>, place: usize, flip in 1..=255u8) {
            let record = Record { key: Bytes::from_static(b"k"), value: value.into(), meta: Bytes::new() };
            let mut stored = encode(&record, 1).unwrap().to_vec();
            let place = place % stored.len();
            stored[place] ^= flip;
            let read = decode(Position { partition: 0, offset: 0 }, stored.into());
            prop_assert!(read.is_err());
        }

        #[test]
        fn positions_sort_by_partition_then_offset(a: (u32, u64), b: (u32, u64)) {
            let key = |(partition, offset)| encode_position(Position { partition, offset });
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }
    }
}
