//! Sealing what is stored of a session with a key of its own, so that destroying that key destroys the content, wherever copies are.
//!
//! Every session has a random data key. It is stored only wrapped with a key that derives from the installation's key. A sealed
//! range is a random 24-byte nonce, the ciphertext, and a 16-byte tag (XChaCha20-Poly1305: random nonces never repeat). The session
//! and the purpose are authenticated: a range cannot pass for another session's or for another kind.

mod dictionary;
mod secrets;

use std::cell::RefCell;
use std::fmt;
use std::io::Read;

use bytes::Bytes;
use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zstd::zstd_safe::CParameter;

use crate::id::SessionId;
use crate::row::{Block, EventChunk};

pub use secrets::{SECRETS_PURPOSE, SecretSealer};

/// Purpose for `InstallationKey::derive`: the key that wraps data keys.
pub const WRAPPING_PURPOSE: &str = "playhead session data keys v1";

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// What sealing adds to a range, in bytes.
pub const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;
/// The largest block or chunk once inflated: one block of whole frames, plus one joined event.
pub const MAX_OPEN_BYTES: usize = 128 << 20;
const CHUNK_LEVEL: i32 = 3;
/// 16 MiB: more than a block, so that every repetition within it is found.
const BLOCK_WINDOW_LOG: u32 = 24;

/// Why a range was not opened, or not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another key, another session or purpose, or damaged bytes.
    #[error("sealed {0} does not open: wrong key or damaged bytes")]
    Sealed(&'static str),
    #[error("{what} inflates to more than its {limit} bytes")]
    TooLong { what: &'static str, limit: usize },
    #[error("compression failed: {0}")]
    Compression(String),
    #[error("compressed with dictionary {0}, which this version does not have: upgrade it")]
    Dictionary(u8),
    #[error("no random bytes: {0}")]
    Random(String),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Random(_))
    }
}

/// Looking at 64 places for each match, where level 8 looks at 16, makes blocks a twentieth smaller for a quarter more time; the levels that are as small (11 and
/// up) take twice as long, and larger tables.
const THOROUGH_SEARCH_LOG: u32 = 6;

/// How much processor time a block may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// About three quarters of the size that [`Effort::Quick`] gives, at six times its cost.
    Thorough,
    Quick,
}

impl Effort {
    /// What compresses blocks, one after the other. The window spans a block. Matching over long distances beside it, which zstd offers, costs twice
    /// the time and finds nothing that the window does not have.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn compressor(self) -> std::io::Result<zstd::bulk::Compressor<'static>> {
        let level = match self {
            Self::Thorough => 8,
            Self::Quick => 3,
        };
        let mut compressor = zstd::bulk::Compressor::new(level)?;
        compressor.set_parameter(CParameter::WindowLog(BLOCK_WINDOW_LOG))?;
        if self == Self::Thorough {
            compressor.set_parameter(CParameter::SearchLog(THOROUGH_SEARCH_LOG))?;
        }
        Ok(compressor)
    }
}

/// What a range holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Key,
    Events,
    Frame,
    Block,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Events => "events",
            Self::Frame => "frame",
            Self::Block => "block",
        }
    }

    fn associated(self, session: SessionId) -> Vec<u8> {
        [&session.0[..], self.name().as_bytes()].concat()
    }
}

/// A session's data key.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Wraps and unwraps data keys.
#[derive(Clone)]
pub struct KeyWrapper(DataKey);

impl fmt::Debug for KeyWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyWrapper(…)")
    }
}

impl KeyWrapper {
    /// `wrapping_key` is the installation's key derived for [`WRAPPING_PURPOSE`].
    #[must_use]
    pub const fn new(wrapping_key: [u8; 32]) -> Self {
        Self(DataKey(wrapping_key))
    }

    /// A new random data key, and its wrapped form for [`crate::row::SessionKey`].
    ///
    /// # Errors
    /// [`Error::Random`] when the system gives no random bytes.
    pub fn create(&self, session: SessionId) -> Result<(DataKey, Bytes), Error> {
        let mut key = [0u8; 32];
        getrandom::fill(&mut key).map_err(|error| Error::Random(error.to_string()))?;
        let wrapped = self.0.seal(session, Purpose::Key, &key)?;
        Ok((DataKey(key), wrapped.into()))
    }

    /// The data key of its wrapped form.
    ///
    /// # Errors
    /// [`Error::Sealed`] when it was wrapped for another session or by another installation.
    pub fn unwrap(&self, session: SessionId, wrapped: &[u8]) -> Result<DataKey, Error> {
        let key = self.0.open(session, Purpose::Key, wrapped)?;
        key.try_into().map(DataKey).map_err(|_| Error::Sealed("key"))
    }
}

