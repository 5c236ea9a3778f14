use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use trunkline_control::{Event, Fault, LocalCandidate};
use trunkline_relay::{RtpPlace, Shell, SideIndex, SideRecord, SocketId, WebRtcPlace};
use trunkline_slab::{Partition, Shape, Slab, Slot};

/// Socket of the WebRTC port, of the shared RTP port, and the first of RTP ports of their own.
pub const WEBRTC: SocketId = 1;
pub const SHARED: SocketId = 2;
const OWN_FROM: SocketId = 1_000;

/// A datagram of ours.
#[derive(Clone, Debug)]
pub struct Sent {
    pub socket: SocketId,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// Stands for the engine: sockets are numbers, records lie in a real slab.
pub struct FakeShell {
    pub slab: Slab,
    partition: Option<Partition<SideRecord>>,
    pub sent: VecDeque<Sent>,
    pub events: Vec<Event>,
    pub sources: HashMap<(SocketId, SocketAddr), SideIndex>,
    pub owners: HashMap<SocketId, SideIndex>,
    pub ufrags: HashMap<String, SideIndex>,
    /// Sources that belong to another session.
    pub taken: Vec<(SocketId, SocketAddr)>,
    pub pairs_left: u32,
    pub released: Vec<(RtpPlace, bool)>,
    /// Copies of the slab at each call of ours, if they are wanted: where a process may die.
    pub snapshots: Option<RefCell<Vec<Slab>>>,
    next_port: u16,
}

impl FakeShell {
    pub fn new() -> Self {
        let record_bytes = size_of::<SideRecord>() as u32;
        let shape = Shape { threads: 1, slots_per_thread: 64, blocks_per_thread: 1_024, record_bytes };
        let (slab, _file) = Slab::create(shape).expect("a memory file");
        Self::on(slab)
    }

    /// With what a process before left in the slab, which `slots` gives.
    pub fn on(slab: Slab) -> Self {
        let partition = slab.partition(0).expect("nobody else holds it");
        Self {
            slab,
            partition: Some(partition),
            sent: VecDeque::new(),
            events: Vec::new(),
            sources: HashMap::new(),
            owners: HashMap::new(),
            ufrags: HashMap::new(),
            taken: Vec::new(),
            pairs_left: 100,
            released: Vec::new(),
            snapshots: None,
            next_port: 20_000,
        }
    }

    pub fn recovered(&mut self) -> Vec<Slot<SideRecord>> {
        self.partition.as_mut().expect("a partition").recovered()
    }

    fn snapshot(&self) {
        if let Some(snapshots) = &self.snapshots {
            snapshots.borrow_mut().push(self.slab.copy().expect("a copy").0);
        }
    }

    pub fn slots_used(&self) -> u32 {
        self.partition.as_ref().expect("a partition").used()
    }
}

impl Shell for FakeShell {
    fn send(&mut self, socket: SocketId, to: SocketAddr, bytes: &[u8]) {
        self.snapshot();
        self.sent.push_back(Sent { socket, to, bytes: bytes.to_vec() });
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn learn(&mut self, socket: SocketId, from: SocketAddr, side: SideIndex, steal: bool) -> bool {
        self.snapshot();
        if self.taken.contains(&(socket, from)) && !steal {
            return false;
        }
        let owner = self.sources.entry((socket, from)).or_insert(side);
        if steal {
            *owner = side;
        }
        *owner == side
    }

    fn unlearn(&mut self, socket: SocketId, from: SocketAddr) {
        self.snapshot();
        self.sources.remove(&(socket, from));
    }

    fn accept_ufrag(&mut self, ufrag: &str, side: SideIndex) {
        self.snapshot();
        self.ufrags.insert(ufrag.to_owned(), side);
    }

    fn retire_ufrag(&mut self, ufrag: &str) {
        self.snapshot();
        self.ufrags.remove(ufrag);
    }

    fn slot(&mut self) -> Result<Slot<SideRecord>, Fault> {
        self.snapshot();
        let exhausted = |_| Fault { code: "MEDIA_SESSIONS_EXHAUSTED".into(), message: "full".into() };
        self.partition.as_ref().expect("a partition").allocate().map_err(exhausted)
    }

    fn webrtc_place(&mut self) -> Result<WebRtcPlace, Fault> {
        self.snapshot();
        let candidate = LocalCandidate {
            foundation: "1".into(),
            protocol: "udp".into(),
            priority: 1,
            address: "203.0.113.1".into(),
            port: 3_480,
        };
        Ok(WebRtcPlace { candidates: vec![candidate] })
    }

    fn rtp_place(
        &mut self,
        side: SideIndex,
        _towards: Option<IpAddr>,
        shared: bool,
    ) -> Result<RtpPlace, Fault> {
        let address = "203.0.113.1".parse().expect("an address");
        if shared {
            let (port, socket) = (5_000, SHARED);
            return Ok(RtpPlace { address, port, rtcp_port: port, rtp: socket, rtcp: socket, shared });
        }
        let Some(left) = self.pairs_left.checked_sub(1) else {
            return Err(Fault { code: "MEDIA_PORTS_EXHAUSTED".into(), message: "no ports".into() });
        };
        self.pairs_left = left;
        let port = self.next_port;
        self.next_port += 2;
        let rtp = OWN_FROM + SocketId::from(port);
        self.own(side, &RtpPlace { address, port, rtcp_port: port + 1, rtp, rtcp: rtp + 1, shared })
    }

    fn release(&mut self, place: &RtpPlace, rest: bool) {
        self.snapshot();
        if !place.shared {
            self.pairs_left += 1;
            self.owners.remove(&place.rtp);
            self.owners.remove(&place.rtcp);
        }
        self.released.push((*place, rest));
    }
}

impl FakeShell {
    pub fn own(&mut self, side: SideIndex, place: &RtpPlace) -> Result<RtpPlace, Fault> {
        if !place.shared {
            self.owners.extend([(place.rtp, side), (place.rtcp, side)]);
        }
        Ok(*place)
    }
}
