//! Looking names up: what comes back is checked, and the connection goes to nothing else.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::allow::AllowList;
use super::target::{Reach, Refused, check_address};

/// Addresses of a name that are tried at most.
const MAX_ADDRESSES: usize = 16;

/// Looks names up.
pub(crate) trait Names: Send + Sync + 'static {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// As the system does it.
#[derive(Debug)]
pub(crate) struct SystemNames;

impl Names for SystemNames {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The one look-up of a call: the client connects to what this returns and never asks again, so a name that means something else the next
/// moment gains nothing.
pub(crate) struct Checked {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) allow: Arc<AllowList>,
    pub(crate) reach: Reach,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allow, reach) = (Arc::clone(&self.names), Arc::clone(&self.allow), self.reach);
        Box::pin(async move {
            let addresses = names.look_up(name.as_str()).await?;
            if !allow.has_name(name.as_str()) {
                check_all(&addresses, reach, &allow)?;
            }
            let sockets =
                addresses.into_iter().take(MAX_ADDRESSES).map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

/// One address that is out of reach is enough: which one a client takes is chance.
fn check_all(addresses: &[IpAddr], reach: Reach, allow: &AllowList) -> Result<(), Refused> {
    addresses.iter().try_for_each(|&address| check_address(address, reach, allow))
}
