//! What tests of alerts share: counts that grow, a courier that remembers, and a store that fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use async_trait::async_trait;
use axum::http::StatusCode;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use playhead_domain::issue::key;
use playhead_domain::row::IntakeCounts;
use playhead_domain::scope::Scope;
use playhead_domain::session;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::{self, Table};
use playhead_query_api::alert::{Courier, Undelivered, Worker};
use playhead_query_api::channel::{Message, Transition};
use prost::Message as _;
use serde_json::{Value as Json, json};

use crate::app::{ADMIN, App, Project};
use crate::issues::{id, totals};

pub(crate) const MINUTE: i64 = 60_000;

/// A message that was carried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Carried {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) transition: &'static str,
    pub(crate) title: String,
    pub(crate) why: String,
}

/// Remembers what it carries; channels may be made to fail.
#[derive(Default)]
pub(crate) struct Post {
    /// It lets others work while it carries.
    pub(crate) pauses: AtomicBool,
    carried: Mutex<Vec<Carried>>,
    pub(crate) messages: Mutex<Vec<Message>>,
    failing: Mutex<BTreeMap<String, Undelivered>>,
}

impl Post {
    pub(crate) fn fail(&self, channel: &str, with: Option<Undelivered>) {
        match with {
            Some(with) => self.failing.lock().insert(channel.to_owned(), with),
            None => self.failing.lock().remove(channel),
        };
    }

    pub(crate) fn carried(&self) -> Vec<Carried> {
        self.carried.lock().clone()
    }

    /// Transitions of an issue's firings, in the order in which they were told.
    pub(crate) fn told(&self) -> Vec<&'static str> {
        self.carried().into_iter().map(|carried| carried.transition).collect()
    }
}

impl Courier for Post {
    fn carry<'a>(
        &'a self,
        _: Scope,
        channel: &'a str,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<String, Undelivered>> {
        async move {
            if self.pauses.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            if let Some(error) = self.failing.lock().get(channel) {
                return Err(error.clone());
            }
            let transition = match message.transition {
                Transition::Triggered => "triggered",
                Transition::Escalated => "escalated",
                Transition::Acknowledged => "acknowledged",
                Transition::Resolved => "resolved",
                Transition::Test => "test",
            };
            self.messages.lock().push(message.clone());
            self.carried.lock().push(Carried {
                id: message.id.clone(),
                channel: channel.to_owned(),
                transition,
                title: message.title.clone(),
                why: message.why.clone(),
            });
            Ok("taken".to_owned())
        }
        .boxed()
    }
}

pub(crate) fn worker(app: &App, post: &Arc<Post>) -> Worker {
    Worker::new(app.api.clone(), Some(post.clone() as Arc<dyn Courier>)).unwrap()
}

/// One round of a worker, after something moved.
pub(crate) async fn round(app: &App, project: &Project, worker: &Worker) {
    receive(app, project).await;
    assert_eq!(worker.evaluate().await, 0);
    assert_eq!(worker.deliver().await, 0);
}

static RECEIVED: AtomicU32 = AtomicU32::new(1);

/// The project receives something.
pub(crate) async fn receive(app: &App, project: &Project) {
    let partition = RECEIVED.fetch_add(1, Ordering::Relaxed);
    let key = session::key::intake(project.scope, session::key::day(app.now_ms()), partition, 0);
    let counts = IntakeCounts { next_offset: 1, batches: 1, ..IntakeCounts::default() };
    app.put(&table::INTAKE_COUNTS, key, counts).await;
}

/// All that happened of an issue.
pub(crate) async fn count(app: &App, project: &Project, number: u8, times: &[i64]) {
    let version = times.len() as u64;
    let totals = totals(number, version, times, "1.0");
    let key = key::issue(project.scope, id(number), 0, 0);
    let value = totals.encode_to_vec().into();
    let version = version.cast_signed();
    let put = Mutation::Put { table: &table::ISSUES, key, value, version, expires_at_ms: None };
    app.store.write(vec![put]).await.unwrap();
}

pub(crate) async fn rule(app: &App, project: &Project, draft: Json) -> Json {
    let path = format!("/api/v1/projects/{}/alerts/rules", project.id);
    let answer = app.call("POST", &path, ADMIN, Some(draft)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

/// No rules but those that a test makes.
pub(crate) async fn without_defaults(app: &App, project: &Project) {
    for number in 1..=4 {
        let path = format!("/api/v1/projects/{}/alerts/rules/{number:016x}", project.id);
        app.read(project, "/alerts/rules").await;
        assert_eq!(app.call("DELETE", &path, ADMIN, None).await.status, StatusCode::NO_CONTENT);
    }
}

pub(crate) fn new_issue(channels: &[&str]) -> Json {
    json!({"name": "new", "condition": {"kind": "new_issue"}, "channels": channels, "throttle_minutes": 0})
}

/// At least three events within five minutes; over below two.
pub(crate) fn three_in_five(throttle_minutes: u32) -> Json {
    json!({"name": "three", "channels": ["ops"], "throttle_minutes": throttle_minutes, "condition": {
        "kind": "seen", "measure": "events", "at_least": 3, "resolve_below": 2, "window_minutes": 5}})
}

/// Fails at one of its writes: before it is done, or after.
pub(crate) struct FailingStore {
    inner: Arc<dyn Store>,
    left: AtomicI64,
    is_done: bool,
}

impl FailingStore {
    pub(crate) fn new(inner: Arc<dyn Store>, after: i64, is_done: bool) -> Self {
        Self { inner, left: AtomicI64::new(after), is_done }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }

    /// Once it has failed it stays away: the process is dead.
    fn take(&self) -> Result<bool, Error> {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            0 => Ok(false),
            left if left < 0 => Err(gone()),
            _ => Ok(true),
        }
    }
}

fn gone() -> Error {
    Error::Unavailable("killed".to_owned())
}

#[async_trait]
impl Store for FailingStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        if self.has_failed() { Err(gone()) } else { self.inner.get(table, key).await }
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        if self.has_failed() {
            return Err(gone());
        }
        self.inner.scan(table, partition, range, order, limit).await
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        if self.take()? {
            return self.inner.write(mutations).await;
        }
        if self.is_done {
            self.inner.write(mutations).await?;
        }
        Err(gone())
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        if self.take()? {
            return self.inner.compare_and_set(table, key, expected, new, expires_at_ms).await;
        }
        if self.is_done {
            self.inner.compare_and_set(table, key, expected, new, expires_at_ms).await?;
        }
        Err(gone())
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        if self.has_failed() { Err(gone()) } else { self.inner.get_serial(table, key).await }
    }

    async fn reclaim(&self) -> Result<(), Error> {
        self.inner.reclaim().await
    }
}
