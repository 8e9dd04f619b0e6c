//! Counts and states of every session, from the list; those that differ are asked for again until the read model had time to catch up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::stream::StreamExt;
use serde_json::Value;

use super::{Comparison, Session, say_progress};

const PAGE: usize = 200;
const PAUSE: Duration = Duration::from_millis(500);

/// Compares all; waits up to `settle` for what is not there yet.
pub(super) async fn compare(
    comparison: &Comparison,
    sessions: &[Session],
    settle: Duration,
    at_once: usize,
) -> anyhow::Result<Vec<String>> {
    let end = Instant::now() + settle;
    let mut open: Vec<&Session> =
        sessions.iter().filter(|session| session.account.acknowledged() > 0).collect();
    let mut listed = list_all(comparison, sessions).await?;
    open.retain(|session| !differences(session, listed.get(session.visitor.session.as_str())).is_empty());
    let mut found = HashMap::<u64, Vec<String>>::new();
    while !open.is_empty() {
        found.clear();
        let asked = futures::stream::iter(open.iter().map(|session| ask(comparison, session)))
            .buffer_unordered(at_once.max(1));
        for (session, differences) in asked.collect::<Vec<_>>().await {
            if !differences.is_empty() {
                found.insert(
                    session.visitor.number,
                    differences.iter().map(|text| session.tell(text)).collect(),
                );
            }
        }
        open.retain(|session| found.contains_key(&session.visitor.number));
        say_progress(&format!("{} of {} sessions are not as they must be yet", open.len(), sessions.len()));
        if open.is_empty() || Instant::now() > end {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let mut differences: Vec<String> = found.into_values().flatten().collect();
    listed = list_all(comparison, sessions).await?;
    differences.extend(of_list(sessions, &listed));
    Ok(differences)
}

async fn ask<'a>(comparison: &Comparison, session: &'a Session) -> (&'a Session, Vec<String>) {
    let reader = session.reader(comparison);
    let path = format!("/api/v1/projects/{}/sessions/{}", reader.project.project_id, session.visitor.session);
    let answer = reader
        .client
        .get(format!("{}{path}", reader.url))
        .bearer_auth(&reader.project.secret_key)
        .send()
        .await;
    let shown = match answer {
        Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => None,
        Ok(answer) if answer.status().is_success() => match answer.json::<Value>().await {
            Ok(shown) => Some(shown),
            Err(error) => return (session, vec![format!("it cannot be read: {error}")]),
        },
        Ok(answer) => return (session, vec![format!("it answers {}", answer.status())]),
        Err(error) => return (session, vec![format!("it cannot be asked for: {error}")]),
    };
    let differences = differences(session, shown.as_ref());
    (session, differences)
}

fn differences(session: &Session, shown: Option<&Value>) -> Vec<String> {
    let expected = &session.expected;
    let Some(shown) = shown else {
        return if session.account.erased { Vec::new() } else { vec!["it is not there".to_owned()] };
    };
    if session.account.erased {
        return vec!["it was erased and is still there".to_owned()];
    }
    let mut differences = Vec::new();
    for (name, wanted) in expected.counts.named() {
        let got = shown["counts"][name].as_u64().unwrap_or(0);
        if got < wanted || (got > wanted && expected.is_certain()) {
            differences.push(format!("counts.{name} is {got}, {wanted} were acknowledged"));
        }
    }
    if shown["counts"]["dropped_signals"].as_u64() != Some(0) {
        differences.push(format!("signals were dropped: {}", shown["counts"]["dropped_signals"]));
    }
    if expected.is_whole && expected.is_certain() && expected.has_dom {
        let wanted = if expected.is_ended { "complete" } else { "live" };
        let state = shown["replay"].as_str().unwrap_or_default();
        let reasons = shown["replay_reasons"].as_array().is_none_or(Vec::is_empty);
        // A session without an end may have become idle in the meantime.
        if !(state == wanted || (state == "complete" && !expected.is_ended)) || !reasons {
            differences.push(format!("the recording is {state}, not {wanted}: {}", shown["replay_reasons"]));
        }
    }
    differences
}

/// Every project's sessions by id. A session that is listed twice is kept under a second name, to be found.
async fn list_all(comparison: &Comparison, sessions: &[Session]) -> anyhow::Result<HashMap<String, Value>> {
    let mut used: Vec<usize> = sessions.iter().map(|session| session.visitor.project).collect();
    used.sort_unstable();
    used.dedup();
    let mut listed = HashMap::new();
    for project in used {
        let items = comparison.readers[project].all(&format!("/sessions?limit={PAGE}")).await?;
        for item in items {
            let id = item["id"].as_str().context("a session without id")?.to_owned();
            if let Some(before) = listed.insert(id.clone(), item) {
                listed.insert(format!("{id} again"), before);
            }
        }
    }
    Ok(listed)
}

/// The list holds every session once, and no other.
fn of_list(sessions: &[Session], listed: &HashMap<String, Value>) -> Vec<String> {
    let known: HashMap<&str, &Session> =
        sessions.iter().map(|session| (session.visitor.session.as_str(), session)).collect();
    let mut differences = Vec::new();
    for id in listed.keys() {
        match known.get(id.as_str()) {
            None => differences.push(format!("the list shows {id}, which was never sent or is there twice")),
            Some(session) if session.account.erased => {
                differences.push(session.tell("it was erased and is in the list"))
            }
            Some(_) => {}
        }
    }
    for session in
        sessions.iter().filter(|session| session.account.acknowledged() > 0 && !session.account.erased)
    {
        if !listed.contains_key(&session.visitor.session) {
            differences.push(session.tell("it is not in the list"));
        }
    }
    differences
}
