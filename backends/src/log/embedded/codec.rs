//! How a record lies on the disk, in a file or as a row.
//!
//! `crc32 | length | partition | offset | append_us | key length | meta length | key | meta | value`, numbers little-endian;
//! `length` is that of the whole, and the checksum is over all that follows it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use playhead_domain::log::{Error, Position, Record, StoredRecord};

/// The length of all that comes before the key.
pub(super) const HEADER_BYTES: usize = 4 + 4 + 4 + 8 + 8 + 4 + 4;

/// The length of an encoded record.
pub(super) fn encoded_len(record: &Record) -> usize {
    HEADER_BYTES + record.key.len() + record.meta.len() + record.value.len()
}

/// The key of a record that lies in a row.
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

/// All of a record that comes before its value.
pub(super) fn encode_head(record: &Record, position: Position, append_us: i64) -> Result<BytesMut, Error> {
    let small =
        |bytes: usize| u32::try_from(bytes).map_err(|_| Error::TooLarge { bytes, limit: u32::MAX as usize });
    let mut head = BytesMut::with_capacity(HEADER_BYTES + record.key.len() + record.meta.len());
    head.put_u32_le(0);
    head.put_u32_le(small(encoded_len(record))?);
    head.put_u32_le(position.partition);
    head.put_u64_le(position.offset);
    head.put_i64_le(append_us);
    head.put_u32_le(small(record.key.len())?);
    head.put_u32_le(small(record.meta.len())?);
    head.put_slice(&record.key);
    head.put_slice(&record.meta);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&head[4..]);
    checksum.update(&record.value);
    head[..4].copy_from_slice(&checksum.finalize().to_le_bytes());
    Ok(head)
}

/// A whole record in one piece.
pub(super) fn encode(record: &Record, position: Position, append_us: i64) -> Result<Bytes, Error> {
    let mut stored = encode_head(record, position, append_us)?;
    stored.extend_from_slice(&record.value);
    Ok(stored.freeze())
}

/// The length of the record that begins with these bytes, if they are enough to tell and a record can be that long.
pub(super) fn stored_len(head: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
    (length >= HEADER_BYTES).then_some(length)
}

/// Reads and checks exactly one record.
pub(super) fn decode(mut stored: Bytes) -> Result<StoredRecord, Error> {
    let corrupt = |what: &str| Error::Corrupt(format!("a record of {what}"));
    let length = stored.len();
    if length < HEADER_BYTES || stored_len(&stored) != Some(length) {
        return Err(corrupt("another length than it says"));
    }
    let checksum = stored.get_u32_le();
    if crc32fast::hash(&stored) != checksum {
        return Err(corrupt("bytes that do not match their checksum"));
    }
    stored.advance(4);
    let position = Position { partition: stored.get_u32_le(), offset: stored.get_u64_le() };
    let append_us = stored.get_i64_le();
    let (key_len, meta_len) = (stored.get_u32_le() as usize, stored.get_u32_le() as usize);
    if stored.len() < key_len.saturating_add(meta_len) {
        return Err(corrupt("parts longer than itself"));
    }
    let key = stored.split_to(key_len);
    let meta = stored.split_to(meta_len);
    Ok(StoredRecord { position, append_us, key, value: stored, meta })
}

/// The record that must be at `position`.
pub(super) fn decode_at(position: Position, stored: Bytes) -> Result<StoredRecord, Error> {
    let record = decode(stored)?;
    if record.position == position {
        return Ok(record);
    }
    Err(Error::Corrupt(format!("{:?} lies in the place of {position:?}", record.position)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POSITION: Position = Position { partition: 3, offset: 9 };

    proptest! {
        #[test]
        fn what_was_written_is_read(key: Vec<u8>, meta: Vec<u8>, value: Vec<u8>, append_us: i64) {
            let record = Record { key: key.into(), value: value.into(), meta: meta.into() };
            let stored = encode(&record, POSITION, append_us).unwrap();
            prop_assert_eq!(stored.len(), encoded_len(&record));
            prop_assert_eq!(stored_len(&stored), Some(stored.len()));
            let read = decode_at(POSITION, stored.clone()).unwrap();
            prop_assert_eq!((read.key, read.meta, read.value), (record.key, record.meta, record.value));
            prop_assert_eq!(read.append_us, append_us);
            let elsewhere = Position { partition: 3, offset: 8 };
            prop_assert!(decode_at(elsewhere, stored).is_err());
        }

        #[test]
        fn a_changed_byte_is_noticed(value: Vec<u8>, place: usize, flip in 1..=255u8) {
            let record = Record { key: Bytes::from_static(b"k"), value: value.into(), meta: Bytes::new() };
            let mut stored = encode(&record, POSITION, 1).unwrap().to_vec();
            let place = place % stored.len();
            stored[place] ^= flip;
            prop_assert!(decode(stored.into()).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(decode(bytes.into()).is_err());
        }

        #[test]
        fn positions_sort_by_partition_then_offset(a: (u32, u64), b: (u32, u64)) {
            let key = |(partition, offset)| encode_position(Position { partition, offset });
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }
    }
}
