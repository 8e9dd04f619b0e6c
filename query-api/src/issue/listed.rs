//! The issues that a list is made of, or that rules judge: from memory where a project has many, else from the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::merge::Merges;
use playhead_domain::row::{IssueTotals, Project};
use playhead_domain::scope::Scope;
use playhead_domain::session::weight::Sessions;
use tokio::sync::OwnedMutexGuard;

use super::decided::Decided;
use super::index::{self, Index, Kept, Look};
use super::read;
use crate::error::ApiError;
use crate::state::Api;

/// A project with more rows is kept in memory.
const LARGE_ROWS: usize = 1_000;

pub(crate) struct Listed<'a> {
    project: &'a Project,
    now_ms: i64,
    index: Option<OwnedMutexGuard<Index>>,
    /// Not in the index: all, or those that people made one.
    own: BTreeMap<Fingerprint, Kept>,
    /// In the index, and now parts of others.
    hidden: BTreeSet<Fingerprint>,
    pub(crate) partial: bool,
    pub(crate) decided: Arc<Decided>,
    /// For lists.
    pub(super) traffic: Sessions,
}

impl<'a> Listed<'a> {
    pub(crate) async fn read(
        api: &Api,
        scope: Scope,
        project: &'a Project,
        look: Look,
    ) -> Result<Self, ApiError> {
        let index = index::open(api, scope, look).await?;
        let (decided, traffic) = match &index {
            Some(index) => (index.decided(), index.traffic()),
            // Before the counts, as the index does.
            None => {
                let counted = async {
                    match look {
                        Look::Lately => read::traffic(api, scope, api.now_ms()).await,
                        Look::Again => Ok(Sessions::default()),
                    }
                };
                let (decided, traffic) = try_join(Decided::read(api, scope), counted).await?;
                (Arc::new(decided), traffic)
            }
        };
        let (now_ms, own, hidden) = (api.now_ms(), BTreeMap::new(), BTreeSet::new());
        let mut listed = Self { project, now_ms, index, own, hidden, partial: false, decided, traffic };
        let merges = &listed.decided.merges;
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
                    index::build(api, scope, look, false);
                }
                issues
            }
        };
        listed.own = joined(issues, project, &listed.decided.merges);
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

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Fingerprint, &mut Kept)> {
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
