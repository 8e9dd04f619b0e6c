use crate::processor::Shared;
use playhead_domain::store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
pub(crate) enum Depth {
    Flushes,
    All,
}
pub(crate) async fn run(_shared: Arc<Shared>, shutdown: CancellationToken) {
    shutdown.cancelled().await
}
pub(crate) async fn pass(_shared: &Shared, _depth: Depth) -> Result<usize, store::Error> {
    Ok(0)
}
