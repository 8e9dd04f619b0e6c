//! Every acknowledged batch's mark is on the time line once, on the event that its stream and number name.

use std::collections::HashMap;

use super::{Comparison, Session};
use crate::visitor::MARK;

pub(super) async fn compare(comparison: &Comparison, session: &Session) -> anyhow::Result<Vec<String>> {
    let path = format!("/sessions/{}/events?kinds=custom&limit=1000", session.visitor.session);
    let events = session.reader(comparison).all(&path).await?;
    let mut seen = HashMap::<&str, u64>::new();
    let mut differences = Vec::new();
    for event in events.iter().filter(|event| event["data"]["name"] == MARK) {
        let mark = event["data"]["properties"]["mark"].as_str().unwrap_or_default();
        *seen.entry(mark).or_default() += 1;
        let place = mark.split_once('-').map_or("", |(_, place)| place);
        let id = event["id"].as_str().unwrap_or_default();
        if !id.starts_with(place) {
            differences.push(format!("mark {mark} is on event {id}, which is another batch's"));
        }
    }
    for mark in &session.expected.marks {
        match seen.remove(mark.as_str()) {
            Some(1) => {}
            Some(times) => differences.push(format!("batch {mark} is there {times} times")),
            None => differences.push(format!("batch {mark} was acknowledged and is lost")),
        }
    }
    for mark in &session.expected.unknown {
        if seen.remove(mark.as_str()).is_some_and(|times| times > 1) {
            differences.push(format!("batch {mark}, never acknowledged, is there more than once"));
        }
    }
    differences.extend(seen.keys().map(|mark| format!("batch {mark} was never sent")));
    Ok(differences)
}
