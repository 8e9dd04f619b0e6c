//! The rows of [`table::JIRA`], each changed by compare-and-set.

use bytes::Bytes;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::jira as key;
use playhead_domain::row::{JiraConnection, JiraLink, JiraWants};
use playhead_domain::scope::Scope;
use playhead_domain::session::key::scope_columns;
use playhead_domain::store::{self, ClusteringRange, Key, Swap, Value};
use playhead_domain::table;
use prost::Message;

use super::failure::Failure;
use super::settings::Settings;
use crate::error::ApiError;
use crate::random;
use crate::state::Api;

/// What the sealed settings are bound to, beside the project.
const SECRET_KIND: &str = "jira connection";
const ATTEMPTS: usize = 8;
/// As long as what people decided about an issue.
const KEPT_MS: i64 = 800 * 86_400_000;
/// Issues of a project that are looked at in one turn.
const MAX_DUE: usize = 1_000;
const MAX_FAULT_BYTES: usize = 500;

/// A connection, opened, and its row as it was read.
pub(crate) struct Connection {
    pub(crate) settings: Settings,
    pub(crate) row: JiraConnection,
    bytes: Bytes,
}

fn decode<V: Message + Default>(bytes: Bytes) -> Result<V, ApiError> {
    V::decode(bytes).map_err(|error| ApiError::Corrupt(format!("row of Jira: {error}")))
}

/// The project's connection, if there is one: a plain read, as every open page of an issue asks, sees all that was answered with success.
pub(crate) async fn connection(api: &Api, scope: Scope) -> Result<Option<Connection>, ApiError> {
    let Some(stored) = api.store().get(&table::JIRA, &key::connection(scope)).await? else {
        return Ok(None);
    };
    let bytes = stored.value;
    let row: JiraConnection = decode(bytes.clone())?;
    let plain = api.0.secrets.open(scope, SECRET_KIND, b"", &row.sealed);
    let plain = plain.map_err(|error| ApiError::Corrupt(error.to_string()))?;
    // The error of the decoder could show a secret.
    let settings = serde_json::from_slice(&plain)
        .map_err(|_| ApiError::Corrupt("the settings of Jira cannot be read".to_owned()))?;
    Ok(Some(Connection { settings, row, bytes }))
}

/// The project's connection.
///
/// # Errors
/// [`Failure::NotConnected`]; the store's.
pub(crate) async fn connected(api: &Api, scope: Scope) -> Result<Connection, ApiError> {
    connection(api, scope).await?.ok_or_else(|| Failure::NotConnected.into())
}

/// Sets the connection if it is still `old`; people changed it, so what was wrong is forgotten.
///
/// # Errors
/// [`ApiError::Conflict`]; the store's.
pub(crate) async fn save(
    api: &Api,
    scope: Scope,
    old: Option<&Connection>,
    settings: &Settings,
) -> Result<(), ApiError> {
    let plain = serde_json::to_vec(settings).map_err(|error| ApiError::Internal(error.to_string()))?;
    let sealed = api.0.secrets.seal(scope, SECRET_KIND, b"", &plain);
    let sealed = sealed.map_err(|error| ApiError::Internal(error.to_string()))?.into();
    let version = old.map_or(1, |old| old.row.version + 1);
    let row = JiraConnection { sealed, changed_ms: api.now_ms(), version, ..JiraConnection::default() };
    let old = old.map(|old| &old.bytes[..]);
    swap(api, &key::connection(scope), old, Some(row.encode_to_vec().into()), None).await
}

pub(crate) async fn remove(api: &Api, scope: Scope, old: &Connection) -> Result<(), ApiError> {
    swap(api, &key::connection(scope), Some(&old.bytes), None, None).await
}

/// Notes why Jira does not let us in; empty: it does. Whoever changes the connection meanwhile wins.
pub(crate) async fn note_fault(
    api: &Api,
    scope: Scope,
    connection: &Connection,
    fault: &str,
) -> Result<(), ApiError> {
    if connection.row.fault == fault {
        return Ok(());
    }
    let row = JiraConnection { fault: cut(fault), fault_ms: api.now_ms(), ..connection.row.clone() };
    let value = Some(row.encode_to_vec().into());
    match swap(api, &key::connection(scope), Some(&connection.bytes), value, None).await {
        Err(ApiError::Conflict) => Ok(()),
        other => other,
    }
}

async fn swap(
    api: &Api,
    key: &Key,
    expected: Option<&[u8]>,
    value: Option<Bytes>,
    expires_at_ms: Option<i64>,
) -> Result<(), ApiError> {
    match api.store().compare_and_set(&table::JIRA, key, expected, value, expires_at_ms).await? {
        Swap::Applied => Ok(()),
        Swap::Conflict(_) => Err(ApiError::Conflict),
    }
}

/// The Jira issue of an issue at its newest state.
pub(crate) async fn link(api: &Api, scope: Scope, issue: Fingerprint) -> Result<Option<JiraLink>, ApiError> {
    let bytes = api.store().get_serial(&table::JIRA, &key::link(scope, issue)).await?;
    bytes.map(decode).transpose()
}

/// As far as every reader knows: for what is shown, and for what happens often.
pub(crate) async fn seen_link(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
) -> Result<Option<JiraLink>, ApiError> {
    let row = api.store().get(&table::JIRA, &key::link(scope, issue)).await?;
    row.map(|row| decode(row.value)).transpose()
}

