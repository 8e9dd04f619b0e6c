//! What is told: what broke, for how many, since when, and where to look.

use playhead_domain::alert::judge::Met;
use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::alert::performance::{Measure, Measured};
use playhead_domain::alert::step;
use playhead_domain::id::SessionId;
use playhead_domain::row::{
    AlertDelivery, AlertFact, AlertNotice, AlertRule, AlertState, IssueTotals, Project,
};
use playhead_domain::scope::Scope;

use super::gather::Gathered;
use super::measure::Asked;
use super::settings;
use crate::channel::{Links, Message, Priority, Transition};
use crate::model::alert::AlertKind;
use crate::model::issue::PriorityLevel;
use crate::page;
use crate::state::Api;

fn fact(name: &str, value: impl Into<String>) -> AlertFact {
    AlertFact { name: name.to_owned(), value: value.into() }
}

/// Of an issue.
pub(crate) fn of_issue(
    issue: &Gathered,
    totals: &IssueTotals,
    (users, is_exact): (u64, bool),
    why: String,
    since_ms: i64,
) -> AlertNotice {
    let latest = totals.latest.clone().unwrap_or_default();
    let users = if is_exact { users.to_string() } else { format!("at least {users}") };
    let mut facts = vec![
        fact("Events", totals.events.to_string()),
        fact("Sessions", totals.sessions.to_string()),
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

/// What is wrong with which endpoint or page.
pub(crate) fn title(asked: &Asked<'_>) -> String {
    let limit = &asked.limit;
    let what = match (asked.given.name.as_str(), limit.measure.vital().is_some()) {
        ("", false) => "all endpoints",
        ("", true) => "all pages",
        (name, _) => name,
    };
    format!("{} of {what}", limit.measure.title(limit.is_below))
}

/// Of an endpoint, a page, or all of them.
pub(crate) fn of_performance(
    asked: &Asked<'_>,
    measured: &Measured,
    met: &Met,
    example: Option<(SessionId, i64)>,
) -> AlertNotice {
    let (limit, given) = (&asked.limit, asked.given);
    let is_of_page = limit.measure.vital().is_some();
    let counts = &measured.counts;
    let mut facts =
        vec![fact(if is_of_page { "Page loads" } else { "Requests" }, counts.requests.to_string())];
    if !is_of_page {
        facts.push(fact("Failed", counts.failed.to_string()));
    }
    for (name, value) in [("Environment", &given.environment), ("Release", &given.release)] {
        if !value.is_empty() {
            facts.push(fact(name, value.clone()));
        }
    }
    let (session, time_ms) =
        example.map_or((Vec::new(), 0), |(session, time_ms)| (session.0.to_vec(), time_ms));
    AlertNotice {
        title: title(asked),
        culprit: String::new(),
        why: met.why.clone(),
        facts,
        since_ms: met.since_ms,
        priority: if limit.measure == Measure::ErrorShare { "high" } else { "medium" }.to_owned(),
        session: session.into(),
        time_ms,
    }
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
        step::ESCALATED => Transition::Escalated,
        step::ACKNOWLEDGED => Transition::Acknowledged,
        step::RESOLVED => Transition::Resolved,
        _ => Transition::Triggered,
    }
}

/// Where one looks at what a rule about no issue measures.
fn looked_at(rule: &AlertRule) -> String {
    match settings::about(rule) {
        (AlertKind::Endpoint, None) => "endpoints".to_owned(),
        (AlertKind::Endpoint, Some(name)) => format!("endpoints/{}", in_address(&name)),
        (AlertKind::Page, None) => "pages".to_owned(),
        (AlertKind::Page, Some(name)) => format!("pages?q={}", in_address(&name)),
        _ => "sessions".to_owned(),
    }
}

/// Percent-encoded, but for what RFC 3986 calls unreserved.
fn in_address(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
            );
        }
    }
    encoded
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
    let page = page::project(api, scope);
    let session = <[u8; 16]>::try_from(notice.session.as_ref()).ok().map(SessionId);
    let (link, replay) = match subject {
        Subject::Project => {
            let replay = session.map(|session| {
                let t = notice.time_ms;
                format!("{page}/sessions/{session}?pane=network&at={t}")
            });
            (format!("{page}/{}", looked_at(rule)), replay)
        }
        Subject::Issue(issue) => {
            let replay = session.map(|session| page::replay(api, scope, session, "errors", issue));
            (page::issue(api, scope, issue), replay)
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
        taken: delivery.taken.clone(),
    }
}
