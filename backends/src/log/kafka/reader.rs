//! Reading without a group: a few clients, each on a thread of its own, that go on where they were when they are asked for what
//! comes next.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use playhead_domain::log::{Error, StoredRecord};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};
use tokio::sync::{Semaphore, oneshot};

use super::config::KafkaConfig;
use super::topic::Topic;
use super::{error, log_line, message};
use crate::log::group::clamp;

/// How long a client without work keeps its place, and then itself.
const KEEP_PLACE: Duration = Duration::from_secs(5);
const KEEP_CLIENT: Duration = Duration::from_secs(30);
/// How often a waiting read looks whether anybody still waits for it.
const SLICE: Duration = Duration::from_millis(50);

/// The readers.
pub(super) struct Readers {
    config: Arc<KafkaConfig>,
    free: Semaphore,
    idle: Mutex<Vec<Reader>>,
}

/// A thread that reads.
struct Reader {
    requests: Sender<Request>,
    /// Where it probably is: topic, partition and offset.
    place: Option<(String, u32, u64)>,
}

struct Request {
    topic: Arc<Topic>,
    partition: u32,
    offset: u64,
    max_bytes: usize,
    wait: Duration,
    reply: oneshot::Sender<Result<Vec<StoredRecord>, Error>>,
}

impl Readers {
    pub(super) fn new(config: Arc<KafkaConfig>) -> Self {
        Self { free: Semaphore::new(config.readers), config, idle: Mutex::default() }
    }

    pub(super) async fn read(
        &self,
        topic: Arc<Topic>,
        partition: u32,
        offset: u64,
        max_bytes: usize,
        wait: Duration,
    ) -> Result<Vec<StoredRecord>, Error> {
        let _one_of_few = self.free.acquire().await.map_err(error::unavailable)?;
        let (reply, answer) = oneshot::channel();
        let mut request = Request { topic: Arc::clone(&topic), partition, offset, max_bytes, wait, reply };
        let mut reader = loop {
            let reader = match self.take_idle(&topic.name, partition, offset) {
                Some(reader) => reader,
                None => Reader::start(Arc::clone(&self.config))?,
            };
            match reader.requests.send(request) {
                Ok(()) => break reader,
                // It had been idle for too long.
                Err(refused) => request = refused.0,
            }
        };
        let result = answer.await.unwrap_or_else(|_| Err(Error::Unavailable("a reader ended".to_owned())));
        let next = match &result {
            Ok(records) => Some(records.last().map_or(offset, |last| last.position.offset + 1)),
            Err(_) => None,
        };
        reader.place = next.map(|next| (topic.name.clone(), partition, next));
        self.idle.lock().push(reader);
        result
    }

    /// The reader that is there already, or else any.
    fn take_idle(&self, topic: &str, partition: u32, offset: u64) -> Option<Reader> {
        let mut idle = self.idle.lock();
        let is_there = |reader: &Reader| {
            let place = reader.place.as_ref();
            place.is_some_and(|(name, p, next)| (name.as_str(), *p, *next) == (topic, partition, offset))
        };
        match idle.iter().position(is_there) {
            Some(index) => Some(idle.swap_remove(index)),
            None => idle.pop(),
        }
    }

    /// Lets the idle threads end.
    pub(super) fn close(&self) {
        self.idle.lock().clear();
    }
}

impl Reader {
    fn start(config: Arc<KafkaConfig>) -> Result<Self, Error> {
        let (requests, work) = channel();
        thread::Builder::new()
            .name("kafka-reader".to_owned())
            .spawn(move || serve(&config, &work))
            .map_err(error::unavailable)?;
        Ok(Self { requests, place: None })
    }
}

fn serve(config: &KafkaConfig, work: &Receiver<Request>) {
    let client = match config.reader().create_with_context(Quiet::default()) {
        Ok(client) => client,
        Err(error) => {
            while let Ok(request) = work.recv() {
                let _ = request.reply.send(Err(error::unavailable(&error)));
            }
            return;
        }
    };
    let mut reading = Reading { client, timeout: config.request_timeout(), place: None, held: None };
    loop {
        let patience = if reading.place.is_some() { KEEP_PLACE } else { KEEP_CLIENT };
        match work.recv_timeout(patience) {
            Ok(request) => {
                let result = reading.read(&request);
                if result.is_err() {
                    reading.leave();
                }
                let _ = request.reply.send(result);
            }
            Err(RecvTimeoutError::Timeout) if reading.place.is_some() => reading.leave(),
            Err(_) => return,
        }
    }
}

/// What a thread reads.
struct Reading {
    client: BaseConsumer<Quiet>,
    timeout: Duration,
    place: Option<Place>,
    /// Read, but over the bytes that were asked for.
    held: Option<StoredRecord>,
}

struct Place {
    topic: String,
    partition: u32,
    next: u64,
    last_append_us: i64,
}

