//! Erases visits while they are still sending, and notes which erasures were answered.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::chronicle::Happening;
use super::stage::Stage;
use crate::api::Reader;
use crate::corpus::Corpus;
use crate::ledger::{What, Writer};
use crate::visitor::Population;

/// Tries, a second apart: longer than any outage of a scenario.
const TRIES: u32 = 600;

pub(super) struct Eraser {
    readers: Arc<Vec<Reader>>,
    population: Population,
    corpus: Arc<Corpus>,
    ledger: Writer,
    tasks: JoinSet<Option<u64>>,
    sender: mpsc::UnboundedSender<Happening>,
}

impl Eraser {
    pub(super) fn new(
        stage: &Stage,
        corpus: &Arc<Corpus>,
        out: &Path,
        sender: mpsc::UnboundedSender<Happening>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            readers: stage.readers().into(),
            population: stage.record.job.population.clone(),
            corpus: corpus.clone(),
            ledger: Writer::create(&out.join("erased.ledger"))?,
            tasks: JoinSet::new(),
            sender,
        })
    }

    pub(super) fn erase(&mut self, visit: u64) {
        let visitor = self.population.visitor(visit, &self.corpus);
        let (readers, project) = (self.readers.clone(), visitor.project);
        self.tasks.spawn(async move {
            for _ in 0..TRIES {
                let reader = &readers[project];
                let path = format!(
                    "{}/api/v1/projects/{}/sessions/{}",
                    reader.url, reader.project.project_id, visitor.session
                );
                let answer = reader.client.delete(path).bearer_auth(&reader.project.secret_key).send().await;
                if answer.is_ok_and(|answer| answer.status().as_u16() == 204) {
                    return Some(visit);
                }
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
            None
        });
    }

    /// Waits for every answer and notes them.
    pub(super) async fn finish(mut self) -> anyhow::Result<()> {
        while let Some(erased) = self.tasks.join_next().await {
            let erased = erased?;
            if let Some(visit) = erased {
                self.ledger.note(What::Erased, visit, 0)?;
            }
            let _ = self.sender.send(Happening::Erased { answered: erased.is_some() });
        }
        Ok(self.ledger.flush()?)
    }
}
