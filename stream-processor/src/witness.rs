//! Which sessions stand for the names of endpoints and pages: see [`playhead_domain::performance::name`]. Those that are new of a name are
//! found with one read per name and some minutes; nothing is counted here, so a redo may find others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use playhead_domain::id::SessionId;
use playhead_domain::performance::name::{self, NameId, NameKey, WITNESSES};
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange, Key, Order, Store};
use playhead_domain::table::PERFORMANCE_NAMES;
use tokio::time::Instant;

use crate::cache::SessionRef;
use crate::effect::SessionWork;
use crate::shared::locked;

/// How long it is believed that a name has the witnesses that it had: they may have been erased since.
const BELIEVED_FOR: Duration = Duration::from_secs(600);
const MAX_REMEMBERED: usize = 50_000;
/// Names that a process learns of a project in [`BELIEVED_FOR`]. Others stay without a name, and are learnt later.
const MAX_LEARNT: usize = 2_000;
/// Rows of a name that are looked at: log partitions that learn it at the same time write some more.
const MAX_WITNESSES: usize = 64;
const CONCURRENT_READS: usize = 16;

type Name = (Scope, NameId);

/// A row to write.
#[derive(Debug)]
pub(crate) struct NameRow {
    pub(crate) key: Key,
    pub(crate) name: Bytes,
    /// With its witness: whom nobody finds any more cannot be erased.
    pub(crate) expires_at_ms: i64,
}

/// What a range adds.
#[derive(Debug, Default)]
pub(crate) struct Witnessed {
    pub(crate) rows: Vec<NameRow>,
    known: Vec<(Name, Known)>,
}

/// Who stood for a name at some time.
#[derive(Debug, Clone)]
struct Known {
    since: Instant,
    sessions: Vec<SessionId>,
    /// Nobody did before.
    is_learnt: bool,
}

/// What is remembered of all projects.
pub(crate) struct Witnesses {
    pub(crate) names: NameKey,
    known: Mutex<HashMap<Name, Known>>,
    learnt: Mutex<HashMap<Scope, (Instant, usize)>>,
}

/// A name of a range, with sessions that used it and when these expire.
struct Used<'a> {
    name: &'a str,
    sessions: Vec<(SessionId, i64)>,
}

impl Witnesses {
    pub(crate) fn new(names: NameKey) -> Self {
        Self { names, known: Mutex::default(), learnt: Mutex::default() }
    }

    /// Those that the range adds.
    pub(crate) async fn look_up(
        &self,
        store: &dyn Store,
        sessions: &BTreeMap<SessionRef, SessionWork>,
        now_us: i64,
    ) -> Result<Witnessed, store::Error> {
        let used = used(sessions);
        let looks =
            used.iter().map(|(name, used)| self.known(store, *name, used.fresh_since_us(now_us)).boxed());
        let known = looks.collect::<Vec<_>>();
        let known: Vec<Known> = futures::stream::iter(known).buffered(CONCURRENT_READS).try_collect().await?;
        let mut witnessed = Witnessed::default();
        for (((scope, id), used), mut known) in used.into_iter().zip(known) {
            known.is_learnt = known.sessions.is_empty();
            if known.is_learnt && !self.may_learn(scope) {
                continue;
            }
            for (session, expires_at_ms) in used.sessions {
                if known.sessions.len() < WITNESSES && !known.sessions.contains(&session) {
                    known.sessions.push(session);
                    let (key, name) =
                        (name::row(scope, id, session), Bytes::copy_from_slice(used.name.as_bytes()));
                    witnessed.rows.push(NameRow { key, name, expires_at_ms });
                }
            }
            witnessed.known.push(((scope, id), known));
        }
        Ok(witnessed)
    }

    /// Remembers rows whose flush is behind the checkpoint.
    pub(crate) fn keep(&self, witnessed: Witnessed) {
        let mut known = locked(&self.known);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        let mut learnt = locked(&self.learnt);
        learnt.retain(|_, (since, _)| since.elapsed() < BELIEVED_FOR);
        for (name, entry) in witnessed.known {
            if entry.is_learnt {
                learnt.entry(name.0).or_insert_with(|| (Instant::now(), 0)).1 += 1;
            }
            known.insert(name, entry);
        }
    }

    fn may_learn(&self, scope: Scope) -> bool {
        let learnt = locked(&self.learnt);
        let count = learnt.get(&scope).filter(|(since, _)| since.elapsed() < BELIEVED_FOR);
        count.is_none_or(|(_, count)| *count < MAX_LEARNT)
    }

    async fn known(
        &self,
        store: &dyn Store,
        (scope, id): Name,
        fresh_since_us: i64,
    ) -> Result<Known, store::Error> {
        let known = locked(&self.known).get(&(scope, id)).cloned();
        if let Some(known) = known.filter(|known| known.since.elapsed() < BELIEVED_FOR) {
            return Ok(known);
        }
        let (since, rows) = (Instant::now(), name::rows_of(scope, id));
        let range = ClusteringRange::prefix(rows.clustering);
        let (partition, order) = (&rows.partition, Order::Ascending);
        let page = store.scan(&PERFORMANCE_NAMES, partition, &range, order, MAX_WITNESSES).await?;
        let is_fresh = |row: &store::Row| row.version >= fresh_since_us;
        let witness = |row: store::Row| Some(name::of(&row.key.clustering)?.1);
        let sessions = page.rows.into_iter().filter(is_fresh).filter_map(witness).collect();
        Ok(Known { since, sessions, is_learnt: false })
    }
}

impl Used<'_> {
    /// A witness of before that is past half of its time: others are found before it goes.
    fn fresh_since_us(&self, now_us: i64) -> i64 {
        let left_us = self.sessions.first().map_or(0, |(_, expires_at_ms)| expires_at_ms * 1_000 - now_us);
        now_us - left_us / 2
    }
}

fn used(sessions: &BTreeMap<SessionRef, SessionWork>) -> BTreeMap<Name, Used<'_>> {
    let mut used: BTreeMap<Name, Used<'_>> = BTreeMap::new();
    for ((scope, session), work) in sessions {
        let Some(expires_at_ms) = work.state.summary.as_ref().map(|summary| summary.expires_at_ms) else {
            continue;
        };
        for observation in work.measured.iter().filter(|observation| observation.measured.is_named()) {
            let name = used.entry((*scope, observation.name));
            let name =
                name.or_insert_with(|| Used { name: &observation.measured.name, sessions: Vec::new() });
            if name.sessions.len() < WITNESSES && name.sessions.last().is_none_or(|(last, _)| last != session)
            {
                name.sessions.push((*session, expires_at_ms));
            }
        }
    }
    used
}
