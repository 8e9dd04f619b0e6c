//! Sizes agree end to end: the largest legal batch of every kind passes everything and plays; one byte more is refused at the edge with
//! the reason; a snapshot in parts is joined whatever their order.

use std::time::{Duration, Instant};

use anyhow::Context;
use rand::Rng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::scene::{SETTLE, Scene};
use crate::api::Reader;
use crate::browser::{deflate, dom, hex, now_ms, signals};
use crate::delivery::post;

/// The wire's limits, as proto/README.md states them.
const MAX_BODY_BYTES: usize = 1 << 20;
const MAX_HEADER_BYTES: usize = 4 << 10;
const MAX_DOM_RAW_BYTES: usize = 16 << 20;
const MAX_SIGNALS_RAW_BYTES: usize = 4 << 20;
const SIGNAL_BYTES: usize = 100 << 10;
const PARTS: usize = 5;
const COMPACTED_AFTER: Duration = Duration::from_secs(14);

/// A batch made by hand, and what must be readable of it.
struct Made {
    session: String,
    body: Vec<u8>,
    dom: Vec<u8>,
}

/// Which part of a batch has a size.
type Size = fn(usize) -> Wanted;

/// How large each part of a batch is; `None`: as it comes.
#[derive(Clone, Copy, Default)]
struct Wanted {
    body: Option<usize>,
    header: Option<usize>,
    dom_raw: Option<usize>,
    signals_raw: Option<usize>,
}

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let mut expected = Vec::new();
    let cases: [(&str, Size, usize, u16); 4] = [
        ("body", |size| Wanted { body: Some(size), ..Wanted::default() }, MAX_BODY_BYTES, 413),
        ("header", |size| Wanted { header: Some(size), ..Wanted::default() }, MAX_HEADER_BYTES, 400),
        ("inflated dom", |size| Wanted { dom_raw: Some(size), ..Wanted::default() }, MAX_DOM_RAW_BYTES, 400),
        (
            "inflated signals",
            |size| Wanted { signals_raw: Some(size), ..Wanted::default() },
            MAX_SIGNALS_RAW_BYTES,
            400,
        ),
    ];
    for (name, wanted, limit, refusal) in cases {
        let largest = make(&scene.project.public_key, wanted(limit))?;
        send(scene, &format!("the largest {name}"), &largest.body, 202).await;
        expected.push((name.to_owned(), largest.session, largest.dom));
        let too_large = make(&scene.project.public_key, wanted(limit + 1))?;
        send(scene, &format!("one byte more of {name}"), &too_large.body, refusal).await;
    }
    let (session, dom) = send_parts(scene).await?;
    expected.push(("a snapshot in parts".to_owned(), session, dom));
    check_all(scene, &expected, "").await;
    tokio::time::sleep(COMPACTED_AFTER).await;
    check_all(scene, &expected, ", after compaction").await;
    Ok(())
}

async fn send(scene: &mut Scene, what: &str, body: &[u8], expected: u16) {
    scene.verdict.inject(format!("{what}: {} bytes", body.len()));
    let answer = post(&scene.client, &scene.fleet.gateways[0].url(), body.to_vec()).await;
    let told = json!({"status": answer.status, "body": answer.body});
    let problem = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let reasoned = expected == 202 || problem["detail"].as_str().is_some_and(|detail| !detail.is_empty());
    scene.verdict.check(
        &format!("{what} is answered {expected}"),
        answer.status == Some(expected) && reasoned,
        told,
    );
}

fn make(public_key: &str, wanted: Wanted) -> anyhow::Result<Made> {
    let (session, stream, at) = (random_hex(16), random_hex(8), now_ms().floor());
    let mut signals = signals(0, at, &session);
    if let Some(size) = wanted.signals_raw {
        pad_signals(&mut signals, at, size);
    }
    let mut lines = dom(0, at, 0);
    let unpadded = lines.len();
    if let Some(size) = wanted.dom_raw {
        pad_dom(&mut lines, at, size);
    }
    let header = json!({
        "v": 1, "key": public_key, "session": session, "stream": stream, "seq": 0, "tab": 1, "from": at, "to": at, "sent": at,
        "rates": {"dom": 1, "dom_on_error": 1, "signals": 1}, "sampled": true,
    });
    let mut body = assemble(&header, wanted, &signals, &lines)?;
    // The header tells lengths, so that its own length changes with them.
    while let Some(size) = wanted.body.filter(|size| *size != body.len()) {
        let length = (lines.len() + size).saturating_sub(body.len());
        lines.truncate(unpadded);
        pad_dom(&mut lines, at, length);
        body = assemble(&header, wanted, &signals, &lines)?;
    }
    Ok(Made { session, body, dom: lines })
}

