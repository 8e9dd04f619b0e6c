use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use playhead_domain::store::{ClusteringRange, Error, Key, Mutation, Order, Page, Row, Store, Swap, Value};
use playhead_domain::table::Table;
use prometheus::Registry;

use super::{Metrics, Operation};

/// A store whose requests are measured.
pub struct ObservedStore {
    inner: Arc<dyn Store>,
    get: Operation,
    scan: Operation,
    write: Operation,
    compare_and_set: Operation,
    get_serial: Operation,
    reclaim: Operation,
}

impl ObservedStore {
    /// Measures `inner`.
    ///
    /// # Errors
    /// When `registry` has a measured store already.
    pub fn new(inner: Arc<dyn Store>, registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Metrics::register(registry, "store", "the store")?;
        Ok(Self {
            inner,
            get: metrics.operation("get"),
            scan: metrics.operation("scan"),
            write: metrics.operation("write"),
            compare_and_set: metrics.operation("compare_and_set"),
            get_serial: metrics.operation("get_serial"),
            reclaim: metrics.operation("reclaim"),
        })
    }
}

#[async_trait]
impl Store for ObservedStore {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, Error> {
        let request = self.get.begin();
        request.end(self.inner.get(table, key).await)
    }

    async fn scan(
        &self,
        table: &'static Table,
        partition: &[Value],
        range: &ClusteringRange,
        order: Order,
        limit: usize,
    ) -> Result<Page, Error> {
        let request = self.scan.begin();
        request.end(self.inner.scan(table, partition, range, order, limit).await)
    }

    async fn write(&self, mutations: Vec<Mutation>) -> Result<(), Error> {
        let request = self.write.begin();
        request.end(self.inner.write(mutations).await)
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<&[u8]>,
        new: Option<Bytes>,
        expires_at_ms: Option<i64>,
    ) -> Result<Swap, Error> {
        let request = self.compare_and_set.begin();
        request.end(self.inner.compare_and_set(table, key, expected, new, expires_at_ms).await)
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Bytes>, Error> {
        let request = self.get_serial.begin();
        request.end(self.inner.get_serial(table, key).await)
    }

    async fn reclaim(&self) -> Result<(), Error> {
        let request = self.reclaim.begin();
        request.end(self.inner.reclaim().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::memory::MemoryStore;
    use playhead_domain::table::SESSION_KEYS;
    use prometheus::TextEncoder;

    #[tokio::test]
    async fn requests_and_failures_are_counted_by_operation() {
        let registry = Registry::new();
        let store = ObservedStore::new(Arc::new(MemoryStore::new(Clock::system())), &registry).unwrap();
        store.write(Vec::new()).await.unwrap();
        let key = Key { partition: Vec::new(), clustering: Vec::new() };
        assert!(store.get(&SESSION_KEYS, &key).await.is_err(), "the key does not fit");
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            r#"playhead_store_request_seconds_count{operation="write"} 1"#,
            r#"playhead_store_request_seconds_count{operation="get"} 1"#,
            r#"playhead_store_errors_total{operation="get"} 1"#,
            r#"playhead_store_errors_total{operation="write"} 0"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
