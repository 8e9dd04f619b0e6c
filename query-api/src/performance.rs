//! How long requests and page loads take: read, summed and shown.

pub(crate) mod routes;

mod gather;
mod names;
mod present;
mod question;
mod sum;
