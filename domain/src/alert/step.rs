//! What a verdict makes of the row that a rule keeps for an issue: its state and its outbox, which are written at once.

use super::hours::Hours;
use super::judge::Verdict;
use crate::row::{AlertDelivery, AlertNotice, AlertRule, AlertState};

pub const OPEN: &str = "open";
pub const ACKNOWLEDGED: &str = "acknowledged";
pub const RESOLVED: &str = "resolved";
pub const TRIGGERED: &str = "triggered";
pub const ESCALATED: &str = "escalated";
/// Messages that wait for one channel; a further one takes the place of the last.
const MAX_PENDING_OF_CHANNEL: usize = 3;
const MINUTE_MS: i64 = 60_000;
const DECISIONS_KEPT_MS: i64 = 800 * 24 * 60 * MINUTE_MS;

/// What is to be done with the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// The rule is of another version now, or what it held of is over: nobody is told.
    Note,
    Trigger,
    Resolve,
}

/// When and for whom a row changes.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub rule: &'a AlertRule,
    /// The stream's time.
    pub at_ms: i64,
    /// The clock's, of which the outbox's times are.
    pub now_ms: i64,
    /// In maintenance.
    pub is_quiet: bool,
}

/// What a verdict asks for.
#[must_use]
pub fn decide(memory: Option<&AlertState>, verdict: &Verdict, at: At<'_>) -> Step {
    let holds = memory.is_some_and(|memory| memory.holds);
    match verdict {
        Verdict::Met(met) => {
            let is_same = memory.is_some_and(|memory| memory.holds && memory.mark == met.mark);
            let throttle_ms = i64::from(at.rule.throttle_minutes) * MINUTE_MS;
            let is_throttled =
                memory.is_some_and(|memory| memory.number > 0 && at.at_ms - memory.opened_ms < throttle_ms);
            if is_same || is_throttled { Step::Nothing } else { Step::Trigger }
        }
        Verdict::Holds => Step::Nothing,
        Verdict::Over(_) if !holds => Step::Nothing,
        Verdict::Over(_) => {
            let is_resolved = memory.is_none_or(|memory| matches!(memory.status.as_str(), RESOLVED | ""));
            if is_resolved { Step::Note } else { Step::Resolve }
        }
    }
}

/// What held already when the rule began to ask: it does not trigger.
#[must_use]
pub fn note_before(memory: Option<&AlertState>, mark: i64, at: At<'_>) -> AlertState {
    let known = memory.cloned().unwrap_or_default();
    AlertState { holds: true, mark, changed_ms: at.at_ms, ..versioned(known, at.rule) }
}

/// The condition is met.
#[must_use]
pub fn trigger(memory: Option<&AlertState>, mark: i64, notice: AlertNotice, at: At<'_>) -> AlertState {
    let mut new = versioned(memory.cloned().unwrap_or_default(), at.rule);
    new.number += 1;
    OPEN.clone_into(&mut new.status);
    (new.holds, new.mark, new.opened_ms, new.changed_ms) = (true, mark, at.at_ms, at.at_ms);
    new.actor.clear();
    new.muted = at.is_quiet || at.now_ms < at.rule.muted_until_ms;
    new.told = if new.muted { Vec::new() } else { at.rule.channels.clone() };
    (new.told_ms, new.escalated) = (told_ms(at), false);
    let why = notice.why.clone();
    new.notice = Some(notice);
    let due_ms = new.told_ms;
    tell(&mut new, TRIGGERED, &why, (at.now_ms, due_ms));
    new
}

/// Now, or when the rule's hours begin.
fn told_ms(at: At<'_>) -> i64 {
    // Hours that cannot be read hold up nothing.
    let hours = at.rule.hours.as_ref().and_then(|hours| Hours::of(hours).ok());
    hours.map_or(at.now_ms, |hours| hours.begin_ms(at.now_ms))
}

/// Nobody has taken it on for so long that further channels are told. `None`: it is not due, or was done.
#[must_use]
pub fn escalate(memory: &AlertState, at: At<'_>) -> Option<AlertState> {
    let minutes = i64::from(at.rule.escalate_minutes);
    // A rule that escalates from now on does not tell of all that was open before.
    let from_ms = memory.told_ms.max(at.rule.changed_ms);
    let is_due = minutes > 0 && at.now_ms - from_ms >= minutes * MINUTE_MS;
    // Nobody can acknowledge what nobody was told.
    let is_untold =
        memory.pending.iter().any(|pending| pending.transition == TRIGGERED && pending.tries == 0);
    let is_quiet = memory.muted || at.is_quiet || at.now_ms < at.rule.muted_until_ms;
    // What triggered before there were escalations has no time from which to count.
    if !is_due || is_untold || is_quiet || memory.escalated || memory.status != OPEN || memory.told_ms == 0 {
        return None;
    }
    let mut new = memory.clone();
    (new.number, new.escalated) = (new.number + 1, true);
    new.rule_version = at.rule.version;
    let why = memory.notice.as_ref().map_or("", |notice| &notice.why);
    let why = format!("nobody acknowledged it for {minutes} minutes: {why}");
    let further = at.rule.escalation_channels.clone();
    let told = std::mem::replace(&mut new.told, further);
    tell(&mut new, ESCALATED, &why, (at.now_ms, told_ms(at)));
    // Whoever was told of it before is told how it ends, too.
    let others = told.into_iter().filter(|channel| !new.told.contains(channel)).collect::<Vec<_>>();
    new.told.splice(..0, others);
    Some(new)
}

