//! The store, behind the network.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use playhead_backends::store::memory::MemoryStore;
use playhead_domain::row::PartitionControl;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::Table;
use prost::Message;

use crate::network::{NoAnswer, Process, Service};

pub(crate) struct RemoteStore {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) process: Process,
}

fn unknown(_: NoAnswer) -> Error {
    Error::Unavailable("no answer".to_owned())
}

#[async_trait]
impl Store for RemoteStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        let serve = async move { inner.get(table, &key).await };
        self.process.call(Service::Store, "get", serve).await.map_err(unknown)?
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        let (inner, partition, range) = (Arc::clone(&self.inner), partition.to_vec(), range.clone());
        let serve = async move { inner.scan(table, &partition, &range, order, limit).await };
        self.process.call(Service::Store, "scan", serve).await.map_err(unknown)?
    }

    /// Rows of different partitions arrive one by one, in any order, each with a fate of its own.
    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        let mut groups: Vec<(PartitionKey, Vec<Mutation>)> = Vec::new();
        for mutation in mutations {
            let key = partition_of(&mutation);
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, group)) => group.push(mutation),
                None => groups.push((key, vec![mutation])),
            }
        }
        let writes = groups.into_iter().map(|(_, group)| {
            let inner = Arc::clone(&self.inner);
            let network = self.process.network.clone();
            let serve = async move {
                network.tell(|| group.iter().map(told).collect::<Vec<_>>().join(", "));
                inner.write(group).await
            };
            self.process.call(Service::Store, "write", serve)
        });
        for result in futures::future::join_all(writes).await {
            result.map_err(unknown)??;
        }
        Ok(())
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        let (inner, key, expected) = (Arc::clone(&self.inner), key.clone(), expected.map(<[u8]>::to_vec));
        let network = self.process.network.clone();
        let serve = async move {
            network.tell(|| format!("{:?} {:?}", key.partition, new.clone().map(PartitionControl::decode)));
            let swap = inner.compare_and_set(table, &key, expected.as_deref(), new, expires_at_ms).await;
            network.tell(|| format!("{}", matches!(swap, Ok(Swap::Applied))));
            swap
        };
        self.process.call(Service::Store, "compare_and_set", serve).await.map_err(unknown)?
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        let serve = async move { inner.get_serial(table, &key).await };
        self.process.call(Service::Store, "get_serial", serve).await.map_err(unknown)?
    }

    async fn reclaim(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn told(mutation: &Mutation) -> String {
    match mutation {
        Mutation::Put { table, key, version, .. } => {
            format!("{} {:?} {:?} @{version}", table.name, key.partition, key.clustering)
        }
        Mutation::Delete { table, key, version } => {
            format!("delete {} {:?} {:?} @{version}", table.name, key.partition, key.clustering)
        }
        Mutation::DeletePartition { table, partition, version } => {
            format!("delete {} {partition:?} @{version}", table.name)
        }
    }
}

type PartitionKey = (&'static str, Vec<Value>);

fn partition_of(mutation: &Mutation) -> PartitionKey {
    match mutation {
        Mutation::Put { table, key, .. } | Mutation::Delete { table, key, .. } => {
            (table.name, key.partition.clone())
        }
        Mutation::DeletePartition { table, partition, .. } => (table.name, partition.clone()),
    }
}
