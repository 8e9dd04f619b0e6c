//! The rows of maps: which map a script has, from which time of the log on.
//!
//! Readers show what is newest. The fold asks for what was in force when the log took a record: an upload, and a deletion, counts from a
//! minute later on, so that whoever folds the record, and folds it again, finds the same. A map that was deleted or replaced therefore keeps its
//! rows, and with them its object, until no such record can be left to fold.

use std::future::Future;
use std::ops::Bound;

use bytes::Bytes;
use prost::Message;

use super::key::{self, ArtifactId};
use crate::issue::setting::DELAY_US;
use crate::row::{SourceMapArtifact, SourceMapRef};
use crate::scope::Scope;
use crate::store::{self, Error, Key, Mutation, Order, Store};
use crate::table::SOURCE_MAPS;

/// How long a record may wait to be folded, or to be folded again, and still finds the map that was there when it came.
const KEPT_US: i64 = 3_600_000_000;
/// How often an object that is gone is looked for: a map that is uploaded again may have taken another.
const OBJECT_TRIES: usize = 2;
/// Times of one reference that are looked at for one question, before it is asked by its time.
pub const MANY_LEADS: usize = 16;

/// Where a reference leads from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Of the log, microseconds.
    pub from_us: i64,
    /// `None`: nowhere any more.
    pub artifact: Option<ArtifactId>,
    pub expires_at_ms: i64,
    key: Key,
    version: i64,
}

impl Lead {
    /// The map that is there at that time.
    #[must_use]
    pub fn at(&self, now_us: i64) -> Option<ArtifactId> {
        self.artifact.filter(|_| now_us < self.expires_at_ms.saturating_mul(1_000))
    }
}

/// The newest first, and whether there are more.
pub type Leads = (Vec<Lead>, bool);

/// Of those leads, the newest first, the one that is in force for a record that the log took then.
#[must_use]
pub fn in_force(leads: &[Lead], logged_us: i64) -> Option<&Lead> {
    leads.iter().find(|lead| lead.from_us <= logged_us)
}

/// Where a reference led up to that time, or until now, the newest first; and whether there are more.
///
/// # Errors
/// The store's.
pub async fn leads(
    store: &dyn Store,
    reference: &Key,
    up_to_us: Option<i64>,
    most: usize,
) -> Result<Leads, Error> {
    let (partition, range) = (&reference.partition, key::leads(reference, up_to_us));
    let page = store.scan(&SOURCE_MAPS, partition, &range, Order::Descending, most).await?;
    let leads = page.rows.into_iter().map(lead).collect::<Result<Vec<_>, _>>()?;
    Ok((leads, page.more))
}

fn lead(row: store::Row) -> Result<Lead, Error> {
    let corrupt = |what: &dyn std::fmt::Display| Error::Corrupt(format!("source map reference: {what}"));
    let value = SourceMapRef::decode(row.value).map_err(|error| corrupt(&error))?;
    let artifact = match value.artifact.as_ref() {
        [] => None,
        id => Some(ArtifactId::of_bytes(id).ok_or_else(|| corrupt(&"no id"))?),
    };
    Ok(Lead {
        // Rows of before have no time of their own.
        from_us: key::from_us(&row.key.clustering).unwrap_or(value.uploaded_us + DELAY_US),
        artifact,
        expires_at_ms: value.expires_at_ms,
        key: row.key,
        version: row.version,
    })
}

/// Where a reference leads by what was written last, whether that counts for the fold already or not.
///
/// # Errors
/// The store's.
pub async fn newest(store: &dyn Store, reference: &Key) -> Result<Option<Lead>, Error> {
    Ok(leads(store, reference, None, 1).await?.0.into_iter().next())
}

/// The row of a map, and its version.
///
/// # Errors
/// The store's.
pub async fn kept(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
) -> Result<Option<(SourceMapArtifact, i64)>, Error> {
    let Some(row) = store.get(&SOURCE_MAPS, &key::artifact(scope, id)).await? else { return Ok(None) };
    Ok(Some((decode(row.value)?, row.version)))
}

/// What was uploaded of a map, or `None`: it is gone. `read` gets an object by its name, or tells that there is none. Uploading a map again
/// puts another object: the row names the one that stays.
///
/// # Errors
/// The store's and those of `read`.
pub async fn packed<E, F>(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
    read: impl Fn(String) -> F,
) -> Result<Option<Bytes>, E>
where
    E: From<Error>,
    F: Future<Output = Result<Option<Bytes>, E>>,
{
    for _ in 0..OBJECT_TRIES {
        let Some((artifact, _)) = kept(store, scope, id).await? else { return Ok(None) };
        if let Some(packed) = read(key::object_of_artifact(scope, id, &artifact.object)).await? {
            return Ok(Some(packed));
        }
    }
    Ok(None)
}

