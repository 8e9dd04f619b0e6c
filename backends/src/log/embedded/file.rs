//! A file of records: the writer appends to it until it is full, and then seals it with an index beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, IoSlice, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::RwLock;
use playhead_domain::log::{Error, Position, StoredRecord};

use super::codec;
use super::index::{self, Place, Span, Summary};
use super::unavailable;

const MAGIC: &[u8; 8] = b"phrecs01";
/// Where the first record begins.
pub(super) const FIRST_AT: u64 = MAGIC.len() as u64;
const EXTENSION: &str = "records";

/// One file of records.
pub(super) struct RecordFile {
    path: PathBuf,
    state: RwLock<State>,
}

enum State {
    /// Takes appends. The places are those of durable records, by partition.
    Open { file: Arc<File>, bytes: u64, places: Vec<Vec<Place>> },
    /// Only read from now on.
    Sealed(Arc<Summary>),
}

/// The folder's record files, oldest first.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        match (number, path.extension()) {
            (Some(number), Some(kind)) if kind == EXTENSION => files.push((number, path)),
            // What a crash left of an index or of a removed file.
            _ if !path.with_extension(EXTENSION).exists() => std::fs::remove_file(path)?,
            _ => {}
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl RecordFile {
    /// A new, empty file whose name is durable.
    pub(super) fn create(folder: &Path, number: u64, partitions: usize) -> io::Result<Self> {
        let path = folder.join(format!("{number:020}.{EXTENSION}"));
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        file.write_all(MAGIC)?;
        sync_folder(folder)?;
        let state =
            State::Open { file: Arc::new(file), bytes: FIRST_AT, places: vec![Vec::new(); partitions] };
        Ok(Self { path, state: RwLock::new(state) })
    }

    /// A file that was written before, sealed, and what it holds. Nothing when it holds no record; then it is removed.
    pub(super) fn recover(path: PathBuf, partitions: usize) -> Result<Option<(Self, Arc<Summary>)>, Error> {
        let file_bytes = path.metadata().map_err(unavailable)?.len();
        let indexed = index::read_summary(&path.with_extension("index"), partitions);
        let summary = match indexed.filter(|summary| summary.file_bytes == file_bytes) {
            Some(summary) => summary,
            None => match repair(&path, partitions)? {
                Some(summary) => summary,
                None => return Ok(None),
            },
        };
        let summary = Arc::new(summary);
        let state = RwLock::new(State::Sealed(Arc::clone(&summary)));
        Ok(Some((Self { path, state }, summary)))
    }

    /// How long the file is.
    pub(super) fn bytes(&self) -> u64 {
        match &*self.state.read() {
            State::Open { bytes, .. } => *bytes,
            State::Sealed(summary) => summary.file_bytes,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(*self.state.read(), State::Open { .. })
    }

    /// Appends the parts and makes them durable. After an error the file's end is not known. Called by the writer only.
    pub(super) fn append(&self, parts: &[Bytes]) -> io::Result<()> {
        let file = match &*self.state.read() {
            State::Open { file, .. } => Arc::clone(file),
            State::Sealed(_) => return Err(io::Error::other("a sealed file takes no records")),
        };
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match (&*file).write_vectored(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        file.sync_data()
    }

    /// Lets readers find what [`RecordFile::append`] made durable.
    pub(super) fn note(&self, written: &[(Position, Place)]) {
        if let State::Open { bytes, places, .. } = &mut *self.state.write() {
            for (position, place) in written {
                *bytes = (*bytes).max(u64::from(place.at) + u64::from(place.len));
                places[position.partition as usize].push(*place);
            }
        }
    }

    /// Ends the file: its index goes to the disk and out of memory. `first` are the partitions' first offsets.
    pub(super) fn seal(&self, first: &[u64], started_us: i64, newest_append_us: i64) -> io::Result<()> {
        let summary = {
            let state = self.state.read();
            let State::Open { bytes, places, .. } = &*state else { return Ok(()) };
            let spans = first.iter().zip(places);
            let spans = spans.map(|(&first, places)| Span { first, count: places.len() as u64 }).collect();
            let summary = Summary { file_bytes: *bytes, started_us, newest_append_us, spans };
            index::write(&self.path.with_extension("index"), &summary, places)?;
            summary
        };
        *self.state.write() = State::Sealed(Arc::new(summary));
        Ok(())
    }

    /// The places of up to `count` records of a partition, from the `from`th on.
    pub(super) fn places(&self, partition: usize, from: u64, count: usize) -> io::Result<Vec<Place>> {
        let summary = match &*self.state.read() {
            State::Open { places, .. } => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                return Ok(places[partition].iter().skip(from).take(count).copied().collect());
            }
            State::Sealed(summary) => Arc::clone(summary),
        };
        index::read_places(&self.path.with_extension("index"), &summary, partition, from, count)
    }

    /// The file, for [`read_record`].
    pub(super) fn reader(&self) -> io::Result<Arc<File>> {
        if let State::Open { file, .. } = &*self.state.read() {
            return Ok(Arc::clone(file));
        }
        File::open(&self.path).map(Arc::new)
    }

    /// Removes the file from the disk.
    pub(super) fn remove(&self) -> io::Result<()> {
        for path in [self.path.with_extension("index"), self.path.clone()] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

/// Reads the record that must be at `position`.
pub(super) fn read_record(file: &File, place: Place, position: Position) -> Result<StoredRecord, Error> {
    let mut stored = BytesMut::zeroed(place.len as usize);
    file.read_exact_at(&mut stored, u64::from(place.at)).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Error::Corrupt(format!("{position:?} is cut off")),
        _ => unavailable(error),
    })?;
    codec::decode_at(position, stored.freeze())
}

/// Finds the whole records of a file that was not sealed, cuts off what an append that was never answered left behind, and
/// seals it.
fn repair(path: &Path, partitions: usize) -> Result<Option<Summary>, Error> {
    let mend = || -> io::Result<Option<Summary>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let length = file.metadata()?.len();
        let (summary, places) = scan(&file, length, partitions)?;
        if places.iter().all(Vec::is_empty) {
            std::fs::remove_file(path)?;
            return Ok(None);
        }
        if summary.file_bytes < length {
            let (bytes, path) = (length - summary.file_bytes, path.display());
            tracing::warn!(bytes, %path, "an unfinished append at the end of the log was cut off");
            file.set_len(summary.file_bytes)?;
        }
        // What is read from now on must not vanish with the power.
        file.sync_all()?;
        index::write(&path.with_extension("index"), &summary, &places)?;
        Ok(Some(summary))
    };
    mend().map_err(unavailable)
}

