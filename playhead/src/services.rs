//! The services of a role, wired to what they run on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use playhead_backends::clock::Clock;
use playhead_domain::id::ProjectId;
use playhead_domain::log::generation::FromGeneration;
use playhead_domain::log::{self, EventLog, TopicSpec};
use playhead_domain::project::ProjectDirectory;
use playhead_domain::row::Project;
use playhead_domain::topic;
use playhead_gateway::Gateway;
use playhead_query_api::alert::{Channels, Worker};
use playhead_query_api::{Api, project};
use playhead_stream_processor::{CountryLookup, Processor};
use prometheus::Registry;
use tower_http::catch_panic::CatchPanicLayer;

use crate::backends::{Backends, Storage};
use crate::config::Config;
use crate::country::Countries;
use crate::greeting::Greeting;
use crate::health::{Health, Measures};
use crate::role::Role;
use crate::waiting::{Unready, Waiting};
use crate::{demo, health, installation, site};

const DEMO_RELEASE: &str = "demo-1.0.0";

/// The services of a role.
pub(crate) struct Services {
    pub(crate) role: Role,
    pub(crate) registry: Registry,
    pub(crate) directory: Arc<ProjectDirectory>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) processor: Option<Processor>,
    pub(crate) api: Option<Api>,
    /// Evaluates and delivers alerts.
    pub(crate) alerts: Option<Arc<Worker>>,
    /// Where everything is in one process.
    pub(crate) first: Option<First>,
}

/// What a newcomer begins with.
pub(crate) struct First {
    pub(crate) project: Project,
    demo_tag: Option<String>,
}

impl Services {
    /// Makes sure that the topics are there and that the key is the data's, then wires the services.
    ///
    /// # Errors
    /// What keeps them from starting.
    pub(crate) async fn new(
        config: &Config,
        role: Role,
        backends: &Backends,
        waiting: &Waiting,
    ) -> anyhow::Result<Self> {
        if let Some(Storage { store, .. }) = &backends.storage {
            let key = &backends.installation_key;
            waiting.until("store", || installation::check_key(&**store, key)).await?;
        }
        let batches = batches_topic(config);
        let log = log_of(config, backends, batches.name);
        for spec in [&batches, &topic::PROJECTS] {
            waiting.until("log", || async { log.ensure_topic(spec).await.map_err(of_log) }).await?;
        }
        let registry = registry()?;
        let storage = backends.storage.as_ref().map(|storage| storage.observed(&registry)).transpose()?;
        let directory = Arc::new(ProjectDirectory::new());
        let gateway = role.takes_batches().then(|| {
            let config =
                playhead_gateway::Config { batches_topic: batches.name.to_owned(), ..config.gateway.clone() };
            let (log, clock) = (log.clone(), playhead_gateway::Clock::system());
            Gateway::new(config, log, directory.clone(), &backends.installation_key, &registry, clock)
        });
        let processor = match &storage {
            Some(storage) if role.processes() => {
                Some(processor(config, (batches.clone(), &log), backends, storage, &directory, &registry)?)
            }
            _ => None,
        };
        let api = match &storage {
            Some(storage) if role.answers_queries() => {
                Some(api(config, role, backends, storage, (batches, &log), &registry)?)
            }
            _ => None,
        };
        let alerts = api.clone().map(worker).transpose()?;
        let first = match &api {
            Some(api) if role == Role::All => Some(first(config, api).await?),
            _ => None,
        };
        Ok(Self { role, registry, directory, gateway: gateway.transpose()?, processor, api, alerts, first })
    }

    pub(crate) fn router(&self, health: Health) -> Router {
        let mut router = Router::new().merge(health::router(health));
        if let Some(gateway) = &self.gateway {
            router = router.merge(gateway.router());
        }
        match &self.api {
            Some(api) => {
                let site = site::router(api.clone());
                router = router.merge(playhead_query_api::router(api.clone())).merge(site);
            }
            // Pages whose script comes from the gateway's address find it there.
            None if self.gateway.is_some() => router = router.merge(site::sdk_router()),
            None => {}
        }
        if let Some(tag) = self.first.as_ref().and_then(|first| first.demo_tag.as_ref()) {
            router = router.merge(demo::router(tag));
        }
        router.layer(CatchPanicLayer::new())
    }

    pub(crate) fn health(&self, backends: &Backends) -> anyhow::Result<Health> {
        Ok(Health {
            engines: backends.engines.clone().into(),
            directory: self.directory.clone(),
            follows_projects: self.gateway.is_some() || self.processor.is_some(),
            processor: self.processor.clone(),
            registry: self.registry.clone(),
            measures: Measures::register(&self.registry, &backends.engines)?,
            stopping: Arc::default(),
        })
    }

    /// What is printed once everything runs.
    pub(crate) fn greeting(&self, config: &Config, backends: &Backends) -> String {
        let (Some(api), Some(first), Some(folder)) = (&self.api, &self.first, &backends.folder) else {
            // No sign-in link: it would be good at this one of several processes only, and stand in the logs of a cluster.
            return format!(
                "playhead {} {} listens on {}",
                env!("CARGO_PKG_VERSION"),
                self.role.name(),
                config.listen
            );
        };
        let greeting = Greeting {
            url: &config.public_url(),
            sign_in_link: &api.sign_in_link(),
            demo_url: config.demo.then_some("/demo"),
            project: &first.project.name,
            script_tag: &api.script_tag_plain(ProjectId(first.project.project)),
            data: &folder.path().display().to_string(),
        };
        greeting.text()
    }
}

