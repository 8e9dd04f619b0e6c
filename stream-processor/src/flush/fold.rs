//! Step 2: loading what a range touches, and folding it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::{FutureExt, StreamExt, TryStreamExt};
use playhead_domain::erasure::Marks;
use playhead_domain::log::StoredRecord;
use playhead_domain::scope::Scope;
use playhead_domain::session::facet;
use playhead_domain::store;

use super::{Error, Failed, Flight, Step};
use crate::batch::{self, Batch, Unreadable};
use crate::cache::SessionRef;
use crate::compute::compute;
use crate::control::{self, Control};
use crate::dead_letters;
use crate::effect::Effects;
use crate::naming::{self, Names};
use crate::partition::{LoadError, from_nothing};
use crate::range::{Input, Loaded, Settings, fold_range};
use crate::shared::{Projects, Shared, locked};

const CONCURRENT_READS: usize = 32;

impl Flight {
    /// Writes nothing, but for erasures that it finds to be due, and that source maps are in use.
    pub(super) async fn fold(mut self, shared: &Shared) -> Result<Self, Failed> {
        let folded = async {
            self.load_and_fold(shared).await?;
            shared.reached(Step::Folded).await
        };
        match folded.await {
            Ok(()) => Ok(self),
            Err(Error::Load(LoadError::Overtaken)) => {
                let error = self.overtaken(shared).await;
                Err(self.failed(error))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// By another owner, as a rule: then this one is at its end.
    async fn overtaken(&self, shared: &Shared) -> Error {
        let (id, epoch) = (self.partition.id, self.partition.control.epoch());
        match Control::is_owner(&*shared.store, shared.topic.name, id, epoch).await {
            Ok(true) => LoadError::Overtaken.into(),
            Ok(false) => control::Error::Lost.into(),
            Err(error) => error.into(),
        }
    }

    async fn load_and_fold(&mut self, shared: &Shared) -> Result<(), Error> {
        let (batches, unreadable) = read(shared, &self.records);
        let projects = shared.projects(batches.iter().map(|batch| batch.scope)).await;
        let (batches, unknown) = sort_out(shared, batches, &projects);
        self.newest_ms = batches.iter().map(Batch::newest_event_ms).collect();
        let sessions: BTreeSet<SessionRef> =
            batches.iter().map(|batch| (batch.scope, batch.session)).collect();
        let erased = erased_among(shared, &sessions).await?;
        if self.is_redo && !erased.is_empty() {
            self.erase_what_was_written(shared, &batches, &erased, &projects).await?;
        }
        let wanted = sessions.difference(&erased).copied().collect();
        let (store, keys, is_redo) = (&*shared.store, &shared.keys, self.is_redo);
        let sessions = self.partition.load(store, keys, &wanted, self.to, is_redo).await?;
        let settings = settings(shared, &projects);
        let input = Input { settings, to: self.to, batches, unreadable, unknown, sessions };
        self.effects = fold_apart(shared, input).await?;
        self.effects.resolved.append(&mut self.gone_letters);
        self.drop_erased_users(shared).await?;
        dead_letters::bound(shared, self.partition.id, self.from, &mut self.effects).await?;
        let (partition, range) = (&self.partition, (self.from, self.to));
        self.effects.totals =
            partition.intake.add(&*shared.store, partition.id, range, &self.effects.intake).await?;
        let (sessions, most) = (&self.effects.sessions, shared.config.max_issues as u64);
        self.effects.issues =
            partition.issues.add(&*shared.store, partition.id, range, sessions, most).await?;
        self.effects.performance =
            partition.performance.add(&*shared.store, partition.id, range, sessions).await?;
        self.effects.witnessed = shared.witnesses.look_up(&*shared.store, sessions, shared.now_us()).await?;
        Ok(())
    }

    /// The last try at this range may have put sessions into lists that were erased meanwhile, by somebody who could not know. Or it
    /// stopped in the middle of erasing them. Folded from nothing they lead to the same lists; under which start they were known
    /// is found out by the erasure.
    async fn erase_what_was_written(
        &mut self,
        shared: &Shared,
        batches: &[Batch],
        erased: &BTreeSet<SessionRef>,
        projects: &Projects,
    ) -> Result<(), Error> {
        let is_erased = |batch: &&Batch| erased.contains(&(batch.scope, batch.session));
        let batches = batches.iter().filter(is_erased).cloned().collect();
        let mut sessions = BTreeMap::new();
        for session in erased {
            sessions.insert(*session, Loaded::Work(Box::new(from_nothing(&shared.keys, session)?)));
        }
        let (unreadable, unknown) = (Vec::new(), Vec::new());
        let settings = settings(shared, projects);
        let input = Input { settings, to: self.to, batches, unreadable, unknown, sessions };
        let effects = fold_apart(shared, input).await?;
        for session in erased {
            let known = effects.sessions.get(session).map(|work| &work.state);
            shared.erasure.erase(session.0, session.1, known, shared.now_ms()).await?;
        }
        self.gone_letters = effects.dead_letters.iter().map(|letter| (letter.scope, letter.offset)).collect();
        Ok(())
    }

    /// A session that says it is a user whose erasure was requested after it began is erased.
    async fn drop_erased_users(&mut self, shared: &Shared) -> Result<(), Error> {
        let due = users_due(shared, &self.effects).await?;
        self.erase(shared, due).await
    }

    /// Step 5: an erasure that began while the rows were on their way may not have seen them.
    pub(super) async fn erase_again(&mut self, shared: &Shared) -> Result<(), Error> {
        let sessions: BTreeSet<SessionRef> = self.effects.sessions.keys().copied().collect();
        let mut due = erased_among(shared, &sessions).await?;
        due.extend(users_due(shared, &self.effects).await?);
        self.erase(shared, due).await
    }

    async fn erase(&mut self, shared: &Shared, due: BTreeSet<SessionRef>) -> Result<(), Error> {
        for session in due {
            let work = self.effects.sessions.remove(&session);
            let known = work.as_ref().map(|work| &work.state);
            self.effects.bury_no_more(session);
            shared.erasure.erase(session.0, session.1, known, shared.now_ms()).await?;
        }
        Ok(())
    }
}

/// Compiles what rules the range needs, finds how its frames were written, and folds it.
async fn fold_apart(shared: &Shared, input: Input) -> Result<Effects, Error> {
    let mut input = with_names(shared, input).await?;
    let compiled = Arc::clone(&shared.compiled);
    let work = move || {
        input.settings.rules = compiled.in_force(&input.settings.projects, &input.batches);
        fold_range(input)
    };
    Ok(compute(work).await??)
}

async fn with_names(shared: &Shared, input: Input) -> Result<Input, Error> {
    let mut projects: BTreeMap<Scope, i64> = BTreeMap::new();
    for batch in &input.batches {
        let newest_us = projects.entry(batch.scope).or_insert(batch.logged_us);
        *newest_us = batch.logged_us.max(*newest_us);
    }
    let with_maps = shared.maps.projects_with_maps(shared, projects).await?;
    if with_maps.is_empty() {
        return Ok(input);
    }
    let (mut input, wanted) = compute(move || {
        let wanted = naming::look_through(&input.batches, &input.sessions, &with_maps);
        (input, wanted)
    })
    .await?;
    input.settings.names = naming::find_names(shared, &input.settings.projects, wanted).await?;
    Ok(input)
}

fn settings(shared: &Shared, projects: &Projects) -> Settings {
    Settings {
        topic: shared.topic.name.to_owned(),
        max_streams: shared.config.max_streams,
        statistics: shared.config.request_statistics.then(|| shared.witnesses.names.clone()),
        projects: projects.known.clone(),
        rules: HashMap::new(),
        names: Names::default(),
        countries: shared.countries.clone(),
        visitors: shared.visitors.clone(),
        on_batch: shared.hooks.on_batch.clone(),
    }
}

fn read(shared: &Shared, records: &[StoredRecord]) -> (Vec<Batch>, Vec<(u64, usize, Unreadable)>) {
    let (mut batches, mut unreadable) = (Vec::new(), Vec::new());
    for record in records {
        shared.metrics.records.inc();
        shared.metrics.bytes.inc_by(record.value.len() as u64);
        match batch::read(record) {
            Ok(batch) => batches.push(batch),
            Err(Unreadable::NoOwner) => {
                shared.metrics.dropped_batches.with_label_values(&["no_owner"]).inc();
            }
            Err(error) => unreadable.push((record.position.offset, record.value.len(), error)),
        }
    }
    (batches, unreadable)
}

/// Batches of known projects, and of unknown ones; those of removed ones are dropped.
fn sort_out(shared: &Shared, batches: Vec<Batch>, projects: &Projects) -> (Vec<Batch>, Vec<Batch>) {
    let (mut wanted, mut unknown) = (Vec::new(), Vec::new());
    for batch in batches {
        if projects.known.contains_key(&batch.scope) {
            wanted.push(batch);
        } else if projects.unknown.contains(&batch.scope) {
            unknown.push(batch);
        } else {
            shared.metrics.dropped_batches.with_label_values(&["removed_project"]).inc();
        }
    }
    (wanted, unknown)
}

async fn erased_among(
    shared: &Shared,
    sessions: &BTreeSet<SessionRef>,
) -> Result<BTreeSet<SessionRef>, store::Error> {
    let mut by_scope: BTreeMap<Scope, Vec<SessionRef>> = BTreeMap::new();
    for session in sessions {
        by_scope.entry(session.0).or_default().push(*session);
    }
    // All projects at once: a range may be of hundreds.
    let looks: Vec<_> =
        by_scope.into_iter().map(|(scope, sessions)| marked(shared, scope, sessions).boxed()).collect();
    let marked =
        futures::stream::iter(looks).buffer_unordered(CONCURRENT_READS).try_collect::<Vec<_>>().await?;
    let looks = marked.iter().flat_map(|(sessions, marks)| {
        sessions.iter().map(|session| if_erased(shared, *session, marks).boxed())
    });
    let looks: Vec<_> = looks.collect();
    let erased =
        futures::stream::iter(looks).buffer_unordered(CONCURRENT_READS).try_collect::<Vec<_>>().await?;
    Ok(erased.into_iter().flatten().collect())
}

/// Those of a project's sessions that its marks do not rule out to be erased.
async fn marked(
    shared: &Shared,
    scope: Scope,
    mut sessions: Vec<SessionRef>,
) -> Result<(Vec<SessionRef>, Marks), store::Error> {
    let marks = shared.erasure.marks(scope).await?;
    if marks.is_any() {
        locked(&shared.spared).retain_others(&marks, &mut sessions);
    } else {
        sessions.clear();
    }
    Ok((sessions, marks))
}

async fn if_erased(
    shared: &Shared,
    session: SessionRef,
    marks: &Marks,
) -> Result<Option<SessionRef>, store::Error> {
    let is_erased = shared.erasure.is_session_erased(session.0, session.1).await?;
    if !is_erased {
        locked(&shared.spared).insert(session, marks);
    }
    Ok(is_erased.then_some(session))
}

/// Sessions that newly name a user whose erasure was requested after they began.
async fn users_due(shared: &Shared, effects: &Effects) -> Result<BTreeSet<SessionRef>, store::Error> {
    let mut looks = Vec::new();
    for (session, work) in &effects.sessions {
        let start_ms = work.state.summary.as_ref().map_or(0, |summary| summary.list_start_ms);
        for (name, user) in &work.facets {
            if *name == facet::USER || *name == facet::EMAIL {
                looks.push(if_user_erased(shared, *session, start_ms, user).boxed());
            }
        }
    }
    let looks = futures::stream::iter(looks).buffer_unordered(CONCURRENT_READS);
    Ok(looks.try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
}

async fn if_user_erased(
    shared: &Shared,
    session: SessionRef,
    start_ms: i64,
    user: &str,
) -> Result<Option<SessionRef>, store::Error> {
    let requested_ms = shared.erasure.user_erased_ms(session.0, user).await?;
    Ok(requested_ms.is_some_and(|requested_ms| start_ms < requested_ms).then_some(session))
}
