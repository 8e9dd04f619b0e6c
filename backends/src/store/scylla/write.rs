//! Versioned writes: one request per partition of a table, which the servers apply as a whole. What is small and goes to partitions of
//! several tables under one key, as all of a session does, is one request too: the same nodes hold it, and Cassandra makes one
//! mutation of it.
//!
//! Most writes are small: what has its first copy on the same core of the same node shares a request, which costs that node less than one
//! for each. Every partition is still applied as a whole, and all of it may be sent again.
//!
//! The servers' bound of a batch (`batch_size_fail_threshold`) is one of batches over several partitions; what goes to one
//! partition is one mutation, bounded by half a segment of the commit log.

use std::collections::HashMap;
use std::hash::Hash;

use futures::TryStreamExt;
use futures::stream;
use playhead_domain::store::{Error, Mutation, Value};
use playhead_domain::table::{Keyspace, Table};
use scylla::statement::batch::{Batch, BatchType};

use super::cell::{Parameter, ttl_s};
use super::cluster::{Cluster, unavailable};
use super::cql::Operation;
use crate::clock::Clock;

/// What a statement takes beside its value. With at most 16 MiB a batch stays below the protocol's 65,535 statements.
const STATEMENT_BYTES: usize = 512;

/// The most that goes to several tables at once. `ScyllaDB` counts such a batch as several mutations, warns of it from 128 KiB on and refuses
/// it at 1 MiB.
const JOINED_BYTES: usize = 96 << 10;

/// The most that goes to several partitions at once. Cassandra refuses 50 KiB unless configured.
const SHARED_BYTES: usize = 40 << 10;
/// What the servers count of a statement beside its value: keys, times, their own fields.
const COUNTED_BYTES: usize = 128;

/// The mutations of a request: under one partition key those of one table or little of several, or little under several keys.
#[derive(Default)]
struct Group<'a> {
    mutations: Vec<(&'static Table, &'a Mutation)>,
    bytes: usize,
}

impl<'a> Group<'a> {
    fn push(&mut self, table: &'static Table, mutation: &'a Mutation) {
        let value_bytes = if let Mutation::Put { value, .. } = mutation { value.len() } else { 0 };
        self.mutations.push((table, mutation));
        self.bytes += value_bytes + STATEMENT_BYTES;
    }

    /// As the servers count it.
    fn counted_bytes(&self) -> usize {
        self.bytes - self.mutations.len() * (STATEMENT_BYTES - COUNTED_BYTES)
    }

    fn append(&mut self, other: Self) {
        self.mutations.extend(other.mutations);
        self.bytes += other.bytes;
    }
}

/// Writes all. The partitions are written side by side; the first failure is told once it is known.
pub(super) async fn write(cluster: &Cluster, clock: &Clock, mutations: &[Mutation]) -> Result<(), Error> {
    let groups = group(mutations)?;
    let limit = cluster.config.batch_bytes;
    if let Some(group) = groups.iter().find(|group| group.bytes > limit) {
        // Cut in two it would not be atomic.
        return Err(Error::TooLarge { bytes: group.bytes, limit });
    }
    let homes = cluster.homes();
    let home = |group: &Group<'_>| {
        let (table, mutation) = group.mutations.first()?;
        homes.of(table, mutation.partition())
    };
    let groups = stream::iter(share(groups, home).into_iter().map(Ok));
    groups.try_for_each_concurrent(cluster.config.requests, |group| send(cluster, clock, group)).await
}

fn group(mutations: &[Mutation]) -> Result<Vec<Group<'_>>, Error> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<&[Value], usize> = HashMap::new();
    for mutation in mutations {
        let (table, partition) = (mutation.table(), mutation.partition());
        if table.keyspace == Keyspace::Control {
            let detail = "its rows are written conditionally only".to_owned();
            return Err(Error::BadKey { table: table.name, detail });
        }
        let place = *places.entry(partition).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[place].push(table, mutation);
    }
    Ok(groups.into_iter().flat_map(by_size).collect())
}

