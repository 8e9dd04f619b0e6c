//! Storing and deleting maps: their objects, and when what is known of them.

use std::time::{Duration, Instant};

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use playhead_domain::row::SourceMapArtifact;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::key::{self, ArtifactId};
use playhead_domain::source_map::repository;

use crate::error::ApiError;
use crate::state::Api;

/// Maps of a project that one request looks at.
const MAX_ROWS: usize = 50_000;
/// From when on an object without a row may be taken for one that nobody needs is ten minutes at least.
const ROWS_WITHIN: Duration = Duration::from_secs(300);

/// All of a project, and whether there are more than were looked at.
pub(crate) async fn all(
    api: &Api,
    scope: Scope,
) -> Result<(Vec<(ArtifactId, SourceMapArtifact)>, bool), ApiError> {
    Ok(repository::all(api.store(), scope, now_us(api), MAX_ROWS).await?)
}

pub(crate) async fn one(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
) -> Result<Option<SourceMapArtifact>, ApiError> {
    Ok(repository::one(api.store(), scope, id, now_us(api)).await?)
}

/// Stores a map: an object of its own, then its rows at once. Returns its row.
pub(crate) async fn add(
    api: &Api,
    scope: Scope,
    id: ArtifactId,
    mut artifact: SourceMapArtifact,
    packed: Vec<u8>,
) -> Result<SourceMapArtifact, ApiError> {
    let known = one(api, scope, id).await?;
    if known.is_none() {
        api.0.map_quota.take(api, scope, artifact.stored_bytes).await?;
    }
    artifact.object = key::object_of_upload(scope, id, crate::random::bytes()?);
    let began = Instant::now();
    api.0.blobs.put(&Path::from(artifact.object.as_str()), PutPayload::from(packed)).await?;
    if began.elapsed() > ROWS_WITHIN {
        return Err(ApiError::TooSlow);
    }
    artifact.uploaded_us = known.map_or_else(|| now_us(api), |known| known.uploaded_us);
    repository::add(api.store(), scope, id, &artifact, now_us(api)).await?;
    // One that could not be read may be whole now.
    api.0.maps.forget(scope, id);
    Ok(artifact)
}

pub(crate) async fn remove(api: &Api, scope: Scope, id: ArtifactId) -> Result<(), ApiError> {
    repository::remove(api.store(), scope, id, now_us(api)).await?;
    api.0.map_quota.forget(scope);
    api.0.maps.forget(scope, id);
    Ok(())
}

/// Deletes all maps of a release, however many there are; tells how many.
pub(crate) async fn remove_release(api: &Api, scope: Scope, release: &str) -> Result<u64, ApiError> {
    let removed = repository::remove_release(api.store(), scope, release, now_us(api)).await?;
    api.0.map_quota.forget(scope);
    removed.iter().for_each(|id| api.0.maps.forget(scope, *id));
    Ok(removed.len() as u64)
}

pub(crate) fn now_us(api: &Api) -> i64 {
    api.now_ms() * 1_000
}
