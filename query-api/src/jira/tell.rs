//! Jira as a channel of alerts: a rule that triggers creates the issue's Jira issue, or says so there.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, Project};
use playhead_domain::scope::Scope;

use super::create::{self, Wanted};
use super::failure::Failure;
use super::fields::Metadata;
use super::repository::{Connection, connected};
use super::settings::Defaults;
use super::{gather, moves, push, sync};
use crate::channel::{Message, Receipt, SendError, Transition};
use crate::error::ApiError;
use crate::issue::routes as issue_routes;
use crate::project::repository as projects;
use crate::state::Api;

/// # Errors
/// [`SendError`].
pub(crate) async fn send(api: &Api, scope: Scope, message: &Message) -> Result<Receipt, SendError> {
    let told = match message.transition {
        Transition::Test => test(api, scope).await,
        Transition::Triggered | Transition::Escalated => trigger(api, scope, message).await,
        Transition::Acknowledged | Transition::Resolved => {
            Ok("nothing to do: Jira follows the issue, not the alert".to_owned())
        }
    };
    let receipt = |sentence| Receipt { sentence, status: None };
    told.map(receipt).map_err(|error| unsent(api, &error))
}

fn unsent(api: &Api, error: &ApiError) -> SendError {
    let wait_s = if let ApiError::Jira(failure) = error { failure.wait_s() } else { None };
    // People may set new credentials within the day for which messages are kept.
    let is_retryable = error.is_retryable() || matches!(error, ApiError::Jira(Failure::Credentials));
    let wait_ms = wait_s.and_then(|wait_s| i64::try_from(wait_s * 1_000).ok());
    SendError {
        sentence: match error {
            ApiError::Jira(failure) => failure.to_string(),
            error if error.is_retryable() => "the store did not answer".to_owned(),
            error => error.to_string(),
        },
        status: None,
        retryable: is_retryable,
        not_before_ms: wait_ms.map(|wait_ms| api.now_ms() + wait_ms),
        taken: Vec::new(),
    }
}

fn defaults(connection: &Connection) -> Result<&Defaults, ApiError> {
    connection.settings.defaults.as_ref().ok_or_else(|| {
        let said =
            "the connection to Jira has no project and type for issues by rules; choose them in the settings";
        Failure::Refused { said: said.to_owned(), fields: std::collections::BTreeMap::new() }.into()
    })
}

/// Whether an issue could be created, without creating one.
async fn test(api: &Api, scope: Scope) -> Result<String, ApiError> {
    let connection = connected(api, scope).await?;
    let Defaults { project, issue_type, fields } = defaults(&connection)?;
    let client = sync::client(api, &connection);
    let metadata = Metadata::load(&client, project, issue_type).await;
    let metadata = sync::noted(api, scope, &connection, metadata).await?;
    metadata.values(fields, client.is_cloud())?;
    Ok(format!("Jira would take an issue in {project}; none was created"))
}

async fn trigger(api: &Api, scope: Scope, message: &Message) -> Result<String, ApiError> {
    let Some(issue) = message.issue else {
        let said = "this alert is about no single issue, so there is nothing to create in Jira";
        return Err(
            Failure::Refused { said: said.to_owned(), fields: std::collections::BTreeMap::new() }.into()
        );
    };
    let connection = connected(api, scope).await?;
    let project = projects::find(api, scope.project()).await?.ok_or(ApiError::NotFound("project"))?;
    let shown = issue_routes::load(api, scope, &project, issue).await?;
    let (issue, link) = push::of_shown(api, scope, &shown).await?;
    if let Some(link) = link.filter(|link| !link.id.is_empty() && !link.gone) {
        return again(api, (scope, &project), &connection, (issue, link), message).await;
    }
    let Defaults { project: key, issue_type, fields } = defaults(&connection)?;
    let actor = format!("rule {}", message.rule);
    let wanted = Wanted { place: (key, issue_type), fields, why: &message.why, actor: &actor };
    let link = create::create(api, (scope, &project), &connection, issue, &wanted).await?;
    Ok(format!("{} is the Jira issue", link.key))
}

/// It has a Jira issue: that is opened if it is done, and told if the connection says so.
async fn again(
    api: &Api,
    (scope, project): (Scope, &Project),
    connection: &Connection,
    (issue, link): (Fingerprint, JiraLink),
    message: &Message,
) -> Result<String, ApiError> {
    let key = &link.key;
    let Some(told) = sync::read(api, scope, connection, (issue, &link)).await? else {
        return Err(Failure::Gone(key.clone()).into());
    };
    // An alert is about what happens now. It is opened if it was known to be done; what was done in Jira since is not followed from here, as
    // that would resolve what just happened, nor undone, as somebody did it a moment ago.
    if link.category == sync::DONE && told.category == sync::DONE && connection.settings.sync_state {
        push::want_open(api, scope, issue).await?;
    }
    if !connection.settings.comments {
        return Ok(format!("{key} is there already"));
    }
    let mut story = gather::story(api, scope, project, issue).await?;
    message.why.clone_into(&mut story.why);
    story.issue_url = format!("{}?firing={}", story.issue_url, message.id);
    let client = sync::client(api, connection);
    let told = moves::comment(&client, &link, &story, &message.id).await;
    let outcome = told.as_ref().err().map_or("done", Failure::name);
    api.0.metrics.jira.tasks.with_label_values(&["comment", outcome]).inc();
    sync::noted(api, scope, connection, told).await?;
    Ok(format!("{key} is there already and was told"))
}
