//! Questions to the brokers, by a client of their own.
//!
//! A broker answers one request of a connection after the other. While one broker of several is lost, the others hold what they are
//! sent until they know that it is, so that a question behind a record would wait as long, and look like an outage.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer as _;

use super::Client;
use super::link::create;
use crate::log::kafka::connectivity::Connectivity;

/// The client that asks.
pub(super) struct Questions {
    config: ClientConfig,
    connectivity: Arc<Connectivity>,
    client: RwLock<Arc<Client>>,
}

impl Questions {
    pub(super) fn new(config: ClientConfig, connectivity: Arc<Connectivity>) -> Result<Self, KafkaError> {
        let client = RwLock::new(create(&config, &connectivity)?);
        Ok(Self { config, connectivity, client })
    }

    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.read())
    }

    /// Hands on the errors that the client has met.
    pub(super) fn serve_errors(&self) {
        self.client().poll(Duration::ZERO);
    }

    /// Whether any broker answers. Takes up to twice the time-out, half of it for one broker that the client prefers and that may be
    /// the very one that is lost, the other half for whichever answers a new client first.
    pub(super) fn ask(&self, topic: Option<&str>, timeout: Duration) -> bool {
        let client = self.client();
        if answers(&client, topic, timeout) {
            return true;
        }
        client.poll(Duration::ZERO);
        let new = match create(&self.config, &self.connectivity) {
            Ok(new) => new,
            Err(error) => {
                tracing::error!(%error, "no further Kafka client can be made");
                return false;
            }
        };
        let is_answered = answers(&new, topic, timeout);
        new.poll(Duration::ZERO);
        if is_answered {
            *self.client.write() = new;
        }
        is_answered
    }
}

fn answers(client: &Client, topic: Option<&str>, timeout: Duration) -> bool {
    match client.client().fetch_metadata(topic, timeout) {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%error, "no Kafka broker answered a question");
            false
        }
    }
}
