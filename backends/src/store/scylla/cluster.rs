//! The connection to the cluster: sessions, prepared statements, and what may be under way.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::RwLock;
use playhead_domain::store::{Error, Value};
use playhead_domain::table::{Keyspace, Table};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::cluster::ClusterState;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::routing::Token;
use scylla::routing::partitioner::{Murmur3Partitioner, Partitioner, PartitionerHasher};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency as CqlConsistency, SerialConsistency};
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::config::{Consistency, ScyllaConfig};
use super::cql::{self, Operation};
use super::tls;

/// What a permit of the byte budget stands for.
const PERMIT_BYTES: usize = 1 << 10;

/// A failed request: nothing is known about its outcome.
pub(super) fn unavailable(error: &dyn Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// Whether the servers understood the request and refused it.
pub(super) fn is_refusal(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(
            DbError::SyntaxError | DbError::Invalid | DbError::ConfigError,
            _
        ))
    )
}

/// The cluster as one process uses it.
pub(super) struct Cluster {
    pub(super) session: Session,
    pub(super) datacenter: String,
    pub(super) config: ScyllaConfig,
    prepared: RwLock<HashMap<(&'static str, Operation), PreparedStatement>>,
    requests: Semaphore,
    write_bytes: Semaphore,
}

impl Cluster {
    /// Connects to the first configured node that answers, and through it to the others.
    pub(super) async fn connect(config: &ScyllaConfig) -> Result<Self, Error> {
        config.validate().map_err(|error| Error::Unusable(format!("setting {error}")))?;
        if !config.is_used() {
            return Err(Error::Unusable("no node is configured; set nodes".to_owned()));
        }
        let limit = config.connect_timeout() + config.request_timeout();
        let session = timeout(limit, builder(config)?.build())
            .await
            .map_err(|_| Error::Unavailable(format!("no node of {} answers", config.nodes)))?
            .map_err(|error| Error::Unavailable(format!("{}: {error}", config.nodes)))?;
        let datacenter = match config.datacenter.as_str() {
            "" => timeout(limit, datacenter_of(&session)).await.map_err(|error| unavailable(&error))??,
            name => name.to_owned(),
        };
        let mut profile = session.get_default_execution_profile_handle().clone();
        profile.map_to_another_profile(execution_profile(config, Some(&datacenter)));
        Ok(Self {
            session,
            datacenter,
            prepared: RwLock::default(),
            requests: Semaphore::new(config.requests),
            write_bytes: Semaphore::new(config.write_bytes / PERMIT_BYTES),
            config: config.clone(),
        })
    }

    pub(super) fn keyspace(&self, table: &Table) -> &str {
        match table.keyspace {
            Keyspace::Data => &self.config.keyspace,
            Keyspace::Control => &self.config.control_keyspace,
        }
    }

    /// The prepared statement. There are as many as tables times operations times forms of ranges: some hundreds at most.
    pub(super) async fn prepared(
        &self,
        table: &'static Table,
        operation: Operation,
    ) -> Result<PreparedStatement, Error> {
        let id = (table.name, operation);
        if let Some(prepared) = self.prepared.read().get(&id) {
            return Ok(prepared.clone());
        }
        let text = cql::statement(self.keyspace(table), table, operation);
        let prepare = timeout(self.config.request_timeout(), self.session.prepare(text));
        let mut prepared =
            prepare.await.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))?;
        match operation {
            Operation::Put | Operation::Delete | Operation::DeletePartition => {
                // The same version again changes nothing.
                prepared.set_is_idempotent(true);
            }
            Operation::Get | Operation::Scan(_) => {
                prepared.set_is_idempotent(true);
                prepared.set_use_cached_result_metadata(true);
            }
            Operation::GetSerial => prepared.set_consistency(match self.config.consistency {
                Consistency::LocalQuorum => CqlConsistency::LocalSerial,
                Consistency::Quorum => CqlConsistency::Serial,
            }),
            // A conditional write that is sent twice may see itself.
            Operation::Replace | Operation::SwapLive | Operation::RemoveLive => {}
        }
        self.prepared.write().insert(id, prepared.clone());
        Ok(prepared)
    }

    /// Where partitions live now.
    pub(super) fn homes(&self) -> Homes<'_> {
        Homes { cluster: self, state: self.session.get_cluster_state() }
    }

    /// Waits until a request with so many bytes to write may begin.
    pub(super) async fn admit(
        &self,
        bytes: usize,
    ) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), Error> {
        let all = self.config.write_bytes / PERMIT_BYTES;
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES).min(all)).unwrap_or(u32::MAX);
        let both = async {
            let request = self.requests.acquire().await.map_err(|error| unavailable(&error))?;
            let bytes = self.write_bytes.acquire_many(permits).await.map_err(|error| unavailable(&error))?;
            Ok((request, bytes))
        };
        timeout(self.config.request_timeout(), both)
            .await
            .map_err(|_| Error::Unavailable("too many requests wait for the store".to_owned()))?
    }
}

