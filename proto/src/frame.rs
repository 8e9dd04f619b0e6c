//! Inflating a frame, never past what it declared.

use std::io::Read;

use serde::Deserialize;

/// How a frame is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    None,
    /// zlib, RFC 1950.
    Deflate,
}

impl Encoding {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Deflate => "deflate",
        }
    }

    /// The encoding of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }
}

/// A frame that is not what its header said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("does not inflate: {0}")]
    Corrupt(String),
    #[error("inflates to more than its declared {declared} bytes")]
    TooLong { declared: usize },
    #[error("ends after {got} of its declared {declared} bytes")]
    TooShort { got: usize, declared: usize },
}

impl FrameError {
    /// A stable name for metrics and dead letters.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "frame_corrupt",
            Self::TooLong { .. } => "frame_too_long",
            Self::TooShort { .. } => "frame_too_short",
        }
    }
}

/// What came out of a frame: everything, or what preceded a fault.
#[derive(Debug)]
pub struct Inflated {
    pub bytes: Vec<u8>,
    pub fault: Option<FrameError>,
}

/// Inflates up to `declared` bytes and keeps what came before a fault. Uses at most `declared` + a few KiB of memory; the caller
/// has checked `declared` against its limit.
#[must_use]
pub fn inflate_lossy(frame: &[u8], encoding: Encoding, declared: usize) -> Inflated {
    match encoding {
        Encoding::None => {
            finish(frame[..frame.len().min(declared)].to_vec(), frame.len() > declared, declared, None)
        }
        Encoding::Deflate => inflate_deflate(frame, declared),
    }
}

fn inflate_deflate(frame: &[u8], declared: usize) -> Inflated {
    // A hostile length must not reserve more than the frame could plausibly hold (deflate reaches 1032:1).
    let mut bytes = Vec::with_capacity(declared.min(frame.len().saturating_mul(1032)));
    let mut reader = flate2::bufread::ZlibDecoder::new(frame).take(declared as u64 + 1);
    let error = reader.read_to_end(&mut bytes).err().map(|e| FrameError::Corrupt(e.to_string()));
    let over = bytes.len() > declared;
    bytes.truncate(declared);
    finish(bytes, over, declared, error)
}

fn finish(bytes: Vec<u8>, over: bool, declared: usize, error: Option<FrameError>) -> Inflated {
    let got = bytes.len();
    let fault = match error {
        Some(error) => Some(error),
        None if over => Some(FrameError::TooLong { declared }),
        None if got < declared => Some(FrameError::TooShort { got, declared }),
        None => None,
    };
    Inflated { bytes, fault }
}

/// Inflates a frame whole.
///
/// # Errors
/// [`FrameError`] when it is not exactly `declared` bytes.
pub fn inflate(frame: &[u8], encoding: Encoding, declared: usize) -> Result<Vec<u8>, FrameError> {
    let inflated = inflate_lossy(frame, encoding, declared);
    match inflated.fault {
        None => Ok(inflated.bytes),
        Some(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_frame_reads_back() {
        assert_eq!(inflate(&deflate(b"hello"), Encoding::Deflate, 5).unwrap(), b"hello");
        assert_eq!(inflate(b"hello", Encoding::None, 5).unwrap(), b"hello");
    }

    #[test]
    fn a_bomb_stops_at_the_declared_length() {
        let bomb = deflate(&vec![0u8; 50 << 20]);
        let inflated = inflate_lossy(&bomb, Encoding::Deflate, 1000);
        assert_eq!(
            (inflated.bytes.len(), inflated.fault),
            (1000, Some(FrameError::TooLong { declared: 1000 }))
        );
        assert!(inflated.bytes.capacity() < 100_000);
    }

    #[test]
    fn what_precedes_a_fault_is_kept() {
        let mut frame = deflate(&(0..100_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        let half = frame.len() / 2;
        frame.truncate(half);
        let inflated = inflate_lossy(&frame, Encoding::Deflate, 400_000);
        assert!(inflated.bytes.len() > 1000 && inflated.fault.is_some());
        assert!(matches!(
            inflate(&deflate(b"abc"), Encoding::Deflate, 4),
            Err(FrameError::TooShort { got: 3, .. })
        ));
        assert!(matches!(inflate(b"nonsense", Encoding::Deflate, 4), Err(FrameError::Corrupt(_))));
    }
}
