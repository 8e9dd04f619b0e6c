//! `loadtest verify`: every acknowledged batch against the read model, through the public API.
//!
//! Of every session the counts and the replay's state are compared. Of a sample (of all, unless the scenario or `--sample` says
//! otherwise) every batch's mark is looked for on the time line, and the recording is read whole and compared byte for byte.

mod expected;
mod recording;
mod summaries;
mod time_line;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use futures::stream::StreamExt;
use serde::{Deserialize, Serialize};

use crate::api::Reader;
use crate::corpus::{Corpus, Reading};
use crate::ledger::{self, Account};
use crate::run::Record;
use crate::visitor::Visitor;
use expected::Expected;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the API is; where the run had it unless given.
    #[arg(long)]
    url: Option<String>,
    /// The folder of the run.
    #[arg(long, default_value = "loadtest-out")]
    out: PathBuf,
    /// Share of sessions that are read whole, 0 to 1; the scenario's unless given.
    #[arg(long)]
    sample: Option<f64>,
}

/// What came out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Verification {
    pub(crate) batches_acknowledged: u64,
    /// Sent, and never answered: either is right.
    pub(crate) batches_unknown: u64,
    pub(crate) sessions: u64,
    pub(crate) sessions_erased: u64,
    /// Sessions of which events and recording were read whole.
    pub(crate) sessions_read_whole: u64,
    pub(crate) batches_read_whole: u64,
    pub(crate) recorded_bytes_compared: u64,
    pub(crate) differences: u64,
    /// The first of them.
    pub(crate) examples: Vec<String>,
    pub(crate) took_s: f64,
}

const MAX_EXAMPLES: usize = 50;

/// A session as it must be.
struct Session {
    visitor: Visitor,
    account: Account,
    expected: Expected,
}

/// What the parts of the comparison share.
struct Comparison {
    readers: Vec<Reader>,
    corpus: Corpus,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let verification = verify(&options.out, options.url.clone(), options.sample).await?;
    crate::print(&serde_json::to_string_pretty(&verification)?)?;
    if verification.differences > 0 || verification.sessions == 0 {
        bail!("{} differences in {} sessions", verification.differences, verification.sessions);
    }
    Ok(())
}

/// Compares the run in `folder`; its server may meanwhile be at another `url`.
pub(crate) async fn verify(
    folder: &Path,
    url: Option<String>,
    sample: Option<f64>,
) -> anyhow::Result<Verification> {
    let begun = std::time::Instant::now();
    let mut record = Record::read(folder)?;
    record.url = url.unwrap_or(record.url);
    let scenario = record.job.scenario.clone();
    let reading = Reading { keep_raw: true, repeat_minutes: scenario.visitors.repeat_minutes };
    let corpus = Corpus::read(&scenario.corpus, reading, |name| scenario.wants(name))?;
    if corpus.digest != record.corpus_digest {
        bail!("{} is not the corpus of the run", scenario.corpus.display());
    }
    let sessions = sessions(ledger::read_folder(folder)?, &record, &corpus);
    let mut verification = Verification::of(&sessions);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let comparison = Arc::new(Comparison { readers: record.readers(&client), corpus });
    let settle = Duration::from_secs(scenario.verify.settle_s);
    let mut differences = summaries::compare(&comparison, &sessions, settle, scenario.verify.at_once).await?;
    let sample = sample.unwrap_or(scenario.verify.sample);
    let picked: Vec<Session> = sessions.into_iter().filter(|session| is_picked(session, sample)).collect();
    if sample < 1.0 {
        say(&format!("events and recordings: {} sessions, a sample of {sample}", picked.len()));
    }
    differences.extend(read_whole(&comparison, picked, scenario.verify.at_once, &mut verification).await);
    verification.differences = differences.len() as u64;
    verification.examples = differences.into_iter().take(MAX_EXAMPLES).collect();
    verification.took_s = begun.elapsed().as_secs_f64();
    Ok(verification)
}

fn sessions(accounts: BTreeMap<u64, Account>, record: &Record, corpus: &Corpus) -> Vec<Session> {
    let session = |(number, account): (u64, Account)| {
        let visitor = record.job.population.visitor(number, corpus);
        let expected = Expected::of(&visitor, &account, corpus);
        Session { visitor, account, expected }
    };
    accounts.into_iter().map(session).collect()
}

/// The same sessions every time; all erased ones and all with an unknown batch are looked at in the summaries.
fn is_picked(session: &Session, sample: f64) -> bool {
    let number = session.visitor.number;
    let draw = xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes()) as f64 / u64::MAX as f64;
    draw <= sample && !session.account.erased && session.account.acknowledged() > 0
}

async fn read_whole(
    comparison: &Arc<Comparison>,
    sessions: Vec<Session>,
    at_once: usize,
    verification: &mut Verification,
) -> Vec<String> {
    let (total, mut done, mut differences) = (sessions.len(), 0_u64, Vec::new());
    let readings = futures::stream::iter(sessions.into_iter().map(|session| {
        let comparison = comparison.clone();
        async move {
            let found = read_session(&comparison, &session).await;
            (session, found)
        }
    }));
    let mut readings = std::pin::pin!(readings.buffer_unordered(at_once.max(1)));
    while let Some((session, found)) = readings.next().await {
        done += 1;
        verification.sessions_read_whole = done;
        verification.batches_read_whole += session.account.acknowledged();
        match found {
            Ok((bytes, found)) => {
                verification.recorded_bytes_compared += bytes;
                differences.extend(found.into_iter().map(|difference| session.tell(&difference)));
            }
            Err(error) => differences.push(session.tell(&format!("{error:#}"))),
        }
        if done.is_multiple_of(100) {
            say_progress(&format!("read {done} of {total} sessions, {} differences", differences.len()));
        }
    }
    differences
}

async fn read_session(comparison: &Comparison, session: &Session) -> anyhow::Result<(u64, Vec<String>)> {
    let mut differences = time_line::compare(comparison, session).await?;
    let (bytes, found) = recording::compare(comparison, session).await?;
    differences.extend(found);
    Ok((bytes, differences))
}

impl Session {
    fn reader<'a>(&self, comparison: &'a Comparison) -> &'a Reader {
        &comparison.readers[self.visitor.project]
    }

    fn tell(&self, difference: &str) -> String {
        format!("session {} (visit {}): {difference}", self.visitor.session, self.visitor.number)
    }
}

impl Verification {
    fn of(sessions: &[Session]) -> Self {
        Self {
            batches_acknowledged: sessions.iter().map(|session| session.account.acknowledged()).sum(),
            batches_unknown: sessions.iter().map(|session| session.expected.unknown.len() as u64).sum(),
            sessions: sessions.iter().filter(|session| !session.account.erased).count() as u64,
            sessions_erased: sessions.iter().filter(|session| session.account.erased).count() as u64,
            ..Self::default()
        }
    }
}

/// Tells people; programs read standard output.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn say_progress(text: &str) {
    use std::io::Write;
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
    }
}
