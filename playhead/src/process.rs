//! One process: opens what its role needs, serves, and stops in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use playhead_domain::log::EventLog;
use playhead_domain::project::ProjectDirectory;
use playhead_gateway::Gateway;
use playhead_query_api::alert::Worker;
use playhead_query_api::{Api, project};
use playhead_stream_processor::Processor;
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backends::{self, Backends};
use crate::config::{Config, Http};
use crate::health::Health;
use crate::priority;
use crate::role::Role;
use crate::server::{self, Stop};
use crate::services::Services;
use crate::telemetry;
use crate::waiting::Waiting;

const PROCESSOR_PAUSE: Duration = Duration::from_secs(1);
/// Threads for what blocks: reads of the store and the blobs, compression. Tokio's own bound of 512 costs a burst of small
/// reads some hundred MiB, as every thread keeps memory of its own; what does not get one waits its turn.
const MAX_BLOCKING_THREADS: usize = 16;
/// How long the processor may take to flush at the end; what it does not manage is redone at the next start.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take to give back the projects whose alerts this process evaluates.
const ALERTS_LIMIT: Duration = Duration::from_secs(2);
/// How often every project is published anew, so that a change whose publishing a crash interrupted gets through.
const REPUBLISH_INTERVAL: Duration = Duration::from_secs(3_600);
const REPUBLISH_RETRY: Duration = Duration::from_secs(5);

/// Runs until a signal.
///
/// # Errors
/// What keeps it from starting, or stopped it.
pub(crate) fn run(config: Config, role: Role) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&config.telemetry, role.service())?;
    let requests = runtime(&config)?;
    // With services apart, each process has but one kind of work.
    let background = if role == Role::All { Some(yielding_runtime(&config)?) } else { None };
    let processing = background.as_ref().unwrap_or(&requests).handle().clone();
    let result = requests.block_on(serve(config, role, &processing));
    for runtime in background.into_iter().chain([requests]) {
        runtime.shutdown_timeout(Duration::from_secs(2));
    }
    telemetry.stop();
    result
}

/// The runtime of a process.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn runtime(config: &Config) -> anyhow::Result<Runtime> {
    builder(config).thread_name("playhead").build().context("threads cannot be started")
}

/// A second one, for what yields to requests.
fn yielding_runtime(config: &Config) -> anyhow::Result<Runtime> {
    let mut runtime = builder(config);
    runtime.thread_name("processor").on_thread_start(priority::yield_to_requests);
    runtime.build().context("threads cannot be started")
}

fn builder(config: &Config) -> tokio::runtime::Builder {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if config.worker_threads > 0 {
        runtime.worker_threads(config.worker_threads);
    }
    runtime.max_blocking_threads(MAX_BLOCKING_THREADS).enable_all();
    runtime
}

async fn serve(mut config: Config, role: Role, processing: &Handle) -> anyhow::Result<()> {
    let listener = Arc::new(bind(config.listen).await?);
    // Port 0 asks for any free one.
    config.listen = listener.local_addr()?;
    let started = tokio::select! {
        started = start(&config, role, &listener) => started?,
        signal = signalled() => return signal,
    };
    let (backends, services) = started;
    let running = Running::start(&config, &backends, &services, listener, processing)?;
    println!("{}", services.greeting(&config, &backends));
    let result = tokio::select! {
        signal = signalled() => signal,
        () = running.failed.cancelled() => Err(anyhow!("the processor cannot go on; the record above says why")),
    };
    running.stop(services.gateway.as_ref(), &config.http).await;
    result
}

/// Opens and wires everything. Meanwhile whoever asks is told what the process waits for.
async fn start(
    config: &Config,
    role: Role,
    listener: &Arc<TcpListener>,
) -> anyhow::Result<(Backends, Services)> {
    let waiting = Waiting::default();
    let answering = Stop::default();
    let (router, http) = (waiting.router(), config.http.clone());
    let (listener, answered) = (Arc::clone(listener), answering.clone());
    let server = tokio::spawn(async move { server::serve(&listener, router, &http, answered).await });
    let backends = backends::open(config, role, &waiting).await?;
    let services = Services::new(config, role, &backends, &waiting).await?;
    answering.by(Instant::now() + Duration::from_millis(config.http.drain_timeout_ms));
    server.await?;
    Ok((backends, services))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let hint = || {
        format!(
            "cannot listen on {address}: is another program using port {}? choose another with --listen",
            address.port()
        )
    };
    TcpListener::bind(address).await.with_context(hint)
}

async fn signalled() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What runs, and how it ends.
struct Running {
    health: Health,
    server: JoinHandle<()>,
    processor: Option<JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
    alerts: Option<JoinHandle<()>>,
    stop_server: Stop,
    stop_processor: CancellationToken,
    stop_alerts: CancellationToken,
    /// The processor met what retries do not cure.
    failed: CancellationToken,
}

