//! What tests may take part in.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use playhead_domain::id::SessionId;

use crate::flush::Step;

/// Asked at every [`Step`] of every flush, which goes on once it has answered; `true` stops the processor on the spot, as a crash
/// would.
pub type Probe = Arc<dyn Fn(Step) -> BoxFuture<'static, bool> + Send + Sync>;

/// Told of every batch before it is folded; it may panic.
pub type OnBatch = Arc<dyn Fn(SessionId, u64) + Send + Sync>;

/// Where a run takes numbers from that nothing else has.
pub type NewId = Arc<dyn Fn() -> u128 + Send + Sync>;

/// What tests may take part in. The default is how the product runs.
#[derive(Clone, Default)]
pub struct Hooks {
    pub probe: Option<Probe>,
    pub on_batch: Option<OnBatch>,
    /// Instead of time and chance.
    pub new_id: Option<NewId>,
    /// Rows written together, instead of many.
    pub chunk_rows: Option<usize>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl Hooks {
    /// A name that nothing else has.
    pub(crate) fn name(&self) -> String {
        let id = self.new_id.as_ref().map(|new_id| uuid::Uuid::from_u128(new_id()));
        id.unwrap_or_else(uuid::Uuid::now_v7).to_string()
    }
}
