//! Random bytes: ids and secrets.

use crate::error::ApiError;

/// # Errors
/// [`ApiError::Internal`] when the system gives none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(bytes)
}
