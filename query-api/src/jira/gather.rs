//! What a Jira issue tells of an issue: as its page shows it, at this moment.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::Project;
use playhead_domain::scope::Scope;

use super::document::Story;
use crate::channel::text;
use crate::error::ApiError;
use crate::issue::routes as issue;
use crate::model::issue::{IssueDetail, Occurrence};
use crate::page;
use crate::session::stack;
use crate::state::Api;

/// # Errors
/// [`ApiError::NotFound`] when there is no such issue; the store's.
pub(crate) async fn story(
    api: &Api,
    scope: Scope,
    project: &Project,
    id: Fingerprint,
) -> Result<Story, ApiError> {
    let shown = issue::load(api, scope, project, id).await?;
    let detail = issue::detail(api, scope, project, &shown).await?;
    let source = match &detail.issue.latest {
        Some(latest) => source_line(api, scope, project, latest).await,
        None => None,
    };
    let replay_url = detail.issue.latest.as_ref().map(|latest| {
        let pane = if detail.issue.mechanism == "request" { "network" } else { "errors" };
        page::replay(api, scope, &latest.session, pane, shown.id)
    });
    Ok(Story {
        title: detail.issue.title.clone(),
        culprit: detail.issue.culprit.clone(),
        source,
        facts: facts(&detail),
        issue_url: page::issue(api, scope, shown.id),
        replay_url,
        ..Story::default()
    })
}

fn facts(IssueDetail { issue, .. }: &IssueDetail) -> Vec<(String, String)> {
    let users = if issue.users_exact { String::new() } else { "at least ".to_owned() };
    let sessions = if issue.sessions_exact { "" } else { "at most " };
    let mut facts = vec![
        ("Events", issue.events.to_string()),
        ("Sessions", format!("{sessions}{}", issue.sessions)),
        ("Users", format!("{users}{}", issue.users)),
        ("First seen", text::readable(issue.first_seen_ms)),
        ("Last seen", text::readable(issue.last_seen_ms)),
    ];
    facts.extend(issue.last_release.clone().map(|release| ("Release", release)));
    facts.push(("Priority", issue.priority.reason.clone()));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Where the newest occurrence failed, and the line there. What cannot be read any more is left out.
async fn source_line(
    api: &Api,
    scope: Scope,
    project: &Project,
    latest: &Occurrence,
) -> Option<(String, String)> {
    let stack = stack::load(api, scope, project, &latest.session, &latest.event).await.ok()?;
    let frame = stack.frames.iter().find(|frame| frame.in_app).or(stack.frames.first())?;
    let named = |function: Option<&str>| match function {
        Some(function) if !function.is_empty() => format!(" in {function}"),
        _ => String::new(),
    };
    let Some(original) = &frame.original else {
        let (file, line) = (frame.file.as_deref()?, frame.line?);
        let column = frame.column.map_or_else(String::new, |column| format!(":{column}"));
        return Some((format!("{file}:{line}{column}{}", named(frame.function.as_deref())), String::new()));
    };
    let function = original.function.as_deref().or(frame.function.as_deref());
    let place = format!("{}:{}:{}{}", original.file, original.line, original.column, named(function));
    let code = original.source.as_ref().and_then(|source| {
        let index = original.line.checked_sub(source.first_line)?;
        source.lines.get(usize::try_from(index).ok()?).cloned()
    });
    Some((place, code.unwrap_or_default()))
}
