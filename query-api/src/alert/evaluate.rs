//! An evaluation of a project: every rule for every issue, and each change written by itself. A crash after any of the writes leaves what the
//! next evaluation decides as well.

mod whole;

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::alert::judge::{self, Moment, Verdict};
use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::alert::rule::{self, Condition};
use playhead_domain::alert::step::{self, At, Step};
use playhead_domain::row::{AlertNotice, AlertRule, AlertSettings, AlertState, Project};
use playhead_domain::scope::Scope;
use playhead_domain::table::ALERT_STATES;

use super::gather::{self, Asked, Issues, Wanted};
use super::log;
use super::measure::{self, Readings};
use super::notice;
use super::rows::{self, States, Stored};
use crate::error::ApiError;
use crate::state::Api;

/// Rows of states of a project: beyond that, further issues do not trigger.
const MAX_STATES: usize = 5_000;

/// What an evaluation goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// The stream's time.
    pub(crate) at_ms: i64,
    /// Up to when what is counted may trigger: see [`Moment::until_ms`].
    pub(crate) until_ms: i64,
    /// Up to when windows are decided.
    pub(crate) decided_ms: i64,
    /// When the project last received something; 0: never.
    pub(crate) intake_ms: i64,
}

/// What it did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Rows that somebody else changed meanwhile: they are judged anew.
    pub(crate) contested: usize,
    /// Issues that had no room.
    pub(crate) dropped: u64,
    pub(crate) transitions: usize,
    /// Some rule has somebody to tell.
    pub(crate) tells: bool,
    /// When what triggered happened last, of the clock of the stream.
    pub(crate) triggered_ms: Vec<i64>,
}

fn is_of_issues(rule: &AlertRule) -> bool {
    let condition = rule.condition.as_ref().and_then(|condition| Condition::of(condition).ok());
    condition.is_some_and(Condition::is_of_issues)
}

const OTHER_QUESTION: Verdict = Verdict::Over("the rule asks something else now");

/// What holds is what the rule asked before it was changed.
fn is_of_another(memory: Option<&AlertState>, rule: &AlertRule) -> bool {
    memory.is_some_and(|memory| memory.holds && memory.asked_version != rule.asked_version)
}

struct Evaluation<'a> {
    api: &'a Api,
    scope: Scope,
    project: &'a Project,
    now: Now,
    settings: AlertSettings,
    states: States,
    outcome: Outcome,
}

pub(crate) async fn project(
    api: &Api,
    scope: Scope,
    project: &Project,
    now: Now,
) -> Result<Outcome, ApiError> {
    let rules = rows::rules(api, scope).await?;
    let settings = rows::settings(api, scope).await?.map(|stored| stored.value).unwrap_or_default();
    let states = rows::states(api, scope).await?;
    let outcome = Outcome::default();
    let mut evaluation = Evaluation { api, scope, project, now, settings, states, outcome };
    evaluation.forget_rules(&rules).await?;
    let on: BTreeMap<RuleId, &AlertRule> =
        rules.iter().filter(|(_, rule)| !rule.disabled).map(|(id, rule)| (*id, rule)).collect();
    // Of a rule that tells nobody any more, too, what waits is looked at.
    let has_pending = evaluation.states.states.values().any(|stored| !stored.value.pending.is_empty());
    evaluation.outcome.tells = has_pending || on.values().any(|rule| rule::tells(rule));
    if on.is_empty() {
        return Ok(evaluation.outcome);
    }
    let mut issues = match on.values().any(|rule| is_of_issues(rule)) {
        true => gather::gather(api, scope, project, now.at_ms, &evaluation.wanted()).await?,
        false => Issues::none(api, scope, project, now.at_ms),
    };
    // What is not read yet is not judged as if it were not there: until all is kept, the next round judges again.
    evaluation.outcome.contested +=
        usize::from(issues.partial && api.0.issues.may_build(scope, api.now_ms()));
    let mut readings = evaluation.readings(&on);
    for (id, rule) in &on {
        evaluation.rule(*id, rule, (&mut issues, &mut readings)).await?;
    }
    for (id, rule) in on {
        evaluation.escalate(id, rule).await?;
    }
    Ok(evaluation.outcome)
}

impl<'a> Evaluation<'a> {
    /// The issues of which a verdict may be another one than before: what is new is so for a day, and windows and hours are judged back to the last
    /// evaluation.
    fn wanted(&self) -> Wanted {
        let remembered = self.states.states.keys().filter_map(|(_, subject)| match subject {
            Subject::Issue(issue) => Some(*issue),
            Subject::Project => None,
        });
        let since_ms = self.now.at_ms.min(self.now.decided_ms) - judge::LOOKS_BACK_MS;
        Wanted { since_ms, remembered: remembered.collect() }
    }

