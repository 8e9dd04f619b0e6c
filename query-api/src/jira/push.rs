//! What is to be done about Jira issues, tried until it is: telling Jira what happened here, and reading what happened there.

use std::sync::atomic::{AtomicBool, Ordering};

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::row::{JiraLink, JiraWants, Project};
use playhead_domain::scope::Scope;

use super::client::Client;
use super::failure::Failure;
use super::moves::{assign, link_back, move_to};
use super::repository::{self, Connection};
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
/// Longer than all requests of a try may take.
const CLAIM_MS: i64 = 150_000;

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
        let Some(link) = link.filter(|link| !link.id.is_empty() && !link.gone) else { continue };
        let Some(connection) = repository::connection(api, scope).await? else { return Ok(()) };
        if sync::check_site(&connection, &link).is_err() {
            continue;
        }
        let settings = &connection.settings;
        let state = if settings.sync_state { state } else { "" };
        let assignee = patch.assignee.clone().filter(|_| settings.sync_assignee);
        if state.is_empty() && assignee.is_none() {
            return Ok(());
        }
        let change = |wants: &mut JiraWants| {
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
    repository::want(api, scope, issue, |wants| OPEN.clone_into(&mut wants.state)).await
}

/// Does what is due about a Jira issue: tells Jira what happened here, then reads what it has and follows that. A try is claimed before it is
/// made, so that of two workers one makes it. `note` is taken away when nothing is due. Returns why the site is not to be asked for anything now.
///
/// # Errors
/// The store's. What Jira says is noted at the link.
pub(crate) async fn tell(
    api: &Api,
    (scope, project): (Scope, &Project),
    issue: Fingerprint,
    note: Option<&[u8]>,
) -> Result<Option<Failure>, ApiError> {
    let link = repository::link(api, scope, issue).await?;
    let Some((link, wants)) = link.and_then(|link| Some((link.clone(), link.wants?))) else {
        if let Some(note) = note {
            repository::settle(api, scope, issue, note).await?;
        }
        return Ok(None);
    };
    let now_ms = api.now_ms();
    if wants.next_ms > now_ms || wants.claimed_until_ms > now_ms {
        return Ok(None);
    }
    let Some(wants) = claim(api, scope, issue, &wants).await? else { return Ok(None) };
    let Some(connection) = repository::connection(api, scope).await? else {
        let faults = vec![Failure::NotConnected.to_string()];
        let outcome = Outcome { over: Task::ALL.to_vec(), faults, ..Outcome::default() };
        settle(api, scope, issue, (&link, &wants), &outcome).await?;
        return Ok(Some(Failure::NotConnected));
    };
    let mut outcome = Outcome::default();
    outcome.tell(api, scope, &connection, (issue, &link), &wants).await;
    let is_here = sync::check_site(&connection, &link).is_ok();
    if is_here && !outcome.again.as_ref().is_some_and(Failure::is_of_site) {
        match sync::read(api, scope, &connection, (issue, &link)).await {
            Ok(None) => return Ok(None),
            Ok(told) => {
                outcome.over.push(Task::Read);
                outcome.told = told;
            }
            Err(ApiError::Jira(failure)) if !wants.read_for.is_empty() => {
                outcome.note(&[Task::Read], failure, &wants, api.now_ms());
            }
            Err(ApiError::Jira(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(told) = &outcome.told {
        let newest = repository::link(api, scope, issue).await?;
        if let Some(newest) = newest.filter(|newest| sync::is_as_read(newest, &link)) {
            let seen = outcome.with_ours(newest, &wants, told);
            let actor = if wants.read_for.is_empty() { "Jira" } else { &wants.read_for };
            sync::follow(api, (scope, project), &connection, (issue, &seen), told, actor).await?;
        } else {
            // Somebody else read it meanwhile, and followed that.
            outcome.told = None;
            outcome.over.retain(|task| *task != Task::Read);
        }
    }
    settle(api, scope, issue, (&link, &wants), &outcome).await?;
    Ok(outcome.again.filter(Failure::is_of_site))
}

const fn is_elsewhere(failure: &Failure) -> bool {
    matches!(failure, Failure::OtherSite { .. })
}

/// Twice as long with every try.
const fn pause_ms(tries: u32) -> i64 {
    let shift = if tries > 16 { 16 } else { tries };
    let pause = FIRST_PAUSE_MS << shift;
    if pause > LONGEST_PAUSE_MS { LONGEST_PAUSE_MS } else { pause }
}

/// Takes a try, if what is wanted is still the same. Returns it as it is then.
async fn claim(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    wants: &JiraWants,
) -> Result<Option<JiraWants>, ApiError> {
    let claimed_until_ms = api.now_ms() + CLAIM_MS;
    let claimed = JiraWants { tries: wants.tries + 1, claimed_until_ms, ..wants.clone() };
    let is_ours = AtomicBool::new(false);
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        let known = known.filter(|known| known.wants.as_ref() == Some(wants));
        is_ours.store(known.is_some(), Ordering::Relaxed);
        Ok(known.map(|known| JiraLink { wants: Some(claimed.clone()), ..known.clone() }))
    };
    repository::amend(api, scope, issue, change).await?;
    Ok(is_ours.load(Ordering::Relaxed).then_some(claimed))
}

/// Ends a try. What was wanted anew meanwhile stays wanted.
async fn settle(
    api: &Api,
    scope: Scope,
    issue: Fingerprint,
    (link, wanted): (&JiraLink, &JiraWants),
    outcome: &Outcome,
) -> Result<(), ApiError> {
    let now_ms = api.now_ms();
    let change = |known: Option<&JiraLink>| -> Result<Option<JiraLink>, ApiError> {
        let Some(known) = known.filter(|known| known.id == link.id) else { return Ok(None) };
        let mut wants = known.wants.clone().unwrap_or_default();
        for task in &outcome.over {
            task.clear(&mut wants, wanted);
        }
        if wants.claimed_until_ms == wanted.claimed_until_ms {
            wants.claimed_until_ms = 0;
        }
        let mut faults = outcome.faults.clone();
        if let Some(failure) = &outcome.again {
            let asked_ms = failure.wait_s().and_then(|wait_s| i64::try_from(wait_s * 1_000).ok());
            wants.next_ms = now_ms + pause_ms(wanted.tries - 1).max(asked_ms.unwrap_or_default());
            faults.push(failure.to_string());
        }
        let mut new = match &outcome.told {
            Some(told) if sync::is_as_read(known, link) => told.kept(known.clone(), now_ms),
            _ => known.clone(),
        };
        // What only was read says nothing about what could not be told before.
        if !faults.is_empty() || wanted.tries > 1 || Task::TOLD.iter().any(|task| task.is_wanted(wanted)) {
            new.fault_ms = if faults.is_empty() { 0 } else { now_ms };
            new.fault = faults.join("; ");
        }
        new.wants = Some(wants).filter(|wants| Task::ALL.iter().any(|task| task.is_wanted(wants)));
        Ok(Some(new))
    };
    let settled = repository::amend(api, scope, issue, change).await?;
    if settled.and_then(|link| link.wants).is_some_and(|wants| wants.next_ms <= now_ms) {
        api.0.jira_due.notify_one();
    }
    Ok(())
}

/// What a try came to.
#[derive(Debug, Default)]
struct Outcome {
    /// Done, or for good not.
    over: Vec<Task>,
    /// Why something was not done.
    faults: Vec<String>,
    /// Why something is tried again.
    again: Option<Failure>,
    /// What Jira has then.
    told: Option<Told>,
    /// Its status is what was wanted.
    is_moved: bool,
    /// To whose account it is assigned.
    assigned: Option<String>,
}

impl Outcome {
    /// Tells Jira what is wanted, until that is to wait.
    async fn tell(
        &mut self,
        api: &Api,
        scope: Scope,
        connection: &Connection,
        (issue, link): (Fingerprint, &JiraLink),
        wants: &JiraWants,
    ) {
        if let Err(failure) = sync::check_site(connection, link) {
            self.note(&Task::ALL, failure, wants, api.now_ms());
            return;
        }
        let client = sync::client(api, connection);
        for task in Task::TOLD.into_iter().filter(|task| task.is_wanted(wants)) {
            let done = task.run(api, scope, &client, (issue, link), wants).await;
            let done = sync::noted(api, scope, connection, done).await;
            let outcome = done.as_ref().err().map_or("done", Failure::name);
            api.0.metrics.jira.tasks.with_label_values(&[task.name(), outcome]).inc();
            match done {
                Ok(done) => {
                    self.is_moved |= task == Task::State;
                    self.assigned = done.or(self.assigned.take());
                    self.over.push(task);
                }
                Err(failure) => self.note(&[task], failure, wants, api.now_ms()),
            }
            if self.again.as_ref().is_some_and(Failure::is_of_site) {
                return;
            }
        }
    }

    /// What people may mend in the connection is tried again like what mends itself.
    fn note(&mut self, tasks: &[Task], failure: Failure, wants: &JiraWants, now_ms: i64) {
        let is_waiting = failure.is_retryable() || failure == Failure::Credentials || is_elsewhere(&failure);
        if is_waiting && now_ms - wants.since_ms <= GIVE_UP_MS {
            self.again = Some(failure);
        } else {
            self.over.extend(tasks);
            self.faults.push(failure.to_string());
        }
    }

    /// The link with what was told: only what others changed in Jira, before or since, is followed. What could not be told is not: here it is
    /// otherwise on purpose.
    fn with_ours(&self, mut link: JiraLink, wanted: &JiraWants, told: &Told) -> JiraLink {
        let mut wants = link.wants.take().unwrap_or_default();
        for task in &self.over {
            match task {
                Task::State if !task.is_wanted(wanted) => {}
                Task::State if self.is_moved && wanted.state == DONE => DONE.clone_into(&mut link.category),
                Task::State if self.is_moved => link.category.clear(),
                Task::State => told.category.clone_into(&mut link.category),
                Task::Assignee if task.is_wanted(wanted) => {
                    self.assigned.as_ref().unwrap_or(&told.account).clone_into(&mut link.account);
                }
                Task::Assignee | Task::Link | Task::Read => {}
            }
            task.clear(&mut wants, wanted);
        }
        JiraLink { wants: Some(wants), ..link }
    }
}

/// What is done about a Jira issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Link,
    State,
    Assignee,
    Read,
}

impl Task {
    /// What Jira is told.
    const TOLD: [Self; 3] = [Self::Link, Self::State, Self::Assignee];
    const ALL: [Self; 4] = [Self::Link, Self::State, Self::Assignee, Self::Read];

    const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::State => "transition",
            Self::Assignee => "assign",
            Self::Read => "read",
        }
    }

    const fn is_wanted(self, wants: &JiraWants) -> bool {
        match self {
            Self::Link => wants.remote_link,
            Self::State => !wants.state.is_empty(),
            Self::Assignee => wants.assignee.is_some(),
            Self::Read => !wants.read_for.is_empty(),
        }
    }

    fn clear(self, wants: &mut JiraWants, wanted: &JiraWants) {
        match self {
            Self::Link => wants.remote_link = false,
            Self::State if wants.state == wanted.state => wants.state.clear(),
            Self::Assignee if wants.assignee == wanted.assignee => wants.assignee = None,
            // A web hook that came while Jira answered may be about what was not in the answer.
            Self::Read if wants.reads == wanted.reads => wants.read_for.clear(),
            Self::State | Self::Assignee | Self::Read => {}
        }
    }

    /// Returns the account to which it is assigned, where that was told.
    async fn run(
        self,
        api: &Api,
        scope: Scope,
        client: &Client<'_>,
        (issue, link): (Fingerprint, &JiraLink),
        wants: &JiraWants,
    ) -> Result<Option<String>, Failure> {
        match self {
            Self::Link => link_back(api, scope, client, (issue, link)).await?,
            Self::State => move_to(client, link, wants.state == DONE).await?,
            Self::Assignee => {
                let name = wants.assignee.as_deref().unwrap_or_default();
                return assign(client, link, name).await.map(Some);
            }
            Self::Read => {}
        }
        Ok(None)
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
