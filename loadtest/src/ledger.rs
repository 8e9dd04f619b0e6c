//! What the server said about every batch: the truth that the read model is compared with.
//!
//! A file is a mark and pairs of variable-length integers (LEB128): `visit << 2 | what`, and the batch's number in its recording. The rest
//! (ids, project, content) follows from the visit's number. A few bytes per batch, so that millions of batches are a small file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};

const MARK: &[u8] = b"playhead loadtest ledger 1\n";

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The server said that it has it.
    Acknowledged,
    /// It was sent, and nobody knows whether it arrived.
    Unknown,
    /// The server said that it will never take it.
    Refused,
    /// The visit's erasure was answered; the batch's number says nothing.
    Erased,
}

/// Appends to a file.
pub(crate) struct Writer {
    file: BufWriter<File>,
    entry: Vec<u8>,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        file.write_all(MARK)?;
        Ok(Self { file, entry: Vec::with_capacity(16) })
    }

    pub(crate) fn note(&mut self, what: What, visit: u64, batch: usize) -> std::io::Result<()> {
        self.entry.clear();
        write_integer(&mut self.entry, (visit << 2) | what as u64);
        write_integer(&mut self.entry, batch as u64);
        self.file.write_all(&self.entry)
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn write_integer(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// One visit as the ledger has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) acknowledged: Numbers,
    pub(crate) unknown: Numbers,
    pub(crate) refused: u64,
    pub(crate) erased: bool,
}

/// A set of small numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers(Vec<u64>);

impl Numbers {
    fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| (word >> (number % 64)) & 1 == 1)
    }
}

impl Account {
    pub(crate) fn is_acknowledged(&self, batch: usize) -> bool {
        self.acknowledged.contains(batch)
    }

    /// Sent, never acknowledged: it may be there or not.
    pub(crate) fn is_unknown(&self, batch: usize) -> bool {
        self.unknown.contains(batch) && !self.is_acknowledged(batch)
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// Every visit of the ledgers in a folder (files that end in `.ledger`).
pub(crate) fn read_folder(folder: &Path) -> anyhow::Result<BTreeMap<u64, Account>> {
    let mut accounts = BTreeMap::new();
    for file in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "ledger") {
            let bytes = std::fs::read(&path)?;
            read(&bytes, &mut accounts).with_context(|| format!("{} is damaged", path.display()))?;
        }
    }
    Ok(accounts)
}

fn read(bytes: &[u8], accounts: &mut BTreeMap<u64, Account>) -> anyhow::Result<()> {
    let mut rest = bytes.strip_prefix(MARK).context("not a ledger")?;
    while !rest.is_empty() {
        let head = read_integer(&mut rest)?;
        let batch = usize::try_from(read_integer(&mut rest)?)?;
        let account: &mut Account = accounts.entry(head >> 2).or_default();
        match head & 3 {
            0 => account.acknowledged.insert(batch),
            1 => account.unknown.insert(batch),
            2 => account.refused += 1,
            _ => account.erased = true,
        }
    }
    Ok(())
}

fn read_integer(rest: &mut &[u8]) -> anyhow::Result<u64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (&byte, after) = rest.split_first().context("it ends within a number")?;
        *rest = after;
        if shift >= 64 {
            bail!("a number is too long");
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_again_whatever_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let big = u64::MAX >> 3;
        let mut one = Writer::create(&folder.path().join("0.ledger")).unwrap();
        let mut two = Writer::create(&folder.path().join("1.ledger")).unwrap();
        for batch in 0..200 {
            one.note(What::Acknowledged, 5, batch).unwrap();
        }
        one.note(What::Acknowledged, 5, 3).unwrap();
        one.note(What::Unknown, 5, 200).unwrap();
        two.note(What::Unknown, big, 0).unwrap();
        two.note(What::Acknowledged, big, 0).unwrap();
        two.note(What::Refused, big, 1).unwrap();
        two.note(What::Erased, big, 0).unwrap();
        one.flush().unwrap();
        two.flush().unwrap();
        let accounts = read_folder(folder.path()).unwrap();
        let (five, last) = (&accounts[&5], &accounts[&big]);
        assert_eq!((accounts.len(), five.acknowledged(), five.erased), (2, 200, false));
        assert!(five.is_unknown(200) && !five.is_unknown(199));
        assert!(last.is_acknowledged(0) && !last.is_unknown(0), "acknowledged in the end");
        assert_eq!((last.refused, last.erased), (1, true));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        for bytes in [&b"nonsense"[..], &[MARK, &[0x80]].concat(), &[MARK, &[4]].concat()] {
            assert!(read(bytes, &mut BTreeMap::new()).is_err());
        }
    }
}
