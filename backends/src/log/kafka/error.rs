//! What Kafka's errors mean to the port.

use playhead_domain::log::Error;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// For what may go well later.
pub(super) fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// A question about a partition of a topic that was made sure of.
pub(super) fn of_request(error: &KafkaError, topic: &str, partition: u32) -> Error {
    match error.rdkafka_error_code() {
        Some(code) => of_code(code, topic, partition),
        None => unavailable(error),
    }
}

/// What a code means of a partition of a topic that was made sure of.
pub(super) fn of_code(code: RDKafkaErrorCode, topic: &str, partition: u32) -> Error {
    use RDKafkaErrorCode as Code;
    match code {
        // It was there at the start: brokers that come back answer before they know all that they have.
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => Error::Unavailable(
            format!("the brokers do not know partition {partition} of {topic}; was it deleted?"),
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_that_do_not_know_a_topic_yet_are_asked_again() {
        use RDKafkaErrorCode as Code;
        for code in [Code::UnknownTopic, Code::UnknownTopicOrPartition, Code::UnknownPartition] {
            let error = of_code(code, "projects", 0);
            assert!(error.is_retryable() && error.to_string().contains("projects"), "{error}");
        }
        assert!(!of_code(Code::BadMessage, "projects", 0).is_retryable());
    }
}
