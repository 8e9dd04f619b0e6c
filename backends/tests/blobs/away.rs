//! Storage that is away, slow or unwilling: requests end in bounded time and say what is wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use playhead_backends::blobs::{BlobsConfig, Error, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "hunter2-hunter2-hunter2";
/// Longer than any bounded request takes on a busy machine, shorter than the three minutes of the client's default.
const PATIENCE: Duration = Duration::from_secs(90);
const ABSENT: &str = "404 Not Found\r\ncontent-length: 33\r\n\r\n<Error><Code>NoSuchKey</Code></E>";
const NO_BUCKET: &str = "404 Not Found\r\ncontent-length: 36\r\n\r\n<Error><Code>NoSuchBucket</Code></E>";
const FORBIDDEN: &str = "403 Forbidden\r\ncontent-length: 0\r\n\r\n";
const SLOW_DOWN: &str = "503 Slow Down\r\ncontent-length: 0\r\n\r\n";
const STORED: &str = "200 OK\r\netag: \"1\"\r\ncontent-length: 0\r\n\r\n";

/// A server that gives answers in turn, the last one for ever.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, requests) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, answers, Arc::clone(&counter)));
            }
        });
        Self { address, requests }
    }

    async fn open(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        within(open(&config(self.address), None)).await
    }
}

async fn answer(mut stream: TcpStream, answers: &[&str], counter: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    let number = counter.fetch_add(1, Ordering::SeqCst);
    let (status, rest) = answers[number.min(answers.len() - 1)].split_once("\r\n").unwrap();
    // The client may have given up.
    let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nconnection: close\r\n{rest}").as_bytes()).await;
}

fn config(address: SocketAddr) -> BlobsConfig {
    BlobsConfig {
        url: "s3://recordings/eu".to_owned(),
        endpoint: format!("http://{address}"),
        access_key_id: "someone".to_owned(),
        secret_access_key: SECRET.into(),
        request_timeout_ms: 500,
        retry_timeout_ms: 1_000,
        ..BlobsConfig::default()
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the request does not end")
}

async fn put(blobs: &dyn ObjectStore) -> Result<(), object_store::Error> {
    within(blobs.put(&Path::from("flush/a"), PutPayload::from_static(b"bytes"))).await.map(|_| ())
}

#[tokio::test]
async fn storage_that_is_away_is_told_as_such_and_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = within(open(&config(address), None)).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().starts_with("s3://recordings/eu does not"), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET));
}

#[tokio::test]
async fn storage_that_never_answers_does_not_hang_the_writer() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = within(open(&config(silent.local_addr().unwrap()), None)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn storage_that_goes_away_fails_a_write_in_bounded_time() {
    let server = Server::answering(&[ABSENT, SLOW_DOWN]).await;
    let blobs = server.open().await.unwrap();
    let error = put(&*blobs).await.unwrap_err();
    assert!(matches!(error, object_store::Error::Generic { .. }), "{error}");
    assert!(server.requests.load(Ordering::SeqCst) > 2, "it was tried again");
}

#[tokio::test]
async fn a_write_is_tried_again_when_storage_asks_to_slow_down() {
    let server = Server::answering(&[ABSENT, SLOW_DOWN, STORED]).await;
    let blobs = server.open().await.unwrap();
    put(&*blobs).await.unwrap();
    assert_eq!(server.requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_missing_bucket_and_a_refused_key_are_told_apart() {
    let error = Server::answering(&[NO_BUCKET]).await.open().await.unwrap_err();
    assert!(matches!(&error, Error::NoBucket(url) if url == "s3://recordings/eu"), "{error}");
    let error = Server::answering(&[FORBIDDEN]).await.open().await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && !error.is_retryable(), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET));
}