    /// What rules about endpoints and pages will be judged by.
    fn readings(&self, rules: &BTreeMap<RuleId, &AlertRule>) -> Readings<'a> {
        let limits = rules.values().filter_map(|rule| {
            let condition = Condition::of(rule.condition.as_ref()?).ok()?;
            Some((measure::Asked::of(rule, condition)?.limit, self.moment(rule)))
        });
        Readings::of_moments(self.api, (self.scope, self.project), limits, self.now.until_ms)
    }

    /// Rows of rules that were deleted go, with what they would still tell. A list may be older than its rules: each is asked for.
    async fn forget_rules(&mut self, rules: &BTreeMap<RuleId, AlertRule>) -> Result<(), ApiError> {
        let remembered =
            self.states.states.keys().map(|(rule, _)| *rule).chain(self.states.begun.keys().copied());
        let mut deleted = BTreeSet::new();
        for rule in remembered.filter(|rule| !rules.contains_key(rule)).collect::<BTreeSet<_>>() {
            if rows::rule(self.api, self.scope, rule).await?.is_none() {
                deleted.insert(rule);
            }
        }
        let gone = |(rule, _): &(RuleId, Subject)| deleted.contains(rule);
        let places: Vec<_> = self.states.states.keys().copied().filter(gone).collect();
        for (rule, subject) in places {
            let Some(stored) = self.states.states.remove(&(rule, subject)) else { continue };
            for delivery in &stored.value.pending {
                let id = key::firing(rule, delivery.rule_version, subject, delivery.number);
                let told = ((rule, subject), &stored.value);
                log::not_sent(self.api, self.scope, told, delivery, (&id, "the rule was deleted")).await?;
            }
            let key = key::state(self.scope, rule, subject);
            rows::swap::<AlertState>(self.api, &ALERT_STATES, &key, Some(&stored.bytes), None, None).await?;
        }
        let begun: Vec<_> = self.states.begun.keys().copied().filter(|rule| deleted.contains(rule)).collect();
        for rule in begun {
            let Some(stored) = self.states.begun.remove(&rule) else { continue };
            let key = key::begun(self.scope, rule);
            rows::swap::<AlertState>(self.api, &ALERT_STATES, &key, Some(&stored.bytes), None, None).await?;
        }
        Ok(())
    }

    async fn rule(
        &mut self,
        id: RuleId,
        rule: &AlertRule,
        (issues, readings): (&mut Issues<'_>, &mut Readings<'_>),
    ) -> Result<(), ApiError> {
        let asked = match Asked::of(rule) {
            Ok(asked) => asked,
            // A newer program wrote it.
            Err(error) => {
                tracing::warn!(rule = %id, %error, "a rule cannot be evaluated by this version");
                return Ok(());
            }
        };
        self.end_others((id, rule), asked.condition.is_of_issues()).await?;
        if let Condition::Silent { minutes } = asked.condition {
            return self.silence((id, rule), minutes).await;
        }
        if let Some(asked) = measure::Asked::of(rule, asked.condition) {
            return self.performance((id, rule), &asked, readings).await;
        }
        let begins =
            self.states.begun.get(&id).is_none_or(|begun| begun.value.asked_version != rule.asked_version);
        let notes = matches!(asked.condition, Condition::Regressed | Condition::Escalating) && begins;
        for (nth, subject) in self.subjects(id, issues).into_iter().enumerate() {
            if nth % gather::YIELD_EACH == 0 {
                tokio::task::yield_now().await;
            }
            let place = (id, Subject::Issue(subject));
            let memory = self.states.states.get(&place).map(|stored| stored.value.clone());
            let verdict = self.judge((rule, &asked), subject, memory.as_ref(), issues).await?;
            if notes {
                self.note_before((place, rule), memory.as_ref(), &verdict).await?;
                continue;
            }
            let at = self.at_verdict(rule, &verdict);
            let written = match step::decide(memory.as_ref(), &verdict, at) {
                Step::Nothing => continue,
                Step::Trigger => self.trigger((place, rule), memory.as_ref(), verdict, issues).await?,
                over => self.over((place, rule), memory.as_ref(), &over, &verdict).await?,
            };
            self.count(written);
        }
        if notes { self.begin(id, rule).await } else { Ok(()) }
    }

    /// The issues that are there, and those that the rule remembers.
    fn subjects(
        &self,
        rule: RuleId,
        issues: &Issues<'_>,
    ) -> BTreeSet<playhead_domain::issue::grouping::Fingerprint> {
        let known = self.states.states.keys().filter(|(known, _)| *known == rule);
        let known = known.filter_map(|(_, subject)| match subject {
            Subject::Issue(issue) => Some(*issue),
            Subject::Project => None,
        });
        issues.issues.keys().copied().chain(known).collect()
    }

    async fn judge(
        &self,
        (rule, asked): (&AlertRule, &Asked),
        issue: playhead_domain::issue::grouping::Fingerprint,
        memory: Option<&AlertState>,
        issues: &mut Issues<'_>,
    ) -> Result<Verdict, ApiError> {
        if is_of_another(memory, rule) {
            return Ok(OTHER_QUESTION);
        }
        let moment = self.moment(rule);
        let reach = issues.reach(asked, issue, memory, moment).await?;
        Ok(match issues.issues.get(&issue) {
            Some(gathered) => {
                let judged = gathered.as_judged(asked.is_about(gathered));
                judge::issue(asked.condition, &judged, memory, moment, &reach)
            }
            // It may be among those that were not read.
            None if issues.partial => Verdict::Holds,
            None => Verdict::Over("the issue has expired, or was merged or discarded"),
        })
    }

    fn moment(&self, rule: &AlertRule) -> Moment {
        let throttle_ms = i64::from(rule.throttle_minutes) * 60_000;
        let Now { at_ms, until_ms, decided_ms, .. } = self.now;
        Moment { at_ms, until_ms, decided_ms, from_ms: rule.from_ms, throttle_ms }
    }

    fn at<'r>(&self, rule: &'r AlertRule) -> At<'r> {
        let now_ms = self.api.now_ms();
        let is_quiet =
            self.settings.maintenance.iter().any(|span| (span.from_ms..span.to_ms).contains(&now_ms));
        At { rule, at_ms: self.now.at_ms, now_ms, is_quiet }
    }

    /// What is passed before the stream is there happened where its window ends.
    fn at_mark<'r>(&self, rule: &'r AlertRule, mark: i64) -> At<'r> {
        At { at_ms: mark.clamp(self.now.at_ms, self.now.until_ms), ..self.at(rule) }
    }

    fn at_verdict<'r>(&self, rule: &'r AlertRule, verdict: &Verdict) -> At<'r> {
        match verdict {
            Verdict::Met(met) => self.at_mark(rule, met.mark),
            _ => self.at(rule),
        }
    }

    async fn trigger(
        &mut self,
        (place, rule): ((RuleId, Subject), &AlertRule),
        memory: Option<&AlertState>,
        verdict: Verdict,
        issues: &mut Issues<'_>,
    ) -> Result<bool, ApiError> {
        let (Verdict::Met(met), Subject::Issue(issue)) = (verdict, place.1) else { return Ok(true) };
        let Some(whole) = issues.whole(issue).await? else { return Ok(true) };
        if memory.is_none() && self.states.states.len() >= MAX_STATES && !self.forget_oldest().await? {
            self.outcome.dropped += 1;
            return Ok(true);
        }
        let users = issues.users(issue).await?;
        let Some(gathered) = issues.issues.get(&issue) else { return Ok(true) };
        let notice = notice::of_issue(gathered, &whole, users, met.why, met.since_ms);
        self.outcome.triggered_ms.push(whole.last_seen_ms);
        self.fire((place, rule), memory, met.mark, notice).await
    }

    /// Makes room: of what is over, what changed longest ago goes first.
    async fn forget_oldest(&mut self) -> Result<bool, ApiError> {
        let over = self.states.states.iter().filter(|(_, stored)| {
            !stored.value.holds && stored.value.pending.is_empty() && !stored.bytes.is_empty()
        });
        let Some(oldest) = over.min_by_key(|(_, stored)| stored.value.changed_ms).map(|(place, _)| *place)
        else {
            return Ok(false);
        };
        let Some(stored) = self.states.states.remove(&oldest) else { return Ok(false) };
        let key = key::state(self.scope, oldest.0, oldest.1);
        let gone =
            rows::swap::<AlertState>(self.api, &ALERT_STATES, &key, Some(&stored.bytes), None, None).await?;
        Ok(gone.is_some())
    }

    async fn fire(
        &mut self,
        (place, rule): ((RuleId, Subject), &AlertRule),
        memory: Option<&AlertState>,
        mark: i64,
        mut notice: AlertNotice,
    ) -> Result<bool, ApiError> {
        if mark > self.now.at_ms && self.now.until_ms > self.now.at_ms {
            let minutes = (self.now.until_ms - self.now.at_ms) / 60_000;
            let behind = format!(" (counted so far: a part of what came in is {minutes} minutes behind)");
            notice.why.push_str(&behind);
        }
        let new = step::trigger(memory, mark, notice, self.at_mark(rule, mark));
        self.outcome.transitions += 1;
        self.write(place, new).await
    }

    async fn over(
        &mut self,
        (place, rule): ((RuleId, Subject), &AlertRule),
        memory: Option<&AlertState>,
        step: &Step,
        verdict: &Verdict,
    ) -> Result<bool, ApiError> {
        let (Some(memory), Verdict::Over(why)) = (memory, verdict) else { return Ok(true) };
        let new = step::end(memory, step, why, self.at_mark(rule, memory.changed_ms));
        self.outcome.transitions += usize::from(*step == Step::Resolve);
        self.write(place, new).await
    }

    /// What holds already when a rule begins to ask does not trigger it.
    async fn note_before(
        &mut self,
        (place, rule): ((RuleId, Subject), &AlertRule),
        memory: Option<&AlertState>,
        verdict: &Verdict,
    ) -> Result<(), ApiError> {
        let held = memory.is_some_and(|memory| memory.holds);
        let new = match verdict {
            Verdict::Met(met) if !held && self.states.states.len() < MAX_STATES => {
                step::note_before(memory, met.mark, self.at(rule))
            }
            Verdict::Over(_) if held => {
                let Some(memory) = memory else { return Ok(()) };
                let step = step::decide(Some(memory), verdict, self.at(rule));
                let Verdict::Over(why) = verdict else { return Ok(()) };
                step::end(memory, &step, why, self.at(rule))
            }
            _ => return Ok(()),
        };
        let written = self.write(place, new).await?;
        self.count(written);
        Ok(())
    }

    async fn begin(&mut self, id: RuleId, rule: &AlertRule) -> Result<(), ApiError> {
        if self.outcome.contested > 0 {
            return Ok(());
        }
        let begun = AlertState { asked_version: rule.asked_version, ..AlertState::default() };
        let old = self.states.begun.get(&id).map(|stored| stored.bytes.clone());
        let key = key::begun(self.scope, id);
        let written = rows::swap(self.api, &ALERT_STATES, &key, old.as_ref(), Some(&begun), None).await?;
        self.count(written.is_some());
        Ok(())
    }

    /// What the rule fired for another kind of subject than it asks about now is over.
    async fn end_others(
        &mut self,
        (id, rule): (RuleId, &AlertRule),
        is_of_issues: bool,
    ) -> Result<(), ApiError> {
        let others = self.states.states.iter().filter(|((of, subject), stored)| {
            *of == id && stored.value.holds && matches!(subject, Subject::Issue(_)) != is_of_issues
        });
        let others: Vec<_> = others.map(|(place, stored)| (*place, stored.value.clone())).collect();
        for (place, memory) in others {
            let step = step::decide(Some(&memory), &OTHER_QUESTION, self.at(rule));
            let written = self.over((place, rule), Some(&memory), &step, &OTHER_QUESTION).await?;
            self.count(written);
        }
        Ok(())
    }

    /// What nobody acknowledged goes to further channels.
    async fn escalate(&mut self, id: RuleId, rule: &AlertRule) -> Result<(), ApiError> {
        let at = self.at(rule);
        let own = self.states.states.iter().filter(|((of, _), _)| *of == id);
        let due = own.filter_map(|(place, stored)| Some((*place, step::escalate(&stored.value, at)?)));
        for (place, new) in due.collect::<Vec<_>>() {
            self.outcome.transitions += 1;
            let written = self.write(place, new).await?;
            self.count(written);
        }
        Ok(())
    }

    async fn write(&mut self, place: (RuleId, Subject), new: AlertState) -> Result<bool, ApiError> {
        let old: Option<Stored<AlertState>> = self.states.states.get(&place).cloned();
        let is_written = rows::write_state(self.api, self.scope, place, old.as_ref(), &new).await?;
        if is_written && old.is_none() {
            self.states.states.insert(place, Stored { value: new, bytes: bytes::Bytes::new() });
        }
        Ok(is_written)
    }

    const fn count(&mut self, is_written: bool) {
        if !is_written {
            self.outcome.contested += 1;
        }
    }
}
