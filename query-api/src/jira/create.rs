//! Creating the Jira issue of an issue, once.
//!
//! Before Jira is asked, a row says that it is about to be, with a marker that the Jira issue carries as a label (or in its description,
//! where the type has no labels). An answer makes it a link or takes the row's word back. Without an answer nobody knows; whoever tries again
//! waits until Jira must have finished and its index has it, and looks the marker up before creating anything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, JiraWants, Project};
use playhead_domain::scope::Scope;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::document::Story;
use super::failure::Failure;
use super::fields::Metadata;
use super::repository::{self, Connection};
use super::sync::DONE;
use super::{gather, sync};
use crate::error::ApiError;
use crate::issue::{read, state};
use crate::random;
use crate::state::Api;

/// Longer than a creation takes, with what Jira takes to find what it has.
const UNSURE_MS: i64 = 45_000;
const LABEL: &str = "playhead-";
const DESCRIPTION: &str = "description";
const LABELS: &str = "labels";
/// Without a place for the marker, an issue whose creation was not answered could not be found again.
const NO_MARKER: &str = "this type of issue has neither labels nor a description when it is created: add one of them to its screen in Jira, or choose another type";

/// What is to be created.
pub(crate) struct Wanted<'a> {
    /// Key of the Jira project, and id of the type.
    pub(crate) place: (&'a str, &'a str),
    pub(crate) fields: &'a BTreeMap<String, Value>,
    /// Why now; may be empty.
    pub(crate) why: &'a str,
    pub(crate) actor: &'a str,
}

/// The Jira issue of an issue: the one that there is, else a new one.
///
/// # Errors
/// [`ApiError::Jira`]; the store's; [`ApiError::NotFound`] when there is no such issue.
pub(crate) async fn create(
    api: &Api,
    (scope, project): (Scope, &Project),
    connection: &Connection,
    issue: Fingerprint,
    wanted: &Wanted<'_>,
) -> Result<JiraLink, ApiError> {
    if let Some(link) = repository::link(api, scope, issue).await?.filter(|link| !link.id.is_empty()) {
        sync::check_site(connection, &link)?;
        return if link.gone { Err(Failure::Gone(link.key).into()) } else { Ok(link) };
    }
    let client = sync::client(api, connection);
    let metadata = Metadata::load(&client, wanted.place.0, wanted.place.1).await;
    let metadata = sync::noted(api, scope, connection, metadata).await?;
    let values = metadata.values(wanted.fields, client.is_cloud())?;
    if !metadata.has(DESCRIPTION) && !metadata.has(LABELS) {
        return Err(Failure::Refused {
            said: NO_MARKER.to_owned(),
            fields: BTreeMap::from([(LABELS.to_owned(), NO_MARKER.to_owned())]),
        }
        .into());
    }
    let mut story = gather::story(api, scope, project, issue).await?;
    wanted.why.clone_into(&mut story.why);
    let (begun, was_begun) = begin(api, scope, issue, wanted.actor).await?;
    let found = if was_begun { look_up(&client, &begun.marker).await } else { Ok(None) };
    let created = match found {
        Ok(Some(found)) => Ok(found),
        Ok(None) => {
            story.marker.clone_from(&begun.marker);
            ask(&client, &metadata, &story, wanted.place, values).await
        }
        // Still nobody knows.
        Err(failure) => {
            return sync::noted(api, scope, connection, Err(failure)).await.map_err(ApiError::from);
        }
    };
    let outcome = created.as_ref().err().map_or("created", Failure::name);
    api.0.metrics.jira.tasks.with_label_values(&["create", outcome]).inc();
    match sync::noted(api, scope, connection, created).await {
        Ok((id, key)) => finish(api, scope, connection, issue, &begun, (id, key)).await,
        Err(failure) => {
            if !failure.is_unsure() {
                take_back(api, scope, issue, &begun, &failure).await?;
            }
            Err(failure.into())
        }
    }
}

/// Notes that a Jira issue is about to be created. Returns the note, and whether an earlier try may have created one.
async fn begin(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    actor: &str,
) -> Result<(JiraLink, bool), ApiError> {
    let marker: String = random::bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let now_ms = api.now_ms();
    let was_begun = AtomicBool::new(false);
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        let known = known.cloned().unwrap_or_default();
        if !known.id.is_empty() {
            return Err(ApiError::Conflict);
        }
        let until_ms = known.attempted_ms + UNSURE_MS;
        if known.attempted_ms > 0 && now_ms < until_ms {
            let wait_s = (until_ms - now_ms).unsigned_abs().div_ceil(1_000);
            return Err(Failure::UnderWay { wait_s }.into());
        }
        let is_second = known.attempted_ms > 0;
        was_begun.store(is_second, Ordering::Relaxed);
        let marker = if is_second { known.marker.clone() } else { marker.clone() };
        Ok(Some(JiraLink { marker, attempted_ms: now_ms, created_by: actor.to_owned(), ..known }))
    };
    let begun = repository::amend(api, scope, issue, change).await?;
    Ok((begun.unwrap_or_default(), was_begun.load(Ordering::Relaxed)))
}

