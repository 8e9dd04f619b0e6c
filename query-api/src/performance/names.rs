//! What endpoints and pages are called: rows of sums have ids. Several ids may be shown as one, see [`playhead_domain::endpoint::learn`].

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;
use playhead_domain::endpoint::learn;
use playhead_domain::performance::name;
use playhead_domain::performance::totals::OTHER;
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange};
use playhead_domain::table::PERFORMANCE_NAMES;

use crate::error::ApiError;
use crate::state::Api;
use crate::turn;

/// Rows of a shard that one request reads; a project has eight shards, a name three rows or so.
const MAX_SHARD_ROWS: usize = 4_000;

/// The names of a project, by id.
#[derive(Default)]
pub(crate) struct Names {
    names: HashMap<String, String>,
    /// There are more than one request reads.
    pub(crate) partial: bool,
}

impl Names {
    /// To be read after what they are names of: whatever was counted then has its names by now.
    /// `templates` are the project's own.
    pub(crate) async fn load(api: &Api, scope: Scope, templates: &[String]) -> Result<Self, ApiError> {
        let shards = (0..name::SHARDS).map(|shard| name::partition(scope, shard)).collect::<Vec<_>>();
        let reads = shards.iter().map(|partition| {
            store::scan_until(
                api.store(),
                &PERFORMANCE_NAMES,
                partition,
                ClusteringRange::ALL,
                MAX_SHARD_ROWS,
            )
        });
        let mut names = Self::default();
        for page in try_join_all(reads).await? {
            names.partial |= page.more;
            for row in page.rows {
                let Some((id, _)) = name::of(&row.key.clustering) else { continue };
                let Ok(name) = std::str::from_utf8(&row.value) else { continue };
                names.names.entry(id.to_string()).or_insert_with(|| name.to_owned());
            }
        }
        let templates = templates.to_vec();
        turn::apart(move || {
            let shown = learn::shown(&templates, names.names.values().map(String::as_str));
            for name in names.names.values_mut() {
                if let Some(shown) = shown.get(name) {
                    name.clone_from(shown);
                }
            }
            names
        })
        .await
    }

    /// All that is shown by that name.
    pub(crate) fn ids(&self, shown: &str) -> BTreeSet<String> {
        self.names.iter().filter(|(_, name)| *name == shown).map(|(id, _)| id.clone()).collect()
    }

    /// Whose witnesses were all erased counts with the others.
    pub(super) fn of(&self, id: &str) -> &str {
        self.names.get(id).map_or(OTHER, String::as_str)
    }
}
