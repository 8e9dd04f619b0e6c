//! The folder that `playhead up` keeps everything in: who may use it, and which version wrote it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The layout that this version reads and writes.
const FORMAT: u32 = 3;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("another process uses the data folder {}; stop it or choose another folder", .0.display())]
    Locked(PathBuf),
    #[error("the data folder {} was written by a newer version (format {found}, this one reads up to {known}); install that version",
        path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("the data folder {} was written before the first release (format {found}, this version reads {known}); choose another folder",
        path.display())]
    Older { path: PathBuf, found: u32, known: u32 },
    #[error("{} is not a data folder: its file `format` says {found:?}", path.display())]
    Foreign { path: PathBuf, found: String },
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked(_))
    }
}

/// A data folder that this process holds until the value is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    // Holds the lock.
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, creating it if it is not there, and locks it for this process.
    ///
    /// # Errors
    /// When another process holds it, a newer version wrote it, or it cannot be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let failed = |source| Error::Io { path: path.clone(), source };
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join("lock"));
        let lock = open.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        check_format(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Where the embedded log lies.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Where the embedded store lies.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Where blobs lie.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn check_format(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    match std::fs::read_to_string(path.join("format")) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(()),
            Ok(found) if found < FORMAT => Err(Error::Older { path: path.to_owned(), found, known: FORMAT }),
            Ok(found) => Err(Error::Newer { path: path.to_owned(), found, known: FORMAT }),
            Err(_) => Err(Error::Foreign { path: path.to_owned(), found: text.chars().take(40).collect() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_format(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// Writes beside and renames, so that a crash leaves either no version or a whole one.
fn write_format(path: &Path) -> io::Result<()> {
    let new = path.join("format.new");
    let mut file = File::create(&new)?;
    file.write_all(format!("{FORMAT}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, path.join("format"))?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(&refused, Error::Locked(path) if path == first.path()), "{refused}");
        assert!(refused.to_string().contains(first.path().to_str().unwrap()));
        drop(first);
        assert!(DataFolder::open(folder.path()).is_ok());
    }

    #[test]
    fn data_of_another_version_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("format"), "4\n").unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(refused, Error::Newer { found: 4, known: FORMAT, .. }), "{refused}");
        assert_eq!(std::fs::read_to_string(folder.path().join("format")).unwrap(), "4\n");
        std::fs::write(folder.path().join("format"), "1\n").unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(refused, Error::Older { found: 1, known: FORMAT, .. }), "{refused}");
    }

    #[test]
    fn a_foreign_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("format"), "jpeg").unwrap();
        assert!(matches!(DataFolder::open(folder.path()), Err(Error::Foreign { .. })));
    }
}
