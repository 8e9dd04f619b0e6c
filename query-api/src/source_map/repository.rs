//! The rows and objects of maps.

use std::ops::Bound;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use playhead_domain::row::{SourceMapArtifact, SourceMapRef};
use playhead_domain::scope::Scope;
use playhead_domain::source_map::key::{self, ArtifactId};
use playhead_domain::store::{self, Key, Mutation};
use playhead_domain::table::SOURCE_MAPS;
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

/// Maps of a project that one request looks at.
const MAX_ROWS: usize = 50_000;

/// What a key leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) id: ArtifactId,
    pub(crate) expires_at_ms: i64,
}

/// What a key leads to, if anything.
pub(crate) async fn reference(api: &Api, key: &Key) -> Result<Option<Reference>, ApiError> {
    let Some(row) = api.store().get(&SOURCE_MAPS, key).await? else { return Ok(None) };
    let corrupt = |what: String| ApiError::Corrupt(format!("source map reference: {what}"));
    let row = SourceMapRef::decode(row.value).map_err(|e| corrupt(e.to_string()))?;
    let id = ArtifactId::of_bytes(&row.artifact).ok_or_else(|| corrupt("no id".to_owned()))?;
    Ok(Some(Reference { id, expires_at_ms: row.expires_at_ms }))
}

pub(crate) async fn one(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
) -> Result<Option<SourceMapArtifact>, ApiError> {
    api.store().get(&SOURCE_MAPS, &key::artifact(scope, id)).await?.map(|row| decode(row.value)).transpose()
}

fn decode(value: Bytes) -> Result<SourceMapArtifact, ApiError> {
    SourceMapArtifact::decode(value).map_err(|e| ApiError::Corrupt(format!("source map: {e}")))
}

/// All of a project, and whether there are more than were looked at.
pub(crate) async fn all(
    api: &Api,
    scope: Scope,
) -> Result<(Vec<(ArtifactId, SourceMapArtifact)>, bool), ApiError> {
    let partition = key::partition(scope);
    let page = store::scan_until(api.store(), &SOURCE_MAPS, &partition, key::artifacts(), MAX_ROWS).await?;
    let mut found = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        if let Some(id) = key::artifact_of(&row.key.clustering) {
            found.push((id, decode(row.value)?));
        }
    }
    Ok((found, page.more))
}

/// Deletes all maps of a release, however many there are; tells how many.
pub(crate) async fn remove_release(api: &Api, scope: Scope, release: &str) -> Result<u64, ApiError> {
    let (mut range, mut removed) = (key::artifacts(), 0);
    loop {
        let page =
            store::scan_until(api.store(), &SOURCE_MAPS, &key::partition(scope), range.clone(), 1).await?;
        for row in &page.rows {
            let Some(id) = key::artifact_of(&row.key.clustering) else { continue };
            let artifact = decode(row.value.clone())?;
            if artifact.release == release {
                remove(api, scope, id, &artifact).await?;
                removed += 1;
            }
        }
        match page.rows.last() {
            Some(last) if page.more => range.from = Bound::Excluded(last.key.clustering.clone()),
            _ => return Ok(removed),
        }
    }
}

/// Stores a map: its object, then its rows at once. Maps that nothing leads to any more then are deleted.
pub(crate) async fn add(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
    packed: Vec<u8>,
) -> Result<(), ApiError> {
    api.0.blobs.put(&Path::from(key::object(scope, id)), PutPayload::from(packed)).await?;
    let mut replaced = Vec::new();
    for reference_key in references(scope, artifact) {
        replaced.extend(reference(api, &reference_key).await?.map(|old| old.id).filter(|old| *old != id));
    }
    write(api, scope, id, artifact, references(scope, artifact)).await?;
    replaced.sort_unstable();
    replaced.dedup();
    for old in replaced {
        let Some(artifact) = one(api, scope, old).await? else { continue };
        if leading_to(api, scope, old, &artifact).await?.is_empty() {
            remove(api, scope, old, &artifact).await?;
        }
    }
    Ok(())
}

fn references(scope: Scope, artifact: &SourceMapArtifact) -> Vec<Key> {
    key::references(scope, &artifact.release, &artifact.path, &artifact.debug_id)
}

/// Lets a map live longer, with what leads to it still: a later upload may have taken some of that over.
pub(crate) async fn prolong(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
) -> Result<(), ApiError> {
    let leading = leading_to(api, scope, id, artifact).await?;
    write(api, scope, id, artifact, leading).await
}

async fn write(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
    leading: Vec<Key>,
) -> Result<(), ApiError> {
    let (version, expires_at_ms) = (now_us(api), Some(artifact.expires_at_ms));
    let put = |key: Key, value: Vec<u8>| Mutation::Put {
        table: &SOURCE_MAPS,
        key,
        value: value.into(),
        version,
        expires_at_ms,
    };
    let reference = SourceMapRef {
        artifact: Bytes::copy_from_slice(&id.0),
        uploaded_us: artifact.uploaded_us,
        expires_at_ms: artifact.expires_at_ms,
    };
    let mut rows = vec![put(key::artifact(scope, id), artifact.encode_to_vec())];
    rows.extend(leading.into_iter().map(|key| put(key, reference.encode_to_vec())));
    Ok(api.store().write(rows).await?)
}

pub(crate) fn now_us(api: &Api) -> i64 {
    api.now_ms() * 1_000
}

/// The keys that still lead to a map.
async fn leading_to(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
) -> Result<Vec<Key>, ApiError> {
    let mut leading = Vec::new();
    for key in references(scope, artifact) {
        if reference(api, &key).await?.is_some_and(|reference| reference.id == id) {
            leading.push(key);
        }
    }
    Ok(leading)
}

/// Deletes a map: its rows, then its object. If it ends in between, the collection of dead objects finds the rest.
pub(crate) async fn remove(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    artifact: &SourceMapArtifact,
) -> Result<(), ApiError> {
    // What is uploaded from now on stays.
    let version = now_us(api);
    let mut keys = leading_to(api, scope, id, artifact).await?;
    keys.push(key::artifact(scope, id));
    let delete = |key| Mutation::Delete { table: &SOURCE_MAPS, key, version };
    api.store().write(keys.into_iter().map(delete).collect()).await?;
    api.0.maps.forget(scope, id);
    match api.0.blobs.delete(&Path::from(key::object(scope, id))).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
