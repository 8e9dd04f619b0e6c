//! What has ended goes: rows past their time, deletes past their grace; and, when asked or when it is much, the bytes too.
//!
//! Rewriting files costs as much as the tables are large, however little was removed: one rewrite serves all that asked since the last one, and a
//! long one is followed by a longer rest, so that many erasures never take more than a fifth of the time.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use playhead_domain::store::Error;
use tokio::sync::oneshot;

use super::files::{Due, Files};
use super::writer::{Job, Work, Writer};

/// Rows that go in one write.
const SWEEP_ROWS: usize = 1_000;
/// How much longer than a reclaim the rest after it is.
const REST: u32 = 4;
const REST_AFTER_A_FAILURE: Duration = Duration::from_secs(60);
/// How long a stop waits for a rewrite under way. What it does not end is thrown away with the next start, and done again if it was asked for.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The thread that looks for what has ended. Dropping it ends it.
pub(super) struct Sweeper {
    wakes: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    pub(super) fn start(files: Arc<Files>, writer: Weak<Writer>) -> std::io::Result<Self> {
        let (wakes, woken) = channel::<()>();
        let interval = Duration::from_millis(files.config.sweep_interval_ms.max(1));
        let thread = std::thread::Builder::new().name("store-sweeper".to_owned()).spawn(move || {
            let mut removed = HashMap::new();
            let mut rested_at = Instant::now();
            loop {
                let rest = rested_at.saturating_duration_since(Instant::now());
                let wait = if files.reclaim.is_wanted() { rest.min(interval) } else { interval };
                if woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                let Some(writer) = writer.upgrade() else { return };
                if let Err(error) = sweep(&files, &writer, &mut removed) {
                    tracing::warn!(%error, "expired rows could not be removed, trying again later");
                }
                drop(writer);
                if files.reclaim.is_wanted() && Instant::now() >= rested_at {
                    let begun = Instant::now();
                    let done = reclaim(&files, &woken, &mut removed);
                    if let Err(error) = &done {
                        tracing::warn!(%error, "the bytes of what was removed are still in the store's files, trying again in a minute");
                    }
                    let least = if done.is_ok() { Duration::ZERO } else { REST_AFTER_A_FAILURE };
                    rested_at = Instant::now() + (begun.elapsed() * REST).max(least);
                }
                if is_closing(&woken) {
                    return;
                }
                rewrite_swept(&files, &mut removed);
            }
        })?;
        Ok(Self { wakes: Some(wakes), thread: Some(thread) })
    }

    /// A reclaim is wanted.
    pub(super) fn wake(&self) {
        if let Some(wakes) = &self.wakes {
            // Without its thread the store is closing.
            let _ = wakes.send(());
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        drop(self.wakes.take());
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() {
            if begun.elapsed() > STOP_LIMIT {
                tracing::warn!("a rewrite of the store's files was left unfinished");
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = thread.join();
    }
}

/// Bytes removed since a table's files were last rewritten.
type Removed = HashMap<&'static str, u64>;

/// Removes everything that has ended by now.
fn sweep(files: &Files, writer: &Writer, removed: &mut Removed) -> Result<(), Error> {
    let now_ms = files.clock.now_ms();
    loop {
        let mut listed = files.list_due(now_ms, SWEEP_ROWS)?;
        let done = listed.len() < SWEEP_ROWS;
        if listed.is_empty() {
            return Ok(());
        }
        // One table at a time, so that the bytes can be told apart.
        listed.sort_by_key(|(_, due)| table_name(due));
        for part in listed.chunk_by(|(_, a), (_, b)| table_name(a) == table_name(b)) {
            let (reply, answer) = oneshot::channel();
            let work = Work::Sweep { listed: part.to_vec(), now_ms, reply };
            writer.send(Job { work, bytes: 0, _permit: None })?;
            let closing = |_| Error::Unavailable("the store is closing".to_owned());
            let bytes = answer.blocking_recv().map_err(closing)??;
            if let Some(name) = part.first().and_then(|(_, due)| table_name(due)) {
                *removed.entry(name).or_default() += bytes;
            }
        }
        if done {
            return Ok(());
        }
    }
}

fn table_name(due: &Due) -> Option<&'static str> {
    match due {
        Due::Row(table, _) => Some(table.name),
        Due::Retired | Due::Grave(_) => None,
    }
}

/// Gives the space of much that was removed back to the disk.
fn rewrite_swept(files: &Files, removed: &mut Removed) {
    let threshold = files.config.rewrite_after_bytes;
    let much: Vec<&'static str> =
        removed.iter().filter(|&(_, &bytes)| bytes >= threshold).map(|(&name, _)| name).collect();
    for name in much {
        match files.table_named(name).map_or(Ok(()), |keyspace| files.engine.rewrite(keyspace)) {
            Ok(()) => _ = removed.remove(name),
            Err(error) => {
                tracing::warn!(%error, table = name, "the space of expired rows could not be given back");
            }
        }
    }
}

/// Makes what was deleted or has expired vanish from the files: out of memory into tables, out of the tables by rewriting
/// those that were touched, and out of the journals. A stop of the store ends it between two tables; it is then wanted still.
fn reclaim(files: &Files, woken: &Receiver<()>, removed: &mut Removed) -> fjall::Result<()> {
    files.engine.check_room_for(0)?;
    let calls = files.reclaim.calls();
    let mut unclean: Vec<&'static str> = files.unclean.lock().drain().collect();
    let rewritten = rewrite_all(files, &mut unclean, woken);
    files.unclean.lock().extend(unclean);
    if !rewritten? {
        return Ok(());
    }
    removed.clear();
    files.reclaim.served(&files.engine, calls)
}

/// Whether all were rewritten. Leaves those in `unclean` that were not: one that fails, or that the disk has no room for, does not stop the others.
fn rewrite_all(files: &Files, unclean: &mut Vec<&'static str>, woken: &Receiver<()>) -> fjall::Result<bool> {
    // A scan that began before the deletes would keep what they removed.
    drop(files.scans.write());
    files.engine.replace_journal(&files.keyspaces())?;
    let mut done = Ok(true);
    let mut is_rewritten = |keyspace| {
        if is_closing(woken) {
            done = Ok(false);
            return false;
        }
        let rewritten = files.engine.rewrite(keyspace);
        let is_rewritten = rewritten.is_ok();
        if let Err(error) = rewritten {
            done = Err(error);
        }
        is_rewritten
    };
    unclean.retain(|name| !files.table_named(name).is_none_or(&mut is_rewritten));
    [&files.due, &files.graves].into_iter().for_each(|keyspace| _ = is_rewritten(keyspace));
    done
}

/// Takes the calls that came meanwhile: they are noted.
fn is_closing(woken: &Receiver<()>) -> bool {
    loop {
        match woken.try_recv() {
            Ok(()) => {}
            Err(error) => return error == TryRecvError::Disconnected,
        }
    }
}
