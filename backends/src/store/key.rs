//! Keys as bytes that sort as the keys do, and the checks that a key fits its table.
//!
//! Numbers: eight bytes, big-endian, sign flipped. Texts and bytes: each zero as `00 ff`, ended by `00 00`, so that no
//! encoded value starts another one and a prefix of columns is a prefix of bytes.

use std::ops::Bound;

use bytes::Bytes;
use playhead_domain::store::{ClusteringRange, Error, Key, MAX_VALUE_BYTES, Mutation, Value};
use playhead_domain::table::{Column, ColumnType, Table};

/// The longest key, encoded. Cassandra and its kin end at 64 KiB.
const MAX_KEY_BYTES: usize = 16 << 10;

/// Refuses what does not fit its table or the limits.
pub(super) fn check_mutation(mutation: &Mutation) -> Result<(), Error> {
    match mutation {
        Mutation::Put { table, key, value, .. } => {
            check_value(value)?;
            check(table, key)
        }
        Mutation::Delete { table, key, .. } => check(table, key),
        Mutation::DeletePartition { table, partition, .. } => check_partition(table, partition),
    }
}

/// Refuses a value over the limit.
pub(super) fn check_value(value: &Bytes) -> Result<(), Error> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(Error::TooLarge { bytes: value.len(), limit: MAX_VALUE_BYTES });
    }
    Ok(())
}

/// Refuses a key that is not of the table.
pub(super) fn check(table: &'static Table, key: &Key) -> Result<(), Error> {
    check_partition(table, &key.partition)?;
    if key.clustering.len() != table.clustering.len() {
        return Err(wrong_number(table, "clustering", table.clustering, &key.clustering));
    }
    check_types(table, table.clustering, &key.clustering)?;
    let bytes = encoded_len(&key.partition) + encoded_len(&key.clustering);
    if bytes > MAX_KEY_BYTES {
        let detail = format!("{bytes} bytes are over the limit of {MAX_KEY_BYTES}");
        return Err(Error::BadKey { table: table.name, detail });
    }
    Ok(())
}

/// Refuses a partition key that is not of the table.
pub(super) fn check_partition(table: &'static Table, partition: &[Value]) -> Result<(), Error> {
    if partition.len() != table.partition.len() {
        return Err(wrong_number(table, "partition", table.partition, partition));
    }
    check_types(table, table.partition, partition)
}

/// Refuses bounds that are not prefixes of the table's clustering columns.
pub(super) fn check_range(table: &'static Table, range: &ClusteringRange) -> Result<(), Error> {
    for bound in [&range.from, &range.to] {
        let (Bound::Included(prefix) | Bound::Excluded(prefix)) = bound else { continue };
        if prefix.len() > table.clustering.len() {
            return Err(wrong_number(table, "clustering", table.clustering, prefix));
        }
        check_types(table, table.clustering, prefix)?;
    }
    Ok(())
}

fn check_types(table: &'static Table, columns: &[Column], values: &[Value]) -> Result<(), Error> {
    for (column, value) in columns.iter().zip(values) {
        let fits = matches!(
            (column.kind, value),
            (ColumnType::Int, Value::Int(_))
                | (ColumnType::Text, Value::Text(_))
                | (ColumnType::Bytes, Value::Bytes(_))
        );
        if !fits {
            let detail = format!("column {} is {:?}", column.name, column.kind);
            return Err(Error::BadKey { table: table.name, detail });
        }
    }
    Ok(())
}

fn wrong_number(table: &'static Table, which: &str, columns: &[Column], values: &[Value]) -> Error {
    let detail = format!("{} {which} values for {} columns", values.len(), columns.len());
    Error::BadKey { table: table.name, detail }
}

fn encoded_len(values: &[Value]) -> usize {
    let len = |bytes: &[u8]| bytes.len() + bytes.iter().filter(|&&byte| byte == 0).count() + 2;
    let encoded = |value: &Value| match value {
        Value::Int(_) => 8,
        Value::Text(text) => len(text.as_bytes()),
        Value::Bytes(bytes) => len(bytes),
    };
    values.iter().map(encoded).sum()
}

/// The whole key.
pub(super) fn encode(key: &Key) -> Vec<u8> {
    let mut out = encode_values(&key.partition);
    encode_into(&mut out, &key.clustering);
    out
}

/// Some columns in order: a partition, or a prefix.
pub(super) fn encode_values(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_len(values));
    encode_into(&mut out, values);
    out
}

fn encode_into(out: &mut Vec<u8>, values: &[Value]) {
    for value in values {
        match value {
            Value::Int(number) => out.extend((number ^ i64::MIN).to_be_bytes()),
            Value::Text(text) => escape(out, text.as_bytes()),
            Value::Bytes(bytes) => escape(out, bytes),
        }
    }
}

fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend([0, 0]);
}

/// The clustering values of an encoded key of `table`, whose partition takes `partition_len` bytes.
pub(super) fn decode_clustering(
    table: &'static Table,
    key: &[u8],
    partition_len: usize,
) -> Result<Vec<Value>, Error> {
    let corrupt = || Error::Corrupt(format!("a key of table {} cannot be read", table.name));
    let mut rest = key.get(partition_len..).ok_or_else(corrupt)?;
    let mut values = Vec::with_capacity(table.clustering.len());
    for column in table.clustering {
        let (value, after) = decode_value(column.kind, rest).ok_or_else(corrupt)?;
        values.push(value);
        rest = after;
    }
    if rest.is_empty() { Ok(values) } else { Err(corrupt()) }
}

