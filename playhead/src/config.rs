//! The configuration: defaults, then a file, then `PLAYHEAD_*` variables, then the command line. Checked whole before
//! anything is opened.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use playhead_backends::blobs::BlobsConfig;
use playhead_backends::log::embedded::LogConfig;
use playhead_backends::log::kafka::KafkaConfig;
use playhead_backends::store::embedded::StoreConfig;
use playhead_backends::store::scylla::ScyllaConfig;
use playhead_domain::log::generation::MAX_GENERATION;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::role::Role;
use crate::telemetry::Telemetry;

/// Variables that are not settings: secrets, which no file should hold, and names that tools use.
const NOT_SETTINGS: [&str; 6] =
    ["admin_token", "installation_key", "config", "binary", "write_openapi", "write_reference"];
/// Beginnings of variables that are about the services of `make services`, which tests and the product may run beside.
const OF_TESTS: [&str; 2] = ["test_", "services_"];
const MIN_TOKEN_CHARACTERS: usize = 16;

/// Everything that can be set, section by section.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Folder that holds everything; created when missing.
    pub(crate) data: PathBuf,
    /// Address and port to listen on.
    pub(crate) listen: SocketAddr,
    /// Where browsers reach this installation (`https://playhead.example`); empty: `http://` and the address it listens on.
    pub(crate) public_url: String,
    /// Where pages send their batches and load the script from, when that is another address than `public_url`.
    pub(crate) ingest_url: String,
    /// Serve the demo shop at /demo.
    pub(crate) demo: bool,
    /// Threads that serve requests; 0: one per core. `playhead up` has as many again that process what came in, and yield to these.
    pub(crate) worker_threads: usize,
    pub(crate) http: Http,
    pub(crate) telemetry: Telemetry,
    pub(crate) batches: Batches,
    pub(crate) gateway: playhead_gateway::Config,
    pub(crate) processor: playhead_stream_processor::Config,
    pub(crate) query_api: playhead_query_api::Config,
    pub(crate) log: LogConfig,
    pub(crate) store: StoreConfig,
    pub(crate) kafka: KafkaConfig,
    pub(crate) scylla: ScyllaConfig,
    pub(crate) blobs: BlobsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("playhead-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            public_url: String::new(),
            ingest_url: String::new(),
            demo: true,
            worker_threads: 0,
            http: Http::default(),
            telemetry: Telemetry::default(),
            batches: Batches::default(),
            gateway: playhead_gateway::Config::default(),
            processor: playhead_stream_processor::Config::default(),
            query_api: playhead_query_api::Config::default(),
            log: LogConfig::default(),
            store: StoreConfig::default(),
            kafka: KafkaConfig::default(),
            scylla: ScyllaConfig::default(),
            blobs: BlobsConfig::default(),
        }
    }
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Connections open at once; further ones wait to be accepted.
    pub(crate) max_connections: usize,
    /// How long a connection may take to send the head of a request.
    pub(crate) header_timeout_ms: u64,
    /// How long a stop waits for requests under way.
    pub(crate) drain_timeout_ms: u64,
    /// How long a stop goes on serving after `/readyz` has begun to say no, so that load balancers notice first.
    pub(crate) shutdown_delay_ms: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            header_timeout_ms: 10_000,
            drain_timeout_ms: 5_000,
            shutdown_delay_ms: 0,
        }
    }
}

/// The topic of batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Batches {
    /// Partitions; cannot change within a generation.
    pub(crate) partitions: u32,
    /// Raised by one to go on with an empty topic: when the last one was lost, or to change `partitions`. Never lowered.
    pub(crate) generation: u32,
    /// How long the log keeps batches; what was processed does not need them any more.
    pub(crate) retention_hours: u32,
}

impl Default for Batches {
    fn default() -> Self {
        Self { partitions: 4, generation: 0, retention_hours: 24 }
    }
}

