//! Recordings of real pages, as the SDK sent them, ready to be sent again by any number of visitors.
//!
//! The file is zstd over one entry per batch: a line of JSON ([`Entry`]), the signals and the dom, both inflated.

mod counts;
mod entry;
mod frame;
pub(crate) mod pack;
mod repeat;

use std::path::Path;

use anyhow::{Context, bail};
use bytes::Bytes;

pub(crate) use counts::Counts;
use entry::Entry;
use frame::Frame;

/// Everything that was recorded.
pub(crate) struct Corpus {
    pub(crate) recordings: Vec<Recording>,
    /// Tells whether two programs hold the same corpus.
    pub(crate) digest: String,
}

/// One session.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) streams: usize,
    /// Its end by the browser's clock, milliseconds of the Unix epoch.
    pub(crate) last_ms: f64,
    /// In the order in which they were acknowledged.
    pub(crate) batches: Vec<Batch>,
}

/// One batch, without what is a visitor's own.
pub(crate) struct Batch {
    pub(crate) stream: usize,
    pub(crate) seq: u64,
    pub(crate) to_ms: f64,
    pub(crate) part: Option<(u32, u32)>,
    pub(crate) key_frame: bool,
    pub(crate) dom_events: u32,
    pub(crate) signals: Frame,
    pub(crate) dom: Frame,
    /// Members of the header that are the same for every visitor.
    pub(crate) header: String,
    pub(crate) counts: Counts,
    /// What `dom` inflates to; kept only where it is compared.
    pub(crate) dom_raw: Option<Bytes>,
}

/// What to make of the file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Keep the inflated dom too.
    pub(crate) keep_raw: bool,
    /// Make recordings this long by playing their first stream again and again.
    pub(crate) repeat_minutes: f64,
}

impl Corpus {
    /// Reads a file, keeping the recordings that `wants` names.
    pub(crate) fn read(path: &Path, reading: Reading, wants: impl Fn(&str) -> bool) -> anyhow::Result<Self> {
        let packed = std::fs::read(path)
            .with_context(|| format!("cannot read {}; `loadtest record` makes it", path.display()))?;
        let digest = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&packed));
        let bytes = Bytes::from(zstd::decode_all(&packed[..]).context("the corpus is damaged")?);
        let entries = entry::read_all(&bytes)?;
        let mut recordings = Vec::new();
        for session in entries.chunk_by(|a, b| a.name == b.name).filter(|session| wants(&session[0].name)) {
            let repeated = if reading.repeat_minutes > 0.0 {
                Some(repeat::repeat(session, reading.repeat_minutes)?)
            } else {
                None
            };
            recordings.push(Recording::of(repeated.as_deref().unwrap_or(session), reading.keep_raw)?);
        }
        if recordings.is_empty() {
            bail!("{} holds no recording that the scenario names", path.display());
        }
        Ok(Self { recordings, digest })
    }

    /// Recordings whose names start with `prefix`.
    pub(crate) fn find(&self, prefix: &str) -> Vec<usize> {
        let named =
            self.recordings.iter().enumerate().filter(|(_, recording)| recording.name.starts_with(prefix));
        named.map(|(index, _)| index).collect()
    }
}

impl Recording {
    fn of(entries: &[Entry], keep_raw: bool) -> anyhow::Result<Self> {
        let batches: Vec<Batch> =
            entries.iter().map(|entry| Batch::of(entry, keep_raw)).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            name: entries[0].name.clone(),
            streams: batches.iter().map(|batch| batch.stream + 1).max().unwrap_or(0),
            last_ms: entries.iter().map(|entry| entry.to).fold(0.0, f64::max),
            batches,
        })
    }
}

impl Batch {
    fn of(entry: &Entry, keep_raw: bool) -> anyhow::Result<Self> {
        Ok(Self {
            stream: entry.stream,
            seq: entry.seq,
            to_ms: entry.to,
            part: entry.part,
            key_frame: entry.key,
            dom_events: entry.events,
            signals: Frame::pack(&entry.signals)?,
            dom: Frame::pack(&entry.dom)?,
            header: entry.header()?,
            counts: Counts::of(&entry.signals)?,
            dom_raw: keep_raw.then(|| entry.dom.clone()),
        })
    }

    /// Whether the batch goes on with an event that the one before it began.
    pub(crate) fn continues_event(&self) -> bool {
        self.part.is_some_and(|(index, _)| index > 0)
    }
}
