//! Compares what was acknowledged with what the public API shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::api::Reader;
use crate::browser::{Expected, dom_marks};
use crate::delivery::Delivered;

/// Sessions that are compared at a time.
const AT_ONCE: usize = 8;

/// Waits until the read model has caught up: the newest batch of every session is visible. After `patience` the comparison says
/// what is missing. Tells how long it took.
pub(crate) async fn settle(reader: &Reader, delivered: &[Delivered], patience: Duration) -> Duration {
    let begun = Instant::now();
    let sessions = delivered.iter().filter(|told| told.batches > 0);
    let looks: Vec<_> = sessions.map(|told| until_shown(reader, told, begun, patience).boxed()).collect();
    // Thousands of sessions asked for one by one would take longer than what is waited for.
    stream::iter(looks).buffer_unordered(AT_ONCE).collect::<()>().await;
    begun.elapsed()
}

async fn until_shown(reader: &Reader, told: &Delivered, begun: Instant, patience: Duration) {
    while begun.elapsed() <= patience {
        let session = reader.json(&format!("/sessions/{}", told.session)).await;
        let shown = session.map(|session| session["counts"]["custom_events"].as_u64());
        if shown.is_ok_and(|shown| shown >= Some(told.batches)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything in which the read model differs from what was acknowledged, in words; empty when all is well.
pub(crate) async fn compare(reader: &Reader, delivered: &[Delivered]) -> anyhow::Result<Vec<String>> {
    let sent: Vec<&Delivered> = delivered.iter().filter(|told| told.batches > 0).collect();
    let of_session = |told| async move {
        match session_differences(reader, told).await {
            Ok(found) => found,
            Err(error) => vec![format!("session {}: {error:#}", told.session)],
        }
    };
    let found =
        stream::iter(sent.iter().copied()).map(of_session).buffered(AT_ONCE).collect::<Vec<_>>().await;
    let mut differences = found.concat();
    differences.extend(
        delivered
            .iter()
            .filter_map(|told| Some(format!("session {}: {}", told.session, told.trouble.as_ref()?))),
    );
    let listed = reader.all("/sessions?limit=200").await?.len();
    if listed != sent.len() {
        differences.push(format!("the list shows {listed} sessions, {} were sent", sent.len()));
    }
    Ok(differences)
}

/// What differs, in words; empty when all is well.
async fn session_differences(reader: &Reader, told: &Delivered) -> anyhow::Result<Vec<String>> {
    let mut differences = Vec::new();
    check_summary(reader, told, &mut differences).await?;
    check_events(reader, told, &mut differences).await?;
    check_recording(reader, told, &mut differences).await?;
    for difference in &mut differences {
        *difference = format!("session {}: {difference}", told.session);
    }
    Ok(differences)
}

async fn check_summary(
    reader: &Reader,
    told: &Delivered,
    differences: &mut Vec<String>,
) -> anyhow::Result<()> {
    let session = reader.json(&format!("/sessions/{}", told.session)).await?;
    let expected = Expected::of(told.batches);
    for (name, expected) in [
        ("errors", expected.errors),
        ("failed_requests", expected.failed_requests),
        ("custom_events", told.batches),
    ] {
        let got = session["counts"][name].as_u64();
        if got != Some(expected) {
            differences.push(format!("counts.{name} is {got:?}, expected {expected}"));
        }
    }
    Ok(())
}

async fn check_events(
    reader: &Reader,
    told: &Delivered,
    differences: &mut Vec<String>,
) -> anyhow::Result<()> {
    let events = reader.all(&format!("/sessions/{}/events?kinds=custom&limit=1000", told.session)).await?;
    let mut seen = HashMap::<u64, u64>::new();
    for event in &events {
        *seen.entry(event["data"]["properties"]["seq"].as_u64().unwrap_or(u64::MAX)).or_default() += 1;
    }
    for seq in 0..told.batches {
        match seen.remove(&seq) {
            Some(1) => {}
            Some(times) => differences.push(format!("batch {seq} is there {times} times")),
            None => differences.push(format!("batch {seq} was acknowledged and is lost")),
        }
    }
    differences.extend(seen.keys().map(|seq| format!("batch {seq} was never sent")));
    Ok(())
}

/// Reads the recording whole. Compaction may replace segments between the manifest and them: then the manifest is read again, as a
/// player does.
async fn check_recording(
    reader: &Reader,
    told: &Delivered,
    differences: &mut Vec<String>,
) -> anyhow::Result<()> {
    for _ in 0..5 {
        let manifest = reader.json(&format!("/sessions/{}/replay", told.session)).await?;
        if !matches!(manifest["state"].as_str(), Some("complete" | "live")) {
            differences.push(format!("the replay is {} because {}", manifest["state"], manifest["reasons"]));
        }
        let empty = Vec::new();
        let streams = manifest["streams"].as_array().unwrap_or(&empty);
        let Some(stream) = streams.iter().find(|stream| stream["id"] == told.stream.as_str()) else {
            differences.push(format!("stream {} is not in the manifest", told.stream));
            return Ok(());
        };
        let segments = stream["segments"].as_array().unwrap_or(&empty);
        if segments.first().is_none_or(|first| first["key_frame"] != true) {
            differences.push("the recording does not start at a key frame".to_owned());
        }
        if let Some(marks) = read_marks(reader, segments).await? {
            compare_marks(&marks, told, differences);
            return Ok(());
        }
    }
    differences.push("the recording's segments moved five times while they were read".to_owned());
    Ok(())
}

/// The marks of all dom events, in order; `None` when a segment moved.
async fn read_marks(reader: &Reader, segments: &[Value]) -> anyhow::Result<Option<Vec<String>>> {
    let mut marks = Vec::new();
    for segment in segments {
        let Some(text) = reader.text_if_there(segment["href"].as_str().unwrap_or_default()).await? else {
            return Ok(None);
        };
        for line in text.lines() {
            let event: Value = serde_json::from_str(line)?;
            if let Some(mark) = event["data"]["texts"][0]["value"].as_str() {
                marks.push(mark.to_owned());
            }
        }
    }
    Ok(Some(marks))
}

fn compare_marks(marks: &[String], told: &Delivered, differences: &mut Vec<String>) {
    let expected: Vec<String> = (0..told.batches).flat_map(dom_marks).collect();
    if marks != expected {
        let at = marks.iter().zip(&expected).position(|(a, b)| a != b);
        let (have, want) = (marks.len(), expected.len());
        differences
            .push(format!("the recording has {have} of {want} dom events; first difference at {at:?}"));
    }
}
