//! Every acknowledged batch's mark is on the time line once, on the event that its stream and number name.

use std::collections::HashMap;

use serde_json::Value;

use super::expected::Expected;
use super::{Comparison, Session};
use crate::visitor::MARK;

pub(super) async fn compare(comparison: &Comparison, session: &Session) -> anyhow::Result<Vec<String>> {
    let path = format!("/sessions/{}/events?kinds=custom&limit=1000", session.visitor.session);
    let events = session.reader(comparison).all(&path).await?;
    Ok(differences(&session.expected, &events))
}

fn differences(expected: &Expected, events: &[Value]) -> Vec<String> {
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
    for mark in &expected.marks {
        match seen.remove(mark.as_str()) {
            Some(1) => {}
            Some(times) => differences.push(format!("batch {mark} is there {times} times")),
            None => differences.push(format!("batch {mark} was acknowledged and is lost")),
        }
    }
    for mark in &expected.unknown {
        if seen.remove(mark.as_str()).is_some_and(|times| times > 1) {
            differences.push(format!("batch {mark}, never acknowledged, is there more than once"));
        }
    }
    differences.extend(seen.keys().map(|mark| format!("batch {mark} was never sent")));
    differences
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(stream_and_seq: &str, index: u32) -> Value {
        json!({"id": format!("{stream_and_seq}-{index}"), "data": {"name": MARK, "properties": {"mark": format!("s-{stream_and_seq}")}}})
    }

    #[test]
    fn lost_doubled_and_foreign_batches_are_told() {
        let expected = Expected {
            marks: vec!["s-a-0".to_owned(), "s-a-1".to_owned()],
            unknown: vec!["s-a-2".to_owned()],
            ..Expected::default()
        };
        let (first, second) = (event("a-0", 3), event("a-1", 0));
        assert!(differences(&expected, &[first.clone(), second.clone()]).is_empty());
        assert!(
            differences(&expected, &[first.clone(), second.clone(), event("a-2", 0)]).is_empty(),
            "may be there"
        );
        for (events, word) in [
            (vec![first.clone()], "lost"),
            (vec![first.clone(), second.clone(), second.clone()], "2 times"),
            (vec![first.clone(), second.clone(), event("b-7", 0)], "never sent"),
            (vec![first.clone(), second.clone(), event("a-2", 0), event("a-2", 1)], "more than once"),
        ] {
            let found = differences(&expected, &events);
            assert!(found.len() == 1 && found[0].contains(word), "{found:?} does not say {word}");
        }
        let mut moved = second;
        moved["id"] = "a-9-0".into();
        assert!(differences(&expected, &[first, moved])[0].contains("another batch"));
    }
}
