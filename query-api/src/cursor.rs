//! Cursors: opaque, and bound to the question that they continue. They hold no secret and grant nothing: a forged one
//! only starts a list somewhere else within what the caller may read.

use crate::error::ApiError;

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
/// Positions are keys of rows: short.
const MAX_POSITION_BYTES: usize = 256;

/// Writes `position` for the question that `question` describes.
pub(crate) fn write(question: &[u8], position: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&check(question, position));
    bytes.extend_from_slice(position);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a cursor that was made for the same question.
pub(crate) fn read(question: &[u8], cursor: &str) -> Result<Vec<u8>, ApiError> {
    if cursor.len() > 2 * (1 + CHECK_BYTES + MAX_POSITION_BYTES)
        || !cursor.is_ascii()
        || !cursor.len().is_multiple_of(2)
    {
        return Err(foreign());
    }
    let bytes: Vec<u8> = (0..cursor.len() / 2)
        .map(|at| u8::from_str_radix(&cursor[2 * at..2 * at + 2], 16).map_err(|_| foreign()))
        .collect::<Result<_, _>>()?;
    let (head, position) = bytes.split_at_checked(1 + CHECK_BYTES).ok_or_else(foreign)?;
    if head[0] != VERSION || head[1..] != check(question, position) {
        return Err(foreign());
    }
    Ok(position.to_vec())
}

/// Writes a place in an order: by a number, and among equal ones by an id. Both as they are sorted.
pub(crate) fn write_place(question: &[u8], number: [u8; 8], id: [u8; 16]) -> String {
    write(question, &[&number[..], &id].concat())
}

/// Reads what [`write_place`] wrote for the same question.
pub(crate) fn read_place(question: &[u8], cursor: &str) -> Result<([u8; 8], [u8; 16]), ApiError> {
    let position = read(question, cursor)?;
    let place = position.split_first_chunk().and_then(|(number, id)| Some((*number, id.try_into().ok()?)));
    place.ok_or_else(foreign)
}

fn foreign() -> ApiError {
    ApiError::bad("cursor", "not a cursor of this list; start without one")
}

fn check(question: &[u8], position: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(question.len() as u64).to_le_bytes()).update(question).update(position);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_continues_its_own_question_only() {
        let cursor = write(b"errors", b"here");
        assert_eq!(read(b"errors", &cursor).unwrap(), b"here");
        assert!(read(b"requests", &cursor).is_err());
        assert!(read(b"errors", &cursor[2..]).is_err());
        for text in ["", "zz", "0", "é0", "01", &"0".repeat(2_000)] {
            assert!(read(b"errors", text).is_err(), "{text}");
        }
    }
}