impl DataKey {
    /// Seals a range; [`OVERHEAD_BYTES`] longer than `plain`.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, session: SessionId, purpose: Purpose, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        self.seal_onto(&mut sealed, session, purpose, plain)?;
        Ok(sealed)
    }

    /// The same, onto the end of `sealed`, which stays as it was on an error but for that end.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal_onto(
        &self,
        sealed: &mut Vec<u8>,
        session: SessionId,
        purpose: Purpose,
        plain: &[u8],
    ) -> Result<(), Error> {
        let mut nonce = [0u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| Error::Random(error.to_string()))?;
        sealed.reserve(plain.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&nonce);
        let begin = sealed.len();
        sealed.extend_from_slice(plain);
        let tag = self
            .cipher()
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &purpose.associated(session),
                (&mut sealed[begin..]).into(),
            )
            .map_err(|_| Error::Sealed(purpose.name()))?;
        sealed.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens a range; [`OVERHEAD_BYTES`] shorter than `sealed`.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn open(&self, session: SessionId, purpose: Purpose, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let error = Error::Sealed(purpose.name());
        let (nonce, message) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| error.clone())?;
        let payload = Payload { msg: message, aad: &purpose.associated(session) };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| error)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Compresses, with a dictionary, and seals NDJSON of events for [`EventChunk::sealed`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn seal_events(&self, session: SessionId, ndjson: &[u8]) -> Result<Vec<u8>, Error> {
        let packed = compress_chunk(ndjson).map_err(|error| Error::Compression(error.to_string()))?;
        self.seal(session, Purpose::Events, &packed)
    }

    /// The NDJSON of a chunk: one normalized event a line, `raw_bytes` long.
    ///
    /// # Errors
    /// [`Error`]; never uses more memory than the chunk says and [`MAX_OPEN_BYTES`].
    pub fn open_events(&self, session: SessionId, chunk: &EventChunk) -> Result<Vec<u8>, Error> {
        let packed = self.open(session, Purpose::Events, &chunk.sealed)?;
        inflate(&packed, chunk.raw_bytes as usize, "chunk of events")
    }

    /// Compresses, with a dictionary, and seals a block of dom lines.
    ///
    /// # Errors
    /// [`Error`].
    pub fn seal_block(
        &self,
        session: SessionId,
        ndjson: &[u8],
        compressor: &mut BlockCompressor,
    ) -> Result<Vec<u8>, Error> {
        let packed = compress(&mut compressor.0, dictionary::RECORDINGS, ndjson)
            .map_err(|error| Error::Compression(error.to_string()))?;
        self.seal(session, Purpose::Block, &packed)
    }

    /// The first `upto` raw bytes of a block (`sealed` is its range in the object); fewer inflate faster.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open_block(
        &self,
        session: SessionId,
        block: &Block,
        sealed: &[u8],
        upto: usize,
    ) -> Result<Vec<u8>, Error> {
        let packed = self.open(session, Purpose::Block, sealed)?;
        inflate_prefix(&packed, upto.min(block.raw_bytes as usize), "block")
    }
}

thread_local! {
    /// A batch's events are few: to set a compressor up costs more than to use it.
    static CHUNK_COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress_chunk(ndjson: &[u8]) -> std::io::Result<Vec<u8>> {
    CHUNK_COMPRESSOR.with_borrow_mut(|slot| {
        let mut compressor = match slot.take() {
            Some(compressor) => compressor,
            None => zstd::bulk::Compressor::new(CHUNK_LEVEL)?,
        };
        let packed = compress(&mut compressor, dictionary::EVENTS, ndjson);
        *slot = Some(compressor);
        packed
    })
}

/// Compresses blocks one after the other, each for itself. Its tables take tens of MB, which to clear for every block anew would cost
/// a tenth of the time.
pub struct BlockCompressor(zstd::bulk::Compressor<'static>);

impl BlockCompressor {
    /// # Errors
    /// [`Error::Compression`]: there is no memory for it.
    pub fn new(effort: Effort) -> Result<Self, Error> {
        effort.compressor().map(Self).map_err(|error| Error::Compression(error.to_string()))
    }
}

impl fmt::Debug for BlockCompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockCompressor")
    }
}

/// As if the dictionary stood before it. zstd takes a prefix for one frame, and with it the compressor's own parameters; a dictionary
/// that it digests would bring others, which make long blocks larger.
fn compress(
    compressor: &mut zstd::bulk::Compressor<'static>,
    number: u8,
    ndjson: &[u8],
) -> std::io::Result<Vec<u8>> {
    let prefix = dictionary::text(number).map_err(std::io::Error::other)?;
    let failed = |code| std::io::Error::other(zstd::zstd_safe::get_error_name(code));
    compressor.context_mut().ref_prefix(prefix).map_err(failed)?;
    let frame = compressor.compress(ndjson)?;
    Ok([&[number], &frame[..]].concat())
}

fn inflate(packed: &[u8], declared: usize, what: &'static str) -> Result<Vec<u8>, Error> {
    let bytes = inflate_prefix(packed, declared.saturating_add(1), what)?;
    if bytes.len() > declared { Err(Error::TooLong { what, limit: declared }) } else { Ok(bytes) }
}

