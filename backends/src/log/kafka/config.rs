//! How Kafka is reached, and the bounds of what a process holds for it.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::clients::REBALANCE_TIMEOUT_MS;
use super::security::{SaslMechanism, SecurityProtocol};

/// How Kafka is reached, and the bounds of what a process holds for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaConfig {
    /// Brokers to start from, `host:port`, separated by commas. Empty: Kafka is not used.
    pub brokers: String,
    /// What the names of topics and groups begin with. Installations that share a cluster need different ones.
    pub prefix: String,
    /// How connections are secured: `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    pub security_protocol: SecurityProtocol,
    /// How the process proves who it is: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`. Used by the `sasl_` protocols.
    pub sasl_mechanism: SaslMechanism,
    /// The name to sign in with.
    pub sasl_username: String,
    /// The password to sign in with; better set by its variable than in a file. Never printed.
    #[serde(with = "playhead_domain::secret")]
    pub sasl_password: SecretString,
    /// File with the certificates that brokers are checked against (PEM); empty: the system's.
    pub ssl_ca_location: String,
    /// File with this client's certificate (PEM), where brokers ask for one.
    pub ssl_certificate_location: String,
    /// File with the key of this client's certificate (PEM).
    pub ssl_key_location: String,
    /// The password of that key, if it has one. Never printed.
    #[serde(with = "playhead_domain::secret")]
    pub ssl_key_password: SecretString,
    /// Copies of every record in topics that this program creates; existing topics must have as many.
    pub replication: u32,
    /// Copies that must be written before a record counts as durable.
    pub min_insync_replicas: u32,
    /// How long a record waits for others to be sent along.
    pub linger_ms: u64,
    /// Bytes of records that are sent as one, at most (but at least one record).
    pub batch_bytes: usize,
    /// Bytes of records that may wait to become durable; more are refused as busy.
    pub buffer_bytes: usize,
    /// How long a record may wait to become durable before it is given up. Kafka takes `broker.session.timeout.ms` (9 s) to replace a
    /// broker that is lost, and some seconds more if it was the active controller: less than that makes its loss felt.
    pub delivery_timeout_ms: u64,
    /// Brokers that do not answer for so long are away: what waits is given up, and records are refused until they are back.
    pub outage_after_ms: u64,
    /// A partition that acknowledges nothing for so long takes no further records until it does. As long as `delivery_timeout_ms`, so
    /// that the loss of one broker refuses nothing.
    pub stall_after_ms: u64,
    /// How long a question to the brokers (offsets, topics, reads) may take.
    pub request_timeout_ms: u64,
    /// A consumer that is silent for so long loses its partitions to others.
    pub session_timeout_ms: u64,
    /// How long a rebalance waits until the processor has been told what was taken from it.
    pub revoke_grace_ms: u64,
    /// Bytes of records that a consumer holds ready; about half as much again is on its way.
    pub fetch_bytes: usize,
    /// Bytes of one partition that one request asks for.
    pub fetch_partition_bytes: usize,
    /// How long brokers hold a request for records while there are less than 64 KiB.
    pub fetch_wait_ms: u64,
    /// Reads without a group that run at once; further ones wait their turn.
    pub readers: usize,
    /// Bytes that a read without a group holds ready.
    pub read_bytes: usize,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            prefix: "playhead-".to_owned(),
            security_protocol: SecurityProtocol::Plaintext,
            sasl_mechanism: SaslMechanism::ScramSha512,
            sasl_username: String::new(),
            sasl_password: SecretString::default(),
            ssl_ca_location: String::new(),
            ssl_certificate_location: String::new(),
            ssl_key_location: String::new(),
            ssl_key_password: SecretString::default(),
            replication: 3,
            min_insync_replicas: 2,
            linger_ms: 5,
            batch_bytes: 1_000_000,
            buffer_bytes: 64 << 20,
            delivery_timeout_ms: 20_000,
            outage_after_ms: 2_000,
            stall_after_ms: 20_000,
            request_timeout_ms: 5_000,
            session_timeout_ms: 6_000,
            revoke_grace_ms: 2_000,
            fetch_bytes: 16 << 20,
            fetch_partition_bytes: 1 << 20,
            fetch_wait_ms: 100,
            readers: 8,
            read_bytes: 4 << 20,
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kafka.{field}: {detail}")]
pub struct ConfigError {
    pub field: &'static str,
    pub detail: String,
}

