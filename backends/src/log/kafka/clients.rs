//! The library's settings for each kind of client.

use std::time::Duration;

use rdkafka::ClientConfig;
use secrecy::ExposeSecret;

use super::config::KafkaConfig;

/// How long a group waits for its members in a rebalance. A consumer's own thread answers much faster.
pub(super) const REBALANCE_TIMEOUT_MS: u64 = 60_000;
/// Heartbeats within a session's time-out. A change of the group is noticed at the next one.
const HEARTBEATS: u64 = 6;
/// Brokers gather so much for a fetch, unless that takes them longer than `fetch_wait_ms`: fewer requests when there is much to read.
const FETCH_MIN_BYTES: usize = 64 << 10;

impl KafkaConfig {
    pub(super) const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The Kafka topic or group of a name.
    pub(super) fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What every client needs.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "playhead")
            .set("security.protocol", self.security_protocol.name())
            .set("socket.keepalive.enable", "true")
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            // Brokers that come back are found within a second.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            // The default waits for that long before it says that a topic is not there.
            .set("topic.metadata.propagation.max.ms", "10000");
        if self.security_protocol.is_sasl() {
            client
                .set("sasl.mechanism", self.sasl_mechanism.name())
                .set("sasl.username", &self.sasl_username)
                .set("sasl.password", self.sasl_password.expose_secret());
        }
        for (setting, path) in [
            ("ssl.ca.location", self.ssl_ca_location.as_str()),
            ("ssl.certificate.location", &self.ssl_certificate_location),
            ("ssl.key.location", &self.ssl_key_location),
            ("ssl.key.password", self.ssl_key_password.expose_secret()),
        ] {
            if !path.is_empty() {
                client.set(setting, path);
            }
        }
        client
    }

    pub(super) fn producer(&self) -> ClientConfig {
        let mut client = self.client();
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("max.in.flight.requests.per.connection", "5")
            .set("message.timeout.ms", self.delivery_timeout_ms.to_string())
            // A leader that froze is left in time for its successor to be asked.
            .set("request.timeout.ms", (self.delivery_timeout_ms / 2).to_string())
            .set("linger.ms", self.linger_ms.to_string())
            .set("batch.size", self.batch_bytes.to_string())
            // Payloads are compressed already.
            .set("compression.type", "none")
            // What a topic takes is checked per topic, before a record comes here.
            .set("message.max.bytes", "1000000000")
            // The budget bounds bytes and, as each record is charged for its overhead, the number of records.
            .set("queue.buffering.max.messages", "0")
            .set("queue.buffering.max.kbytes", (self.buffer_bytes / 1_024 + 1_024).to_string());
        client
    }

    /// Asks, and sends nothing. It keeps a connection to every broker, so that one that answers is found although others do not.
    pub(super) fn questions(&self) -> ClientConfig {
        let mut client = self.client();
        client.set("enable.sparse.connections", "false");
        client
    }

    pub(super) fn group_consumer(&self, group: &str) -> ClientConfig {
        // What has been fetched and not been taken over yet is behind everything else: it is kept short, so that a full
        // partition delays the others little.
        let queued = (self.fetch_bytes / 8).max(256 << 10);
        let mut client = self.consumer(group, queued, self.fetch_partition_bytes);
        client
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", self.session_timeout_ms.to_string())
            .set("heartbeat.interval.ms", (self.session_timeout_ms / HEARTBEATS).to_string())
            .set("max.poll.interval.ms", REBALANCE_TIMEOUT_MS.max(self.session_timeout_ms).to_string());
        client
    }

    pub(super) fn reader(&self) -> ClientConfig {
        // It never joins its group, but the library wants one to be named.
        let mut client = self.consumer(&self.full_name("readers"), self.read_bytes, self.read_bytes);
        client.set("enable.partition.eof", "true");
        client
    }

    fn consumer(&self, group: &str, queued_bytes: usize, partition_bytes: usize) -> ClientConfig {
        let mut client = self.client();
        client
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Only for offsets that retention has taken since: seeks check the range before.
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false")
            // A bound of what is sent, which must not be over what is fetched.
            .set("message.max.bytes", "1000")
            .set("check.crcs", "true")
            .set("queued.max.messages.kbytes", (queued_bytes / 1_024).to_string())
            .set("max.partition.fetch.bytes", partition_bytes.to_string())
            .set("fetch.max.bytes", (self.fetch_bytes / 4).max(partition_bytes).to_string())
            .set("fetch.wait.max.ms", self.fetch_wait_ms.to_string())
            .set("fetch.min.bytes", FETCH_MIN_BYTES.to_string())
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.error.backoff.ms", "100");
        client
    }
}

#[cfg(test)]
mod tests {
    use crate::log::kafka::config::KafkaConfig;
    use crate::log::kafka::config::tests::used;
    use crate::log::kafka::security::SecurityProtocol;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;

    /// The library checks its settings against each other when a client is made.
    #[test]
    fn the_library_takes_every_valid_configuration() {
        let mut least = KafkaConfig { brokers: "127.0.0.1:1".to_owned(), prefix: String::new(), ..used() };
        (least.replication, least.min_insync_replicas, least.readers) = (1, 1, 1);
        (least.linger_ms, least.batch_bytes, least.buffer_bytes) = (0, 1 << 10, 4 << 20);
        (least.delivery_timeout_ms, least.request_timeout_ms, least.session_timeout_ms) = (1_000, 100, 3_000);
        (least.fetch_bytes, least.fetch_partition_bytes, least.fetch_wait_ms) = (1 << 20, 1 << 10, 1);
        least.read_bytes = 1 << 20;
        let mut most = KafkaConfig { brokers: "127.0.0.1:1".to_owned(), ..used() };
        (most.linger_ms, most.batch_bytes, most.buffer_bytes) = (1_000, 64 << 20, 1 << 40);
        (most.delivery_timeout_ms, most.request_timeout_ms, most.session_timeout_ms) =
            (300_000, 60_000, 300_000);
        (most.fetch_bytes, most.fetch_partition_bytes, most.fetch_wait_ms) = (256 << 20, 64 << 20, 5_000);
        most.read_bytes = 64 << 20;
        let mut signed_in = least.clone();
        signed_in.security_protocol = SecurityProtocol::SaslPlaintext;
        (signed_in.sasl_username, signed_in.sasl_password) = ("playhead".to_owned(), "secret".into());
        for config in [least, most, signed_in] {
            config.validate().unwrap();
            config.producer().create::<BaseProducer>().unwrap();
            config.questions().create::<BaseProducer>().unwrap();
            config.group_consumer("group").create::<BaseConsumer>().unwrap();
            config.reader().create::<BaseConsumer>().unwrap();
        }
    }

    #[test]
    fn security_reaches_the_library() {
        let mut config = used();
        config.security_protocol = SecurityProtocol::SaslSsl;
        config.sasl_username = "playhead".to_owned();
        config.sasl_password = "secret".into();
        let certificates = tempfile::NamedTempFile::new().unwrap();
        config.ssl_ca_location = certificates.path().display().to_string();
        config.validate().unwrap();
        for client in [config.producer(), config.group_consumer("group"), config.reader(), config.client()] {
            for (setting, value) in [
                ("security.protocol", "sasl_ssl"),
                ("sasl.mechanism", "SCRAM-SHA-512"),
                ("sasl.username", "playhead"),
                ("sasl.password", "secret"),
                ("ssl.ca.location", &config.ssl_ca_location),
            ] {
                assert_eq!(client.get(setting), Some(value));
            }
        }
    }
}
