//! One budget for every byte under way, shared fairly between clients.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use playhead_proto::limits;
use prometheus::IntGauge;

const SHARDS: usize = 16;

/// Who shares: an IPv4 address, or the /64 that one IPv6 site has.
type Client = u64;

/// Bytes under way, in all and by client. A client may hold as much as is still free (Choudhury and Hahne, "Dynamic queue length
/// thresholds for shared-memory packet switches", 1998, with α = 1), and always one largest body: alone it gets half
/// of the budget, one of n gets 1/(n+1), and something is left for whoever comes next.
#[derive(Debug)]
pub(crate) struct Budget {
    total: usize,
    used: AtomicUsize,
    // An entry lives only while its client holds bytes, so the bytes bound the map.
    clients: [Mutex<HashMap<Client, usize>>; SHARDS],
    hasher: std::hash::RandomState,
    gauge: IntGauge,
}

/// Why bytes were not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// Everyone together holds too much.
    Total,
    /// This client holds more than its share.
    Share,
}

/// Bytes held for one body; dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    client: Client,
    held: usize,
}

impl Budget {
    /// A budget of `total` bytes; `gauge` follows what is used.
    pub(crate) fn new(total: usize, gauge: IntGauge) -> Arc<Self> {
        Arc::new(Self {
            total,
            used: AtomicUsize::new(0),
            clients: std::array::from_fn(|_| Mutex::default()),
            hasher: std::hash::RandomState::new(),
            gauge,
        })
    }

    #[cfg(test)]
    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// A permit for `bytes`; 0 is fine, see [`Permit::grow`].
    pub(crate) fn take(self: &Arc<Self>, client: Option<IpAddr>, bytes: usize) -> Result<Permit, Exhausted> {
        let mut permit = Permit { budget: Arc::clone(self), client: client.map_or(0, site), held: 0 };
        permit.grow(bytes)?;
        Ok(permit)
    }

    fn shard(&self, client: Client) -> &Mutex<HashMap<Client, usize>> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let index = self.hasher.hash_one(client) as usize % SHARDS;
        &self.clients[index]
    }

    fn charge(&self, client: Client, bytes: usize) -> Result<(), Exhausted> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let granted =
            if used > self.total { Err(Exhausted::Total) } else { self.charge_share(client, bytes, used) };
        if granted.is_err() {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        granted
    }

    fn charge_share(&self, client: Client, bytes: usize, used: usize) -> Result<(), Exhausted> {
        let share = (self.total - used).max(limits::MAX_BODY_BYTES);
        let mut clients = self.shard(client).lock();
        let held = clients.get(&client).copied().unwrap_or(0) + bytes;
        if held > share {
            return Err(Exhausted::Share);
        }
        clients.insert(client, held);
        self.gauge.add(gauge_bytes(bytes));
        Ok(())
    }

    fn release(&self, client: Client, bytes: usize) {
        {
            let mut clients = self.shard(client).lock();
            if let Some(held) = clients.get_mut(&client) {
                *held = held.saturating_sub(bytes);
                if *held == 0 {
                    clients.remove(&client);
                }
            }
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.gauge.sub(gauge_bytes(bytes));
    }
}

impl Permit {
    /// Charges `bytes` more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if bytes > 0 {
            self.budget.charge(self.client, bytes)?;
            self.held += bytes;
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.held > 0 {
            self.budget.release(self.client, self.held);
        }
    }
}

fn gauge_bytes(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn site(address: IpAddr) -> Client {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        // Global IPv6 prefixes are never below 2^32.
        IpAddr::V6(v6) => u64::from_be_bytes(v6.octets()[..8].try_into().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: usize = 1 << 20;

    fn budget_of(total: usize) -> Arc<Budget> {
        Budget::new(total, IntGauge::new("bytes", "bytes").unwrap())
    }

    fn client(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, n]))
    }

    #[test]
    fn a_lone_client_gets_half_and_a_second_one_still_finds_room() {
        let budget = budget_of(16 * MIB);
        let mine: Vec<_> = std::iter::from_fn(|| budget.take(client(1), MIB).ok()).collect();
        assert_eq!(mine.len(), 8);
        assert_eq!(budget.take(client(1), MIB).unwrap_err(), Exhausted::Share);
        let other: Vec<_> = std::iter::from_fn(|| budget.take(client(2), MIB).ok()).collect();
        assert_eq!(other.len(), 4);
        drop((mine, other));
        assert_eq!(budget.used(), 0);
        assert!(budget.clients.iter().all(|shard| shard.lock().is_empty()), "no entry outlives its bytes");
    }

    #[test]
    fn everyone_gets_one_body_until_the_total_is_used_up() {
        let budget = budget_of(4 * MIB);
        let held: Vec<_> = (0..4).map(|n| budget.take(client(n), MIB).unwrap()).collect();
        assert_eq!(budget.take(client(9), 1).unwrap_err(), Exhausted::Total);
        drop(held);
        assert!(budget.take(client(9), 1).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_site_share() {
        let of = |text: &str| site(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_comes_back(steps in prop::collection::vec((0u8..4, 0..2 * MIB, any::<bool>()), 0..200)) {
            let budget = budget_of(8 * MIB);
            let mut held = Vec::new();
            for (who, bytes, drop_one) in steps {
                if drop_one { held.pop(); }
                held.extend(budget.take(client(who), bytes).ok());
                prop_assert!(budget.used() <= 8 * MIB);
                prop_assert_eq!(budget.gauge.get(), budget.used() as i64);
                prop_assert_eq!(budget.used(), held.iter().map(|p: &Permit| p.held).sum::<usize>());
            }
            drop(held);
            prop_assert_eq!(budget.used(), 0);
        }
    }
}
