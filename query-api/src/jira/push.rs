//! What happened here, in Jira: what it is to be told, tried until it is.

use std::sync::atomic::{AtomicBool, Ordering};

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, JiraWants};
use playhead_domain::scope::Scope;

use super::client::Client;
use super::failure::Failure;
use super::moves::{assign, link_back, move_to};
use super::repository;
use super::sync::{self, DONE, Told};
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
    fn pauses_grow_to_a_quarter_of_an_hour() {
        assert_eq!((pause_ms(0), pause_ms(1), pause_ms(40)), (5_000, 10_000, LONGEST_PAUSE_MS));
    }
}
