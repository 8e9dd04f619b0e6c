//! What lists ask beside the counts of issues: what people decided, and how many sessions there are.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::try_join;
use playhead_domain::scope::Scope;
use playhead_domain::session::weight::Sessions;

use super::{Index, Look, Shared, decoded_bytes};
use crate::error::ApiError;
use crate::issue::decided::{self, Decided};
use crate::issue::read;
use crate::state::Api;

const HOUR_MS: i64 = 3_600_000;
/// Whoever decides may stop between the change and the mark that tells of it, and an earlier version of this process tells nothing.
const DECIDED_FOR_MS: i64 = 60_000;
/// Sessions of one to two hours are hardly others a few seconds later: older than this they are counted again beside the list that asks, and
/// they are shown for a minute, unless another hour has begun.
const TRAFFIC_FRESH_MS: i64 = 10_000;
const TRAFFIC_SHOWN_MS: i64 = 60_000;
/// Of a state beside its row.
const STATE_BYTES: usize = 120;

/// What people decided, as of a mark.
#[derive(Default)]
pub(super) struct Decisions {
    known: Option<(Option<Bytes>, i64)>,
    decided: Arc<Decided>,
    pub(super) bytes: usize,
}

impl Decisions {
    /// Reads them again if they may be others. Returns whether it did.
    async fn renew(&mut self, api: &Api, scope: Scope) -> Result<bool, ApiError> {
        let (mark, now_ms) = (decided::mark(api, scope).await?, api.now_ms());
        let is_known = |(known, read_ms): &(Option<Bytes>, i64)| {
            *known == mark && (0..DECIDED_FOR_MS).contains(&(now_ms - read_ms))
        };
        if self.known.as_ref().is_some_and(is_known) {
            return Ok(false);
        }
        let mut decided = Decided::read(api, scope).await?;
        // Lists show nothing of it.
        decided.states.values_mut().for_each(|state| state.history = Vec::new());
        let states: usize = decided.states.values().map(|state| STATE_BYTES + decoded_bytes(state)).sum();
        let bytes = states + decoded_bytes(&decided.merges.to_row());
        *self = Self { known: Some((mark, now_ms)), decided: Arc::new(decided), bytes };
        Ok(true)
    }
}

/// Sessions, when they were counted, and whether somebody counts them again.
#[derive(Default)]
pub(super) struct Traffic {
    known: Option<(Sessions, i64)>,
    is_under_way: bool,
}

impl Traffic {
    /// `index` is the one that has this.
    async fn renew(&mut self, api: &Api, scope: Scope, index: &Shared) -> Result<(), ApiError> {
        let now_ms = api.now_ms();
        let hour = |ms: i64| ms.div_euclid(HOUR_MS);
        let known = self.known.filter(|(_, counted_ms)| hour(*counted_ms) == hour(now_ms));
        match known.map(|(_, counted_ms)| now_ms - counted_ms) {
            Some(0..=TRAFFIC_FRESH_MS) => {}
            Some(age_ms) if (0..=TRAFFIC_SHOWN_MS).contains(&age_ms) => {
                if !std::mem::replace(&mut self.is_under_way, true) {
                    count_beside(api.clone(), scope, now_ms, Arc::clone(index));
                }
            }
            _ => self.known = Some((read::traffic(api, scope, now_ms).await?, now_ms)),
        }
        Ok(())
    }
}

fn count_beside(api: Api, scope: Scope, now_ms: i64, index: Shared) {
    tokio::spawn(async move {
        let counted = read::traffic(&api, scope, now_ms).await;
        let traffic = &mut index.lock().await.traffic;
        traffic.is_under_way = false;
        match counted {
            Ok(sessions) if traffic.known.is_none_or(|(_, counted_ms)| counted_ms < now_ms) => {
                traffic.known = Some((sessions, now_ms));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "sessions could not be counted for lists of issues"),
        }
    });
}

impl Index {
    /// What people decided, as of when the index was opened.
    pub(in crate::issue) fn decided(&self) -> Arc<Decided> {
        Arc::clone(&self.decisions.decided)
    }

    pub(in crate::issue) fn traffic(&self) -> Sessions {
        self.traffic.known.map(|(sessions, _)| sessions).unwrap_or_default()
    }

    /// `index` is this one. Returns whether people decided something since: what they agreed on is judged by no counts that are older. Rules count
    /// sessions for themselves.
    pub(super) async fn read_beside(
        &mut self,
        api: &Api,
        index: &Shared,
        look: Look,
    ) -> Result<bool, ApiError> {
        let Self { scope, decisions, traffic, .. } = self;
        if look == Look::Again {
            return decisions.renew(api, *scope).await;
        }
        let reads = try_join(decisions.renew(api, *scope), traffic.renew(api, *scope, index));
        Ok(reads.await?.0)
    }
}
