//! What happened here, in Jira: the link back, transitions, the assignee.

use std::sync::atomic::{AtomicBool, Ordering};

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, JiraWants};
use playhead_domain::scope::Scope;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::failure::Failure;
use super::repository;
use super::sync::{self, DONE, Told, account};
use super::{document::Story, gather};
use crate::channel::text;
use crate::error::ApiError;
use crate::issue::read::Shown;
use crate::model::issue::{GivenState, IssuePatch};
use crate::state::Api;

/// Not done.
const OPEN: &str = "open";
const FIRST_PAUSE_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = 15 * 60_000;
/// After so long nobody tries any more.
const GIVE_UP_MS: i64 = 24 * 3_600_000;
/// Names of transitions that are shown.
const MAX_NAMED: usize = 8;

/// Somebody changed an issue here: Jira is told, if it has an issue for it and the connection says so.
///
/// # Errors
/// The store's.
pub(crate) async fn want_changes(
    api: &Api,
    scope: Scope,
    shown: &Shown,
    patch: &IssuePatch,
) -> Result<(), ApiError> {
    let state = match patch.state {
        Some(GivenState::Resolved) => DONE,
        Some(GivenState::Ongoing) => OPEN,
        Some(GivenState::Archived) | None => "",
    };
    if state.is_empty() && patch.assignee.is_none() {
        return Ok(());
    }
    for issue in shown.merges.whole(shown.id) {
        let link = repository::seen_link(api, scope, issue).await?;
        if link.is_none_or(|link| link.id.is_empty() || link.gone) {
            continue;
        }
        let Some(connection) = repository::connection(api, scope).await? else { return Ok(()) };
        let settings = &connection.settings;
        let state = if settings.sync_state { state } else { "" };
        let assignee = patch.assignee.clone().filter(|_| settings.sync_assignee);
        if state.is_empty() && assignee.is_none() {
            return Ok(());
        }
        let change = |_: &JiraLink, wants: &mut JiraWants| {
            if !state.is_empty() {
                state.clone_into(&mut wants.state);
            }
            if let Some(assignee) = &assignee {
                wants.assignee = Some(assignee.trim().to_owned());
            }
        };
        repository::want(api, scope, issue, change).await?;
    }
    Ok(())
}

/// The issue happened again although Jira has it as done: it is to be opened there.
pub(crate) async fn want_open(api: &Api, scope: Scope, issue: Fingerprint) -> Result<(), ApiError> {
    repository::want(api, scope, issue, |_, wants| OPEN.clone_into(&mut wants.state)).await
}

/// Tells Jira what is due of an issue. A try is noted before it is made, so that of two workers one makes it.
///
/// # Errors
/// The store's. What Jira says is noted at the link.
pub(crate) async fn tell(api: &Api, scope: Scope, issue: Fingerprint) -> Result<(), ApiError> {
    let Some(link) = repository::link(api, scope, issue).await? else {
        return repository::settle(api, scope, issue).await;
    };
    let Some(wants) = link.wants.clone().filter(|wants| !is_nothing(wants)) else {
        return repository::settle(api, scope, issue).await;
    };
    if wants.next_ms > api.now_ms() || !claim(api, scope, issue, &wants).await? {
        return Ok(());
    }
    let Some(connection) = repository::connection(api, scope).await? else {
        return give_up(api, scope, issue, &Failure::NotConnected).await;
    };
    let client = sync::client(api, &connection);
    let mut told = None;
    for task in [Task::Link, Task::State, Task::Assignee] {
        if !task.is_wanted(&wants) {
            continue;
        }
        let done = task.run(api, scope, &client, (issue, &link), &wants).await;
        let done = sync::noted(api, scope, &connection, done).await;
        let outcome = done.as_ref().err().map_or("done", Failure::name);
        api.0.metrics.jira.tasks.with_label_values(&[task.name(), outcome]).inc();
        match done {
            Ok(now) => {
                told = now.or(told);
                settle(api, scope, issue, (task, &wants), told.as_ref(), None).await?;
            }
            Err(Failure::NotFound { .. }) => return sync::lose(api, scope, issue, &link).await.map(drop),
            Err(failure) => {
                let is_over = api.now_ms() - wants.since_ms > GIVE_UP_MS;
                let is_retried = (failure.is_retryable() || failure == Failure::Credentials) && !is_over;
                if is_retried {
                    return postpone(api, scope, issue, &failure).await;
                }
                settle(api, scope, issue, (task, &wants), told.as_ref(), Some(&failure)).await?;
            }
        }
    }
    Ok(())
}

