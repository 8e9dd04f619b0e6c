//! Signing in: the printed link's token becomes a cookie.

use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use playhead_proto::key::InstallationKey;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::config::Config;

/// The cookie's name.
pub const COOKIE: &str = "playhead_session";
const AUDIENCE: &str = "dashboard";
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Makes and checks sign-ins.
pub struct SignIns {
    link_token: String,
    link_expires_ms: i64,
    lasts_ms: i64,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    aud: String,
    sub: String,
    /// Seconds of the Unix epoch.
    exp: i64,
}

impl SignIns {
    pub(crate) fn new(key: &InstallationKey, config: &Config, now_ms: i64) -> Result<Self, getrandom::Error> {
        let mut random = [0u8; 32];
        getrandom::fill(&mut random)?;
        let secret = key.derive("playhead dashboard cookie v1");
        Ok(Self {
            link_token: blake3::Hash::from_bytes(random).to_hex().to_string(),
            link_expires_ms: now_ms + i64::from(config.sign_in_link_hours) * HOUR_MS,
            lasts_ms: i64::from(config.sign_in_days) * DAY_MS,
            encoding: EncodingKey::from_secret(&secret),
            decoding: DecodingKey::from_secret(&secret),
        })
    }

    pub(crate) fn link_token(&self) -> &str {
        &self.link_token
    }

    pub(crate) fn verify_link(&self, token: &str, now_ms: i64) -> bool {
        let same: bool = token.as_bytes().ct_eq(self.link_token.as_bytes()).into();
        same && now_ms < self.link_expires_ms
    }

    /// The value of a `Set-Cookie` header that signs the administrator in.
    ///
    /// # Errors
    /// When the claims cannot be signed.
    pub(crate) fn issue_cookie(
        &self,
        now_ms: i64,
        secure: bool,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            sub: "administrator".to_owned(),
            exp: (now_ms + self.lasts_ms) / 1_000,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?;
        Ok(set_cookie(&token, self.lasts_ms / 1_000, secure))
    }

    pub(crate) fn verify_cookie(&self, token: &str, now_ms: i64) -> bool {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        // Checked below against the clock that everything here uses.
        validation.validate_exp = false;
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .is_ok_and(|data| now_ms / 1_000 < data.claims.exp)
    }
}

/// The value of a `Set-Cookie` header that signs out.
pub(crate) fn clear_cookie(secure: bool) -> String {
    set_cookie("", 0, secure)
}

fn set_cookie(value: &str, lasts_s: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite=Lax{secure}")
}

/// The sign-in cookie's value.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_ins(seed: u8) -> SignIns {
        SignIns::new(&InstallationKey::new([seed; 32]), &Config::default(), 0).unwrap()
    }

    fn value(set_cookie: &str) -> &str {
        set_cookie.split(';').next().unwrap().split_once('=').unwrap().1
    }

    #[test]
    fn a_cookie_lasts_its_days_and_only_here() {
        let ours = sign_ins(1);
        let cookie = ours.issue_cookie(0, false).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
        assert!(ours.verify_cookie(value(&cookie), 29 * DAY_MS));
        assert!(!ours.verify_cookie(value(&cookie), 30 * DAY_MS));
        assert!(!sign_ins(2).verify_cookie(value(&cookie), 0), "another installation's");
        assert!(!ours.verify_cookie("", 0));
        let mut forged = value(&cookie).to_owned();
        forged.replace_range(forged.len() - 4.., "AAAA");
        assert!(!ours.verify_cookie(&forged, 0));
    }

    #[test]
    fn a_link_works_for_a_day() {
        let ours = sign_ins(1);
        assert!(ours.verify_link(ours.link_token(), 23 * HOUR_MS));
        assert!(!ours.verify_link(ours.link_token(), 24 * HOUR_MS));
        assert!(!ours.verify_link("", 0));
        assert!(!ours.verify_link(sign_ins(1).link_token(), 0), "each start has its own");
    }
}
