//! The gateway as a whole: what it holds, its routes, and how it stops.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use playhead_domain::log::EventLog;
use playhead_domain::project::ProjectDirectory;
use playhead_proto::key::{InstallationKey, PublicKeys};
use prometheus::{IntGauge, Registry};
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;

use crate::admission::Door;
use crate::answer::{self, Refusal};
use crate::body::{BodyError, Charged, Pace, Reader};
use crate::budget::Budget;
use crate::circuit::Circuit;
use crate::client::Client;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::quota::Quotas;
use crate::{batches, sessions, traces};

/// Why a gateway could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// One gateway. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) door: Door,
    pub(crate) quotas: Quotas,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) circuit: Circuit,
    reader: Reader,
    leaving: AtomicBool,
    draining: AtomicBool,
}

impl Gateway {
    /// A gateway over `log`, whose batches topic exists. `directory` is followed by someone else.
    ///
    /// # Errors
    /// [`StartError`]: settings that cannot work, or metrics that exist in `registry` already.
    pub fn new(
        config: Config,
        log: Arc<dyn EventLog>,
        directory: Arc<ProjectDirectory>,
        installation: &InstallationKey,
        registry: &Registry,
        clock: Clock,
    ) -> Result<Self, StartError> {
        config.validate()?;
        let metrics = Metrics::new(registry)?;
        let tokens = crate::token::Tokens::new(
            installation.clone(),
            config.token_key_rotation_s,
            config.token_life_s,
            clock.now_s(),
        );
        let door = Door {
            keys: PublicKeys::new(installation),
            tokens,
            directory,
            retry_after_s: config.retry_after_s,
        };
        let reader = Reader {
            budget: Budget::new(config.body_budget_bytes, metrics.bytes_under_way.clone()),
            pace: Pace::new(&config),
        };
        let quotas = Quotas::new(config.quota.clone());
        let circuit = Circuit::new(Duration::from_millis(config.append_stall_ms));
        Ok(Self(Arc::new(Inner {
            config,
            log,
            door,
            quotas,
            metrics,
            clock,
            circuit,
            reader,
            leaving: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        })))
    }

    /// The routes under `/v1`. To be merged into a server that gives peers' addresses
    /// (`into_make_service_with_connect_info::<SocketAddr>()`).
    pub fn router(&self) -> Router {
        let routes = Router::new()
            .route("/batches", post(batches::post).options(answer::preflight))
            .route("/sessions", post(sessions::post).options(answer::preflight))
            .route("/traces", post(traces::post))
            .fallback(answer::not_found)
            .method_not_allowed_fallback(answer::method_not_allowed)
            .layer(CatchPanicLayer::custom(report_panic))
            .layer(MapResponseLayer::new(answer::with_cors))
            .with_state(self.clone());
        Router::new().nest("/v1", routes)
    }

    /// Whether it takes batches: projects are known and nobody has asked it to stop.
    #[must_use]
    pub fn ready(&self) -> bool {
        !self.0.leaving.load(Ordering::Acquire) && self.0.door.directory.ready()
    }

    /// Stops: it says that it is not ready, goes on for `notice`, in which balancers send new requests elsewhere, then refuses what
    /// comes with 503 and waits until what is under way has been answered, for at most `limit`. What does not end by then is up to
    /// the server.
    pub async fn stop(&self, notice: Duration, limit: Duration) {
        const LOOK_AGAIN: Duration = Duration::from_millis(10);
        self.0.leaving.store(true, Ordering::Release);
        if !notice.is_zero() {
            tokio::time::sleep(notice).await;
        }
        self.0.draining.store(true, Ordering::Release);
        let answered = async {
            while self.0.metrics.requests_under_way.get() > 0 {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        // Told by the server, which knows of all requests.
        let _late = tokio::time::timeout(limit, answered).await;
    }

    /// Counts a request as under way; the first thing that a handler does.
    pub(crate) fn enter(&self) -> Result<UnderWay, ApiError> {
        let under_way = UnderWay::new(&self.0.metrics.requests_under_way);
        if self.0.draining.load(Ordering::Acquire) {
            return Err(ApiError::ShuttingDown { retry_after_s: self.0.config.retry_after_s });
        }
        Ok(under_way)
    }

    /// Reads a body under the budget.
    pub(crate) async fn read(
        &self,
        parts: &Parts,
        client: &Client,
        body: Body,
        limit: usize,
    ) -> Result<Charged, ApiError> {
        let inner = &self.0;
        let result = inner.reader.read(client, &parts.headers, body, limit).await;
        result.map_err(|error| match error {
            BodyError::Refused(error) => error,
            BodyError::Exhausted(exhausted) => {
                inner.metrics.refuse_budget(exhausted);
                ApiError::TooBusy { retry_after_s: inner.config.retry_after_s }
            }
        })
    }

    /// Reads a body that is refused, for a little while.
    pub(crate) async fn discard(&self, body: Body) {
        self.0.reader.discard(body).await;
    }

    /// Turns a handler's outcome into the answer, and counts refusals.
    pub(crate) fn finish(&self, outcome: Result<Response, Refusal>) -> Response {
        outcome.unwrap_or_else(|refusal| {
            self.0.metrics.refuse(&refusal.error);
            refusal.into_response()
        })
    }
}

/// One request under way, until dropped: also when its client goes away.
pub(crate) struct UnderWay(IntGauge);

impl UnderWay {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn report_panic(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("not a text"), "a request handler panicked");
    ApiError::Internal.into_response()
}
