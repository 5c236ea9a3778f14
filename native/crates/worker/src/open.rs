use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use serde_json::json;
use trunkline_engine::{
    Config, Manifest, PortPair, SharedPort, THREADS, WebRtcGroup, bind_addresses, log, machine_addresses,
    wildcard,
};
use trunkline_io::UdpOptions;
use trunkline_slab::Slab;

use crate::control_socket::ControlSocket;
use crate::options::{Options, TcpPort};

/// Expedited forwarding (RFC 3246): voice.
const DSCP: u8 = 46;
/// Room for a burst of all calls of one port while a relay is replaced.
const COMMON_BUFFER: usize = 4_194_304;
/// A second of video.
const OWN_BUFFER: usize = 262_144;
/// With fewer pairs of RTP ports none is used for shared ones.
const PAIRS_TO_SHARE: usize = 64;
const SHARED_PER_THREAD: usize = 2;

/// Everything that outlives relays. Dropping it closes it.
pub(crate) struct Opened {
    pub(crate) manifest: Manifest,
    /// The manifest, for relays.
    pub(crate) file: OwnedFd,
    _control: ControlSocket,
    _slab: Slab,
    _kept: Vec<OwnedFd>,
}

/// Opens all that relays will need, and lets them inherit it.
///
/// # Errors
/// For people: nothing can be served.
pub(crate) fn open(options: &Options) -> Result<Opened, String> {
    let limit = trunkline_io::raise_file_limit() as usize;
    let advertise =
        if options.advertise.is_empty() { machine_addresses() } else { options.advertise.clone() };
    let control = ControlSocket::bind(&options.control)?;
    let mut opening = Opening { kept: Vec::new(), advertise, options };
    let webrtc = opening.webrtc_groups()?;
    let threads = webrtc.len();
    let (tcp, tcp_port) = opening.tcp_listeners(webrtc[0].port);
    // A quarter is for relays: connections, pollers.
    let reserve = (limit / 4).clamp(128, 4_096);
    let shared_ports = opening.shared_range(threads);
    let shared = opening.shared_ports(shared_ports);
    let pairs = opening.pairs(shared_ports, limit.saturating_sub(reserve + opening.kept.len()));
    let config = config(options, opening.advertise.clone(), threads as u32);
    let (slab, slab_fd) =
        Slab::create(Manifest::slab_shape(&config)).map_err(|error| format!("{error:?}"))?;
    let memory = |name| trunkline_io::memory_file(name, true).map_err(|error| format!("{name}: {error}"));
    let (ledger, file) = (memory("trunkline-ledger")?, memory("trunkline-manifest")?);
    for fd in [slab_fd.as_raw_fd(), control.listener.as_raw_fd()] {
        trunkline_io::keep_on_exec(fd).map_err(|error| error.to_string())?;
    }
    let manifest = Manifest {
        keeper: std::process::id(),
        config,
        slab: slab_fd.as_raw_fd(),
        ledger: ledger.as_raw_fd(),
        control: control.listener.as_raw_fd(),
        tcp,
        tcp_port,
        webrtc,
        shared,
        pairs,
    };
    manifest.write(&file).map_err(|error| format!("the manifest: {error}"))?;
    opening.kept.extend([slab_fd, ledger]);
    Ok(Opened { manifest, file, _control: control, _slab: slab, _kept: opening.kept })
}

struct Opening<'a> {
    kept: Vec<OwnedFd>,
    advertise: Vec<IpAddr>,
    options: &'a Options,
}