/// A map that is neither deleted nor expired.
///
/// # Errors
/// The store's.
pub async fn one(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
    now_us: i64,
) -> Result<Option<SourceMapArtifact>, Error> {
    let known = kept(store, scope, id).await?.map(|(artifact, _)| artifact);
    Ok(known.filter(|artifact| is_there(artifact, now_us)))
}

/// Whether people see it.
#[must_use]
pub const fn is_there(artifact: &SourceMapArtifact, now_us: i64) -> bool {
    artifact.deleted_us == 0 && now_us < artifact.expires_at_ms.saturating_mul(1_000)
}

/// Reads the row of a map.
///
/// # Errors
/// [`Error::Corrupt`].
pub fn decode(value: Bytes) -> Result<SourceMapArtifact, Error> {
    SourceMapArtifact::decode(value).map_err(|error| Error::Corrupt(format!("source map: {error}")))
}

/// The maps of a project that are there, until `enough` rows were looked at; and whether there are more.
///
/// # Errors
/// The store's.
pub async fn all(
    store: &dyn Store,
    scope: Scope,
    now_us: i64,
    enough: usize,
) -> Result<(Vec<(ArtifactId, SourceMapArtifact)>, bool), Error> {
    let partition = key::partition(scope);
    let page = store::scan_until(store, &SOURCE_MAPS, &partition, key::artifacts(), enough).await?;
    let mut found = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let Some(id) = key::artifact_of(&row.key.clustering) else { continue };
        let artifact = decode(row.value)?;
        if is_there(&artifact, now_us) {
            found.push((id, artifact));
        }
    }
    Ok((found, page.more))
}

/// Whether a project has maps, or had some that may count still.
///
/// # Errors
/// The store's.
pub async fn has_any(store: &dyn Store, scope: Scope) -> Result<bool, Error> {
    let partition = key::partition(scope);
    Ok(!store.scan(&SOURCE_MAPS, &partition, &key::artifacts(), Order::Ascending, 1).await?.rows.is_empty())
}

/// Writes the rows of a map whose object is there. Maps that nothing leads to any more then are deleted.
///
/// # Errors
/// The store's.
pub async fn add(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
    now_us: i64,
) -> Result<(), Error> {
    let known = kept(store, scope, id).await?.map_or(0, |(_, version)| version + 1);
    let mut rows = vec![put_artifact(scope, id, artifact, artifact.expires_at_ms, now_us.max(known))];
    let mut replaced = Vec::new();
    for reference in references(scope, artifact) {
        let before = newest(store, &reference).await?;
        let is_same = before.as_ref().is_some_and(|lead| lead.at(now_us + DELAY_US) == Some(id));
        let from_us = match &before {
            Some(lead) if is_same => lead.from_us,
            Some(lead) => (now_us + DELAY_US).max(lead.from_us + 1),
            None => now_us + DELAY_US,
        };
        let lead_key = before.as_ref().filter(|_| is_same).map(|lead| lead.key.clone());
        let version = now_us.max(before.as_ref().map_or(0, |lead| lead.version + 1));
        let lead_key = lead_key.unwrap_or_else(|| key::lead(&reference, from_us));
        rows.push(put_lead(lead_key, Some(id), artifact.expires_at_ms, version));
        replaced.extend(before.and_then(|lead| lead.artifact).filter(|old| *old != id));
    }
    store.write(rows).await?;
    replaced.sort_unstable();
    replaced.dedup();
    for old in replaced {
        let Some((artifact, _)) = kept(store, scope, old).await? else { continue };
        if artifact.deleted_us == 0 && leading_to(store, scope, old, &artifact).await?.is_empty() {
            remove(store, scope, old, now_us).await?;
        }
    }
    Ok(())
}

/// Deletes a map, for people at once and for the fold from a minute later on. Its rows, and so its object, go when no record is left that
/// may be folded with it.
///
/// # Errors
/// The store's.
pub async fn remove(store: &dyn Store, scope: Scope, id: ArtifactId, now_us: i64) -> Result<(), Error> {
    let Some((artifact, version)) = kept(store, scope, id).await? else { return Ok(()) };
    let leading = leading_to(store, scope, id, &artifact).await?;
    let gone_ms = (now_us + DELAY_US) / 1_000;
    let deleted = SourceMapArtifact { deleted_us: now_us, ..artifact };
    let mut rows = vec![put_artifact(scope, id, &deleted, gone_ms, now_us.max(version + 1))];
    for (reference, lead) in leading {
        let from_us = (now_us + DELAY_US).max(lead.from_us + 1);
        // For as long as the lead before it would be found without it.
        rows.push(put_lead(
            key::lead(&reference, from_us),
            None,
            lead.expires_at_ms.max(gone_ms) + 60_000,
            now_us,
        ));
    }
    store.write(rows).await
}

