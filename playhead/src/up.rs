//! Everything in one process: opens the data folder, wires the services, serves, and stops in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use object_store::ObjectStore;
use playhead_backends::blobs;
use playhead_backends::clock::Clock;
use playhead_backends::data_folder::DataFolder;
use playhead_backends::log::embedded::EmbeddedLog;
use playhead_backends::observed::{ObservedBlobs, ObservedStore};
use playhead_backends::store::embedded::EmbeddedStore;
use playhead_domain::id::ProjectId;
use playhead_domain::log::EventLog;
use playhead_domain::project::ProjectDirectory;
use playhead_domain::row::Project;
use playhead_domain::store::Store;
use playhead_domain::{table, topic};
use playhead_gateway::Gateway;
use playhead_proto::key::InstallationKey;
use playhead_query_api::{Api, project};
use playhead_stream_processor::{CountryLookup, Processor};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::Config;
use crate::country::Countries;
use crate::greeting::Greeting;
use crate::health::{Disk, Health};
use crate::{demo, health, installation, server, site, telemetry};

const DEMO_RELEASE: &str = "demo-1.0.0";
const PROCESSOR_PAUSE: Duration = Duration::from_secs(1);
/// Threads for what blocks: reads of the store and the blobs, compression. Tokio's own bound of 512 costs a burst of small
/// reads some hundred MiB, as every thread keeps memory of its own; what does not get one waits its turn.
const MAX_BLOCKING_THREADS: usize = 16;
/// How long the processor may take to flush at the end; what it does not manage is redone at the next start.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// Runs until a signal.
///
/// # Errors
/// What keeps it from starting, or stopped it.
pub(crate) fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&config.telemetry, "playhead")?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if config.worker_threads > 0 {
        runtime.worker_threads(config.worker_threads);
    }
    runtime.max_blocking_threads(MAX_BLOCKING_THREADS);
    let runtime =
        runtime.enable_all().thread_name("playhead").build().context("threads cannot be started")?;
    let result = runtime.block_on(serve(config));
    runtime.shutdown_timeout(Duration::from_secs(2));
    telemetry.stop();
    result
}

/// What the services run on.
struct Backends {
    log: Arc<EmbeddedLog>,
    store: Arc<EmbeddedStore>,
    blobs: Arc<dyn ObjectStore>,
    installation_key: InstallationKey,
    // Dropped last: it holds the lock.
    folder: DataFolder,
}

fn open(config: &Config) -> anyhow::Result<Backends> {
    let folder = DataFolder::open(&config.data)?;
    let installation_key = installation::installation_key(folder.path())?;
    let clock = Clock::system();
    let log = EmbeddedLog::open(&folder.log(), config.log.clone(), clock.clone())
        .context("the log cannot be opened")?;
    let store = EmbeddedStore::open(&folder.store(), table::ALL, config.store.clone(), clock);
    let store = store.context("the store cannot be opened")?;
    let blobs = blobs::open(&config.blobs, &folder.blobs())?;
    Ok(Backends { log: Arc::new(log), store: Arc::new(store), blobs, installation_key, folder })
}

