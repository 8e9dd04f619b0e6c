//! Implementations of [`playhead_domain::store::Store`].

pub mod embedded;
pub mod memory;

mod key;
