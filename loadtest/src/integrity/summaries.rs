//! Counts and states of every session, from the list; those that differ are asked for again until the read model had time to catch up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::stream::StreamExt;
use serde_json::Value;

use super::{Comparison, Session, say_progress};

const PAGE: usize = 200;
const PAUSE: Duration = Duration::from_secs(1);
/// Sessions by which it is seen whether the read model still catches up: asking for all of them all the time would slow it down.
const WITNESSES: usize = 100;

/// Compares all. What is not there yet is waited for, as long as more of it appears at least every `settle`.
pub(super) async fn compare(
    comparison: &Comparison,
    sessions: &[Session],
    settle: Duration,
    at_once: usize,
) -> anyhow::Result<Vec<String>> {
    let listed = list_all(comparison, sessions).await?;
    let mut open: Vec<&Session> =
        sessions.iter().filter(|session| session.account.acknowledged() > 0).collect();
    open.retain(|session| match listed.get(session.visitor.session.as_str()) {
        Some(is_right) => !is_right,
        None => !differences(session, None).is_empty(),
    });
    drop(listed);
    let found = loop {
        wait_for_witnesses(comparison, &open, settle, at_once).await;
        let (before, asked) = (open.len(), ask_all(comparison, &open, at_once).await);
        open.retain(|session| asked.contains_key(&session.visitor.number));
        say_progress(&format!("{} of {} sessions are not as they must be yet", open.len(), sessions.len()));
        // Witnesses were waited for and the rest did not get better either.
        if open.is_empty() || open.len() == before {
            break asked;
        }
    };
    let mut differences: Vec<String> = found.into_values().flat_map(|asked| asked.differences).collect();
    differences.extend(of_list(sessions, &list_all(comparison, sessions).await?));
    Ok(differences)
}

/// Waits until some of the sessions are as they must be, or none of them has changed for `settle`.
async fn wait_for_witnesses(comparison: &Comparison, open: &[&Session], settle: Duration, at_once: usize) {
    let step = open.len().div_ceil(WITNESSES).max(1);
    let witnesses: Vec<&Session> = open.iter().copied().step_by(step).collect();
    let (mut progress, mut last_change) = ((0, 0), Instant::now());
    loop {
        let asked = ask_all(comparison, &witnesses, at_once).await;
        let shown: u64 = asked.values().map(|asked| asked.events_shown).sum();
        let settled = witnesses.len() - asked.len();
        say_progress(&format!(
            "{settled} of {} sessions that are watched are as they must be",
            witnesses.len()
        ));
        if asked.is_empty() {
            return;
        }
        if (settled, shown) != progress {
            progress = (settled, shown);
            last_change = Instant::now();
        }
        if last_change.elapsed() > settle {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What a session's page says, where it is not what it must be.
struct Asked {
    events_shown: u64,
    differences: Vec<String>,
}

/// By the visit's number, those that differ.
async fn ask_all(comparison: &Comparison, sessions: &[&Session], at_once: usize) -> HashMap<u64, Asked> {
    let questions = sessions.iter().map(|session| ask(comparison, session));
    let asked = futures::stream::iter(questions).buffer_unordered(at_once.max(1));
    let told = asked.map(|(session, shown, differences)| {
        let differences = differences.iter().map(|text| session.tell(text)).collect();
        (session.visitor.number, Asked { events_shown: shown, differences })
    });
    told.filter(|(_, asked)| std::future::ready(!asked.differences.is_empty())).collect().await
}

/// Events that the session shows, and what differs.
async fn ask<'a>(comparison: &Comparison, session: &'a Session) -> (&'a Session, u64, Vec<String>) {
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
            Err(error) => return (session, 0, vec![format!("it cannot be read: {error}")]),
        },
        Ok(answer) => return (session, 0, vec![format!("it answers {}", answer.status())]),
        Err(error) => return (session, 0, vec![format!("it cannot be asked for: {error}")]),
    };
    let differences = differences(session, shown.as_ref());
    let events_shown = shown.as_ref().and_then(|shown| shown["counts"]["events"].as_u64()).unwrap_or(0);
    (session, events_shown, differences)
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

/// Every project's sessions by id, and whether they are as they must be: rows of millions do not fit into memory. A session that is listed twice is
/// kept under a second name, to be found.
async fn list_all(comparison: &Comparison, sessions: &[Session]) -> anyhow::Result<HashMap<String, bool>> {
    let known = by_id(sessions);
    let mut used: Vec<usize> = sessions.iter().map(|session| session.visitor.project).collect();
    used.sort_unstable();
    used.dedup();
    let (mut listed, mut without_id) = (HashMap::new(), false);
    for project in used {
        let note = |item: Value| {
            let Some(id) = item["id"].as_str() else { return without_id = true };
            let is_right = known.get(id).is_some_and(|session| differences(session, Some(&item)).is_empty());
            if let Some(before) = listed.insert(id.to_owned(), is_right) {
                listed.insert(format!("{id} again"), before);
            }
        };
        comparison.readers[project].each(&format!("/sessions?limit={PAGE}"), note).await?;
    }
    anyhow::ensure!(!without_id, "a session without id");
    Ok(listed)
}

fn by_id(sessions: &[Session]) -> HashMap<&str, &Session> {
    sessions.iter().map(|session| (session.visitor.session.as_str(), session)).collect()
}

/// The list holds every session once, and no other.
fn of_list(sessions: &[Session], listed: &HashMap<String, bool>) -> Vec<String> {
    let known = by_id(sessions);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::corpus::Counts;
    use crate::integrity::Expected;
    use crate::ledger::Account;
    use crate::visitor::Visitor;

    fn session(erased: bool) -> Session {
        let counts = Counts { events: 9, errors: 2, custom_events: 4, ..Counts::default() };
        let visitor = Visitor {
            number: 1,
            session: "s".to_owned(),
            streams: Vec::new(),
            recording: 0,
            project: 0,
            user: String::new(),
            ends: true,
            erase_after: None,
        };
        let expected =
            Expected { counts, is_ended: true, is_whole: true, has_dom: true, ..Expected::default() };
        Session { visitor, account: Account { erased, ..Account::default() }, expected }
    }

    fn shown(errors: u64, replay: &str) -> Value {
        json!({"counts": {"events": 9, "errors": errors, "custom_events": 4, "dropped_signals": 0}, "replay": replay, "replay_reasons": []})
    }

    #[test]
    fn whatever_differs_is_told() {
        let (kept, erased) = (session(false), session(true));
        assert!(differences(&kept, Some(&shown(2, "complete"))).is_empty());
        assert!(differences(&erased, None).is_empty());
        for (session, shown) in [
            (&kept, None),
            (&kept, Some(shown(1, "complete"))),
            (&kept, Some(shown(3, "complete"))),
            (&kept, Some(shown(2, "partial"))),
            (&kept, Some(shown(2, "live"))),
            (&erased, Some(shown(2, "complete"))),
        ] {
            assert_eq!(differences(session, shown.as_ref()).len(), 1, "{shown:?}");
        }
    }

    #[test]
    fn the_list_holds_every_session_once() {
        let (kept, erased) = (session(false), session(true));
        let listed = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), true)).collect::<HashMap<_, _>>();
        assert_eq!(of_list(std::slice::from_ref(&erased), &listed(&["s"])).len(), 1, "erased");
        assert_eq!(of_list(&[kept], &listed(&["s", "s again", "x"])).len(), 2, "twice, and never sent");
    }
}
