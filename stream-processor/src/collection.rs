//! Deleting objects that nothing needs: expired ones, flush objects whose frames are all compacted or erased, blocks that were
//! replaced or erased, source maps without rows, and objects that no row ever told of.

use std::collections::{HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use playhead_domain::id::{ProjectId, SessionId, TenantId};
use playhead_domain::row::{Object, ObjectSession};
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::source_map;
use playhead_domain::source_map::key::ArtifactId;
use playhead_domain::store::{self, ClusteringRange, Mutation, Order};
use playhead_domain::table;
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::cache::SessionRef;
use crate::compaction::objects_of;
use crate::shared::Shared;
use playhead_domain::calendar;

/// Every how many passes the blocks are looked through, too: there are many, and few die before their day.
const BLOCKS_EVERY: u32 = 60;
/// Rows of an object that are held at once: each is some hundred KB.
const PAGE: usize = 4;
/// Sessions whose references are remembered within a pass.
const MAX_REMEMBERED: usize = 10_000;

/// What a pass looks through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Flush objects, and blocks whose day is over.
    Flushes,
    All,
}

/// Runs passes until `shutdown`.
pub(crate) async fn run(shared: Arc<Shared>, shutdown: CancellationToken) {
    let interval = Duration::from_millis(shared.config.collection_interval_ms);
    for turn in 1u32.. {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
        let depth = if turn.is_multiple_of(BLOCKS_EVERY) { Depth::All } else { Depth::Flushes };
        if let Err(error) = pass(&shared, depth).await {
            tracing::warn!(%error, "collection of dead objects stopped early; it goes on with the next pass");
        }
    }
}

/// Deletes dead objects. Returns how many.
pub(crate) async fn pass(shared: &Shared, depth: Depth) -> Result<usize, store::Error> {
    let mut collector = Collector { shared, references: HashMap::new(), deleted: 0 };
    for kind in ["flush", "blocks"] {
        let prefix = Path::from(kind);
        let mut objects = shared.blobs.list(Some(&prefix));
        while let Some(object) = objects.try_next().await.map_err(unavailable)? {
            collector.look_at(kind, &object, depth).await?;
        }
    }
    if depth == Depth::All {
        collector.look_at_maps().await?;
    }
    Ok(collector.deleted)
}

fn unavailable(error: object_store::Error) -> store::Error {
    store::Error::Unavailable(format!("blobs: {error}"))
}

struct Collector<'a> {
    shared: &'a Shared,
    /// Which objects a session's rows refer to.
    references: HashMap<(SessionRef, bool), HashSet<String>>,
    deleted: usize,
}

impl Collector<'_> {
    async fn look_at(&mut self, kind: &str, object: &ObjectMeta, depth: Depth) -> Result<(), store::Error> {
        let name = object.location.as_ref();
        let Some(day) = name.split('/').nth(1).and_then(calendar::day) else { return Ok(()) };
        let is_flush = kind == "flush";
        let is_expired = !is_flush && day < key::day(self.shared.now_ms());
        if is_expired || (self.is_old(object, is_flush) && self.is_dead(name, day, is_flush, depth).await?) {
            self.delete(&object.location, name, day).await?;
        }
        Ok(())
    }

    /// Source maps that have expired, were replaced, or whose rows were never written.
    async fn look_at_maps(&mut self) -> Result<(), store::Error> {
        let prefix = Path::from(source_map::key::OBJECTS);
        let mut objects = self.shared.blobs.list(Some(&prefix));
        while let Some(object) = objects.try_next().await.map_err(unavailable)? {
            let Some((tenant, project, id)) = source_map::key::object_of(object.location.as_ref()) else {
                continue;
            };
            let scope = Scope::of_log_record(tenant, project);
            if self.is_old(&object, false) && !self.holds_a_map(scope, id, object.location.as_ref()).await? {
                self.delete_blob(&object.location).await?;
                self.count();
            }
        }
        Ok(())
    }

    /// Whether the row of a map names that object.
    async fn holds_a_map(&self, scope: Scope, id: ArtifactId, object: &str) -> Result<bool, store::Error> {
        let known = source_map::repository::kept(&*self.shared.store, scope, id).await?;
        let named = |named: &str| source_map::key::object_of_artifact(scope, id, named) == object;
        Ok(known.is_some_and(|(artifact, _)| named(&artifact.object)))
    }

    /// Old enough that no flush or compaction is still about to write rows for it.
    fn is_old(&self, object: &ObjectMeta, is_flush: bool) -> bool {
        let config = &self.shared.config;
        // Until sessions of its time can be over there is no use in looking.
        let idle_ms = if is_flush { config.session_idle_ms.min(config.end_grace_ms) } else { 0 };
        let age_ms = self.shared.now_ms() - object.last_modified.timestamp_millis();
        age_ms >= i64::try_from(config.object_grace_ms.max(idle_ms)).unwrap_or(i64::MAX)
    }

    async fn is_dead(
        &mut self,
        name: &str,
        day: i64,
        is_flush: bool,
        depth: Depth,
    ) -> Result<bool, store::Error> {
        if !is_flush && depth == Depth::Flushes {
            return Ok(false);
        }
        let partition = key::object_partition(day, name);
        let mut range = ClusteringRange::ALL;
        loop {
            let (store, order) = (&self.shared.store, Order::Ascending);
            let page = store.scan(&table::OBJECTS, &partition, &range, order, PAGE).await?;
            let last = page.rows.last().map(|row| row.key.clustering.clone());
            for row in page.rows {
                let object = Object::decode(row.value)
                    .map_err(|error| store::Error::Corrupt(format!("object {name}: {error}")))?;
                if object.expires_at_ms >= self.shared.now_ms()
                    && self.is_needed(&object, is_flush, name).await?
                {
                    return Ok(false);
                }
            }
            match last {
                Some(last) if page.more => range.from = Bound::Excluded(last),
                _ => return Ok(true),
            }
        }
    }

    async fn is_needed(&mut self, object: &Object, is_flush: bool, name: &str) -> Result<bool, store::Error> {
        for session in object.sessions.iter().filter_map(session_of) {
            if self.refers(session, is_flush, name).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn refers(
        &mut self,
        session: SessionRef,
        is_flush: bool,
        name: &str,
    ) -> Result<bool, store::Error> {
        let id = (session, is_flush);
        if !self.references.contains_key(&id) {
            if self.references.len() >= MAX_REMEMBERED {
                self.references.clear();
            }
            let objects = objects_of(&*self.shared.store, session, is_flush).await?;
            self.references.insert(id, objects);
        }
        Ok(self.references.get(&id).is_some_and(|objects| objects.contains(name)))
    }

    async fn delete(&mut self, location: &Path, name: &str, day: i64) -> Result<(), store::Error> {
        self.delete_blob(location).await?;
        let delete = Mutation::DeletePartition {
            table: &table::OBJECTS,
            partition: key::object_partition(day, name),
            version: self.shared.now_us(),
        };
        self.shared.store.write(vec![delete]).await?;
        self.count();
        Ok(())
    }

    async fn delete_blob(&self, location: &Path) -> Result<(), store::Error> {
        match self.shared.blobs.delete(location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn count(&mut self) {
        self.deleted += 1;
        self.shared.metrics.collected_objects.inc();
    }
}

fn session_of(session: &ObjectSession) -> Option<SessionRef> {
    let scope = Scope::of_log_record(TenantId(session.tenant), ProjectId(session.project));
    Some((scope, SessionId(session.session.as_ref().try_into().ok()?)))
}