/// Deletes all maps of a release, however many there are; tells which.
///
/// # Errors
/// The store's.
pub async fn remove_release(
    store: &dyn Store,
    scope: Scope,
    release: &str,
    now_us: i64,
) -> Result<Vec<ArtifactId>, Error> {
    let (mut range, mut removed) = (key::artifacts(), Vec::new());
    loop {
        let page = store::scan_until(store, &SOURCE_MAPS, &key::partition(scope), range.clone(), 1).await?;
        for row in &page.rows {
            let Some(id) = key::artifact_of(&row.key.clustering) else { continue };
            let artifact = decode(row.value.clone())?;
            if artifact.release == release && is_there(&artifact, now_us) {
                remove(store, scope, id, now_us).await?;
                removed.push(id);
            }
        }
        match page.rows.last() {
            Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
            _ => return Ok(removed),
        }
    }
}

/// Lets a map that is used, and expires within half of the project's retention, live for all of it: a release may be in use for longer than
/// errors are kept.
///
/// # Errors
/// The store's.
pub async fn keep(
    store: &dyn Store,
    scope: Scope,
    (id, expires_at_ms): (ArtifactId, i64),
    retention_ms: i64,
    now_us: i64,
) -> Result<(), Error> {
    let now_ms = now_us.div_euclid(1_000);
    if expires_at_ms - now_ms > retention_ms / 2 {
        return Ok(());
    }
    prolong(store, scope, id, now_ms + retention_ms, now_us).await
}

/// Lets a map that is there live longer, with what leads to it still: a later upload may have taken some of that over. Deleting it
/// meanwhile wins.
///
/// # Errors
/// The store's.
async fn prolong(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
    expires_at_ms: i64,
    now_us: i64,
) -> Result<(), Error> {
    let Some((mut artifact, version)) = kept(store, scope, id).await? else { return Ok(()) };
    // What expires within a minute may be gone for a record that is folded now and again.
    if !is_there(&artifact, now_us + DELAY_US) {
        return Ok(());
    }
    artifact.expires_at_ms = expires_at_ms;
    let leading = leading_to(store, scope, id, &artifact).await?;
    let mut rows = vec![put_artifact(scope, id, &artifact, expires_at_ms, version + 1)];
    for (_, lead) in leading.into_iter().filter(|(_, lead)| lead.at(now_us + DELAY_US).is_some()) {
        rows.push(put_lead(lead.key, Some(id), expires_at_ms, lead.version + 1));
    }
    store.write(rows).await
}

fn references(scope: Scope, artifact: &SourceMapArtifact) -> Vec<Key> {
    key::references(scope, &artifact.release, &artifact.path, &artifact.debug_id)
}

/// The references that lead to a map by what was written last.
async fn leading_to(
    store: &dyn Store,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
) -> Result<Vec<(Key, Lead)>, Error> {
    let mut leading = Vec::new();
    for reference in references(scope, artifact) {
        if let Some(lead) = newest(store, &reference).await?.filter(|lead| lead.artifact == Some(id)) {
            leading.push((reference, lead));
        }
    }
    Ok(leading)
}

fn put_artifact(
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
    until_ms: i64,
    version: i64,
) -> Mutation {
    put(key::artifact(scope, id), artifact.encode_to_vec(), until_ms, version)
}

fn put_lead(lead: Key, id: Option<ArtifactId>, expires_at_ms: i64, version: i64) -> Mutation {
    let artifact = id.map(|id| Bytes::copy_from_slice(&id.0)).unwrap_or_default();
    let uploaded_us = key::from_us(&lead.clustering).unwrap_or_default() - DELAY_US;
    put(lead, SourceMapRef { artifact, uploaded_us, expires_at_ms }.encode_to_vec(), expires_at_ms, version)
}

/// Rows outlive what they tell of by the time that a record may wait.
fn put(key: Key, value: Vec<u8>, until_ms: i64, version: i64) -> Mutation {
    let expires_at_ms = Some(until_ms.saturating_add(KEPT_US / 1_000));
    Mutation::Put { table: &SOURCE_MAPS, key, value: value.into(), version, expires_at_ms }
}
