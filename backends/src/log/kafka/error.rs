//! What Kafka's errors mean to the port.

use playhead_domain::log::Error;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// For what may go well later.
pub(super) fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// A question about a topic or a partition that failed.
pub(super) fn of_request(error: &KafkaError, topic: &str, partition: u32) -> Error {
    match error.rdkafka_error_code() {
        Some(code) => of_code(code, topic, partition),
        None => unavailable(error),
    }
}

pub(super) fn of_code(code: RDKafkaErrorCode, topic: &str, partition: u32) -> Error {
    use RDKafkaErrorCode as Code;
    match code {
        Code::UnknownTopic | Code::UnknownTopicOrPartition => Error::UnknownTopic(topic.to_owned()),
        Code::UnknownPartition => Error::OutOfRange { partition, offset: 0, kept: 0..0 },
        Code::QueueFull => Error::Busy("the producer's queue is full".to_owned()),
        Code::MessageTimedOut => Error::Unavailable(format!(
            "partition {partition} of {topic} did not acknowledge in time; are enough replicas in sync?"
        )),
        Code::PurgeQueue | Code::PurgeInflight => {
            Error::Unavailable("no broker answers; what waited for one was given up".to_owned())
        }
        Code::BadMessage => Error::Corrupt(format!("a record of partition {partition} of {topic}: {code}")),
        code => unavailable(explain(code)),
    }
}

/// What to do about an error, where there is something to do.
pub(super) fn explain(code: RDKafkaErrorCode) -> String {
    use RDKafkaErrorCode as Code;
    let advice = match code {
        Code::TopicAuthorizationFailed => "; grant Read, Write, Describe and DescribeConfigs on the topics",
        Code::GroupAuthorizationFailed => "; grant Read on the groups",
        Code::ClusterAuthorizationFailed => "; grant IdempotentWrite, or create the topics beforehand",
        Code::SaslAuthenticationFailed | Code::Authentication => {
            "; check kafka.sasl_mechanism, kafka.sasl_username and the password"
        }
        Code::SSL => "; check kafka.security_protocol and kafka.ssl_ca_location",
        Code::Resolve => "; check kafka.brokers",
        Code::OperationTimedOut => "; do the brokers in kafka.brokers answer?",
        Code::AllBrokersDown | Code::BrokerTransportFailure => {
            "; check kafka.brokers, kafka.security_protocol and whether they run"
        }
        Code::InvalidReplicationFactor => "; start more brokers or lower kafka.replication",
        Code::InconsistentGroupProtocol => {
            "; members of another kind are in the group: choose another kafka.prefix"
        }
        _ => "",
    };
    format!("{code}{advice}")
}
