use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Whether a socket of this machine can be bound to the address.
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind(SocketAddr::new(address, 0)).is_ok()
}

/// Addresses that packets to the outside leave from; loopback if there is no way out.
#[must_use]
pub fn machine_addresses() -> Vec<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): connecting a UDP socket only asks the routing table.
    let outside: [SocketAddr; 2] =
        [(Ipv4Addr::new(192, 0, 2, 1), 9).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into()];
    let found: Vec<IpAddr> = outside.into_iter().filter_map(leaves_from).collect();
    if found.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { found }
}

fn leaves_from(to: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// Where a WebRTC port is bound: behind a one-to-one NAT the advertised address is not ours, then on all of its family.
#[must_use]
pub fn bind_addresses(advertise: &[IpAddr], bind: Option<IpAddr>) -> Vec<IpAddr> {
    if let Some(bind) = bind {
        return vec![bind];
    }
    let all_local = advertise.iter().all(|&address| is_local(address));
    let mut found = Vec::new();
    for &address in advertise {
        let wanted = if all_local { address } else { wildcard(address) };
        if !found.contains(&wanted) {
            found.push(wanted);
        }
    }
    found
}

/// All addresses of the same family.
#[must_use]
pub fn wildcard(address: IpAddr) -> IpAddr {
    if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Picks the address to tell a peer.
#[derive(Clone, Debug)]
pub(crate) struct Advertised {
    addresses: Vec<IpAddr>,
    /// All are the machine's own, and none is loopback: then a peer on this machine is told loopback.
    offers_loopback: bool,
}

impl Advertised {
    pub(crate) fn new(addresses: Vec<IpAddr>) -> Self {
        let offers_loopback = addresses.iter().all(|&address| !address.is_loopback() && is_local(address));
        Self { addresses, offers_loopback }
    }

    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Same family; loopback to loopback; and nobody outside is told a loopback address while there is another one.
    pub(crate) fn towards(&self, peer: Option<IpAddr>) -> IpAddr {
        let to_loopback = peer.is_some_and(|peer| peer.is_loopback());
        if let Some(peer) = peer
            && to_loopback
            && self.offers_loopback
        {
            return if peer.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        }
        let same_family = |address: &&IpAddr| peer.is_none_or(|peer| peer.is_ipv4() == address.is_ipv4());
        let mut candidates: Vec<IpAddr> = self.addresses.iter().filter(same_family).copied().collect();
        if candidates.is_empty() {
            candidates.clone_from(&self.addresses);
        }
        let fitting = candidates.iter().find(|address| address.is_loopback() == to_loopback);
        fitting.or(candidates.first()).copied().unwrap_or(Ipv4Addr::LOCALHOST.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(advertised: &[&str], towards: Option<&str>) -> String {
        let addresses = advertised.iter().map(|text| text.parse().unwrap()).collect();
        Advertised::new(addresses).towards(towards.map(|text| text.parse().unwrap())).to_string()
    }

    #[test]
    fn a_peer_is_told_an_address_it_can_reach() {
        let both = ["198.51.100.7", "2001:db8::7"];
        assert_eq!(told(&both, Some("203.0.113.1")), "198.51.100.7");
        assert_eq!(told(&both, Some("2001:db8::1")), "2001:db8::7");
        assert_eq!(told(&both, None), "198.51.100.7");
        let with_loopback = ["127.0.0.1", "198.51.100.7"];
        assert_eq!(told(&with_loopback, Some("203.0.113.1")), "198.51.100.7");
        assert_eq!(told(&with_loopback, Some("127.0.0.9")), "127.0.0.1");
        assert_eq!(told(&["127.0.0.1"], Some("203.0.113.1")), "127.0.0.1");
        // Nothing of the family: better another one than none.
        assert_eq!(told(&["198.51.100.7"], Some("2001:db8::1")), "198.51.100.7");
        // Not ours, so behind a NAT: a peer on loopback is told it all the same.
        assert_eq!(told(&["198.51.100.7"], Some("127.0.0.1")), "198.51.100.7");
    }

    #[test]
    fn advertised_addresses_that_are_ours_are_bound_themselves() {
        let own: IpAddr = "127.0.0.1".parse().unwrap();
        let foreign: IpAddr = "198.51.100.7".parse().unwrap();
        assert_eq!(bind_addresses(&[own, own], None), [own]);
        assert_eq!(bind_addresses(&[own, foreign], None), [wildcard(own)]);
        assert_eq!(bind_addresses(&[foreign], Some(own)), [own]);
    }
}
