//! The issues that a list is made of: from memory where a project has many, else from the rows.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueTotals, Project};
use playhead_domain::scope::Scope;
use tokio::sync::OwnedMutexGuard;

use super::index::{self, Index, Kept};
use super::read;
use crate::error::ApiError;
use crate::state::Api;

/// A project with more rows is kept in memory.
const LARGE_ROWS: usize = 1_000;

pub(super) struct Listed<'a> {
    project: &'a Project,
    now_ms: i64,
    index: Option<OwnedMutexGuard<Index>>,
    /// Not in the index: all, or those that people made one.
    own: BTreeMap<Fingerprint, Kept>,
    /// In the index, and now parts of others.
    hidden: BTreeSet<Fingerprint>,
    pub(super) partial: bool,
}

impl<'a> Listed<'a> {
    pub(super) async fn read(
        api: &Api,
        scope: Scope,
        project: &'a Project,
        merges: &Merges,
    ) -> Result<Self, ApiError> {
        let index = index::open(api, scope).await?;
        let now_ms = api.now_ms();
        let mut listed =
            Self { project, now_ms, index, own: BTreeMap::new(), hidden: BTreeSet::new(), partial: false };
        let issues = match &mut listed.index {
            Some(index) => {
                index.read_parts(api.store(), merges, now_ms).await?;
                let roots = merges.roots();
                listed.hidden = roots.keys().chain(roots.values().flatten()).copied().collect();
                let parts = index.parts.iter().filter(|(_, totals)| read::is_there(totals, now_ms));
                parts.map(|(&issue, totals)| (issue, totals.clone())).collect()
            }
            None => {
                let read::All { issues, partial, rows } = read::all(api, scope).await?;
                listed.partial = partial;
                if rows > LARGE_ROWS {
                    index::build(api, scope, false);
                }
                issues
            }
        };
        listed.own = joined(issues, project, merges);
        Ok(listed)
    }

    fn is_shown(&self, issue: Fingerprint, kept: &Kept) -> bool {
        kept.entry.expires_at_ms > self.now_ms
            && !self.hidden.contains(&issue)
            && self.project.discard_of(issue).is_none()
    }

    pub(super) fn get(&self, issue: Fingerprint) -> Option<&Kept> {
        let indexed = || self.index.as_ref()?.issues.get(&issue).filter(|kept| self.is_shown(issue, kept));
        self.own.get(&issue).or_else(indexed)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Fingerprint, &mut Kept)> {
        let Self { project, now_ms, index, own, hidden, .. } = self;
        let indexed = index.iter_mut().flat_map(|index| index.issues.iter_mut());
        let shown = indexed.filter(|(issue, kept)| {
            kept.entry.expires_at_ms > *now_ms
                && !hidden.contains(issue)
                && project.discard_of(**issue).is_none()
        });
        own.iter_mut().chain(shown).map(|(issue, kept)| (*issue, kept))
    }
}

fn joined(
    mut issues: BTreeMap<Fingerprint, IssueTotals>,
    project: &Project,
    merges: &Merges,
) -> BTreeMap<Fingerprint, Kept> {
    issues.retain(|issue, _| project.discard_of(*issue).is_none());
    read::join(&mut issues, merges);
    // One that was discarded at the time at which others were merged into it is not shown by them.
    issues.retain(|issue, _| project.discard_of(*issue).is_none());
    issues.into_iter().map(|(issue, totals)| (issue, Kept::once(totals))).collect()
}
