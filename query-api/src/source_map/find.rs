//! Which map a script of a stack has.

use std::collections::BTreeMap;

use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::key;

use super::cache::Read;
use super::repository::{self, Reference};
use crate::error::ApiError;
use crate::state::Api;

const DAY_MS: i64 = 86_400_000;

/// What the page told by which maps are found.
pub(crate) struct Finder<'a> {
    pub(crate) api: &'a Api,
    pub(crate) scope: Scope,
    pub(crate) project: &'a row::Project,
    /// Empty: not known.
    pub(crate) release: &'a str,
    /// Debug ids by the address of the script.
    pub(crate) debug_ids: &'a BTreeMap<String, DebugId>,
}

/// The map of a script.
pub(crate) enum Found {
    Map(Read),
    /// There is nothing to look for it by.
    NoRelease,
    NoMap,
}

/// When a map expires that is uploaded or used now.
pub(crate) fn expiry(api: &Api, project: &row::Project) -> i64 {
    api.now_ms() + retention_ms(project)
}

fn retention_ms(project: &row::Project) -> i64 {
    i64::from(project.retention_days) * DAY_MS
}

impl Finder<'_> {
    pub(crate) async fn map_of(&self, file: &str) -> Result<Found, ApiError> {
        let debug_id = self.debug_id(file);
        let reference = match self.by_debug_id(debug_id).await? {
            Some(reference) => Some(reference),
            None => self.by_path(file).await?,
        };
        let Some(reference) = reference else {
            let is_known = debug_id.is_some() || !self.release.is_empty();
            return Ok(if is_known { Found::NoMap } else { Found::NoRelease });
        };
        self.keep(reference).await?;
        let read = self.api.0.maps.get(self.api, self.scope, reference.id).await?;
        Ok(read.map_or(Found::NoMap, Found::Map))
    }

    /// Queries and fragments are redacted at different places of a stack.
    fn debug_id(&self, file: &str) -> Option<DebugId> {
        let bare = |url: &str| url.find(['?', '#']).map_or(url.len(), |at| at);
        let file = &file[..bare(file)];
        self.debug_ids.iter().find(|(url, _)| &url[..bare(url)] == file).map(|(_, id)| *id)
    }

    async fn by_debug_id(&self, id: Option<DebugId>) -> Result<Option<Reference>, ApiError> {
        match id {
            Some(id) => repository::reference(self.api, &key::by_debug_id(self.scope, id)).await,
            None => Ok(None),
        }
    }

    async fn by_path(&self, file: &str) -> Result<Option<Reference>, ApiError> {
        if self.release.is_empty() {
            return Ok(None);
        }
        for path in key::candidates(file) {
            let found =
                repository::reference(self.api, &key::by_path(self.scope, self.release, path)).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// A map that is used lives on with the project's retention, as a release may be in use for longer than that.
    async fn keep(&self, Reference { id, expires_at_ms }: Reference) -> Result<(), ApiError> {
        if expires_at_ms - self.api.now_ms() > retention_ms(self.project) / 2 {
            return Ok(());
        }
        let Some(mut artifact) = repository::one(self.api, self.scope, id).await? else { return Ok(()) };
        artifact.expires_at_ms = expiry(self.api, self.project);
        repository::prolong(self.api, self.scope, id, &artifact).await
    }
}
