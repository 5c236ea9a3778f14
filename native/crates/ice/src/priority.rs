/// Type preference of a host candidate (RFC 8445 §5.1.2.2).
const HOST: u32 = 126;
/// Over TCP a lower one (RFC 6544 §4.2), as browsers have it.
const TCP_HOST: u32 = 90;
/// Direction preference of a passive candidate (RFC 6544 §4.2), above 13 bits of the order.
const PASSIVE: u32 = 4 << 13;
/// RTCP is always multiplexed.
const COMPONENT: u32 = 1;

/// Candidate priority (RFC 8445 §5.1.2.1) for host candidates: UDP before TCP, addresses in their order.
///
/// `order` counts the addresses from 0; those after the first few thousand are all alike.
#[must_use]
pub fn host_priority(order: usize, tcp: bool) -> u32 {
    let order = u32::try_from(order).unwrap_or(u32::MAX);
    let (kind, local) = if tcp {
        (TCP_HOST, PASSIVE + 8_191_u32.saturating_sub(order))
    } else {
        (HOST, 65_535_u32.saturating_sub(order))
    };
    kind << 24 | local << 8 | (256 - COMPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udp_comes_before_tcp_and_addresses_keep_their_order() {
        let priorities: Vec<u32> =
            [false, true].iter().flat_map(|tcp| (0..8).map(|order| host_priority(order, *tcp))).collect();
        assert!(priorities.is_sorted_by(|a, b| a > b), "{priorities:?}");
        assert_eq!(priorities[0], 2_130_706_431);
        assert!(priorities.iter().all(|priority| (1..1 << 31).contains(priority)));
        assert!(host_priority(usize::MAX, false) > host_priority(0, true));
    }
}
