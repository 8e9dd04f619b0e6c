//! The evaluator and the deliverer of a process: which projects are its own, and when something is to be done for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row::{AlertLease, Project};
use playhead_domain::scope::Scope;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::deliver::{self, Courier};
use super::evaluate::{self, Now, Outcome};
use super::lease::{self, Held};
use super::rows;
use super::stream::{self, Stream};
use crate::error::ApiError;
use crate::project::repository;
use crate::state::Api;

const EVALUATE_EACH: Duration = Duration::from_secs(2);
const DELIVER_EACH: Duration = Duration::from_secs(1);
const CONCURRENT_PROJECTS: usize = 8;
/// Rounds under way at a time: the earlier ones wait for what is slow.
const MAX_ROUNDS: usize = 8;
/// What a flush writes is not there at once: after something moved, a project is looked at for so long.
const SETTLE_MS: i64 = 10_000;
/// For so long rules wait until everything that the log took is counted. Then what is counted may trigger, though one partition is behind;
/// nothing is over, and nothing silent, before the stream is there.
const PATIENCE_MS: i64 = 120_000;
/// What ends by itself, and what people decide, is looked for so often.
const EVALUATE_ALL_MS: i64 = 60_000;

/// What a process knows of a project that it evaluates.
#[derive(Debug, Clone)]
struct Own {
    held: Held,
    seen_mark: u64,
    /// By the clock: when its counts last moved, and when it was last evaluated.
    moved_ms: i64,
    evaluated_ms: i64,
    /// Some rule has somebody to tell. Otherwise nobody waits: it is evaluated once a minute.
    tells: bool,
}

/// Which of the two is done for a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Evaluate,
    Deliver,
}

/// Evaluates and delivers. Any number may run on the same store.
pub struct Worker {
    api: Api,
    name: String,
    /// Since when it follows the stream.
    began_ms: i64,
    courier: Option<Arc<dyn Courier>>,
    stream: tokio::sync::Mutex<Stream>,
    own: Mutex<BTreeMap<ProjectId, Own>>,
    /// What is under way: the next round leaves it alone, so that one that is slow does not hold up others.
    busy: Mutex<BTreeSet<(Work, ProjectId)>>,
}

