//! Projects: their rows, settings, keys and what they take in.

pub(crate) mod dead_letters;
pub(crate) mod intake;
pub(crate) mod present;
pub mod repository;
pub(crate) mod routes;
pub(crate) mod secret_key;
pub(crate) mod settings;

pub use repository::{create_first, publish_all, unpublished};
