//! What endpoints and pages are called: rows of sums have ids.

use std::collections::HashMap;

use bytes::Bytes;
use futures::future::try_join_all;
use playhead_domain::performance::name;
use playhead_domain::performance::totals::OTHER;
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange};
use playhead_domain::table::PERFORMANCE_NAMES;

use crate::error::ApiError;
use crate::state::Api;

/// Rows of a shard that one request reads; a project has eight shards, a name three rows or so.
const MAX_SHARD_ROWS: usize = 4_000;

/// The names of a project, by id.
#[derive(Default)]
pub(super) struct Names {
    names: HashMap<String, Bytes>,
    /// There are more than one request reads.
    pub(super) partial: bool,
}

impl Names {
    /// To be read after what they are names of: whatever was counted then has its names by now.
    pub(super) async fn load(api: &Api, scope: Scope) -> Result<Self, ApiError> {
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
                names.names.entry(id.to_string()).or_insert(row.value);
            }
        }
        Ok(names)
    }

    /// Whose witnesses were all erased counts with the others.
    pub(super) fn of(&self, id: &str) -> &str {
        let name = self.names.get(id).and_then(|name| std::str::from_utf8(name).ok());
        name.unwrap_or(OTHER)
    }
}
