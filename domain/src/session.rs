//! A session: the keys of its rows, and the folds that turn its batches into a summary. Pure; shared by who writes and who reads.

pub mod activity;
pub mod dedup;
pub mod facet;
pub mod fact;
pub mod fold;
pub mod key;
pub mod span;
pub mod state;
pub mod weight;
