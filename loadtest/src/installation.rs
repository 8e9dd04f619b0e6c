//! An installation in the scaled shape: gateways, stream-processors and a query-api as processes over real Kafka, Cassandra and S3,
//! with topics, tables and objects that nobody else uses.

pub(crate) mod fleet;
pub(crate) mod member;
pub(crate) mod metrics;
pub(crate) mod services;
pub(crate) mod stage;
