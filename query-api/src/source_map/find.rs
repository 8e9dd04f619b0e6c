//! Which map a script of a stack has.

use std::collections::BTreeMap;

use playhead_domain::issue::origin;
use playhead_domain::row;
use playhead_domain::scope::Scope;
use playhead_domain::source_map::cache::Read;
use playhead_domain::source_map::debug_id::{self, DebugId};
use playhead_domain::source_map::key;
use playhead_domain::source_map::repository;

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
    /// Where the error happened.
    pub(crate) page_url: &'a str,
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
        let debug_id = debug_id::find(self.debug_ids.iter().map(|(url, id)| (url.as_str(), *id)), file);
        let is_of_site = origin::is_of_site(file, self.page_url);
        for reference in key::references_of(self.scope, self.release, debug_id, file, is_of_site) {
            let lead = repository::newest(self.api.store(), &reference).await?;
            let now_us = self.api.now_ms() * 1_000;
            let Some((id, lead)) = lead.and_then(|lead| Some((lead.at(now_us)?, lead))) else { continue };
            let (store, used) = (self.api.store(), (id, lead.expires_at_ms));
            repository::keep(store, self.scope, used, retention_ms(self.project), now_us).await?;
            let read = self.api.0.maps.get(self.api, self.scope, id).await?;
            return Ok(read.map_or(Found::NoMap, Found::Map));
        }
        let is_known = debug_id.is_some() || !self.release.is_empty();
        Ok(if is_known { Found::NoMap } else { Found::NoRelease })
    }
}