fn is_nothing(wants: &JiraWants) -> bool {
    wants.state.is_empty() && wants.assignee.is_none() && !wants.remote_link
}

/// Twice as long with every try.
const fn pause_ms(tries: u32) -> i64 {
    let shift = if tries > 16 { 16 } else { tries };
    let pause = FIRST_PAUSE_MS << shift;
    if pause > LONGEST_PAUSE_MS { LONGEST_PAUSE_MS } else { pause }
}

/// Takes a try. Returns whether it is ours.
async fn claim(api: &Api, scope: Scope, issue: Fingerprint, wants: &JiraWants) -> Result<bool, ApiError> {
    let is_ours = AtomicBool::new(false);
    let next_ms = api.now_ms() + pause_ms(wants.tries).max(60_000);
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        let known = known.filter(|known| known.wants.as_ref() == Some(wants));
        is_ours.store(known.is_some(), Ordering::Relaxed);
        let Some(known) = known else { return Ok(None) };
        let wants = JiraWants { tries: wants.tries + 1, next_ms, ..wants.clone() };
        Ok(Some(JiraLink { wants: Some(wants), ..known.clone() }))
    };
    repository::amend(api, scope, issue, change).await?;
    Ok(is_ours.load(Ordering::Relaxed))
}

/// It is tried again later.
async fn postpone(api: &Api, scope: Scope, issue: Fingerprint, failure: &Failure) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let asked_ms = failure.wait_s().and_then(|wait_s| i64::try_from(wait_s * 1_000).ok()).unwrap_or_default();
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        Ok(known.and_then(|known| {
            let wants = known.wants.clone()?;
            let next_ms = now_ms + pause_ms(wants.tries.saturating_sub(1)).max(asked_ms);
            let wants = Some(JiraWants { next_ms, ..wants });
            Some(JiraLink { wants, fault: failure.to_string(), fault_ms: now_ms, ..known.clone() })
        }))
    };
    repository::amend(api, scope, issue, change).await.map(drop)
}

async fn give_up(api: &Api, scope: Scope, issue: Fingerprint, failure: &Failure) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        Ok(known.map(|known| JiraLink {
            wants: None,
            fault: failure.to_string(),
            fault_ms: now_ms,
            ..known.clone()
        }))
    };
    repository::amend(api, scope, issue, change).await.map(drop)
}

/// A task is over, done or for good not. What was wanted anew meanwhile stays wanted.
async fn settle(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    (task, wanted): (Task, &JiraWants),
    told: Option<&Told>,
    failure: Option<&Failure>,
) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        Ok(known.map(|known| {
            let mut new = known.clone();
            let mut wants = known.wants.clone().unwrap_or_default();
            task.clear(&mut wants, wanted);
            if let Some(told) = told {
                (new.status, new.category) = (told.status.clone(), told.category.clone());
                (new.account, new.assignee) = (told.account.clone(), told.assignee.clone());
                new.checked_ms = now_ms;
            }
            new.fault = failure.map(Failure::to_string).unwrap_or_default();
            new.fault_ms = if failure.is_some() { now_ms } else { 0 };
            new.wants = Some(wants).filter(|wants| !is_nothing(wants));
            new
        }))
    };
    repository::amend(api, scope, issue, change).await.map(drop)
}

/// What Jira is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Link,
    State,
    Assignee,
}

