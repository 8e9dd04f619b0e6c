//! Session tokens: JWT, HS256, short-lived. Keys derive from the installation's key and the time, so that every gateway has the
//! same ones without asking, and they rotate without anyone's doing.

use std::fmt;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use playhead_domain::id::{ProjectId, SessionId};
use playhead_proto::key::InstallationKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::ApiError;

/// Longer texts are no token of ours.
const MAX_TOKEN_BYTES: usize = 1 << 10;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub project: ProjectId,
    pub session: SessionId,
    /// Seconds of the Unix epoch.
    pub exp: u64,
}

/// The key of one period. Its number is the `kid`.
struct Key {
    period: u64,
    /// The header of every token of this key, encoded: compared, not parsed.
    header: String,
    /// Has taken in the key: that is half of the work for a message this short.
    mac: Hmac<Sha256>,
}

/// What is read of a token's header when it is spelled differently.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// The keys that are good now: of this period, the one before, and the next (another gateway's clock may be ahead).
struct Ring {
    period: u64,
    keys: [Key; 3],
}

/// Issues and verifies session tokens.
pub struct Tokens {
    installation: InstallationKey,
    rotation_s: u64,
    life_s: u32,
    ring: ArcSwap<Ring>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// The tokens of an installation: keys change every `rotation_s` seconds, a token is good for `life_s`.
    #[must_use]
    pub fn new(installation: InstallationKey, rotation_s: u64, life_s: u32, now_s: u64) -> Self {
        let ring = ArcSwap::from_pointee(Ring::at(&installation, now_s / rotation_s));
        Self { installation, rotation_s, life_s, ring }
    }

    /// A new token, and its life in seconds.
    ///
    /// # Errors
    /// [`ApiError::Internal`], which no known input causes.
    pub fn issue(
        &self,
        project: ProjectId,
        session: SessionId,
        now_s: u64,
    ) -> Result<(String, u32), ApiError> {
        let claims = Claims { project, session, exp: now_s + u64::from(self.life_s) };
        let ring = self.ring_at(now_s);
        let key = &ring.keys[1];
        // Cannot fail: a struct of three plain fields.
        let payload = serde_json::to_vec(&claims).map_err(|_| ApiError::Internal)?;
        let message = format!("{}.{}", key.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = key.mac.clone().chain_update(&message).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok((format!("{message}.{signature}"), self.life_s))
    }

    /// What a genuine, unexpired token says.
    ///
    /// # Errors
    /// [`ApiError::BadToken`] or [`ApiError::ExpiredToken`].
    pub fn verify(&self, token: &str, now_s: u64) -> Result<Claims, ApiError> {
        let claims = self.genuine(token, now_s).ok_or(ApiError::BadToken)?;
        if claims.exp <= now_s { Err(ApiError::ExpiredToken) } else { Ok(claims) }
    }

    fn genuine(&self, token: &str, now_s: u64) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let ring = self.ring_at(now_s);
        let key = ring.find(header)?;
        let mut expected = [0; 36];
        // A text of another length is no signature; comparing takes the same time for all others.
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut expected).ok()?;
        key.mac.clone().chain_update(message).verify_slice(&expected[..length]).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn ring_at(&self, now_s: u64) -> arc_swap::Guard<std::sync::Arc<Ring>> {
        let period = now_s / self.rotation_s;
        let ring = self.ring.load();
        if ring.period == period {
            return ring;
        }
        self.ring.store(std::sync::Arc::new(Ring::at(&self.installation, period)));
        self.ring.load()
    }
}

impl Ring {
    fn at(installation: &InstallationKey, period: u64) -> Self {
        let keys = [period.saturating_sub(1), period, period + 1].map(|period| Key::of(installation, period));
        Self { period, keys }
    }

    /// The key that a token's header names. Headers of other gateways may differ in spelling.
    fn find(&self, header: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.header == header).or_else(|| {
            let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
            let period: u64 = header.kid.filter(|_| header.alg == "HS256")?.parse().ok()?;
            self.keys.iter().find(|key| key.period == period)
        })
    }
}

