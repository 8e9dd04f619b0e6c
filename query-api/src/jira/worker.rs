//! Tells Jira what is due. Any number may run on the same store: each try is claimed.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use tracing::Instrument;

use super::{push, repository};
use crate::error::ApiError;
use crate::project::repository as projects;
use crate::state::Api;

/// What other processes leave, and what is tried again, is looked for so often.
const EACH: Duration = Duration::from_secs(5);
const CONCURRENT_PROJECTS: usize = 8;

/// Tells Jira.
pub struct Worker(Api);

impl Worker {
    #[must_use]
    pub const fn new(api: Api) -> Self {
        Self(api)
    }

    /// Works until `stop` is done. A task that is cut off is done again: its claim ends.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let round = async {
                self.round().await;
                tokio::select! {
                    () = self.0.0.jira_due.notified() => {}
                    () = tokio::time::sleep(EACH) => {}
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = round => {}
            }
        }
    }

    /// One round over all projects. Returns how many projects failed.
    pub async fn round(&self) -> usize {
        let projects = match projects::all(self.0.store()).await {
            Ok(projects) => projects,
            Err(error) => {
                tracing::warn!(%error, "Jira is not told anything for now");
                return 1;
            }
        };
        let mut rounds: Vec<BoxFuture<'_, bool>> = Vec::new();
        for project in projects {
            rounds.push(Box::pin(self.has_failed(project)));
        }
        let rounds = futures::stream::iter(rounds).buffer_unordered(CONCURRENT_PROJECTS);
        rounds.filter(|has_failed| std::future::ready(*has_failed)).count().await
    }

    async fn has_failed(&self, project: Project) -> bool {
        let id = ProjectId(project.project);
        let scope = Scope::of_log_record(TenantId(project.tenant), id);
        let span = tracing::debug_span!("tell Jira", project = %id);
        let told = self.project(scope).instrument(span).await;
        let told = told.inspect_err(|error| tracing::warn!(project = %id, %error, "Jira is told later"));
        told.is_err()
    }

    async fn project(&self, scope: Scope) -> Result<(), ApiError> {
        for issue in repository::due(&self.0, scope).await? {
            push::tell(&self.0, scope, issue).await?;
        }
        Ok(())
    }
}
