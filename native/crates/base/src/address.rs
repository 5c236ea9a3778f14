use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytemuck::{Pod, Zeroable};

/// A socket address as plain data: fits in shared memory. All zero means none.
///
/// IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), so one address has one form.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct Address {
    ip: [u8; 16],
    port: u16,
    /// 1 where an address is set: the unspecified address on port 0 is one too.
    set: u16,
    scope: u32,
}

impl Address {
    /// No address.
    pub const NONE: Self = Self { ip: [0; 16], port: 0, set: 0, scope: 0 };

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.set == 0
    }

    /// The port, 0 if there is no address.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same IP address, whatever the port.
    #[must_use]
    pub fn same_ip(&self, other: &Self) -> bool {
        self.set != 0 && other.set != 0 && self.ip == other.ip && self.scope == other.scope
    }

    /// As the standard library has it; IPv4 for mapped addresses.
    #[must_use]
    pub fn to_std(&self) -> Option<SocketAddr> {
        if self.is_none() {
            return None;
        }
        let v6 = Ipv6Addr::from(self.ip);
        Some(match v6.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), self.port),
            None => SocketAddr::V6(std::net::SocketAddrV6::new(v6, self.port, 0, self.scope)),
        })
    }

    /// The IP address; the unspecified one where there is none.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.to_std().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        let (ip, scope) = match address {
            SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped().octets(), 0),
            SocketAddr::V6(v6) => (v6.ip().octets(), v6.scope_id()),
        };
        Self { ip, port: address.port(), set: 1, scope }
    }
}

/// `192.0.2.1:5004` or `[2001:db8::1]:5004`; `-` for none.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_std() {
            Some(address) => address.fmt(f),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_and_its_mapped_form_are_one() {
        let v4 = Address::from("192.0.2.1:5004".parse::<SocketAddr>().unwrap());
        let mapped = Address::from("[::ffff:192.0.2.1]:5004".parse::<SocketAddr>().unwrap());
        assert_eq!(v4, mapped);
        assert_eq!(mapped.to_string(), "192.0.2.1:5004");
    }

    #[test]
    fn none_is_no_address() {
        assert_eq!(Address::NONE.to_std(), None);
        let any = Address::from("0.0.0.0:0".parse::<SocketAddr>().unwrap());
        assert!(!any.is_none());
        assert!(!Address::NONE.same_ip(&Address::NONE));
    }
}
