//! The agent: presses when it is told to.

use std::net::SocketAddr;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use subtle::ConstantTimeEq;

use super::{Order, Told};
use crate::corpus::{Corpus, Reading};
use crate::press::{self, ledger_path};

const MAX_CORPUS_BYTES: usize = 256 << 20;
const MIN_TOKEN_BYTES: usize = 16;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:7801")]
    listen: SocketAddr,
    /// What the coordinator must know: at least 16 characters.
    #[arg(long, env = "LOADTEST_TOKEN", hide_env_values = true)]
    token: String,
}

#[derive(Clone)]
struct Agent {
    token: Arc<str>,
    folder: Arc<tempfile::TempDir>,
    told: Arc<Mutex<Told>>,
    is_busy: Arc<Mutex<bool>>,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    if options.token.len() < MIN_TOKEN_BYTES {
        bail!("the token needs at least {MIN_TOKEN_BYTES} characters");
    }
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    crate::print(&format!("waiting for work on {}", listener.local_addr()?))?;
    Ok(axum::serve(listener, router(&options.token)?).await?)
}

pub(super) fn router(token: &str) -> anyhow::Result<Router> {
    let agent = Agent {
        token: token.into(),
        folder: Arc::new(tempfile::tempdir()?),
        told: Arc::default(),
        is_busy: Arc::default(),
    };
    Ok(Router::new()
        .route("/corpus", put(take_corpus))
        .route("/job", post(take_job))
        .route("/news", get(tell))
        .route("/ledgers/{name}", get(give_ledger))
        .layer(DefaultBodyLimit::max(MAX_CORPUS_BYTES))
        .layer(from_fn_with_state(agent.clone(), check_token))
        .with_state(agent))
}

async fn check_token(State(agent): State<Agent>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    if bool::from(given.ct_eq(agent.token.as_bytes())) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, "wrong token").into_response()
    }
}

/// The corpus must be there before the job.
async fn take_corpus(State(agent): State<Agent>, body: Bytes) -> Result<StatusCode, (StatusCode, String)> {
    tokio::fs::write(corpus_path(&agent), &body).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn take_job(
    State(agent): State<Agent>,
    Json(order): Json<Order>,
) -> Result<StatusCode, (StatusCode, String)> {
    if std::mem::replace(&mut *lock(&agent.is_busy), true) {
        return Err((StatusCode::CONFLICT, "another job is under way".to_owned()));
    }
    *lock(&agent.told) = Told::default();
    match begin(&agent, order).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(error) => {
            *lock(&agent.is_busy) = false;
            Err(internal(error))
        }
    }
}

async fn begin(agent: &Agent, order: Order) -> anyhow::Result<()> {
    let (path, scenario) = (corpus_path(agent), order.job.scenario.clone());
    let reading = Reading { keep_raw: false, repeat_minutes: scenario.visitors.repeat_minutes };
    let corpus =
        tokio::task::spawn_blocking(move || Corpus::read(&path, reading, |name| scenario.wants(name)))
            .await??;
    if corpus.digest != order.corpus_digest {
        bail!("the corpus is not the coordinator's");
    }
    let running = press::start(&order.job, &Arc::new(corpus), agent.folder.path())?;
    tokio::spawn(follow(agent.clone(), running, order.job));
    Ok(())
}

async fn follow(agent: Agent, mut running: press::Running, job: press::Job) {
    while let Some(news) = running.news.recv().await {
        lock(&agent.told).add(news);
    }
    let finished = tokio::task::spawn_blocking(|| running.finish()).await;
    let failure = match finished {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(error) => Some(error.to_string()),
    };
    let workers = job.scenario.client.workers;
    let numbers = job.generator * workers..(job.generator + 1) * workers;
    let mut told = lock(&agent.told);
    told.failure = failure;
    told.done = Some(numbers.map(|number| file_name(&ledger_path(FilePath::new(""), number))).collect());
    *lock(&agent.is_busy) = false;
}

fn file_name(path: &FilePath) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

async fn tell(State(agent): State<Agent>) -> Json<Told> {
    let mut told = lock(&agent.told);
    let (done, failure) = (told.done.clone(), told.failure.clone());
    let since = std::mem::take(&mut *told);
    // That it is done is told as often as it is asked.
    (told.done, told.failure) = (done, failure);
    Json(since)
}

async fn give_ledger(
    State(agent): State<Agent>,
    Path(name): Path<String>,
) -> Result<Vec<u8>, (StatusCode, String)> {
    let known = lock(&agent.told).done.as_ref().is_some_and(|names| names.contains(&name));
    if !known {
        return Err((StatusCode::NOT_FOUND, "no such ledger".to_owned()));
    }
    tokio::fs::read(agent.folder.path().join(name)).await.map_err(internal)
}

fn corpus_path(agent: &Agent) -> PathBuf {
    agent.folder.path().join("corpus")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn internal(error: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
}