/// The topic of batches as configured.
fn batches_topic(config: &Config) -> TopicSpec {
    let retention = Duration::from_secs(u64::from(config.batches.retention_hours) * 3_600);
    topic::batches_of(config.batches.generation, config.batches.partitions, retention)
}

/// The log, with the batches' offsets behind those of earlier generations.
fn log_of(config: &Config, backends: &Backends, batches: &'static str) -> Arc<dyn EventLog> {
    match config.batches.generation {
        0 => backends.log.clone(),
        generation => Arc::new(FromGeneration::new(backends.log.clone(), batches, generation)),
    }
}

fn of_log(error: log::Error) -> Unready {
    if error.is_retryable() { Unready::Later(error.to_string()) } else { Unready::Never(error.into()) }
}

fn processor(
    config: &Config,
    (topic, log): (TopicSpec, &Arc<dyn EventLog>),
    backends: &Backends,
    storage: &Storage,
    directory: &Arc<ProjectDirectory>,
    registry: &Registry,
) -> anyhow::Result<Processor> {
    let clock = Clock::system();
    Ok(Processor::new(playhead_stream_processor::Parts {
        config: config.processor.clone(),
        topic,
        log: log.clone(),
        store: storage.store.clone(),
        blobs: storage.blobs.clone(),
        directory: directory.clone(),
        installation_key: backends.installation_key.clone(),
        countries: Countries::open()?.map(|countries| Arc::new(countries) as Arc<dyn CountryLookup>),
        registry: registry.clone(),
        clock: Arc::new(move || clock.now_us()),
    })?)
}

fn api(
    config: &Config,
    role: Role,
    backends: &Backends,
    storage: &Storage,
    (batches, log): (TopicSpec, &Arc<dyn EventLog>),
    registry: &Registry,
) -> anyhow::Result<Api> {
    let folder = backends.folder.as_ref().map(|folder| folder.path());
    Ok(Api::new(playhead_query_api::Parts {
        config: config.query_api.clone(),
        session_idle_ms: config.processor.session_idle_ms,
        store: storage.store.clone(),
        log: log.clone(),
        batches,
        blobs: storage.blobs.clone(),
        installation_key: backends.installation_key.clone(),
        admin_token: installation::admin_token(folder)?,
        public_url: config.public_url(),
        ingest_url: config.ingest_url(),
        demo_url: (role == Role::All && config.demo).then(|| "/demo".to_owned()),
        script_stub: site::script_stub(),
        clock: playhead_query_api::system_clock(),
        registry: registry.clone(),
    })?)
}

/// Evaluates alerts, and delivers them through the projects' channels.
fn worker(api: Api) -> anyhow::Result<Arc<Worker>> {
    let channels = Arc::new(Channels::new(api.clone()));
    Ok(Arc::new(Worker::new(api, Some(channels))?))
}

async fn first(config: &Config, api: &Api) -> anyhow::Result<First> {
    let name = if config.demo { "Demo shop" } else { "My app" };
    let set = |project: &mut playhead_domain::row::Project| {
        if config.demo {
            project.image_hosts = demo::image_hosts(&config.public_url());
            project.error_filters_off = demo::error_filters_off();
        }
    };
    let project = project::create_first(api, name, &set).await.context("the first project cannot be made")?;
    let tag = api.script_tag_plain(ProjectId(project.project));
    let with_release = || tag.replace("<script ", &format!("<script data-release=\"{DEMO_RELEASE}\" "));
    let demo_tag = config.demo.then(with_release);
    Ok(First { project, demo_tag })
}

/// The metrics of the process; each service adds its own.
fn registry() -> anyhow::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends;
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

    async fn open(config: &Config) -> anyhow::Result<Backends> {
        backends::open(config, Role::All, &Waiting::default()).await
    }

    async fn started(demo: bool) -> Started {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().join("data"), demo, ..Config::default() };
        let backends = open(&config).await.unwrap();
        let services = Services::new(&config, Role::All, &backends, &Waiting::default()).await.unwrap();
        let router = services.router(services.health(&backends).unwrap());
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
        let (api, first) = (started.services.api.as_ref().unwrap(), started.services.first.as_ref().unwrap());
        assert_eq!(first.project.name, "Demo shop");
        assert_eq!(first.project.image_hosts, ["127.0.0.1:7700", "localhost:7700"]);
        assert_eq!(first.project.error_filters_off, ["localhost", "bot"]);
        let key = api.script_tag_plain(ProjectId(first.project.project));
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
        let first = started.services.first.as_ref().unwrap();
        assert_eq!(first.project.name, "My app");
        assert!(first.project.image_hosts.is_empty() && first.project.error_filters_off.is_empty());
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
        let error = open(&config).await.err().unwrap().to_string();
        assert!(error.contains("another process"), "{error}");
    }
}
