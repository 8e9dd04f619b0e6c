//! A visitor: everything about a visit follows from the run's seed and the visit's number, so that nothing of it has to be remembered.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use crate::corpus::{Batch, Corpus};
use crate::scenario::Visitors;

/// The event by which a batch's arrival is seen.
pub(crate) const MARK: &str = "loadtest";

/// How numbers become visits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Population {
    pub(crate) seed: u64,
    /// Recordings by likelihood: index and the sum of weights up to it.
    recordings: Vec<(usize, f64)>,
    projects: usize,
    hot_share: f64,
    end_share: f64,
    erase_share: f64,
    users: u64,
}

/// Who comes, and what is recorded of the visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) number: u64,
    /// 32 hex digits.
    pub(crate) session: String,
    /// 16 hex digits each.
    pub(crate) streams: Vec<String>,
    pub(crate) recording: usize,
    pub(crate) project: usize,
    pub(crate) user: String,
    /// The last batch says that the session is over.
    pub(crate) ends: bool,
    /// Erased once this batch was acknowledged.
    pub(crate) erase_after: Option<usize>,
}

impl Population {
    pub(crate) fn new(
        seed: u64,
        visitors: &Visitors,
        projects: usize,
        corpus: &Corpus,
    ) -> anyhow::Result<Self> {
        let (mut recordings, mut sum) = (Vec::new(), 0.0);
        for mix in &visitors.mix {
            let found = corpus.find(&mix.recordings);
            anyhow::ensure!(!found.is_empty(), "no recording of the corpus is called {}…", mix.recordings);
            for index in &found {
                sum += mix.weight / found.len() as f64;
                recordings.push((*index, sum));
            }
        }
        let Visitors { hot_share, end_share, erase_share, .. } = *visitors;
        Ok(Self {
            seed,
            recordings,
            projects,
            hot_share,
            end_share,
            erase_share,
            users: visitors.users.max(1),
        })
    }

    /// The visitor of that number.
    pub(crate) fn visitor(&self, number: u64, corpus: &Corpus) -> Visitor {
        let draw = |what: u64| xxh3_64_with_seed(&number.to_le_bytes(), self.seed ^ (what << 56));
        let share = |what| draw(what) as f64 / u64::MAX as f64;
        let total = self.recordings.last().map_or(0.0, |last| last.1);
        let wanted = share(1) * total;
        let recording = self.recordings.iter().find(|(_, sum)| *sum >= wanted).map_or(0, |(index, _)| *index);
        let project = if self.projects <= 1 || share(2) < self.hot_share {
            0
        } else if self.hot_share > 0.0 {
            1 + (draw(3) % (self.projects as u64 - 1)) as usize
        } else {
            (draw(3) % self.projects as u64) as usize
        };
        let batches = corpus.recordings[recording].batches.len();
        Visitor {
            number,
            session: format!("{:032x}", xxh3_128_with_seed(&number.to_le_bytes(), self.seed)),
            streams: (0..corpus.recordings[recording].streams as u64)
                .map(|n| format!("{:016x}", draw(64 + n)))
                .collect(),
            recording,
            project,
            user: format!("visitor-{}", draw(4) % self.users),
            ends: share(7) <= self.end_share,
            erase_after: (share(5) < self.erase_share).then(|| (draw(6) % batches as u64) as usize),
        }
    }
}

/// A batch of a visitor, but for the header, in the order in which it is sent.
pub(crate) struct Body<'a> {
    pub(crate) signals: &'a [u8],
    pub(crate) signals_end: Vec<u8>,
    pub(crate) dom: &'a [u8],
    pub(crate) dom_end: Vec<u8>,
    /// The header's members about the frames.
    frames: String,
}

impl Visitor {
    pub(crate) fn mark(&self, batch: &Batch) -> String {
        format!("{}-{}-{}", self.session, self.streams[batch.stream], batch.seq)
    }

    /// Signals that are added to the recorded ones: the mark, and with the first batch who it is.
    pub(crate) fn signals_line(&self, batch: &Batch, index: usize) -> String {
        let mut line = format!(
            "{{\"k\":\"custom\",\"t\":{},\"name\":\"{MARK}\",\"properties\":{{\"mark\":\"{}\"}}}}\n",
            batch.to_ms,
            self.mark(batch)
        );
        if index == 0 {
            line.push_str(&format!(
                "{{\"k\":\"identify\",\"t\":{},\"id\":\"{}\"}}\n",
                batch.to_ms, self.user
            ));
        }
        line
    }

    /// The event that is added to the recorded dom. A batch without dom has none, nor has a part of an event.
    pub(crate) fn dom_line(&self, batch: &Batch) -> Option<String> {
        if batch.dom.is_empty() || batch.part.is_some() {
            return None;
        }
        let mark = self.mark(batch);
        Some(format!(
            "{{\"type\":5,\"data\":{{\"tag\":\"{MARK}\",\"payload\":\"{mark}\"}},\"timestamp\":{}}}\n",
            batch.to_ms.floor()
        ))
    }

    pub(crate) fn body<'a>(&self, batch: &'a Batch, index: usize) -> Body<'a> {
        let signals_line = self.signals_line(batch, index);
        let (mut signals_end, mut dom_end) = (Vec::with_capacity(256), Vec::new());
        batch.signals.write_end(signals_line.as_bytes(), &mut signals_end);
        let (len, raw) = batch.signals.lengths_with(signals_line.as_bytes());
        let mut frames = format!("\"signals\":{{\"len\":{len},\"raw\":{raw},\"enc\":\"deflate\"}}");
        if batch.dom.is_empty() {
            return Body { signals: batch.signals.blocks(), signals_end, dom: &[], dom_end, frames };
        }
        let dom_line = self.dom_line(batch).unwrap_or_default();
        batch.dom.write_end(dom_line.as_bytes(), &mut dom_end);
        let (len, raw) = batch.dom.lengths_with(dom_line.as_bytes());
        let events = batch.dom_events + u32::from(!dom_line.is_empty());
        frames.push_str(&format!(
            ",\"dom\":{{\"len\":{len},\"raw\":{raw},\"enc\":\"deflate\",\"key\":{},\"events\":{events}}}",
            batch.key_frame
        ));
        Body { signals: batch.signals.blocks(), signals_end, dom: batch.dom.blocks(), dom_end, frames }
    }

    /// The header line of one attempt. `credential` is a member such as `"key":"phk_…"`.
    pub(crate) fn header(
        &self,
        batch: &Batch,
        body: &Body<'_>,
        credential: &str,
        sent_ms: f64,
        end: bool,
    ) -> String {
        format!(
            "{{\"v\":1,{credential},\"session\":\"{}\",\"stream\":\"{}\",\"seq\":{},\"sent\":{sent_ms:.1},{},{}{}}}\n",
            self.session,
            self.streams[batch.stream],
            batch.seq,
            batch.header,
            body.frames,
            if end { ",\"end\":true" } else { "" },
        )
    }
}
