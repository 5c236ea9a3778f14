use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

const FAMILY_V4: u16 = libc::AF_INET as u16;
const FAMILY_V6: u16 = libc::AF_INET6 as u16;
const BYTES_V4: usize = size_of::<libc::sockaddr_in>();
const BYTES_V6: usize = size_of::<libc::sockaddr_in6>();

/// An address as the kernel reads and writes it: `sockaddr_in` or `sockaddr_in6`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(crate) struct RawAddress {
    bytes: [u8; BYTES_V6],
}

impl RawAddress {
    pub(crate) const EMPTY: Self = Self { bytes: [0; BYTES_V6] };
    /// Room for either family.
    pub(crate) const CAPACITY: libc::socklen_t = BYTES_V6 as libc::socklen_t;

    /// From bytes that the kernel wrote.
    pub(crate) fn from_kernel(name: &[u8]) -> Self {
        let mut address = Self::EMPTY;
        let len = name.len().min(BYTES_V6);
        address.bytes[..len].copy_from_slice(&name[..len]);
        address
    }

    /// Bytes that hold the address, by its family.
    pub(crate) fn len(&self) -> libc::socklen_t {
        (if self.family() == FAMILY_V4 { BYTES_V4 } else { BYTES_V6 }) as libc::socklen_t
    }

    pub(crate) fn to_std(self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes([self.bytes[2], self.bytes[3]]);
        match self.family() {
            FAMILY_V4 => Some(SocketAddrV4::new(Ipv4Addr::from(self.array::<4>(4)), port).into()),
            FAMILY_V6 => {
                let flow = u32::from_be_bytes(self.array(4));
                let scope = u32::from_ne_bytes(self.array(24));
                Some(SocketAddrV6::new(Ipv6Addr::from(self.array::<16>(8)), port, flow, scope).into())
            }
            _ => None,
        }
    }

    fn family(&self) -> u16 {
        u16::from_ne_bytes([self.bytes[0], self.bytes[1]])
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[at..at + N]);
        array
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
        let mut bytes = [0; BYTES_V6];
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => {
                bytes[..2].copy_from_slice(&FAMILY_V4.to_ne_bytes());
                bytes[4..8].copy_from_slice(&v4.ip().octets());
            }
            SocketAddr::V6(v6) => {
                bytes[..2].copy_from_slice(&FAMILY_V6.to_ne_bytes());
                bytes[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
                bytes[8..24].copy_from_slice(&v6.ip().octets());
                bytes[24..].copy_from_slice(&v6.scope_id().to_ne_bytes());
            }
        }
        Self { bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernels_form() {
        for text in ["192.0.2.1:5004", "0.0.0.0:0", "[2001:db8::1]:65535", "[fe80::1%3]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::from(address).to_std(), Some(address));
        }
        assert_eq!(RawAddress::EMPTY.to_std(), None);
    }
}
