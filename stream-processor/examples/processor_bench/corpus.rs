//! The corpus file of the load generator: zstd over one entry per batch, a line of JSON and then the signals and the dom, inflated.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use flate2::{Compression, write::ZlibEncoder};
use serde::Deserialize;
use serde_json::{Value, json};

/// A recorded session.
pub(crate) struct Recording {
    pub(crate) batches: Vec<Batch>,
    /// Its end by the browser's clock.
    pub(crate) last_ms: f64,
}

pub(crate) struct Batch {
    entry: Entry,
    signals: Bytes,
    dom: Bytes,
    signals_raw: usize,
    dom_raw: usize,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    stream: usize,
    seq: u64,
    tab: u32,
    from: f64,
    to: f64,
    key: bool,
    events: u32,
    #[serde(default)]
    part: Option<(u32, u32)>,
    rates: Value,
    signals_bytes: usize,
    dom_bytes: usize,
}

pub(crate) fn read(path: &Path) -> Vec<Recording> {
    let packed = std::fs::read(path).unwrap_or_else(|error| {
        panic!("{} cannot be read ({error}): run this from the top of the repository", path.display())
    });
    let bytes = zstd::decode_all(&packed[..]).unwrap();
    let (mut at, mut recordings, mut places) = (0, Vec::<Recording>::new(), HashMap::new());
    while at < bytes.len() {
        let line = bytes[at..].iter().position(|&byte| byte == b'\n').unwrap();
        let entry: Entry = serde_json::from_slice(&bytes[at..at + line]).unwrap();
        let signals = &bytes[at + line + 1..][..entry.signals_bytes];
        let dom = &bytes[at + line + 1 + entry.signals_bytes..][..entry.dom_bytes];
        at += line + 1 + entry.signals_bytes + entry.dom_bytes;
        let place = *places.entry(entry.name.clone()).or_insert_with(|| {
            recordings.push(Recording { batches: Vec::new(), last_ms: 0.0 });
            recordings.len() - 1
        });
        let recording = &mut recordings[place];
        recording.last_ms = recording.last_ms.max(entry.to);
        let (signals_raw, dom_raw) = (signals.len(), dom.len());
        let (signals, dom) = (deflate(signals), deflate(dom));
        recording.batches.push(Batch { entry, signals, dom, signals_raw, dom_raw });
    }
    recordings
}

/// As browsers do it.
fn deflate(bytes: &[u8]) -> Bytes {
    if bytes.is_empty() {
        return Bytes::new();
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().into()
}

fn encoding(frame: &Bytes) -> &'static str {
    if frame.is_empty() { "none" } else { "deflate" }
}

impl Batch {
    /// The body that a visitor sends.
    pub(crate) fn body(&self, visitor: usize, session: [u8; 16], last_ms: f64) -> Bytes {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut stream = [0u8; 8];
        stream[..4].copy_from_slice(&u32::try_from(visitor).unwrap().to_be_bytes());
        stream[4..].copy_from_slice(&u32::try_from(self.entry.stream).unwrap().to_be_bytes());
        let Entry { seq, tab, from, to, key, events, part, rates, .. } = &self.entry;
        let mut header = json!({
            "v": 1, "key": "phk_bench", "session": hex(&session), "stream": hex(&stream), "seq": seq, "tab": tab,
            "sent": last_ms, "from": from, "to": to,
            "signals": {"len": self.signals.len(), "raw": self.signals_raw, "enc": encoding(&self.signals)},
            "dom": {"len": self.dom.len(), "raw": self.dom_raw, "enc": encoding(&self.dom), "key": key, "events": events},
            "rates": rates, "sampled": true,
        });
        if let Some((index, count)) = part {
            header["part"] = json!([index, count]);
        }
        let mut body = header.to_string().into_bytes();
        body.push(b'\n');
        body.extend_from_slice(&self.signals);
        body.extend_from_slice(&self.dom);
        body.into()
    }
}
