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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Read;
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::corpus::Reading;

    fn corpus() -> Corpus {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/pages.corpus");
        Corpus::read(&path, Reading { keep_raw: true, repeat_minutes: 0.0 }, |_| true).unwrap()
    }

    fn visitors() -> Visitors {
        Visitors { hot_share: 0.5, erase_share: 0.25, end_share: 0.5, projects: 100, ..Visitors::default() }
    }

    #[test]
    fn visits_are_distinct_follow_from_their_numbers_and_have_the_wanted_shares() {
        let (corpus, wanted) = (corpus(), visitors());
        let population = Population::new(7, &wanted, wanted.projects, &corpus).unwrap();
        let visits: Vec<Visitor> = (0..20_000).map(|number| population.visitor(number, &corpus)).collect();
        assert_eq!(visits[123], population.visitor(123, &corpus));
        let ids: HashSet<&String> = visits.iter().map(|visit| &visit.session).collect();
        let streams: HashSet<&String> = visits.iter().flat_map(|visit| &visit.streams).collect();
        assert_eq!(ids.len(), visits.len());
        assert_eq!(streams.len(), visits.iter().map(|visit| visit.streams.len()).sum::<usize>());
        let share =
            |is: &dyn Fn(&Visitor) -> bool| visits.iter().filter(|visit| is(visit)).count() as f64 / 20_000.0;
        for (got, wanted) in [
            (share(&|visit| visit.project == 0), 0.5),
            (share(&|visit| visit.erase_after.is_some()), 0.25),
            (share(&|visit| visit.ends), 0.5),
            (share(&|visit| corpus.recordings[visit.recording].name.starts_with("swagger")), 0.125),
        ] {
            assert!((got - wanted).abs() < 0.02, "{got} instead of {wanted}");
        }
        let projects: HashSet<usize> = visits.iter().map(|visit| visit.project).collect();
        assert_eq!(projects.len(), 100);
        let others = Population::new(8, &wanted, wanted.projects, &corpus).unwrap();
        assert!(!ids.contains(&others.visitor(0, &corpus).session), "another run has other visits");
    }

    fn inflate(frame: &[u8]) -> String {
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(frame).read_to_string(&mut text).unwrap();
        text
    }

    /// Takes a body apart as the wire contract says.
    fn open(header: &str, body: &Body<'_>) -> (Value, String, String) {
        let read: Value = serde_json::from_str(header).unwrap();
        let bytes = [body.signals, &body.signals_end, body.dom, &body.dom_end].concat();
        let length = |frame: &str| read[frame]["len"].as_u64().unwrap_or(0) as usize;
        assert_eq!(bytes.len(), length("signals") + length("dom"));
        let (signals, dom) = bytes.split_at(length("signals"));
        let dom = if dom.is_empty() { String::new() } else { inflate(dom) };
        let signals = inflate(signals);
        assert_eq!(signals.len() as u64, read["signals"]["raw"]);
        assert_eq!(dom.len() as u64, read["dom"]["raw"].as_u64().unwrap_or(0));
        assert_eq!(
            dom.lines().count() as u64,
            read["dom"]["events"].as_u64().unwrap_or(0).max(u64::from(!dom.is_empty()))
        );
        (read, signals, dom)
    }

    #[test]
    fn every_batch_is_what_was_recorded_and_carries_its_visitors_mark() {
        let corpus = corpus();
        for (recording, name) in
            corpus.recordings.iter().enumerate().map(|(n, recording)| (n, &recording.name))
        {
            let streams = (0..corpus.recordings[recording].streams).map(|n| format!("{n:016x}")).collect();
            let session = "0123456789abcdef0123456789abcdef".to_owned();
            let user = "visitor-1".to_owned();
            let visitor = Visitor {
                number: 1,
                session,
                streams,
                recording,
                project: 0,
                user,
                ends: true,
                erase_after: None,
            };
            for (index, batch) in corpus.recordings[recording].batches.iter().enumerate() {
                let body = visitor.body(batch, index);
                let header = visitor.header(batch, &body, "\"key\":\"phk_x\"", 1.0, false);
                let (read, signals, dom) = open(&header, &body);
                let mark = visitor.mark(batch);
                assert_eq!(read["session"], visitor.session.as_str());
                assert_eq!(signals.matches(&mark).count(), 1, "{name} {index}");
                assert_eq!(signals.contains("identify"), index == 0);
                let recorded = std::str::from_utf8(batch.dom_raw.as_deref().unwrap()).unwrap();
                assert_eq!(dom, recorded.to_owned() + &visitor.dom_line(batch).unwrap_or_default());
                assert!(
                    signals
                        .lines()
                        .chain(dom.lines().filter(|_| batch.part.is_none()))
                        .all(|line| { serde_json::from_str::<Value>(line).is_ok() })
                );
            }
        }
    }
}
