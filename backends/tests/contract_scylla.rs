//! The store's contract and what is beyond it, on a real cluster: `PLAYHEAD_TEST_CQL` names a node of Cassandra or ScyllaDB.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

#[path = "cluster/away.rs"]
mod away;
#[path = "cluster/fixture.rs"]
mod fixture;
#[path = "cluster/rows.rs"]
mod rows;
#[path = "cluster/schema.rs"]
mod schema;

mod store_on_a_cluster {
    use super::fixture::OnCluster;

    playhead_domain::store_contract!(OnCluster::open().await);
}