fn random_hex(bytes: usize) -> String {
    hex(&(0..bytes).map(|_| rand::rng().random()).collect::<Vec<u8>>())
}

/// Puts header and frames together. What must be exactly so long is not compressed; what must inflate to so much is.
fn assemble(header: &Value, wanted: Wanted, signals: &[u8], dom: &[u8]) -> anyhow::Result<Vec<u8>> {
    let plain = wanted.body.is_some();
    let frame = |raw: &[u8]| if plain { Ok(raw.to_vec()) } else { deflate(raw) };
    let (signals_frame, dom_frame) = (frame(signals)?, frame(dom)?);
    let encoding = if plain { "none" } else { "deflate" };
    let mut header = header.clone();
    header["signals"] = json!({"len": signals_frame.len(), "raw": signals.len(), "enc": encoding});
    header["dom"] =
        json!({"len": dom_frame.len(), "raw": dom.len(), "enc": encoding, "key": true, "events": 8});
    if let Some(size) = wanted.header {
        header["padding"] = "".into();
        let missing = size - serde_json::to_vec(&header)?.len();
        header["padding"] = "x".repeat(missing).into();
    }
    let mut body = serde_json::to_vec(&header)?;
    body.push(b'\n');
    body.extend(signals_frame);
    body.extend(dom_frame);
    Ok(body)
}

/// Adds one event so that the lines have exactly `size` bytes.
fn pad_dom(dom: &mut Vec<u8>, at: f64, size: usize) {
    let line = |payload: String| {
        format!(
            "{}\n",
            json!({"type": 5, "timestamp": at + 20.0, "data": {"tag": "padding", "payload": payload}})
        )
    };
    let missing = size.saturating_sub(dom.len() + line(String::new()).len());
    dom.extend(line("p".repeat(missing)).into_bytes());
}

/// Adds console lines so that the signals have exactly `size` bytes.
fn pad_signals(signals: &mut Vec<u8>, at: f64, size: usize) {
    let line = |text: String| {
        format!("{}\n", json!({"k": "console", "t": at + 4.0, "level": "log", "args": [text]}))
    };
    let empty = line(String::new()).len();
    while size - signals.len() > SIGNAL_BYTES + empty {
        signals.extend(line("s".repeat(SIGNAL_BYTES - empty)).into_bytes());
    }
    let missing = size - signals.len() - empty;
    signals.extend(line("s".repeat(missing)).into_bytes());
}

/// One key frame in several batches, sent in any order.
async fn send_parts(scene: &mut Scene) -> anyhow::Result<(String, Vec<u8>)> {
    let (session, stream, at) = (random_hex(16), random_hex(8), now_ms().floor());
    let (text, key) = (random_hex(1_700_000), scene.project.public_key.clone());
    let lines = [
        json!({"type": 4, "timestamp": at, "data": {"href": "http://shop.example/large", "width": 1280, "height": 720}}),
        json!({"type": 2, "timestamp": at, "data": {"initialOffset": {"top": 0, "left": 0}, "node":
            {"type": 0, "id": 1, "childNodes": [{"type": 3, "id": 2, "textContent": text}]}}}),
    ];
    let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let (first_signals, mut bodies) = (signals(0, at, &session), Vec::new());
    for (index, part) in whole.chunks(whole.len().div_ceil(PARTS)).enumerate() {
        let raw: &[u8] = if index == 0 { &first_signals } else { &[] };
        let (signals, dom) = (if raw.is_empty() { Vec::new() } else { deflate(raw)? }, deflate(part)?);
        let header = json!({
            "v": 1, "key": key, "session": session, "stream": stream, "seq": index, "tab": 1, "from": at, "to": at, "sent": now_ms(),
            "signals": {"len": signals.len(), "raw": raw.len(), "enc": "deflate"}, "part": [index, PARTS],
            "dom": {"len": dom.len(), "raw": part.len(), "enc": "deflate", "key": index == 0, "events": u8::from(index == 0)},
            "rates": {"dom": 1, "dom_on_error": 1, "signals": 1}, "sampled": true,
        });
        bodies.push((index, [serde_json::to_vec(&header)?, b"\n".to_vec(), signals, dom].concat()));
    }
    bodies.shuffle(&mut scene.random);
    for (index, body) in bodies {
        send(scene, &format!("part {index} of {PARTS}"), &body, 202).await;
    }
    Ok((session, whole))
}

