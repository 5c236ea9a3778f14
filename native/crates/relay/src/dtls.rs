use std::net::SocketAddr;

use bytemuck::Zeroable;
use trunkline_base::Micros;
use trunkline_base::limits::{EARLY_DTLS_DATAGRAMS, MEDIA_PER_SIDE};
use trunkline_control::{Event, RemoteDtls, RemoteSide};
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_srtp::{MasterKey, Received, Suite};

use crate::cx::Cx;
use crate::record::{KeysRecord, Sealed, tag, tag_of};
use crate::side::Side;
use crate::text::SideText;
use crate::webrtc::Dtls;
use crate::{Settings, Shell, SocketId};

impl Dtls {
    /// Whether a handshake is in progress.
    pub fn is_shaking_hands(&self) -> bool {
        self.association.as_ref().is_some_and(|association| !association.is_connected())
    }

    pub fn deadline(&self) -> Option<Micros> {
        let association = self.association.as_ref()?;
        let drop_at = self.connected_at.map(|at| at + KEPT_US);
        association.deadline().into_iter().chain(drop_at).min()
    }
}

impl Side {
    /// Applies what the peer said. An association goes on unless its terms changed (RFC 8842 §5.1). The text is stored.
    pub fn apply_dtls<S: Shell>(
        &mut self,
        before: Option<&RemoteDtls>,
        terms: &RemoteDtls,
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let Some(webrtc) = &mut self.webrtc else { return };
        let is_secured = webrtc.crypto.is_some();
        let stays = before.is_some_and(|before| {
            // One that stands outlives a change of the offered role: browsers do not make a new one either.
            tag_of_terms(before) == tag_of_terms(terms) && (before.role == terms.role || is_secured)
        });
        if stays {
            return;
        }
        self.close_dtls(cx);
        let Some(webrtc) = &mut self.webrtc else { return };
        webrtc.dtls.terms = tag_of_terms(terms);
        webrtc.dtls.failed = false;
        self.start_dtls(settings, cx);
    }

    /// There is a way to the peer, or its terms are known now: a client says hello, a server hears what came early.
    pub fn start_dtls<S: Shell>(&mut self, settings: &Settings, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        let dtls = &mut webrtc.dtls;
        if dtls.terms == 0 || dtls.failed || webrtc.path.is_none() {
            return;
        }
        if dtls.association.is_none() && webrtc.crypto.is_none() && self.begin(Role::Client, settings, cx) {
            self.drain_dtls(cx);
        }
        let early = self.webrtc.as_mut().map(|webrtc| std::mem::take(&mut webrtc.dtls.early));
        for datagram in early.into_iter().flatten() {
            self.on_dtls_datagram(&datagram, settings, cx);
        }
    }

    /// A DTLS datagram, taken only over a path that ICE validated.
    pub fn on_dtls<S: Shell>(
        &mut self,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let Some(webrtc) = &mut self.webrtc else { return };
        if !webrtc.is_valid(&self.streams.first.slot, socket, from) {
            self.streams.first.slot.discarded += 1;
            return;
        }
        let dtls = &mut webrtc.dtls;
        if dtls.terms != 0 && webrtc.path.is_some() {
            self.on_dtls_datagram(datagram, settings, cx);
        } else if dtls.early.len() < EARLY_DTLS_DATAGRAMS {
            dtls.early.push(datagram.into());
        } else {
            self.streams.first.slot.discarded += 1;
        }
    }

