//! Batches that the SDK wrote are read as the SDK meant them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use playhead_proto::batch::{frames, header_len, parse_header};
use playhead_proto::frame::inflate;
use serde_json::Value;

fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut batches: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .collect();
    batches.sort();
    batches
}

fn lines(raw: &[u8]) -> Vec<Value> {
    raw.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn batches_of_the_sdk_read_back() {
    let batches = golden();
    assert!(batches.len() >= 6, "the golden batches are there");
    let mut parts = Vec::new();
    for path in batches {
        let told: Value =
            serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let body = Bytes::from(std::fs::read(&path).unwrap());
        let len = header_len(&body).unwrap();
        let header = parse_header(&body[..len], body.len())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(
            serde_json::from_slice::<Value>(&body[..len]).unwrap(),
            told["header"],
            "{}",
            path.display()
        );
        let (signals, dom) = frames(&body, len, &header);
        let signals = inflate(&signals, header.signals.enc, header.signals.raw).unwrap();
        let dom = inflate(&dom, header.dom.enc, header.dom.raw).unwrap();
        if let Some(expected) = told.get("signals").and_then(Value::as_array) {
            assert_eq!(&lines(&signals), expected, "{}", path.display());
        }
        if let Some(part) = header.part {
            parts.push((part, dom));
        } else if let Some(expected) = told.get("dom").and_then(Value::as_array) {
            assert_eq!(&lines(&dom), expected, "{}", path.display());
        }
    }
    let count = parts.first().expect("a split event is among them").0.1;
    assert_eq!(
        parts.iter().map(|((index, _), _)| *index).collect::<Vec<_>>(),
        (0..count).collect::<Vec<_>>()
    );
    let joined: Vec<u8> = parts.into_iter().flat_map(|(_, dom)| dom).collect();
    assert!(!lines(&joined).is_empty() && joined.ends_with(b"\n"), "the parts join to whole lines");
}
