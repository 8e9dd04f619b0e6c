//! What recordings have in common, and what events have: names of HTML, of CSS, of fields. With it a short session, which is mostly its
//! first key frame, takes a tenth less room, and the events of a batch a third.
//!
//! A dictionary is part of the stored form: never change one; add another, with a number of its own.

use super::Error;

/// The newest for blocks of recordings.
pub(super) const RECORDINGS: u8 = 1;
/// The newest for the events of a batch.
pub(super) const EVENTS: u8 = 2;
/// What a frame of zstd begins with: what was written before there were dictionaries.
const NONE: u8 = 0x28;

/// What was compressed, in front of which its dictionary's number stands: no row that somebody writes anew can lose it.
pub(super) fn split(packed: &[u8]) -> Result<(&'static [u8], &[u8]), Error> {
    match packed {
        [] | [NONE, ..] => Ok((&[], packed)),
        [number, frame @ ..] => Ok((text(*number)?, frame)),
    }
}

/// The text of a dictionary.
pub(super) const fn text(number: u8) -> Result<&'static [u8], Error> {
    match number {
        RECORDINGS => Ok(include_bytes!("recordings-1.txt")),
        EVENTS => Ok(include_bytes!("events-1.txt")),
        unknown => Err(Error::Dictionary(unknown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_with_a_dictionary_needs_it_to_the_byte() {
        let digest = |number| blake3::hash(text(number).unwrap()).to_hex().to_string();
        assert_eq!(digest(RECORDINGS), "bbf17cbf8a558d39dac3c4468c6c342d6d123ad65112ee897810021b5f9c4787");
        assert_eq!(digest(EVENTS), "e666da83388ce547a2c595b262f351aadbf507700983e5121944e54a56a0bf2e");
    }
}