/// The nodes as they are known at one moment.
pub(super) struct Homes<'a> {
    cluster: &'a Cluster,
    state: Arc<ClusterState>,
}

impl Homes<'_> {
    /// The node and its core that hold the first copy of the partition. `None`: that is not known.
    pub(super) fn of(&self, table: &Table, partition: &[Value]) -> Option<impl Eq + Hash + use<>> {
        let copies =
            self.state.get_token_endpoints(self.cluster.keyspace(table), table.name, token_of(partition)?);
        copies.first().map(|(node, core)| (node.host_id, *core))
    }
}

/// As the nodes compute it: of one column its bytes, of several each with its length before it and a zero behind.
fn token_of(partition: &[Value]) -> Option<Token> {
    let mut hasher = Murmur3Partitioner.build_hasher();
    for value in partition {
        let number;
        let bytes = match value {
            Value::Int(int) => {
                number = int.to_be_bytes();
                &number[..]
            }
            Value::Text(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
        };
        if partition.len() == 1 {
            hasher.write(bytes);
        } else {
            hasher.write(&u16::try_from(bytes.len()).ok()?.to_be_bytes());
            hasher.write(bytes);
            hasher.write(&[0]);
        }
    }
    Some(hasher.finish())
}

fn builder(config: &ScyllaConfig) -> Result<SessionBuilder, Error> {
    let datacenter = Some(config.datacenter.as_str()).filter(|name| !name.is_empty());
    let mut builder = SessionBuilder::new()
        .known_nodes(config.node_names())
        .connection_timeout(config.connect_timeout())
        .keyspaces_to_fetch([&config.keyspace, &config.control_keyspace])
        .fetch_full_schema_metadata(false)
        .default_execution_profile_handle(execution_profile(config, datacenter).into_handle())
        .tls_context(tls::client(config)?);
    if !config.username.is_empty() {
        builder = builder.user(&config.username, config.password.expose_secret());
    }
    Ok(builder)
}

/// Requests go to a node that holds the partition, in the datacenter; the driver's own rules repeat them on another one where that
/// is safe.
fn execution_profile(config: &ScyllaConfig, datacenter: Option<&str>) -> ExecutionProfile {
    let (consistency, serial) = match config.consistency {
        Consistency::LocalQuorum => (CqlConsistency::LocalQuorum, SerialConsistency::LocalSerial),
        Consistency::Quorum => (CqlConsistency::Quorum, SerialConsistency::Serial),
    };
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if let Some(datacenter) = datacenter {
        policy = policy.prefer_datacenter(datacenter.to_owned());
    }
    ExecutionProfile::builder()
        .consistency(consistency)
        .serial_consistency(Some(serial))
        .request_timeout(Some(config.request_timeout()))
        .load_balancing_policy(policy.build())
        .build()
}

async fn datacenter_of(session: &Session) -> Result<String, Error> {
    let result = session.query_unpaged("SELECT data_center FROM system.local", ()).await;
    let rows = result.map_err(|error| unavailable(&error))?.into_rows_result();
    let rows = rows.map_err(|error| unavailable(&error))?;
    let (name,) = rows.single_row::<(String,)>().map_err(|error| unavailable(&error))?;
    Ok(name)
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.config.nodes).finish_non_exhaustive()
    }
}