impl Opening<'_> {
    /// One group for each thread, on the ports of the range that are free.
    fn webrtc_groups(&mut self) -> Result<Vec<WebRtcGroup>, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let most = self.options.threads.unwrap_or(cores).min(THREADS);
        let addresses = bind_addresses(&self.advertise, self.options.bind);
        let range = self.options.webrtc_ports.clone();
        let ports: Vec<u16> = if range == (0..=0) { vec![0; most] } else { range.clone().collect() };
        let (mut groups, mut why) = (Vec::new(), String::from("the range is empty"));
        for port in ports {
            if groups.len() == most {
                break;
            }
            match self.webrtc_group(&addresses, port) {
                Ok(group) => groups.push(group),
                Err(error) => why = error.to_string(),
            }
        }
        if groups.is_empty() {
            return Err(format!("no UDP port of {}-{} can be used: {why}", range.start(), range.end()));
        }
        Ok(groups)
    }

    fn webrtc_group(&mut self, addresses: &[IpAddr], mut port: u16) -> std::io::Result<WebRtcGroup> {
        let options = UdpOptions { receive_buffer: COMMON_BUFFER, dscp: DSCP };
        let mut sockets = Vec::new();
        for &address in addresses {
            let socket = trunkline_io::bind_udp(SocketAddr::new(address, port), options, true)?;
            port = port_of(&socket)?;
            sockets.push(socket);
        }
        let fds = sockets.iter().map(AsRawFd::as_raw_fd).collect();
        self.kept.append(&mut sockets);
        Ok(WebRtcGroup { port, fds })
    }

    /// ICE-TCP is offered only if it can be had on every address.
    fn tcp_listeners(&mut self, first: u16) -> (Vec<RawFd>, Option<u16>) {
        let mut port = match self.options.tcp_port {
            TcpPort::None => return (Vec::new(), None),
            TcpPort::Same => first,
            TcpPort::Port(port) => port,
        };
        let mut listeners = Vec::new();
        for address in bind_addresses(&self.advertise, self.options.bind) {
            let listener =
                trunkline_io::listen_tcp(SocketAddr::new(address, port), true).and_then(|listener| {
                    Ok((TcpListener::from(listener.try_clone()?).local_addr()?.port(), listener))
                });
            match listener {
                Ok((bound, listener)) => {
                    port = bound;
                    listeners.push(listener);
                }
                Err(error) => {
                    log::warn("no ICE-TCP", json!({ "port": port, "why": error.to_string() }));
                    return (Vec::new(), None);
                }
            }
        }
        let fds = listeners.iter().map(AsRawFd::as_raw_fd).collect();
        self.kept.append(&mut listeners);
        (fds, Some(port))
    }

    /// How many pairs at the end of the range are shared ports instead.
    fn shared_range(&self, threads: usize) -> usize {
        let pairs = self.even_ports().count();
        let wanted = if pairs < PAIRS_TO_SHARE { 0 } else { SHARED_PER_THREAD * threads };
        self.options.shared_ports.unwrap_or(wanted).min(pairs)
    }

    fn shared_ports(&mut self, count: usize) -> Vec<SharedPort> {
        let ports: Vec<u16> = self.even_ports().rev().take(count).collect();
        let mut shared = Vec::new();
        for port in ports {
            let fds = self.families().map(|address| self.bind(address?, port, COMMON_BUFFER).ok());
            if fds.iter().any(Option::is_some) {
                shared.push(SharedPort { port, fds });
            }
        }
        shared
    }

    /// Pairs of ports, as many as the limit of open files allows; those that somebody else holds are passed over.
    fn pairs(&mut self, shared: usize, room: usize) -> Vec<PortPair> {
        let ports: Vec<u16> = self.even_ports().collect();
        let ports = &ports[..ports.len() - shared];
        let per_pair = 2 * self.families().into_iter().flatten().count();
        let most = room / per_pair.max(1);
        if most < ports.len() {
            let facts = json!({ "wanted": ports.len(), "opened": most });
            log::warn("fewer pairs of RTP ports than asked for: raise the limit of open files", facts);
        }
        ports.iter().take(most).filter_map(|&port| self.pair(port)).collect()
    }

    fn pair(&mut self, port: u16) -> Option<PortPair> {
        let before = self.kept.len();
        let mut fds = [None; 2];
        for (family, address) in self.families().into_iter().enumerate() {
            let Some(address) = address else { continue };
            let rtp = self.bind(address, port, OWN_BUFFER);
            let rtcp = rtp.and_then(|rtp| Ok((rtp, self.bind(address, port + 1, OWN_BUFFER)?)));
            match rtcp {
                Ok((rtp, rtcp)) => fds[family] = Some((rtp, rtcp)),
                // Somebody has one of them: all four are left alone.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    self.kept.truncate(before);
                    return None;
                }
                Err(_) => {}
            }
        }
        for (rtp, rtcp) in fds.into_iter().flatten() {
            for fd in [rtp, rtcp] {
                let _ = trunkline_io::deafen(fd);
            }
        }
        fds.iter().any(Option::is_some).then_some(PortPair { port, fds })
    }

    fn bind(&mut self, address: IpAddr, port: u16, buffer: usize) -> std::io::Result<RawFd> {
        let options = UdpOptions { receive_buffer: buffer, dscp: DSCP };
        let socket = trunkline_io::bind_udp(SocketAddr::new(address, port), options, true)?;
        let fd = socket.as_raw_fd();
        self.kept.push(socket);
        Ok(fd)
    }

    /// Where RTP ports are bound, on IPv4 and on IPv6: on all addresses unless told otherwise, as the system then sends from
    /// the address that fits the peer.
    fn families(&self) -> [Option<IpAddr>; 2] {
        let of = |is_v4: bool| match self.options.bind {
            Some(bind) => Some(bind).filter(|bind| bind.is_ipv4() == is_v4),
            None => self.advertise.iter().find(|each| each.is_ipv4() == is_v4).map(|&each| wildcard(each)),
        };
        [of(true), of(false)]
    }

    /// Even ports whose next one is in the range too.
    fn even_ports(&self) -> impl DoubleEndedIterator<Item = u16> + use<> {
        let (from, to) = (*self.options.rtp_ports.start(), *self.options.rtp_ports.end());
        (from..to).filter(|port| port % 2 == 0 && *port > 0)
    }
}

fn port_of(socket: &OwnedFd) -> std::io::Result<u16> {
    Ok(UdpSocket::from(socket.try_clone()?).local_addr()?.port())
}

fn config(options: &Options, advertise: Vec<IpAddr>, threads: u32) -> Config {
    let ms = |ms: u64| ms.saturating_mul(1_000);
    Config {
        threads,
        io: options.io,
        advertise: if advertise.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { advertise },
        max_sessions: options.max_sessions,
        quarantine: ms(options.quarantine_ms),
        consent: ms(options.consent_ms),
        silence: ms(options.silence_ms),
        quality: ms(options.quality_ms),
        strict_source: options.strict_source,
        claim: ms(options.claim_ms),
        idle_exit: ms(options.idle_exit_s.saturating_mul(1_000)),
        test_clock: options.test_clock,
        pin: options.pin,
    }
}
