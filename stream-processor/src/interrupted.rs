//! Finishing erasures that the end of a process interrupted, be it a processor's or an API's.

use std::sync::Arc;
use std::time::Duration;

use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::scope::Scope;
use playhead_domain::store;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

/// Runs passes until `shutdown`. Several processors may come upon the same erasure, also while it is under way: it is the same again.
pub(crate) async fn run(shared: Arc<Shared>, shutdown: CancellationToken) {
    let interval = Duration::from_millis(shared.config.collection_interval_ms);
    loop {
        match pass(&shared).await {
            Ok(0) => {}
            Ok(sessions) => tracing::info!(sessions, "erasures that had been interrupted are finished"),
            Err(error) => {
                tracing::warn!(%error, "interrupted erasures are not finished; the next pass tries again")
            }
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}

async fn pass(shared: &Shared) -> Result<u64, store::Error> {
    let mut sessions = 0;
    for project in shared.directory.all() {
        let scope = Scope::of_log_record(TenantId(project.tenant), ProjectId(project.project));
        // One read for a project that never erased anything.
        if shared.erasure.marks(scope).await?.is_any() {
            sessions += shared.erasure.resume(scope, shared.now_ms()).await?;
        }
    }
    Ok(sessions)
}