/// What the command line says.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) demo: Option<bool>,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub(crate) fn load(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                bail!("the configuration file {} is not there", file.display());
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let variables = Env::prefixed("PLAYHEAD_").ignore(&NOT_SETTINGS);
        let variables = variables.filter(|name| !OF_TESTS.iter().any(|prefix| name.starts_with(prefix)));
        let figment = figment.merge(variables.split("__")).merge(Serialized::defaults(overrides));
        let config: Self = figment.extract().context("the configuration is not valid")?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        self.telemetry.validate()?;
        self.gateway.validate().context("gateway")?;
        self.processor.validate().context("processor")?;
        self.query_api.validate().map_err(anyhow::Error::msg).context("query_api")?;
        if !(1..=1_024).contains(&self.batches.partitions) {
            bail!("batches.partitions must be 1 to 1024");
        }
        if self.batches.generation > MAX_GENERATION {
            bail!("batches.generation must be at most {MAX_GENERATION}");
        }
        if self.batches.retention_hours == 0 {
            bail!("batches.retention_hours must be at least 1");
        }
        if self.http.max_connections == 0 || self.http.header_timeout_ms == 0 {
            bail!("http.max_connections and http.header_timeout_ms must be at least 1");
        }
        if self.http.shutdown_delay_ms > 300_000 {
            bail!("http.shutdown_delay_ms must be at most 300000");
        }
        if self.worker_threads > 1_024 {
            bail!("worker_threads must be at most 1024");
        }
        self.kafka.validate().context("kafka")?;
        self.scylla.validate().context("scylla")?;
        self.blobs.validate().context("blobs")?;
        validate_url("public_url", &self.public_url)?;
        validate_url("ingest_url", &self.ingest_url)
    }

    /// Checks that a process of its own has what it shares with the others.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub(crate) fn validate_for(&self, role: Role) -> anyhow::Result<()> {
        if role == Role::All {
            return Ok(());
        }
        let name = role.name();
        if !self.kafka.is_used() {
            bail!("{name} runs apart from the other services only over a shared log: set kafka.brokers");
        }
        if !role.needs_store() {
            return Ok(());
        }
        if !self.scylla.is_used() {
            bail!("{name} runs apart from the other services only over a shared store: set scylla.nodes");
        }
        if self.blobs.url.is_empty() {
            bail!("{name} runs apart from the other services only over shared blobs: set blobs.url");
        }
        Ok(())
    }

    /// Where pages send batches, without a slash at the end.
    pub(crate) fn ingest_url(&self) -> String {
        if self.ingest_url.is_empty() { self.public_url() } else { self.ingest_url.clone() }
    }

    /// Where browsers reach this installation, without a slash at the end.
    pub(crate) fn public_url(&self) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.clone();
        }
        let port = self.listen.port();
        // What listens everywhere is reached here by the loopback address.
        if self.listen.ip().is_unspecified() {
            format!("http://127.0.0.1:{port}")
        } else {
            format!("http://{}", self.listen)
        }
    }
}

fn validate_url(name: &str, url: &str) -> anyhow::Result<()> {
    let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fine =
        authority.is_some_and(|text| !text.is_empty() && !text.contains(['/', '?', '#', '"', '<', '>', ' ']));
    if url.is_empty() || fine {
        return Ok(());
    }
    bail!("{name} must be a scheme and a host such as https://playhead.example, without a path");
}

/// A secret from the environment, if it is set.
///
/// # Errors
/// When it is too short to be one.
pub(crate) fn secret(name: &str) -> anyhow::Result<Option<SecretString>> {
    match std::env::var(name) {
        Ok(value) if value.chars().count() < MIN_TOKEN_CHARACTERS => {
            bail!("{name} must have at least {MIN_TOKEN_CHARACTERS} characters")
        }
        Ok(value) => Ok(Some(value.into())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{name} is not text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("playhead.toml");
        std::fs::write(&file, toml).unwrap();
        Config::load(Some(&file), &Overrides::default())
    }

    #[test]
    fn a_file_overrides_defaults_and_the_command_line_overrides_the_file() {
        let config = load("listen = \"127.0.0.1:9\"\n[processor]\nflush_interval_ms = 500\n").unwrap();
        assert_eq!((config.listen.port(), config.processor.flush_interval_ms), (9, 500));
        let overrides = Overrides { listen: Some("127.0.0.1:10".parse().unwrap()), ..Overrides::default() };
        assert_eq!(Config::load(None, &overrides).unwrap().listen.port(), 10);
    }

    #[test]
    fn a_process_of_its_own_needs_what_it_shares() {
        let kafka = "[kafka]\nbrokers = \"127.0.0.1:9092\"\n";
        let scylla = "[scylla]\nnodes = \"127.0.0.1:9042\"\n";
        let blobs = "[blobs]\nurl = \"s3://recordings\"\n";
        for (toml, role, missing) in [
            (String::new(), Role::Gateway, Some("kafka.brokers")),
            (kafka.to_owned(), Role::Gateway, None),
            (kafka.to_owned(), Role::StreamProcessor, Some("scylla.nodes")),
            (format!("{kafka}{scylla}"), Role::QueryApi, Some("blobs.url")),
            (format!("{kafka}{scylla}{blobs}"), Role::QueryApi, None),
            (String::new(), Role::All, None),
        ] {
            let refusal = load(&toml).unwrap().validate_for(role).err().map(|error| error.to_string());
            match (missing, &refusal) {
                (None, None) => {}
                (Some(name), Some(text)) => assert!(text.contains(name), "{text}"),
                _ => panic!("{toml}: {refusal:?}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (toml, name) in [
            ("listne = 1", "listne"),
            ("[gateway]\nno_such_setting = 1", "no_such_setting"),
            ("[processor]\nflush_interval_ms = 0", "flush_interval_ms"),
            ("[batches]\npartitions = 0", "batches.partitions"),
            ("public_url = \"shop\"", "public_url"),
            ("listen = 5", "listen"),
            ("[blobs]\nurl = \"ftp://host/x\"", "blobs: url"),
            ("[blobs]\nsecret_access_key = 5", "secret_access_key"),
        ] {
            let error = format!("{:#}", load(toml).unwrap_err());
            assert!(error.contains(name), "{error}");
        }
        let missing = Config::load(Some(Path::new("/nowhere.toml")), &Overrides::default()).unwrap_err();
        assert!(missing.to_string().contains("/nowhere.toml"));
    }
}