fn decode_value(kind: ColumnType, bytes: &[u8]) -> Option<(Value, &[u8])> {
    if kind == ColumnType::Int {
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        return Some((Value::Int(i64::from_be_bytes(*number) ^ i64::MIN), rest));
    }
    let (plain, rest) = unescape(bytes)?;
    let value = match kind {
        ColumnType::Text => Value::Text(String::from_utf8(plain).ok()?),
        _ => Value::Bytes(Bytes::from(plain)),
    };
    Some((value, rest))
}

fn unescape(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        if byte == 0 {
            let (&mark, after) = rest.split_first()?;
            rest = after;
            match mark {
                0 => return Some((plain, rest)),
                0xff => {}
                _ => return None,
            }
        }
        plain.push(byte);
    }
}

/// The bytes that a range of clustering keys covers within a partition.
pub(super) fn encode_range(partition: &[u8], range: &ClusteringRange) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let full = |prefix: &[Value]| [partition, &encode_values(prefix)].concat();
    // A prefix stands for every key that starts with it.
    let from = match &range.from {
        Bound::Included(prefix) => Bound::Included(full(prefix)),
        Bound::Excluded(prefix) => past(full(prefix)),
        Bound::Unbounded => Bound::Included(partition.to_vec()),
    };
    let to = match &range.to {
        Bound::Included(prefix) => before_end(past(full(prefix))),
        Bound::Excluded(prefix) => Bound::Excluded(full(prefix)),
        Bound::Unbounded => before_end(past(partition.to_vec())),
    };
    (from, to)
}

/// The first key after all that start with `prefix`.
fn past(mut prefix: Vec<u8>) -> Bound<Vec<u8>> {
    while let Some(last) = prefix.last_mut() {
        if let Some(next) = last.checked_add(1) {
            *last = next;
            return Bound::Included(prefix);
        }
        prefix.pop();
    }
    Bound::Unbounded
}

fn before_end(bound: Bound<Vec<u8>>) -> Bound<Vec<u8>> {
    match bound {
        Bound::Included(key) => Bound::Excluded(key),
        other => other,
    }
}

/// Whether no key can be inside; an ordered map would refuse such bounds.
pub(super) fn is_empty(bounds: &(Bound<Vec<u8>>, Bound<Vec<u8>>)) -> bool {
    match bounds {
        (Bound::Included(from), Bound::Excluded(to)) => from >= to,
        // Past the end of all keys.
        (Bound::Unbounded, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        Column { name: "a", kind: ColumnType::Int },
        Column { name: "b", kind: ColumnType::Text },
        Column { name: "c", kind: ColumnType::Bytes },
    ];
    static TABLE: Table = Table {
        name: "keys",
        keyspace: playhead_domain::table::Keyspace::Data,
        pattern: playhead_domain::table::Pattern::Changing,
        partition: &[],
        clustering: COLUMNS,
    };

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let bytes = prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255), any::<u8>()], 0..6);
        let text = prop_oneof![Just(String::new()), "[a\u{0}b]{0,4}", any::<String>()];
        (any::<i64>(), text, bytes).prop_map(|(a, b, c)| vec![Value::Int(a), Value::Text(b), c.into()])
    }

    proptest! {
        #[test]
        fn bytes_sort_as_values_do(a in values(), b in values(), same in 0..3usize) {
            let mut b = b;
            b[..same].clone_from_slice(&a[..same]);
            prop_assert_eq!(encode_values(&a).cmp(&encode_values(&b)), a.cmp(&b));
        }

        #[test]
        fn what_was_encoded_is_decoded(key in values()) {
            let encoded = encode_values(&key);
            prop_assert_eq!(encoded.len(), encoded_len(&key));
            prop_assert_eq!(decode_clustering(&TABLE, &encoded, 0).unwrap(), key);
        }

        #[test]
        fn a_prefix_covers_exactly_what_starts_with_it(a in values(), b in values(), take in 0..=3usize, same in 0..=3usize) {
            let mut b = b;
            b[..same].clone_from_slice(&a[..same]);
            let partition = [7u8];
            let key = [&partition[..], &encode_values(&b)].concat();
            let covers = |bounds: &(Bound<Vec<u8>>, Bound<Vec<u8>>)| std::ops::RangeBounds::contains(bounds, &key);
            let (prefix, start) = (a[..take].to_vec(), b[..take].to_vec());
            prop_assert_eq!(covers(&encode_range(&partition, &ClusteringRange::prefix(prefix.clone()))), prefix == start);
            let after = ClusteringRange { from: Bound::Excluded(prefix.clone()), to: Bound::Unbounded };
            prop_assert_eq!(covers(&encode_range(&partition, &after)), start > prefix);
            let until = ClusteringRange { from: Bound::Unbounded, to: Bound::Excluded(prefix.clone()) };
            prop_assert_eq!(covers(&encode_range(&partition, &until)), start < prefix);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            let _ = decode_clustering(&TABLE, &bytes, 0);
        }
    }
}
