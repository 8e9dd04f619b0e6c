//! The rows of what people decided about issues: one for each issue, with its history, and one for all merges of a project. Each is
//! changed by compare-and-set, and then the mark, by which those who keep what is decided know that it is not so any more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::future::try_join;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::key;
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueChange, IssueState};
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::cut;
use playhead_domain::store::{Key, Swap};
use playhead_domain::table::ISSUE_STATES;
use prost::Message;

use super::read::{self, decode_merges, decode_state};
use crate::error::ApiError;
use crate::random;
use crate::state::Api;

const ATTEMPTS: usize = 8;
pub(crate) const MAX_HISTORY: usize = 100;
const MAX_NOTE_BYTES: usize = 200;
/// Longer than any project keeps sessions: what was decided of an issue that does not come back is forgotten.
const KEPT_MS: i64 = 800 * 86_400_000;

/// What people decided of the issues of a project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decided {
    pub(crate) states: HashMap<Fingerprint, IssueState>,
    pub(crate) merges: Merges,
}

impl Decided {
    pub(crate) async fn read(api: &Api, scope: Scope) -> Result<Self, ApiError> {
        let (states, merges) = try_join(read::states(api, scope), read::merges(api, scope)).await?;
        Ok(Self { states, merges })
    }
}

/// What was read after a mark is so as long as that is the mark. Nothing: nobody has decided anything.
pub(super) async fn mark(api: &Api, scope: Scope) -> Result<Option<Bytes>, ApiError> {
    Ok(api.store().get(&ISSUE_STATES, &key::decisions_mark(scope)).await?.map(|row| row.value))
}

/// Somebody decides. Whatever becomes of that, those who keep what is decided are told: also when the request goes on no further because its client left,
/// or a write that failed may have been made.
pub(crate) struct Deciding<'a> {
    pub(crate) api: &'a Api,
    pub(crate) scope: Scope,
    /// Something may have been written of which nobody was told.
    is_untold: AtomicBool,
}

impl<'a> Deciding<'a> {
    pub(crate) const fn begin(api: &'a Api, scope: Scope) -> Self {
        Self { api, scope, is_untold: AtomicBool::new(false) }
    }

    /// Changes what is decided of an issue; `change` may run more than once.
    ///
    /// # Errors
    /// The store's; [`ApiError::Conflict`] when others do the same all the time.
    pub(crate) async fn update(
        &self,
        issue: Fingerprint,
        change: impl Fn(&mut IssueState),
    ) -> Result<IssueState, ApiError> {
        update(self.api, self.scope, issue, change, || self.writes()).await
    }

    fn writes(&self) {
        self.is_untold.store(true, Ordering::Relaxed);
    }

    /// Changes the merges of a project; `change` may run more than once.
    ///
    /// # Errors
    /// As [`Deciding::update`], and those of `change`.
    pub(crate) async fn update_merges<T>(
        &self,
        change: impl Fn(&mut Merges) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let encode = |merges: &Merges| merges.to_row().encode_to_vec();
        let form = Form { decode: decode_merges, encode, kept_ms: None };
        Ok(rewrite(self.api, &key::merges(self.scope), form, change, || self.writes()).await?.1)
    }

    /// From now on lists are made of what is decided: also of what others decided at the same time, who may not have told yet.
    pub(crate) async fn tell(mut self) {
        tell(self.api, self.scope).await;
        *self.is_untold.get_mut() = false;
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current().ok().filter(|_| *self.is_untold.get_mut());
        if let Some(runtime) = runtime {
            let (api, scope) = (self.api.clone(), self.scope);
            runtime.spawn(async move { tell(&api, scope).await });
        }
    }
}

/// Replaces the mark. Without that, whoever keeps what is decided reads it again a minute later.
async fn tell(api: &Api, scope: Scope) {
    let told = async {
        let key = key::decisions_mark(scope);
        let old = api.store().get_serial(&ISSUE_STATES, &key).await?;
        let new = Some(Bytes::copy_from_slice(&random::bytes::<8>()?));
        // When another one is there meanwhile, who reads that one also reads this change.
        api.store().compare_and_set(&ISSUE_STATES, &key, old.as_deref(), new, None).await?;
        Ok::<_, ApiError>(())
    };
    if let Err(error) = told.await {
        tracing::warn!(%error, "lists of issues may show for a minute what was so before a decision");
    }
}

/// How a value is read and written, and how long its row is kept.
struct Form<V> {
    decode: fn(Bytes) -> Result<V, ApiError>,
    encode: fn(&V) -> Vec<u8>,
    kept_ms: Option<i64>,
}

async fn update(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: impl Fn(&mut IssueState),
    writes: impl Fn(),
) -> Result<IssueState, ApiError> {
    let form = Form { decode: decode_state, encode: Message::encode_to_vec, kept_ms: Some(KEPT_MS) };
    let change = |state: &mut IssueState| {
        change(state);
        Ok(())
    };
    Ok(rewrite(api, &key::state(scope, issue), form, change, writes).await?.0)
}

async fn rewrite<V: Clone + Default + PartialEq, T>(
    api: &Api,
    key: &Key,
    form: Form<V>,
    change: impl Fn(&mut V) -> Result<T, ApiError>,
    writes: impl Fn(),
) -> Result<(V, T), ApiError> {
    for _ in 0..ATTEMPTS {
        let old = api.store().get_serial(&ISSUE_STATES, key).await?;
        let known = old.clone().map(form.decode).transpose()?.unwrap_or_default();
        let mut new = known.clone();
        let result = change(&mut new)?;
        if new == known {
            return Ok((new, result));
        }
        writes();
        let value = Some((form.encode)(&new).into());
        let expires_at_ms = form.kept_ms.map(|kept_ms| api.now_ms() + kept_ms);
        let swap = api.store().compare_and_set(&ISSUE_STATES, key, old.as_deref(), value, expires_at_ms);
        if swap.await? == Swap::Applied {
            return Ok((new, result));
        }
    }
    Err(ApiError::Conflict)
}

/// Writes something that happened to an issue into its history, of which lists show nothing.
///
/// # Errors
/// As [`Deciding::update`].
pub(crate) async fn note(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: &str,
    actor: &str,
) -> Result<IssueState, ApiError> {
    let now_ms = api.now_ms();
    update(api, scope, issue, |state| record(state, now_ms, actor, short(change)), || {}).await
}

/// What other people's words are part of: titles may be long.
pub(crate) fn short(change: &str) -> String {
    cut(change, MAX_NOTE_BYTES).to_owned()
}

/// Adds to the history, of which the newest part is kept.
pub(crate) fn record(state: &mut IssueState, time_ms: i64, actor: &str, change: String) {
    state.history.push(IssueChange { time_ms, actor: actor.to_owned(), change });
    let surplus = state.history.len().saturating_sub(MAX_HISTORY);
    state.history.drain(..surplus);
}
