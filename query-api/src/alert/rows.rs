//! The rows of alerts, each changed by compare-and-set on its whole value.

use std::collections::BTreeMap;

use bytes::Bytes;
use playhead_domain::alert::key::{self, RuleId, Subject};
use playhead_domain::alert::rule;
use playhead_domain::row::{AlertRule, AlertSettings, AlertState};
use playhead_domain::scope::Scope;
use playhead_domain::session::key::scope_columns;
use playhead_domain::store::{self, ClusteringRange, Key, Swap};
use playhead_domain::table::{ALERT_RULES, ALERT_STATES, Table};
use prost::Message;

use crate::error::ApiError;
use crate::state::Api;

const ATTEMPTS: usize = 8;
const DAY_MS: i64 = 86_400_000;
/// How long a row is kept after it changed, unless it says more.
const KEPT_MS: i64 = 30 * DAY_MS;

/// A row with the value that the next compare-and-set expects.
#[derive(Debug, Clone)]
pub(crate) struct Stored<V> {
    pub(crate) value: V,
    pub(crate) bytes: Bytes,
}

/// What rules remember.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub(crate) states: BTreeMap<(RuleId, Subject), Stored<AlertState>>,
    /// Which rules have noted what held before, and since which version.
    pub(crate) begun: BTreeMap<RuleId, Stored<AlertState>>,
}

fn decode<V: Message + Default>(bytes: Bytes) -> Result<V, ApiError> {
    V::decode(bytes).map_err(|error| ApiError::Corrupt(format!("row of alerts: {error}")))
}

/// The rules of a project; those that it has by default are written first.
pub(crate) async fn rules(api: &Api, scope: Scope) -> Result<BTreeMap<RuleId, AlertRule>, ApiError> {
    let (mut rules, has_settings) = read_rules(api, scope).await?;
    if !has_settings {
        create_defaults(api, scope).await?;
        rules = read_rules(api, scope).await?.0;
    }
    Ok(rules)
}

/// Whether some rule has somebody to tell.
pub(crate) async fn tells(api: &Api, scope: Scope) -> Result<bool, ApiError> {
    let (rules, _) = read_rules(api, scope).await?;
    Ok(rules.values().any(|rule| !rule.disabled && rule::tells(rule)))
}

async fn read_rules(api: &Api, scope: Scope) -> Result<(BTreeMap<RuleId, AlertRule>, bool), ApiError> {
    let columns = scope_columns(scope);
    let rows = store::scan_all(api.store(), &ALERT_RULES, &columns, ClusteringRange::ALL).await?;
    let has_settings = rows.iter().any(|row| row.key == key::settings(scope));
    let mut rules = BTreeMap::new();
    for row in rows {
        let Some(id) = key::rule_of(&row.key.clustering) else { continue };
        rules.insert(id, decode(row.value)?);
    }
    Ok((rules, has_settings))
}

/// The settings go last: once they are there, nothing comes back that people deleted.
async fn create_defaults(api: &Api, scope: Scope) -> Result<(), ApiError> {
    if api.store().get_serial(&ALERT_RULES, &key::settings(scope)).await?.is_some() {
        return Ok(());
    }
    for (id, rule) in rule::defaults(api.now_ms()) {
        swap(api, &ALERT_RULES, &key::rule(scope, RuleId(id)), None, Some(&rule), None).await?;
    }
    let settings = AlertSettings { version: 1, ..AlertSettings::default() };
    swap(api, &ALERT_RULES, &key::settings(scope), None, Some(&settings), None).await?;
    Ok(())
}

/// One rule at its newest state.
pub(crate) async fn rule(api: &Api, scope: Scope, id: RuleId) -> Result<Option<Stored<AlertRule>>, ApiError> {
    newest(api, &ALERT_RULES, &key::rule(scope, id)).await
}

pub(crate) async fn settings(api: &Api, scope: Scope) -> Result<Option<Stored<AlertSettings>>, ApiError> {
    newest(api, &ALERT_RULES, &key::settings(scope)).await
}

/// Everything that a project's rules remember.
pub(crate) async fn states(api: &Api, scope: Scope) -> Result<States, ApiError> {
    let columns = scope_columns(scope);
    let rows = store::scan_all(api.store(), &ALERT_STATES, &columns, ClusteringRange::ALL).await?;
    let mut states = States::default();
    for row in rows {
        let Some(rule) = key::rule_of(&row.key.clustering) else { continue };
        let stored = Stored { value: decode(row.value.clone())?, bytes: row.value };
        match key::state_of(&row.key.clustering) {
            Some(place) => states.states.insert(place, stored),
            None => states.begun.insert(rule, stored),
        };
    }
    Ok(states)
}

pub(crate) async fn newest<V: Message + Default>(
    api: &Api,
    table: &'static Table,
    key: &Key,
) -> Result<Option<Stored<V>>, ApiError> {
    let bytes = api.store().get_serial(table, key).await?;
    bytes.map(|bytes| Ok(Stored { value: decode(bytes.clone())?, bytes })).transpose()
}

/// Sets a row if it is still `expected`. Returns what it is then; `None`: somebody else was first.
pub(crate) async fn swap<V: Message>(
    api: &Api,
    table: &'static Table,
    key: &Key,
    expected: Option<&Bytes>,
    new: Option<&V>,
    expires_at_ms: Option<i64>,
) -> Result<Option<Bytes>, ApiError> {
    let value = new.map(|new| Bytes::from(new.encode_to_vec()));
    let expected = expected.map(|bytes| &bytes[..]);
    let swap = api.store().compare_and_set(table, key, expected, value.clone(), expires_at_ms).await?;
    Ok((swap == Swap::Applied).then(|| value.unwrap_or_default()))
}

/// Writes what a rule remembers of a subject. Returns whether nobody else was first.
pub(crate) async fn write_state(
    api: &Api,
    scope: Scope,
    (rule, subject): (RuleId, Subject),
    old: Option<&Stored<AlertState>>,
    new: &AlertState,
) -> Result<bool, ApiError> {
    let key = key::state(scope, rule, subject);
    // What holds, or is still to be told, is not forgotten.
    let is_over = !new.holds && new.pending.is_empty();
    let expires = is_over.then(|| api.now_ms() + new.kept_ms.max(KEPT_MS));
    let expected = old.map(|stored| &stored.bytes);
    Ok(swap(api, &ALERT_STATES, &key, expected, Some(new), expires).await?.is_some())
}

/// Changes what a rule remembers; `change` may run more than once, and says nothing where there is nothing to change.
///
/// # Errors
/// [`ApiError::Conflict`] when others do the same all the time; the store's.
pub(crate) async fn amend(
    api: &Api,
    scope: Scope,
    place: (RuleId, Subject),
    change: impl Fn(&AlertState) -> Option<AlertState>,
) -> Result<Option<AlertState>, ApiError> {
    let key = key::state(scope, place.0, place.1);
    for _ in 0..ATTEMPTS {
        let Some(stored) = newest::<AlertState>(api, &ALERT_STATES, &key).await? else { return Ok(None) };
        let Some(new) = change(&stored.value) else { return Ok(Some(stored.value)) };
        if write_state(api, scope, place, Some(&stored), &new).await? {
            return Ok(Some(new));
        }
    }
    Err(ApiError::Conflict)
}
