//! Secret keys: stored by hash, listed by project.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use playhead_domain::id::{ProjectId, TenantId};
use playhead_domain::row;
use playhead_domain::scope::{Grant, Scope};
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Key, Order, Swap, Value};
use playhead_domain::table;
use playhead_proto::key::{secret_key, secret_key_hash};
use prost::Message;

use super::repository;
use crate::access::Caller;
use crate::error::ApiError;
use crate::model::Problem;
use crate::model::project::{CreatedSecretKey, SecretKey, SecretKeyList};
use crate::params::Segments;
use crate::random;
use crate::state::Api;

const MAX_KEYS: usize = 100;
const ID_CHARACTERS: usize = 16;

/// Creates a secret key of the project and returns it.
///
/// The entry in the project's list goes first: a key that opens something can always be seen and revoked.
pub(crate) async fn create(api: &Api, scope: Scope) -> Result<CreatedSecretKey, ApiError> {
    if listed(api, scope).await?.len() >= MAX_KEYS {
        return Err(ApiError::Forbidden("a project has at most 100 secret keys; revoke one first"));
    }
    let text = secret_key(random::bytes()?);
    let hash = secret_key_hash(&text).map_err(|e| ApiError::Internal(e.to_string()))?;
    let hint = text.chars().skip(text.len() - 4).collect::<String>();
    let row = row::SecretKey {
        tenant: scope.tenant().0,
        project: scope.project().0,
        created_ms: api.now_ms(),
        hint: hint.clone(),
    };
    let value: Bytes = row.encode_to_vec().into();
    let listed = Key { partition: key::scope_columns(scope), clustering: vec![hash.into()] };
    let opened = Key { partition: vec![hash.into()], clustering: vec![] };
    for (table, key) in [(&table::PROJECT_SECRET_KEYS, listed), (&table::SECRET_KEYS, opened)] {
        if api.store().compare_and_set(table, &key, None, Some(value.clone()), None).await? != Swap::Applied {
            return Err(ApiError::Conflict);
        }
    }
    let add = |project: &mut row::Project| {
        project.secret_keys.push(Bytes::copy_from_slice(&hash));
        Ok(())
    };
    repository::update(api, scope.project(), add).await?;
    Ok(CreatedSecretKey { secret_key: text, hint })
}

/// Tells gateways of keys that were made or revoked by a program that did not tell them.
///
/// # Errors
/// The store's and the log's.
pub(crate) async fn tell_gateways(api: &Api, project: &row::Project) -> Result<(), ApiError> {
    let (tenant, id) = (TenantId(project.tenant), ProjectId(project.project));
    let Ok(scope) = Scope::open(Grant::Operator, tenant, id) else { return Ok(()) };
    let hashes: Vec<Bytes> =
        listed(api, scope).await?.iter().map(|(hash, _)| Bytes::copy_from_slice(hash)).collect();
    let is_same = hashes.len() == project.secret_keys.len()
        && hashes.iter().all(|hash| project.secret_keys.contains(hash));
    if is_same {
        return Ok(());
    }
    let known = project.secret_keys.clone();
    let add = |project: &mut row::Project| {
        // Whoever changed them since has told gateways.
        if project.secret_keys == known {
            project.secret_keys.clone_from(&hashes);
        }
        Ok(())
    };
    repository::update(api, id, add).await.map(|_| ())
}

async fn listed(api: &Api, scope: Scope) -> Result<Vec<([u8; 32], row::SecretKey)>, ApiError> {
    let range = ClusteringRange { from: Bound::Unbounded, to: Bound::Unbounded };
    let page = api
        .store()
        .scan(&table::PROJECT_SECRET_KEYS, &key::scope_columns(scope), &range, Order::Ascending, MAX_KEYS + 1)
        .await?;
    page.rows
        .into_iter()
        .map(|row| {
            let hash = match row.key.clustering.first() {
                Some(Value::Bytes(hash)) => <[u8; 32]>::try_from(&hash[..]).ok(),
                _ => None,
            };
            let hash = hash.ok_or_else(|| ApiError::Corrupt("secret key hash".to_owned()))?;
            let key = row::SecretKey::decode(row.value)
                .map_err(|e| ApiError::Corrupt(format!("secret key row: {e}")))?;
            Ok((hash, key))
        })
        .collect()
}

fn key_id(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex()[..ID_CHARACTERS].to_owned()
}

/// The project's secret keys, without the keys.
#[utoipa::path(get, path = "/api/v1/projects/{project}/secret-keys", tag = "projects",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 200, body = SecretKeyList),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_secret_keys(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<Json<SecretKeyList>, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let mut keys = listed(&api, scope).await?;
    keys.sort_by_key(|(hash, key)| (key.created_ms, *hash));
    let items = keys
        .into_iter()
        .map(|(hash, key)| SecretKey { id: key_id(&hash), hint: key.hint, created_at: key.created_ms })
        .collect();
    Ok(Json(SecretKeyList { items }))
}

/// Creates a secret key. It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/projects/{project}/secret-keys", tag = "projects",
    params(("project" = String, Path, description = "Project id")), responses(
    (status = 201, body = CreatedSecretKey),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create_secret_key(
    caller: Caller,
    State(api): State<Api>,
    Segments(project): Segments<String>,
) -> Result<(StatusCode, Json<CreatedSecretKey>), ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    Ok((StatusCode::CREATED, Json(create(&api, scope).await?)))
}

/// Revokes a secret key: at once here, and within seconds where spans are sent with it.
#[utoipa::path(delete, path = "/api/v1/projects/{project}/secret-keys/{key}", tag = "projects",
    params(("project" = String, Path, description = "Project id"), ("key" = String, Path, description = "Id of the key, from the list")),
    responses(
    (status = 204, description = "Revoked"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn revoke_secret_key(
    caller: Caller,
    State(api): State<Api>,
    Segments((project, id)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (scope, _) = caller.administer(&api, &project).await?;
    let found = listed(&api, scope).await?.into_iter().find(|(hash, _)| key_id(hash) == id);
    let (hash, row) = found.ok_or(ApiError::NotFound("secret key"))?;
    let remove = |project: &mut row::Project| {
        project.secret_keys.retain(|known| known[..] != hash);
        Ok(())
    };
    // First, so that a revocation that is interrupted can be asked for again: the key is still in the list.
    repository::update(&api, scope.project(), remove).await?;
    let value = row.encode_to_vec();
    let opened = Key { partition: vec![hash.into()], clustering: vec![] };
    let listed = Key { partition: key::scope_columns(scope), clustering: vec![hash.into()] };
    for (table, key) in [(&table::SECRET_KEYS, opened), (&table::PROJECT_SECRET_KEYS, listed)] {
        match api.store().compare_and_set(table, &key, Some(&value), None, None).await? {
            Swap::Applied | Swap::Conflict(None) => {}
            Swap::Conflict(Some(_)) => return Err(ApiError::Conflict),
        }
    }
    // Once more: whoever told gateways of all keys at the same moment may have read the list before.
    repository::update(&api, scope.project(), remove).await?;
    Ok(StatusCode::NO_CONTENT)
}
