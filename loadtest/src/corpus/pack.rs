//! From what a browser posted to a corpus file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use bytes::{Buf, Bytes};
use serde_json::{Value, json};

use super::entry::Entry;

const ZSTD_LEVEL: i32 = 19;
/// Key frames of one page are alike over megabytes.
const WINDOW_LOG: u32 = 26;

/// Packs a capture (length and name of the visit, length and body of the batch, and so on) into a corpus.
pub(crate) fn pack(capture: &Path, corpus: &Path) -> anyhow::Result<Value> {
    let sessions = read_capture(std::fs::read(capture)?.into())?;
    let (mut unpacked, mut told) = (Vec::new(), BTreeMap::new());
    for (name, entries) in &sessions {
        for entry in entries {
            entry.write(&mut unpacked)?;
        }
        let bytes: usize = entries.iter().map(|entry| entry.dom.len() + entry.signals.len()).sum();
        told.insert(name, json!({"batches": entries.len(), "raw_bytes": bytes}));
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(WINDOW_LOG)?;
    std::io::Write::write_all(&mut encoder, &unpacked)?;
    let packed = encoder.finish()?;
    std::fs::write(corpus, &packed).with_context(|| format!("cannot write {}", corpus.display()))?;
    Ok(json!({"sessions": told, "raw_bytes": unpacked.len(), "packed_bytes": packed.len()}))
}

/// Every visit's batches in the order of their acknowledgement.
fn read_capture(mut rest: Bytes) -> anyhow::Result<BTreeMap<String, Vec<Entry>>> {
    let mut sessions = BTreeMap::<String, Vec<Entry>>::new();
    let mut streams = HashMap::<String, usize>::new();
    let mut seen = HashSet::new();
    while rest.has_remaining() {
        let name = String::from_utf8(take(&mut rest)?.to_vec())?;
        let body = take(&mut rest)?;
        let (header, signals, dom) = open(&body).with_context(|| format!("a batch of {name}"))?;
        let entries = sessions.entry(name.clone()).or_default();
        let count = entries.iter().map(|entry| entry.stream + 1).max().unwrap_or(0);
        let stream = *streams.entry(format!("{name} {}", header["stream"])).or_insert(count);
        let entry = Entry::new(&name, stream, &header, signals, dom)?;
        if seen.insert((name, stream, entry.seq)) {
            entries.push(entry);
        }
    }
    for (name, entries) in &sessions {
        check(name, entries)?;
    }
    Ok(sessions)
}

fn take(rest: &mut Bytes) -> anyhow::Result<Bytes> {
    if rest.remaining() < 4 {
        bail!("the capture ends early");
    }
    let length = rest.get_u32_le() as usize;
    if rest.remaining() < length {
        bail!("the capture ends early");
    }
    Ok(rest.split_to(length))
}

/// Header and inflated frames.
fn open(body: &Bytes) -> anyhow::Result<(Value, Bytes, Bytes)> {
    let line = body.iter().position(|&byte| byte == b'\n').context("no header")?;
    let header: Value = serde_json::from_slice(&body[..line])?;
    let (mut at, mut frames) = (line + 1, Vec::new());
    for name in ["signals", "dom"] {
        let length = usize::try_from(header[name]["len"].as_u64().unwrap_or(0))?;
        let frame = body.get(at..at + length).context("the body is too short")?;
        at += length;
        frames.push(if header[name]["enc"] == "deflate" { inflate(frame)? } else { frame.to_vec().into() });
    }
    let dom = frames.pop().unwrap_or_default();
    Ok((header, frames.pop().unwrap_or_default(), dom))
}

fn inflate(frame: &[u8]) -> anyhow::Result<Bytes> {
    let mut raw = Vec::new();
    if !frame.is_empty() {
        flate2::read::ZlibDecoder::new(frame).read_to_end(&mut raw)?;
    }
    Ok(raw.into())
}

/// A corpus holds whole recordings only, since their visitors' sessions must come out complete.
fn check(name: &str, entries: &[Entry]) -> anyhow::Result<()> {
    let mut seqs = BTreeMap::<usize, Vec<u64>>::new();
    for entry in entries {
        seqs.entry(entry.stream).or_default().push(entry.seq);
        let signals = String::from_utf8_lossy(&entry.signals);
        if let Some(gap) = signals.lines().find(|line| line.contains("\"k\":\"gap\"")) {
            bail!("{name} was recorded with a gap; record again: {gap}");
        }
    }
    for (stream, mut seqs) in seqs {
        seqs.sort_unstable();
        if !seqs.iter().copied().eq(0..seqs.len() as u64) {
            bail!("{name}, page {stream}: batches are missing ({seqs:?}); record again");
        }
    }
    Ok(())
}
