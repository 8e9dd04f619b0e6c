//! Ownership, intent and checkpoint of a log partition: one row, only ever written conditionally.

use std::time::Duration;

use bytes::Bytes;
use playhead_domain::row::{FlushIntent, PartitionControl};
use playhead_domain::session::key;
use playhead_domain::store::{self, Key, Store, Swap};
use playhead_domain::table::PARTITION_CONTROL;
use prost::Message;
use tokio::time::Instant;

const RETRY_FOR: Duration = Duration::from_secs(60);
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Why the row was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("another process owns the partition now")]
    Lost,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The row as this owner last wrote it.
#[derive(Debug)]
pub(crate) struct Control {
    key: Key,
    current: PartitionControl,
    encoded: Option<Bytes>,
}

impl Control {
    /// Takes the partition over, which begins at `first_offset`. An unfinished intent is recorded anew, one tick later, so that whatever its old owner still writes
    /// is older; the caller redoes it.
    pub(crate) async fn take(
        store: &dyn Store,
        (topic, partition): (&str, u32),
        first_offset: u64,
        owner: &str,
    ) -> Result<Self, store::Error> {
        let key = key::control(topic, partition);
        loop {
            let encoded = store.get_serial(&PARTITION_CONTROL, &key).await?;
            let current = match &encoded {
                Some(bytes) => PartitionControl::decode(bytes.clone()).map_err(|error| {
                    store::Error::Corrupt(format!("control of partition {partition}: {error}"))
                })?,
                None => PartitionControl { next_offset: first_offset, ..PartitionControl::default() },
            };
            let mut control = Self { key: key.clone(), current: current.clone(), encoded };
            let mut next = PartitionControl { epoch: current.epoch + 1, owner: owner.to_owned(), ..current };
            if let Some(intent) = &mut next.intent {
                intent.write_us = next.last_write_us.max(intent.write_us) + 1;
                next.last_write_us = intent.write_us;
            }
            match control.swap(store, next).await {
                Ok(()) => return Ok(control),
                Err(Error::Lost) => {}
                Err(Error::Store(error)) => return Err(error),
            }
        }
    }

    /// Whether the owner of that epoch still owns the partition.
    pub(crate) async fn is_owner(
        store: &dyn Store,
        topic: &str,
        partition: u32,
        epoch: u64,
    ) -> Result<bool, store::Error> {
        let row = store.get_serial(&PARTITION_CONTROL, &key::control(topic, partition)).await?;
        Ok(row.and_then(|row| PartitionControl::decode(row).ok()).is_some_and(|row| row.epoch == epoch))
    }

    /// Whether nobody ever owned the partition before.
    pub(crate) fn is_first(&self) -> bool {
        self.current.epoch == 1
    }

    /// Grows with every owner.
    pub(crate) fn epoch(&self) -> u64 {
        self.current.epoch
    }

    pub(crate) fn next_offset(&self) -> u64 {
        self.current.next_offset
    }

    pub(crate) fn unfinished(&self) -> Option<&FlushIntent> {
        self.current.intent.as_ref()
    }

    /// Records that effects of `from..to` are about to be written, and returns the version they are written with.
    pub(crate) async fn begin(
        &mut self,
        store: &dyn Store,
        from: u64,
        to: u64,
        newest_append_us: i64,
    ) -> Result<i64, Error> {
        let write_us = newest_append_us.max(self.current.last_write_us + 1);
        let intent = Some(FlushIntent { from, to, write_us });
        self.swap(store, PartitionControl { intent, last_write_us: write_us, ..self.current.clone() })
            .await?;
        Ok(write_us)
    }

    /// Moves the checkpoint: every effect below `to` is written.
    pub(crate) async fn finish(&mut self, store: &dyn Store, to: u64) -> Result<(), Error> {
        self.swap(store, PartitionControl { intent: None, next_offset: to, ..self.current.clone() }).await
    }

    /// An error of the store means that the outcome is unknown: the next try finds either our value or the old one. To find our
    /// value means that we wrote it: no value is ever written twice, as epoch, owner and the newest write timestamp are in it,
    /// and of those one owner's timestamps and offsets only grow. A try that arrives after its answer was given up finds
    /// another value than it expects, for the same reason.
    async fn swap(&mut self, store: &dyn Store, next: PartitionControl) -> Result<(), Error> {
        let new = Bytes::from(next.encode_to_vec());
        let end = Instant::now() + RETRY_FOR;
        loop {
            let expected = self.encoded.as_deref();
            match store
                .compare_and_set(&PARTITION_CONTROL, &self.key, expected, Some(new.clone()), None)
                .await
            {
                Ok(Swap::Applied) => break,
                Ok(Swap::Conflict(Some(found))) if found == new => break,
                Ok(Swap::Conflict(_)) => return Err(Error::Lost),
                Err(error) if error.is_retryable() && Instant::now() < end => {
                    tokio::time::sleep(RETRY_WAIT).await
                }
                Err(error) => return Err(error.into()),
            }
        }
        (self.current, self.encoded) = (next, Some(new));
        Ok(())
    }
}
