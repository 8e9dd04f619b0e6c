//! Counts of what came in: per log partition, scope and day one total, in two alternating slots ([`slot`]), so that a redo writes the same.

use std::collections::{BTreeMap, HashMap};

use futures::{FutureExt, StreamExt, TryStreamExt};
use playhead_domain::row::IntakeCounts;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Order, Store, Value};
use playhead_domain::table::INTAKE_COUNTS;

use crate::effect::DayTotal;
use crate::slot;

type Day = (Scope, i64);

/// Days that are remembered; others are read again.
const MAX_DAYS: usize = 4_096;
const CONCURRENT_LOADS: usize = 32;

/// The totals as of the checkpoint, with the slot that each is in.
#[derive(Debug, Default)]
pub(crate) struct Totals(HashMap<Day, (IntakeCounts, i64)>);

impl Totals {
    /// The totals after `range` (from the checkpoint to its end), which brought `added`.
    pub(crate) async fn add(
        &self,
        store: &dyn Store,
        partition: u32,
        range: (u64, u64),
        added: &BTreeMap<Day, IntakeCounts>,
    ) -> Result<Vec<DayTotal>, store::Error> {
        let mut totals = Vec::with_capacity(added.len());
        for (&(scope, day), added) in added {
            let total = async move {
                let known = match self.0.get(&(scope, day)) {
                    Some(known) => Some(known.clone()),
                    None => newest(store, (scope, day), partition, range.0).await?,
                };
                let (mut counts, slot) =
                    known.map_or((IntakeCounts::default(), 0), |(counts, slot)| (counts, 1 - slot));
                counts.add(added);
                counts.next_offset = range.1;
                Ok(DayTotal { scope, day, slot, counts })
            };
            totals.push(total.boxed());
        }
        futures::stream::iter(totals).buffered(CONCURRENT_LOADS).try_collect().await
    }

    /// Remembers totals whose flush is behind the checkpoint.
    pub(crate) fn keep(&mut self, totals: Vec<DayTotal>) {
        if self.0.len() + totals.len() > MAX_DAYS {
            self.0.clear();
        }
        let remembered =
            totals.into_iter().map(|total| ((total.scope, total.day), (total.counts, total.slot)));
        self.0.extend(remembered);
    }
}

async fn newest(
    store: &dyn Store,
    (scope, day): Day,
    partition: u32,
    checkpoint: u64,
) -> Result<Option<(IntakeCounts, i64)>, store::Error> {
    let range = ClusteringRange::prefix(vec![Value::Int(i64::from(partition))]);
    let columns = key::intake_partition(scope, day);
    let page = store.scan(&INTAKE_COUNTS, &columns, &range, Order::Ascending, 2).await?;
    let slots =
        slot::read(page.rows).map_err(|error| store::Error::Corrupt(format!("intake counts: {error}")))?;
    Ok(slot::newest(slots, checkpoint, |counts: &IntakeCounts| counts.next_offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_backends::clock::Clock;
    use playhead_backends::store::memory::MemoryStore;
    use playhead_domain::id::{ProjectId, TenantId};
    use playhead_domain::store::Mutation;
    use prost::Message;

    fn scope() -> Scope {
        Scope::of_log_record(TenantId(1), ProjectId(2))
    }

    async fn flush(store: &MemoryStore, totals: &Totals, range: (u64, u64), version: i64) -> Vec<DayTotal> {
        let counts = IntakeCounts { batches: range.1 - range.0, ..IntakeCounts::default() };
        let added = BTreeMap::from([((scope(), 9), counts)]);
        let days = totals.add(store, 3, range, &added).await.unwrap();
        let put = |total: &DayTotal| Mutation::Put {
            table: &INTAKE_COUNTS,
            key: key::intake(total.scope, total.day, 3, total.slot),
            value: total.counts.encode_to_vec().into(),
            version,
            expires_at_ms: None,
        };
        store.write(days.iter().map(put).collect()).await.unwrap();
        days
    }

    #[tokio::test]
    async fn a_successor_goes_on_from_the_checkpoint_and_counts_nothing_twice() {
        let store = MemoryStore::new(Clock::system());
        let mut first = Totals::default();
        for (range, version) in [((0, 10), 1), ((10, 15), 2)] {
            let days = flush(&store, &first, range, version).await;
            first.keep(days);
        }
        // Written, but its process died before the checkpoint: the range is redone.
        flush(&store, &first, (15, 40), 3).await;
        let mut second = Totals::default();
        let redone = flush(&store, &second, (15, 40), 4).await;
        assert_eq!((redone[0].counts.batches, redone[0].counts.next_offset), (40, 40));
        second.keep(redone);
        // What wakes up from before writes older versions.
        flush(&store, &first, (15, 30), 3).await;
        let next = flush(&store, &second, (40, 41), 5).await;
        assert_eq!(next[0].counts.batches, 41);
        let (newest, _) = newest(&store, (scope(), 9), 3, 41).await.unwrap().unwrap();
        assert_eq!(newest.batches, 41);
    }
}
