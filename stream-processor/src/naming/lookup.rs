//! From what a range asks for to the names that it gets. What leads to maps is remembered for some seconds, maps that were read as long as
//! there is room.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use playhead_domain::issue::naming::Written;
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::Broken;
use playhead_domain::source_map::cache::{self, Cache, Read};
use playhead_domain::source_map::key::{self, ArtifactId};
use playhead_domain::source_map::map::SourceMap;
use playhead_domain::source_map::repository::{self, Leads, MANY_LEADS};
use playhead_domain::store::{self, Key};
use tokio::time::Instant;

use super::{Asked, Names, Place, Script, Wanted};
use crate::compute::compute;
use crate::flush::Error;
use crate::shared::{Shared, locked};

/// How long what leads to maps is remembered. A change counts from a minute later on, so that what is remembered so long is right for
/// records of the next [`RIGHT_FOR_US`].
const REMEMBERED_FOR: Duration = Duration::from_secs(10);
const RIGHT_FOR_US: i64 = 45_000_000;
const MAX_REMEMBERED: usize = 10_000;
const DAY_MS: i64 = 86_400_000;
const CONCURRENT_READS: usize = 16;
/// A map with its bundle that is larger names nothing here: reading it would hold up a partition.
const MAX_MAP_BYTES: u64 = 32 << 20;
/// Maps with their bundles that one project can ask for in one range.
const MAX_RANGE_BYTES: u64 = 128 << 20;

/// What is remembered of all projects.
pub(crate) struct Maps {
    read: Mutex<Cache>,
    leads: Mutex<HashMap<Key, Remembered<Leads>>>,
    projects: Mutex<HashMap<Scope, Remembered<bool>>>,
}

#[derive(Clone)]
struct Remembered<T> {
    value: T,
    since: Instant,
    /// By the processor's clock.
    since_us: i64,
}

impl<T: Clone> Remembered<T> {
    /// For records of up to that time.
    fn get(&self, newest_us: i64) -> Option<T> {
        let is_right = newest_us <= self.since_us + RIGHT_FOR_US && self.since.elapsed() < REMEMBERED_FOR;
        is_right.then(|| self.value.clone())
    }
}

impl Maps {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { read: Mutex::new(Cache::new(most_bytes)), leads: Mutex::default(), projects: Mutex::default() }
    }

    /// Those of the projects that have maps; each with the newest record of it.
    pub(crate) async fn projects_with_maps(
        &self,
        shared: &Shared,
        projects: BTreeMap<Scope, i64>,
    ) -> Result<BTreeSet<Scope>, store::Error> {
        let looks = projects.into_iter().map(|(scope, newest_us)| {
            async move { Ok::<_, store::Error>((scope, self.has_maps(shared, scope, newest_us).await?)) }
                .boxed()
        });
        let looks = futures::stream::iter(looks.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
        let found: Vec<_> = looks.try_collect().await?;
        Ok(found.into_iter().filter(|(_, has_maps)| *has_maps).map(|(scope, _)| scope).collect())
    }

    async fn has_maps(&self, shared: &Shared, scope: Scope, newest_us: i64) -> Result<bool, store::Error> {
        if let Some(known) = locked(&self.projects).get(&scope).and_then(|known| known.get(newest_us)) {
            return Ok(known);
        }
        let (since, since_us) = (Instant::now(), shared.now_us());
        let value = repository::has_any(&*shared.store, scope).await?;
        remember(&self.projects, scope, Remembered { value, since, since_us });
        Ok(value)
    }

    async fn leads(&self, shared: &Shared, reference: &Key, newest_us: i64) -> Result<Leads, store::Error> {
        if let Some(known) = locked(&self.leads).get(reference).and_then(|known| known.get(newest_us)) {
            return Ok(known);
        }
        let (since, since_us) = (Instant::now(), shared.now_us());
        let value = repository::leads(&*shared.store, reference, None, MANY_LEADS).await?;
        remember(&self.leads, reference.clone(), Remembered { value: value.clone(), since, since_us });
        Ok(value)
    }
}

fn remember<K: std::hash::Hash + Eq, T>(
    known: &Mutex<HashMap<K, Remembered<T>>>,
    key: K,
    value: Remembered<T>,
) {
    let mut known = locked(known);
    if known.len() >= MAX_REMEMBERED {
        known.clear();
    }
    known.insert(key, value);
}

/// A map that is in force, and when it expires.
type Found = BTreeMap<i64, (ArtifactId, i64)>;

