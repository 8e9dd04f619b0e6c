//! Dead letters: records, or parts of them, that could not be processed. They are rows that tell where the record is in the log.
//!
//! A replay is a copy of the record at the end of the same partition, which says of which record it is a copy. It enters as a
//! late batch: what had its effect before has none again, and what had none has it now. With that the processor removes the dead
//! letter, or writes it anew under the same key; it does so each time the log is processed, so that a rebuilt store says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use playhead_domain::scope::Scope;
use playhead_domain::session::key;
use playhead_domain::store::{self, ClusteringRange, Order, Value};
use playhead_domain::table::DEAD_LETTERS;

use crate::effect::Effects;
use crate::shared::Shared;

/// Keeps the first ones of a project; the counts tell of all. Only those below `from` take up room, so that a redo finds the same.
pub(crate) async fn bound(
    shared: &Shared,
    partition: u32,
    from: u64,
    effects: &mut Effects,
) -> Result<(), store::Error> {
    let scopes: BTreeSet<Scope> = effects.dead_letters.iter().map(|letter| letter.scope).collect();
    let limit = shared.config.max_dead_letters;
    let mut room: BTreeMap<Scope, usize> = BTreeMap::new();
    for scope in scopes {
        let range = ClusteringRange {
            from: Bound::Included(vec![Value::Int(i64::from(partition))]),
            to: Bound::Excluded(key::dead_letter(scope, partition, from).clustering),
        };
        let columns = key::scope_columns(scope);
        let page = shared.store.scan(&DEAD_LETTERS, &columns, &range, Order::Ascending, limit.max(1)).await?;
        room.insert(scope, limit.saturating_sub(page.rows.len()));
    }
    effects.dead_letters.retain(|letter| {
        // That of a replay has a row already.
        if letter.is_replay {
            return true;
        }
        let left = room.entry(letter.scope).or_default();
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    });
    Ok(())
}
