//! A session: the keys of its rows, and the folds that turn its batches into a summary. Pure; shared by who writes and who reads.

pub mod key;
pub mod dedup;
pub mod activity;
pub mod fact;
pub mod fold;
pub mod facet;