    /// Repeats a lost flight if it is time, and gives up an association that did its work.
    pub fn wake_dtls<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        let dtls = &mut webrtc.dtls;
        if dtls.deadline().is_none_or(|at| cx.now < at) {
            return;
        }
        if dtls.connected_at.is_some_and(|at| cx.now >= at + KEPT_US) {
            (dtls.association, dtls.connected_at) = (None, None);
            return;
        }
        if let Some(association) = &mut dtls.association {
            association.wake(cx.now);
        }
        self.drain_dtls(cx);
    }

    /// Says close_notify and forgets keys.
    pub fn close_dtls<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        if let Some(association) = &mut webrtc.dtls.association {
            association.close();
            let mut out = [0; DATAGRAM_BYTES];
            while let Some(output) = association.poll(&mut out) {
                if let (Output::Send(len), Some(path)) = (output, webrtc.path) {
                    cx.shell.send(path.socket, path.to, &out[..len]);
                }
            }
        }
        (webrtc.dtls.association, webrtc.dtls.connected_at) = (None, None);
        self.streams.first.slot.keys = KeysRecord::zeroed();
        webrtc.install(None);
    }

    /// Goes on with the keys that a process before us had; a handshake that was not finished starts anew.
    pub fn recover_dtls<S: Shell>(
        &mut self,
        terms: Option<&RemoteDtls>,
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let record = &mut *self.streams.first.slot;
        let terms = terms.map(tag_of_terms);
        if record.keys.whole().is_some_and(|keys| Some(keys.terms) != terms) {
            record.keys = KeysRecord::zeroed();
        }
        if record.keys.whole().is_none_or(|keys| record.received_of != tag_of(&keys.receive)) {
            record.received = Received::zeroed();
            record.received_of = record.keys.whole().map_or(0, |keys| tag_of(&keys.receive));
        }
        let Some(webrtc) = &mut self.webrtc else { return };
        webrtc.install(record.keys.whole());
        webrtc.dtls.terms = terms.unwrap_or(0);
        self.start_dtls(settings, cx);
    }

    /// Makes an association if we have that role in the negotiation. `true`: there is one now.
    fn begin<S: Shell>(&mut self, role: Role, settings: &Settings, cx: &mut Cx<'_, S>) -> bool {
        let Some(text) = SideText::load(&self.streams.first.slot) else { return false };
        let (Some(told), Some(RemoteSide::WebRtc { dtls: terms, .. })) = (&text.webrtc, &text.remote) else {
            return false;
        };
        let options = options_of(terms);
        let Some(webrtc) = self.webrtc.as_mut().filter(|_| options.role == role) else { return false };
        let Some(certificate) = certificate_of(settings, &told.fingerprint) else { return false };
        let mut association = Association::new(options, certificate, cx.now);
        association.start(cx.now);
        webrtc.dtls.association = Some(Box::new(association));
        true
    }

    /// Without an association only a hello is heard: one that comes late, or again after our process was replaced. Keys
    /// that there are stay in use until the new handshake proved the negotiated fingerprint.
    fn on_dtls_datagram<S: Shell>(&mut self, datagram: &[u8], settings: &Settings, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &self.webrtc else { return };
        let ready = webrtc.dtls.association.is_some()
            || (!webrtc.dtls.failed && is_client_hello(datagram) && self.begin(Role::Server, settings, cx));
        let association = self.webrtc.as_mut().and_then(|webrtc| webrtc.dtls.association.as_mut());
        match association.filter(|_| ready) {
            Some(association) => association.handle(datagram, cx.now),
            None => self.streams.first.slot.discarded += 1,
        }
        self.drain_dtls(cx);
    }

    fn drain_dtls<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let mut out = [0; DATAGRAM_BYTES];
        while let Some(webrtc) = &mut self.webrtc
            && let Some(association) = &mut webrtc.dtls.association
            && let Some(output) = association.poll(&mut out)
        {
            match output {
                Output::Send(len) => {
                    if let Some(path) = webrtc.path {
                        cx.shell.send(path.socket, path.to, &out[..len]);
                    }
                }
                Output::Connected { send, receive } => self.on_connected(send, receive, cx),
                Output::Failed(reason) => self.on_failed(reason, cx),
                Output::Closed => self.on_closed(cx),
            }
        }
    }

    fn on_connected<S: Shell>(&mut self, send: MasterKey, receive: MasterKey, cx: &mut Cx<'_, S>) {
        let mut bases = [0; MEDIA_PER_SIDE];
        for (stream, base) in self.streams.iter_mut().zip(&mut bases) {
            // The peer counts from 0 under a new key. What a source sent before is not to be placed before that.
            stream.slot.line.cut();
            *base = ((stream.slot.line.highest + 1) >> 16) as u32;
        }
        let record = &mut *self.streams.first.slot;
        let Some(webrtc) = &mut self.webrtc else { return };
        record.keys = KeysRecord::new(send, receive, bases, webrtc.dtls.terms);
        record.received = Received::zeroed();
        record.received_of = tag_of(&receive);
        webrtc.install(record.keys.whole());
        webrtc.dtls.connected_at = Some(cx.now);
        cx.shell.event(Event::DtlsConnected {
            session: cx.session.to_owned(),
            side: self.id.to_string(),
            suite: Suite::from_code(send.suite).map_or("", Suite::name).to_owned(),
        });
        for medium in self.streams.media() {
            self.request_key_frame(medium, cx);
        }
    }

    /// With keys in use it was another handshake that came to nothing: media goes on.
    fn on_failed<S: Shell>(&mut self, reason: String, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        (webrtc.dtls.association, webrtc.dtls.connected_at) = (None, None);
        if webrtc.crypto.is_some() {
            return;
        }
        webrtc.dtls.failed = true;
        cx.shell.event(Event::Failed {
            session: cx.session.to_owned(),
            side: self.id.to_string(),
            code: "MEDIA_DTLS_FAILED".to_owned(),
            detail: reason,
        });
    }

    fn on_closed<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        self.monitor.on_ended(&self.id, cx);
        self.note_told();
    }
}

fn options_of(terms: &RemoteDtls) -> Options {
    let peer_fingerprints = terms
        .fingerprints
        .iter()
        .map(|each| Fingerprint { algorithm: each.algorithm.clone(), value: each.value.clone() })
        .collect();
    let role = if terms.role == "active" { Role::Server } else { Role::Client };
    Options { role, peer_fingerprints }
}

/// The one that the peer was told of.
fn certificate_of<'a>(settings: &'a Settings, fingerprint: &str) -> Option<&'a Certificate> {
    settings.certificates.iter().rev().find(|certificate| certificate.fingerprint() == fingerprint)
}

/// Tells the peer's fingerprints apart, in whatever order they are.
fn tag_of_terms(terms: &RemoteDtls) -> u64 {
    let fingerprints = terms.fingerprints.iter();
    let mut keys: Vec<String> =
        fingerprints.map(|each| format!("{} {}", each.algorithm, each.value).to_ascii_lowercase()).collect();
    keys.sort_unstable();
    tag(keys.join(",").as_bytes())
}

/// A record of epoch 0 with a ClientHello, or a fragment of one (RFC 6347 §4.1, §4.2.2).
fn is_client_hello(datagram: &[u8]) -> bool {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    datagram.first() == Some(&HANDSHAKE)
        && datagram.get(3..5) == Some(&[0, 0])
        && datagram.get(13) == Some(&CLIENT_HELLO)
}

const DATAGRAM_BYTES: usize = 2_048;
/// How long an association is held for a peer that repeats its last flight. After that its alerts cannot be read any more:
/// that a browser went away is then known by its RTCP BYE or the loss of consent.
const KEPT_US: Micros = 60_000_000;
