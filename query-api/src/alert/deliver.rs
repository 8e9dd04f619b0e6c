//! The deliverer: takes what is due from the outbox, has it carried, and takes it out. A crash in between sends it again, with the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::alert::step;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row::{AlertBudget, AlertDelivery, AlertRule, AlertSettings, AlertState, Project};
use playhead_domain::scope::Scope;
use playhead_domain::table::ALERT_STATES;

use super::{digest, log, notice, rows};
use crate::channel::Message;
use crate::error::ApiError;
use crate::project::repository;
use crate::state::Api;

const HOUR_MS: i64 = 3_600_000;
/// After so long nobody tries any more.
const GIVE_UP_MS: i64 = 24 * HOUR_MS;
const FIRST_BACKOFF_MS: i64 = 10_000;
const MAX_BACKOFF_MS: i64 = HOUR_MS;
const MESSAGES_PER_HOUR: u32 = 60;
/// Messages of a project that are under way at a time: a channel that hangs does not hold up all others.
const CONCURRENT_MESSAGES: usize = 4;
const ATTEMPTS: usize = 8;
/// Longer than any channel takes that is not away.
const CARRY_FOR: Duration = Duration::from_secs(30);

/// Carries a message to a channel, once.
pub trait Courier: Send + Sync {
    /// A sentence of what came back.
    fn carry<'a>(
        &'a self,
        scope: Scope,
        channel: &'a str,
        message: &'a Message,
    ) -> BoxFuture<'a, Result<String, Undelivered>>;
}

/// It was not carried, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Undelivered {
    pub is_retryable: bool,
    /// In how many milliseconds at the earliest, if the channel said so.
    pub after_ms: Option<i64>,
    pub sentence: String,
    /// Of several recipients those who have it: the next try leaves them out.
    pub taken: Vec<String>,
}

/// What a round works with.
pub(super) struct Round<'a> {
    pub(super) api: &'a Api,
    pub(super) scope: Scope,
    pub(super) project: &'a Project,
    pub(super) courier: &'a dyn Courier,
    pub(super) rules: BTreeMap<RuleId, AlertRule>,
    settings: AlertSettings,
    pub(super) now_ms: i64,
}

/// A message of the outbox, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) place: (RuleId, Subject),
    pub(super) state: AlertState,
    pub(super) delivery: AlertDelivery,
}

impl Waiting {
    fn is(&self, other: &AlertDelivery) -> bool {
        other.number == self.delivery.number && other.channel == self.delivery.channel
    }
}

/// Delivers what is due of a project.
pub(super) async fn project(api: &Api, courier: &dyn Courier, id: ProjectId) -> Result<(), ApiError> {
    let Some(project) = repository::find(api, id).await? else { return Ok(()) };
    let scope = Scope::of_log_record(TenantId(project.tenant), id);
    let states = rows::states(api, scope).await?;
    let waiting: Vec<Waiting> =
        states.states.iter().flat_map(|(place, stored)| heads(*place, &stored.value)).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let rules = rows::rules(api, scope).await?;
    let settings = rows::settings(api, scope).await?.map(|stored| stored.value).unwrap_or_default();
    let round = Round { api, scope, project: &project, courier, rules, settings, now_ms: api.now_ms() };
    let (held, alone): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|waiting| waiting.delivery.held_hour > 0);
    let mut due: Vec<BoxFuture<'_, Result<(), ApiError>>> = Vec::new();
    for waiting in alone.iter().filter(|waiting| waiting.delivery.next_ms <= round.now_ms) {
        due.push(round.deliver(waiting).boxed());
    }
    // What fails does not take those with it that are under way.
    let delivered: Vec<_> = futures::stream::iter(due).buffer_unordered(CONCURRENT_MESSAGES).collect().await;
    digest::deliver(&round, held).await?;
    delivered.into_iter().collect()
}

/// The first message for each channel: later ones wait for it.
fn heads(place: (RuleId, Subject), state: &AlertState) -> Vec<Waiting> {
    let mut channels = BTreeSet::new();
    let heads = state.pending.iter().filter(|delivery| channels.insert(&delivery.channel));
    heads.map(|delivery| Waiting { place, state: state.clone(), delivery: delivery.clone() }).collect()
}