impl Reading {
    fn leave(&mut self) {
        self.place = None;
        self.held = None;
        if let Err(error) = self.client.unassign() {
            tracing::debug!(%error, "a reader keeps its place");
        }
    }

    fn read(&mut self, request: &Request) -> Result<Vec<StoredRecord>, Error> {
        let (topic, partition) = (&request.topic, request.partition);
        let failed = |error: KafkaError| error::of_request(&error, &topic.name, partition);
        let kept = self.client.fetch_watermarks(&topic.name, message::id(partition), self.timeout);
        let (first, end) = kept.map_err(failed)?;
        let kept = u64::try_from(first).unwrap_or_default()..u64::try_from(end).unwrap_or_default();
        let (end, from) = (kept.end, clamp(partition, request.offset, kept)?);
        if from == end && request.wait.is_zero() {
            return Ok(Vec::new());
        }
        self.go_to(topic, partition, from).map_err(failed)?;
        self.collect(request, end)
    }

    fn go_to(&mut self, topic: &Topic, partition: u32, from: u64) -> Result<(), KafkaError> {
        let is_there =
            |place: &Place| place.topic == topic.name && place.partition == partition && place.next == from;
        if self.place.as_ref().is_some_and(is_there) {
            return Ok(());
        }
        self.held = None;
        self.place = None;
        let mut assignment = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        assignment.add_partition_offset(&topic.name, message::id(partition), offset)?;
        self.client.assign(&assignment)?;
        let place = Place { topic: topic.name.clone(), partition, next: from, last_append_us: i64::MIN };
        self.place = Some(place);
        Ok(())
    }

    /// Takes what is there up to `end`, or waits for what comes behind it.
    fn collect(&mut self, request: &Request, end: u64) -> Result<Vec<StoredRecord>, Error> {
        let begun = Instant::now();
        let (mut records, mut bytes) = (Vec::new(), 0);
        // Below the end there may be nothing left, by compaction; the broker says when there is nothing more.
        let mut at_end = self.next() >= end;
        loop {
            let polled = match self.held.take() {
                Some(held) => Some(Found::Record(held)),
                None => self.poll(if at_end && !records.is_empty() { Duration::ZERO } else { SLICE })?,
            };
            match polled {
                Some(Found::Record(record)) => {
                    if !records.is_empty() && bytes + record.value.len() > request.max_bytes {
                        self.held = Some(record);
                        return Ok(records);
                    }
                    bytes += record.value.len();
                    at_end = record.position.offset + 1 >= end;
                    self.advance(record, &mut records);
                }
                Some(Found::End) => at_end = true,
                None if at_end && !records.is_empty() => return Ok(records),
                None => {}
            }
            let waited = begun.elapsed();
            if records.is_empty() && at_end && (waited >= request.wait || request.reply.is_closed()) {
                return Ok(records);
            }
            if !at_end && waited >= request.wait.max(self.timeout) {
                return self.give_up(records, request);
            }
        }
    }

    /// The brokers went silent in the middle.
    fn give_up(&mut self, records: Vec<StoredRecord>, request: &Request) -> Result<Vec<StoredRecord>, Error> {
        if !records.is_empty() {
            return Ok(records);
        }
        let said = self.client.context().said.lock().take().unwrap_or_else(|| "no answer".to_owned());
        let (partition, topic) = (request.partition, &request.topic.name);
        Err(Error::Unavailable(format!("partition {partition} of {topic} cannot be read: {said}")))
    }

    fn next(&self) -> u64 {
        self.place.as_ref().map_or(0, |place| place.next)
    }

    fn advance(&mut self, mut record: StoredRecord, records: &mut Vec<StoredRecord>) {
        if let Some(place) = &mut self.place {
            place.next = record.position.offset + 1;
            place.last_append_us = place.last_append_us.max(record.append_us);
            record.append_us = place.last_append_us;
        }
        records.push(record);
    }

    fn poll(&self, wait: Duration) -> Result<Option<Found>, Error> {
        let Some(place) = &self.place else { return Ok(None) };
        match self.client.poll(wait) {
            Some(Ok(found)) => {
                let is_ours =
                    found.topic() == place.topic && found.partition() == message::id(place.partition);
                let record = message::stored(&found)?;
                Ok((is_ours && record.position.offset >= place.next).then_some(Found::Record(record)))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) if partition == message::id(place.partition) => {
                Ok(Some(Found::End))
            }
            Some(Err(error)) => {
                let code = error.rdkafka_error_code();
                *self.client.context().said.lock() = Some(code.map_or(error.to_string(), error::explain));
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

enum Found {
    Record(StoredRecord),
    /// Nothing more for now.
    End,
}

/// Remembers what a client complained of, for when a read fails.
#[derive(Default)]
struct Quiet {
    said: Mutex<Option<String>>,
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "a reader met an error");
        *self.said.lock() = Some(reason.to_owned());
    }
}

impl ConsumerContext for Quiet {}
