//! The read model as the public API tells it, without what may differ between two runs over the same records: where bytes
//! lie, how they are cut into segments, and what depends on the time of asking.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Value, json};

use crate::api::Reader;

/// Fields of a session that depend on when one asks.
const OF_THE_MOMENT: [&str; 3] = ["state", "replay", "replay_reasons"];
/// Differences that are told of one session.
const TOLD: usize = 3;

/// Everything there is of a project, by session.
pub(crate) type Canonical = BTreeMap<String, Value>;

pub(crate) async fn read(reader: &Reader) -> anyhow::Result<Canonical> {
    let mut canonical = Canonical::new();
    for listed in reader.all("/sessions?limit=200").await? {
        let id = listed["id"].as_str().context("a session without id")?.to_owned();
        let session = without_moment(reader.json(&format!("/sessions/{id}")).await?);
        let events = reader.all(&format!("/sessions/{id}/events?limit=1000")).await?;
        let (listed, streams) = (without_moment(listed), streams(reader, &id).await?);
        canonical
            .insert(id, json!({"listed": listed, "session": session, "events": events, "streams": streams}));
    }
    Ok(canonical)
}

fn without_moment(mut session: Value) -> Value {
    if let Some(fields) = session.as_object_mut() {
        OF_THE_MOMENT.iter().for_each(|name| drop(fields.remove(*name)));
    }
    session
}

/// The recording: per stream its facts, its gaps and all its events. Compaction may move segments while they are read; then the
/// manifest is read again.
async fn streams(reader: &Reader, id: &str) -> anyhow::Result<Value> {
    for _ in 0..5 {
        let mut manifest = reader.json(&format!("/sessions/{id}/replay")).await?;
        let streams = manifest["streams"].as_array_mut().context("no streams")?;
        let mut whole = true;
        for stream in streams.iter_mut() {
            match recorded(reader, &stream["segments"]).await? {
                Some(events) => stream["segments"] = events,
                None => whole = false,
            }
        }
        if whole {
            return Ok(manifest["streams"].take());
        }
    }
    anyhow::bail!("the segments of session {id} moved five times while they were read")
}

async fn recorded(reader: &Reader, segments: &Value) -> anyhow::Result<Option<Value>> {
    let mut lines = Vec::new();
    for segment in segments.as_array().context("no segments")? {
        let href = segment["href"].as_str().context("a segment without address")?;
        let Some(text) = reader.text_if_there(href).await? else { return Ok(None) };
        lines.extend(text.lines().map(|line| Value::from(line.to_owned())));
    }
    Ok(Some(Value::from(lines)))
}

/// How two read models differ, in words.
pub(crate) fn differences(before: &Canonical, after: &Canonical) -> Vec<String> {
    let mut found = Vec::new();
    for (id, was) in before {
        match after.get(id) {
            None => found.push(format!("session {id} is gone")),
            Some(is) if is != was => {
                let mut paths = Vec::new();
                compare(was, is, String::new(), &mut paths);
                found.extend(paths.into_iter().take(TOLD).map(|path| format!("session {id}: {path}")));
            }
            Some(_) => {}
        }
    }
    found
        .extend(after.keys().filter(|id| !before.contains_key(*id)).map(|id| format!("session {id} is new")));
    found
}

fn compare(was: &Value, is: &Value, path: String, found: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for name in was.keys().chain(is.keys().filter(|name| !was.contains_key(*name))) {
                let of =
                    |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                compare(&of(was), &of(is), format!("{path}.{name}"), found);
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            if was.len() != is.len() {
                found.push(format!("{path} had {} entries and has {}", was.len(), is.len()));
            }
            for (at, (was, is)) in was.iter().zip(is).enumerate() {
                compare(was, is, format!("{path}[{at}]"), found);
            }
        }
        (was, is) if was != is => found.push(format!("{path} was {was} and is {is}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_place() {
        let of = |value: Value| Canonical::from([("a".to_owned(), value)]);
        let was = of(json!({"counts": {"errors": 1}, "events": [1, 2]}));
        assert_eq!(differences(&was, &was), Vec::<String>::new());
        let is = of(json!({"counts": {"errors": 2}, "events": [1]}));
        let told = differences(&was, &is);
        assert_eq!(
            told,
            ["session a: .counts.errors was 1 and is 2", "session a: .events had 2 entries and has 1"]
        );
        assert_eq!(differences(&was, &Canonical::new()), ["session a is gone"]);
        assert_eq!(differences(&Canonical::new(), &was), ["session a is new"]);
    }
}
