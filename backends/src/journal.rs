//! What a power cut leaves of a database's journal.
//!
//! A batch that was being written when the power went may be there in part. fjall drops one that ends early, but refuses to
//! open when all of it seems to be there and its checksum differs. Such a batch was never acknowledged if it is the last one:
//! whoever wrote it waits for the disk before writing the next. So it is cut off. With whole batches behind it, the
//! file was damaged otherwise, and is left alone.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

/// Longer keys and values are not written: their lengths were damaged.
const MAX_VALUE_BYTES: u32 = 64 << 20;
const TRAILER: &[u8; 4] = b"FJL\x03";

/// Where a journal was cut.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) journal: PathBuf,
    pub(crate) at_bytes: u64,
}

/// Cuts a torn batch off the end of the newest journal in `folder`. `None`: there is no such batch.
pub(crate) fn cut_torn_batch(folder: &Path) -> io::Result<Option<Cut>> {
    let Some((_, journal)) = newest(folder)? else { return Ok(None) };
    let mut reader = BufReader::new(File::open(&journal)?);
    loop {
        let at_bytes = reader.stream_position()?;
        match read_batch(&mut reader)? {
            Batch::Whole => {}
            Batch::Torn if matches!(read_batch(&mut reader)?, Batch::None) => {
                let file = OpenOptions::new().write(true).open(&journal)?;
                file.set_len(at_bytes)?;
                file.sync_all()?;
                return Ok(Some(Cut { journal, at_bytes }));
            }
            Batch::Torn | Batch::None => return Ok(None),
        }
    }
}

/// The journal that is written, and its number.
pub(crate) fn newest(folder: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_journal = path.extension().is_some_and(|kind| kind == "jnl");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| is_journal)
            && newest.as_ref().is_none_or(|(known, _)| *known < number)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest)
}

enum Batch {
    Whole,
    /// It ends as one does, and is not what was written.
    Torn,
    /// Nothing, or what ends early.
    None,
}

/// Reads a batch as fjall 3 writes it: start (count, sequence number), items, end (checksum of the items, trailer).
fn read_batch(reader: &mut (impl Read + Seek)) -> io::Result<Batch> {
    match read_entries(reader) {
        Ok(batch) => Ok(batch),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Batch::None),
        Err(error) => Err(error),
    }
}

fn read_entries(reader: &mut impl Read) -> io::Result<Batch> {
    let [tag] = take(reader)?;
    if tag != 1 {
        return Ok(Batch::None);
    }
    let mut left = u32::from_le_bytes(take(reader)?);
    let _sequence_number: [u8; 8] = take(reader)?;
    let mut checksum = Xxh3::new();
    loop {
        let [tag] = take(reader)?;
        match tag {
            2 if left > 0 => {
                let head: [u8; 20] = take(reader)?;
                let [.., k0, k1, _, _, _, _, v0, v1, v2, v3] = head;
                let (key_len, value_len) =
                    (u16::from_le_bytes([k0, k1]), u32::from_le_bytes([v0, v1, v2, v3]));
                if value_len > MAX_VALUE_BYTES {
                    return Ok(Batch::None);
                }
                let mut rest = vec![0; usize::from(key_len) + value_len as usize];
                reader.read_exact(&mut rest)?;
                checksum.update(&[tag]);
                checksum.update(&head);
                checksum.update(&rest);
            }
            4 if left > 0 => {
                let keyspace: [u8; 8] = take(reader)?;
                checksum.update(&[tag]);
                checksum.update(&keyspace);
            }
            3 => {
                let expected = u64::from_le_bytes(take(reader)?);
                let trailer: [u8; TRAILER.len()] = take(reader)?;
                if trailer != *TRAILER {
                    return Ok(Batch::None);
                }
                let is_whole = left == 0 && checksum.digest() == expected;
                return Ok(if is_whole { Batch::Whole } else { Batch::Torn });
            }
            _ => return Ok(Batch::None),
        }
        left -= 1;
    }
}

fn take<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
