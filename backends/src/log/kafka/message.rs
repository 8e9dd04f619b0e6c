//! Records as Kafka carries them.

use bytes::{Bytes, BytesMut};
use playhead_domain::log::{Error, Position, StoredRecord};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders};

/// The name of the header that carries a record's `meta`.
const META: &str = "meta";

pub(super) fn headers(meta: &Bytes) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(Header { key: META, value: Some(&meta[..]) })
}

/// A partition as Kafka counts it.
pub(super) fn id(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// Where an acknowledged record is. Kafka cannot tell when it took the record for one that it had acknowledged long ago.
pub(super) fn position(message: &BorrowedMessage<'_>) -> Result<Position, Error> {
    let (partition, offset) = (u32::try_from(message.partition()), u64::try_from(message.offset()));
    match (partition, offset) {
        (Ok(partition), Ok(offset)) => Ok(Position { partition, offset }),
        _ => Err(Error::Unavailable("the record was written, but its place is not known".to_owned())),
    }
}

/// The record, copied out of the library's memory in one piece.
pub(super) fn stored(message: &BorrowedMessage<'_>) -> Result<StoredRecord, Error> {
    let position = position(message)?;
    let meta = message.headers().and_then(|headers| headers.iter().find(|header| header.key == META));
    let parts = [message.key(), message.payload(), meta.and_then(|header| header.value)];
    let parts = parts.map(Option::unwrap_or_default);
    let mut copy = BytesMut::with_capacity(parts.iter().map(|part| part.len()).sum());
    let [key, value, meta] = parts.map(|part| {
        copy.extend_from_slice(part);
        copy.split().freeze()
    });
    let append_us = message.timestamp().to_millis().unwrap_or_default().saturating_mul(1_000);
    Ok(StoredRecord { position, append_us, key, value, meta })
}
