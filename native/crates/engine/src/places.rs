use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use trunkline_base::{Micros, random_u32};
use trunkline_control::Fault;
use trunkline_relay::{RtpPlace, SocketId};

use crate::addresses::Advertised;
use crate::faults;
use crate::ledger::Ledger;
use crate::manifest::{Family, Manifest, Sockets};
use crate::port_pool::{Pair, PortPool};

/// The ports toward SIP, shared by all threads: any thread can serve any pair.
pub(crate) struct Places {
    advertised: Advertised,
    quarantine: Micros,
    pool: Mutex<PortPool>,
    used: Mutex<Vec<Pair>>,
    pair_ports: Vec<u16>,
    shared_ports: Vec<u16>,
    threads: u32,
}

impl Places {
    /// None is free until `restore` says so.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        let quarantine = manifest.config.quarantine;
        Self {
            advertised: Advertised::new(manifest.config.advertise.clone()),
            quarantine,
            pool: Mutex::new(PortPool::new(&[], quarantine, 0, &[])),
            used: Mutex::default(),
            pair_ports: manifest.pairs.iter().map(|pair| pair.port).collect(),
            shared_ports: manifest.shared.iter().map(|shared| shared.port).collect(),
            threads: manifest.config.threads,
        }
    }

    /// A pair of a session of the relay before us; before `restore`.
    pub(crate) fn keep(&self, sockets: &Sockets, rtp: SocketId) {
        let pair = sockets.pair_of(rtp).filter(|&pair| (pair as usize) < self.pair_ports.len());
        self.used.lock().unwrap_or_else(PoisonError::into_inner).extend(pair);
    }

    /// As the relay before left them: each that is not in use rests since it was released.
    pub(crate) fn restore(&self, ledger: &Ledger) {
        let released = ledger.released(self.pair_ports.len() as u32);
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *self.pool() = PortPool::new(&released, self.quarantine, random_u32(), &used);
    }

    pub(crate) fn addresses(&self) -> &[IpAddr] {
        self.advertised.addresses()
    }

    /// A pair of ports of one's own.
    pub(crate) fn take(
        &self,
        sockets: &Sockets,
        towards: Option<IpAddr>,
        now: Micros,
    ) -> Result<RtpPlace, Fault> {
        let pair = self.pool().take(now).ok_or_else(faults::ports_exhausted)?;
        for address in self.told(towards) {
            if let Some((rtp, rtcp)) = sockets.pair(pair, Family::of(address)) {
                let port = self.pair_ports[pair as usize];
                return Ok(RtpPlace { address, port, rtcp_port: port + 1, rtp, rtcp, shared: false });
            }
        }
        self.pool().put_back(pair);
        Err(faults::ports_exhausted())
    }

    /// One of the shared ports of a thread; `turn` spreads sides over them.
    pub(crate) fn shared(
        &self,
        sockets: &Sockets,
        towards: Option<IpAddr>,
        thread: u32,
        turn: usize,
    ) -> Result<RtpPlace, Fault> {
        let threads = self.threads as usize;
        let own: Vec<usize> = (thread as usize..self.shared_ports.len()).step_by(threads).collect();
        for address in self.told(towards) {
            let number = own.get(turn % own.len().max(1)).copied();
            let socket = number.and_then(|number| sockets.shared(number, Family::of(address)));
            if let Some((socket, number)) = socket.zip(number) {
                let port = self.shared_ports[number];
                let (rtp, rtcp) = (socket, socket);
                return Ok(RtpPlace { address, port, rtcp_port: port, rtp, rtcp, shared: true });
            }
        }
        Err(faults::ports_exhausted())
    }

    /// Gives a pair back; it rests, unless nobody was ever told of it.
    pub(crate) fn release(&self, sockets: &Sockets, rtp: SocketId, rest: Option<(&Ledger, Micros)>) {
        let Some(pair) = sockets.pair_of(rtp) else { return };
        match rest {
            Some((ledger, now)) => {
                self.pool().release(pair, now);
                ledger.set_released(pair, now.max(1));
            }
            None => self.pool().put_back(pair),
        }
    }

    /// The address to tell, then the others: if no socket is bound in its family.
    fn told(&self, towards: Option<IpAddr>) -> impl Iterator<Item = IpAddr> {
        std::iter::once(self.advertised.towards(towards)).chain(self.addresses().iter().copied())
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, PortPool> {
        // Each change is one step: a thread that panicked left it whole.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
