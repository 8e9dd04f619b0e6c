//! Hour-long sessions out of short ones: a stream starts with a key frame, which replaces everything, so it can follow itself.

use anyhow::{Context, bail};
use bytes::Bytes;
use serde_json::Value;

use super::entry::Entry;

/// The first stream again and again, until the recording is `minutes` long.
pub(super) fn repeat(session: &[Entry], minutes: f64) -> anyhow::Result<Vec<Entry>> {
    let stream: Vec<&Entry> = session.iter().filter(|entry| entry.stream == 0).collect();
    let (first, last) =
        (stream.first().context("an empty recording")?, stream.last().context("an empty recording")?);
    let length_ms = last.to - first.from + 1_000.0;
    let turns = (minutes * 60_000.0 / length_ms).ceil().max(1.0) as u64;
    if stream.iter().any(|entry| entry.part.is_some()) {
        bail!("{} has an event in parts and cannot be repeated", first.name);
    }
    let mut entries = Vec::new();
    for turn in 0..turns {
        let by_ms = (turn as f64 * length_ms).floor();
        for entry in &stream {
            let seq = turn * stream.len() as u64 + entry.seq;
            entries.push(entry.moved(
                seq,
                by_ms,
                move_signals(&entry.signals, turn, by_ms)?,
                move_dom(&entry.dom, by_ms)?,
            ));
        }
    }
    Ok(entries)
}

/// Moves `t`, and leaves out what begins or ends a page: it was one page all along.
fn move_signals(signals: &Bytes, turn: u64, by_ms: f64) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(signals.len());
    for line in signals.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let mut signal: Value = serde_json::from_slice(line)?;
        let kind = signal["k"].as_str().unwrap_or_default();
        if (turn > 0 && kind == "page") || kind == "end" {
            continue;
        }
        signal["t"] = (signal["t"].as_f64().context("a signal without time")? + by_ms).into();
        serde_json::to_writer(&mut out, &signal)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// Moves the `timestamp` of every event. rrweb writes it as the last member, so the line need not be parsed.
fn move_dom(dom: &Bytes, by_ms: f64) -> anyhow::Result<Vec<u8>> {
    const MEMBER: &[u8] = b"\"timestamp\":";
    let mut out = Vec::with_capacity(dom.len());
    for line in dom.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let at = line
            .windows(MEMBER.len())
            .rposition(|window| window == MEMBER)
            .context("an event without time")?;
        let start = at + MEMBER.len();
        let end = line[start..]
            .iter()
            .position(|byte| !b"0123456789.".contains(byte))
            .map_or(line.len(), |n| start + n);
        let time: f64 = std::str::from_utf8(&line[start..end])?.parse()?;
        out.extend_from_slice(&line[..start]);
        out.extend_from_slice(format!("{}", time + by_ms).as_bytes());
        out.extend_from_slice(&line[end..]);
        out.push(b'\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_and_nothing_else() {
        let dom = Bytes::from_static(
            b"{\"type\":3,\"data\":{\"timestamp\":5},\"timestamp\":1000}\n{\"timestamp\":7.5,\"type\":2}\n",
        );
        assert_eq!(
            move_dom(&dom, 500.0).unwrap(),
            b"{\"type\":3,\"data\":{\"timestamp\":5},\"timestamp\":1500}\n{\"timestamp\":507.5,\"type\":2}\n"
        );
        let signals = Bytes::from_static(
            b"{\"k\":\"page\",\"t\":1}\n{\"k\":\"click\",\"t\":2}\n{\"k\":\"end\",\"t\":3}\n",
        );
        let moved = move_signals(&signals, 1, 10.0).unwrap();
        assert_eq!(String::from_utf8(moved).unwrap(), "{\"k\":\"click\",\"t\":12.0}\n");
    }

    #[test]
    fn a_long_recording_has_its_batches_in_a_row() {
        let header = serde_json::json!({"seq": 0, "tab": 1, "from": 0.0, "to": 9_000.0, "dom": {"key": true, "events": 1}});
        let dom = Bytes::from_static(b"{\"type\":4,\"timestamp\":0}\n");
        let entry = Entry::new("a", 0, &header, Bytes::new(), dom).unwrap();
        let long = repeat(&[entry], 1.0).unwrap();
        assert_eq!(long.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert!(long.last().unwrap().to >= 59_000.0);
    }
}
