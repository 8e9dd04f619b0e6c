//! What was over a project's messages of an hour: one message for each channel, once the hour is over.

use std::collections::BTreeMap;

use super::deliver::{Round, Waiting};
use crate::channel::{Links, Message, Priority, Transition};
use crate::error::ApiError;
use crate::page;

const HOUR_MS: i64 = 3_600_000;
/// Alerts that a digest names; the others are on its page.
const MAX_NAMED: usize = 20;

/// Delivers digests of hours that are over, and are due.
pub(super) async fn deliver(round: &Round<'_>, held: Vec<Waiting>) -> Result<(), ApiError> {
    let hour = round.now_ms.div_euclid(HOUR_MS);
    let mut digests: BTreeMap<(i64, String), Vec<Waiting>> = BTreeMap::new();
    for waiting in held.into_iter().filter(|waiting| waiting.delivery.held_hour < hour) {
        let place = (waiting.delivery.held_hour, waiting.delivery.channel.clone());
        digests.entry(place).or_default().push(waiting);
    }
    for ((hour, channel), held) in digests {
        // One that another digest took along waits for its next try.
        if held.iter().any(|waiting| waiting.delivery.next_ms > round.now_ms) {
            continue;
        }
        let message = message(round, hour, &channel, &held);
        let mut claimed = Vec::with_capacity(held.len());
        for waiting in held {
            if round.claim(&waiting, &message.id).await? {
                claimed.push(waiting);
            }
        }
        let result = round.carry(&channel, &message).await;
        for waiting in &claimed {
            round.settle(waiting, &message.id, result.clone()).await?;
        }
    }
    Ok(())
}

fn message(round: &Round<'_>, hour: i64, channel: &str, held: &[Waiting]) -> Message {
    let named = held.iter().take(MAX_NAMED).map(|waiting| {
        let rule = round.rules.get(&waiting.place.0).map_or("a rule", |rule| &rule.name);
        let title = waiting.state.notice.as_ref().map_or("", |notice| &notice.title);
        (rule.to_owned(), title.to_owned())
    });
    let page = format!("{}/alerts", page::project(round.api, round.scope));
    let least_ms =
        held.iter().filter_map(|waiting| waiting.state.notice.as_ref()).map(|notice| notice.since_ms);
    let is_high =
        |waiting: &Waiting| waiting.state.notice.as_ref().is_some_and(|notice| notice.priority == "high");
    Message {
        id: format!("digest-{}-{channel}-{hour}", round.scope.project()),
        transition: Transition::Triggered,
        priority: if held.iter().any(is_high) { Priority::High } else { Priority::Medium },
        project: round.project.name.clone(),
        rule: "Several rules".to_owned(),
        title: format!("{} more alerts", held.len()),
        culprit: String::new(),
        why: "more triggered within an hour than the project sends messages".to_owned(),
        facts: named.collect(),
        since_ms: least_ms.min().unwrap_or(hour * HOUR_MS),
        // Each hour's is one of its own for those that join messages about the same.
        links: Links { subject: format!("{page}?digest={hour}"), replay: None, rule: page },
        issue: None,
        taken: held.iter().flat_map(|waiting| waiting.delivery.taken.clone()).collect(),
    }
}