impl Task {
    const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::State => "transition",
            Self::Assignee => "assign",
        }
    }

    const fn is_wanted(self, wants: &JiraWants) -> bool {
        match self {
            Self::Link => wants.remote_link,
            Self::State => !wants.state.is_empty(),
            Self::Assignee => wants.assignee.is_some(),
        }
    }

    fn clear(self, wants: &mut JiraWants, wanted: &JiraWants) {
        match self {
            Self::Link => wants.remote_link = false,
            Self::State if wants.state == wanted.state => wants.state.clear(),
            Self::Assignee if wants.assignee == wanted.assignee => wants.assignee = None,
            Self::State | Self::Assignee => {}
        }
    }

    /// Returns what Jira has then, where that was read.
    async fn run(
        self,
        api: &Api,
        scope: Scope,
        client: &Client<'_>,
        (issue, link): (Fingerprint, &JiraLink),
        wants: &JiraWants,
    ) -> Result<Option<Told>, Failure> {
        match self {
            Self::Link => {
                link_back(api, scope, client, (issue, link)).await?;
                sync::ask(client, &link.id).await.map(Some)
            }
            Self::State => move_to(client, link, wants.state == DONE).await.map(Some),
            Self::Assignee => {
                assign(client, link, wants.assignee.as_deref().unwrap_or_default()).await?;
                sync::ask(client, &link.id).await.map(Some)
            }
        }
    }
}

/// The link from the Jira issue to ours. With the same global id it is the same link.
async fn link_back(
    api: &Api,
    scope: Scope,
    client: &Client<'_>,
    (issue, link): (Fingerprint, &JiraLink),
) -> Result<(), Failure> {
    let url = gather::page(api, scope, issue);
    let body = json!({
        "globalId": format!("playhead={}&issue={issue}", scope.project()),
        "application": {"type": "playhead", "name": "Playhead"},
        "relationship": "recorded by",
        "object": {"url": url, "title": "Issue in Playhead", "summary": format!("{issue}, with its replays")},
    });
    client.post(&["issue", &link.id, "remotelink"], &body).await.map(drop)
}

/// Moves the Jira issue to a status that is done, or to one that is not.
async fn move_to(client: &Client<'_>, link: &JiraLink, to_done: bool) -> Result<Told, Failure> {
    let now = sync::ask(client, &link.id).await?;
    if (now.category == DONE) == to_done {
        return Ok(now);
    }
    let path = ["issue", &link.id, "transitions"];
    let found = client.get(&path, &[("expand", "transitions.fields")]).await?;
    let transitions = found["transitions"].as_array().map_or(&[][..], Vec::as_slice);
    let mut ranked: Vec<(usize, &Value, Map<String, Value>)> = transitions
        .iter()
        .filter_map(|transition| {
            let rank = rank(transition, to_done)?;
            Some((rank, transition, required(transition)?))
        })
        .collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    let Some((_, transition, fields)) = ranked.into_iter().next() else {
        return Err(no_transition(link, &now, transitions, to_done));
    };
    let mut body = json!({"transition": {"id": transition["id"]}});
    if !fields.is_empty() {
        body["fields"] = fields.into();
    }
    client.post(&path, &body).await?;
    sync::ask(client, &link.id).await
}

/// Where a transition leads, the best first; `None`: not where it is to.
fn rank(transition: &Value, to_done: bool) -> Option<usize> {
    if transition["isAvailable"] == false {
        return None;
    }
    match (transition["to"]["statusCategory"]["key"].as_str()?, to_done) {
        (DONE, true) | ("new", false) => Some(0),
        (DONE, false) | (_, true) => None,
        _ => Some(1),
    }
}

/// What its screen requires, as far as it can be filled in from here: a resolution. `None`: it requires something else.
fn required(transition: &Value) -> Option<Map<String, Value>> {
    let mut values = Map::new();
    let fields = transition["fields"].as_object();
    for (id, field) in fields.into_iter().flatten() {
        if field["required"] != true || field["hasDefaultValue"] == true {
            continue;
        }
        if id != "resolution" {
            return None;
        }
        let options = field["allowedValues"].as_array()?;
        let named = |name: &str| options.iter().find(|option| option["name"] == name);
        let option = named("Done").or_else(|| named("Fixed")).or(options.first())?;
        values.insert(id.clone(), json!({"id": option["id"]}));
    }
    Some(values)
}

fn no_transition(link: &JiraLink, now: &Told, transitions: &[Value], to_done: bool) -> Failure {
    let names = transitions.iter().filter_map(|transition| transition["name"].as_str()).take(MAX_NAMED);
    let names = names.map(|name| text::line(name, 50)).collect::<Vec<_>>().join(", ");
    let where_to = if to_done { "that is done" } else { "that is not done" };
    let offered = if names.is_empty() { "nothing".to_owned() } else { names };
    Failure::NoTransition(format!(
        "no transition leads {} from “{}” to a status {where_to} without asking for more: its workflow offers {offered}; move it in Jira",
        link.key, now.status
    ))
}

