//! What is told: what broke, for how many, since when, and where to look.

use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::alert::step;
use playhead_domain::id::SessionId;
use playhead_domain::row::{AlertDelivery, AlertFact, AlertNotice, AlertRule, AlertState, Project};
use playhead_domain::scope::Scope;

use super::gather::Gathered;
use crate::channel::{Links, Message, Priority, Transition};
use crate::model::issue::PriorityLevel;
use crate::state::Api;

fn fact(name: &str, value: impl Into<String>) -> AlertFact {
    AlertFact { name: name.to_owned(), value: value.into() }
}

/// Of an issue.
pub(crate) fn of_issue(
    issue: &Gathered,
    (users, is_exact): (u64, bool),
    why: String,
    since_ms: i64,
) -> AlertNotice {
    let latest = issue.totals.latest.clone().unwrap_or_default();
    let users = if is_exact { users.to_string() } else { format!("at least {users}") };
    let mut facts = vec![
        fact("Events", issue.totals.events.to_string()),
        fact("Sessions", issue.totals.sessions.to_string()),
        fact("Users", users),
    ];
    if !latest.release.is_empty() {
        facts.push(fact("Release", latest.release.clone()));
    }
    facts.push(fact("Priority", issue.priority.reason.clone()));
    AlertNotice {
        title: latest.title,
        culprit: latest.culprit,
        why,
        facts,
        since_ms,
        priority: level(issue.priority.level).to_owned(),
        session: latest.session,
        time_ms: latest.time_ms,
    }
}

/// Of a project that receives nothing.
pub(crate) fn of_silence(project: &Project, why: String, since_ms: i64) -> AlertNotice {
    let title = format!("{} receives nothing", project.name);
    AlertNotice { title, why, since_ms, priority: "high".to_owned(), ..AlertNotice::default() }
}

pub(crate) const fn level(level: PriorityLevel) -> &'static str {
    match level {
        PriorityLevel::High => "high",
        PriorityLevel::Medium => "medium",
        PriorityLevel::Low => "low",
    }
}

fn priority(name: &str) -> Priority {
    match name {
        "high" => Priority::High,
        "medium" => Priority::Medium,
        _ => Priority::Low,
    }
}

fn transition(name: &str) -> Transition {
    match name {
        step::ACKNOWLEDGED => Transition::Acknowledged,
        step::RESOLVED => Transition::Resolved,
        _ => Transition::Triggered,
    }
}

/// The page of the project on which alerts are.
pub(crate) fn alerts_page(api: &Api, scope: Scope) -> String {
    format!("{}/p/{}/alerts", api.0.public_url, scope.project())
}

/// A message of the outbox, as channels render it.
pub(crate) fn message(
    api: &Api,
    scope: Scope,
    project: &Project,
    (id, rule): (RuleId, &AlertRule),
    (subject, state): (Subject, &AlertState),
    delivery: &AlertDelivery,
) -> Message {
    let notice = state.notice.clone().unwrap_or_default();
    let page = format!("{}/p/{}", api.0.public_url, scope.project());
    let (link, replay) = match subject {
        Subject::Project => (format!("{page}/sessions"), None),
        Subject::Issue(issue) => {
            let session = <[u8; 16]>::try_from(notice.session.as_ref()).ok().map(SessionId);
            let replay =
                session.map(|session| format!("{page}/sessions/{session}?pane=errors&issue={issue}"));
            (format!("{page}/issues/{issue}"), replay)
        }
    };
    Message {
        id: key::firing(id, delivery.rule_version, subject, delivery.number),
        transition: transition(&delivery.transition),
        priority: priority(&notice.priority),
        project: project.name.clone(),
        rule: rule.name.clone(),
        title: notice.title,
        culprit: notice.culprit,
        why: delivery.why.clone(),
        facts: notice.facts.into_iter().map(|fact| (fact.name, fact.value)).collect(),
        since_ms: notice.since_ms,
        links: Links { subject: link, replay, rule: format!("{page}/alerts?rule={id}") },
        issue: match subject {
            Subject::Issue(issue) => Some(issue),
            Subject::Project => None,
        },
    }
}
