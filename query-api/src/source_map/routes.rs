//! Source maps over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use playhead_domain::row::SourceMapArtifact;
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::key::ArtifactId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{find, repository, upload};
use crate::access::Caller;
use crate::cursor;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::source_map::{DeletedSourceMaps, NewSourceMap, SourceMap, SourceMapPage};
use crate::params::{Params, Segments, page_size};
use crate::state::Api;

/// Which maps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceMapParams {
    /// Those of this release.
    release: Option<String>,
    /// 1 to 500, 100 unless given.
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Which maps to delete.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeletionParams {
    /// Must be given: an empty one stands for maps without a release.
    release: Option<String>,
}

/// Stores a source map. One with the same release and path, or with the same debug id, takes the place of the one before. Repeating an upload
/// changes nothing. The body may be compressed (`Content-Encoding: gzip` or `zstd`) and has at most 64 MiB once inflated.
#[utoipa::path(post, path = "/api/v1/projects/{project}/source-maps", tag = "source maps",
    params(("project" = String, Path, description = "Project id")), request_body = NewSourceMap, responses(
    (status = 201, body = SourceMap),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The project has as many source maps as it may have; the detail says which to delete", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "Larger than the limit, which the detail tells", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The map cannot be used; the detail says why", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Others are uploading; see Retry-After", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn upload_source_map(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<SourceMap>), ApiError> {
    let (scope, row) = caller.open(&api, &project).await?;
    let upload::Taken { id, mut artifact, packed } = upload::take(&api, &headers, body).await?;
    artifact.expires_at_ms = find::expiry(&api, &row);
    let artifact = repository::add(&api, scope, id, artifact, packed).await?;
    let (release, path) = (&artifact.release, &artifact.path);
    tracing::info!(project = %scope.project(), release, path, %id, "source map uploaded");
    Ok((StatusCode::CREATED, Json(present(id, &artifact))))
}

/// The source maps of a project, the newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project}/source-maps", tag = "source maps",
    params(("project" = String, Path, description = "Project id"), SourceMapParams), responses(
    (status = 200, body = SourceMapPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_source_maps(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(params): Params<SourceMapParams>,
) -> Result<Json<SourceMapPage>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let limit = page_size(params.limit, 100, 500)?;
    let release = params.release.as_deref();
    let question = format!("source-maps {} {release:?}", scope.project());
    let after = params.cursor.as_deref().map(|cursor| read_place(question.as_bytes(), cursor)).transpose()?;
    let (mut maps, partial) = repository::all(&api, scope).await?;
    maps.retain(|(_, map)| release.is_none_or(|release| map.release == release));
    maps.sort_unstable_by_key(|(id, map)| std::cmp::Reverse((map.uploaded_us, *id)));
    let rest = maps.iter().skip_while(|(id, map)| after.is_some_and(|after| (map.uploaded_us, *id) >= after));
    let items: Vec<_> = rest.clone().take(limit).collect();
    let last = items.last().filter(|_| rest.count() > limit);
    let next =
        last.map(|(id, map)| cursor::write_place(question.as_bytes(), map.uploaded_us.to_be_bytes(), id.0));
    let items = items.into_iter().map(|(id, map)| present(*id, map)).collect();
    Ok(Json(SourceMapPage { items, next, partial }))
}

fn read_place(question: &[u8], text: &str) -> Result<(i64, ArtifactId), ApiError> {
    let (uploaded_us, id) = cursor::read_place(question, text)?;
    Ok((i64::from_be_bytes(uploaded_us), ArtifactId(id)))
}

/// Deletes all source maps of a release.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/source-maps", tag = "source maps",
    params(("project" = String, Path, description = "Project id"), DeletionParams), responses(
    (status = 200, body = DeletedSourceMaps),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_source_maps(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
    Params(DeletionParams { release }): Params<DeletionParams>,
) -> Result<Json<DeletedSourceMaps>, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let release = release.ok_or_else(|| ApiError::bad("release", "is missing: whose maps to delete"))?;
    let deleted = repository::remove_release(&api, scope, &release).await?;
    tracing::info!(project = %scope.project(), release, deleted, "source maps deleted");
    Ok(Json(DeletedSourceMaps { deleted }))
}

/// Deletes a source map.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/source-maps/{map}", tag = "source maps",
    params(("project" = String, Path, description = "Project id"), ("map" = String, Path, description = "Id of the source map")),
    responses(
    (status = 204, description = "Deleted"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_source_map(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, map)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.open(&api, &project).await?;
    let id: ArtifactId =
        map.parse().map_err(|_| ApiError::bad("map", "expected 32 lower-case hexadecimal digits"))?;
    repository::one(&api, scope, id).await?.ok_or(ApiError::NotFound("source map"))?;
    repository::remove(&api, scope, id).await?;
    tracing::info!(project = %scope.project(), %id, "source map deleted");
    Ok(StatusCode::NO_CONTENT)
}

fn present(id: ArtifactId, map: &SourceMapArtifact) -> SourceMap {
    let debug_id = <[u8; 16]>::try_from(map.debug_id.as_ref()).ok().map(DebugId);
    SourceMap {
        id: id.to_string(),
        release: Some(map.release.clone()).filter(|release| !release.is_empty()),
        path: map.path.clone(),
        debug_id: debug_id.map(|id| id.to_string()),
        uploaded_at: map.uploaded_us / 1_000,
        expires_at: map.expires_at_ms,
        stored_bytes: map.stored_bytes,
        raw_bytes: map.raw_bytes,
        mappings: map.mappings,
        sources: map.sources,
        sources_with_content: map.contents,
    }
}
