//! Blobs on S3, or on what speaks its protocol.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider};
use secrecy::ExposeSecret;

use super::BlobsConfig;

/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepares the client; asks nothing yet.
pub(super) fn open(
    config: &BlobsConfig,
    bucket: &str,
    prefix: &str,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    // The environment first, so that settings win.
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let mut options = client_options(config);
    if config.endpoint.is_empty() {
        // That of the environment may be without TLS if it says so itself.
        let from_environment =
            builder.get_config_value(&AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp));
        options = options.with_allow_http(config.allow_http || from_environment.as_deref() == Some("true"));
    } else {
        // This key beats the other one, which the environment may have set; servers of one's own have buckets in the path.
        builder = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, &config.endpoint)
            .with_virtual_hosted_style_request(false);
        options = options.with_allow_http(config.endpoint.starts_with("http://"));
    }
    if !config.region.is_empty() {
        builder = builder.with_region(&config.region);
    }
    if !config.access_key_id.is_empty() {
        // As a whole, so that a session token of the environment is not mixed in.
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(AwsCredential {
            key_id: config.access_key_id.clone(),
            secret_key: config.secret_access_key.expose_secret().to_owned(),
            token: None,
        })));
    }
    let s3 = builder.with_client_options(options).with_retry(retries(config)).build()?;
    Ok(if prefix.is_empty() { Arc::new(s3) } else { Arc::new(PrefixStore::new(s3, prefix)) })
}

fn client_options(config: &BlobsConfig) -> ClientOptions {
    let timeout = Duration::from_millis(config.request_timeout_ms);
    ClientOptions::new().with_timeout(timeout).with_connect_timeout(timeout.min(CONNECT_TIMEOUT))
}

/// What fails is tried again for a bounded time, whereas by default it takes three minutes.
fn retries(config: &BlobsConfig) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: MAX_PAUSE, ..BackoffConfig::default() },
        max_retries: config.max_retries,
        retry_timeout: Duration::from_millis(config.retry_timeout_ms),
    }
}
