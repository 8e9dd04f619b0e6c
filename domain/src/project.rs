//! What every service knows about projects without asking: a snapshot in memory, kept fresh from the topic
//! [`topic::PROJECTS`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use prost::Message;

use crate::id::ProjectId;
use crate::log::{Error, EventLog, Position, Record, StoredRecord};
use crate::row::Project;
use crate::topic;

/// Projects that a directory holds at most. Further ones are refused and counted.
pub const MAX_PROJECTS: usize = 65_536;

const READ_BYTES: usize = 1 << 20;
const READ_WAIT: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What the directory says about a project.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    Known(Arc<Project>),
    /// It was there and was removed.
    Removed,
    /// Never heard of: it does not exist, or is so new that its record has not arrived yet.
    Unknown,
}

/// Tells that a project exists or changed. Durable on return; directories follow within moments.
///
/// # Errors
/// Those of [`EventLog::append`].
pub async fn publish(log: &dyn EventLog, project: &Project) -> Result<Position, Error> {
    append(log, ProjectId(project.project), project.encode_to_vec().into()).await
}

/// Tells that a project is gone.
///
/// # Errors
/// Those of [`EventLog::append`].
pub async fn publish_removal(log: &dyn EventLog, project: ProjectId) -> Result<Position, Error> {
    append(log, project, Bytes::new()).await
}

async fn append(log: &dyn EventLog, project: ProjectId, value: Bytes) -> Result<Position, Error> {
    log.ensure_topic(&topic::PROJECTS).await?;
    let key = Bytes::copy_from_slice(&project.0.to_be_bytes());
    log.append(topic::PROJECTS.name, Record { key, value, meta: Bytes::new() }).await
}

/// The newest known state of every project. Readers take no lock; one task runs [`ProjectDirectory::follow`].
#[derive(Debug, Default)]
pub struct ProjectDirectory {
    projects: ArcSwap<HashMap<ProjectId, Option<Arc<Project>>>>,
    /// Whose a secret key is, by its hash. Follows `projects`, so that is asked whether it still is.
    secret_keys: ArcSwap<HashMap<Bytes, ProjectId>>,
    ready: AtomicBool,
    refused: AtomicU64,
}

impl ProjectDirectory {
    /// An empty directory, not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether everything that was in the topic when following began has been read.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// A project that exists, disabled ones included.
    #[must_use]
    pub fn get(&self, project: ProjectId) -> Option<Arc<Project>> {
        self.projects.load().get(&project)?.clone()
    }

    /// The project that the secret key of this hash opens, disabled ones included.
    #[must_use]
    pub fn opened_by(&self, secret_key_hash: &[u8; 32]) -> Option<Arc<Project>> {
        let project = *self.secret_keys.load().get(&secret_key_hash[..])?;
        self.get(project)
            .filter(|project| project.secret_keys.iter().any(|hash| hash[..] == *secret_key_hash))
    }

    /// Like [`ProjectDirectory::get`], and tells a removed project from one never heard of.
    #[must_use]
    pub fn look_up(&self, project: ProjectId) -> Lookup {
        match self.projects.load().get(&project) {
            Some(Some(known)) => Lookup::Known(Arc::clone(known)),
            Some(None) => Lookup::Removed,
            None => Lookup::Unknown,
        }
    }

