//! A cluster that does not answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use playhead_backends::clock::Clock;
use playhead_backends::store::scylla::{ScyllaConfig, ScyllaStore, migrate};
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Store};
use playhead_domain::table::{PARTITION_CONTROL, SESSION_STATE};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::fixture::{node, shared_config};

/// Far longer than any setting of these tests: only a call that never returns takes it.
const NEVER: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// Connections are cut and refused.
    Cut,
    /// Nothing comes through, and nobody is told.
    Silent,
}

/// A proxy before the node.
async fn proxy() -> (SocketAddr, watch::Sender<Line>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (line, watched) = watch::channel(Line::Open);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, watched.clone()));
        }
    });
    (address, line)
}

async fn forward(client: TcpStream, mut line: watch::Receiver<Line>) {
    let Ok(server) = TcpStream::connect(node()).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (up, down) = (line.clone(), line.clone());
    tokio::select! {
        _ = pipe(from_client, to_server, up) => {}
        _ = pipe(from_server, to_client, down) => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

async fn pipe(
    from: tokio::net::tcp::OwnedReadHalf,
    to: tokio::net::tcp::OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        from.readable().await?;
        let Ok(length) = from.try_read(&mut buffer) else { continue };
        if length == 0 {
            return Ok(());
        }
        let _ = line.wait_for(|line| *line != Line::Silent).await;
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            to.writable().await?;
            if let Ok(written) = to.try_write(rest) {
                rest = &rest[written..];
            }
        }
    }
}

async fn within<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, call).await.unwrap()
}

fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)) && error.is_retryable(), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = ScyllaConfig { nodes: free.to_string(), ..ScyllaConfig::default() };
    assert_unavailable(within(ScyllaStore::connect(&config, Clock::system())).await);
    assert_unavailable(within(migrate(&config, |_| ())).await);
}

/// Every call fails within its timeout while the node is cut off or frozen, and succeeds again after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_in_time_and_recover() {
    let (address, line) = proxy().await;
    let config = ScyllaConfig {
        nodes: address.to_string(),
        request_timeout_ms: 2_000,
        connect_timeout_ms: 2_000,
        ..shared_config().await
    };
    let store = Arc::new(within(ScyllaStore::connect(&config, Clock::system())).await.unwrap());
    let partition = vec![8.into(), 8.into(), address.port().to_be_bytes().into()];
    let key = Key { partition: partition.clone(), clustering: vec![0.into()] };
    let put = || Mutation::Put {
        table: &SESSION_STATE,
        key: key.clone(),
        value: "x".into(),
        version: 1,
        expires_at_ms: None,
    };
    let control =
        Key { partition: vec!["away".into(), i64::from(address.port()).into()], clustering: vec![] };
    store.write(vec![put()]).await.unwrap();
    for state in [Line::Cut, Line::Silent] {
        line.send(state).unwrap();
        // What was under way may still have come through.
        while store.write(vec![put()]).await.is_ok() {}
        assert_unavailable(within(store.write(vec![put()])).await);
        assert_unavailable(within(store.get(&SESSION_STATE, &key)).await);
        let scan = store.scan(&SESSION_STATE, &partition, &ClusteringRange::ALL, Order::Ascending, 5);
        assert_unavailable(within(scan).await);
        assert_unavailable(within(store.get_serial(&PARTITION_CONTROL, &control)).await);
        let swap = store.compare_and_set(&PARTITION_CONTROL, &control, None, Some("x".into()), None);
        assert_unavailable(within(swap).await);
        assert!(within(store.check_health()).await.is_err());
        line.send(Line::Open).unwrap();
        within(async {
            while store.write(vec![put()]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        within(store.check_health()).await.unwrap();
        assert!(store.get(&SESSION_STATE, &key).await.unwrap().is_some());
    }
}