/// Jira did not create it.
async fn take_back(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    begun: &JiraLink,
    failure: &Failure,
) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        let known = known.filter(|known| known.id.is_empty() && known.attempted_ms == begun.attempted_ms);
        let fault = failure.to_string();
        Ok(known.map(|known| JiraLink {
            attempted_ms: 0,
            fault: fault.clone(),
            fault_ms: now_ms,
            ..known.clone()
        }))
    };
    repository::amend(api, scope, issue, change).await.map(drop)
}

/// Jira has it. The link back and who is assigned are told, and its status is read, by the worker if it cannot be done now.
async fn finish(
    api: &Api,
    scope: Scope,
    connection: &Connection,
    issue: Fingerprint,
    begun: &JiraLink,
    (id, key): (String, String),
) -> Result<JiraLink, ApiError> {
    let now_ms = api.now_ms();
    let site = &connection.settings.site;
    repository::remember(api, scope, (site, &id), issue).await?;
    let assignee = read::state(api, scope, issue).await?.assignee;
    let link = JiraLink {
        site: site.clone(),
        marker: begun.marker.clone(),
        id,
        key,
        created_ms: now_ms,
        created_by: begun.created_by.clone(),
        checked_ms: now_ms,
        wants: Some(JiraWants {
            remote_link: true,
            assignee: Some(assignee.clone())
                .filter(|name| connection.settings.sync_assignee && !name.is_empty()),
            read_for: "Jira".to_owned(),
            next_ms: now_ms,
            since_ms: now_ms,
            ..JiraWants::default()
        }),
        ..JiraLink::default()
    };
    repository::note_due(api, scope, issue).await?;
    let change = |_: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> { Ok(Some(link.clone())) };
    repository::amend(api, scope, issue, change).await?;
    repository::note_due(api, scope, issue).await?;
    // What people did while it was created was told nobody: there was no Jira issue.
    let given = read::state(api, scope, issue).await?;
    let is_resolved = connection.settings.sync_state && given.state == state::RESOLVED;
    let is_reassigned = connection.settings.sync_assignee && given.assignee != assignee;
    if is_resolved || is_reassigned {
        let change = |wants: &mut JiraWants| {
            if is_resolved {
                DONE.clone_into(&mut wants.state);
            }
            if is_reassigned {
                wants.assignee = Some(given.assignee.clone());
            }
        };
        repository::want(api, scope, issue, change).await?;
    }
    let note = format!("created the Jira issue {}", link.key);
    crate::issue::decided::note(api, scope, issue, &note, &link.created_by).await?;
    Ok(link)
}

/// The number and key of the Jira issue with that marker.
///
/// In whatever Jira project: a second try may name another one than the first.
async fn look_up(client: &Client<'_>, marker: &str) -> Result<Option<(String, String)>, Failure> {
    let jql = format!("labels = \"{LABEL}{marker}\" OR description ~ \"{marker}\"");
    let query = [("jql", jql.as_str()), ("maxResults", "1"), ("fields", "summary")];
    let path: &[&str] = if client.is_cloud() { &["search", "jql"] } else { &["search"] };
    let page = client.get(path, &query).await?;
    page["issues"].as_array().and_then(|issues| issues.first()).map(id_and_key).transpose()
}

fn id_and_key(issue: &Value) -> Result<(String, String), Failure> {
    match (issue["id"].as_str(), issue["key"].as_str()) {
        (Some(id), Some(key)) if id.len() <= 40 && key.len() <= 300 => Ok((id.to_owned(), key.to_owned())),
        _ => Err(Failure::Unreadable("it has no id and key of an issue".to_owned())),
    }
}

async fn ask(
    client: &Client<'_>,
    metadata: &Metadata,
    story: &Story,
    (project, issue_type): (&str, &str),
    mut fields: Map<String, Value>,
) -> Result<(String, String), Failure> {
    fields.insert("project".to_owned(), json!({"key": project}));
    fields.insert("issuetype".to_owned(), json!({"id": issue_type}));
    fields.insert("summary".to_owned(), story.summary().into());
    if metadata.has(DESCRIPTION) {
        let description = if client.is_cloud() { story.adf() } else { story.wiki().into() };
        fields.insert(DESCRIPTION.to_owned(), description);
    }
    if metadata.has(LABELS) {
        let labels = fields.entry(LABELS).or_insert_with(|| json!([]));
        if let Some(labels) = labels.as_array_mut() {
            labels.push(format!("{LABEL}{}", story.marker).into());
        }
    }
    id_and_key(&client.post(&["issue"], &json!({"fields": fields})).await?)
}
