//! Several generators, one coordinator: `loadtest agent` waits for work, `loadtest run --agents` gives it out and merges what comes back.
//!
//! An agent serves four requests, each with the shared token: `PUT /corpus`, `POST /job`, `GET /news` (which empties what it tells) and
//! `GET /ledgers/{name}`. It listens on the loopback address unless told otherwise.

mod coordinator;
mod server;

pub(crate) use coordinator::{Agents, coordinate};
pub(crate) use server::{Options, run};

use serde::{Deserialize, Serialize};

use crate::press::{News, Sample, Tally};

/// What an agent tells since it was last asked.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    counted: Vec<(u64, Tally)>,
    samples: Vec<Sample>,
    erase: Vec<u64>,
    /// Ledgers to fetch, once it is done.
    done: Option<Vec<String>>,
    failure: Option<String>,
}

impl Told {
    fn add(&mut self, news: News) {
        match news {
            News::Counted { second, tally } => self.counted.push((second, *tally)),
            News::Sample(sample) => self.samples.push(sample),
            News::Erase(visit) => self.erase.push(visit),
        }
    }

    fn news(self) -> impl Iterator<Item = News> {
        let counted =
            self.counted.into_iter().map(|(second, tally)| News::Counted { second, tally: Box::new(tally) });
        counted
            .chain(self.samples.into_iter().map(News::Sample))
            .chain(self.erase.into_iter().map(News::Erase))
    }
}

/// A job, and when to begin.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    job: crate::press::Job,
    corpus_digest: String,
}
