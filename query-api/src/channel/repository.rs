//! The rows of channels: [`playhead_domain::table::ALERT_CHANNELS`].

use bytes::Bytes;
use playhead_domain::id::ChannelId;
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{ClusteringRange, Key, Order, Swap, Value};
use playhead_domain::table;
use prost::Message;

use super::{Channel, Settings};
use crate::error::ApiError;
use crate::state::Api;

/// Channels that a project has at most.
pub(crate) const MAX_CHANNELS: usize = 20;
/// What the sealed settings are bound to, beside project and id.
const SECRET_KIND: &str = "alert channel";

/// A channel, and its row as it was read: what a change expects to find.
pub(crate) struct Stored {
    pub(crate) channel: Channel,
    pub(crate) row: Bytes,
}

fn row_key(scope: Scope, id: ChannelId) -> Key {
    Key { partition: key::scope_columns(scope), clustering: vec![id.0.into()] }
}

/// Oldest first.
pub(crate) async fn list(api: &Api, scope: Scope) -> Result<Vec<Channel>, ApiError> {
    let partition = key::scope_columns(scope);
    // Two that are created at once may both find room.
    let page = api
        .store()
        .scan(&table::ALERT_CHANNELS, &partition, &ClusteringRange::ALL, Order::Ascending, 2 * MAX_CHANNELS)
        .await?;
    let mut channels = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let id = match row.key.clustering.first() {
            Some(Value::Bytes(id)) => id[..].try_into().ok().map(ChannelId),
            _ => None,
        };
        let id = id.ok_or_else(|| ApiError::Corrupt("id of an alert channel".to_owned()))?;
        channels.push(open(api, scope, id, row.value)?);
    }
    channels.sort_by_key(|channel| (channel.created_ms, channel.id.0));
    Ok(channels)
}

pub(crate) async fn find(api: &Api, scope: Scope, id: ChannelId) -> Result<Option<Channel>, ApiError> {
    let row = api.store().get(&table::ALERT_CHANNELS, &row_key(scope, id)).await?;
    row.map(|row| open(api, scope, id, row.value)).transpose()
}

/// As it stands, changes of this moment included.
pub(crate) async fn find_newest(api: &Api, scope: Scope, id: ChannelId) -> Result<Stored, ApiError> {
    let row = api.store().get_serial(&table::ALERT_CHANNELS, &row_key(scope, id)).await?;
    let row = row.ok_or(ApiError::NotFound("channel"))?;
    Ok(Stored { channel: open(api, scope, id, row.clone())?, row })
}

/// # Errors
/// [`ApiError::Conflict`] when the row is not `expected` any more; the store's.
pub(crate) async fn save(
    api: &Api,
    scope: Scope,
    expected: Option<&Bytes>,
    channel: &Channel,
) -> Result<(), ApiError> {
    let row = row::AlertChannel {
        name: channel.name.clone(),
        sealed: seal(api, scope, channel)?,
        created_ms: channel.created_ms,
        changed_ms: channel.changed_ms,
        version: channel.version,
    };
    swap(api, scope, channel.id, expected, Some(row.encode_to_vec().into())).await
}

/// # Errors
/// As [`save`].
pub(crate) async fn remove(api: &Api, scope: Scope, stored: &Stored) -> Result<(), ApiError> {
    swap(api, scope, stored.channel.id, Some(&stored.row), None).await
}

async fn swap(
    api: &Api,
    scope: Scope,
    id: ChannelId,
    expected: Option<&Bytes>,
    value: Option<Bytes>,
) -> Result<(), ApiError> {
    let expected = expected.map(|row| &row[..]);
    let key = row_key(scope, id);
    match api.store().compare_and_set(&table::ALERT_CHANNELS, &key, expected, value, None).await? {
        Swap::Applied => Ok(()),
        Swap::Conflict(_) => Err(ApiError::Conflict),
    }
}

fn seal(api: &Api, scope: Scope, channel: &Channel) -> Result<Bytes, ApiError> {
    let plain =
        serde_json::to_vec(&channel.settings).map_err(|error| ApiError::Internal(error.to_string()))?;
    let sealed = api.0.secrets.seal(scope, SECRET_KIND, &channel.id.0, &plain);
    sealed.map(Bytes::from).map_err(|error| ApiError::Internal(error.to_string()))
}

fn open(api: &Api, scope: Scope, id: ChannelId, value: Bytes) -> Result<Channel, ApiError> {
    let row = row::AlertChannel::decode(value)
        .map_err(|error| ApiError::Corrupt(format!("row of an alert channel: {error}")))?;
    let plain = api.0.secrets.open(scope, SECRET_KIND, &id.0, &row.sealed);
    let plain = plain.map_err(|error| ApiError::Corrupt(error.to_string()))?;
    // The error of the decoder could show a secret.
    let settings: Settings = serde_json::from_slice(&plain)
        .map_err(|_| ApiError::Corrupt("the settings of an alert channel cannot be read".to_owned()))?;
    Ok(Channel {
        id,
        name: row.name,
        settings,
        created_ms: row.created_ms,
        changed_ms: row.changed_ms,
        version: row.version,
    })
}
