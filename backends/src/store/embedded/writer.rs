//! The one thread that writes. It decides every write against the newest rows, so that versions and conditions need no
//! locks, and makes what waits durable with one fsync.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use playhead_domain::store::{Error, Mutation, Swap};
use playhead_domain::table::Table;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::files::{Due, Files};
use super::group::Group;

/// Work that waits, with the bytes that it was charged.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) bytes: usize,
    pub(super) _permit: Option<OwnedSemaphorePermit>,
}

pub(super) enum Work {
    Write { mutations: Vec<Mutation>, reply: oneshot::Sender<Result<(), Error>> },
    Swap { condition: Condition, reply: oneshot::Sender<Result<Swap, Error>> },
    Sweep { listed: Vec<(Vec<u8>, Due)>, now_ms: i64, reply: oneshot::Sender<Result<u64, Error>> },
}

/// A conditional write.
pub(super) struct Condition {
    pub(super) table: &'static Table,
    pub(super) key: Vec<u8>,
    pub(super) expected: Option<Bytes>,
    pub(super) new: Option<Bytes>,
    pub(super) expires_at_ms: Option<i64>,
}

/// The writer's thread. Dropping it writes what still waits and ends it.
pub(super) struct Writer {
    sender: Option<Sender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(files: Arc<Files>) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&files, &receiver))?;
        Ok(Self { sender: Some(sender), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn send(&self, job: Job) -> Result<(), Error> {
        let closing = || Error::Unavailable("the store is closing".to_owned());
        self.sender.as_ref().ok_or_else(closing)?.send(job).map_err(|_| closing())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.lock().take() {
            // A panicked writer has nothing left to wait for.
            let _ = thread.join();
        }
    }
}

fn run(files: &Files, receiver: &Receiver<Job>) {
    while let Ok(first) = receiver.recv() {
        let mut bytes = first.bytes;
        let mut jobs = vec![first];
        while bytes < files.config.group_bytes {
            let Ok(next) = receiver.try_recv() else { break };
            bytes += next.bytes;
            jobs.push(next);
        }
        write(files, jobs);
    }
}

/// What to tell once the group is durable.
type Answer = Box<dyn FnOnce(Result<(), Arc<str>>)>;

fn write(files: &Files, jobs: Vec<Job>) {
    let mut group = Group::new(files);
    let mut permits = Vec::with_capacity(jobs.len());
    let mut answers: Vec<Answer> = Vec::with_capacity(jobs.len());
    let mut failure = None;
    for job in jobs {
        permits.push(job._permit);
        let (answer, failed) = decide(files, &mut group, job.work);
        answers.push(answer);
        if let Err(error) = failed {
            // The group may hold a part of this write: none of it may be kept.
            failure = Some(error.to_string().into());
        }
    }
    let result = match failure {
        Some(reason) => Err(reason),
        None => group.commit().map_err(|error| files.engine.fail(&error)),
    };
    for answer in answers {
        answer(result.clone());
    }
}

/// Adds the work to the group. The second value is an error that leaves the group in pieces.
fn decide(files: &Files, group: &mut Group<'_>, work: Work) -> (Answer, Result<(), Error>) {
    let unavailable = |reason: Arc<str>| Error::Unavailable(reason.to_string());
    match work {
        Work::Write { mutations, reply } => {
            let adds = mutations.iter().any(|mutation| matches!(mutation, Mutation::Put { .. }));
            if let Err(reason) = may_write(files, adds) {
                return (answer_with(reply, Err(unavailable(reason))), Ok(()));
            }
            let applied = mutations.iter().try_for_each(|mutation| group.apply(mutation));
            (Box::new(move |result| respond(reply, result.map_err(unavailable))), applied)
        }
        Work::Swap { condition, reply } => {
            if let Err(reason) = may_write(files, condition.new.is_some()) {
                return (answer_with(reply, Err(unavailable(reason))), Ok(()));
            }
            match group.swap(&condition) {
                Ok(swap) => (
                    Box::new(move |result| respond(reply, result.map(|()| swap).map_err(unavailable))),
                    Ok(()),
                ),
                Err(error) => (answer_with(reply, Err(unavailable(error.to_string().into()))), Err(error)),
            }
        }
        Work::Sweep { listed, now_ms, reply } => match group.sweep(&listed, now_ms) {
            Ok(bytes) => {
                (Box::new(move |result| respond(reply, result.map(|()| bytes).map_err(unavailable))), Ok(()))
            }
            Err(error) => (answer_with(reply, Err(unavailable(error.to_string().into()))), Err(error)),
        },
    }
}

/// On a full disk, deletes still make room.
fn may_write(files: &Files, adds: bool) -> Result<(), Arc<str>> {
    if adds { files.engine.check_writable() } else { Ok(()) }
}

fn answer_with<T: 'static>(reply: oneshot::Sender<Result<T, Error>>, answer: Result<T, Error>) -> Answer {
    Box::new(move |_| respond(reply, answer))
}

fn respond<T>(reply: oneshot::Sender<Result<T, Error>>, answer: Result<T, Error>) {
    // Whoever asked may have given up waiting.
    let _ = reply.send(answer);
}
