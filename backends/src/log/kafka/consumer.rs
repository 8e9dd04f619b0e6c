//! One member of a consumer group: a thread that owns the library's consumer, and what it has ready for the processor.
//!
//! The library has known trouble with `seek` and `pause` around rebalances (the operation is lost and the partition stands
//! still). So neither is used: a partition is given to the library when it is to be fetched, from an explicit offset on, and
//! taken away from it when it is not.

mod member;
mod rebalances;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, Thread};
use std::time::Duration;

use async_trait::async_trait;
use playhead_domain::log::{Consumer, Error, Polled};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::member::Member;
use self::state::{Command, Shared};
use super::closing::Closing;
use super::config::KafkaConfig;
use super::error;
use super::topic::Topic;

/// A member of a group. Dropping it leaves the group.
pub(super) struct GroupConsumer {
    shared: Arc<Shared>,
    closing: Arc<Closing>,
    thread: Thread,
}

impl GroupConsumer {
    pub(super) fn join(
        config: &Arc<KafkaConfig>,
        closing: &Arc<Closing>,
        topic: Arc<Topic>,
        group: &str,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(topic));
        let (config, group) = (Arc::clone(config), group.to_owned());
        let work = {
            let (shared, closing) = (Arc::clone(&shared), Arc::clone(closing));
            move || {
                Member::run(&config, &shared, &group);
                closing.end();
            }
        };
        let thread = thread::Builder::new().name("kafka-consumer".to_owned()).spawn(work);
        let thread = thread.map_err(error::unavailable)?.thread().clone();
        Ok(Self { shared, closing: Arc::clone(closing), thread })
    }

    fn command(&self, command: Command) {
        self.shared.state.lock().commands.push_back(command);
        self.thread.unpark();
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.closing.begin();
        self.shared.stopping.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[async_trait]
impl Consumer for GroupConsumer {
    /// A poll that is dropped loses nothing: what it would have brought, the next one brings.
    async fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, Error> {
        let deadline = Instant::now() + wait;
        loop {
            let taken = self.shared.state.lock().take(max_bytes);
            if let Some(taken) = taken {
                // There is room again, or a revocation that waits for having been told.
                self.thread.unpark();
                return taken;
            }
            if timeout_at(deadline, self.shared.changed.notified()).await.is_err() {
                return Ok(Polled::default());
            }
        }
    }

    async fn seek(&mut self, partition: u32, offset: u64) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Seek { partition, offset, reply });
        answer.await.unwrap_or_else(|_| Err(Error::Unavailable("the consumer ended".to_owned())))
    }

    fn pause(&mut self, partition: u32) {
        self.shared.state.lock().pause(partition);
        self.thread.unpark();
    }

    fn resume(&mut self, partition: u32) {
        self.shared.state.lock().resume(partition);
        self.thread.unpark();
    }

    async fn commit(&mut self, partition: u32, next_offset: u64) -> Result<(), Error> {
        self.command(Command::Commit { partition, next_offset });
        Ok(())
    }
}