impl Key {
    fn of(installation: &InstallationKey, period: u64) -> Self {
        let secret = installation.derive(&format!("playhead session tokens v1, period {period}"));
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{period}"}}"#));
        // RFC 2104: a key shorter than a block is filled up with zeros.
        let mut block = [0; 64];
        block[..secret.len()].copy_from_slice(&secret);
        Self { period, header, mac: Hmac::new(&block.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
    use proptest::prelude::*;

    const DAY_S: u64 = 86_400;
    const NOW_S: u64 = 20_000 * DAY_S + DAY_S - 60;
    const PROJECT: ProjectId = ProjectId(7);
    const SESSION: SessionId = SessionId([9; 16]);

    fn tokens(seed: u8) -> Tokens {
        Tokens::new(InstallationKey::new([seed; 32]), DAY_S, 900, NOW_S)
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let tokens = tokens(1);
        let (token, life_s) = tokens.issue(PROJECT, SESSION, NOW_S).unwrap();
        assert_eq!(life_s, 900);
        let claims = tokens.verify(&token, NOW_S + 899).unwrap();
        assert_eq!((claims.project, claims.session), (PROJECT, SESSION));
        assert_eq!(tokens.verify(&token, NOW_S + 900), Err(ApiError::ExpiredToken));
    }

    #[test]
    fn a_token_outlives_the_rotation_of_its_key_but_not_two() {
        let tokens = tokens(1);
        let (token, _) = tokens.issue(PROJECT, SESSION, NOW_S).unwrap();
        assert!(tokens.verify(&token, NOW_S + 120).is_ok(), "the next period has begun");
        let (newer, _) = tokens.issue(PROJECT, SESSION, NOW_S + 120).unwrap();
        let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        assert_ne!(kid(&token), kid(&newer));
        assert!(tokens.verify(&newer, NOW_S).is_ok(), "this gateway's clock is behind");
        assert_eq!(tokens.verify(&token, NOW_S + 2 * DAY_S), Err(ApiError::BadToken), "its key is gone");
    }

    #[test]
    fn any_jwt_library_reads_it_and_writes_one() {
        let tokens = tokens(1);
        let (token, _) = tokens.issue(PROJECT, SESSION, NOW_S).unwrap();
        let secret = InstallationKey::new([1; 32])
            .derive(&format!("playhead session tokens v1, period {}", NOW_S / DAY_S));
        let mut validation = jsonwebtoken::Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let read =
            jsonwebtoken::decode::<Claims>(&token, &DecodingKey::from_secret(&secret), &validation).unwrap();
        assert_eq!(read.claims.project, PROJECT);
        let header = jsonwebtoken::Header {
            kid: Some((NOW_S / DAY_S).to_string()),
            ..jsonwebtoken::Header::new(Algorithm::HS256)
        };
        let written =
            jsonwebtoken::encode(&header, &read.claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert!(tokens.verify(&written, NOW_S).is_ok());
    }

    #[test]
    fn tokens_of_others_and_unsigned_ones_are_refused() {
        let (token, _) = tokens(2).issue(PROJECT, SESSION, NOW_S).unwrap();
        assert_eq!(tokens(1).verify(&token, NOW_S), Err(ApiError::BadToken));
        let (good, _) = tokens(1).issue(PROJECT, SESSION, NOW_S).unwrap();
        let payload = good.split('.').nth(1).unwrap();
        for header in
            [r#"{"alg":"none"}"#, r#"{"alg":"none","kid":"20000"}"#, r#"{"alg":"RS256","kid":"20000"}"#]
        {
            let unsigned = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(tokens(1).verify(&unsigned, NOW_S), Err(ApiError::BadToken), "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(at: prop::sample::Index, with in "[A-Za-z0-9_.-]") {
            let tokens = tokens(1);
            let (token, _) = tokens.issue(PROJECT, SESSION, NOW_S).unwrap();
            let at = at.index(token.len());
            let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            prop_assert_eq!(tokens.verify(&changed, NOW_S).is_ok(), changed == token);
        }

        #[test]
        fn any_text_is_refused_without_panic(text: String) {
            prop_assert!(tokens(1).verify(&text, NOW_S).is_err());
        }
    }
}
