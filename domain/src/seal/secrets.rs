//! Sealing what a project was trusted with: addresses and keys of the services that it tells things to.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{Error, NONCE_BYTES};
use crate::scope::Scope;

/// Purpose for `InstallationKey::derive`: the key that seals secrets of projects.
pub const SECRETS_PURPOSE: &str = "playhead project secrets v1";

/// Seals and opens secrets of projects. Form as in [`super`]; project, kind and id are authenticated, so a sealed secret that was copied to
/// another row does not open there.
#[derive(Clone)]
pub struct SecretSealer([u8; 32]);

impl fmt::Debug for SecretSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSealer(…)")
    }
}

impl SecretSealer {
    /// `key` is the installation's key derived for [`SECRETS_PURPOSE`].
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Seals the secret of that kind and id; [`super::OVERHEAD_BYTES`] longer than `plain`.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, scope: Scope, kind: &'static str, id: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| Error::Random(error.to_string()))?;
        let payload = Payload { msg: plain, aad: &associated(scope, kind, id) };
        let message =
            self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Sealed(kind))?;
        Ok([&nonce[..], &message].concat())
    }

    /// Opens what was sealed for the same project, kind and id.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn open(&self, scope: Scope, kind: &'static str, id: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, message) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Error::Sealed(kind))?;
        let payload = Payload { msg: message, aad: &associated(scope, kind, id) };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| Error::Sealed(kind))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// Lengths come first, so that no two of them read alike.
fn associated(scope: Scope, kind: &str, id: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
    [
        &scope.tenant().0.to_be_bytes()[..],
        &scope.project().0.to_be_bytes(),
        &length(kind.as_bytes()),
        kind.as_bytes(),
        &length(id),
        id,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ProjectId, TenantId};
    use crate::seal::OVERHEAD_BYTES;

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        let scope = |tenant, project| Scope::of_log_record(TenantId(tenant), ProjectId(project));
        let sealer = SecretSealer::new([1; 32]);
        let sealed = sealer.seal(scope(1, 2), "channel", b"id", b"hunter2").unwrap();
        assert_eq!(sealed.len(), 7 + OVERHEAD_BYTES);
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(sealer.open(scope(1, 2), "channel", b"id", &sealed).unwrap(), b"hunter2");
        for (scope, kind, id) in [
            (scope(2, 2), "channel", &b"id"[..]),
            (scope(1, 3), "channel", b"id"),
            (scope(1, 2), "other", b"id"),
            (scope(1, 2), "channel", b"ie"),
            (scope(1, 2), "channeli", b"d"),
        ] {
            assert!(matches!(sealer.open(scope, kind, id, &sealed), Err(Error::Sealed(_))), "{kind}");
        }
        assert!(SecretSealer::new([2; 32]).open(scope(1, 2), "channel", b"id", &sealed).is_err());
        assert!(sealer.open(scope(1, 2), "channel", b"id", &sealed[..10]).is_err(), "too short");
        assert_ne!(sealer.seal(scope(1, 2), "channel", b"id", b"hunter2").unwrap(), sealed, "fresh nonce");
    }
}