async fn serve(mut config: Config) -> anyhow::Result<()> {
    let listener = bind(config.listen).await?;
    // Port 0 asks for any free one.
    config.listen = listener.local_addr()?;
    let backends = open(&config)?;
    let services = Services::new(&config, &backends).await?;
    let running = Running::start(&config, &backends, &services, listener)?;
    println!("{}", services.greeting(&config, &backends));
    let result = tokio::select! {
        signal = signalled() => signal,
        () = running.failed.cancelled() => Err(anyhow!("the processor cannot go on; the record above says why")),
    };
    running.stop(&services.gateway).await;
    result
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

/// The services, wired.
struct Services {
    registry: Registry,
    directory: Arc<ProjectDirectory>,
    gateway: Gateway,
    processor: Processor,
    api: Api,
    demo_tag: Option<String>,
    first_project: Project,
}

impl Services {
    async fn new(config: &Config, backends: &Backends) -> anyhow::Result<Self> {
        let registry = registry()?;
        let log: Arc<dyn EventLog> = backends.log.clone();
        let store: Arc<dyn Store> = Arc::new(ObservedStore::new(backends.store.clone(), &registry)?);
        let blobs: Arc<dyn ObjectStore> = Arc::new(ObservedBlobs::new(backends.blobs.clone(), &registry)?);
        installation::check_key(&*store, &backends.installation_key).await?;
        let retention = Duration::from_secs(u64::from(config.batches.retention_hours) * 3_600);
        let batches = topic::batches(config.batches.partitions, retention);
        log.ensure_topic(&batches).await?;
        log.ensure_topic(&topic::PROJECTS).await?;
        let directory = Arc::new(ProjectDirectory::new());
        let key = &backends.installation_key;
        let gateway = Gateway::new(
            config.gateway.clone(),
            log.clone(),
            directory.clone(),
            key,
            &registry,
            playhead_gateway::Clock::system(),
        )?;
        let clock = Clock::system();
        let processor = Processor::new(playhead_stream_processor::Parts {
            config: config.processor.clone(),
            topic: batches,
            log: log.clone(),
            store: store.clone(),
            blobs: blobs.clone(),
            directory: directory.clone(),
            installation_key: key.clone(),
            countries: Countries::open()?.map(|countries| Arc::new(countries) as Arc<dyn CountryLookup>),
            registry: registry.clone(),
            clock: Arc::new(move || clock.now_us()),
        })?;
        let api = Api::new(playhead_query_api::Parts {
            config: config.query_api.clone(),
            session_idle_ms: config.processor.session_idle_ms,
            store,
            log,
            blobs,
            installation_key: key.clone(),
            admin_token: installation::admin_token(backends.folder.path())?,
            public_url: config.public_url(),
            demo_url: config.demo.then(|| "/demo".to_owned()),
            script_stub: site::script_stub(),
            clock: playhead_query_api::system_clock(),
            registry: registry.clone(),
        })?;
        let name = if config.demo { "Demo shop" } else { "My app" };
        let image_hosts = if config.demo { demo::image_hosts(&config.public_url()) } else { Vec::new() };
        let first_project = project::create_first(&api, name, &image_hosts)
            .await
            .context("the first project cannot be made")?;
        project::publish_all(&api).await.context("projects cannot be published")?;
        let tag = api.script_tag_plain(ProjectId(first_project.project));
        let demo_tag = config
            .demo
            .then(|| tag.replace("<script ", &format!("<script data-release=\"{DEMO_RELEASE}\" ")));
        Ok(Self { registry, directory, gateway, processor, api, demo_tag, first_project })
    }

    fn router(&self, backends: &Backends) -> anyhow::Result<Router> {
        let health = Health {
            log: backends.log.clone(),
            store: backends.store.clone(),
            directory: self.directory.clone(),
            gateway: self.gateway.clone(),
            processor: self.processor.clone(),
            registry: self.registry.clone(),
            disk: Disk::register(&self.registry)?,
        };
        let mut router = Router::new()
            .merge(self.gateway.router())
            .merge(playhead_query_api::router(self.api.clone()))
            .merge(health::router(health))
            .merge(site::router(self.api.clone()));
        if let Some(tag) = &self.demo_tag {
            router = router.merge(demo::router(tag));
        }
        Ok(router.layer(CatchPanicLayer::new()))
    }

    fn greeting(&self, config: &Config, backends: &Backends) -> String {
        let greeting = Greeting {
            url: &config.public_url(),
            sign_in_link: &self.api.sign_in_link(),
            demo_url: config.demo.then_some("/demo"),
            project: &self.first_project.name,
            script_tag: &self.api.script_tag_plain(ProjectId(self.first_project.project)),
            data: &backends.folder.path().display().to_string(),
        };
        greeting.text()
    }
}

/// The metrics of the process; each service adds its own.
fn registry() -> anyhow::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}

/// What runs, and how it ends.
struct Running {
    server: JoinHandle<()>,
    processor: JoinHandle<()>,
    follower: JoinHandle<()>,
    stop_server: CancellationToken,
    stop_processor: CancellationToken,
    /// The processor met what retries do not cure.
    failed: CancellationToken,
}

impl Running {
    fn start(
        config: &Config,
        backends: &Backends,
        services: &Services,
        listener: TcpListener,
    ) -> anyhow::Result<Self> {
        let (stop_server, stop_processor) = (CancellationToken::new(), CancellationToken::new());
        let failed = CancellationToken::new();
        let router = services.router(backends)?;
        let (http, stop) = (config.http.clone(), stop_server.clone());
        let server = tokio::spawn(async move { server::serve(listener, router, &http, stop).await });
        let (directory, log) = (services.directory.clone(), backends.log.clone());
        let follower = tokio::spawn(async move {
            if let Err(error) = directory.follow(log).await {
                tracing::error!(%error, "projects are not followed any more; restart");
            }
        });
        let processor =
            tokio::spawn(process(services.processor.clone(), stop_processor.clone(), failed.clone()));
        tokio::spawn(resume_erasures(services.api.clone()));
        Ok(Self { server, processor, follower, stop_server, stop_processor, failed })
    }

