//! What operators let customers reach beside the public network.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Ports on which the public network has web hooks. A call to any other port is a way to speak to services that are no web servers, or to
/// find out which ports are open somewhere.
const PUBLIC_PORTS: [u16; 2] = [443, 8443];

/// Networks and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowList {
    networks: Vec<IpNet>,
    names: Vec<String>,
    /// Ports of the public network.
    ports: Vec<u16>,
}

impl AllowList {
    /// Reads entries: a network (`10.1.0.0/16`), an address, or a host name.
    ///
    /// # Errors
    /// A sentence that names the entry.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        let mut list = Self { networks: Vec::new(), names: Vec::new(), ports: PUBLIC_PORTS.to_vec() };
        for entry in entries.iter().map(|entry| entry.trim()) {
            if let Ok(network) = IpNet::from_str(entry) {
                if network.prefix_len() == 0 {
                    return Err(format!("`{entry}` allows everything; name the networks that are meant"));
                }
                list.networks.push(network.trunc());
            } else if let Ok(address) = IpAddr::from_str(entry) {
                list.networks.push(address.into());
            } else {
                list.names.push(name(entry)?);
            }
        }
        Ok(list)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.names.is_empty()
    }

    pub(crate) fn has_public_port(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// A listener of a test has another port.
    #[cfg(test)]
    pub(crate) fn add_public_port(&mut self, port: u16) {
        self.ports.push(port);
    }

    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn name(entry: &str) -> Result<String, String> {
    match url::Host::parse(entry) {
        Ok(url::Host::Domain(name)) if !name.ends_with('.') => Ok(name),
        _ => Err(format!("`{entry}` is neither a network such as 10.1.0.0/16 nor a host name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Result<AllowList, String> {
        AllowList::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn networks_addresses_and_names_are_read() {
        let list = list(&["10.1.0.0/16", "fd00:1::/32", "192.168.7.7", "Hooks.Corp.Internal"]).unwrap();
        let has = |address: &str| list.has_address(address.parse().unwrap());
        assert!(has("10.1.255.1") && has("fd00:1::9") && has("192.168.7.7"));
        assert!(!has("10.2.0.1") && !has("192.168.7.8") && !has("::ffff:10.1.0.1"));
        assert!(list.has_name("hooks.corp.internal") && !list.has_name("corp.internal"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for nonsense in ["", "0.0.0.0/0", "::/0", "10.0.0.0/33", "http://x", "a b", "x.", "127.1"] {
            assert!(list(&[nonsense]).is_err(), "{nonsense}");
        }
        assert!(list(&[]).unwrap().is_empty());
    }
}