/// A group that is too large for several tables becomes one per table.
fn by_size(group: Group<'_>) -> Vec<Group<'_>> {
    if group.bytes <= JOINED_BYTES {
        return vec![group];
    }
    let mut groups: Vec<(&Table, Group<'_>)> = Vec::new();
    for (table, mutation) in group.mutations {
        let place = groups.iter().position(|(other, _)| *other == table).unwrap_or_else(|| {
            groups.push((table, Group::default()));
            groups.len() - 1
        });
        groups[place].1.push(table, mutation);
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Puts small groups of one home together.
fn share<'a, H: Eq + Hash>(groups: Vec<Group<'a>>, home: impl Fn(&Group<'a>) -> Option<H>) -> Vec<Group<'a>> {
    let mut shared: Vec<Group<'a>> = Vec::with_capacity(groups.len());
    let mut open: HashMap<H, usize> = HashMap::new();
    for group in groups {
        let is_small = group.counted_bytes() <= SHARED_BYTES / 2;
        match is_small.then(|| home(&group)).flatten() {
            None => shared.push(group),
            Some(home) => match open.get(&home).and_then(|place| shared.get_mut(*place)) {
                Some(other) if other.counted_bytes() + group.counted_bytes() <= SHARED_BYTES => {
                    other.append(group);
                }
                _ => {
                    open.insert(home, shared.len());
                    shared.push(group);
                }
            },
        }
    }
    shared
}

async fn send(cluster: &Cluster, clock: &Clock, group: Group<'_>) -> Result<(), Error> {
    let _admitted = cluster.admit(group.bytes).await?;
    let now_ms = clock.now_ms();
    let mut statements = Vec::with_capacity(group.mutations.len());
    let mut values = Vec::with_capacity(group.mutations.len());
    for (table, mutation) in &group.mutations {
        let (operation, parameters) = bind(mutation, now_ms);
        statements.push(cluster.prepared(table, operation).await?);
        values.push(parameters);
    }
    let session = &cluster.session;
    if let ([statement], [values]) = (&statements[..], &values[..]) {
        session.execute_unpaged(statement, values).await.map_err(|error| unavailable(&error))?;
        return Ok(());
    }
    let statements = statements.into_iter().map(Into::into).collect();
    let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
    batch.set_is_idempotent(true);
    session.batch(&batch, values).await.map_err(|error| unavailable(&error))?;
    Ok(())
}

/// CQL has no timestamp `i64::MIN`: the lowest two versions count as equal.
pub(super) fn timestamp(version: i64) -> i64 {
    version.max(i64::MIN + 1)
}

fn bind(mutation: &Mutation, now_ms: i64) -> (Operation, Vec<Parameter<'_>>) {
    let (operation, mut parameters, key) = match mutation {
        Mutation::Put { key, value, version, expires_at_ms, .. } => {
            let cell = Parameter::Cell { expires_at_ms: *expires_at_ms, value };
            let ttl = Parameter::Seconds(ttl_s(now_ms, *expires_at_ms));
            (Operation::Put, vec![Parameter::Number(timestamp(*version)), ttl, cell], Some(key))
        }
        Mutation::Delete { key, version, .. } => {
            (Operation::Delete, vec![Parameter::Number(timestamp(*version))], Some(key))
        }
        Mutation::DeletePartition { partition, version, .. } => {
            let mut parameters = vec![Parameter::Number(timestamp(*version))];
            parameters.extend(partition.iter().map(Parameter::Key));
            return (Operation::DeletePartition, parameters);
        }
    };
    let columns = key.into_iter().flat_map(|key| key.partition.iter().chain(&key.clustering));
    parameters.extend(columns.map(Parameter::Key));
    (operation, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::store::Key;
    use playhead_domain::table::{PROJECTS, SESSION_KEYS, SESSION_STATE};

    fn put(table: &'static Table, session: u8, clustering: Vec<Value>, bytes: usize) -> Mutation {
        let key = Key { partition: vec![1.into(), 2.into(), vec![session].into()], clustering };
        Mutation::Put { table, key, value: vec![0; bytes].into(), version: 1, expires_at_ms: None }
    }

    fn shape(mutations: &[Mutation]) -> Vec<(Vec<&'static str>, usize)> {
        let groups = group(mutations).unwrap();
        let tables =
            |group: &Group<'_>| group.mutations.iter().map(|(table, _)| table.name).collect::<Vec<_>>();
        groups.iter().map(|group| (tables(group), group.bytes)).collect()
    }

    #[test]
    fn what_goes_under_one_partition_key_goes_together() {
        let mutations = [
            put(&SESSION_STATE, 1, vec![0.into()], 10),
            put(&SESSION_KEYS, 1, vec![], 20),
            put(&SESSION_STATE, 2, vec![0.into()], 30),
            put(&SESSION_STATE, 1, vec![1.into()], 40),
        ];
        assert_eq!(
            shape(&mutations),
            [
                (vec!["session_state", "session_keys", "session_state"], 70 + 3 * STATEMENT_BYTES),
                (vec!["session_state"], 30 + STATEMENT_BYTES)
            ]
        );
    }

    #[test]
    fn what_is_large_goes_to_one_table_at_a_time() {
        let mutations = [
            put(&SESSION_STATE, 1, vec![0.into()], 10),
            put(&SESSION_KEYS, 1, vec![], JOINED_BYTES),
            put(&SESSION_STATE, 1, vec![1.into()], 40),
        ];
        assert_eq!(
            shape(&mutations),
            [
                (vec!["session_state", "session_state"], 50 + 2 * STATEMENT_BYTES),
                (vec!["session_keys"], JOINED_BYTES + STATEMENT_BYTES)
            ]
        );
    }

    #[test]
    fn small_writes_of_one_home_share_requests_up_to_a_bound() {
        let bytes = 3 << 10;
        let sessions: Vec<Mutation> =
            (0..40).map(|session| put(&SESSION_KEYS, session, vec![], bytes)).collect();
        let large =
            [put(&SESSION_KEYS, 100, vec![], SHARED_BYTES), put(&SESSION_KEYS, 101, vec![], SHARED_BYTES)];
        let all: Vec<Mutation> = sessions.into_iter().chain(large).collect();
        let session_of = |group: &Group<'_>| match &group.mutations[0].1.partition()[2] {
            Value::Bytes(session) => session[0],
            other => panic!("{other:?}"),
        };
        // Even and odd sessions live apart; of one nobody knows where.
        let home = |group: &Group<'_>| (session_of(group) != 7).then(|| session_of(group) % 2);
        let shared = share(group(&all).unwrap(), home);
        let sizes: Vec<usize> = shared.iter().map(|group| group.mutations.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 42);
        assert_eq!(sizes.iter().filter(|&&size| size == 1).count(), 3, "{sizes:?}");
        for group in shared.iter().filter(|group| group.mutations.len() > 1) {
            assert!(group.counted_bytes() <= SHARED_BYTES);
            let homes = group.mutations.iter().map(|(_, mutation)| match &mutation.partition()[2] {
                Value::Bytes(session) => session[0] % 2,
                other => panic!("{other:?}"),
            });
            assert_eq!(homes.collect::<std::collections::HashSet<_>>().len(), 1);
        }
    }

    #[test]
    fn conditional_rows_are_not_written_otherwise() {
        let key = Key { partition: vec!["all".into()], clustering: vec![1.into()] };
        let delete = Mutation::Delete { table: &PROJECTS, key, version: 1 };
        assert!(matches!(group(&[delete]), Err(Error::BadKey { table: "projects", .. })));
    }
}
