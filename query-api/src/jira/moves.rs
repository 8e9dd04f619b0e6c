//! What is asked of Jira about an issue that it has: the link back, transitions, the assignee, comments.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::JiraLink;
use playhead_domain::scope::Scope;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::document::Story;
use super::failure::Failure;
use super::sync::{self, DONE, Told, account};
use crate::channel::text;
use crate::page;
use crate::state::Api;

/// Names of transitions that are shown.
const MAX_NAMED: usize = 8;

/// The link from the Jira issue to ours. With the same global id it is the same link.
pub(super) async fn link_back(
    api: &Api,
    scope: Scope,
    client: &Client<'_>,
    (issue, link): (Fingerprint, &JiraLink),
) -> Result<(), Failure> {
    let url = page::issue(api, scope, issue);
    let body = json!({
        "globalId": format!("playhead={}&issue={issue}", scope.project()),
        "application": {"type": "playhead", "name": "Playhead"},
        "relationship": "recorded by",
        "object": {"url": url, "title": "Issue in Playhead", "summary": format!("{issue}, with its replays")},
    });
    client.post(&["issue", &link.id, "remotelink"], &body).await.map(drop)
}

/// Moves the Jira issue to a status that is done, or to one that is not.
pub(super) async fn move_to(client: &Client<'_>, link: &JiraLink, to_done: bool) -> Result<(), Failure> {
    let now = sync::ask(client, &link.id).await?;
    if (now.category == DONE) == to_done {
        return Ok(());
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
    client.post(&path, &body).await.map(drop)
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

/// Assigns the Jira issue to the one user who is called so, or to nobody. Returns whose account that is; empty: nobody's.
pub(super) async fn assign(client: &Client<'_>, link: &JiraLink, name: &str) -> Result<String, Failure> {
    let member = if client.is_cloud() { "accountId" } else { "name" };
    let id = if name.is_empty() {
        String::new()
    } else if name.eq_ignore_ascii_case(&link.assignee) && !link.account.is_empty() {
        link.account.clone()
    } else {
        find_user(client, link, name).await?
    };
    let mut body = json!({});
    body[member] = if id.is_empty() { Value::Null } else { id.clone().into() };
    client.put(&["issue", &link.id, "assignee"], &body).await?;
    Ok(id)
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
}