/// It is over, as was judged. Without anybody to tell it only stops to hold.
#[must_use]
pub fn end(memory: &AlertState, step: &Step, why: &str, at: At<'_>) -> AlertState {
    let mut new = versioned(memory.clone(), at.rule);
    new.holds = false;
    if *step == Step::Resolve {
        change_status(&mut new, RESOLVED, "", why, at.at_ms, at.now_ms);
    } else {
        new.changed_ms = at.at_ms;
    }
    new
}

/// Somebody acknowledged or resolved it. `None`: there is nothing to change.
#[must_use]
pub fn decide_by_hand(memory: &AlertState, status: &str, actor: &str, now_ms: i64) -> Option<AlertState> {
    let may = match status {
        ACKNOWLEDGED => memory.status == OPEN,
        _ => matches!(memory.status.as_str(), OPEN | ACKNOWLEDGED),
    };
    if !may {
        return None;
    }
    let mut new = memory.clone();
    // Its time is the stream's, which people do not know: what was seen up to its opening is what they decided about.
    change_status(&mut new, status, actor, &format!("{status} by {actor}"), memory.changed_ms, now_ms);
    Some(new)
}

/// Why a message that waited for its rule's hours is not sent any more, now that it is due. `None`: it is, or it did not wait.
#[must_use]
pub fn is_pointless(
    memory: &AlertState,
    delivery: &AlertDelivery,
    rule: Option<&AlertRule>,
    now_ms: i64,
) -> Option<&'static str> {
    if !delivery.waits || delivery.tries > 0 {
        return None;
    }
    let Some(rule) = rule else { return Some("the rule was deleted before its hours began") };
    let is_newer = |other: &AlertDelivery| {
        other.channel == delivery.channel && other.transition == TRIGGERED && other.number > delivery.number
    };
    match memory.status.as_str() {
        _ if rule.disabled => Some("the rule was turned off before its hours began"),
        _ if now_ms < rule.muted_until_ms => Some("the rule was muted before its hours began"),
        RESOLVED => Some("it was over before the rule's hours began"),
        ACKNOWLEDGED => Some("it was acknowledged before the rule's hours began"),
        _ if memory.pending.iter().any(is_newer) => Some("it triggered again before the rule's hours began"),
        _ => None,
    }
}

/// Takes a message out that is not sent any more. Who is not told of the firing is not told of its end, which may be queued already, and
/// nobody is who could acknowledge it.
pub fn leave_out(state: &mut AlertState, delivery: &AlertDelivery, rule: Option<&AlertRule>) {
    let later = state.pending.iter().filter(|other| {
        other.channel == delivery.channel && other.transition == TRIGGERED && other.number > delivery.number
    });
    let next = later.map(|other| other.number).min();
    // Of an escalation: those who were told that it triggered are told of the rest.
    let was_told = delivery.transition == ESCALATED
        && rule.is_some_and(|rule| rule.channels.contains(&delivery.channel));
    state.pending.retain(|other| {
        let is_later = other.number > delivery.number && next.is_none_or(|next| other.number < next);
        let is_left_out = other.number == delivery.number || is_later && !was_told;
        other.channel != delivery.channel || !is_left_out
    });
    if next.is_none() && !was_told {
        state.told.retain(|channel| *channel != delivery.channel);
        state.muted |= state.told.is_empty() && state.status == OPEN;
    }
}

fn change_status(state: &mut AlertState, status: &str, actor: &str, why: &str, at_ms: i64, now_ms: i64) {
    state.number += 1;
    status.clone_into(&mut state.status);
    actor.clone_into(&mut state.actor);
    state.changed_ms = at_ms;
    if now_ms < state.told_ms {
        // It still waits for the rule's hours: who has heard of nothing need not hear that it is over. What waits is looked at when it is due.
        state.told.clear();
    }
    tell(state, status, why, (now_ms, now_ms));
}

fn versioned(mut state: AlertState, rule: &AlertRule) -> AlertState {
    // A regression is told once for what people decided, as long as that is kept.
    let is_regressed = rule.condition.as_ref().is_some_and(|condition| condition.kind == "regressed");
    state.kept_ms = if is_regressed { DECISIONS_KEPT_MS } else { 0 };
    (state.rule_version, state.asked_version) = (rule.version, rule.asked_version);
    state
}

/// Puts a message for each channel that is told of the firing into the outbox, not to be sent before `due_ms`.
fn tell(state: &mut AlertState, transition: &str, why: &str, (now_ms, due_ms): (i64, i64)) {
    for channel in state.told.clone() {
        let waiting = state.pending.iter().filter(|pending| pending.channel == channel).count();
        if waiting >= MAX_PENDING_OF_CHANNEL
            && let Some(last) = state.pending.iter().rposition(|pending| pending.channel == channel)
        {
            state.pending.remove(last);
        }
        state.pending.push(AlertDelivery {
            number: state.number,
            rule_version: state.rule_version,
            transition: transition.to_owned(),
            channel,
            why: why.to_owned(),
            created_ms: due_ms,
            next_ms: due_ms,
            waits: due_ms > now_ms,
            ..AlertDelivery::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_told_that_it_triggered_is_not_told_of_the_rest() {
        let message = |number: u64, transition: &str, channel: &str| AlertDelivery {
            number,
            transition: transition.to_owned(),
            channel: channel.to_owned(),
            ..AlertDelivery::default()
        };
        let first = message(1, TRIGGERED, "ops");
        let others =
            [message(2, RESOLVED, "boss"), message(3, TRIGGERED, "ops"), message(4, RESOLVED, "ops")];
        let mut pending = vec![first.clone(), message(2, RESOLVED, "ops")];
        pending.extend(others.clone());
        let told = vec!["ops".to_owned()];
        let mut state = AlertState { pending, told: told.clone(), ..AlertState::default() };
        leave_out(&mut state, &first, None);
        assert_eq!(state.pending, others);
        assert_eq!(state.told, told, "of what triggered since");
    }
}
