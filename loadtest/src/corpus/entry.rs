//! One batch as the corpus file holds it.

use anyhow::{Context, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line of JSON, then `signals_bytes` and `dom_bytes` of NDJSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Document loads are numbered in the order in which they appear.
    pub(super) stream: usize,
    pub(super) seq: u64,
    pub(super) tab: u32,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) key: bool,
    pub(super) events: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<(u32, u32)>,
    pub(super) rates: Value,
    signals_bytes: usize,
    dom_bytes: usize,
    #[serde(skip)]
    pub(super) signals: Bytes,
    #[serde(skip)]
    pub(super) dom: Bytes,
}

impl Entry {
    /// An entry made of a header and what its frames hold.
    pub(super) fn new(
        name: &str,
        stream: usize,
        header: &Value,
        signals: Bytes,
        dom: Bytes,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            stream,
            seq: header["seq"].as_u64().context("no seq")?,
            tab: header["tab"].as_u64().and_then(|tab| u32::try_from(tab).ok()).unwrap_or(1),
            from: header["from"].as_f64().context("no from")?,
            to: header["to"].as_f64().context("no to")?,
            key: header["dom"]["key"] == true,
            events: header["dom"]["events"]
                .as_u64()
                .and_then(|events| u32::try_from(events).ok())
                .unwrap_or(0),
            part: serde_json::from_value(header["part"].clone())?,
            rates: header["rates"].clone(),
            signals_bytes: signals.len(),
            dom_bytes: dom.len(),
            signals,
            dom,
        })
    }

    /// The same batch later in the stream.
    pub(super) fn moved(&self, seq: u64, by_ms: f64, signals: Vec<u8>, dom: Vec<u8>) -> Self {
        let (signals_bytes, dom_bytes) = (signals.len(), dom.len());
        let (signals, dom) = (signals.into(), dom.into());
        Self {
            seq,
            from: self.from + by_ms,
            to: self.to + by_ms,
            signals_bytes,
            dom_bytes,
            signals,
            dom,
            ..self.clone()
        }
    }

    /// Members of the header that are the same for every visitor, without braces.
    pub(super) fn header(&self) -> anyhow::Result<String> {
        let mut members = Map::new();
        members.insert("tab".to_owned(), self.tab.into());
        members.insert("from".to_owned(), self.from.into());
        members.insert("to".to_owned(), self.to.into());
        members.insert("rates".to_owned(), self.rates.clone());
        members.insert("sampled".to_owned(), true.into());
        if let Some((index, count)) = self.part {
            members.insert("part".to_owned(), vec![index, count].into());
        }
        let json = serde_json::to_string(&members)?;
        Ok(json[1..json.len() - 1].to_owned())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.push(b'\n');
        out.extend_from_slice(&self.signals);
        out.extend_from_slice(&self.dom);
        Ok(())
    }
}

/// Every entry of an unpacked corpus; the frames are slices of it.
pub(super) fn read_all(bytes: &Bytes) -> anyhow::Result<Vec<Entry>> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let line =
            bytes[at..].iter().position(|&byte| byte == b'\n').context("the corpus ends within a line")?;
        let mut entry: Entry = serde_json::from_slice(&bytes[at..at + line])?;
        let signals = at + line + 1;
        let dom = signals + entry.signals_bytes;
        let end = dom + entry.dom_bytes;
        if end > bytes.len() {
            bail!("the corpus ends within a batch");
        }
        (entry.signals, entry.dom) = (bytes.slice(signals..dom), bytes.slice(dom..end));
        entries.push(entry);
        at = end;
    }
    Ok(entries)
}
