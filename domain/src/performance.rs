//! How long requests and page loads take: what is told of each, kept in sketches that merge, by endpoint or page, class of status,
//! release, environment, country and time. `docs/adr/0016` says how the rows follow from each other.

pub mod filter;
pub mod key;
pub mod name;
pub mod observation;
pub mod sketch;
pub mod totals;
pub mod view;

mod codec;