fn inflate_prefix(packed: &[u8], upto: usize, what: &'static str) -> Result<Vec<u8>, Error> {
    if upto > MAX_OPEN_BYTES {
        return Err(Error::TooLong { what, limit: MAX_OPEN_BYTES });
    }
    let failed = |error: std::io::Error| Error::Compression(error.to_string());
    let (dictionary, frame) = dictionary::split(packed)?;
    let decoder = zstd::stream::read::Decoder::with_ref_prefix(frame, dictionary).map_err(failed)?;
    let mut bytes = Vec::with_capacity(upto);
    decoder.take(upto as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SESSION: SessionId = SessionId([7; 16]);

    fn key() -> DataKey {
        KeyWrapper::new([1; 32]).create(SESSION).unwrap().0
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(plain: Vec<u8>) {
            let key = key();
            let sealed = key.seal(SESSION, Purpose::Frame, &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
            prop_assert_eq!(key.open(SESSION, Purpose::Frame, &sealed).unwrap(), plain);
        }

        #[test]
        fn any_bytes_are_refused_without_panic(bytes: Vec<u8>) {
            prop_assert!(key().open(SESSION, Purpose::Block, &bytes).is_err());
        }
    }

    #[test]
    fn a_range_is_of_one_session_and_one_purpose() {
        let key = key();
        let sealed = key.seal(SESSION, Purpose::Frame, b"secret").unwrap();
        assert!(key.open(SessionId([8; 16]), Purpose::Frame, &sealed).is_err());
        assert!(key.open(SESSION, Purpose::Block, &sealed).is_err());
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn a_key_opens_for_its_session_and_installation_only() {
        let wrapper = KeyWrapper::new([1; 32]);
        let (key, wrapped) = wrapper.create(SESSION).unwrap();
        let sealed = key.seal(SESSION, Purpose::Frame, b"x").unwrap();
        assert_eq!(
            wrapper.unwrap(SESSION, &wrapped).unwrap().open(SESSION, Purpose::Frame, &sealed).unwrap(),
            b"x"
        );
        assert!(wrapper.unwrap(SessionId([8; 16]), &wrapped).is_err());
        assert!(KeyWrapper::new([2; 32]).unwrap(SESSION, &wrapped).is_err());
    }

    #[test]
    fn a_chunk_stops_at_what_it_declares() {
        let key = key();
        let sealed: Bytes = key.seal_events(SESSION, &vec![b'a'; 1 << 20]).unwrap().into();
        let chunk = |raw_bytes| EventChunk { sealed: sealed.clone(), raw_bytes, ..EventChunk::default() };
        assert_eq!(key.open_events(SESSION, &chunk(1 << 20)).unwrap().len(), 1 << 20);
        assert!(matches!(key.open_events(SESSION, &chunk(1000)), Err(Error::TooLong { .. })));
    }

    #[test]
    fn a_block_opens_whole_or_in_part() {
        let key = key();
        let raw: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        let sealed =
            key.seal_block(SESSION, &raw, &mut BlockCompressor::new(Effort::Thorough).unwrap()).unwrap();
        let raw_bytes = u32::try_from(raw.len()).unwrap();
        let block = Block { raw_bytes, ..Block::default() };
        assert_eq!(key.open_block(SESSION, &block, &sealed, usize::MAX).unwrap(), raw);
        assert_eq!(key.open_block(SESSION, &block, &sealed, 10).unwrap(), raw[..10]);
    }

    #[test]
    fn a_block_from_before_there_was_a_dictionary_opens() {
        let key = key();
        let raw = b"{\"type\":4}\n".repeat(100);
        let packed = Effort::Quick.compressor().unwrap().compress(&raw).unwrap();
        let open = |packed: &[u8]| {
            let sealed = key.seal(SESSION, Purpose::Block, packed).unwrap();
            let block = Block { raw_bytes: 1_200, ..Block::default() };
            key.open_block(SESSION, &block, &sealed, usize::MAX)
        };
        assert_eq!(open(&packed).unwrap(), raw);
        let newer = [&[99], &packed[..]].concat();
        assert_eq!(open(&newer), Err(Error::Dictionary(99)));
        assert!(matches!(open(&[]), Err(Error::Compression(_))) || open(&[]).unwrap().is_empty());
    }

    #[test]
    fn every_block_of_one_compressor_has_the_dictionary() {
        let (key, mut compressor) = (key(), BlockCompressor::new(Effort::Thorough).unwrap());
        let raw = br#"{"type":3,"data":{"source":0,"texts":[],"attributes":[],"removes":[],"adds":[]},"timestamp":17"#;
        let mut length = || key.seal_block(SESSION, raw, &mut compressor).unwrap().len();
        let (first, second) = (length(), length());
        assert_eq!(first, second);
        assert!(first < OVERHEAD_BYTES + 40, "{first} bytes: the line is in the dictionary");
    }
}
