//! The recording, read as a player does and compared byte for byte with what was sent.

use serde_json::Value;

use super::{Comparison, Session};
use crate::corpus::Batch;

/// How often the manifest is read again when compaction moves segments while they are read, as a player does.
const TURNS: usize = 5;

/// Bytes that were compared, and what differs.
pub(super) async fn compare(
    comparison: &Comparison,
    session: &Session,
) -> anyhow::Result<(u64, Vec<String>)> {
    if !session.expected.has_dom {
        return Ok((0, Vec::new()));
    }
    for _ in 0..TURNS {
        let manifest =
            session.reader(comparison).json(&format!("/sessions/{}/replay", session.visitor.session)).await?;
        if let Some(outcome) = compare_streams(comparison, session, &manifest).await? {
            return Ok(outcome);
        }
    }
    Ok((0, vec![format!("the recording's segments moved {TURNS} times while they were read")]))
}

/// `None` when a segment moved.
async fn compare_streams(
    comparison: &Comparison,
    session: &Session,
    manifest: &Value,
) -> anyhow::Result<Option<(u64, Vec<String>)>> {
    let (mut bytes, mut differences) = (0, Vec::new());
    for (index, id) in session.visitor.streams.iter().enumerate() {
        let Some(wanted) = wanted(comparison, session, index) else { continue };
        let stream = manifest["streams"]
            .as_array()
            .and_then(|streams| streams.iter().find(|stream| stream["id"] == id.as_str()));
        let Some(stream) = stream else {
            differences.push(format!("page {id} is not in the recording"));
            continue;
        };
        let gaps = stream["gaps"].as_array().map_or(0, Vec::len);
        if gaps > 0 && session.expected.is_whole && session.expected.is_certain() {
            differences.push(format!("page {id} has gaps: {}", stream["gaps"]));
        }
        if stream["segments"][0]["key_frame"] != true {
            differences.push(format!("page {id} does not start at a key frame"));
        }
        let Some(got) = read(comparison, session, &stream["segments"]).await? else { return Ok(None) };
        bytes += got.len() as u64;
        if got != wanted {
            differences.push(tell_difference(id, &got, &wanted));
        }
    }
    Ok(Some((bytes, differences)))
}

fn tell_difference(stream: &str, got: &[u8], wanted: &[u8]) -> String {
    let at = got.iter().zip(wanted).position(|(a, b)| a != b).unwrap_or(got.len().min(wanted.len()));
    let line = wanted[..at].iter().filter(|&&byte| byte == b'\n').count();
    format!(
        "page {stream} has {} recorded bytes of {}; the first difference is in event {line}",
        got.len(),
        wanted.len()
    )
}

/// What was acknowledged of a stream, as it was before it was deflated. `None` when nothing was, or when it is not certain: then what is
/// playable depends on what is there.
fn wanted(comparison: &Comparison, session: &Session, stream: usize) -> Option<Vec<u8>> {
    if !session.expected.is_whole || !session.expected.is_certain() {
        return None;
    }
    let visitor = &session.visitor;
    let recording = &comparison.corpus.recordings[visitor.recording];
    let batches: Vec<&Batch> = recording
        .batches
        .iter()
        .enumerate()
        .filter(|(index, batch)| batch.stream == stream && session.account.is_acknowledged(*index))
        .map(|(_, batch)| batch)
        .collect();
    let mut sorted = batches;
    sorted.sort_by_key(|batch| batch.seq);
    let mut bytes = Vec::new();
    for batch in sorted {
        bytes.extend_from_slice(batch.dom_raw.as_deref().unwrap_or_default());
        bytes.extend_from_slice(visitor.dom_line(batch).unwrap_or_default().as_bytes());
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// All segments in order; `None` when one moved.
async fn read(
    comparison: &Comparison,
    session: &Session,
    segments: &Value,
) -> anyhow::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    for segment in segments.as_array().into_iter().flatten() {
        let href = segment["href"].as_str().unwrap_or_default();
        let Some(text) = session.reader(comparison).text_if_there(href).await? else { return Ok(None) };
        bytes.extend_from_slice(text.as_bytes());
    }
    Ok(Some(bytes))
}
