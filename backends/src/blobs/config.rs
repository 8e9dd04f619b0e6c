//! Where blobs are, and how long requests for them may take.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Where blobs are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobsConfig {
    /// `s3://bucket` or `s3://bucket/prefix`, or `file:///folder`; empty: the data folder's own.
    pub url: String,
    /// Where S3 is, such as `https://s3.example`; empty: what `AWS_ENDPOINT_URL` says, or else Amazon's.
    pub endpoint: String,
    /// The bucket's region; empty: what `AWS_REGION` says, or else `us-east-1`.
    pub region: String,
    /// Take an endpoint without TLS on another machine; anyone between can read along.
    pub allow_http: bool,
    /// The access key's id. Empty: the usual places are looked at, which are the variables `AWS_ACCESS_KEY_ID` and so on, a web identity,
    /// and the role of the container or machine.
    pub access_key_id: String,
    /// The access key's secret; better set by its variable than in a file. Never printed.
    #[serde(with = "playhead_domain::secret")]
    pub secret_access_key: SecretString,
    /// How long one request may take, its bytes included.
    pub request_timeout_ms: u64,
    /// For how long a request that failed is begun again; the last one may still take its time.
    pub retry_timeout_ms: u64,
    /// How often a failed request is begun again at most, within `retry_timeout_ms`.
    pub max_retries: usize,
}

impl Default for BlobsConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            endpoint: String::new(),
            region: String::new(),
            allow_http: false,
            access_key_id: String::new(),
            secret_access_key: SecretString::default(),
            request_timeout_ms: 10_000,
            retry_timeout_ms: 10_000,
            max_retries: 5,
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct ConfigError {
    pub field: &'static str,
    pub rule: &'static str,
}

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The data folder's own.
    Own,
    Folder(PathBuf),
    Bucket {
        name: String,
        prefix: String,
    },
}

impl BlobsConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let require = |fine: bool, field, rule| if fine { Ok(()) } else { Err(ConfigError { field, rule }) };
        let place = self.place();
        require(
            place.is_some(),
            "url",
            "must be s3://bucket, s3://bucket/prefix or file:///folder, without a query",
        )?;
        let (https, http) =
            (self.endpoint.starts_with("https://"), self.endpoint.strip_prefix("http://").map(is_loopback));
        let known = self.endpoint.is_empty() || https || http.is_some();
        require(known, "endpoint", "must be an address such as https://s3.example")?;
        let private = self.allow_http || http != Some(false);
        require(private, "endpoint", "is without TLS: use https://, or set allow_http if nobody listens in")?;
        let both = self.access_key_id.is_empty() == self.secret_access_key.expose_secret().is_empty();
        require(both, "secret_access_key", "and access_key_id go together")?;
        let time = "must be between 100 and two minutes";
        require((100..=120_000).contains(&self.request_timeout_ms), "request_timeout_ms", time)?;
        require(self.retry_timeout_ms <= 120_000, "retry_timeout_ms", "must be at most two minutes")?;
        require(self.max_retries <= 100, "max_retries", "must be at most 100")
    }

    pub(super) fn place(&self) -> Option<Place> {
        if self.url.is_empty() {
            return Some(Place::Own);
        }
        if let Some(rest) = self.url.strip_prefix("s3://") {
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let fine = is_bucket(name) && !prefix.contains(['?', '#']);
            return fine.then(|| Place::Bucket {
                name: name.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            });
        }
        let path = Path::new(self.url.strip_prefix("file://")?);
        path.is_absolute().then(|| Place::Folder(path.to_owned()))
    }
}

/// The rules of S3 for the names of buckets, as far as they decide whether a name fits into an address.
fn is_bucket(name: &str) -> bool {
    let is_inner = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || "-._".contains(character)
    };
    (3..=63).contains(&name.len()) && name.chars().all(is_inner)
}

/// Whether an address, without its scheme, is one of this machine.
fn is_loopback(address: &str) -> bool {
    let authority = address.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut BlobsConfig)) -> BlobsConfig {
        let mut config = BlobsConfig::default();
        change(&mut config);
        config
    }

    #[test]
    fn an_address_names_a_place() {
        let place = |url: &str| with(|config| config.url = url.to_owned()).place();
        let bucket = |name: &str, prefix: &str| {
            Some(Place::Bucket { name: name.to_owned(), prefix: prefix.to_owned() })
        };
        assert_eq!(place(""), Some(Place::Own));
        assert_eq!(place("file:///var/blobs"), Some(Place::Folder("/var/blobs".into())));
        assert_eq!(place("s3://recordings"), bucket("recordings", ""));
        assert_eq!(place("s3://recordings/"), bucket("recordings", ""));
        assert_eq!(place("s3://recordings/eu/shop/"), bucket("recordings", "eu/shop"));
        for url in [
            "ftp://host/x",
            "file://blobs",
            "s3://",
            "s3:///x",
            "s3://Re",
            "s3://user:pw@host/x",
            "/var",
            "s3://b?x",
        ] {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        type Change = fn(&mut BlobsConfig);
        let refused: [(&str, Change); 7] = [
            ("url", |config| config.url = "ftp://host/x".to_owned()),
            ("endpoint", |config| config.endpoint = "s3.example".to_owned()),
            ("endpoint", |config| config.endpoint = "http://s3.example".to_owned()),
            ("endpoint", |config| config.endpoint = "http://127.0.0.1.example".to_owned()),
            ("secret_access_key", |config| config.access_key_id = "someone".to_owned()),
            ("request_timeout_ms", |config| config.request_timeout_ms = 0),
            ("retry_timeout_ms", |config| config.retry_timeout_ms = 3_600_000),
        ];
        for (field, change) in refused {
            assert_eq!(with(change).validate().unwrap_err().field, field);
        }
        let taken: [Change; 4] = [
            |_| (),
            |config| config.endpoint = "http://127.0.0.1:9000".to_owned(),
            |config| config.endpoint = "https://s3.example".to_owned(),
            |config| {
                config.endpoint = "http://s3.example".to_owned();
                config.allow_http = true;
            },
        ];
        for change in taken {
            assert_eq!(with(change).validate(), Ok(()));
        }
    }
}