/// Changes what ties an issue to Jira; `change` may run more than once, and gives `None` where there is nothing to change. Returns what
/// is there then.
///
/// # Errors
/// [`ApiError::Conflict`] when others do the same all the time; the store's.
pub(crate) async fn amend<E: From<ApiError>>(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: impl Fn(Option<&JiraLink>) -> Result<Option<JiraLink>, E>,
) -> Result<Option<JiraLink>, E> {
    let key = key::link(scope, issue);
    for _ in 0..ATTEMPTS {
        let bytes = api.store().get_serial(&table::JIRA, &key).await.map_err(ApiError::from)?;
        let known = bytes.clone().map(decode::<JiraLink>).transpose()?;
        let Some(mut new) = change(known.as_ref())? else { return Ok(known) };
        new.fault = cut(&new.fault);
        if known.as_ref() == Some(&new) {
            return Ok(known);
        }
        let (value, expires_at_ms) = (Some(new.encode_to_vec().into()), Some(api.now_ms() + KEPT_MS));
        match swap(api, &key, bytes.as_deref(), value, expires_at_ms).await {
            Ok(()) => return Ok(Some(new)),
            Err(ApiError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::Conflict.into())
}

/// Forgets the Jira issue of an issue. A worker finds that nothing is due any more.
pub(crate) async fn unlink(api: &Api, scope: Scope, issue: Fingerprint) -> Result<(), ApiError> {
    clear(api, &key::link(scope, issue)).await
}

async fn clear(api: &Api, key: &Key) -> Result<(), ApiError> {
    for _ in 0..ATTEMPTS {
        let Some(bytes) = api.store().get_serial(&table::JIRA, key).await? else { return Ok(()) };
        match swap(api, key, Some(&bytes), None, None).await {
            Err(ApiError::Conflict) => {}
            other => return other,
        }
    }
    Err(ApiError::Conflict)
}

/// Notes of which issue a Jira issue is.
pub(crate) async fn remember(
    api: &Api,
    scope: Scope,
    (site, id): (&str, &str),
    issue: Fingerprint,
) -> Result<(), ApiError> {
    let key = key::remote(scope, site, id);
    for _ in 0..ATTEMPTS {
        let known = api.store().get_serial(&table::JIRA, &key).await?;
        if known.as_deref() == Some(&issue.0[..]) {
            return Ok(());
        }
        let value = Some(Bytes::copy_from_slice(&issue.0));
        match swap(api, &key, known.as_deref(), value, Some(api.now_ms() + KEPT_MS)).await {
            Err(ApiError::Conflict) => {}
            other => return other,
        }
    }
    Err(ApiError::Conflict)
}

/// The issue of a Jira issue, by its site and the number that it has there.
pub(crate) async fn issue_of(
    api: &Api,
    scope: Scope,
    (site, id): (&str, &str),
) -> Result<Option<Fingerprint>, ApiError> {
    let row = api.store().get(&table::JIRA, &key::remote(scope, site, id)).await?;
    Ok(row.and_then(|row| row.value[..].try_into().ok().map(Fingerprint)))
}

/// Notes what is to be done about a Jira issue. The note that there is something goes before it, in case we die, and behind it, so that a worker
/// that found nothing in between does not take it away. Whoever is at it stays at it, and what waits goes on waiting.
pub(crate) async fn want(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    change: impl Fn(&mut JiraWants),
) -> Result<(), ApiError> {
    note_due(api, scope, issue).await?;
    let now_ms = api.now_ms();
    let amended = amend::<ApiError>(api, scope, issue, |link| {
        let Some(link) = link.filter(|link| !link.id.is_empty()) else { return Ok(None) };
        let known = link.wants.clone();
        let mut wants = known.clone().unwrap_or_default();
        change(&mut wants);
        match known {
            None => (wants.tries, wants.next_ms, wants.since_ms) = (0, now_ms, now_ms),
            Some(known) if (&known.state, &known.assignee) != (&wants.state, &wants.assignee) => {
                wants.since_ms = now_ms;
            }
            Some(_) => {}
        }
        Ok(Some(JiraLink { wants: Some(wants), ..link.clone() }))
    });
    amended.await?;
    note_due(api, scope, issue).await?;
    api.0.jira_due.notify_one();
    Ok(())
}

/// Notes that there is something to do about a Jira issue. Each note is another one: whoever found nothing to do takes away only what it saw before.
pub(crate) async fn note_due(api: &Api, scope: Scope, issue: Fingerprint) -> Result<(), ApiError> {
    let key = key::due(scope, issue);
    let value = Bytes::copy_from_slice(&random::bytes::<8>()?);
    for _ in 0..ATTEMPTS {
        let known = api.store().get_serial(&table::JIRA, &key).await?;
        match swap(api, &key, known.as_deref(), Some(value.clone()), None).await {
            Err(ApiError::Conflict) => {}
            other => return other,
        }
    }
    Err(ApiError::Conflict)
}

/// About whose Jira issues there is something to do, each with its note.
pub(crate) async fn due(api: &Api, scope: Scope) -> Result<Vec<(Fingerprint, Bytes)>, ApiError> {
    let range = ClusteringRange::prefix(vec![Value::from(key::DUE)]);
    let page = store::scan_until(api.store(), &table::JIRA, &scope_columns(scope), range, MAX_DUE).await?;
    let rows = page.rows.into_iter();
    Ok(rows.filter_map(|row| Some((key::due_of(&row.key.clustering)?, row.value))).collect())
}

/// Takes a note away, unless there is a newer one.
pub(crate) async fn settle(api: &Api, scope: Scope, issue: Fingerprint, note: &[u8]) -> Result<(), ApiError> {
    match swap(api, &key::due(scope, issue), Some(note), None, None).await {
        Err(ApiError::Conflict) => Ok(()),
        other => other,
    }
}

fn cut(text: &str) -> String {
    playhead_domain::session::fold::cut(text, MAX_FAULT_BYTES).to_owned()
}