impl KafkaConfig {
    /// Whether there is a Kafka to use.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.brokers.trim().is_empty()
    }

    /// Checks the settings, against each other too.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !self.is_used() {
            return Ok(());
        }
        self.validate_names()?;
        self.validate_security()?;
        let within = |field, value: u64, least: u64, most: u64| {
            let detail = format!("is {value}, must be {least} to {most}");
            if (least..=most).contains(&value) { Ok(()) } else { Err(ConfigError { field, detail }) }
        };
        within("replication", self.replication.into(), 1, 100)?;
        within("min_insync_replicas", self.min_insync_replicas.into(), 1, self.replication.into())?;
        within("linger_ms", self.linger_ms, 0, 1_000)?;
        within("batch_bytes", self.batch_bytes as u64, 1 << 10, 64 << 20)?;
        within("buffer_bytes", self.buffer_bytes as u64, 4 << 20, 1 << 40)?;
        within("delivery_timeout_ms", self.delivery_timeout_ms, self.linger_ms.max(1_000), 300_000)?;
        within("outage_after_ms", self.outage_after_ms, 100, 60_000)?;
        within("stall_after_ms", self.stall_after_ms, 100, 60_000)?;
        within("request_timeout_ms", self.request_timeout_ms, 100, 60_000)?;
        within("session_timeout_ms", self.session_timeout_ms, 3_000, 300_000)?;
        within("revoke_grace_ms", self.revoke_grace_ms, 0, REBALANCE_TIMEOUT_MS / 2)?;
        within("fetch_bytes", self.fetch_bytes as u64, 1 << 20, 4 * MAX_FETCH_BYTES)?;
        let partition_bytes = (self.fetch_bytes as u64).min(MAX_FETCH_BYTES);
        within("fetch_partition_bytes", self.fetch_partition_bytes as u64, 1 << 10, partition_bytes)?;
        within("fetch_wait_ms", self.fetch_wait_ms, 1, 5_000)?;
        within("readers", self.readers as u64, 1, 256)?;
        within("read_bytes", self.read_bytes as u64, 1 << 20, MAX_FETCH_BYTES)
    }

    fn validate_names(&self) -> Result<(), ConfigError> {
        let fine = |broker: &str| {
            let (host, port) = broker.trim().rsplit_once(':').unwrap_or_default();
            !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        if let Some(wrong) = self.brokers.split(',').find(|broker| !fine(broker)) {
            let detail = format!("{wrong:?} is not host:port");
            return Err(ConfigError { field: "brokers", detail });
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if self.prefix.len() > 100 || !self.prefix.bytes().all(legal) {
            let detail = "may hold at most 100 letters, digits, dots, dashes and underscores".to_owned();
            return Err(ConfigError { field: "prefix", detail });
        }
        Ok(())
    }

    fn validate_security(&self) -> Result<(), ConfigError> {
        let refuse = |field, detail: &str| Err(ConfigError { field, detail: detail.to_owned() });
        let protocol = self.security_protocol;
        if protocol.is_sasl() && self.sasl_username.is_empty() {
            return refuse("sasl_username", "is empty, but the security protocol signs in");
        }
        if protocol.is_sasl() && self.sasl_password.expose_secret().is_empty() {
            return refuse("sasl_password", "is empty, but the security protocol signs in");
        }
        if !protocol.is_sasl() && !self.sasl_username.is_empty() {
            return refuse("sasl_username", "is set, but the security protocol does not sign in");
        }
        for (field, path) in [
            ("ssl_ca_location", &self.ssl_ca_location),
            ("ssl_certificate_location", &self.ssl_certificate_location),
            ("ssl_key_location", &self.ssl_key_location),
        ] {
            if !path.is_empty() && !protocol.is_ssl() {
                return refuse(field, "is set, but the security protocol does not encrypt");
            }
            if !path.is_empty() && !std::path::Path::new(path).is_file() {
                return Err(ConfigError { field, detail: format!("there is no file {path}") });
            }
        }
        if self.ssl_certificate_location.is_empty() != self.ssl_key_location.is_empty() {
            return refuse("ssl_key_location", "a certificate and its key go together");
        }
        Ok(())
    }
}

/// The largest answer that a consumer may ask for; the library takes no more than 100 MB.
const MAX_FETCH_BYTES: u64 = 64 << 20;
#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::log::kafka) fn used() -> KafkaConfig {
        KafkaConfig { brokers: "one:9092, two:9092".to_owned(), ..KafkaConfig::default() }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        type Change = fn(&mut KafkaConfig);
        let wrong: [(&str, Change); 9] = [
            ("brokers", |config| config.brokers = "one".to_owned()),
            ("prefix", |config| config.prefix = "a/b".to_owned()),
            ("min_insync_replicas", |config| config.min_insync_replicas = 4),
            ("replication", |config| config.replication = 0),
            ("sasl_username", |config| config.security_protocol = SecurityProtocol::SaslSsl),
            ("ssl_ca_location", |config| config.ssl_ca_location = "/nowhere.pem".to_owned()),
            ("fetch_partition_bytes", |config| config.fetch_partition_bytes = 1 << 30),
            ("linger_ms", |config| config.linger_ms = 5_000),
            ("buffer_bytes", |config| config.buffer_bytes = 0),
        ];
        used().validate().unwrap();
        KafkaConfig::default().validate().unwrap();
        for (field, change) in wrong {
            let mut config = used();
            change(&mut config);
            assert_eq!(config.validate().unwrap_err().field, field);
        }
    }

    #[test]
    fn passwords_are_read_but_never_written() {
        let text = r#"{"brokers": "one:9092", "sasl_password": "hunter2", "security_protocol": "sasl_ssl"}"#;
        let config: KafkaConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.sasl_password.expose_secret(), "hunter2");
        for written in [serde_json::to_string(&config).unwrap(), format!("{config:?}")] {
            assert!(!written.contains("hunter2"), "{written}");
        }
        assert!(serde_json::from_str::<KafkaConfig>(r#"{"properties": {}}"#).is_err());
    }
}
