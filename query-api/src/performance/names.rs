//! What endpoints and pages are called: rows of sums have ids.

use std::collections::HashMap;

use futures::future::try_join_all;
use playhead_domain::performance::name;
use playhead_domain::performance::totals::OTHER;
use playhead_domain::row::Performance;
use playhead_domain::scope::Scope;
use playhead_domain::store::{self, ClusteringRange};
use playhead_domain::table::PERFORMANCE_NAMES;

use crate::error::ApiError;
use crate::state::Api;

/// Rows of a shard that one request reads; a project has eight shards, a name three rows or so.
const MAX_SHARD_ROWS: usize = 4_000;

/// Puts names in place of ids. Whose witnesses were all erased counts with the others. Returns whether there are more than one request reads.
pub(super) async fn tell(api: &Api, scope: Scope, rows: &mut [Performance]) -> Result<bool, ApiError> {
    if rows.iter().all(|row| row.names.is_empty()) {
        return Ok(false);
    }
    let shards = (0..name::SHARDS).map(|shard| name::partition(scope, shard)).collect::<Vec<_>>();
    let reads = shards.iter().map(|partition| {
        store::scan_until(api.store(), &PERFORMANCE_NAMES, partition, ClusteringRange::ALL, MAX_SHARD_ROWS)
    });
    let (mut names, mut has_more) = (HashMap::new(), false);
    for page in try_join_all(reads).await? {
        has_more |= page.more;
        for row in page.rows {
            let Some((id, _)) = name::of(&row.key.clustering) else { continue };
            names.entry(id.to_string()).or_insert(row.value);
        }
    }
    for id in
        rows.iter_mut().flat_map(|row| &mut row.names).filter(|name| name::is_id(name) && *name != OTHER)
    {
        let name = names.get(id).and_then(|name| std::str::from_utf8(name).ok());
        name.unwrap_or(OTHER).clone_into(id);
    }
    Ok(has_more)
}
