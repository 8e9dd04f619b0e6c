//! Where an installation lives: its own topics, tables and objects on shared services, and the settings that say so.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};

use super::member::{self, Recipe};
use super::services::Services;

/// Partitions of the topic of batches.
pub(crate) const PARTITIONS: u32 = 8;
pub(crate) const ADMIN_TOKEN: &str = "loadtest-admin-token-0123456789abcdef";
const COMMAND_LIMIT: Duration = Duration::from_secs(180);

/// Names and settings of an installation's processes.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    binary: PathBuf,
    /// Logs of the processes.
    pub(crate) folder: PathBuf,
    /// Goes into the names of topics, tables and objects; small letters and digits.
    pub(crate) name: String,
    environment: Vec<(String, String)>,
    /// Settings of whoever starts it, last: they win.
    settings: Vec<(String, String)>,
}

impl Stage {
    pub(crate) fn new(
        binary: PathBuf,
        folder: PathBuf,
        scenario: &str,
        services: &Services,
        settings: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let name = format!("{}{:06x}", scenario.replace('-', ""), rand::random::<u32>() >> 8);
        let mut stage = Self { binary, folder, name, environment: Vec::new(), settings };
        stage.environment = stage.of_services(services)?;
        Ok(stage)
    }

    fn of_services(&self, services: &Services) -> anyhow::Result<Vec<(String, String)>> {
        let name = &self.name;
        let key: String = (0..4).map(|_| format!("{:016x}", rand::random::<u64>())).collect();
        let set = |name: &str, value: String| (name.to_owned(), value);
        let mut environment = vec![
            set("PLAYHEAD_INSTALLATION_KEY", key),
            set("PLAYHEAD_ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
            set("PLAYHEAD_KAFKA__BROKERS", services.get("PLAYHEAD_TEST_KAFKA")?.to_owned()),
            set("PLAYHEAD_KAFKA__PREFIX", format!("{name}-")),
            set("PLAYHEAD_SCYLLA__NODES", services.get("PLAYHEAD_TEST_CQL")?.to_owned()),
            set("PLAYHEAD_SCYLLA__KEYSPACE", self.keyspaces().0),
            set("PLAYHEAD_SCYLLA__CONTROL_KEYSPACE", self.keyspaces().1),
            set("PLAYHEAD_SCYLLA__REPLICATION", "1".to_owned()),
            set("PLAYHEAD_BLOBS__URL", format!("s3://{}/{name}", services.get("PLAYHEAD_TEST_S3_BUCKET")?)),
            set("PLAYHEAD_BLOBS__ENDPOINT", services.get("PLAYHEAD_TEST_S3_ENDPOINT")?.to_owned()),
            set("PLAYHEAD_BATCHES__PARTITIONS", PARTITIONS.to_string()),
        ];
        environment.extend(services.starting_with("AWS_"));
        Ok(environment)
    }

    /// Of versioned rows, and of conditionally written ones.
    pub(crate) fn keyspaces(&self) -> (String, String) {
        (self.name.clone(), format!("{}_control", self.name))
    }

    /// How to start a process of a role on a port of its own.
    pub(crate) fn recipe(&self, role: &str, name: &str) -> anyhow::Result<Recipe> {
        let listen = free_address()?;
        Ok(Recipe {
            name: name.to_owned(),
            binary: self.binary.clone(),
            // As an installation's shares of processors would have it: who acknowledges goes first, what shows it may follow.
            yields: role != "gateway",
            arguments: vec![role.to_owned(), "--listen".to_owned(), listen.clone()],
            environment: self.environment.iter().chain(&self.settings).cloned().collect(),
            listen,
            log: self.folder.join(format!("{name}.log")),
            pid_file: self.folder.join(format!("{name}.pid")),
        })
    }

    /// A command such as `playhead migrate`, to its end.
    pub(crate) async fn run(&self, command: &str) -> anyhow::Result<()> {
        let path = self.folder.join(format!("{command}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
        let mut child = member::command(&self.binary)
            .arg(command)
            .envs(self.environment.iter().chain(&self.settings).cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let status = tokio::time::timeout(COMMAND_LIMIT, child.wait()).await;
        let status = status.with_context(|| format!("{command} hangs; see {}", path.display()))??;
        if !status.success() {
            bail!("{command} ended with {status}; see {}", path.display());
        }
        Ok(())
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_address() -> anyhow::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
