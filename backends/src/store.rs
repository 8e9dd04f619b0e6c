//! Implementations of [`playhead_domain::store::Store`].

pub mod embedded;
pub mod memory;
pub mod scylla;

mod key;
