//! Does what is due about Jira issues. Any number may run on the same store: each try is claimed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use tracing::Instrument;

use super::{push, repository};
use crate::error::ApiError;
use crate::project::repository as projects;
use crate::state::Api;

/// What other processes leave, and what is tried again, is looked for so often.
const EACH: Duration = Duration::from_secs(5);
/// A turn of a project begins nothing more after so long.
const TURN: Duration = Duration::from_secs(10);
/// Turns at a time: more than sites that are slow, it is hoped; each waits for one answer.
const CONCURRENT_TURNS: usize = 64;
/// A site that asks for more is asked once in an hour: it may be another one by then.
const LONGEST_REST_S: u64 = 3_600;

/// Works on what is due.
pub struct Worker {
    api: Api,
    /// Until when a project's site asked not to be asked, in ms.
    resting: Mutex<HashMap<ProjectId, i64>>,
}

impl Worker {
    #[must_use]
    pub fn new(api: Api) -> Self {
        Self { api, resting: Mutex::default() }
    }

    /// Works until `stop` is done. A task that is cut off is done again: its claim ends. Every project gets a turn before one gets a second,
    /// and none waits for the site of another one while there is room.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut waiting = VecDeque::new();
        let mut busy = HashSet::new();
        let mut turns = FuturesUnordered::new();
        let mut each = tokio::time::interval(EACH);
        loop {
            while busy.len() < CONCURRENT_TURNS
                && let Some(project) = waiting.pop_front()
            {
                if busy.insert(id_of(&project)) {
                    turns.push(self.turn(project));
                }
            }
            tokio::select! {
                () = &mut stop => return,
                Some((id, _)) = turns.next(), if !turns.is_empty() => drop(busy.remove(&id)),
                () = self.api.0.jira_due.notified(), if waiting.is_empty() => waiting = self.list().await,
                _ = each.tick(), if waiting.is_empty() => waiting = self.list().await,
            }
        }
    }

    async fn list(&self) -> VecDeque<Project> {
        let projects = projects::all(self.api.store()).await;
        let projects =
            projects.inspect_err(|error| tracing::warn!(%error, "Jira is not told anything for now"));
        projects.unwrap_or_default().into()
    }

    /// One turn of every project, one after the other. Returns how many failed.
    ///
    /// # Errors
    /// The store's.
    pub async fn round(&self) -> Result<usize, ApiError> {
        let mut failed = 0;
        for project in projects::all(self.api.store()).await? {
            failed += usize::from(self.turn(project).await.1);
        }
        Ok(failed)
    }

    /// Returns whether it failed.
    fn turn(&self, project: Project) -> BoxFuture<'_, (ProjectId, bool)> {
        let id = id_of(&project);
        let span = tracing::debug_span!("tell Jira", project = %id);
        let turn = async move {
            let scope = Scope::of_log_record(TenantId(project.tenant), id);
            let told = self.project((scope, &project)).await;
            let told = told.inspect_err(|error| tracing::warn!(project = %id, %error, "Jira is told later"));
            (id, told.is_err())
        };
        Box::pin(turn.instrument(span))
    }

    async fn project(&self, (scope, project): (Scope, &Project)) -> Result<(), ApiError> {
        if self.is_resting(scope.project()) {
            return Ok(());
        }
        let begun = Instant::now();
        let mut first_error = None;
        for (issue, note) in repository::due(&self.api, scope).await? {
            if begun.elapsed() > TURN {
                break;
            }
            match self.tell((scope, project), issue, &note).await {
                Ok(true) => {}
                Ok(false) => break,
                // One that cannot be read keeps no other one waiting.
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Returns whether the site may be asked for more.
    async fn tell(
        &self,
        (scope, project): (Scope, &Project),
        issue: Fingerprint,
        note: &[u8],
    ) -> Result<bool, ApiError> {
        // Most of what is due after a site was away waits: that needs no agreement of replicas to be seen.
        let seen = repository::seen_link(&self.api, scope, issue).await?.and_then(|link| link.wants);
        let now_ms = self.api.now_ms();
        if seen.is_some_and(|wants| wants.next_ms.max(wants.claimed_until_ms) > now_ms) {
            return Ok(true);
        }
        let told = push::tell(&self.api, (scope, project), issue, Some(note)).await?;
        let Some(failure) = told else { return Ok(true) };
        if let Some(wait_s) = failure.wait_s() {
            let wait_ms = i64::try_from(wait_s.min(LONGEST_REST_S) * 1_000).unwrap_or(i64::MAX);
            self.rest(scope.project(), self.api.now_ms().saturating_add(wait_ms));
        }
        Ok(false)
    }

    fn is_resting(&self, project: ProjectId) -> bool {
        let now_ms = self.api.now_ms();
        let mut resting = self.resting.lock();
        resting.retain(|_, until_ms| *until_ms > now_ms);
        resting.contains_key(&project)
    }

    fn rest(&self, project: ProjectId, until_ms: i64) {
        self.resting.lock().insert(project, until_ms);
    }
}

const fn id_of(project: &Project) -> ProjectId {
    ProjectId(project.project)
}
