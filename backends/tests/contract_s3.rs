//! The contract of blobs, on a real S3 server: `PLAYHEAD_TEST_S3_ENDPOINT` and the other variables of `scripts/services.sh env`.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

#[path = "blobs/contract.rs"]
mod contract;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use playhead_backends::blobs::{BlobsConfig, Error, check, open};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} must be set: run `make services`, then `eval \"$(scripts/services.sh env)\"`")
    })
}

/// A prefix that nobody else uses. The key comes from the environment, as it often does.
fn config() -> BlobsConfig {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (number, pid) = (NEXT.fetch_add(1, Ordering::Relaxed), std::process::id());
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let bucket = variable("PLAYHEAD_TEST_S3_BUCKET");
    BlobsConfig {
        url: format!("s3://{bucket}/contract/{now_ms}-{pid}-{number}"),
        endpoint: variable("PLAYHEAD_TEST_S3_ENDPOINT"),
        request_timeout_ms: 30_000,
        ..BlobsConfig::default()
    }
}

struct Place(Arc<dyn ObjectStore>);

impl Place {
    async fn s3() -> Self {
        Self(open(&config(), None).await.unwrap())
    }

    fn blobs(&self) -> &dyn ObjectStore {
        &*self.0
    }
}

mod on_s3 {
    use super::Place;

    crate::blob_contract!(Place::s3());
}

#[tokio::test]
async fn a_prefix_keeps_installations_apart() {
    let (one, other) = (config(), config());
    let (here, there) = (open(&one, None).await.unwrap(), open(&other, None).await.unwrap());
    here.put(&Path::from("flush/a"), PutPayload::from_static(b"a")).await.unwrap();
    assert!(matches!(there.get(&Path::from("flush/a")).await, Err(object_store::Error::NotFound { .. })));
    check(&*there, &other).await.unwrap();
    contract::clear(&*here).await;
}

#[tokio::test]
async fn a_key_may_be_configured() {
    let config = BlobsConfig {
        access_key_id: variable("AWS_ACCESS_KEY_ID"),
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY").into(),
        region: variable("AWS_REGION"),
        ..config()
    };
    open(&config, None).await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_is_refused_whatever_the_environment_holds() {
    let secret = "hunter2-hunter2-hunter2";
    let config = BlobsConfig {
        access_key_id: variable("AWS_ACCESS_KEY_ID"),
        secret_access_key: secret.into(),
        ..config()
    };
    let error = open(&config, None).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(!format!("{error} {error:?} {config:?}").contains(secret));
}

#[tokio::test]
async fn a_missing_bucket_is_told_by_name() {
    let config = BlobsConfig { url: "s3://no-such-bucket".to_owned(), ..config() };
    let error = open(&config, None).await.unwrap_err();
    assert!(matches!(&error, Error::NoBucket(url) if url == "s3://no-such-bucket"), "{error}");
    assert!(!error.is_retryable());
}