impl Running {
    fn start(
        config: &Config,
        backends: &Backends,
        services: &Services,
        listener: Arc<TcpListener>,
        processing: &Handle,
    ) -> anyhow::Result<Self> {
        let (stop_server, stop_processor) = (Stop::default(), CancellationToken::new());
        let (failed, stop_alerts) = (CancellationToken::new(), CancellationToken::new());
        let health = services.health(backends)?;
        let router = services.router(health.clone());
        let (http, stop) = (config.http.clone(), stop_server.clone());
        let server = tokio::spawn(async move { server::serve(&listener, router, &http, stop).await });
        let projects = projects(services.directory.clone(), backends.log.clone(), services.api.clone());
        let background = vec![tokio::spawn(projects)];
        let workers = services.alerts.clone().zip(services.api.clone());
        let alerts = workers.map(|(worker, api)| tokio::spawn(alerts(worker, api, stop_alerts.clone())));
        let processor = services.processor.clone();
        let processor = processor
            .map(|processor| processing.spawn(process(processor, stop_processor.clone(), failed.clone())));
        Ok(Self {
            health,
            server,
            processor,
            background,
            alerts,
            stop_server,
            stop_processor,
            stop_alerts,
            failed,
        })
    }

    /// Readiness goes first, and after a while new requests are refused; those under way end, then what was read is flushed.
    async fn stop(self, gateway: Option<&Gateway>, http: &Http) {
        self.health.stop();
        // Others may evaluate at once.
        self.stop_alerts.cancel();
        let notice = Duration::from_millis(http.shutdown_delay_ms);
        let limit = Duration::from_millis(http.drain_timeout_ms);
        // One for the gateway and the server: what the one has waited for already, the other does not wait for again.
        let end = Instant::now() + notice + limit;
        match gateway {
            Some(gateway) => gateway.stop(notice, limit).await,
            None => tokio::time::sleep(notice).await,
        }
        self.stop_server.by(end);
        if gateway.is_none() {
            // Nothing more comes that it would have to flush: others may take over at once.
            self.stop_processor.cancel();
        }
        if let Err(error) = self.server.await {
            tracing::error!(%error, "the server ended badly");
        }
        self.stop_processor.cancel();
        if let Some(processor) = self.processor {
            match tokio::time::timeout(FLUSH_LIMIT, processor).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the processor ended badly"),
                Err(_) => {
                    tracing::warn!("the processor did not flush in time; the next start goes on from the log")
                }
            }
        }
        if let Some(alerts) = self.alerts
            && tokio::time::timeout(ALERTS_LIMIT, alerts).await.is_err()
        {
            tracing::warn!("alerts were not given back in time; others go on when the lease ends");
        }
        self.background.iter().for_each(JoinHandle::abort);
        tracing::info!("stopped");
    }
}

/// Evaluates and delivers alerts, and tells Jira what is due, until it is to stop.
async fn alerts(worker: Arc<Worker>, api: Api, stop: CancellationToken) {
    let jira = playhead_query_api::jira::Worker::new(api);
    tokio::join!(worker.run(stop.clone().cancelled_owned()), jira.run(stop.cancelled_owned()));
}

/// Runs the processor, again after what a retry may cure.
async fn process(processor: Processor, stop: CancellationToken, failed: CancellationToken) {
    while !stop.is_cancelled() {
        match processor.run(stop.clone()).await {
            Ok(()) => return,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "the processor stopped and starts again");
                tokio::time::sleep(PROCESSOR_PAUSE).await;
            }
            Err(error) => {
                tracing::error!(%error, "the processor stopped for good");
                failed.cancel();
                return;
            }
        }
    }
}

/// Publishes projects and follows them. The first time before it follows: where the log was lost, a gateway in this process is
/// then ready only once it knows again all that the store has.
async fn projects(directory: Arc<ProjectDirectory>, log: Arc<dyn EventLog>, api: Option<Api>) {
    let follow = async {
        if let Err(error) = directory.follow(log).await {
            tracing::error!(%error, "projects are not followed any more; restart");
        }
    };
    let Some(api) = api else { return follow.await };
    let mut pause = publish(&api).await;
    let republish = async {
        loop {
            // The time out is the usual case.
            let _ = tokio::time::timeout(pause, project::unpublished(&api)).await;
            pause = publish(&api).await;
        }
    };
    tokio::join!(follow, republish);
}

/// Publishes every project anew. Returns after how long to do it again.
async fn publish(api: &Api) -> Duration {
    match project::publish_all(api).await {
        Ok(_) => REPUBLISH_INTERVAL,
        Err(error) => {
            tracing::warn!(%error, "projects were not published anew; tried again soon");
            REPUBLISH_RETRY
        }
    }
}