/// Assigns the Jira issue to the one user who is called so, or to nobody.
async fn assign(client: &Client<'_>, link: &JiraLink, name: &str) -> Result<(), Failure> {
    let member = if client.is_cloud() { "accountId" } else { "name" };
    let id = if name.is_empty() {
        Value::Null
    } else if name.eq_ignore_ascii_case(&link.assignee) && !link.account.is_empty() {
        return Ok(());
    } else {
        find_user(client, link, name).await?.into()
    };
    let mut body = json!({});
    body[member] = id;
    client.put(&["issue", &link.id, "assignee"], &body).await.map(drop)
}

async fn find_user(client: &Client<'_>, link: &JiraLink, name: &str) -> Result<String, Failure> {
    let asked = if client.is_cloud() { "query" } else { "username" };
    let query = [(asked, name), ("issueKey", link.key.as_str()), ("maxResults", "50")];
    let found = client.get(&["user", "assignable", "search"], &query).await?;
    let is_named = |user: &&Value| {
        ["displayName", "emailAddress", "name"]
            .iter()
            .any(|member| user[*member].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    };
    let named: Vec<&Value> = found.as_array().into_iter().flatten().filter(is_named).collect();
    match named.as_slice() {
        [user] => {
            account(user).map(str::to_owned).ok_or_else(|| Failure::Unreadable("a user has no id".to_owned()))
        }
        users => Err(Failure::NoUser(format!(
            "{} users of Jira who may have {} are called `{}`; assign it in Jira",
            if users.is_empty() { "no" } else { "several" },
            link.key,
            text::line(name, 100)
        ))),
    }
}

/// Adds a comment, once: `id` is in the address of its link.
pub(crate) async fn comment(
    client: &Client<'_>,
    link: &JiraLink,
    story: &Story,
    id: &str,
) -> Result<(), Failure> {
    let path = ["issue", &link.id, "comment"];
    let newest = client.get(&path, &[("orderBy", "-created"), ("maxResults", "50")]).await?;
    if newest["comments"].to_string().contains(id) {
        return Ok(());
    }
    let body = if client.is_cloud() { story.adf() } else { story.wiki().into() };
    client.post(&path, &json!({"body": body})).await.map(drop)
}

/// The one Jira issue of an issue as it is shown: its own, else that of an issue that was merged into it.
pub(crate) async fn of_shown(
    api: &Api,
    scope: Scope,
    shown: &Shown,
) -> Result<(Fingerprint, Option<JiraLink>), ApiError> {
    for issue in shown.merges.whole(shown.id) {
        let link = repository::link(api, scope, issue).await?;
        if link.as_ref().is_some_and(|link| !link.id.is_empty()) {
            return Ok((issue, link));
        }
    }
    Ok((shown.id, repository::link(api, scope, shown.id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_that_asks_for_nothing_more_is_taken() {
        let to = |category: &str, fields: Value| json!({"id": "1", "to": {"statusCategory": {"key": category}}, "fields": fields});
        assert_eq!(rank(&to("done", json!({})), true), Some(0));
        assert_eq!(rank(&to("done", json!({})), false), None);
        assert_eq!(rank(&to("indeterminate", json!({})), true), None);
        assert_eq!(rank(&to("indeterminate", json!({})), false), Some(1));
        let resolution = json!({"resolution": {"required": true, "allowedValues": [{"id": "1", "name": "Won't do"}, {"id": "2", "name": "Done"}]}});
        assert_eq!(required(&to("done", resolution)).unwrap()["resolution"], json!({"id": "2"}));
        assert_eq!(required(&to("done", json!({"customfield_1": {"required": true}}))), None);
        assert_eq!(required(&to("done", json!({"customfield_1": {"required": false}}))), Some(Map::new()));
    }

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        assert_eq!((pause_ms(0), pause_ms(1), pause_ms(40)), (5_000, 10_000, LONGEST_PAUSE_MS));
    }
}