impl Worker {
    /// `courier`: who carries messages; without one they wait in the outbox.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(api: Api, courier: Option<Arc<dyn Courier>>) -> Result<Self, getrandom::Error> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random)?;
        let name = format!("{:016x}", u64::from_be_bytes(random));
        let (stream, own, busy) = (tokio::sync::Mutex::default(), Mutex::default(), Mutex::default());
        let began_ms = api.now_ms();
        Ok(Self { api, name, began_ms, courier, stream, own, busy })
    }

    /// Evaluates and delivers until `stop` is done: ends the round under way, then gives back what it has.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send + 'static) {
        let stop = stop.boxed().shared();
        tokio::join!(
            self.rounds(Work::Evaluate, EVALUATE_EACH, stop.clone()),
            self.rounds(Work::Deliver, DELIVER_EACH, stop)
        );
        self.release().await;
    }

    /// Begins a round at each interval, while earlier ones may still be under way, until `stop` is done; then waits for those.
    async fn rounds(self: &Arc<Self>, work: Work, each: Duration, stop: impl Future<Output = ()> + Clone) {
        let mut rounds = JoinSet::new();
        loop {
            while rounds.try_join_next().is_some() {}
            if rounds.len() < MAX_ROUNDS {
                let worker = Arc::clone(self);
                rounds.spawn(async move {
                    match work {
                        Work::Evaluate => worker.evaluate().await,
                        Work::Deliver => worker.deliver().await,
                    }
                });
            }
            if is_stopped(stop.clone(), each).await {
                break;
            }
        }
        rounds.join_all().await;
    }

    /// One round over all projects. What fails is tried again with the next one. Returns how many projects failed.
    pub async fn evaluate(&self) -> usize {
        let span = tracing::debug_span!("evaluate alerts");
        self.evaluate_all().instrument(span).await
    }

    async fn evaluate_all(&self) -> usize {
        let projects = async {
            let at_ms = self.stream.lock().await.look(&self.api).await?;
            Ok::<_, ApiError>((at_ms, repository::all(self.api.store()).await?))
        };
        let (at_ms, projects) = match projects.await {
            Ok(read) => read,
            Err(error) => {
                self.failed("stream", &error);
                return 1;
            }
        };
        let mut rounds: Vec<BoxFuture<'_, bool>> = Vec::new();
        for project in projects.iter().filter(|project| !project.disabled) {
            if let Some(busy) = self.begin(Work::Evaluate, ProjectId(project.project)) {
                rounds.push(self.evaluation_failed(busy, project, at_ms).boxed());
            }
        }
        failures(rounds).await
    }

    async fn evaluation_failed(&self, _busy: Busy<'_>, project: &Project, at_ms: i64) -> bool {
        let result = self.evaluate_project(project, at_ms).await;
        result.inspect_err(|error| self.failed("evaluation", error)).is_err()
    }

    fn failed(&self, part: &str, error: &ApiError) {
        self.api.0.metrics.alerts.failures.with_label_values(&[part]).inc();
        tracing::warn!(part, %error, "alerts are behind; tried again");
    }

    async fn evaluate_project(&self, project: &Project, stream_ms: i64) -> Result<(), ApiError> {
        let scope = Scope::of_log_record(TenantId(project.tenant), ProjectId(project.project));
        let Some(own) = self.own(scope).await? else { return Ok(()) };
        let (api, now_ms) = (&self.api, self.api.now_ms());
        let mark = stream::intake_mark(api, scope).await?;
        let has_moved = mark != own.seen_mark;
        let moved_ms = if has_moved { now_ms } else { own.moved_ms };
        let is_settling = now_ms - moved_ms < SETTLE_MS;
        // A rule may have got its first channel just now.
        let tells = own.tells || is_settling && rows::tells(api, scope).await?;
        let is_due = is_settling && tells || now_ms - own.evaluated_ms >= EVALUATE_ALL_MS;
        // The stream's time is behind when this process has just begun to follow it.
        let at_ms = stream_ms.max(own.held.row.evaluated_ms).min(now_ms);
        // Nothing is judged at no time at all: a process that has just begun waits for the first checkpoint.
        if !is_due || at_ms == 0 {
            let held = if own.held.is_fresh(now_ms) {
                Some(own.held.clone())
            } else {
                lease::prolong(api, scope, &own.held).await?
            };
            self.keep(scope, held.map(|held| Own { held, moved_ms, tells, ..own }));
            return Ok(());
        }
        let row = taken_in(own.held.row.clone(), mark, at_ms);
        // After a pause of all processes the last evaluation is old, which does not say that the stream is behind.
        let knows_stream = stream_ms > 0 || now_ms - self.began_ms > PATIENCE_MS;
        let until_ms = if knows_stream && now_ms - at_ms > PATIENCE_MS { now_ms } else { at_ms };
        let now = Now { at_ms, until_ms, decided_ms: row.evaluated_ms, intake_ms: row.intake_ms };
        let evaluated = self.evaluate_renewing(scope, project, &own, now).await;
        if evaluated.is_err() {
            // What was decided is delivered nevertheless.
            self.renew_in_vain(scope, &own).await;
        }
        let Some((outcome, held)) = evaluated? else {
            self.keep(scope, None);
            return Ok(());
        };
        self.observe(&outcome);
        let is_whole = outcome.contested == 0;
        let evaluated_ms = if is_whole { at_ms } else { row.evaluated_ms };
        let row = AlertLease { evaluated_ms, dropped: outcome.dropped, ..row };
        let held = lease::renew(api, scope, &held, row).await?;
        // What was contested is judged again in the next round.
        let evaluated_ms = if is_whole { now_ms } else { 0 };
        let tells = outcome.tells;
        self.keep(scope, held.map(|held| Own { held, seen_mark: mark, moved_ms, evaluated_ms, tells }));
        Ok(())
    }

    /// Evaluates, and keeps the lease meanwhile. `None`: somebody else has taken over.
    async fn evaluate_renewing(
        &self,
        scope: Scope,
        project: &Project,
        own: &Own,
        now: Now,
    ) -> Result<Option<(Outcome, Held)>, ApiError> {
        let mut held = own.held.clone();
        let mut evaluation = evaluate::project(&self.api, scope, project, now).boxed();
        loop {
            if let Ok(outcome) = tokio::time::timeout(lease::RENEW_EACH, &mut evaluation).await {
                return Ok(Some((outcome?, held)));
            }
            let Some(renewed) = lease::prolong(&self.api, scope, &held).await? else {
                return Ok(None);
            };
            held = renewed;
            self.keep(scope, Some(Own { held: held.clone(), ..own.clone() }));
        }
    }

    /// After an evaluation that failed: nothing is known of what was written, so the next round evaluates again.
    async fn renew_in_vain(&self, scope: Scope, own: &Own) {
        let own = self.own.lock().get(&scope.project()).unwrap_or(own).clone();
        match lease::prolong(&self.api, scope, &own.held).await {
            Ok(held) => self.keep(scope, held.map(|held| Own { held, evaluated_ms: 0, ..own })),
            Err(error) => {
                tracing::debug!(%error, "the lease was not renewed; it is read again");
                self.keep(scope, None);
            }
        }
    }

    /// `None`: it is under way already.
    fn begin(&self, work: Work, project: ProjectId) -> Option<Busy<'_>> {
        let is_free = self.busy.lock().insert((work, project));
        // Made only where it is free, and without the lock: its end takes that, and sets the project free.
        is_free.then(|| Busy { busy: &self.busy, what: (work, project) })
    }

    /// What this process knows of a project, if it is its own.
    async fn own(&self, scope: Scope) -> Result<Option<Own>, ApiError> {
        let known = self.own.lock().get(&scope.project()).cloned();
        if let Some(own) = known.filter(|own| own.held.is_valid(self.api.now_ms())) {
            return Ok(Some(own));
        }
        let held = lease::take(&self.api, scope, &self.name).await?;
        let moved_ms = self.api.now_ms();
        let own = held.map(|held| Own { held, seen_mark: 0, moved_ms, evaluated_ms: 0, tells: true });
        // At once: what earlier owners decided is to be delivered, whatever becomes of the evaluation.
        self.keep(scope, own.clone());
        Ok(own)
    }

    /// `None`: it is somebody else's.
    fn keep(&self, scope: Scope, own: Option<Own>) {
        let mut all = self.own.lock();
        match own {
            Some(own) => drop(all.insert(scope.project(), own)),
            None => drop(all.remove(&scope.project())),
        }
    }

    fn observe(&self, outcome: &Outcome) {
        let metrics = &self.api.0.metrics.alerts;
        metrics.evaluations.inc();
        metrics.transitions.inc_by(outcome.transitions as u64);
        let now_ms = self.api.now_ms();
        outcome
            .triggered_ms
            .iter()
            .for_each(|ms| metrics.lag_seconds.observe((now_ms - ms).max(0) as f64 / 1e3));
    }

    /// One round of deliveries for the projects that are this process's. Returns how many projects failed.
    pub async fn deliver(&self) -> usize {
        let Some(courier) = &self.courier else { return 0 };
        let projects: Vec<ProjectId> = {
            let (own, now_ms) = (self.own.lock(), self.api.now_ms());
            let is_mine = |own: &Own| own.tells && own.held.is_valid(now_ms);
            own.iter().filter(|(_, own)| is_mine(own)).map(|(project, _)| *project).collect()
        };
        let mut rounds: Vec<BoxFuture<'_, bool>> = Vec::new();
        for project in projects {
            if let Some(busy) = self.begin(Work::Deliver, project) {
                rounds.push(self.delivery_failed(busy, &**courier, project).boxed());
            }
        }
        failures(rounds).await
    }

    async fn delivery_failed(&self, _busy: Busy<'_>, courier: &dyn Courier, project: ProjectId) -> bool {
        let span = tracing::debug_span!("deliver alerts", %project);
        let result = deliver::project(&self.api, courier, project).instrument(span).await;
        result.inspect_err(|error| self.failed("delivery", error)).is_err()
    }

    /// Gives back what it has, so that others need not wait.
    pub async fn release(&self) {
        let own = std::mem::take(&mut *self.own.lock());
        for (project, own) in own {
            let found = repository::find(&self.api, project).await;
            let Ok(Some(row)) = found else { continue };
            let scope = Scope::of_log_record(TenantId(row.tenant), project);
            if let Err(error) = lease::release(&self.api, scope, &own.held).await {
                tracing::warn!(%error, "a project's alerts were not given back; others wait until the lease ends");
            }
        }
    }
}

/// A project under work, as long as it lives.
struct Busy<'a> {
    busy: &'a Mutex<BTreeSet<(Work, ProjectId)>>,
    what: (Work, ProjectId),
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.what);
    }
}

/// Some projects at a time. Returns how many failed.
async fn failures(rounds: Vec<BoxFuture<'_, bool>>) -> usize {
    let rounds = futures::stream::iter(rounds).buffer_unordered(CONCURRENT_PROJECTS);
    rounds.filter(|has_failed| std::future::ready(*has_failed)).count().await
}

async fn is_stopped(stop: impl Future<Output = ()>, within: Duration) -> bool {
    tokio::time::timeout(within, stop).await.is_ok()
}

/// What the project has taken in since.
fn taken_in(mut row: AlertLease, mark: u64, at_ms: i64) -> AlertLease {
    if mark > row.intake_mark {
        row.intake_ms = at_ms;
    }
    row.intake_mark = mark;
    row
}
