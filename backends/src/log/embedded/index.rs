//! Where the records of a finished file are: a file beside it, so that opening the log reads no records.
//!
//! `magic | file bytes | started_us | newest_append_us | partitions | (first offset, count) per partition | crc32` and then,
//! partition by partition, the place of each record: where it begins and how long it is. Numbers little-endian.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::{Buf, BufMut};

const MAGIC: &[u8; 8] = b"phindex1";
const PLACE_BYTES: usize = 8;
const FIXED_BYTES: usize = 8 + 8 + 8 + 8 + 4;

/// Where one record is in its file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u32,
    pub(super) len: u32,
}

/// The records of one partition in a file: consecutive offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) count: u64,
}

/// What an index says before the places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) file_bytes: u64,
    pub(super) started_us: i64,
    pub(super) newest_append_us: i64,
    /// By partition.
    pub(super) spans: Vec<Span>,
}

impl Summary {
    fn encoded_len(partitions: usize) -> usize {
        FIXED_BYTES + partitions * 16 + 4
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::encoded_len(self.spans.len()));
        out.put_slice(MAGIC);
        out.put_u64_le(self.file_bytes);
        out.put_i64_le(self.started_us);
        out.put_i64_le(self.newest_append_us);
        out.put_u32_le(u32::try_from(self.spans.len()).unwrap_or(u32::MAX));
        for span in &self.spans {
            out.put_u64_le(span.first);
            out.put_u64_le(span.count);
        }
        let checksum = crc32fast::hash(&out);
        out.put_u32_le(checksum);
        out
    }

    fn decode(stored: &[u8], partitions: usize) -> Option<Self> {
        let (body, mut checksum) = stored.split_at_checked(stored.len().checked_sub(4)?)?;
        if crc32fast::hash(body) != checksum.get_u32_le() {
            return None;
        }
        let mut rest = body.strip_prefix(MAGIC)?;
        let (file_bytes, started_us, newest_append_us) =
            (rest.get_u64_le(), rest.get_i64_le(), rest.get_i64_le());
        if rest.get_u32_le() as usize != partitions {
            return None;
        }
        let spans =
            (0..partitions).map(|_| Span { first: rest.get_u64_le(), count: rest.get_u64_le() }).collect();
        Some(Self { file_bytes, started_us, newest_append_us, spans })
    }

    /// Where in the index the places of a partition begin.
    fn table_at(&self, partition: usize) -> u64 {
        let before: u64 = self.spans.iter().take(partition).map(|span| span.count).sum();
        Self::encoded_len(self.spans.len()) as u64 + before * PLACE_BYTES as u64
    }
}

/// Writes the index whole and durable, or leaves none.
pub(super) fn write(path: &Path, summary: &Summary, places: &[Vec<Place>]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut out = summary.encode();
    out.reserve(places.iter().map(Vec::len).sum::<usize>() * PLACE_BYTES);
    for place in places.iter().flatten() {
        out.put_u32_le(place.at);
        out.put_u32_le(place.len);
    }
    let mut file = File::create(&new)?;
    file.write_all(&out)?;
    file.sync_data()?;
    std::fs::rename(new, path)
}

/// The summary of an index, or nothing if there is no good one.
pub(super) fn read_summary(path: &Path, partitions: usize) -> Option<Summary> {
    let file = File::open(path).ok()?;
    let mut stored = vec![0; Summary::encoded_len(partitions)];
    file.read_exact_at(&mut stored, 0).ok()?;
    let summary = Summary::decode(&stored, partitions)?;
    (file.metadata().ok()?.len() == summary.table_at(partitions)).then_some(summary)
}

/// The places of up to `count` records of a partition, from the `from`th on.
pub(super) fn read_places(
    path: &Path,
    summary: &Summary,
    partition: usize,
    from: u64,
    count: usize,
) -> io::Result<Vec<Place>> {
    let known = summary.spans.get(partition).map_or(0, |span| span.count);
    let count = count.min(usize::try_from(known.saturating_sub(from)).unwrap_or(usize::MAX));
    let mut stored = vec![0; count * PLACE_BYTES];
    File::open(path)?.read_exact_at(&mut stored, summary.table_at(partition) + from * PLACE_BYTES as u64)?;
    let mut rest = &stored[..];
    Ok((0..count).map(|_| Place { at: rest.get_u32_le(), len: rest.get_u32_le() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary(spans: Vec<Span>) -> Summary {
        Summary { file_bytes: 77, started_us: -5, newest_append_us: 9, spans }
    }

    proptest! {
        #[test]
        fn places_are_found_again(counts in prop::collection::vec(0u64..20, 1..6), from in 0u64..25, count in 0usize..25) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("1.index");
            let place = |partition: usize, n: u64| Place { at: u32::try_from(n).unwrap(), len: u32::try_from(partition).unwrap() };
            let places: Vec<Vec<Place>> =
                counts.iter().enumerate().map(|(partition, &count)| (0..count).map(|n| place(partition, n)).collect()).collect();
            let summary = summary(counts.iter().map(|&count| Span { first: 3, count }).collect());
            write(&path, &summary, &places).unwrap();
            prop_assert_eq!(read_summary(&path, counts.len()), Some(summary.clone()));
            prop_assert_eq!(read_summary(&path, counts.len() + 1), None);
            for (partition, expected) in places.iter().enumerate() {
                let expected: Vec<Place> = expected.iter().skip(from as usize).take(count).copied().collect();
                prop_assert_eq!(read_places(&path, &summary, partition, from, count).unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_damaged_or_cut_index_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.index");
        let places = vec![vec![Place { at: 1, len: 2 }]];
        write(&path, &summary(vec![Span { first: 0, count: 1 }]), &places).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert!(read_summary(&path, 1).is_some());
        for cut in [0, 10, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(read_summary(&path, 1), None, "{cut} bytes");
        }
        let mut changed = whole;
        changed[12] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert_eq!(read_summary(&path, 1), None);
    }
}
