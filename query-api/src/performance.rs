//! How long requests and page loads take: read, summed and shown.

pub(crate) mod routes;

pub(crate) mod gather;
pub(crate) mod names;
pub(crate) mod past;
pub(crate) mod question;
pub(crate) mod spans;

mod present;
mod sum;