    /// New requests are refused, those under way end, then what was read is flushed.
    async fn stop(self, gateway: &Gateway) {
        self.stop_server.cancel();
        let drained = async {
            gateway.drain().await;
            self.server.await
        };
        if let Err(error) = drained.await {
            tracing::error!(%error, "the server ended badly");
        }
        self.stop_processor.cancel();
        match tokio::time::timeout(FLUSH_LIMIT, self.processor).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the processor ended badly"),
            Err(_) => {
                tracing::warn!("the processor did not flush in time; the next start goes on from the log")
            }
        }
        self.follower.abort();
        tracing::info!("stopped");
    }
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

async fn resume_erasures(api: Api) {
    match playhead_query_api::resume_erasures(&api).await {
        Ok(0) => {}
        Ok(sessions) => tracing::info!(sessions, "erasures that had been interrupted are finished"),
        Err(error) => {
            tracing::error!(%error, "interrupted erasures are not finished; the next start tries again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{HeaderMap, Request, StatusCode, header};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    struct Started {
        router: Router,
        services: Services,
        _backends: Backends,
        _folder: tempfile::TempDir,
    }

    async fn started(demo: bool) -> Started {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().join("data"), demo, ..Config::default() };
        let backends = open(&config).unwrap();
        let services = Services::new(&config, &backends).await.unwrap();
        let router = services.router(&backends).unwrap();
        Started { router, services, _backends: backends, _folder: folder }
    }

    impl Started {
        async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_not_ready_is_named() {
        let started = started(false).await;
        assert_eq!(started.get("/healthz").await.0, StatusCode::OK);
        let (status, _, body) = started.get("/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""part":"projects""#) && body.contains(r#""part":"processor""#), "{body}");
        let (_, _, metrics) = started.get("/metrics").await;
        assert!(
            metrics.contains("playhead_log_disk_bytes") && metrics.contains("process_resident_memory_bytes")
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_demo_carries_the_tag_of_the_first_project() {
        let started = started(true).await;
        assert_eq!(started.services.first_project.name, "Demo shop");
        assert_eq!(started.services.first_project.image_hosts, ["127.0.0.1:7700", "localhost:7700"]);
        let key = started.services.api.script_tag_plain(ProjectId(started.services.first_project.project));
        let key = key.split('"').find(|part| part.starts_with("phk_")).unwrap().to_owned();
        for path in ["/demo", "/demo/cart", "/demo/products/mug"] {
            let (status, _, page) = started.get(path).await;
            assert_eq!(status, StatusCode::OK);
            assert!(page.contains(&key) && page.contains(DEMO_RELEASE), "{path}");
        }
        let (_, headers, _) = started.get("/demo/shop.css").await;
        assert_eq!(headers[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(started.get("/demo/api/nothing").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_the_demo_there_is_none() {
        let started = started(false).await;
        assert_eq!(started.services.first_project.name, "My app");
        assert!(started.services.first_project.image_hosts.is_empty());
        let (_, _, page) = started.get("/demo").await;
        assert!(!page.contains("phk_"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_page_has_its_policy() {
        let started = started(false).await;
        let (_, headers, _) = started.get("/p/x/sessions").await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let (_, headers, _) = started.get("/stage?project=0000000000000").await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(
            policy.contains("connect-src 'none'") && policy.contains("frame-ancestors 'self'"),
            "{policy}"
        );
        let (status, headers, _) = started.get("/sdk/nothing.js").await;
        assert_eq!(
            (status, headers[header::ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap()),
            (StatusCode::NOT_FOUND, "*")
        );
        for path in ["/p/x/sessions", "/stage", "/assets/nothing"] {
            assert_eq!(started.get(path).await.1[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_data_folder_serves_one_process() {
        let started = started(false).await;
        let config = Config { data: started._folder.path().join("data"), ..Config::default() };
        let error = open(&config).err().unwrap().to_string();
        assert!(error.contains("another process"), "{error}");
    }
}