    /// The projects that exist, disabled ones included.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Project>> {
        self.projects.load().values().flatten().cloned().collect()
    }

    /// How many projects exist.
    #[must_use]
    pub fn count(&self) -> usize {
        self.projects.load().values().flatten().count()
    }

    /// Records that were not taken: unreadable, or over [`MAX_PROJECTS`].
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Follows the topic until the log fails for good; drop the future to stop. While the log is unavailable the last
    /// snapshot stays in force.
    ///
    /// # Errors
    /// An error of the log that a retry does not cure.
    pub async fn follow(&self, log: Arc<dyn EventLog>) -> Result<(), Error> {
        let mut next = 0;
        loop {
            if let Err(error) = self.follow_from(&*log, &mut next).await
                && !error.is_retryable()
            {
                return Err(error);
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    /// Returns only with an error.
    async fn follow_from(&self, log: &dyn EventLog, next: &mut u64) -> Result<(), Error> {
        log.ensure_topic(&topic::PROJECTS).await?;
        let end = log.offsets(topic::PROJECTS.name, 0).await?.end;
        loop {
            let caught_up = *next >= end;
            if caught_up {
                self.ready.store(true, Ordering::Release);
            }
            let wait = if caught_up { READ_WAIT } else { Duration::ZERO };
            let records = log.read(topic::PROJECTS.name, 0, *next, READ_BYTES, wait).await?;
            match records.last() {
                Some(last) => *next = last.position.offset + 1,
                // What is left below `end` was compacted away.
                None => *next = (*next).max(end),
            }
            self.apply(&records);
        }
    }

    fn apply(&self, records: &[StoredRecord]) {
        if records.is_empty() {
            return;
        }
        let mut projects = HashMap::clone(&self.projects.load());
        for record in records {
            if !take(&mut projects, record) {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        let keys_of = |project: &Arc<Project>| {
            let id = ProjectId(project.project);
            project.secret_keys.iter().map(|hash| (hash.clone(), id)).collect::<Vec<_>>()
        };
        let secret_keys = projects.values().flatten().flat_map(keys_of).collect();
        self.projects.store(Arc::new(projects));
        self.secret_keys.store(Arc::new(secret_keys));
    }
}

fn take(projects: &mut HashMap<ProjectId, Option<Arc<Project>>>, record: &StoredRecord) -> bool {
    let Ok(key) = <[u8; 8]>::try_from(&record.key[..]) else {
        return false;
    };
    let id = ProjectId(u64::from_be_bytes(key));
    if !projects.contains_key(&id) && projects.len() >= MAX_PROJECTS {
        return false;
    }
    if record.value.is_empty() {
        projects.insert(id, None);
        return true;
    }
    match Project::decode(record.value.clone()) {
        Ok(project) if project.project == id.0 => {
            projects.insert(id, Some(Arc::new(project)));
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64, value: Vec<u8>, offset: u64) -> StoredRecord {
        StoredRecord {
            position: Position { partition: 0, offset },
            append_us: 0,
            key: Bytes::copy_from_slice(&id.to_be_bytes()),
            value: value.into(),
            meta: Bytes::new(),
        }
    }

    fn project(id: u64, disabled: bool) -> Vec<u8> {
        Project { tenant: 1, project: id, disabled, ..Project::default() }.encode_to_vec()
    }

    #[test]
    fn the_newest_record_of_a_project_counts() {
        let directory = ProjectDirectory::new();
        directory.apply(&[
            record(1, project(1, false), 0),
            record(2, project(2, false), 1),
            record(1, project(1, true), 2),
        ]);
        assert!(directory.get(ProjectId(1)).unwrap().disabled);
        assert!(!directory.get(ProjectId(2)).unwrap().disabled);
        directory.apply(&[record(2, Vec::new(), 3)]);
        assert_eq!(directory.look_up(ProjectId(2)), Lookup::Removed);
        assert_eq!(directory.look_up(ProjectId(3)), Lookup::Unknown);
        assert_eq!(directory.count(), 1);
    }

    #[test]
    fn a_secret_key_opens_its_project_until_it_is_revoked() {
        let directory = ProjectDirectory::new();
        let with_keys = |id, keys: &[u8]| {
            let secret_keys = keys.iter().map(|&key| vec![key; 32].into()).collect();
            Project { tenant: 1, project: id, secret_keys, ..Project::default() }.encode_to_vec()
        };
        directory.apply(&[record(1, with_keys(1, &[7, 8]), 0), record(2, with_keys(2, &[9]), 1)]);
        let opened = |key: u8| directory.opened_by(&[key; 32]).map(|project| project.project);
        assert_eq!([7, 8, 9, 10].map(opened), [Some(1), Some(1), Some(2), None]);
        directory.apply(&[record(1, with_keys(1, &[8]), 2), record(2, Vec::new(), 3)]);
        assert_eq!([7, 8, 9, 10].map(opened), [None, Some(1), None, None]);
    }

    #[test]
    fn a_record_that_cannot_be_read_changes_nothing() {
        let directory = ProjectDirectory::new();
        directory.apply(&[record(1, project(1, false), 0)]);
        let mut odd_key = record(1, project(1, true), 1);
        odd_key.key = Bytes::from_static(b"x");
        directory.apply(&[odd_key, record(1, vec![0xff; 9], 2), record(1, project(7, true), 3)]);
        assert_eq!(directory.refused(), 3);
        assert!(!directory.get(ProjectId(1)).unwrap().disabled);
    }

    #[test]
    fn projects_over_the_bound_are_refused_and_known_ones_still_change() {
        let directory = ProjectDirectory::new();
        let all: Vec<_> = (0..=MAX_PROJECTS as u64).map(|id| record(id, project(id, false), id)).collect();
        directory.apply(&all);
        assert_eq!((directory.count(), directory.refused()), (MAX_PROJECTS, 1));
        directory.apply(&[record(5, project(5, true), 0)]);
        assert!(directory.get(ProjectId(5)).unwrap().disabled);
    }
}
