//! How the cluster is reached, and the bounds of what is under way.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// How the cluster is reached, and the bounds of what is under way. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScyllaConfig {
    /// Some nodes of the cluster, as `host:port`, separated by commas; the others are found through them. Empty: not used.
    pub nodes: String,
    /// The datacenter whose nodes are asked. Empty: that of the first node that answers.
    pub datacenter: String,
    /// The user to sign in as. Empty: the cluster asks for none.
    pub username: String,
    /// The user's password.
    #[serde(with = "playhead_domain::secret")]
    pub password: SecretString,
    /// Whether connections are encrypted.
    pub tls: bool,
    /// A PEM file with the certificates of the authorities that signed the nodes' certificates.
    pub tls_authorities: PathBuf,
    /// Whether the nodes' certificates are checked; they must hold the nodes' IP addresses. Off: anyone between can read along.
    pub tls_verify: bool,
    /// The keyspace of versioned rows.
    pub keyspace: String,
    /// The keyspace of conditionally written rows.
    pub control_keyspace: String,
    /// Copies of every row in the datacenter, when `playhead migrate` creates the keyspaces.
    pub replication: u32,
    /// How many copies must answer: `local_quorum`, or `quorum` over all datacenters.
    pub consistency: Consistency,
    /// How long connecting to a node may take.
    pub connect_timeout_ms: u64,
    /// How long a request may take, its repetitions on other nodes included.
    pub request_timeout_ms: u64,
    /// Requests of this process under way at once; more wait.
    pub requests: usize,
    /// Bytes of writes of this process under way at once; more wait.
    pub write_bytes: usize,
    /// The longest write to one partition of one table, which is one request; longer ones are refused. The cluster's own limit is half a
    /// segment of its commit log, 16 MiB unless configured.
    pub batch_bytes: usize,
}

/// How many copies must answer. Each makes sure that what was written is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consistency {
    /// Most copies of the datacenter.
    LocalQuorum,
    /// Most copies of all datacenters.
    Quorum,
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct ConfigError {
    pub field: &'static str,
    pub rule: &'static str,
}

impl Default for ScyllaConfig {
    fn default() -> Self {
        Self {
            nodes: String::new(),
            datacenter: String::new(),
            username: String::new(),
            password: SecretString::default(),
            tls: false,
            tls_authorities: PathBuf::new(),
            tls_verify: true,
            keyspace: "playhead".to_owned(),
            control_keyspace: "playhead_control".to_owned(),
            replication: 3,
            consistency: Consistency::LocalQuorum,
            connect_timeout_ms: 5_000,
            request_timeout_ms: 10_000,
            requests: 256,
            write_bytes: 32 << 20,
            batch_bytes: 8 << 20,
        }
    }
}

impl ScyllaConfig {
    /// Whether a cluster is configured at all.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let require = |fine: bool, field, rule| if fine { Ok(()) } else { Err(ConfigError { field, rule }) };
        let nodes = self.nodes.is_empty() || self.node_names().iter().all(|node| is_address(node));
        require(nodes, "nodes", "must be addresses such as db-1:9042,db-2:9042")?;
        let password = self.username.is_empty() == self.password.expose_secret().is_empty();
        require(password, "password", "and username go together")?;
        let authorities = !self.tls || !self.tls_verify || !self.tls_authorities.as_os_str().is_empty();
        require(authorities, "tls_authorities", "must name a file unless tls_verify is off")?;
        let name = "must be a lower-case letter and up to 47 lower-case letters, digits and underscores";
        require(is_name(&self.keyspace), "keyspace", name)?;
        require(is_name(&self.control_keyspace), "control_keyspace", name)?;
        require(
            self.keyspace != self.control_keyspace,
            "control_keyspace",
            "must be another one than keyspace",
        )?;
        require((1..=9).contains(&self.replication), "replication", "must be 1 to 9")?;
        let timeout = "must be between 100 and two minutes";
        require((100..=120_000).contains(&self.connect_timeout_ms), "connect_timeout_ms", timeout)?;
        require((100..=120_000).contains(&self.request_timeout_ms), "request_timeout_ms", timeout)?;
        require((1..=16_384).contains(&self.requests), "requests", "must be 1 to 16384")?;
        // A row of the greatest length with its key must fit.
        let batch = (2 << 20..=16 << 20).contains(&self.batch_bytes);
        require(batch, "batch_bytes", "must be between 2 MiB and 16 MiB")?;
        let write = (self.batch_bytes..=1 << 30).contains(&self.write_bytes);
        require(write, "write_bytes", "must be between batch_bytes and 1 GiB")
    }

    pub(super) fn node_names(&self) -> Vec<&str> {
        self.nodes.split(',').map(str::trim).collect()
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_host = !host.is_empty() && !host.contains([' ', '/', '@']);
        is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Such names need no quotes in CQL.
fn is_name(text: &str) -> bool {
    let is_inner =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    text.len() <= 48 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_use_no_cluster() {
        assert_eq!(ScyllaConfig::default().validate(), Ok(()));
        assert!(!ScyllaConfig::default().is_used());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let with = |change: fn(&mut ScyllaConfig)| {
            let mut config = ScyllaConfig { nodes: "db:9042".to_owned(), ..ScyllaConfig::default() };
            change(&mut config);
            config.validate()
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|config| config.nodes = "a:1, [::1]:9042".to_owned()), Ok(()));
        type Change = fn(&mut ScyllaConfig);
        let refused: [(&str, Change); 10] = [
            ("nodes", |config| config.nodes = "db".to_owned()),
            ("nodes", |config| config.nodes = "db:9042,".to_owned()),
            ("password", |config| config.username = "playhead".to_owned()),
            ("tls_authorities", |config| config.tls = true),
            ("keyspace", |config| config.keyspace = "a; DROP".to_owned()),
            ("control_keyspace", |config| config.control_keyspace = "playhead".to_owned()),
            ("replication", |config| config.replication = 0),
            ("request_timeout_ms", |config| config.request_timeout_ms = 0),
            ("batch_bytes", |config| config.batch_bytes = 1 << 20),
            ("write_bytes", |config| config.write_bytes = 4 << 20),
        ];
        for (field, change) in refused {
            assert_eq!(with(change).unwrap_err().field, field);
        }
    }

    #[test]
    fn a_password_is_read_and_never_shown() {
        let config: ScyllaConfig =
            serde_json::from_str(r#"{"username": "u", "password": "hunter2"}"#).unwrap();
        assert_eq!(config.password.expose_secret(), "hunter2");
        assert!(!format!("{config:?} {}", serde_json::to_string(&config).unwrap()).contains("hunter2"));
        assert!(serde_json::from_str::<ScyllaConfig>(r#"{"pasword": "x"}"#).is_err());
    }
}
