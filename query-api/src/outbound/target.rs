//! What an address may be, before anybody looks its name up.

use std::net::IpAddr;

use url::{Host, Url};

use super::allow::AllowList;
use super::network::is_public;

const MAX_URL_BYTES: usize = 2_000;

/// Endings that are no names of the public network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`, and what name collisions made
/// unusable). What resolves them is somebody's own network.
const LOCAL_ENDINGS: [&str; 15] = [
    "local",
    "localhost",
    "internal",
    "localdomain",
    "home.arpa",
    "arpa",
    "lan",
    "intranet",
    "corp",
    "home",
    "private",
    "test",
    "invalid",
    "onion",
    "alt",
];

/// Why an address is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

/// Where a call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses, and those that the operator allows.
    Public,
    /// Only what the operator allows.
    Allowed,
}

/// An address that may be called once its name is resolved within `reach`.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) reach: Reach,
}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(sentence.into()))
}

/// Reads an address as the client will read it, and checks what can be checked without looking it up.
///
/// # Errors
/// [`Refused`].
pub(crate) fn check(text: &str, allow: &AllowList) -> Result<Target, Refused> {
    if text.len() > MAX_URL_BYTES {
        return refuse(format!("the address is longer than {MAX_URL_BYTES} bytes"));
    }
    let mut url =
        Url::parse(text).map_err(|error| Refused(format!("the address cannot be read: {error}")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("the address must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the address must not have a user name or password in it");
    }
    url.set_fragment(None);
    let reach = reach(&url, allow);
    match url.host() {
        None => return refuse("the address has no host"),
        Some(Host::Ipv4(address)) => check_address(address.into(), reach, allow)?,
        Some(Host::Ipv6(address)) => check_address(address.into(), reach, allow)?,
        Some(Host::Domain(name)) => check_name(name, reach, allow)?,
    }
    Ok(Target { reach, url })
}

fn reach(url: &Url, allow: &AllowList) -> Reach {
    let is_usual_port = url.port_or_known_default().is_some_and(|port| allow.has_public_port(port));
    let is_local = matches!(url.host(), Some(Host::Domain(name)) if is_local_name(name));
    if url.scheme() == "https" && is_usual_port && !is_local { Reach::Public } else { Reach::Allowed }
}

fn is_local_name(name: &str) -> bool {
    let has_dot = name.contains('.');
    !has_dot
        || LOCAL_ENDINGS
            .iter()
            .any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.')))
}

fn check_name(name: &str, reach: Reach, allow: &AllowList) -> Result<(), Refused> {
    if name.ends_with('.') || name.split('.').any(str::is_empty) {
        return refuse("the host's name must not end in a dot or have empty parts");
    }
    if reach == Reach::Allowed && allow.is_empty() {
        return refuse(BEYOND);
    }
    Ok(())
}

const BEYOND: &str = "only https to public hosts on port 443 or 8443 is called, unless the operator allows the host (query_api.outbound_allow)";

/// Whether an address is within reach. Whoever resolves a name asks the same of each of its addresses.
///
/// # Errors
/// [`Refused`].
pub(crate) fn check_address(address: IpAddr, reach: Reach, allow: &AllowList) -> Result<(), Refused> {
    if allow.has_address(address) {
        return Ok(());
    }
    match reach {
        Reach::Allowed => refuse(BEYOND),
        Reach::Public if is_public(address) => Ok(()),
        Reach::Public => refuse(
            "the host is not on the public network, and the operator does not allow it (query_api.outbound_allow)",
        ),
    }
}