impl Round<'_> {
    async fn deliver(&self, waiting: &Waiting) -> Result<(), ApiError> {
        let Waiting { place, state, delivery } = waiting;
        let listed = self.rules.get(&place.0);
        if let Some(why) = step::is_pointless(state, delivery, listed, self.now_ms) {
            return self.leave_out(waiting, why).await;
        }
        let Some(rule) = listed else { return Ok(()) };
        let is_first = delivery.tries == 0;
        let is_high = state.notice.as_ref().is_some_and(|notice| notice.priority == "high");
        let is_counted = matches!(delivery.transition.as_str(), step::TRIGGERED | step::ESCALATED);
        if is_first && is_counted && !self.take_from_budget(is_high).await? {
            return self.hold(waiting).await;
        }
        let message =
            notice::message(self.api, self.scope, self.project, (place.0, rule), (place.1, state), delivery);
        if !self.claim(waiting, &message.id).await? {
            return Ok(());
        }
        let result = self.carry(&delivery.channel, &message).await;
        self.settle(waiting, &message.id, result).await
    }

    /// The log first: whoever looks for the message must find why it is gone.
    async fn leave_out(&self, waiting: &Waiting, why: &str) -> Result<(), ApiError> {
        let (place, delivery) = (waiting.place, &waiting.delivery);
        // A list may be older than its rules.
        let rule = rows::rule(self.api, self.scope, place.0).await?.map(|stored| stored.value);
        if step::is_pointless(&waiting.state, delivery, rule.as_ref(), self.now_ms).is_none() {
            return Ok(());
        }
        let id = key::firing(place.0, delivery.rule_version, place.1, delivery.number);
        log::not_sent(self.api, self.scope, (place, &waiting.state), delivery, (&id, why)).await?;
        let left_out = rows::amend(self.api, self.scope, place, |state| {
            let mut new = state.clone();
            step::leave_out(&mut new, delivery, rule.as_ref());
            (new != *state).then_some(new)
        });
        left_out.await.map(drop)
    }

    pub(super) async fn carry(&self, channel: &str, message: &Message) -> Result<String, Undelivered> {
        let carried = self.courier.carry(self.scope, channel, message);
        tokio::time::timeout(CARRY_FOR, carried).await.unwrap_or_else(|_| {
            let sentence = format!("the channel took longer than {} s", CARRY_FOR.as_secs());
            Err(Undelivered { is_retryable: true, after_ms: None, sentence, taken: Vec::new() })
        })
    }

    /// Before it is carried: whoever cannot write what becomes of a try must not try again at once. Returns whether it is still there.
    pub(super) async fn claim(&self, waiting: &Waiting, message: &str) -> Result<bool, ApiError> {
        let delivery = &waiting.delivery;
        let next_ms = self.api.now_ms() + backoff_ms(message, delivery.tries);
        let amended = self.amend(waiting, |other| {
            (other.tries, other.next_ms) = (delivery.tries + 1, next_ms);
            true
        });
        Ok(amended.await?.is_some_and(|state| state.pending.iter().any(|other| waiting.is(other))))
    }

    /// Changes the message in the outbox, or, where `change` says false, takes it out.
    async fn amend(
        &self,
        waiting: &Waiting,
        change: impl Fn(&mut AlertDelivery) -> bool,
    ) -> Result<Option<AlertState>, ApiError> {
        rows::amend(self.api, self.scope, waiting.place, |state| {
            let mut new = state.clone();
            new.pending.retain_mut(|other| !waiting.is(other) || change(other));
            (new != *state).then_some(new)
        })
        .await
    }

    /// What became of a try. The outbox follows first: the log only tells.
    pub(super) async fn settle(
        &self,
        waiting: &Waiting,
        message: &str,
        result: Result<String, Undelivered>,
    ) -> Result<(), ApiError> {
        let tried = waiting.delivery.tries + 1;
        let next = result.as_ref().err().and_then(|error| self.next_try(waiting, message, error));
        let outcome = match (&result, next) {
            (Ok(_), _) => "sent",
            (Err(_), Some(_)) => "failed",
            (Err(_), None) => "gave_up",
        };
        let (sentence, taken) = match result {
            Ok(sentence) => (sentence, Vec::new()),
            Err(error) => (error.sentence, error.taken),
        };
        let settled = self.amend(waiting, |other| {
            (other.tries, other.next_ms) = (tried, next.unwrap_or_default());
            other.taken.extend(taken.iter().filter(|mark| !waiting.delivery.taken.contains(mark)).cloned());
            next.is_some()
        });
        let settled = settled.await;
        self.write_down(waiting, message, (tried, outcome), sentence).await?;
        settled.map(drop)
    }

    /// `None`: never again.
    fn next_try(&self, waiting: &Waiting, message: &str, error: &Undelivered) -> Option<i64> {
        let delivery = &waiting.delivery;
        let wait_ms = backoff_ms(message, delivery.tries).max(error.after_ms.unwrap_or_default());
        let next_ms = self.api.now_ms() + wait_ms;
        (error.is_retryable && next_ms - delivery.created_ms <= GIVE_UP_MS).then_some(next_ms)
    }

    pub(super) async fn write_down(
        &self,
        waiting: &Waiting,
        message: &str,
        (attempt, outcome): (u32, &str),
        sentence: String,
    ) -> Result<(), ApiError> {
        let Waiting { place, state, delivery } = waiting;
        let told = (attempt, outcome, sentence.as_str());
        log::note(self.api, self.scope, (*place, state), (delivery, message), told, self.now_ms).await
    }

    /// It is told with the others of this hour.
    async fn hold(&self, waiting: &Waiting) -> Result<(), ApiError> {
        let Waiting { place, delivery, .. } = waiting;
        let id = key::firing(place.0, delivery.rule_version, place.1, delivery.number);
        let why = "over the project's messages of this hour: told in one at its end".to_owned();
        self.write_down(waiting, &id, (0, "held"), why).await?;
        let hour = self.now_ms.div_euclid(HOUR_MS);
        let held = self.amend(waiting, |other| {
            other.held_hour = hour;
            true
        });
        held.await.map(drop)
    }

    /// Whether there is a message left in this hour; it is taken. A quarter is kept for what is of high priority.
    async fn take_from_budget(&self, is_high: bool) -> Result<bool, ApiError> {
        let most = match self.settings.messages_per_hour {
            0 => MESSAGES_PER_HOUR,
            most => most,
        };
        let most = if is_high { most } else { most - most / 4 };
        let (key, hour) = (key::budget(self.scope), self.now_ms.div_euclid(HOUR_MS));
        for _ in 0..ATTEMPTS {
            let known = rows::newest::<AlertBudget>(self.api, &ALERT_STATES, &key).await?;
            let sent =
                known.as_ref().filter(|known| known.value.hour == hour).map_or(0, |known| known.value.sent);
            if sent >= most {
                return Ok(false);
            }
            let new = AlertBudget { hour, sent: sent + 1 };
            let old = known.map(|known| known.bytes);
            if rows::swap(self.api, &ALERT_STATES, &key, old.as_ref(), Some(&new), None).await?.is_some() {
                return Ok(true);
            }
        }
        Err(ApiError::Conflict)
    }
}

/// Twice as long with every try, up to an hour; then between half and the whole of that, spread by the message's id.
fn backoff_ms(message: &str, tries: u32) -> i64 {
    let whole = FIRST_BACKOFF_MS.saturating_mul(1 << tries.min(20)).min(MAX_BACKOFF_MS);
    let hash = blake3::hash(format!("{message}/{tries}").as_bytes());
    let spread = i64::from(u16::from_be_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]));
    whole / 2 + whole / 2 * spread / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_spread() {
        for tries in 0..40 {
            let pauses: BTreeSet<i64> = (0..20).map(|n| backoff_ms(&format!("m{n}"), tries)).collect();
            let whole = (FIRST_BACKOFF_MS << tries.min(9)).min(MAX_BACKOFF_MS);
            assert!(pauses.iter().all(|pause| (whole / 2..=whole).contains(pause)), "{tries}: {pauses:?}");
            assert!(pauses.len() > 10, "{tries}");
        }
    }
}
