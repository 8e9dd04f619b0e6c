//! How fast batches are acknowledged: the gateway over the embedded log, against the least that any server could do on the same
//! disk (a bare handler, an append to a preallocated file, `fdatasync` by group commit); or the gateway over Kafka, against what one
//! would write first (a bare handler and a `FutureProducer`). Same client, same bodies, same run, taking turns. Prints JSON.
//!
//! ```sh
//! cargo run --release -p playhead-gateway --example ingest_bench -- --seconds 5 --body-bytes 4096,16384,65536
//! cargo run --release -p playhead-gateway --example ingest_bench -- --kafka 127.0.0.1:9092 --body-bytes 4096,65536,524288
//! ```

#![expect(clippy::unwrap_used, reason = "a broken bench run may panic")]

mod ceiling;
mod client;
mod credentials;
mod naive;
mod processor;
mod product;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use playhead_backends::log::kafka::KafkaConfig;
use playhead_domain::log::EventLog;
use serde_json::{Value, json};

use crate::client::Outcome;

/// The product's.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Debug, Parser)]
struct Options {
    /// Length of each turn.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Turns of each contestant, per body size.
    #[arg(long, default_value_t = 9)]
    turns: usize,
    /// Connections that each wait for an answer before they send again.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long, value_delimiter = ',', default_value = "4096,16384,65536")]
    body_bytes: Vec<usize>,
    /// Where the files go; a folder of its own is made in it and removed. Must be on the disk that counts.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Brokers (host:port, separated by commas) to append to instead of files. Topics of their own, with random names, are made and left.
    #[arg(long, value_name = "BROKERS")]
    kafka: Option<String>,
    /// Copies of every record in those topics.
    #[arg(long, default_value_t = 3)]
    replication: u32,
}

impl Options {
    fn kafka(&self) -> Option<KafkaConfig> {
        let brokers = self.kafka.clone()?;
        let prefix = format!("bench-{:08x}-", rand::random::<u32>());
        let min_insync_replicas = self.replication.div_ceil(2);
        Some(KafkaConfig {
            brokers,
            prefix,
            replication: self.replication,
            min_insync_replicas,
            ..KafkaConfig::default()
        })
    }
}

fn main() {
    let options = Options::parse();
    let folder = tempfile::Builder::new().prefix("ingest-bench-").tempdir_in(&options.dir).unwrap();
    let server = runtime("server", 2);
    let clients = runtime("client", 1);
    let sizes: Vec<Value> = options
        .body_bytes
        .iter()
        .map(|&body_bytes| {
            let folder = folder.path().join(body_bytes.to_string());
            std::fs::create_dir(&folder).unwrap();
            measure(&options, &folder, body_bytes, &server, &clients)
        })
        .collect();
    server.shutdown_background();
    let report = json!({
        "benchmark": "ingest", "log": if options.kafka.is_some() { "kafka" } else { "embedded" },
        "connections": options.connections, "turn_seconds": options.seconds,
        "turns": options.turns, "sizes": sizes, "credentials": credentials::measure(),
    });
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}

fn runtime(name: &str, threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

fn measure(
    options: &Options,
    folder: &Path,
    body_bytes: usize,
    server: &tokio::runtime::Runtime,
    clients: &tokio::runtime::Runtime,
) -> Value {
    let (log, kafka) = log(options, folder);
    let product = server.block_on(product::serve(log));
    let rival = server.block_on(async {
        match &kafka {
            Some(kafka) => naive::serve(kafka).await,
            None => ceiling::serve(folder).await,
        }
    });
    let run = |address: SocketAddr| {
        clients.block_on(client::drive(address, options.connections, body_bytes, options.seconds))
    };
    // Warm-up: connections, allocator, first segments.
    clients.block_on(async {
        client::drive(product.address, options.connections, body_bytes, 1).await;
        client::drive(rival.address, options.connections, body_bytes, 1).await;
    });
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..options.turns {
        bare.push(run(rival.address));
        ours.push(run(product.address));
    }
    let ratios =
        ours.iter().zip(&bare).map(|(ours, bare)| ours.batches_per_s() / bare.batches_per_s()).collect();
    product.stop();
    rival.stop();
    json!({
        "body_bytes": body_bytes,
        "gateway": summary(&ours, body_bytes),
        "rival": summary(&bare, body_bytes),
        "ratio": median(ratios),
    })
}

/// A fresh log, and the settings of Kafka's.
fn log(options: &Options, folder: &Path) -> (Arc<dyn EventLog>, Option<KafkaConfig>) {
    match options.kafka() {
        Some(kafka) => (product::kafka(kafka.clone()), Some(kafka)),
        None => (product::embedded(folder), None),
    }
}

fn summary(turns: &[Outcome], body_bytes: usize) -> Value {
    let of = |figure: fn(&Outcome) -> f64| median(turns.iter().map(figure).collect());
    let batches_per_s = of(Outcome::batches_per_s);
    json!({
        "batches_per_s": batches_per_s.round(),
        "mb_per_s": (batches_per_s * body_bytes as f64 / 1e4).round() / 100.0,
        "p50_ms": of(|turn| turn.quantile_ms(0.5)),
        "p99_ms": of(|turn| turn.quantile_ms(0.99)),
        "cpu_us_per_batch": of(Outcome::cpu_us_per_batch).round(),
        "refused": turns.iter().map(|turn| turn.refused).sum::<u64>(),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server that was started.
struct Server {
    address: SocketAddr,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Server {
    async fn start(router: axum::Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serve = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, tasks: vec![serve] }
    }

    fn stop(self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
