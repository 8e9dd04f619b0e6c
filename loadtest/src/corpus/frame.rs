//! A frame that is compressed once and made unique for every visitor without being compressed again.
//!
//! A zlib stream (RFC 1950) is a header, deflate blocks (RFC 1951) and an Adler-32 checksum. What was recorded is deflated once, up to a
//! byte boundary. A visitor's own line is added as one more block that is stored, not compressed, and the checksum goes on from where
//! it was.

use anyhow::Context;
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

const ZLIB_HEADER: [u8; 2] = [0x78, 0x9c];
/// Marker of the last block, stored; its length; the length's complement.
const STORED_HEAD_BYTES: usize = 5;
const CHECKSUM_BYTES: usize = 4;
const ADLER_BASE: u32 = 65_521;
/// The most bytes after which the sums of Adler-32 still fit 32 bits.
const ADLER_RUN: usize = 5_552;

/// Recorded bytes, deflated up to where a visitor's line goes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    blocks: Bytes,
    raw_bytes: usize,
    checksum: u32,
}

impl Frame {
    /// Deflates `raw`, as browsers do.
    pub(crate) fn pack(raw: &[u8]) -> anyhow::Result<Self> {
        let mut blocks = ZLIB_HEADER.to_vec();
        if !raw.is_empty() {
            let mut compress = Compress::new(Compression::default(), false);
            blocks.reserve(raw.len() / 2 + 1024);
            loop {
                let read = usize::try_from(compress.total_in())?;
                compress.compress_vec(&raw[read..], &mut blocks, FlushCompress::Sync).context("deflate")?;
                // Room that is left means that everything was written, the flush's marker too.
                if usize::try_from(compress.total_in())? == raw.len() && blocks.len() < blocks.capacity() {
                    break;
                }
                blocks.reserve(64 << 10);
            }
        }
        Ok(Self { blocks: blocks.into(), raw_bytes: raw.len(), checksum: adler32(1, raw) })
    }

    /// Whether nothing was recorded.
    pub(crate) const fn is_empty(&self) -> bool {
        self.raw_bytes == 0
    }

    /// The recorded part, to be sent as it is.
    pub(crate) const fn blocks(&self) -> &Bytes {
        &self.blocks
    }

    /// Length and inflated length of the frame with `line` at its end.
    pub(crate) const fn lengths_with(&self, line: &[u8]) -> (usize, usize) {
        let len = self.blocks.len() + STORED_HEAD_BYTES + line.len() + CHECKSUM_BYTES;
        (len, self.raw_bytes + line.len())
    }

    /// Appends what follows the recorded part: `line`, at most 65,535 bytes, and the checksum of all.
    pub(crate) fn write_end(&self, line: &[u8], out: &mut Vec<u8>) {
        let length = u16::try_from(line.len()).unwrap_or(u16::MAX);
        let line = &line[..usize::from(length)];
        out.push(1);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(line);
        out.extend_from_slice(&adler32(self.checksum, line).to_be_bytes());
    }
}

/// Adler-32 over `bytes`, going on from `checksum` (1 at the start).
fn adler32(checksum: u32, bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (checksum & 0xffff, checksum >> 16);
    for run in bytes.chunks(ADLER_RUN) {
        for &byte in run {
            a += u32::from(byte);
            b += a;
        }
        a %= ADLER_BASE;
        b %= ADLER_BASE;
    }
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn inflate(frame: &Frame, line: &[u8]) -> Vec<u8> {
        let mut bytes = frame.blocks().to_vec();
        frame.write_end(line, &mut bytes);
        let (len, raw) = frame.lengths_with(line);
        assert_eq!(bytes.len(), len);
        let mut inflated = Vec::new();
        // Fails on a wrong checksum too.
        flate2::read::ZlibDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated.len(), raw);
        inflated
    }

    #[test]
    fn a_line_is_added_without_compressing_again() {
        let recorded: Vec<u8> =
            (0..200_000_u32).flat_map(|n| format!("{{\"n\":{n}}}\n").into_bytes()).collect();
        for raw in [&b""[..], b"x", &recorded[..70_000], &recorded] {
            let frame = Frame::pack(raw).unwrap();
            for line in [&b""[..], b"{\"mark\":1}\n", &[b'y'; 60_000]] {
                assert_eq!(inflate(&frame, line), [raw, line].concat());
            }
        }
    }
}