fn scan(file: &File, length: u64, partitions: usize) -> io::Result<(Summary, Vec<Vec<Place>>)> {
    let mut spans = vec![Span::default(); partitions];
    let mut places = vec![Vec::new(); partitions];
    let (mut at, mut started_us, mut newest_append_us) = (FIRST_AT, None, i64::MIN);
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; MAGIC.len()];
    let genuine = length >= FIRST_AT && reader.read_exact(&mut magic).is_ok() && magic == *MAGIC;
    while genuine && let Some((record, len)) = next_record(&mut reader, length - at)? {
        let partition = record.position.partition as usize;
        let Some(span) = spans.get_mut(partition) else { break };
        if span.count == 0 {
            span.first = record.position.offset;
        } else if span.first + span.count != record.position.offset {
            break;
        }
        span.count += 1;
        let (Ok(place_at), Ok(place_len)) = (u32::try_from(at), u32::try_from(len)) else { break };
        places[partition].push(Place { at: place_at, len: place_len });
        at += len as u64;
        started_us.get_or_insert(record.append_us);
        newest_append_us = newest_append_us.max(record.append_us);
    }
    let started_us = started_us.unwrap_or_default();
    Ok((Summary { file_bytes: at, started_us, newest_append_us, spans }, places))
}

/// The next whole record and how long it is there, if there is one.
fn next_record(reader: &mut impl Read, left: u64) -> io::Result<Option<(StoredRecord, usize)>> {
    let mut head = [0; codec::HEADER_BYTES];
    if left < head.len() as u64 {
        return Ok(None);
    }
    reader.read_exact(&mut head)?;
    let Some(length) = codec::stored_len(&head).filter(|&length| length as u64 <= left) else {
        return Ok(None);
    };
    let mut stored = BytesMut::zeroed(length);
    stored[..head.len()].copy_from_slice(&head);
    reader.read_exact(&mut stored[head.len()..])?;
    Ok(codec::decode(stored.freeze()).ok().map(|record| (record, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::log::Record;
    use proptest::prelude::*;

    const PARTITIONS: usize = 2;

    fn record(number: u64) -> Record {
        Record { key: "key".into(), value: vec![7; 20 + number as usize].into(), meta: "meta".into() }
    }

    fn position(number: u64) -> Position {
        Position { partition: (number % 2) as u32, offset: 100 + number / 2 }
    }

    /// A file of `count` records that was not sealed, and where each record ends.
    fn write_file(folder: &Path, count: u64) -> (PathBuf, Vec<u64>) {
        let file = RecordFile::create(folder, 1, PARTITIONS).unwrap();
        let (mut at, mut ends) = (FIRST_AT, Vec::new());
        for number in 0..count {
            let stored = codec::encode(&record(number), position(number), 5).unwrap();
            let place = Place { at: at as u32, len: stored.len() as u32 };
            file.append(std::slice::from_ref(&stored)).unwrap();
            file.note(&[(position(number), place)]);
            at += u64::from(place.len);
            ends.push(at);
        }
        assert_eq!(file.bytes(), at);
        (file.path, ends)
    }

    fn check(file: &RecordFile, summary: &Summary, count: u64) {
        assert_eq!(summary.spans.iter().map(|span| span.count).sum::<u64>(), count);
        let reader = file.reader().unwrap();
        for number in 0..count {
            let place = file.places((number % 2) as usize, number / 2, 1).unwrap()[0];
            let read = read_record(&reader, place, position(number)).unwrap();
            assert_eq!((read.value, read.append_us), (record(number).value, 5));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever part of the last append is on the disk, and whatever lies behind it: all whole records are read.
        #[test]
        fn an_unfinished_append_is_cut_off(cut: prop::sample::Index, garbage in prop::collection::vec(any::<u8>(), 0..80)) {
            let folder = tempfile::tempdir().unwrap();
            let (path, ends) = write_file(folder.path(), 9);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.truncate(cut.index(bytes.len() + 1));
            let whole = ends.iter().filter(|&&end| end <= bytes.len() as u64).count() as u64;
            bytes.extend(garbage);
            std::fs::write(&path, &bytes).unwrap();
            match RecordFile::recover(path.clone(), PARTITIONS).unwrap() {
                Some((file, summary)) => {
                    check(&file, &summary, whole);
                    prop_assert_eq!(path.metadata().unwrap().len(), ends[whole as usize - 1]);
                    let (again, summary) = RecordFile::recover(path, PARTITIONS).unwrap().unwrap();
                    check(&again, &summary, whole);
                }
                None => {
                    prop_assert_eq!(whole, 0);
                    prop_assert!(!path.exists());
                }
            }
        }
    }

    #[test]
    fn a_sealed_file_is_opened_by_its_index_and_one_that_does_not_fit_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ends) = write_file(folder.path(), 6);
        let (file, summary) = RecordFile::recover(path.clone(), PARTITIONS).unwrap().unwrap();
        check(&file, &summary, 6);
        let index = path.with_extension("index");
        assert!(index.exists() && !file.is_open());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..ends[3] as usize]).unwrap();
        let (shorter, summary) = RecordFile::recover(path.clone(), PARTITIONS).unwrap().unwrap();
        check(&shorter, &summary, 4);
        shorter.remove().unwrap();
        assert!(!path.exists() && !index.exists());
    }

    #[test]
    fn a_sealed_file_says_what_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ends) = write_file(folder.path(), 3);
        let (file, _) = RecordFile::recover(path.clone(), PARTITIONS).unwrap().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[ends[1] as usize - 1] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let place = file.places(1, 0, 1).unwrap()[0];
        let read = read_record(&file.reader().unwrap(), place, position(1));
        assert!(matches!(read, Err(Error::Corrupt(_))), "{read:?}");
    }

    #[test]
    fn leftovers_without_a_file_go_and_files_are_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["2.records", "10.records", "10.index", "3.index", "4.new"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let numbers: Vec<u64> = list(folder.path()).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [2, 10]);
        assert!(folder.path().join("10.index").exists());
        assert!(!folder.path().join("3.index").exists() && !folder.path().join("4.new").exists());
    }
}
