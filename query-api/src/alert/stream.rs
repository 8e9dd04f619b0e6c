//! How far the stream is: the time up to which everything that the log took is in the store, and how much a project has taken in.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use playhead_domain::log::{self, EventLog};
use playhead_domain::row::{IntakeCounts, PartitionControl};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Value};
use playhead_domain::table;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

/// Where the log ended at a time.
#[derive(Debug, Clone)]
struct End {
    at_ms: i64,
    offsets: Vec<u64>,
}

/// Follows the stream. Checkpoints that have reached where the log ended at a time bring the stream to that time.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    awaited: Option<End>,
    at_ms: i64,
}

impl Stream {
    /// Looks where the stream is. It never goes back.
    pub(crate) async fn look(&mut self, api: &Api) -> Result<i64, ApiError> {
        let awaited = match self.awaited.take() {
            Some(end) => end,
            None => end(api).await?,
        };
        if is_reached(api, &awaited.offsets).await? {
            self.at_ms = self.at_ms.max(awaited.at_ms);
        } else {
            self.awaited = Some(awaited);
        }
        Ok(self.at_ms)
    }
}

async fn end(api: &Api) -> Result<End, ApiError> {
    // Before the offsets: what the log takes between the two is not waited for.
    let at_ms = api.now_ms();
    let (topic, log) = (&api.0.batches, &*api.0.log);
    let reads = (0..topic.partitions).map(|partition| end_of(log, topic.name, partition));
    Ok(End { at_ms, offsets: try_join_all(reads).await? })
}

async fn end_of(log: &dyn EventLog, topic: &str, partition: u32) -> Result<u64, ApiError> {
    match log.offsets(topic, partition).await {
        Ok(kept) => Ok(kept.end),
        // Nothing was ever taken.
        Err(log::Error::UnknownTopic(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

async fn is_reached(api: &Api, ends: &[u64]) -> Result<bool, ApiError> {
    let topic = api.0.batches.name;
    let first = api.0.log.first_offset(topic);
    let reads = (0u32..).zip(ends).filter(|(_, end)| **end > first).map(|(partition, &end)| async move {
        let row = api.store().get(&table::PARTITION_CONTROL, &key::control(topic, partition)).await?;
        let control = row.map(|row| PartitionControl::decode(row.value)).transpose();
        let control = control.map_err(|error| ApiError::Corrupt(format!("partition control: {error}")))?;
        Ok::<_, ApiError>(control.is_some_and(|control| control.next_offset >= end))
    });
    Ok(try_join_all(reads).await?.into_iter().all(|is_reached| is_reached))
}

/// How much of the log the project's counts of two days hold. It grows when the project receives something; when a day is forgotten it may fall.
pub(crate) async fn intake_mark(api: &Api, scope: Scope) -> Result<u64, ApiError> {
    let today = key::day(api.now_ms());
    let days = [today - 1, today].map(|day| async move {
        let partition = key::intake_partition(scope, day);
        store::scan_all(api.store(), &table::INTAKE_COUNTS, &partition, ClusteringRange::ALL).await
    });
    let mut newest: BTreeMap<i64, u64> = BTreeMap::new();
    for row in try_join_all(days).await?.into_iter().flatten() {
        let [Value::Int(partition), _] = row.key.clustering[..] else { continue };
        let counts = IntakeCounts::decode(row.value)
            .map_err(|error| ApiError::Corrupt(format!("intake counts: {error}")))?;
        let known = newest.entry(partition).or_default();
        *known = counts.next_offset.max(*known);
    }
    Ok(newest.values().fold(0, |sum, offset| sum.wrapping_add(*offset)))
}
