//! Whose spans they are: what is kept of a resource.

use playhead_proto::span::instance;

use super::protobuf::{KeyValue, Scalar};

/// What tells one process of a service from the others: their clocks may disagree.
const OF_INSTANCE: [&str; 7] = [
    "service.instance.id",
    "k8s.pod.uid",
    "k8s.pod.name",
    "container.id",
    "host.id",
    "host.name",
    "process.pid",
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) service: String,
    /// Of the process. Empty where nothing tells it.
    pub(super) instance: String,
}

impl Source {
    pub(super) fn of(attributes: &[KeyValue]) -> Self {
        let scalar = |name: &str| {
            let found = attributes.iter().find(|attribute| attribute.key == name);
            found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref())
        };
        let told = OF_INSTANCE.iter().filter_map(|name| match scalar(name)? {
            Scalar::Text(text) => Some(format!("{name}={text}")),
            Scalar::Integer(number) => Some(format!("{name}={number}")),
            Scalar::Flag(_) | Scalar::Number(_) => None,
        });
        let service = match scalar("service.name") {
            Some(Scalar::Text(name)) => name.clone(),
            _ => String::new(),
        };
        Self { service, instance: instance(told) }
    }
}
