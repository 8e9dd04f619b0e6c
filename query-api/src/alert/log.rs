//! The delivery log: each try to tell somebody.

use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::row::{AlertAttempt, AlertDelivery, AlertState};
use playhead_domain::scope::Scope;
use playhead_domain::session::fold::cut;
use playhead_domain::session::key::day;
use playhead_domain::store::{ClusteringRange, Mutation, Order};
use playhead_domain::table::ALERT_DELIVERIES;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

const DAY_MS: i64 = 86_400_000;
pub(crate) const KEPT_DAYS: i64 = 30;
const MAX_SENTENCE_BYTES: usize = 500;

/// Writes a try down. The same try is the same row.
async fn write(api: &Api, scope: Scope, attempt: &AlertAttempt) -> Result<(), ApiError> {
    let time_ms = attempt.time_ms;
    let key = key::attempt(scope, time_ms, &attempt.message, &attempt.channel, attempt.attempt);
    let put = Mutation::Put {
        table: &ALERT_DELIVERIES,
        key,
        value: attempt.encode_to_vec().into(),
        version: time_ms * 1_000,
        expires_at_ms: Some(time_ms + KEPT_DAYS * DAY_MS),
    };
    api.store().write(vec![put]).await?;
    api.0.metrics.alerts.deliveries.with_label_values(&[&attempt.outcome]).inc();
    Ok(())
}

/// What came of a message: the try, its outcome, and the sentence about it.
pub(crate) async fn note(
    api: &Api,
    scope: Scope,
    (place, state): ((RuleId, Subject), &AlertState),
    (delivery, message): (&AlertDelivery, &str),
    (attempt, outcome, sentence): (u32, &str, &str),
    time_ms: i64,
) -> Result<(), ApiError> {
    let attempt = AlertAttempt {
        message: message.to_owned(),
        rule: place.0.to_string(),
        subject: place.1.to_string(),
        transition: delivery.transition.clone(),
        channel: delivery.channel.clone(),
        attempt,
        outcome: outcome.to_owned(),
        sentence: cut(sentence, MAX_SENTENCE_BYTES).to_owned(),
        title: state.notice.as_ref().map(|notice| notice.title.clone()).unwrap_or_default(),
        time_ms,
    };
    write(api, scope, &attempt).await
}

/// A message that nobody tries to send any more, and why.
pub(crate) async fn not_sent(
    api: &Api,
    scope: Scope,
    of: ((RuleId, Subject), &AlertState),
    delivery: &AlertDelivery,
    (message, why): (&str, &str),
) -> Result<(), ApiError> {
    note(api, scope, of, (delivery, message), (delivery.tries, "not_sent", why), api.now_ms()).await
}

/// The newest tries.
pub(crate) async fn newest(api: &Api, scope: Scope, limit: usize) -> Result<Vec<AlertAttempt>, ApiError> {
    let today = day(api.now_ms());
    let mut attempts = Vec::new();
    for day in (today - KEPT_DAYS..=today + 1).rev() {
        let partition = key::attempts_partition(scope, day);
        let wanted = limit - attempts.len();
        let page = api
            .store()
            .scan(&ALERT_DELIVERIES, &partition, &ClusteringRange::ALL, Order::Descending, wanted)
            .await?;
        for row in page.rows {
            let attempt = AlertAttempt::decode(row.value)
                .map_err(|error| ApiError::Corrupt(format!("a try at a delivery: {error}")))?;
            attempts.push(attempt);
        }
        if attempts.len() >= limit {
            break;
        }
    }
    Ok(attempts)
}
