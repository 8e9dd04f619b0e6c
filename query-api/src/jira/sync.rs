//! What happened in Jira, here. A web hook only says that something did; what it is is read from Jira, so that late and repeated hooks do no
//! harm.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, Project};
use playhead_domain::scope::Scope;
use serde_json::Value;

use super::client::Client;
use super::failure::Failure;
use super::repository::{self, Connection};
use crate::channel::text;
use crate::error::ApiError;
use crate::issue::decided::Deciding;
use crate::issue::{change, decided, read, routes as issue_routes, state};
use crate::model::issue::{GivenState, IssuePatch, IssueState};
use crate::state::Api;

pub(crate) const DONE: &str = "done";
/// Others who read it at the same time are asked for once more, and then believed.
const READINGS: usize = 3;
/// As long as an assignee may be.
const MAX_NAME: usize = 100;

pub(crate) fn client<'a>(api: &'a Api, connection: &'a Connection) -> Client<'a> {
    Client { outbound: &api.0.outbound, settings: &connection.settings }
}

/// Notes at the connection whether Jira lets us in.
pub(crate) async fn noted<T>(
    api: &Api,
    scope: Scope,
    connection: &Connection,
    result: Result<T, Failure>,
) -> Result<T, Failure> {
    let fault = match &result {
        Err(failure @ Failure::Credentials) => Some(failure.to_string()),
        // Whoever is told that something is wrong with what was asked was let in.
        Ok(_) | Err(Failure::Refused { .. } | Failure::NotFound { .. }) => Some(String::new()),
        Err(_) => None,
    };
    if let Some(fault) = fault
        && let Err(error) = repository::note_fault(api, scope, connection, &fault).await
    {
        tracing::warn!(%error, "whether Jira takes the credentials was not noted");
    }
    result
}

/// Status and assignee of a Jira issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: String,
    pub(crate) category: String,
    pub(crate) account: String,
    pub(crate) assignee: String,
}

impl Told {
    /// The link with what Jira told; it is there.
    pub(crate) fn kept(&self, link: JiraLink, now_ms: i64) -> JiraLink {
        JiraLink {
            status: self.status.clone(),
            category: self.category.clone(),
            account: self.account.clone(),
            assignee: self.assignee.clone(),
            checked_ms: now_ms,
            gone: false,
            ..link
        }
    }
}

pub(crate) async fn ask(client: &Client<'_>, id: &str) -> Result<Told, Failure> {
    let issue = client.get(&["issue", id], &[("fields", "status,assignee")]).await?;
    let fields = &issue["fields"];
    if !fields["status"].is_object() {
        return Err(Failure::Unreadable("it has no status of an issue".to_owned()));
    }
    let line = |value: &Value| text::line(value.as_str().unwrap_or_default(), MAX_NAME);
    let (status, assignee) = (&fields["status"], &fields["assignee"]);
    Ok(Told {
        status: line(&status["name"]),
        category: line(&status["statusCategory"]["key"]),
        account: account(assignee).unwrap_or_default().to_owned(),
        assignee: line(&assignee["displayName"]),
    })
}

/// Cloud's account id, Data Center's user name.
pub(crate) fn account(user: &Value) -> Option<&str> {
    user["accountId"].as_str().or(user["name"].as_str())
}

/// What belongs to another site than the connection's is not asked for: the same number is another issue there.
///
/// # Errors
/// [`Failure::OtherSite`].
pub(crate) fn check_site(connection: &Connection, link: &JiraLink) -> Result<(), Failure> {
    if link.site == connection.settings.site {
        return Ok(());
    }
    Err(Failure::OtherSite { key: link.key.clone(), site: link.site.clone() })
}

/// What Jira has of an issue. `None`: it does not have it any more, which is noted.
///
/// # Errors
/// [`ApiError::Jira`]; the store's.
pub(crate) async fn read(
    api: &Api,
    scope: Scope,
    connection: &Connection,
    (issue, link): (Fingerprint, &JiraLink),
) -> Result<Option<Told>, ApiError> {
    check_site(connection, link)?;
    let told = noted(api, scope, connection, ask(&client(api, connection), &link.id).await).await;
    let outcome = told.as_ref().err().map_or("read", Failure::name);
    api.0.metrics.jira.tasks.with_label_values(&["read", outcome]).inc();
    match told {
        Ok(told) => Ok(Some(told)),
        Err(Failure::NotFound { .. }) => lose(api, scope, issue, link).await.map(|()| None),
        Err(failure) => Err(failure.into()),
    }
}