async fn check_all(scene: &mut Scene, expected: &[(String, String, Vec<u8>)], when: &str) {
    let reader = scene.reader();
    for (name, session, dom) in expected {
        let begun = Instant::now();
        let mut found = Err(anyhow::anyhow!("not asked"));
        while begun.elapsed() < SETTLE {
            found = recording(&reader, session).await;
            if matches!(&found, Ok((_, events)) if *events == lines(dom)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let (met, detail) = match found {
            Ok((state, events)) => {
                let met = events == lines(dom) && ["complete", "live"].contains(&state.as_str());
                (met, json!({"state": state, "events": events.len(), "sent": lines(dom).len()}))
            }
            Err(error) => (false, format!("{error:#}").into()),
        };
        scene.verdict.check(&format!("{name} plays whole{when}"), met, detail);
    }
}

fn lines(dom: &[u8]) -> Vec<Value> {
    let lines = dom.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap_or_default()).collect()
}

/// What a player is told and gets: the state, and all events of the only stream.
async fn recording(reader: &Reader, session: &str) -> anyhow::Result<(String, Vec<Value>)> {
    let manifest = reader.json(&format!("/sessions/{session}/replay")).await?;
    let mut events = Vec::new();
    for segment in manifest["streams"][0]["segments"].as_array().context("no recording yet")? {
        let href = segment["href"].as_str().context("a segment without address")?;
        let text = reader.text_if_there(href).await?.context("the segment moved")?;
        events.extend(lines(text.as_bytes()));
    }
    Ok((manifest["state"].as_str().unwrap_or_default().to_owned(), events))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(body: &[u8]) -> (usize, Value) {
        let end = body.iter().position(|byte| *byte == b'\n').unwrap();
        (end, serde_json::from_slice(&body[..end]).unwrap())
    }

    #[test]
    fn batches_are_exactly_as_large_as_wanted() {
        for size in [MAX_BODY_BYTES, MAX_BODY_BYTES + 1] {
            let made = make("phk_x", Wanted { body: Some(size), ..Wanted::default() }).unwrap();
            assert_eq!(made.body.len(), size);
        }
        for size in [MAX_HEADER_BYTES, MAX_HEADER_BYTES + 1] {
            let made = make("phk_x", Wanted { header: Some(size), ..Wanted::default() }).unwrap();
            assert_eq!(header_of(&made.body).0, size);
        }
        let made = make("phk_x", Wanted { dom_raw: Some(1 << 20), ..Wanted::default() }).unwrap();
        assert_eq!(
            (made.dom.len(), header_of(&made.body).1["dom"]["raw"].as_u64()),
            (1 << 20, Some(1 << 20))
        );
        let made = make("phk_x", Wanted { signals_raw: Some(1 << 20), ..Wanted::default() }).unwrap();
        assert_eq!(header_of(&made.body).1["signals"]["raw"], 1 << 20);
    }

    #[test]
    fn padding_is_whole_lines() {
        let mut some = b"{}\n".to_vec();
        pad_dom(&mut some, 1.0, 5_000);
        assert_eq!((some.len(), lines(&some).len()), (5_000, 2));
        let mut some = b"{}\n".to_vec();
        pad_signals(&mut some, 1.0, 333_333);
        assert_eq!(some.len(), 333_333);
        assert!(some.split(|byte| *byte == b'\n').all(|line| line.len() <= SIGNAL_BYTES));
    }
}
