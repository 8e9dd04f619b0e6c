//! Steps 3 to 6: the object, the rows, the look back and the checkpoint.

use std::collections::BTreeSet;
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use playhead_domain::session::key;
use playhead_domain::store::Mutation;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::{Error, Failed, Flight, Step};
use crate::effect::{Parts, object_rows};
use crate::partition::Partition;
use crate::retry::retry;
use crate::shared::Shared;
use playhead_domain::calendar;

/// How long an object, and then the rows, are tried before the flush is given up and redone from the intent.
const WRITE_FOR: Duration = Duration::from_secs(120);
/// How long one try at an object may take.
const PUT_FOR: Duration = Duration::from_secs(30);
/// How old an object may be when the last row that refers to it has been written: far less than the age at which one without
/// rows is collected ([`crate::Config::object_grace_ms`], ten minutes at least). The rest is for clocks that differ.
const REFER_WITHIN: Duration = Duration::from_secs(300);
/// The totals of issues that are kept in memory take this part of what the states of sessions may, on top of it.
const ISSUES_SHARE: usize = 8;
/// And the heads of statistics this one.
const PERFORMANCE_SHARE: usize = 2;
/// Rows written together: many, so that those of different sessions that go to one partition, as facets do, go in one request.
const CHUNK_ROWS: usize = 4_096;
const CHUNK_BYTES: usize = 4 << 20;

/// An object that was put.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    rows: Vec<Mutation>,
    began: Instant,
    /// The same by the time of day, which goes on while the machine sleeps.
    began_ms: i64,
}

impl Stored {
    fn is_too_old(&self, now_ms: i64) -> bool {
        let passed_ms = u64::try_from(now_ms - self.began_ms).unwrap_or_default();
        self.began.elapsed().max(Duration::from_millis(passed_ms)) > REFER_WITHIN
    }
}

/// Puts the frames of all flights into one object.
pub(super) async fn put_object(shared: &Shared, flights: &mut [Flight]) -> Result<Stored, Error> {
    let (began, began_ms) = (Instant::now(), shared.now_ms());
    let day = key::day(began_ms);
    let name = format!("flush/{}/{}", calendar::date(day), shared.hooks.name());
    let mut object = Parts::default();
    let mut sessions = BTreeSet::new();
    for flight in flights.iter_mut() {
        sessions.extend(flight.effects.fill(&mut object, &name));
    }
    let expires = flights.iter().flat_map(|flight| flight.effects.sessions.values());
    let expires =
        expires.filter_map(|work| Some(work.state.summary.as_ref()?.expires_at_ms)).max().unwrap_or(0);
    let version = flights.iter().map(|flight| flight.write_us).max().unwrap_or(0);
    let rows = object_rows("flush", &name, day, object.bytes, &sessions, expires, version);
    shared.metrics.flush_bytes.observe(object.bytes as f64);
    let (path, payload) = (Path::from(name), PutPayload::from_iter(object.parts));
    retry(WRITE_FOR, || async {
        // Twice the same bytes under the same name do no harm.
        let put = shared.blobs.put(&path, payload.clone());
        timeout(PUT_FOR, put).await.unwrap_or_else(|elapsed| {
            Err(object_store::Error::Generic { store: "blobs", source: Box::new(elapsed) })
        })
    })
    .await?;
    shared.reached(Step::ObjectWritten).await?;
    Ok(Stored { rows, began, began_ms })
}

impl Flight {
    /// Steps 4 to 6. Returns the offset that the log may be told.
    pub(crate) async fn write(
        mut self,
        shared: &Shared,
        object: Option<Stored>,
    ) -> Result<(Partition, u64), Failed> {
        let span = self.span.clone();
        async {
            if let Err(error) = self.write_all(shared, object).await {
                return Err(self.failed(error));
            }
            self.observe(shared);
            self.partition.intake.keep(std::mem::take(&mut self.effects.totals));
            let issues = std::mem::take(&mut self.effects.issues.totals);
            self.partition.issues.keep(issues, shared.cache_bytes() / ISSUES_SHARE);
            let performance = std::mem::take(&mut self.effects.performance);
            self.partition.performance.keep(performance, shared.cache_bytes() / PERFORMANCE_SHARE);
            shared.witnesses.keep(std::mem::take(&mut self.effects.witnessed));
            let sessions = std::mem::take(&mut self.effects.sessions);
            self.partition.keep(sessions, shared.cache_bytes());
            Ok((self.partition, self.to))
        }
        .instrument(span)
        .await
    }

    async fn write_all(&mut self, shared: &Shared, object: Option<Stored>) -> Result<(), Error> {
        let mut rows = object.as_ref().map_or_else(Vec::new, |object| object.rows.clone());
        rows.extend(self.effects.rows(self.stamp(&shared.topic, shared.now_ms())));
        let end = Instant::now() + WRITE_FOR;
        let chunk_rows = shared.hooks.chunk_rows.unwrap_or(CHUNK_ROWS);
        for (at, chunk) in chunks(rows, chunk_rows).into_iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            retry(left, || shared.store.write(chunk.clone())).await?;
            shared.reached(Step::RowsWritten(at)).await?;
        }
        self.erase_again(shared).await?;
        if object.is_some_and(|object| object.is_too_old(shared.now_ms())) {
            return Err(Error::TooLate);
        }
        shared.reached(Step::LookedBack).await?;
        self.partition.control.finish(&*shared.store, self.to).await?;
        shared.reached(Step::Checkpointed).await
    }

    fn observe(&self, shared: &Shared) {
        let metrics = &shared.metrics;
        let now_us = shared.now_us();
        for record in &self.records {
            metrics.visible_after_seconds.observe((now_us - record.append_us) as f64 / 1e6);
        }
        for newest_ms in &self.newest_ms {
            metrics.freshness_seconds.observe((now_us.div_euclid(1_000) - newest_ms) as f64 / 1e3);
        }
        for counts in self.effects.intake.values() {
            metrics.duplicates.inc_by(counts.duplicates);
            metrics.dropped_batches.with_label_values(&["erased"]).inc_by(counts.suppressed);
            for (reason, count) in &counts.dead_letters {
                metrics.dead_letters.with_label_values(&[reason.as_str()]).inc_by(*count);
            }
        }
    }
}

fn chunks(rows: Vec<Mutation>, chunk_rows: usize) -> Vec<Vec<Mutation>> {
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        bytes += match &row {
            Mutation::Put { value, .. } => value.len() + 256,
            _ => 256,
        };
        chunk.push(row);
        if chunk.len() >= chunk_rows || bytes >= CHUNK_BYTES {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}