/// Reads what Jira has of an issue, and follows it where it changed since.
///
/// # Errors
/// [`ApiError::Jira`]; the store's.
pub(crate) async fn refresh(
    api: &Api,
    (scope, project): (Scope, &Project),
    connection: &Connection,
    issue: Fingerprint,
) -> Result<(), ApiError> {
    for _ in 0..READINGS {
        let link = repository::link(api, scope, issue).await?.filter(|link| !link.id.is_empty());
        let Some(link) = link else { return Ok(()) };
        let Some(told) = read(api, scope, connection, (issue, &link)).await? else { return Ok(()) };
        // What people wanted while Jira answered goes before what it answered.
        let newest = repository::link(api, scope, issue).await?;
        let Some(newest) = newest.filter(|newest| is_as_read(newest, &link)) else { continue };
        follow(api, (scope, project), connection, (issue, &newest), &told, "Jira").await?;
        let now_ms = api.now_ms();
        let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
            Ok(known.filter(|known| is_as_read(known, &link)).map(|known| told.kept(known.clone(), now_ms)))
        };
        repository::amend(api, scope, issue, change).await?;
        return Ok(());
    }
    Ok(())
}

/// Whether nobody else read it, or told Jira something, since: an older answer does not undo a newer one.
pub(crate) fn is_as_read(newest: &JiraLink, link: &JiraLink) -> bool {
    newest.id == link.id
        && (newest.checked_ms, &newest.category, &newest.account)
            == (link.checked_ms, &link.category, &link.account)
}

/// What changed in Jira since it was last read changes here, unless Jira is still to be told something else. What is so already stays as it
/// is: what we told Jira comes back, and ends here.
pub(crate) async fn follow(
    api: &Api,
    (scope, project): (Scope, &Project),
    connection: &Connection,
    (issue, link): (Fingerprint, &JiraLink),
    told: &Told,
    actor: &str,
) -> Result<(), ApiError> {
    let wants = link.wants.clone().unwrap_or_default();
    let mut patch = IssuePatch::default();
    let shown = match issue_routes::load(api, scope, project, issue).await {
        Ok(shown) => shown,
        // Nothing of it is kept any more.
        Err(ApiError::NotFound(_) | ApiError::Discarded) => return Ok(()),
        Err(error) => return Err(error),
    };
    if connection.settings.sync_state && wants.state.is_empty() {
        let given = read::state(api, scope, shown.id).await?;
        let now = state::now(&shown.totals, Some(&given), 0, api.now_ms()).state;
        // What was never read was created, and not done.
        patch.state = match (link.category == DONE, told.category == DONE) {
            (false, true) if now != IssueState::Resolved => Some(GivenState::Resolved),
            (true, false) if given.state == state::RESOLVED => Some(GivenState::Ongoing),
            _ => None,
        };
    }
    if connection.settings.sync_assignee && wants.assignee.is_none() && told.account != link.account {
        patch.assignee = Some(told.assignee.clone());
    }
    if patch.state.is_some() || patch.assignee.is_some() {
        let deciding = Deciding::begin(api, scope);
        change::apply(&deciding, &shown, &patch, actor).await?;
        deciding.tell().await;
    }
    Ok(())
}

/// Jira does not have it any more.
pub(crate) async fn lose(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    link: &JiraLink,
) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let fault = Failure::Gone(link.key.clone()).to_string();
    let lost = repository::amend::<ApiError>(api, scope, issue, |known| {
        let known = known.filter(|known| known.id == link.id && !(known.gone && known.wants.is_none()));
        Ok(known.map(|known| JiraLink {
            gone: true,
            wants: None,
            fault: fault.clone(),
            fault_ms: now_ms,
            checked_ms: now_ms,
            ..known.clone()
        }))
    });
    lost.await?;
    if !link.gone {
        let note = format!("the Jira issue {} is gone", link.key);
        decided::note(api, scope, issue, &note, "Jira").await?;
    }
    Ok(())
}