/// Finds what is wanted. `projects` tell how long a map that is used lives on.
pub(crate) async fn find_names(
    shared: &Shared,
    projects: &HashMap<Scope, Arc<Project>>,
    wanted: Wanted,
) -> Result<Names, Error> {
    let mut names = Names::default();
    let found = wanted.into_iter().map(|(script, asked)| async move {
        let maps = maps_of(shared, &script, &asked).await?;
        Ok::<_, store::Error>((script, asked, maps))
    });
    let found: Vec<_> =
        futures::stream::iter(found.collect::<Vec<_>>()).buffered(CONCURRENT_READS).try_collect().await?;
    let mut places: BTreeMap<(Scope, ArtifactId), BTreeSet<Place>> = BTreeMap::new();
    let mut expiries: BTreeMap<(Scope, ArtifactId), i64> = BTreeMap::new();
    for (script, asked, maps) in found {
        for &(map, expires_at_ms) in maps.values() {
            places.entry((script.scope, map)).or_default().extend(&asked.places);
            expiries.insert((script.scope, map), expires_at_ms);
        }
        let maps = maps.into_iter().map(|(time, (map, _))| (time, map)).collect();
        names.maps.insert(script, maps);
    }
    keep(shared, projects, expiries).await;
    let mut bytes: BTreeMap<Scope, u64> = BTreeMap::new();
    for ((scope, id), places) in places {
        let Some((artifact, _)) = repository::kept(&*shared.store, scope, id).await? else { continue };
        let sum = bytes.entry(scope).or_default();
        if artifact.raw_bytes > MAX_MAP_BYTES || *sum + artifact.raw_bytes > MAX_RANGE_BYTES {
            shared.metrics.unnamed_maps.inc();
            continue;
        }
        *sum += artifact.raw_bytes;
        if let Ok(map) = map(shared, scope, id).await? {
            // A map that cannot be worked with names nothing, now and in every further try.
            match compute(move || written_at(&map, places)).await {
                Ok(written) => drop(names.written.insert((scope, id), written)),
                Err(error) => {
                    shared.metrics.unnamed_maps.inc();
                    tracing::error!(%error, project = %scope.project(), "a source map cannot be worked with");
                }
            }
        }
    }
    Ok(names)
}

fn written_at(map: &SourceMap, places: BTreeSet<Place>) -> HashMap<Place, Written> {
    let written = |place: Place| Some((place, map.written(place.0, place.1)?));
    places.into_iter().filter_map(written).collect()
}

/// What is used lives on.
async fn keep(
    shared: &Shared,
    projects: &HashMap<Scope, Arc<Project>>,
    expiries: BTreeMap<(Scope, ArtifactId), i64>,
) {
    let now_us = shared.now_us();
    for ((scope, id), expires_at_ms) in expiries {
        let days = projects.get(&scope).map_or(0, |project| i64::from(project.retention_days));
        let kept = repository::keep(&*shared.store, scope, (id, expires_at_ms), days * DAY_MS, now_us);
        if let Err(error) = kept.await {
            tracing::warn!(%error, project = %scope.project(), "a source map that is in use was not prolonged; the next flush tries again");
        }
    }
}

/// The map of a script for each time that is asked for.
async fn maps_of(shared: &Shared, script: &Script, asked: &Asked) -> Result<Found, store::Error> {
    let Script { scope, release, debug_id, file, is_of_site } = script;
    let (mut left, mut found) = (asked.times.clone(), BTreeMap::new());
    for reference in key::references_of(*scope, release, *debug_id, file, *is_of_site) {
        let Some(&newest_us) = left.last() else { break };
        let (leads, has_more) = shared.maps.leads(shared, &reference, newest_us).await?;
        for logged_us in left.clone() {
            let mut lead = repository::in_force(&leads, logged_us).cloned();
            if lead.is_none() && has_more {
                let (older, _) = repository::leads(&*shared.store, &reference, Some(logged_us), 1).await?;
                lead = repository::in_force(&older, logged_us).cloned();
            }
            if let Some(lead) = lead
                && let Some(id) = lead.at(logged_us)
            {
                found.insert(logged_us, (id, lead.expires_at_ms));
                left.remove(&logged_us);
            }
        }
    }
    Ok(found)
}

async fn map(shared: &Shared, scope: Scope, id: ArtifactId) -> Result<Read, Error> {
    if let Some(known) = locked(&shared.maps.read).get(scope, id) {
        return Ok(known);
    }
    let packed = repository::packed(&*shared.store, scope, id, |name| object(shared, name)).await?;
    let Some(packed) = packed else {
        return Ok(Err(Broken::Stored("it is gone".to_owned())));
    };
    // What makes a reader panic is a broken map, too.
    let read = compute(move || cache::read(&packed, false)).await;
    let read = read.unwrap_or_else(|panic| Err(Broken::Stored(panic.to_string())));
    locked(&shared.maps.read).put(scope, id, read.clone());
    Ok(read)
}

async fn object(shared: &Shared, name: String) -> Result<Option<Bytes>, Error> {
    match shared.blobs.get(&Path::from(name)).await {
        Ok(object) => Ok(Some(object.bytes().await.map_err(Error::Map)?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(Error::Map(error)),
    }
}
