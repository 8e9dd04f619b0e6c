//! `playhead dead-letters`: what could not be processed, over the API of a running installation.

use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::remote::{Of, Remote, answered};

const TIMEOUT: Duration = Duration::from_secs(30);
/// How many a page holds at most.
const PAGE: &str = "200";

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Print them, one JSON object a line.
    List(Of),
    /// Send their records through again, as late batches. What had its effect before has none twice; a letter that is not gone a
    /// few seconds later failed again.
    Replay {
        #[command(flatten)]
        of: Of,
        /// Which: partition/offset, as listed.
        #[arg(value_name = "PARTITION/OFFSET", required_unless_present = "all", conflicts_with = "all")]
        at: Vec<At>,
        /// All of the project.
        #[arg(long)]
        all: bool,
    },
}

/// Where a record is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct At {
    partition: u32,
    offset: u64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(partition, offset)| {
            Some(Self { partition: partition.parse().ok()?, offset: offset.parse().ok()? })
        });
        parts.ok_or_else(|| format!("{text:?} is not partition/offset, such as 3/1200"))
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// Does what the command line says.
///
/// # Errors
/// The API does not answer, or refuses.
pub(crate) fn run(command: DeadLetters) -> anyhow::Result<()> {
    match command {
        DeadLetters::List(of) => {
            let mut out = std::io::stdout().lock();
            Project(Remote::new(of, TIMEOUT)?).each(|letter| Ok(writeln!(out, "{letter}")?))
        }
        DeadLetters::Replay { of, at, all } => {
            let project = Project(Remote::new(of, TIMEOUT)?);
            let mut places = at;
            if all {
                project.each(|letter| {
                    places.push(At::deserialize(letter)?);
                    Ok(())
                })?;
            }
            let mut failed = 0;
            for &place in &places {
                match project.replay(place) {
                    Ok(copy) => println!("{place} is sent through again as {copy}"),
                    // The next one may go: only those that the log let go are gone.
                    Err(error) => {
                        eprintln!("{error:#}");
                        failed += 1;
                    }
                }
            }
            match failed {
                0 => Ok(()),
                _ => bail!("{failed} of {} were not sent through again", places.len()),
            }
        }
    }
}

struct Project(Remote);

impl Project {
    /// Every dead letter, in the order of the log.
    fn each(&self, mut take: impl FnMut(&Value) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut cursor = None;
        loop {
            let mut request = self.0.request(Method::GET, "dead-letters")?.query(&[("limit", PAGE)]);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let page: Page = answered(request.send())?.json()?;
            page.items.iter().try_for_each(&mut take)?;
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Returns where the copy is.
    fn replay(&self, at: At) -> anyhow::Result<At> {
        let response = answered(self.0.request(Method::POST, &format!("dead-letters/{at}/replay"))?.send());
        Ok(response.with_context(|| format!("{at} is not sent through again"))?.json()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_printed() {
        let at: At = "3/1200".parse().unwrap();
        assert_eq!((at, at.to_string()), (At { partition: 3, offset: 1_200 }, "3/1200".to_owned()));
        for wrong in ["3", "3/", "/1", "a/b", "-1/2", "1/2/3"] {
            assert!(wrong.parse::<At>().unwrap_err().contains("partition/offset"), "{wrong}");
        }
    }
}
